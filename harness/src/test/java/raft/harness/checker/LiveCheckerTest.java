package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.model.Model;
import raft.harness.model.Models;
import raft.harness.model.Samples;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.List;
import java.util.SplittableRandom;

/** Judging while a history is recorded: never a false accusation, cheap, and close behind. */
class LiveCheckerTest {
    private static final long MEMORY_BYTES = 256L << 20;

    /** Small histories of every model: what it says for certain is what all orders say. */
    @Test
    void agreesWithBruteForceWhereItIsCertain() {
        for (Model model : Samples.models()) {
            int certainCount = 0;
            for (long seed = 1; seed <= 2_000; seed++) {
                List<HistoryEvent> events = Samples.history(model, new SplittableRandom(seed), 8);
                Verdict verdict = live(events, model);
                boolean expected = BruteForce.linearizable(events, model);
                if (verdict instanceof Verdict.Unknown) {
                    continue;
                }
                certainCount++;
                assertThat(verdict instanceof Verdict.Valid)
                        .as("%s seed %d: %s", model.name(), seed, verdict)
                        .isEqualTo(expected);
            }
            assertThat(certainCount).as(model.name()).isGreaterThan(1_500);
        }
    }

    /** What crashed is used only where it is observed; that must not make it accuse more. */
    @Test
    void neverAccusesWideValidHistories() {
        int certainCount = 0;
        for (long seed = 1; seed <= 1_500; seed++) {
            var random = new SplittableRandom(seed);
            List<HistoryEvent> events =
                    Samples.wide(Models.CAS_REGISTER, random, 16 + random.nextInt(24));
            Verdict general =
                    Checker.check(
                            events, Models.CAS_REGISTER, Budget.DEFAULT, Check.Options.GENERAL);
            Verdict verdict = live(events, Models.CAS_REGISTER);
            if (!(verdict instanceof Verdict.Unknown)) {
                certainCount++;
                assertThat(verdict instanceof Verdict.Valid)
                        .as("seed %d: %s", seed, verdict)
                        .isEqualTo(general instanceof Verdict.Valid);
            }
        }
        assertThat(certainCount).isGreaterThan(750);
    }

    private static Verdict live(List<HistoryEvent> events, Model model) {
        var live = new LiveChecker(model, MEMORY_BYTES);
        events.forEach(live::add);
        return live.finish();
    }

    /** 5,000 operations a second may cost a fifth of a core: 40 µs of processor each. */
    @Test
    void costsLessThanAFifthOfACoreAtFiveThousandOperationsASecond() {
        List<HistoryEvent> events = crashing(100_000, 1);
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        var live = new LiveChecker(Models.CAS_REGISTER, MEMORY_BYTES);
        long start = threads.getCurrentThreadCpuTime();
        long completedCount = 0;
        long behindMost = 0;
        for (HistoryEvent event : events) {
            live.add(event);
            completedCount += event.type() == HistoryEvent.Type.INVOKE ? 0 : 1;
            behindMost = Math.max(behindMost, completedCount - live.judgedCount());
        }
        long spentNanos = threads.getCurrentThreadCpuTime() - start;
        assertThat(live.verdict()).isInstanceOf(Verdict.Valid.class);
        assertThat(spentNanos / 100_000).as("ns an operation").isLessThan(40_000);
        // Below a second's worth.
        assertThat(behindMost).isLessThan(5_000);
    }

    /** Twenty processes with crashes: a beam of 64 gets lost in each of these. */
    @Test
    void followsManyProcessesWithCrashedOperations() {
        for (int seed = 1; seed <= 4; seed++) {
            History history =
                    HistoryGenerator.generate(
                            new HistoryGenerator.Shape(seed, 20_000, 20, 1, 0, 0.01, -1));
            var live = new LiveChecker(Models.CAS_REGISTER, MEMORY_BYTES);
            HistoryGenerator.withTimeouts(history.events()).forEach(live::add);
            assertThat(live.finish()).as("seed %d", seed).isInstanceOf(Verdict.Valid.class);
        }
    }

    /** However much the beam had to leave out: what was overwritten for good is seen at once. */
    @Test
    void findsAStaleReadAmongManyCrashedOperations() {
        for (int concurrency : new int[] {10, 20}) {
            for (int seed = 1; seed <= 3; seed++) {
                History history =
                        HistoryGenerator.generate(
                                new HistoryGenerator.Shape(
                                        seed, 50_000, concurrency, 3, 0, 0.01, 0.8));
                var live = new LiveChecker(Models.CAS_REGISTER, MEMORY_BYTES);
                HistoryGenerator.withTimeouts(history.events()).forEach(live::add);
                Verdict verdict = live.finish();
                assertThat(verdict).isInstanceOf(Verdict.Violation.class);
                assertThat(((Verdict.Violation) verdict).explanation().summary())
                        .contains("was not written again");
                assertThat(live.judgedCount()).isLessThan(45_000);
            }
        }
    }

    private static List<HistoryEvent> crashing(int count, int keys) {
        return HistoryGenerator.withTimeouts(
                HistoryGenerator.generate(
                                new HistoryGenerator.Shape(1, count, 10, keys, 0, 0.01, -1))
                        .events());
    }
}
