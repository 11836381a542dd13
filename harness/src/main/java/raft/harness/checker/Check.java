package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Accusation;
import raft.harness.checker.Outcome.Fits;
import raft.harness.checker.Outcome.GaveUp;
import raft.harness.checker.Outcome.Impossible;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Operation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/** One check of one history: prepare, judge each part, put the outcomes together, explain. */
final class Check {
    /** How to check; the tests compare the different ways. */
    record Options(
            boolean traced,
            int firstWidth,
            boolean shapes,
            RegisterCheck.Ways ways,
            boolean confirms) {
        static final Options DEFAULT = new Options(false, 0, true, RegisterCheck.Ways.ALL, true);
        static final Options TRACED = new Options(true, 0, true, RegisterCheck.Ways.ALL, true);
        static final Options GENERAL = new Options(false, 0, false, RegisterCheck.Ways.ALL, false);

        /** Only as it is done by default, and without a linearization. */
        boolean races() {
            return equals(DEFAULT);
        }

        /** Every way that must come to the same verdict; none may hide behind a confirmation. */
        static List<Options> all() {
            return List.of(
                    ways(false, 0, true, true, true, true),
                    ways(true, 0, true, true, true, true),
                    new Options(true, 2, false, RegisterCheck.Ways.ALL, false),
                    ways(false, 0, false, false, false, false),
                    ways(true, 0, false, false, false, true),
                    ways(true, 48, false, false, true, true),
                    ways(true, 1 << 20, false, false, true, true),
                    ways(true, 1, false, false, true, true),
                    ways(true, 4, true, false, true, false));
        }

        private static Options ways(
                boolean traced,
                int width,
                boolean rejections,
                boolean unique,
                boolean beams,
                boolean relaxed) {
            var ways =
                    new RegisterCheck.Ways(
                            rejections, unique, beams, relaxed, width == 0 ? 256 : 1);
            return new Options(traced, width, true, ways, false);
        }
    }

    private static final int GENERAL_BEAM = 256;

    /** Below this many operations threads cost more than they bring. */
    private static final long PARALLEL_FROM = 2_000;

    /** For the general search of a whole part, when only the verdict is wanted. */
    private static final double QUICK_SECONDS = 0.1;

    private static final Accusation UNEXPLAINED =
            new Accusation(new Verdict.Explanation("There is no linearization.", List.of()));

    private record Judged(Part part, Outcome outcome) {}

    private final List<HistoryEvent> events;
    private final Model model;
    private final Options options;
    private final Meter meter;
    private final AtomicBoolean enough = new AtomicBoolean();
    private boolean explains = true;
    private boolean alone;
    private long operationCount;
    private List<Judged> judged = List.of();

    Check(List<HistoryEvent> events, Model model, Options options, Meter meter) {
        this.events = events;
        this.model = model;
        this.options = options;
        this.meter = meter;
    }

    Check withoutWhy() {
        explains = false;
        return this;
    }

    Verdict run() {
        try {
            Preparation preparation = Preparation.of(events, model, meter);
            operationCount = preparation.operationCount();
            meter.begin(operationCount);
            judged = judge(preparation.parts());
            return verdict();
        } catch (Meter.Spent e) {
            return unknown("before the search began");
        } catch (OutOfMemoryError e) {
            // The meter estimates; where it was wrong this is still a spent budget and no crash.
            judged = List.of();
            return unknown("because the heap is too small for it");
        }
    }

    private Verdict verdict() {
        for (int i = 0; i < judged.size(); i++) {
            if (judged.get(i).outcome() instanceof Impossible impossible) {
                Part part = judged.get(i).part();
                Outcome sure = confirmed(part, impossible);
                if (sure instanceof Accusation(Verdict.Explanation why)) {
                    return new Verdict.Violation(operationCount, why);
                }
                judged.set(i, new Judged(part, sure));
            }
        }
        for (Judged one : judged) {
            if (one.outcome() instanceof GaveUp gaveUp) {
                return new Verdict.Unknown(operationCount, reason(one.part(), gaveUp));
            }
        }
        return new Verdict.Valid(operationCount);
    }

    private Verdict unknown(String where) {
        return new Verdict.Unknown(
                operationCount == 0 ? clientOperations() : operationCount,
                "the budget of "
                        + (meter.what().isEmpty() ? "memory" : meter.what())
                        + " ended after "
                        + seconds()
                        + " s "
                        + where);
    }

