package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import raft.harness.history.HistoryEvent;
import raft.harness.model.Model;
import raft.harness.model.Models;
import raft.harness.model.Samples;

import java.util.List;
import java.util.SplittableRandom;

/** The ways without search are taken: often on small histories, and on wide ones that need them. */
class ShortCutTest {
    static List<Model> models() {
        return Samples.models().stream()
                .filter(m -> m.shape() != Model.Shape.GENERAL && m.shape() != Model.Shape.REGISTER)
                .toList();
    }

    /** A third of the samples have unique values, and not all of those crashed dequeues. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void decideManySmallHistories(Model model) {
        int decided = 0;
        for (long seed = 1; seed <= 1_000; seed++) {
            List<HistoryEvent> events = Samples.history(model, new SplittableRandom(seed), 8);
            decided += judge(events, model) != null ? 1 : 0;
        }
        assertThat(decided).as(model.name()).isGreaterThan(model == Models.SET ? 150 : 250);
    }

    /** Where 16 operations are open all the time a search has to try their orders. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void decideLongWideHistories(Model model) {
        for (long seed = 1; seed <= 10; seed++) {
            List<HistoryEvent> events = Samples.valid(model, new SplittableRandom(seed), 4_000, 17);
            assertThat(judge(events, model))
                    .as("%s seed %d", model.name(), seed)
                    .isInstanceOf(Outcome.Fits.class);
        }
    }

    /** Refused cas are what makes it hard: the order has to be mended in many places. */
    @ParameterizedTest(name = "{0} processes, {1} crashed")
    @CsvSource({"3, 0", "10, 0", "60, 0", "3, 0.3", "10, 0.05", "60, 0.01"})
    void decideRegistersWithUniqueValues(int concurrency, double crashShare) {
        for (int seed = 1; seed <= 20; seed++) {
            List<HistoryEvent> events =
                    HistoryGenerator.generate(
                                    new HistoryGenerator.Shape(
                                            seed, 5_000, concurrency, 1, 0, crashShare, -1))
                            .events();
            var meter = new Meter(Budget.DEFAULT, Checker.Progress.NONE);
            Part part = Preparation.of(events, Models.CAS_REGISTER, meter).parts().getFirst();
            RegisterPart register = RegisterPart.of(part, events, meter.gauge());
            Outcome outcome = UniqueValues.judge(register, meter.gauge());
            assertThat(outcome).as("seed %d", seed).isInstanceOf(Outcome.Fits.class);
            int[] order = ((Outcome.Fits) outcome).order();
            assertThat(order).isNotNull();
            assertThat(RegisterCheck.replays(register, order)).as("seed %d", seed).isTrue();
        }
    }

    private static @Nullable Outcome judge(List<HistoryEvent> events, Model model) {
        var meter = new Meter(Budget.DEFAULT, Checker.Progress.NONE);
        List<Part> parts = Preparation.of(events, model, meter).parts();
        if (parts.isEmpty()) {
            return new Outcome.Fits(null);
        }
        Part part = parts.getFirst();
        return switch (model.shape()) {
            case GROW_ONLY_SET, APPEND_LIST ->
                    Stages.judge(part, events, model.shape(), meter.gauge());
            case COUNTER -> Counters.judge(part, events, meter.gauge());
            case FIFO_QUEUE -> Queues.judge(part, events, true, meter.gauge());
            case UNORDERED_QUEUE -> Queues.judge(part, events, false, meter.gauge());
            case LOCK -> Locks.judge(part, events, meter.gauge());
            case GENERAL, REGISTER -> throw new IllegalArgumentException(model.name());
        };
    }
}
