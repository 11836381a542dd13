package raft.harness.run;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.cluster.Cluster;
import raft.harness.cluster.SelfChecking;
import raft.harness.history.History;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryReader;
import raft.harness.history.HistoryWriter;
import raft.harness.model.Models;
import raft.harness.nemesis.FaultChoice;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultPlan;
import raft.harness.report.EventLine;
import raft.harness.report.Outcome;
import raft.harness.report.ReportPage;
import raft.harness.report.Results;
import raft.harness.workload.Workload;
import raft.harness.workload.Workloads;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * One run from parameters to results: folder, cluster, interpreter, check, gates.
 *
 * <p>Whatever fails on the way, what was recorded is kept and judged, and the cluster is taken
 * down. A violation found is never hidden by a failure that came after it.
 */
public final class TestRun {
    /** Starts the cluster under test; the folder is where node logs go. */
    @FunctionalInterface
    public interface ClusterStarter {
        /**
         * @throws ClusterException with one sentence that says what to do
         */
        Cluster start(Path runFolder, Consumer<String> progress)
                throws ClusterException, InterruptedException;
    }

    /** The cluster could not be brought up. */
    public static final class ClusterException extends Exception {
        private static final long serialVersionUID = 1;

        public ClusterException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The system that speaks the client protocol of this project. */
    private static final String OUR_PROTOCOL = "raft";

    private static final Duration FINAL_PHASE = Duration.ofSeconds(30);

    private final Parameters parameters;
    private FaultChoice choice;
    private FaultPlan plan;
    private final boolean drawsPlan;
    private final RunFolder folder;
    private final Workload workload;
    private final Consumer<String> progress;
    private final BooleanSupplier stopRequested;
    private final List<String> reasons = new ArrayList<>();
    private boolean failed;
    private RunRecord record = new RunRecord();
    private List<String> brokenInvariants = List.of();
    private List<String> clusterFindings = List.of();
    private List<String> lostWrites = List.of();
    private double secondsToFirstOperation = -1;

    private TestRun(
            Parameters parameters,
            FaultChoice choice,
            @Nullable FaultPlan plan,
            RunFolder folder,
            Consumer<String> progress,
            BooleanSupplier stopRequested) {
        this.parameters = parameters;
        this.choice = choice;
        this.plan = plan == null ? FaultPlan.NONE : plan;
        this.drawsPlan = plan == null;
        this.folder = folder;
        this.workload =
                Workloads.parse(parameters.workload())
                        .make(parameters.seed(), parameters.concurrency(), parameters.rate());
        this.progress = progress;
        this.stopRequested = stopRequested;
    }

    /**
     * Runs a test with a plan that is there already.
     *
     * @see #run(Parameters, FaultChoice, FaultPlan, Path, ClusterStarter, Budget, Consumer,
     *     BooleanSupplier)
     */
    public static Results run(
            Parameters parameters,
            FaultPlan plan,
            Path root,
            ClusterStarter starter,
            Budget budget,
            Consumer<String> progress,
            BooleanSupplier stopRequested)
            throws IOException, InterruptedException {
        return run(
                parameters,
                FaultChoice.ofPlan(plan),
                plan,
                root,
                starter,
                budget,
                progress,
                stopRequested);
    }

    /**
     * Runs a test.
     *
     * @param choice what was asked to be broken, which the gates insist on
     * @param plan null where it is to be drawn from the seed, once it is known what the cluster can
     *     do
     * @param root the folder of all runs, usually histories/
     * @param progress is told in one line at a time what goes on
     * @param stopRequested true ends the run early
     * @return the results, also saved as results.json where the disk allows
     * @throws IOException when not even the run's folder can be made
     */
    public static Results run(
            Parameters parameters,
            FaultChoice choice,
            @Nullable FaultPlan plan,
            Path root,
            ClusterStarter starter,
            Budget budget,
            Consumer<String> progress,
            BooleanSupplier stopRequested)
            throws IOException, InterruptedException {
        RunFolder folder =
                RunFolder.create(
                        root,
                        Workloads.parse(parameters.workload()).name(),
                        parameters.seed(),
                        Instant.now());
        folder.save("test.json", parameters);
        TestRun run = new TestRun(parameters, choice, plan, folder, progress, stopRequested);
        folder.save("plan.json", PlanFile.document(run.plan, null));
        run.work(starter);
        return run.judge(Files.exists(folder.historyFile()), budget);
    }

