package raft.harness.workload;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;
import raft.harness.workload.Generator.Context;
import raft.harness.workload.Generator.Step;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** In simulated time: every operation lasts as long as the test says. */
class GeneratorsTest {
    private static final long MILLI = 1_000_000;
    private static final int CONCURRENCY = 4;

    private record Started(long nanos, long process, String f) {}

    /** Runs a generator to its end or to {@code untilNanos}, with a nemesis beside the clients. */
    private static List<Started> run(
            Generator generator, long untilNanos, long lastsNanos, Function<Started, Type> end) {
        List<Started> started = new ArrayList<>();
        TreeSet<Long> free = new TreeSet<>(List.of(HistoryEvent.NEMESIS, 0L, 1L, 2L, 3L));
        TreeMap<Long, List<Started>> ends = new TreeMap<>();
        long now = 0;
        while (now < untilNanos) {
            Step step = generator.next(new Context(now, List.copyOf(free), CONCURRENCY));
            switch (step) {
                case Step.Do(long process, Operation operation) -> {
                    assertThat(free.remove(process)).as("process %d is free", process).isTrue();
                    Started begun = new Started(now, process, operation.f());
                    started.add(begun);
                    ends.computeIfAbsent(now + lastsNanos, _ -> new ArrayList<>()).add(begun);
                }
                case Step.Wait(long until) -> {
                    assertThat(until).as("no busy loop").isGreaterThan(now);
                    long next = ends.isEmpty() ? until : Math.min(until, ends.firstKey());
                    assertThat(next).as("somebody is waited for").isLessThan(Long.MAX_VALUE);
                    now = next;
                }
                case Step.Exhausted() -> {
                    if (ends.isEmpty()) {
                        return started;
                    }
                    now = ends.firstKey();
                }
            }
            while (!ends.isEmpty() && ends.firstKey() <= now) {
                for (Started over : ends.pollFirstEntry().getValue()) {
                    Type type = end.apply(over);
                    boolean dead = type == Type.INFO && over.process >= 0;
                    free.add(dead ? over.process + CONCURRENCY : over.process);
                    generator.completed(event(over, type, now));
                }
            }
        }
        return started;
    }

    private static List<Started> run(Generator generator) {
        return run(generator, 10_000 * MILLI, MILLI, _ -> Type.OK);
    }

    private static HistoryEvent event(Started over, Type type, long now) {
        return new HistoryEvent(
                0, now, over.process, type, over.f, Value.NIL, Value.NIL, null, null, 0, 0);
    }

    private static SplittableRandom random() {
        return new SplittableRandom(1);
    }

    private static Operation op(String f) {
        return new Operation(f, Value.NIL, Value.NIL);
    }

    private static Generator clients(String f) {
        return Generators.operations(random(), process -> process < 0 ? null : op(f));
    }

    private static List<String> functions(List<Started> started) {
        return started.stream().map(Started::f).toList();
    }

    private static Map<String, Long> counts(List<Started> started) {
        return started.stream().collect(Collectors.groupingBy(Started::f, Collectors.counting()));
    }

    @Test
    void limitEndsAfterThatManyOperations() {
        assertThat(run(Generators.limit(7, clients("a")))).hasSize(7);
    }

    @Test
    void eachDoesEveryOperationOnceInOrder() {
        assertThat(functions(run(Generators.each(List.of(op("a"), op("b"), op("c"))))))
                .containsExactly("a", "b", "c");
    }

    @Test
    void staggerKeepsTheRateWhereProcessesAreFreeAndDoesNotMakeUpForLostTime() {
        Generator steady = Generators.stagger(10 * MILLI, random(), clients("a"));
        assertThat(run(steady, 10_000 * MILLI, MILLI, _ -> Type.OK)).hasSizeBetween(950, 1050);
        // Four processes that take a second each can do four a second, and no burst follows.
        Generator slow = Generators.stagger(10 * MILLI, random(), clients("a"));
        List<Started> started = run(slow, 10_000 * MILLI, 1000 * MILLI, _ -> Type.OK);
        assertThat(started).hasSizeBetween(36, 40);
    }

    @Test
    void timeLimitStartsNothingAfterItsEnd() {
        Generator limited =
                Generators.timeLimit(
                        500 * MILLI, Generators.stagger(MILLI, random(), clients("a")));
        List<Started> started = run(limited);
        assertThat(started).hasSizeGreaterThan(400);
        assertThat(started.getLast().nanos).isBetween(490 * MILLI, 500 * MILLI);
    }

