package raft.harness.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Models;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

class WorkloadsTest {
    private static final List<Long> ALL = LongStream.range(0, 10).boxed().toList();

    static List<String> names() {
        return Workloads.names();
    }

    private static List<Operation> draw(Workload workload, int count) {
        List<Operation> drawn = new ArrayList<>();
        long now = 0;
        while (drawn.size() < count) {
            switch (workload.next(now, ALL)) {
                case Workload.Next.Do(long process, Operation operation) -> {
                    drawn.add(operation);
                    workload.completed(
                            new HistoryEvent(
                                    0,
                                    now,
                                    process,
                                    Type.OK,
                                    operation.f(),
                                    operation.key(),
                                    answer(operation, drawn.size()),
                                    "n1",
                                    null,
                                    0,
                                    0));
                }
                case Workload.Next.WaitUntil(long nanos) -> {
                    assertThat(nanos).isGreaterThan(now).isLessThan(Long.MAX_VALUE);
                    now = nanos;
                }
            }
        }
        return drawn;
    }

    private static Value answer(Operation operation, int number) {
        return switch (operation.value()) {
            case Value.Seq(List<Value> pair) when !operation.f().equals("cas") ->
                    Value.of(Value.of(number), pair.getLast());
            default -> operation.f().equals("acquire") ? Value.of(number) : operation.value();
        };
    }

    @ParameterizedTest
    @MethodSource("names")
    void sameSeedGivesTheSameOperationsAndAnotherOneOthers(String name) {
        Workloads.Spec spec = Workloads.parse(name);
        List<Operation> drawn = draw(spec.make(3, 10, 200), 500);
        assertThat(draw(spec.make(3, 10, 200), 500)).isEqualTo(drawn);
        assertThat(draw(spec.make(4, 10, 200), 500)).isNotEqualTo(drawn);
    }

    @ParameterizedTest
    @MethodSource("names")
    void modelKnowsEveryOperationAndEachOneComesUp(String name) {
        Workload workload = Workloads.parse(name).make(1, 10, 200);
        Model model = Models.named(workload.model());
        Set<String> seen = new HashSet<>();
        draw(workload, 1000).forEach(operation -> seen.add(operation.f()));
        workload.finalOperations().forEach(operation -> seen.add(operation.f()));
        assertThat(seen).containsExactlyInAnyOrderElementsOf(workload.functions());
        assertThat(seen).allMatch(f -> Models.knows(model, f));
        assertThat(workload.name()).isEqualTo(name);
    }

    @ParameterizedTest
    @MethodSource("names")
    void writtenValuesAreUniqueInTheRun(String name) {
        List<Value> written =
                draw(Workloads.parse(name).make(1, 10, 200), 1000).stream()
                        .filter(o -> Set.of("write", "append", "add", "enqueue").contains(o.f()))
                        .map(Operation::value)
                        .toList();
        assertThat(written).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("names")
    void keysAreReplacedSoThatNoHistoryOfOneGetsLong(String name) {
        Workload workload = Workloads.parse(name + ":keys=2,per-key=20").make(1, 10, 200);
        Map<Value, Long> counts =
                draw(workload, 1000).stream()
                        .collect(Collectors.groupingBy(Operation::key, Collectors.counting()));
        // A lock is also given back after it was left alone.
        assertThat(counts.values()).allMatch(count -> count <= 40);
        assertThat(counts.size()).isGreaterThan(20);
    }

    @ParameterizedTest
    @MethodSource("names")
    void hotKeyGetsItsShare(String name) {
        Workload workload = Workloads.parse(name + ":keys=10,per-key=100000,hot=90").make(1, 10, 1);
        Map<Value, Long> counts =
                draw(workload, 1000).stream()
                        .collect(Collectors.groupingBy(Operation::key, Collectors.counting()));
        assertThat(counts.values().stream().mapToLong(count -> count).max().orElse(0))
                .isBetween(850L, 960L);
    }

    @ParameterizedTest
    @MethodSource("names")
    void burstsRestHalfOfTheTimeAndKeepTheRate(String name) {
        Workload workload = Workloads.parse(name + ":burst=200").make(1, 10, 100);
        long now = 0;
        int started = 0;
        while (now < 20_000_000_000L) {
            switch (workload.next(now, ALL)) {
                case Workload.Next.Do _ -> {
                    assertThat(now % 400_000_000L).isLessThan(200_000_000L);
                    started++;
                }
                case Workload.Next.WaitUntil(long nanos) -> now = nanos;
            }
        }
        // Each burst makes up for 20 ms of its rest, no more.
        assertThat(started).isBetween(1900, 2400);
    }

    @Test
    void lockIsGivenBackByWhoeverHoldsItAndLeftAloneOnceItsHolderIsGone() {
        Workload workload = Workloads.parse("lock:keys=1").make(1, 2, 1000);
        Operation acquire = onlyBy(workload, 0);
        assertThat(acquire.f()).isEqualTo("acquire");
        workload.completed(event(0, Type.OK, acquire, Value.of(7)));
        Operation release = onlyBy(workload, 0);
        assertThat(release).isEqualTo(new Operation("release", acquire.key(), Value.of(7)));
        workload.completed(event(0, Type.FAIL, release, release.value()));
        assertThat(onlyBy(workload, 0)).isEqualTo(release);
        workload.completed(event(0, Type.INFO, release, release.value()));
        assertThat(onlyBy(workload, 2).key()).isNotEqualTo(acquire.key());
    }

    @Test
    void nowAndThenSomebodyElseTriesToGiveALockBack() {
        Workload workload = Workloads.parse("lock:keys=1").make(1, 2, 1000);
        Operation acquire = onlyBy(workload, 0);
        workload.completed(event(0, Type.OK, acquire, Value.of(7)));
        List<Operation> others = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            others.add(onlyBy(workload, 1));
            workload.completed(event(1, Type.FAIL, others.getLast(), Value.NIL));
        }
        Operation stray = new Operation("release", acquire.key(), Value.of(7));
        assertThat(others.stream().filter(stray::equals).count()).isBetween(1L, 10L);
        assertThat(others).filteredOn(o -> !o.equals(stray)).allMatch(o -> o.f().equals("acquire"));
    }