    private long clientOperations() {
        return events.stream()
                .filter(e -> e.type() == HistoryEvent.Type.INVOKE && e.process() >= 0)
                .count();
    }

    /** For each part one linearization; only after {@link #run} found a traced check valid. */
    List<HistoryEvent> linearization() {
        List<HistoryEvent> order = new ArrayList<>();
        for (Judged one : judged) {
            int[] operations = one.outcome() instanceof Fits(int[] o) && o != null ? o : new int[0];
            for (int operation : operations) {
                int completion = one.part().completions()[operation];
                int invocation = one.part().invocations()[operation];
                order.add(events.get(completion < 0 ? invocation : completion));
            }
        }
        return order;
    }

    private List<Judged> judge(List<Part> parts) {
        List<Judged> results = new ArrayList<>();
        alone = parts.size() == 1;
        int threads = Math.min(Runtime.getRuntime().availableProcessors(), parts.size());
        if (threads < 2 || operationCount < PARALLEL_FROM) {
            for (Part part : parts) {
                Outcome outcome = judge(part, meter.gauge());
                results.add(new Judged(part, outcome));
                if (outcome instanceof Impossible) {
                    break;
                }
            }
            return results;
        }
        // The longest first, so that no thread is left alone with it at the end.
        List<Part> longestFirst = new ArrayList<>(parts);
        longestFirst.sort(Comparator.comparingInt(Part::operationCount).reversed());
        try (ExecutorService pool = Executors.newFixedThreadPool(threads, Check::daemon)) {
            List<Future<Outcome>> futures = new ArrayList<>();
            for (Part part : longestFirst) {
                futures.add(pool.submit(() -> judgeUnlessEnough(part)));
            }
            for (int i = 0; i < futures.size(); i++) {
                results.add(new Judged(longestFirst.get(i), futures.get(i).get()));
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Meter.Spent spent) {
                throw spent;
            }
            if (e.getCause() instanceof OutOfMemoryError error) {
                throw error;
            }
            throw new IllegalStateException("the checker failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            meter.stop("time");
            throw new Meter.Spent();
        }
        return results;
    }

    private static Thread daemon(Runnable work) {
        var thread = new Thread(work, "checker");
        thread.setDaemon(true);
        return thread;
    }

    private Outcome judgeUnlessEnough(Part part) {
        if (enough.get()) {
            return new GaveUp(0, 0, 0);
        }
        Outcome outcome = judge(part, meter.gauge());
        if (outcome instanceof Impossible) {
            enough.set(true);
        }
        return outcome;
    }

    Outcome judge(Part part, Meter.Gauge gauge) {
        Outcome outcome = null;
        if (options.shapes()) {
            switch (model.shape()) {
                case REGISTER -> outcome = judgeRegister(part, gauge);
                case GROW_ONLY_SET, APPEND_LIST ->
                        outcome = Stages.judge(part, events, model.shape(), gauge);
                case COUNTER -> outcome = Counters.judge(part, events, gauge);
                case FIFO_QUEUE -> outcome = Queues.judge(part, events, true, gauge);
                case UNORDERED_QUEUE -> outcome = Queues.judge(part, events, false, gauge);
                case LOCK -> outcome = Locks.judge(part, events, gauge);
                case GENERAL -> {}
            }
        }
        if (outcome instanceof Fits(int[] order) && order == null && options.traced()) {
            outcome = null;
        }
        outcome = outcome == null ? judgeGenerally(part, gauge) : outcome;
        meter.judged(part.operationCount());
        gauge.holds(0);
        return outcome;
    }

    /**
     * A violation is an accusation, so where only the reduced search stands behind it, without
     * operations that contradict each other plainly, the general search, which knows nothing of
     * registers, must come to it as well. It need not do so for the whole part, which may be far
     * too wide for it: the smallest sub-history that the explainer finds is impossible only if the
     * whole is. Where there is no confirmation the general search's outcome counts.
     */
    private Outcome confirmed(Part part, Impossible impossible) {
        boolean plain =
                !options.confirms()
                        || !options.shapes()
                        || model.shape() != Model.Shape.REGISTER
                        || impossible.culprits().length > 0;
        if (!explains) {
            if (plain) {
                return UNEXPLAINED;
            }
            Meter quick = meter.within(QUICK_SECONDS, meter.askedBytes() / 2);
            if (generally(part, quick.gauge(), false).outcome() instanceof Impossible) {
                return UNEXPLAINED;
            }
        }
        Accusation accusation = UNEXPLAINED;
        try {
            var explained = new Explainer(this, events, model, part, meter).explain(impossible);
            accusation = new Accusation(explained.why());
            if (plain || explained.confirmed()) {
                return accusation;
            }
        } catch (Meter.Spent | OutOfMemoryError e) {
            // What is certain stays certain without its explanation.
            if (plain) {
                return UNEXPLAINED;
            }
        }
        Outcome general = judgeGenerally(part, meter.gauge());
        return general instanceof Impossible ? accusation : general;
    }

    private Outcome judgeRegister(Part part, Meter.Gauge gauge) {
        RegisterPart register = RegisterPart.of(part, events, gauge);
        if (alone && options.races() && RegisterRace.pays(register)) {
            return RegisterRace.judge(register, options.ways(), meter, gauge);
        }
        var check =
                new RegisterCheck(
                        register, gauge, options.traced(), options.ways(), options.firstWidth());
        Outcome outcome = check.judge();
        if (outcome instanceof Fits(int[] order)
                && order != null
                && !RegisterCheck.replays(register, order)) {
            throw new IllegalStateException(
                    "a linearization that does not replay: " + Arrays.toString(order));
        }
        return outcome;
    }

    private Outcome judgeGenerally(Part part, Meter.Gauge gauge) {
        return generally(part, gauge, options.traced()).outcome();
    }

    /** A search and where it ended. */
    record Walk(Outcome outcome, GeneralSearch search) {}

    /** The general search, in beams that widen until one decides. */
    Walk generally(Part part, Meter.Gauge gauge, boolean traced) {
        int width = options.firstWidth() > 0 ? options.firstWidth() : GENERAL_BEAM;
        while (true) {
            var search = new GeneralSearch(model, gauge, width, traced);
            Outcome outcome = walk(part, search);
            if (!(outcome instanceof Impossible) || !search.dropped()) {
                return new Walk(outcome, search);
            }
            width = width > 1 << 22 ? 0 : width * 8;
        }
    }

    private Outcome walk(Part part, GeneralSearch search) {
        int[] partEvents = part.events();
        for (int i = 0; i < partEvents.length; i++) {
            int operation = partEvents[i] >> 1;
            if ((partEvents[i] & 1) == 0) {
                long returnPosition =
                        part.crashed(operation)
                                ? GeneralSearch.CRASHED
                                : part.completions()[operation];
                if (!search.invoke(operation, operation(part, operation), returnPosition)) {
                    return new GaveUp(i, search.openCount(), search.width());
                }
                continue;
            }
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
        return new Fits(search.order());
    }

    Operation operation(Part part, int operation) {
        int completion = part.completions()[operation];
        return Preparation.operation(
                events.get(part.invocations()[operation]),
                completion < 0 ? null : events.get(completion),
                model);
    }

    private String reason(Part part, GaveUp gaveUp) {
        int at = Math.min(gaveUp.atEvent(), part.events().length - 1);
        HistoryEvent event = events.get(eventOf(part, at));
        return "the budget of "
                + meter.what()
                + " ended after "
                + seconds()
                + " s at event "
                + event.index()
                + " ("
                + event.f()
                + " by process "
                + event.process()
                + (part.name() instanceof Value.Nil ? "" : ", key " + part.name())
                + ") with "
                + gaveUp.openCount()
                + " operations open and "
                + gaveUp.width()
                + " configurations wide";
    }

    private String seconds() {
        return String.format(Locale.ROOT, "%.1f", meter.seconds());
    }

    static int eventOf(Part part, int at) {
        int operation = part.events()[at] >> 1;
        return (part.events()[at] & 1) == 0
                ? part.invocations()[operation]
                : part.completions()[operation];
    }

    /** A traced check's verdict and, when it is valid, one order that explains it. */
    record Traced(Verdict verdict, @Nullable List<HistoryEvent> order) {}

    Traced runTraced() {
        Verdict verdict = run();
        return new Traced(verdict, verdict instanceof Verdict.Valid ? linearization() : null);
    }
}
