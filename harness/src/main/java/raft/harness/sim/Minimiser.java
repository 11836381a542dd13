package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.nemesis.FaultPlan;
import raft.harness.nemesis.PlannedFault;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Makes a failing scenario smaller by delta debugging (Zeller, Hildebrandt 2002): leaves out
 * faults, troubles, operations and nodes, shortens what is left, and keeps each change after which
 * the same rule still breaks.
 */
public final class Minimiser {
    private static final long SHORTEST_NANOS = 200_000_000L;

    private final NodeCode code;
    private final String rule;
    private final boolean afterRun;
    private final long deadlineNanos;
    private final Consumer<String> progress;
    private int tryCount;

    /**
     * @param failure what must still happen: the same finder and the same rule, and not only in the
     *     phase after the run, where nobody can go to look at it
     * @param seconds of real time to spend at most
     */
    public Minimiser(NodeCode code, SimRun.Result failure, int seconds, Consumer<String> progress) {
        this.code = code;
        this.rule = failure.rule();
        this.afterRun = failure.afterRun();
        this.deadlineNanos = System.nanoTime() + seconds * 1_000_000_000L;
        this.progress = progress;
    }

    /** Counts in words. */
    public static String size(Scenario scenario) {
        List<Scenario.Step> script = scenario.script();
        return scenario.options().nodeCount()
                + " nodes, "
                + scenario.plan().faults().size()
                + " faults, "
                + (script == null ? "drawn" : script.size())
                + " operations, "
                + scenario.runNanos() / 1_000_000
                + " ms";
    }

    /** The smallest scenario found that still fails in the same way. */
    public Scenario minimise(Scenario scenario) {
        Scenario small = shorterRun(cutBehind(scripted(scenario)));
        small = attempt(small, small.with(small.options().calm()));
        for (UnaryOperator<SimOptions> calming : SimOptions.calmings()) {
            // Each on top of what was calmed so far.
            small = attempt(small, small.with(calming.apply(small.options())));
        }
        small = fewerKeysAndProcesses(small);
        String before;
        do {
            before = size(small);
            small = fewerFaults(small);
            small = fewerOperations(small);
            small = shorterFaults(small);
            small = fewerNodes(small);
            small = shorterRun(small);
            progress.accept(size(small) + " after " + tryCount + " runs");
        } while (!size(small).equals(before) && inTime());
        return small;
    }

    private boolean inTime() {
        return System.nanoTime() < deadlineNanos;
    }

    private boolean fails(Scenario scenario) {
        tryCount++;
        try {
            SimRun.Result result = SimRun.run(scenario, code, null);
            return result.failed()
                    && result.rule().equals(rule)
                    && (afterRun || !result.afterRun());
        } catch (RuntimeException e) {
            return false;
        }
    }

    private Scenario attempt(Scenario now, @Nullable Scenario smaller) {
        return smaller != null && inTime() && fails(smaller) ? smaller : now;
    }

    /** With its operations written out, and without what came after the failure. */
    private Scenario scripted(Scenario scenario) {
        SimRun.Result result = SimRun.run(scenario, code, null);
        if (scenario.script() != null) {
            return scenario;
        }
        List<Scenario.Step> script = new ArrayList<>();
        for (HistoryEvent event : result.history()) {
            if (event.type() == HistoryEvent.Type.INVOKE
                    && event.process() != HistoryEvent.NEMESIS
                    && event.timeNanos() < scenario.runNanos()) {
                script.add(
                        new Scenario.Step(
                                event.timeNanos(),
                                event.process() % scenario.concurrency(),
                                event.f(),
                                event.key(),
                                event.value()));
            }
        }
        Scenario written = scenario.with(script);
        return fails(written) ? written : scenario;
    }

    /** What begins only after the failure had no part in it. */
    private Scenario cutBehind(Scenario now) {
        SimRun.Result result = SimRun.run(now, code, null);
        long end = Math.min(now.runNanos(), result.simulatedNanos() + 1);
        List<PlannedFault> begun =
                now.plan().faults().stream()
                        .filter(fault -> fault.startMillis() * 1_000_000 <= end)
                        .toList();
        return attempt(now, now.lasting(end).with(new FaultPlan(begun)));
    }