    @Test
    void phasesWaitForTheLastOperationOfTheOneBefore() {
        Generator phases =
                Generators.phases(
                        List.of(
                                Generators.limit(6, clients("a")),
                                Generators.limit(3, clients("b"))));
        List<Started> started = run(phases, 10_000 * MILLI, 10 * MILLI, _ -> Type.OK);
        assertThat(functions(started)).containsExactly("a", "a", "a", "a", "a", "a", "b", "b", "b");
        // Six by four processes take two rounds of 10 ms.
        assertThat(started.get(6).nanos).isEqualTo(20 * MILLI);
    }

    @Test
    void reservedThreadsDoNothingElseAlsoUnderTheirLaterNumbers() {
        Generator reserve =
                Generators.limit(400, Generators.reserve(1, random(), clients("a"), clients("b")));
        List<Started> started =
                run(
                        reserve,
                        10_000 * MILLI,
                        MILLI,
                        over -> over.nanos % (3 * MILLI) == 0 ? Type.INFO : Type.OK);
        assertThat(started).anyMatch(begun -> begun.process >= CONCURRENCY);
        assertThat(started)
                .allMatch(begun -> begun.f.equals("a") == (begun.process % CONCURRENCY == 0));
        assertThat(counts(started).get("a")).isBetween(90L, 110L);
    }

    @Test
    void mixDrawsEvenlyAndForgetsWhatIsExhausted() {
        Generator mix =
                Generators.limit(
                        1000,
                        Generators.mix(
                                random(),
                                List.of(
                                        clients("a"),
                                        clients("b"),
                                        Generators.limit(10, clients("c")))));
        Map<String, Long> counts = counts(run(mix));
        assertThat(counts.get("c")).isEqualTo(10);
        assertThat(counts.get("a")).isBetween(430L, 560L);
    }

    @Test
    void mixOfExhaustedGeneratorsIsExhausted() {
        assertThat(
                        run(
                                Generators.mix(
                                        random(),
                                        List.of(
                                                Generators.limit(2, clients("a")),
                                                Generators.limit(3, clients("b"))))))
                .hasSize(5);
    }

    @Test
    void untilOkRepeatsOneAtATimeUntilTheFirstSuccess() {
        List<Started> started =
                run(
                        Generators.untilOk(op("a")),
                        10_000 * MILLI,
                        MILLI,
                        over -> over.nanos < 5 * MILLI ? Type.FAIL : Type.OK);
        assertThat(started.stream().map(Started::nanos))
                .containsExactly(0L, MILLI, 2 * MILLI, 3 * MILLI, 4 * MILLI, 5 * MILLI);
    }

    @Test
    void eachThreadHasAGeneratorOfItsOwn() {
        List<Started> started =
                run(
                        Generators.eachThread(
                                thread -> Generators.limit(thread + 1, clients("t" + thread))));
        assertThat(counts(started)).isEqualTo(Map.of("t0", 1L, "t1", 2L, "t2", 3L, "t3", 4L));
        assertThat(started).allMatch(begun -> begun.f.equals("t" + begun.process));
    }

    @Test
    void nemesisWorksBesideClientsAndNeitherWaitsForTheOther() {
        Generator faults =
                Generators.phases(
                        List.of(
                                Generators.limit(1, nemesis("kill")),
                                Generators.limit(1, nemesis("start"))));
        List<Started> started =
                run(
                        Generators.beside(Generators.limit(40, clients("a")), faults),
                        10_000 * MILLI,
                        10 * MILLI,
                        _ -> Type.OK);
        assertThat(counts(started)).isEqualTo(Map.of("a", 40L, "kill", 1L, "start", 1L));
        assertThat(started)
                .allMatch(begun -> (begun.process == HistoryEvent.NEMESIS) == !begun.f.equals("a"));
        assertThat(started.getLast().nanos).isEqualTo(90 * MILLI);
    }

    private static Generator nemesis(String f) {
        return Generators.operations(random(), process -> process < 0 ? op(f) : null);
    }

    @Test
    void burstsRestAsLongAsTheyAreTold() {
        Generator bursts =
                Generators.bursts(
                        100 * MILLI,
                        200 * MILLI,
                        Generators.stagger(MILLI, random(), clients("a")));
        List<Started> started = run(bursts, 3_000 * MILLI, MILLI, _ -> Type.OK);
        // Each burst makes up for 20 ms of its rest, no more.
        assertThat(started).hasSizeBetween(950, 1300);
        assertThat(started).allMatch(begun -> begun.nanos % (300 * MILLI) < 100 * MILLI);
    }
}
