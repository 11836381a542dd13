package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.model.Models;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Wide histories of one register whose values repeat: two searches at once say what one says. */
class RegisterRaceTest {
    private static final Budget BUDGET = new Budget(Duration.ofSeconds(5), 1L << 29);

    /** As by default, but with one search. */
    private static final Check.Options ALONE =
            new Check.Options(false, 48, true, RegisterCheck.Ways.ALL, true);

    @Test
    void agreesWithOneSearchOnWideHistoriesWithFalsifiedReads() {
        int violationCount = 0;
        int validCount = 0;
        for (int seed = 1; seed <= 12; seed++) {
            int concurrency = seed % 3 == 0 ? 40 : 8;
            List<HistoryEvent> events =
                    HistoryGenerator.generate(
                                    new HistoryGenerator.Shape(
                                            seed, 2_500, concurrency, 1, 5, 0.01, -1))
                            .events();
            if (seed % 2 == 1) {
                events = falsified(events, new SplittableRandom(seed));
            }
            Verdict raced =
                    Checker.check(events, Models.CAS_REGISTER, BUDGET, Check.Options.DEFAULT);
            Verdict alone = Checker.check(events, Models.CAS_REGISTER, BUDGET, ALONE);
            if (!(raced instanceof Verdict.Unknown) && !(alone instanceof Verdict.Unknown)) {
                assertThat(raced).as("seed %d", seed).hasSameClassAs(alone);
                violationCount += raced instanceof Verdict.Violation ? 1 : 0;
                validCount += raced instanceof Verdict.Valid ? 1 : 0;
            }
        }
        assertThat(violationCount).isPositive();
        assertThat(validCount).isPositive();
    }

    /** Three reads in the middle return another one of the values. */
    private static List<HistoryEvent> falsified(
            List<HistoryEvent> events, SplittableRandom random) {
        List<HistoryEvent> changed = new ArrayList<>(events);
        int done = 0;
        for (int i = events.size() / 2; done < 3; i++) {
            HistoryEvent event = events.get(i);
            if (event.type() == HistoryEvent.Type.OK
                    && event.f().equals("read")
                    && event.value() instanceof Value.Int(long number)) {
                changed.set(i, withValue(event, 1 + (number + random.nextInt(4)) % 5));
                done++;
            }
        }
        return changed;
    }

    private static HistoryEvent withValue(HistoryEvent event, long value) {
        return new HistoryEvent(
                event.index(),
                event.timeNanos(),
                event.process(),
                event.type(),
                event.f(),
                event.key(),
                Value.of(value),
                event.node(),
                event.error(),
                event.term(),
                event.logIndex());
    }
}
