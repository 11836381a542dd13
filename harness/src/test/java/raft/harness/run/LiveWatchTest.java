package raft.harness.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;
import raft.harness.model.Models;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A violation is said while the run goes on, not at its end. */
class LiveWatchTest {
    private final List<String> said = new CopyOnWriteArrayList<>();
    private final CountDownLatch violation = new CountDownLatch(1);
    private long index;

    private void hear(String line) {
        said.add(line);
        if (line.startsWith("VIOLATION")) {
            violation.countDown();
        }
    }

    private HistoryEvent event(long process, Type type, String f, Value value) {
        long at = index++;
        return new HistoryEvent(
                at, at * 5_000, process, type, f, Value.NIL, value, null, null, 0, 0);
    }

    private void written(LiveWatch watch, long value) {
        watch.accept(event(0, Type.INVOKE, "write", Value.of(value)));
        watch.accept(event(0, Type.OK, "write", Value.of(value)));
    }

    @Test
    void saysAStaleReadBeforeTheRunHasEnded() throws InterruptedException {
        try (var watch = new LiveWatch(Models.CAS_REGISTER, this::hear)) {
            written(watch, 1);
            written(watch, 2);
            watch.accept(event(1, Type.INVOKE, "read", Value.NIL));
            watch.accept(event(1, Type.OK, "read", Value.of(1)));

            assertThat(violation.await(30, TimeUnit.SECONDS)).isTrue();
            written(watch, 3);
        }
        assertThat(said).hasSize(1);
        assertThat(said.getFirst())
                .startsWith("VIOLATION at event 5, found while the run goes on: ");
    }

    @Test
    void saysAtTheEndHowWellItKeptUp() {
        try (var watch = new LiveWatch(Models.CAS_REGISTER, this::hear)) {
            written(watch, 1);
        }
        assertThat(said.getFirst())
                .matches(
                        "checked along the way: nothing wrong in 1 operations \\(at most \\d+ ms"
                                + " behind, [\\d.]+ % of a core\\)");
    }
}
