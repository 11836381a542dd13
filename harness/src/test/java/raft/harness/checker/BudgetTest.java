package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.model.Model;
import raft.harness.model.Models;
import raft.harness.model.Samples;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A check ends in time and within memory, whatever it is doing when they end. Time is this thread's
 * time on the processor here, so that a busy machine changes nothing.
 */
class BudgetTest {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final Set<String> ANSWERED = Set.of("read", "get", "dequeue", "acquire");
    private static final long OVERRUN_MILLIS_MOST = 100;

    @ParameterizedTest(name = "{0} at a time, values from {2}, {3} crashed, stale {4}")
    @CsvSource({
        "10, 300000, 0, 0.01, -1",
        "10, 300000, 0, 0.01, 0.5",
        "100, 100000, 0, 0, 0.9",
        "10, 100000, 5, 0.05, -1",
        "100, 10000, 5, 0.01, -1",
        "100, 10000, 5, 0, -1",
    })
    void noPhasePassesItsTime(int concurrency, int count, int values, double crash, double stale) {
        History history =
                HistoryGenerator.generate(
                        new HistoryGenerator.Shape(1, count, concurrency, 1, values, crash, stale));
        for (int millis : new int[] {1, 10, 30, 60, 100, 150, 200, 300, 450, 700}) {
            endsInTime(history, Models.CAS_REGISTER, millis);
        }
    }

    /** Models without a short cut, and wide enough that nothing but the budget ends the search. */
    @Test
    void generalSearchEndsInTime() {
        for (Model model : Samples.models()) {
            List<HistoryEvent> events = Samples.wide(model, new SplittableRandom(7), 400, 24);
            var header = new HistoryHeader(HistoryHeader.SCHEMA, "", "", "", List.of(), 7);
            var history = new History(header, events);
            for (int millis : new int[] {5, 50, 200}) {
                endsInTime(history, model, millis);
            }
        }
    }

    static List<Model> models() {
        return Samples.models();
    }

    /** Finding out, explaining and confirming that one answer in the second half is an old one. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void explainingEndsInTime(Model model) {
        List<HistoryEvent> events =
                withOldAnswer(Samples.valid(model, new SplittableRandom(11), 6_000, 12));
        assertThat(events.stream().filter(e -> e.type() == HistoryEvent.Type.OK))
                .as("what there is to explain it with")
                .hasSizeGreaterThan(900);
        var header = new HistoryHeader(HistoryHeader.SCHEMA, "", "", "", List.of(), 11);
        var history = new History(header, events);
        for (int millis : new int[] {20, 100, 400, 1500}) {
            endsInTime(history, model, millis);
        }
    }

    /** An answer of the first half is given once more at the end. */
    private static List<HistoryEvent> withOldAnswer(List<HistoryEvent> events) {
        List<HistoryEvent> answers =
                events.stream()
                        .filter(e -> e.type() == HistoryEvent.Type.OK && ANSWERED.contains(e.f()))
                        .toList();
        HistoryEvent old = answers.get(answers.size() / 3);
        HistoryEvent last = answers.getLast();
        List<HistoryEvent> changed = new ArrayList<>(events);
        changed.set(
                (int) last.index(),
                new HistoryEvent(
                        last.index(),
                        last.timeNanos(),
                        last.process(),
                        last.type(),
                        last.f(),
                        last.key(),
                        old.value(),
                        null,
                        null,
                        0,
                        0));
        return changed;
    }

    private static void endsInTime(History history, Model model, int millis) {
        long start = THREADS.getCurrentThreadCpuTime();
        var budget = new Budget(Duration.ofMillis(millis), 1L << 30);
        var meter = new Meter(budget, Checker.Progress.NONE, THREADS::getCurrentThreadCpuTime);
        Verdict verdict = new Check(history.events(), model, Check.Options.DEFAULT, meter).run();
        long tookMillis = (THREADS.getCurrentThreadCpuTime() - start) / 1_000_000;
        assertThat(tookMillis)
                .as("%d ms for %s: %s", millis, model.name(), verdict.getClass())
                .isLessThanOrEqualTo(millis + OVERRUN_MILLIS_MOST);
        if (verdict instanceof Verdict.Unknown unknown) {
            assertThat(unknown.reason()).contains("the budget of time ended");
        }
    }

    @Test
    void unknownSaysWhereHowManyWereOpenAndHowWide() {
        History history =
                HistoryGenerator.generate(
                        new HistoryGenerator.Shape(1, 10_000, 100, 1, 5, 0.05, -1));
        var budget = new Budget(Duration.ofMillis(400), 1L << 30);
        var meter = new Meter(budget, Checker.Progress.NONE, THREADS::getCurrentThreadCpuTime);
        Verdict verdict =
                new Check(history.events(), Models.CAS_REGISTER, Check.Options.GENERAL, meter)
                        .run();
        assertThat(verdict).isInstanceOf(Verdict.Unknown.class);
        assertThat(((Verdict.Unknown) verdict).reason())
                .containsPattern(
                        "at event \\d+ \\(\\w+ by process \\d+\\) with \\d+ operations open and"
                                + " \\d+ configurations wide");
    }

    /** In a machine of its own with hardly any heap: unknown and not an error. */
    @Test
    void smallHeapEndsAsUnknown() throws IOException, InterruptedException {
        Process child =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx40m",
                                "-XX:+UseSerialGC",
                                "-cp",
                                System.getProperty("java.class.path"),
                                SmallHeap.class.getName())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(child.waitFor()).as(said).isZero();
        assertThat(said).contains("Unknown").contains("the budget of memory ended");
        assertThat(said).doesNotContain("OutOfMemoryError").doesNotContain("Exception");
    }

    /** What the child does: checks that need more than it has. */
    static final class SmallHeap {
        private SmallHeap() {}

        public static void main(String[] arguments) {
            for (Check.Options options : List.of(Check.Options.DEFAULT, Check.Options.GENERAL)) {
                for (int concurrency : new int[] {20, 100}) {
                    History history =
                            HistoryGenerator.generate(
                                    new HistoryGenerator.Shape(
                                            1, 3_000, concurrency, 1, 5, 0.05, -1));
                    var budget = new Budget(Duration.ofSeconds(20), 1L << 30);
                    System.out.println(
                            Checker.check(history.events(), Models.CAS_REGISTER, budget, options));
                }
            }
        }
    }
}
