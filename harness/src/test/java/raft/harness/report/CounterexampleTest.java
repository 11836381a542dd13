package raft.harness.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryHeader;
import raft.harness.history.Value;
import raft.harness.model.Models;

import java.util.List;

final class CounterexampleTest {
    private static HistoryEvent event(long index, long process, Type type, String f, Value value) {
        return new HistoryEvent(
                index, index * 1000, process, type, f, Value.NIL, value, null, null, 0, 0);
    }

    @Test
    void whoseLockItIsStaysTheSameWhereACompletionWasLeftOut() {
        // Event 2, the end of the acquire, was left out.
        List<HistoryEvent> part =
                List.of(
                        event(0, 7, Type.INVOKE, "acquire", Value.NIL),
                        event(1, 3, Type.INVOKE, "acquire", Value.NIL),
                        event(3, 7, Type.INVOKE, "release", Value.NIL),
                        event(4, 7, Type.OK, "release", Value.NIL));
        List<HistoryEvent> alone = new Counterexample("words", part).standingAlone();
        assertThat(alone).hasSize(5).containsAll(part);
        HistoryEvent added = alone.get(2);
        assertThat(added.index()).isEqualTo(2);
        assertThat(added.timeNanos()).isEqualTo(1000);
        assertThat(added.process()).isEqualTo(7);
        assertThat(added.type()).isEqualTo(Type.INFO);
        History history =
                new History(new HistoryHeader(1, "", "lock", "lock", List.of(), 0), alone);
        assertThat(Checker.check(history, Models.LOCK, Budget.DEFAULT))
                .as("only who acquired it can release it")
                .isInstanceOf(Verdict.Valid.class);
    }
}