    /** Brings up, runs, takes down. Whatever fails becomes a reason; what was recorded stays. */
    private void work(ClusterStarter starter) throws InterruptedException {
        try (Cluster cluster = starter.start(folder.path(), progress)) {
            if (drawsPlan) {
                drawPlan(cluster);
            }
            HistoryHeader header =
                    new HistoryHeader(
                            HistoryHeader.SCHEMA,
                            parameters.run(),
                            workload.name(),
                            workload.model(),
                            cluster.nodes(),
                            parameters.seed());
            try (HistoryWriter history = new HistoryWriter(folder.historyFile(), header)) {
                interpret(cluster, history);
            }
        } catch (ClusterException e) {
            fail(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            historyFailed(e);
        } catch (Interpreter.RecordingFailedException e) {
            historyFailed(e.failure());
        } catch (RuntimeException e) {
            fail("the harness failed: " + e);
        } finally {
            try {
                folder.save("plan.json", PlanFile.document(plan, record));
            } catch (IOException e) {
                fail("plan.json could not be written: " + e.getMessage());
            }
        }
    }

    /** What the cluster cannot do is left out, and said, where nobody insisted on it. */
    private void drawPlan(Cluster cluster) throws IOException {
        Map<FaultKind, String> impossible = cluster.impossible();
        for (FaultChoice.Request request : choice.requests()) {
            if (impossible.keySet().containsAll(request.kinds())) {
                String reason = impossible.get(request.kinds().iterator().next());
                progress.accept(request.label() + " faults are not possible here: " + reason);
            }
        }
        choice = choice.within(impossible.keySet());
        plan =
                FaultPlan.generate(
                        parameters.seed(),
                        Stream.concat(cluster.nodes().stream(), cluster.spares().stream()).toList(),
                        choice,
                        parameters.timeMillis());
        folder.save("plan.json", PlanFile.document(plan, null));
    }

    private void historyFailed(IOException cause) {
        fail(cause.getMessage() + "; make room, or choose another folder with --histories");
    }

    private void interpret(Cluster cluster, HistoryWriter history) throws InterruptedException {
        try (var watch = new LiveWatch(Models.named(workload.model()), progress)) {
            interpret(
                    cluster,
                    event -> {
                        history.append(event);
                        watch.accept(event);
                    });
        }
    }

    private void interpret(Cluster cluster, Interpreter.EventLog history)
            throws InterruptedException {
        Interpreter interpreter =
                new Interpreter(
                        cluster,
                        workload,
                        plan,
                        new Interpreter.Options(
                                parameters.timeMillis() * 1_000_000,
                                parameters.concurrency(),
                                parameters.operationTimeoutMillis() * 1_000_000,
                                FINAL_PHASE.toNanos()),
                        history,
                        new StatusSamples(folder.path(), cluster::utcMillis)::observed,
                        progress,
                        () -> stopRequested.getAsBoolean() || !findings(cluster).isEmpty());
        record = interpreter.record();
        secondsToFirstOperation = secondsSinceProcessStart();
        try {
            interpreter.run();
        } finally {
            clusterFindings =
                    Stream.concat(findings(cluster).stream(), cluster.crashes().stream()).toList();
        }
        if (stopRequested.getAsBoolean()) {
            fail("the run was interrupted; what was recorded until then was judged");
        }
    }

    private static List<String> findings(Cluster cluster) {
        return cluster instanceof SelfChecking checked ? checked.brokenInvariants() : List.of();
    }

    /** What a person waits for, the JVM's own start included; -1 where the system does not tell. */
    private static double secondsSinceProcessStart() {
        return ProcessHandle.current()
                .info()
                .startInstant()
                .map(start -> Duration.between(start, Instant.now()).toMillis() / 1e3)
                .orElse(-1.0);
    }

    private void fail(String reason) {
        failed = true;
        reasons.add(reason);
    }

    private Results judge(boolean recorded, Budget budget) {
        if (record.invokedCount() > 0) {
            progress.accept("checking " + record.invokedCount() + " operations");
        }
        long startNanos = System.nanoTime();
        Verdict verdict = recorded ? check(budget) : new Verdict.Unknown(0, "nothing was recorded");
        double checkSeconds = (System.nanoTime() - startNanos) / 1e9;
        brokenInvariants =
                Stream.of(clusterFindings, nodesFindings(), lostWrites, differentStates())
                        .flatMap(List::stream)
                        .toList();
        List<Gate> gates =
                recorded
                        ? Gate.judge(
                                record,
                                workload.functions(),
                                choice,
                                parameters.rate(),
                                parameters.concurrency(),
                                parameters.nodes())
                        : List.of();
        Results results = results(verdict, outcome(verdict, gates), gates, checkSeconds);
        try {
            folder.save("results.json", results);
        } catch (IOException e) {
            progress.accept("results.json could not be written: " + e.getMessage());
        }
        writePage();
        return results;
    }

    /** The page is a view of what is saved already: nothing that fails here changes a verdict. */
    private void writePage() {
        try {
            ReportPage.write(folder.path());
        } catch (IOException | RuntimeException e) {
            progress.accept(
                    ReportPage.FILE
                            + " could not be written ("
                            + e.getMessage()
                            + "); './raft history open "
                            + folder.path().getFileName()
                            + "' tries again");
        }
    }

    private Verdict check(Budget budget) {
        try {
            History history = HistoryReader.read(folder.historyFile());
            // Other systems' places in their logs may mean something else.
            lostWrites =
                    parameters.system().equals(OUR_PROTOCOL)
                            ? Acknowledged.lost(history)
                            : List.of();
            return Checker.check(history, Models.named(workload.model()), budget);
        } catch (IOException e) {
            fail("the history could not be read back: " + e.getMessage());
            return new Verdict.Unknown(0, "the history could not be read back");
        }
    }

    private List<String> differentStates() {
        FinalStates states = record.finalStates();
        String difference = states == null ? null : states.difference();
        return difference == null ? List.of() : List.of(difference);
    }

    private List<String> nodesFindings() {
        try {
            return NodeLogs.findings(folder.path());
        } catch (IOException | UncheckedIOException e) {
            fail("the nodes' logs could not be read: " + e.getMessage());
            return List.of();
        }
    }

    /** 1 wins, then 255, then 2: a violation is a fact whatever else went wrong. */
    private Outcome outcome(Verdict verdict, List<Gate> gates) {
        reasons.addAll(brokenInvariants);
        if (verdict instanceof Verdict.Violation || !brokenInvariants.isEmpty()) {
            return Outcome.VIOLATION;
        }
        if (failed) {
            return Outcome.ERROR;
        }
        if (verdict instanceof Verdict.Unknown unknown) {
            reasons.add(unknown.reason());
            return Outcome.UNKNOWN;
        }
        return gates.stream().allMatch(Gate::passed)
                ? Outcome.VALID
                : Outcome.INSUFFICIENT_EVIDENCE;
    }

    private Results results(
            Verdict verdict, Outcome outcome, List<Gate> gates, double checkSeconds) {
        Verdict.Explanation explanation =
                verdict instanceof Verdict.Violation violation ? violation.explanation() : null;
        return new Results(
                outcome.label(),
                record.invokedCount(),
                record.totalNanos() / 1e9,
                secondsToFirstOperation,
                folder.path().toString(),
                explanation == null ? null : explanation.summary(),
                explanation == null
                        ? null
                        : explanation.events().stream().map(EventLine::of).toList(),
                List.copyOf(reasons),
                switch (verdict) {
                    case Verdict.Valid ignored -> "valid";
                    case Verdict.Violation ignored -> "violation";
                    case Verdict.Unknown unknown ->
                            unknown.operationCount() == 0 ? "not-checked" : "unknown";
                },
                checkSeconds,
                gates.stream()
                        .map(
                                gate ->
                                        new Results.GateResult(
                                                gate.name(), gate.passed(), gate.words()))
                        .toList(),
                counts(),
                new TreeMap<>(record.errors()),
                record.overlappedShare(),
                record.faults().stream().map(TestRun::faultResult).toList(),
                record.leaderChanges().stream()
                        .map(
                                change ->
                                        new Results.LeaderResult(
                                                millis(change.timeNanos()),
                                                change.leader(),
                                                change.term()))
                        .toList(),
                new Results.Availability(
                        millis(record.firstOkNanos()),
                        millis(record.longestUnavailableNanos()),
                        millis(record.recoveryNanos())),
                parameters.repeat());
    }

    private Map<String, Map<String, Long>> counts() {
        Map<String, Map<String, Long>> counts = new LinkedHashMap<>();
        record.counts()
                .forEach(
                        (f, byType) -> {
                            Map<String, Long> byOutcome = new LinkedHashMap<>();
                            byType.forEach(
                                    (type, count) ->
                                            byOutcome.put(
                                                    type.name().toLowerCase(Locale.ROOT), count));
                            counts.put(f, byOutcome);
                        });
        return counts;
    }

    private static Results.FaultResult faultResult(RunRecord.FaultRecord fault) {
        return new Results.FaultResult(
                fault.planned.id(),
                fault.planned.kind().label(),
                fault.resolved.action().toString(),
                fault.leaderBefore,
                millis(fault.askedNanos),
                millis(fault.installedNanos),
                millis(fault.healAskedNanos),
                millis(fault.healedNanos),
                status(fault.injected),
                fault.injected == null ? List.of() : fault.injected.evidence(),
                status(fault.healed),
                fault.healed == null ? List.of() : fault.healed.evidence(),
                millis(fault.longestUnavailableNanos),
                millis(fault.recoveryNanos));
    }

    private static String status(@Nullable FaultOutcome outcome) {
        return outcome == null ? "never" : outcome.status().name().toLowerCase(Locale.ROOT);
    }

    private static long millis(long nanos) {
        return nanos < 0 ? -1 : nanos / 1_000_000;
    }
}
