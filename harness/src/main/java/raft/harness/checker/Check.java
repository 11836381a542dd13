package raft.harness.checker;

import raft.harness.checker.Outcome.Fits;
import raft.harness.checker.Outcome.GaveUp;
import raft.harness.checker.Outcome.Impossible;
import raft.harness.history.HistoryEvent;
import raft.harness.model.Model;
import raft.harness.model.Operation;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** One check of one history. */
final class Check {
    /** How to check; the tests switch single ways off to compare them. */
    record Options(boolean traced, int firstWidth, boolean shapes, RegisterCheck.Ways ways) {
        static final Options DEFAULT = new Options(false, 0, true, RegisterCheck.Ways.ALL);

        /** Every way that must come to the same verdict. */
        static List<Options> all() {
            return List.of(
                    DEFAULT,
                    new Options(true, 0, true, RegisterCheck.Ways.ALL),
                    new Options(true, 2, false, RegisterCheck.Ways.ALL),
                    new Options(false, 0, true, RegisterCheck.Ways.SEARCH_ONLY),
                    new Options(true, 0, true, new RegisterCheck.Ways(false, false, false, true)),
                    new Options(true, 1, true, new RegisterCheck.Ways(false, false, true, true)),
                    new Options(true, 4, true, new RegisterCheck.Ways(true, false, true, false)));
        }
    }

    private final List<HistoryEvent> events;
    private final Model model;
    private final Options options;
    private final Meter meter;

    Check(List<HistoryEvent> events, Model model, Budget budget, Options options) {
        this.events = events;
        this.model = model;
        this.options = options;
        meter = new Meter(budget);
    }

    Verdict run() {
        Preparation preparation = Preparation.of(events, model);
        long operationCount = preparation.operationCount();
        Verdict unknown = null;
        for (Part part : preparation.parts()) {
            switch (judge(part)) {
                case Fits ignored -> {}
                case Impossible impossible -> {
                    return new Verdict.Violation(operationCount, explain(part, impossible));
                }
                case GaveUp gaveUp ->
                        unknown = new Verdict.Unknown(operationCount, reason(part, gaveUp));
            }
        }
        return unknown == null ? new Verdict.Valid(operationCount) : unknown;
    }

    private Outcome judge(Part part) {
        if (options.shapes() && model.shape() == Model.Shape.REGISTER) {
            RegisterPart register = RegisterPart.of(part, events);
            var check =
                    new RegisterCheck(
                            register,
                            meter.gauge(),
                            options.traced(),
                            options.ways(),
                            options.firstWidth());
            Outcome outcome = check.judge();
            if (outcome instanceof Fits(int[] order)
                    && order != null
                    && !RegisterCheck.replays(register, order)) {
                throw new IllegalStateException(
                        "a linearization that does not replay: " + Arrays.toString(order));
            }
            return outcome;
        }
        int firstWidth = options.firstWidth() > 0 ? options.firstWidth() : 256;
        for (int width = firstWidth; ; width = width > 1 << 24 ? 0 : width * 8) {
            var search = new GeneralSearch(model, meter.gauge(), width, options.traced());
            Outcome outcome = walk(part, search);
            if (!(outcome instanceof Impossible) || !search.dropped()) {
                return outcome;
            }
        }
    }

    private Outcome walk(Part part, Search search) {
        int[] partEvents = part.events();
        for (int i = 0; i < partEvents.length; i++) {
            int operation = partEvents[i] >> 1;
            if ((partEvents[i] & 1) == 0) {
                long returnPosition =
                        part.crashed(operation) ? Search.CRASHED : part.completions()[operation];
                if (!search.invoke(operation, operation(part, operation), returnPosition)) {
                    return new GaveUp(i, search.openCount(), search.width());
                }
            } else {
                switch (search.complete(operation)) {
                    case GOES_ON -> {}
                    case STUCK -> {
                        return new Impossible(i, null, new int[0], search.possibleStates(5));
                    }
                    case SPENT -> {
                        return new GaveUp(i, search.openCount(), search.width());
                    }
                }
            }
        }
        return new Fits(search.order());
    }

    private Operation operation(Part part, int operation) {
        int completion = part.completions()[operation];
        return Preparation.operation(
                events.get(part.invocations()[operation]),
                completion < 0 ? null : events.get(completion),
                model);
    }

    private String reason(Part part, GaveUp gaveUp) {
        HistoryEvent event = events.get(eventOf(part, gaveUp.atEvent()));
        return "the budget of "
                + meter.what()
                + " ended after "
                + String.format(Locale.ROOT, "%.1f", meter.seconds())
                + " s at event "
                + event.index()
                + " ("
                + event.f()
                + " by process "
                + event.process()
                + ") with "
                + gaveUp.openCount()
                + " operations open and "
                + gaveUp.width()
                + " configurations possible";
    }

    private Verdict.Explanation explain(Part part, Impossible impossible) {
        HistoryEvent stuck = events.get(eventOf(part, impossible.atEvent()));
        List<HistoryEvent> involved =
                IntStream.rangeClosed(0, impossible.atEvent())
                        .mapToObj(i -> events.get(eventOf(part, i)))
                        .toList();
        return new Verdict.Explanation(
                "No order explains "
                        + stuck.f()
                        + " "
                        + stuck.value()
                        + " by process "
                        + stuck.process()
                        + " (event "
                        + stuck.index()
                        + "); before it the state could only be "
                        + String.join(" or ", impossible.states())
                        + ".",
                involved);
    }

    private static int eventOf(Part part, int at) {
        int operation = part.events()[at] >> 1;
        return (part.events()[at] & 1) == 0
                ? part.invocations()[operation]
                : part.completions()[operation];
    }
}