    @Test
    void nowAndThenALockIsGivenBackByTheTokenOfAnEarlierTime() {
        Workload workload = Workloads.parse("lock:keys=1").make(1, 2, 1000);
        Operation acquire = onlyBy(workload, 0);
        workload.completed(event(0, Type.OK, acquire, Value.of(7)));
        workload.completed(event(0, Type.OK, onlyBy(workload, 0), Value.of(7)));
        workload.completed(event(0, Type.OK, acquire, Value.of(8)));
        List<Operation> releases = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            releases.add(onlyBy(workload, 0));
            workload.completed(event(0, Type.FAIL, releases.getLast(), Value.NIL));
        }
        Operation stray = new Operation("release", acquire.key(), Value.of(7));
        Operation right = new Operation("release", acquire.key(), Value.of(8));
        assertThat(releases).containsOnly(stray, right);
        assertThat(releases.stream().filter(stray::equals).count()).isBetween(1L, 10L);
    }

    @Test
    void queueIsEmptiedAtTheEnd() {
        Workload workload = Workloads.parse("queue").make(1, 10, 200);
        draw(workload, 100);
        Operation dequeue = workload.finalOperations().getFirst();
        assertThat(dequeue.f()).isEqualTo("dequeue");
        assertThat(workload.finalContinuation(event(0, Type.OK, dequeue, Value.of(5))))
                .containsExactly(dequeue);
        assertThat(workload.finalContinuation(event(0, Type.OK, dequeue, Value.NIL))).isEmpty();
    }

    @Test
    void casOfAVersionedRegisterExpectsWhatWasSeenLast() {
        Workload workload = Workloads.parse("versioned-register:keys=1").make(1, 10, 1000);
        Operation write = null;
        while (write == null || !write.f().equals("write")) {
            write = onlyBy(workload, 9);
        }
        Value value = ((Value.Seq) write.value()).values().getLast();
        workload.completed(event(9, Type.OK, write, Value.of(Value.of(41), value)));
        Operation cas = write;
        while (!cas.f().equals("cas")) {
            cas = onlyBy(workload, 9);
        }
        List<Value> asked = ((Value.Seq) cas.value()).values();
        assertThat(asked.getFirst()).isEqualTo(Value.of(41));
        assertThat(((Value.Seq) asked.getLast()).values().getFirst()).isEqualTo(value);
    }

    @Test
    void mistakesInOptionsAreNamed() {
        assertThatThrownBy(() -> Workloads.parse("bank"))
                .hasMessageStartingWith("no workload is called 'bank'; there are register, ");
        assertThatThrownBy(() -> Workloads.parse("set:keys=x"))
                .hasMessage("the workload's option keys is a number from 1 to 1000, not 'x'");
        assertThatThrownBy(() -> Workloads.parse("retries:sessions=maybe"))
                .hasMessage("the workload's option sessions is on or off, not 'maybe'");
        assertThat(Workloads.parse("retries:sessions=off").make(1, 1, 1).retry())
                .isEqualTo(Retry.BLINDLY);
        assertThat(Workloads.parse("retries").make(1, 1, 1).retry()).isEqualTo(Retry.IN_SESSION);
    }

    private static Operation onlyBy(Workload workload, long process) {
        long now = 1_000_000_000L;
        while (true) {
            switch (workload.next(now, List.of(process))) {
                case Workload.Next.Do(_, Operation operation) -> {
                    return operation;
                }
                case Workload.Next.WaitUntil(long nanos) -> now = nanos;
            }
        }
    }

    private static HistoryEvent event(long process, Type type, Operation operation, Value value) {
        return new HistoryEvent(
                0, 0, process, type, operation.f(), operation.key(), value, "n1", null, 0, 0);
    }
}
