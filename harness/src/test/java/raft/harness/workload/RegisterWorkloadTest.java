package raft.harness.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.workload.Workload.Next;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** In simulated time: the test is the clock. */
final class RegisterWorkloadTest {
    private static final List<Long> TEN = List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);

    private static List<Operation> draw(RegisterWorkload workload, int count) {
        List<Operation> operations = new ArrayList<>();
        long now = 0;
        while (operations.size() < count) {
            switch (workload.next(now, TEN)) {
                case Next.Do(long process, Operation operation) -> {
                    assertThat(TEN).contains(process);
                    operations.add(operation);
                }
                case Next.WaitUntil(long nanos) -> {
                    assertThat(nanos).isGreaterThan(now);
                    now = nanos;
                }
            }
        }
        return operations;
    }

    @Test
    void sameSeedSameOperations() {
        RegisterWorkload.Options options = RegisterWorkload.Options.atRate(200);
        assertThat(draw(new RegisterWorkload(3, 10, options), 500))
                .isEqualTo(draw(new RegisterWorkload(3, 10, options), 500));
    }

    @Test
    void everyWrittenValueIsUnique() {
        Set<Value> written = new HashSet<>();
        for (Operation operation :
                draw(new RegisterWorkload(1, 10, RegisterWorkload.Options.atRate(200)), 5_000)) {
            switch (operation.f()) {
                case "write" -> assertThat(written.add(operation.value())).isTrue();
                case "cas" ->
                        assertThat(written.add(((Value.Seq) operation.value()).values().get(1)))
                                .isTrue();
                default -> assertThat(operation.f()).isEqualTo("read");
            }
        }
        assertThat(written).hasSizeBetween(1_800, 2_200);
    }

    /** Without completions nothing was seen yet, so nil is what the others expect. */
    @Test
    void someCompareAndSetsExpectWhatIsHardlyThere() {
        List<Value> expected =
                draw(new RegisterWorkload(1, 10, RegisterWorkload.Options.atRate(200)), 5_000)
                        .stream()
                        .filter(operation -> operation.f().equals("cas"))
                        .map(operation -> ((Value.Seq) operation.value()).values().getFirst())
                        .toList();
        long wrong = expected.stream().filter(value -> !(value instanceof Value.Nil)).count();
        assertThat(wrong * 100.0 / expected.size()).isBetween(4.0, 12.0);
    }

    @Test
    void operationsComeAtTheRateThatWasAskedFor() {
        RegisterWorkload workload =
                new RegisterWorkload(1, 10, RegisterWorkload.Options.atRate(1_000));
        long now = 0;
        int count = 0;
        while (now < 10_000_000_000L) {
            switch (workload.next(now, TEN)) {
                case Next.Do ignored -> count++;
                case Next.WaitUntil(long nanos) -> now = nanos;
            }
        }
        assertThat((double) count).isCloseTo(10_000, within(300.0));
    }

    @Test
    void withoutAFreeProcessItWaitsForOne() {
        RegisterWorkload workload =
                new RegisterWorkload(1, 10, RegisterWorkload.Options.atRate(1_000));
        assertThat(workload.next(5_000_000_000L, List.of()))
                .isEqualTo(new Next.WaitUntil(Long.MAX_VALUE));
    }

    @Test
    void longPauseIsNotMadeUpForByABurst() {
        RegisterWorkload workload =
                new RegisterWorkload(1, 10, RegisterWorkload.Options.atRate(1_000));
        int burst = 0;
        long now = 60_000_000_000L;
        while (workload.next(now, TEN) instanceof Next.Do) {
            burst++;
        }
        assertThat(burst).isLessThan(60);
    }

    @Test
    void keysRetireAfterTheirShareOfOperationsAndTheFinalPhaseReadsThemAll() {
        RegisterWorkload workload =
                new RegisterWorkload(1, 10, new RegisterWorkload.Options(1_000, 2, 10, 50, 20));
        List<Operation> operations = draw(workload, 1_000);
        List<Operation> last = workload.finalOperations();
        assertThat(last)
                .hasSizeBetween(100, 103)
                .allMatch(operation -> operation.f().equals("read"));
        Set<Value> used = new HashSet<>();
        operations.forEach(operation -> used.add(operation.key()));
        Set<Value> read = new HashSet<>();
        last.forEach(operation -> read.add(operation.key()));
        assertThat(read).containsAll(used);
    }

    @Test
    void casExpectsWhatWasSeenLast() {
        RegisterWorkload workload =
                new RegisterWorkload(1, 10, new RegisterWorkload.Options(1_000, 1, 1_000, 0, 100));
        workload.completed(
                new HistoryEvent(
                        0,
                        0,
                        0,
                        HistoryEvent.Type.OK,
                        "write",
                        Value.of(0),
                        Value.of(77),
                        null,
                        null,
                        0,
                        0));
        assertThat(draw(workload, 1).getFirst().value())
                .isEqualTo(Value.of(Value.of(77), Value.of(1)));
    }

    @Test
    void halfOfTheProcessesOnlyRead() {
        RegisterWorkload workload =
                new RegisterWorkload(1, 10, RegisterWorkload.Options.atRate(1_000));
        Set<Long> writers = new HashSet<>();
        Set<Long> all = new HashSet<>();
        for (long now = 0; now < 5_000_000_000L; now += 1_000_000) {
            if (workload.next(now, TEN) instanceof Next.Do(long process, Operation operation)) {
                all.add(process);
                if (!operation.f().equals("read")) {
                    writers.add(process);
                }
            }
        }
        assertThat(all).hasSize(10);
        assertThat(writers).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L);
    }
}
