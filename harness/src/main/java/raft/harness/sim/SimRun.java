package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.model.Models;
import raft.harness.run.Interpreter;
import raft.harness.run.RunRecord;
import raft.harness.workload.Workload;
import raft.harness.workload.Workloads;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One simulated run from scenario to verdict, in memory: the workload under faults with all
 * invariants after every event, then the demands of liveness, then the checker.
 */
public final class SimRun {
    private static final Budget BUDGET = new Budget(Duration.ofSeconds(10), 256L << 20);
    private static final long OPERATION_TIMEOUT_NANOS = 2_000_000_000L;
    private static final long FINAL_PHASE_NANOS = 30_000_000_000L;

    /** Who found something, and nothing, and could not tell. */
    public enum Finder {
        NOBODY,
        INVARIANT,
        CHECKER,
        LIVENESS,
        UNKNOWN;

        /** As printed. */
        public String label() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /**
     * What came of it.
     *
     * @param what the finding in words, "" where there is none
     * @param digest of all events
     * @param simulatedNanos how far virtual time went
     * @param history what clients saw
     * @param coverage what the run reached, null where there was no run
     * @param afterRun whether it came in the phase that follows, which demands liveness
     */
    public record Result(
            Finder finder,
            String what,
            long digest,
            long eventCount,
            long simulatedNanos,
            long operationCount,
            List<HistoryEvent> history,
            @Nullable Coverage coverage,
            boolean afterRun) {
        public boolean failed() {
            return finder == Finder.INVARIANT
                    || finder == Finder.CHECKER
                    || finder == Finder.LIVENESS;
        }

        /** Invariant rule or "checker", to tell one failure from another. */
        public String rule() {
            int from = what.indexOf(": ");
            int to = what.indexOf(": ", from + 2);
            if (to >= 0 && what.substring(0, to).endsWith("stopped by a bug")) {
                // A node that stopped itself names the rule next.
                from = to;
                to = what.indexOf(": ", from + 2);
            }
            return finder.label() + (from < 0 || to < 0 ? "" : " " + what.substring(from + 2, to));
        }
    }

    private SimRun() {}

    /** Runs a scenario. */
    public static Result run(
            Scenario scenario, NodeCode code, SimulatedCluster.@Nullable Trace trace) {
        List<HistoryEvent> events = new ArrayList<>();
        Workload workload = workload(scenario);
        try (SimulatedCluster cluster = code.start(scenario.options())) {
            cluster.trace(trace);
            Interpreter interpreter =
                    new Interpreter(
                            cluster,
                            workload,
                            scenario.plan(),
                            new Interpreter.Options(
                                    scenario.runNanos(),
                                    scenario.concurrency(),
                                    OPERATION_TIMEOUT_NANOS,
                                    FINAL_PHASE_NANOS),
                            events::add,
                            (nanos, statuses) -> {},
                            line -> {},
                            () -> !cluster.brokenInvariants().isEmpty());
            RunRecord record = interpreter.run();
            boolean servedFinally = record.finalReadsDone() == record.finalReadsWanted();
            boolean brokenAfterwards = false;
            if (cluster.brokenInvariants().isEmpty()) {
                cluster.demandLiveness();
                brokenAfterwards = !cluster.brokenInvariants().isEmpty();
            }
            return judge(scenario, cluster, workload, events, servedFinally, brokenAfterwards);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("a simulated run never waits", e);
        }
    }

    private static Result judge(
            Scenario scenario,
            SimulatedCluster cluster,
            Workload workload,
            List<HistoryEvent> events,
            boolean servedFinally,
            boolean brokenAfterwards) {
        Finder finder = Finder.NOBODY;
        String what = "";
        if (!cluster.brokenInvariants().isEmpty()) {
            what = cluster.brokenInvariants().getFirst();
            finder = what.contains(": liveness") ? Finder.LIVENESS : Finder.INVARIANT;
        }
        if (finder != Finder.INVARIANT) {
            HistoryHeader header =
                    new HistoryHeader(
                            HistoryHeader.SCHEMA,
                            "sim",
                            workload.name(),
                            workload.model(),
                            cluster.nodes(),
                            scenario.options().seed());
            Verdict verdict =
                    Checker.check(
                            new History(header, events), Models.named(workload.model()), BUDGET);
            switch (verdict) {
                case Verdict.Valid ignored -> {}
                case Verdict.Violation(long count, Verdict.Explanation explanation) -> {
                    finder = Finder.CHECKER;
                    what = explanation.summary();
                }
                case Verdict.Unknown(long count, String reason) -> {
                    if (finder == Finder.NOBODY) {
                        finder = Finder.UNKNOWN;
                        what = reason;
                    }
                }
            }
        }
        if (finder == Finder.NOBODY && !servedFinally) {
            finder = Finder.LIVENESS;
            what = "liveness: the final reads were not all served";
        }
        return new Result(
                finder,
                what,
                cluster.digest(),
                cluster.eventCount(),
                cluster.nowNanos(),
                events.stream().filter(e -> e.type() == HistoryEvent.Type.INVOKE).count(),
                events,
                cluster.coverage(),
                brokenAfterwards && finder == Finder.INVARIANT);
    }

    private static Workload workload(Scenario scenario) {
        List<Scenario.Step> script = scenario.script();
        Workload drawn =
                Workloads.parse(scenario.workload())
                        .make(scenario.options().seed(), scenario.concurrency(), scenario.rate());
        return script == null ? drawn : new ScriptedWorkload(drawn, script, scenario.concurrency());
    }
}