    /** Whole keys and whole processes go before single operations are looked at. */
    private Scenario fewerKeysAndProcesses(Scenario now) {
        List<Scenario.Step> script = now.script();
        if (script == null) {
            return now;
        }
        Scenario small = attempt(now, now.with(List.<Scenario.Step>of()));
        if (!small.equals(now)) {
            return small;
        }
        List<Value> keys = script.stream().map(Scenario.Step::key).distinct().toList();
        List<Value> keptKeys =
                reduce(keys, some -> now.with(only(script, Scenario.Step::key, some)));
        List<Scenario.Step> ofKeys = only(script, Scenario.Step::key, keptKeys);
        List<Long> processes = ofKeys.stream().map(Scenario.Step::process).distinct().toList();
        List<Long> kept =
                reduce(processes, some -> now.with(only(ofKeys, Scenario.Step::process, some)));
        return now.with(only(ofKeys, Scenario.Step::process, kept));
    }

    private static <T> List<Scenario.Step> only(
            List<Scenario.Step> script, Function<Scenario.Step, T> of, List<T> kept) {
        return script.stream().filter(step -> kept.contains(of.apply(step))).toList();
    }

    private Scenario fewerFaults(Scenario now) {
        List<PlannedFault> kept =
                reduce(now.plan().faults(), faults -> now.with(new FaultPlan(faults)));
        return now.with(new FaultPlan(kept));
    }

    private Scenario shorterFaults(Scenario now) {
        Scenario small = now;
        for (int i = 0; i < small.plan().faults().size(); i++) {
            List<PlannedFault> faults = new ArrayList<>(small.plan().faults());
            PlannedFault fault = faults.get(i);
            long half = (fault.endMillis() - fault.startMillis()) / 2;
            if (half < 10) {
                continue;
            }
            faults.set(i, fault.at(fault.startMillis(), fault.startMillis() + half));
            small = attempt(small, small.with(new FaultPlan(faults)));
        }
        return small;
    }

    private Scenario fewerOperations(Scenario now) {
        List<Scenario.Step> script = now.script();
        return script == null ? now : now.with(reduce(script, steps -> now.with(steps)));
    }

    private Scenario fewerNodes(Scenario now) {
        Scenario small = now;
        for (int count = small.options().nodeCount() - 1; count >= 3; count--) {
            SimOptions options = small.options().withNodes(count);
            List<String> members = Scenario.members(options);
            List<PlannedFault> faults =
                    small.plan().faults().stream()
                            .map(
                                    fault ->
                                            fault.among(
                                                    fault.order().stream()
                                                            .filter(members::contains)
                                                            .toList()))
                            .toList();
            small = attempt(small, small.with(options).with(new FaultPlan(faults)));
        }
        return small;
    }

    private Scenario shorterRun(Scenario now) {
        Scenario small = now;
        long fine = 0;
        // Not monotone, so the search may miss a shorter one; it never ends with one that holds.
        while (small.runNanos() - fine > SHORTEST_NANOS && inTime()) {
            Scenario shorter = small.lasting((fine + small.runNanos()) / 2);
            if (fails(shorter)) {
                small = shorter;
            } else {
                fine = shorter.runNanos();
            }
        }
        return small;
    }

    /** ddmin: ever smaller parts are left out as long as the rest still fails. */
    private <T> List<T> reduce(List<T> items, Function<List<T>, Scenario> scenario) {
        List<T> kept = items;
        int parts = 2;
        while (!kept.isEmpty() && inTime()) {
            int chunk = Math.max(1, (kept.size() + parts - 1) / parts);
            boolean smaller = false;
            for (int from = 0; from < kept.size() && inTime(); from += chunk) {
                List<T> rest = new ArrayList<>(kept.subList(0, from));
                rest.addAll(kept.subList(Math.min(kept.size(), from + chunk), kept.size()));
                if (fails(scenario.apply(rest))) {
                    kept = rest;
                    smaller = true;
                    from -= chunk;
                }
            }
            if (chunk == 1 && !smaller) {
                break;
            }
            parts = smaller ? Math.max(2, parts - 1) : parts * 2;
        }
        return kept;
    }
}
