package raft.harness.run;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Chronicle;
import raft.harness.cluster.Cluster;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.NodeStatus;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultPlan;
import raft.harness.nemesis.PlannedFault;
import raft.harness.nemesis.Trigger;
import raft.harness.nemesis.View;
import raft.harness.workload.Operation;
import raft.harness.workload.Workload;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The one loop that runs a test: it alone asks the workload, starts operations and faults, and
 * writes the history.
 *
 * <p>Being the only sequencer it makes the history a total order: an invocation's line is written
 * before the cluster is asked, a completion's line after the answer is there, so no recorded
 * interval is narrower than the real one. It neither sleeps nor reads a clock of its own; {@link
 * Cluster#poll} does both, which lets a simulated cluster run the same loop in virtual time.
 *
 * <p>Phases: the workload under faults; heal; a final read of every key, tried again until it
 * succeeds or its time is up.
 */
public final class Interpreter {
    private static final long OBSERVE_EVERY_NANOS = 500_000_000L;

    /** While a fault waits for something to be seen, the nodes are asked more often. */
    private static final long OBSERVE_ARMED_NANOS = 50_000_000L;

    private static final long PROGRESS_EVERY_NANOS = 5_000_000_000L;

    /** A member that fell behind has this long to catch up with the others at the end. */
    private static final long STATES_PATIENCE_NANOS = 10_000_000_000L;

    private static final long FAULT_PATIENCE_NANOS = 60_000_000_000L;

    /**
     * @param runNanos how long the workload works
     * @param concurrency processes at a time
     * @param operationTimeoutNanos after which a client stops waiting
     * @param finalPhaseNanos longest time for the final reads after the heal
     */
    public record Options(
            long runNanos, int concurrency, long operationTimeoutNanos, long finalPhaseNanos) {}

    /** Takes the history, line by line. */
    @FunctionalInterface
    public interface EventLog {
        /** Returns when the event is kept. */
        void append(HistoryEvent event) throws IOException;
    }

    /** Takes what the nodes said of themselves, each time they were asked. */
    @FunctionalInterface
    public interface Observer {
        /**
         * @param timeNanos since the workload began
         */
        void observed(long timeNanos, List<NodeStatus> nodes) throws IOException;
    }

    /** What happens can no longer be recorded, so nothing more may be done. */
    public static final class RecordingFailedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final IOException failure;

        RecordingFailedException(IOException failure) {
            super(failure);
            this.failure = failure;
        }

        /** What the file system said. */
        public IOException failure() {
            return failure;
        }
    }

    private final Cluster cluster;
    private final Workload workload;
    private final Options options;
    private final EventLog history;
    private final RunRecord record;
    private final Consumer<String> progress;
    private final BooleanSupplier stopRequested;
    private final Observer observer;

    private final Chronicle chronicle = new Chronicle();
    private long startNanos;

    /** Processes with nothing outstanding. */
    private final TreeSet<Long> freeProcesses = new TreeSet<>();

    private final Map<Long, HistoryEvent> outstanding = new HashMap<>();

    // Faults by id, in the stages of their life.
    private final ArrayDeque<PlannedFault> waiting;

    /** Their time has come, what triggers them has not. The term is the newest known then. */
    private final Map<PlannedFault, Long> armed = new LinkedHashMap<>();

    /** When each fault in force is to end, by id. */
    private final Map<Long, Long> endMillis = new HashMap<>();

    private final Map<Long, PlannedFault> installing = new TreeMap<>();
    private final Map<Long, PlannedFault> inForce = new TreeMap<>();
    private final Map<Long, PlannedFault> healing = new TreeMap<>();
    private final Map<Long, ActiveFault> active = new HashMap<>();

    private @Nullable String leader;
    private long leaderTerm;
    private long newestTerm;
    private long newestCommitIndex;
    private List<String> voters = List.of();
    private boolean observing;
    private long nextObserveNanos;
    private long nextProgressNanos;

    /**
     * @param stopRequested asked often; true ends the run early, with everything recorded so far
     *     kept
     * @param progress is told now and then, in one line, how far things are
     */
    public Interpreter(
            Cluster cluster,
            Workload workload,
            FaultPlan plan,
            Options options,
            EventLog history,
            Observer observer,
            Consumer<String> progress,
            BooleanSupplier stopRequested) {
        this.cluster = cluster;
        this.workload = workload;
        this.options = options;
        this.history = history;
        this.observer = observer;
        this.record = new RunRecord();
        this.progress = progress;
        this.stopRequested = stopRequested;
        this.waiting = new ArrayDeque<>(plan.faults());
        for (long process = 0; process < options.concurrency; process++) {
            freeProcesses.add(process);
        }
    }

    /**
     * Runs all phases.
     *
     * @return what was seen, also after an early stop
     * @throws RecordingFailedException when the history cannot be written; what was written stays
     *     readable
     */
    public RunRecord run() throws InterruptedException {
        startNanos = cluster.nowNanos();
        runWorkload();
        record.workloadNanos = now();
        if (!stopRequested.getAsBoolean()) {
            endFaults();
            readEverything();
            compareStates();
        }
        drain(now() + patienceNanos(retry()) + 1_000_000_000L);
        record.ended(now());
        return record;
    }

    /**
     * What was seen so far; complete once {@link #run} has returned, still useful when it has
     * thrown.
     */
    public RunRecord record() {
        return record;
    }

    // ---- Phases ----

    private void runWorkload() throws InterruptedException {
        while (now() < options.runNanos && !stopRequested.getAsBoolean()) {
            long wakeNanos = Math.min(options.runNanos, faults());
            wakeNanos = Math.min(wakeNanos, look());
            Workload.Next next = workload.next(now(), List.copyOf(freeProcesses));
            switch (next) {
                case Workload.Next.Do(long process, Operation operation) -> {
                    invoke(process, operation);
                    take(now());
                }
                case Workload.Next.WaitUntil(long nanos) -> take(Math.min(wakeNanos, nanos));
            }
        }
    }

    /**
     * Every fault is taken back and looked at once more before anything is read for the last time.
     * Those of membership come last, as they need a cluster that works. What only the nodes' own
     * answers can prove, and another fault kept them from answering in its time, is asked again.
     */
    private void endFaults() throws InterruptedException {
        waiting.clear();
        armed.clear();
        takeBack(fault -> !isOfMembership(fault));
        for (RunRecord.FaultRecord fault : record.faults()) {
            if (isProvenByAnswers(fault.planned) && fault.wasLeftInForce()) {
                inForce.put(fault.planned.id(), fault.planned);
            }
        }
        takeBack(fault -> true);
        cluster.healAll();
        record.healedNanos = now();
    }

    private static boolean isOfMembership(PlannedFault fault) {
        return fault.kind().family() == FaultKind.Family.MEMBERSHIP;
    }

    /**
     * A frozen node does not tell its clock, nor do nodes without a leader who their members are.
     */
    private static boolean isProvenByAnswers(PlannedFault fault) {
        return isOfMembership(fault) || fault.kind().family() == FaultKind.Family.CLOCK;
    }

    private void takeBack(Predicate<PlannedFault> which) throws InterruptedException {
        long deadlineNanos = now() + FAULT_PATIENCE_NANOS;
        while (Stream.of(installing, inForce, healing)
                        .flatMap(stage -> stage.values().stream())
                        .anyMatch(which)
                && now() < deadlineNanos) {
            for (PlannedFault fault : List.copyOf(inForce.values())) {
                if (which.test(fault)) {
                    heal(fault);
                }
            }
            look();
            take(Math.min(deadlineNanos, now() + OBSERVE_EVERY_NANOS));
        }
    }

    /** Final operations are tried again until they succeed, and may lead to further ones. */
    private void readEverything() throws InterruptedException {
        ArrayDeque<FinalOperation> todo = new ArrayDeque<>();
        workload.finalOperations().forEach(operation -> plan(operation, todo));
        Map<Long, FinalOperation> underWay = new HashMap<>();
        long deadlineNanos = now() + options.finalPhaseNanos;
        long pauseUntilNanos = 0;
        record.finalReadsWanted = todo.size();
        while (record.finalReadsDone < record.finalReadsWanted
                && now() < deadlineNanos
                && !stopRequested.getAsBoolean()) {
            while (!todo.isEmpty() && !freeProcesses.isEmpty() && now() >= pauseUntilNanos) {
                long process = freeProcesses.first();
                FinalOperation next = todo.removeFirst();
                underWay.put(process, next);
                invoke(process, next.operation, next.node == null ? node(process) : next.node);
            }
            look();
            HistoryEvent ended = take(Math.min(deadlineNanos, now() + 100_000_000L));
            FinalOperation tried = ended == null ? null : underWay.remove(ended.process());
            if (ended == null || tried == null) {
                continue;
            }
            if (ended.type() == Type.OK) {
                record.finalReadsDone++;
                for (Operation more : workload.finalContinuation(ended)) {
                    record.finalReadsWanted++;
                    todo.addLast(new FinalOperation(more, tried.node));
                }
            } else {
                todo.addLast(
                        ended.type() == Type.INFO
                                ? new FinalOperation(
                                        workload.finalAgain(tried.operation), tried.node)
                                : tried);
                // A cluster that is still electing refuses at once; asking it a thousand times a
                // second would not help.
                pauseUntilNanos = now() + 100_000_000L;
            }
        }
    }

    /**
     * Looks at the members until all have applied the same log, as they soon must when nobody
     * writes any more. Nodes that do not tell their state are not waited for.
     */
    private void compareStates() throws InterruptedException {
        long deadlineNanos = now() + STATES_PATIENCE_NANOS;
        long lookedBefore = record.observationCount();
        while (now() < deadlineNanos && !stopRequested.getAsBoolean()) {
            if (record.observationCount() > lookedBefore) {
                FinalStates states = new FinalStates(record.lastStatus(), cluster.nodes());
                record.compared(states);
                if (!states.isTold() || states.isComplete()) {
                    return;
                }
                lookedBefore = record.observationCount();
            }
            nextObserveNanos = Math.min(nextObserveNanos, now() + OBSERVE_ARMED_NANOS);
            long wakeNanos = look();
            take(Math.min(deadlineNanos, wakeNanos));
        }
    }

    /**
     * @param node whom to ask, null for the one that the process is bound to
     */
    private record FinalOperation(Operation operation, @Nullable String node) {}

    private void plan(Operation operation, ArrayDeque<FinalOperation> todo) {
        if (workload.finalPhaseAsksEveryNode()) {
            cluster.nodes().forEach(node -> todo.add(new FinalOperation(operation, node)));
        } else {
            todo.add(new FinalOperation(operation, null));
        }
    }

    /**
     * Waits for what is outstanding; what does not come in time stays an invocation without
     * completion, which is "info".
     */
    private void drain(long deadlineNanos) throws InterruptedException {
        while (!outstanding.isEmpty() && now() < deadlineNanos) {
            take(deadlineNanos);
        }
    }

    // ---- Clients ----

    private void invoke(long process, Operation operation) {
        invoke(process, operation, node(process));
    }

    /** The node that a process is bound to. */
    private String node(long process) {
        List<String> nodes = cluster.nodes();
        return nodes.get((int) (process % options.concurrency % nodes.size()));
    }

    private void invoke(long process, Operation operation, String node) {
        freeProcesses.remove(process);
        Invocation.Retry retry = retry(operation);
        Invocation asked =
                new Invocation(
                        process,
                        node,
                        operation.f(),
                        operation.key(),
                        operation.value(),
                        patienceNanos(retry),
                        retry);
        HistoryEvent event = write(chronicle.invoked(asked, now()));
        outstanding.put(process, event);
        record.invoked(operation.f(), outstanding.size());
        cluster.invoke(asked);
    }

    private long patienceNanos(Invocation.Retry retry) {
        int attempts = retry == Invocation.Retry.NEVER ? 1 : Invocation.ATTEMPTS;
        return options.operationTimeoutNanos * attempts;
    }

    /** A read that nobody answered has failed, and nothing is lost by that. */
    private Invocation.Retry retry(Operation operation) {
        return operation.f().equals("read") ? Invocation.Retry.NEVER : retry();
    }

    private Invocation.Retry retry() {
        return switch (workload.retry()) {
            case NEVER -> Invocation.Retry.NEVER;
            case IN_SESSION -> Invocation.Retry.IN_SESSION;
            case BLINDLY -> Invocation.Retry.BLINDLY;
        };
    }

    private HistoryEvent operationEnded(Completion.Operation ended) {
        Invocation asked = ended.invocation();
        HistoryEvent event = write(chronicle.ended(ended, now()));
        HistoryEvent invocation = outstanding.remove(asked.process());
        if (invocation == null) {
            throw new IllegalStateException(
                    "process " + asked.process() + " completed what it had not begun: " + ended);
        }
        // After "info" the process may still be at it for ever, so its thread goes on under a new
        // name.
        freeProcesses.add(
                ended.type() == Type.INFO
                        ? asked.process() + options.concurrency
                        : asked.process());
        record.completed(event, invocation);
        workload.completed(event);
        return event;
    }

    // ---- Faults ----

    /** Starts and ends what is due; returns when to look again. */
    private long faults() {
        long nowMillis = now() / 1_000_000;
        while (!waiting.isEmpty() && waiting.peekFirst().startMillis() <= nowMillis) {
            PlannedFault fault = waiting.removeFirst();
            if (fault.trigger() instanceof Trigger.Time) {
                inject(fault, fault.endMillis());
            } else {
                armed.put(fault, newestTerm);
            }
        }
        for (Map.Entry<PlannedFault, Long> entry : List.copyOf(armed.entrySet())) {
            PlannedFault fault = entry.getKey();
            if (isTriggered(fault.trigger(), entry.getValue())) {
                armed.remove(fault);
                inject(fault, nowMillis + fault.durationMillis());
            }
        }
        long nextMillis =
                waiting.isEmpty() ? Long.MAX_VALUE / 1_000_000 : waiting.peekFirst().startMillis();
        for (PlannedFault fault : List.copyOf(inForce.values())) {
            long endsMillis = endMillis.getOrDefault(fault.id(), fault.endMillis());
            if (endsMillis <= nowMillis) {
                heal(fault);
            } else {
                nextMillis = Math.min(nextMillis, endsMillis);
            }
        }
        return nextMillis * 1_000_000;
    }

    private boolean isTriggered(Trigger trigger, long termWhenArmed) {
        return switch (trigger) {
            case Trigger.Time ignored -> true;
            case Trigger.LeaderElected ignored -> leader != null && leaderTerm > termWhenArmed;
            case Trigger.LogIndex(long index) -> newestCommitIndex >= index;
        };
    }

    private void inject(PlannedFault fault, long endsMillis) {
        ActiveFault resolved =
                new ActiveFault(
                        fault.id(), fault.kind().label(), fault.resolve(new View(leader, voters)));
        endMillis.put(fault.id(), endsMillis);
        active.put(fault.id(), resolved);
        installing.put(fault.id(), fault);
        record.faultAsked(fault, resolved, leader, leaderTerm, now());
        write(chronicle.faultAsked(resolved, true, now()));
        cluster.inject(resolved);
    }

    private void heal(PlannedFault fault) {
        ActiveFault resolved = activeFault(fault.id());
        inForce.remove(fault.id());
        healing.put(fault.id(), fault);
        record.healAsked(fault.id(), leaderTerm, now());
        write(chronicle.faultAsked(resolved, false, now()));
        cluster.heal(resolved);
    }

    private void faultChanged(Completion.FaultChange change) {
        ActiveFault resolved = activeFault(change.faultId());
        write(chronicle.faultChanged(resolved, change.injected(), change.outcome(), now()));
        PlannedFault fault = (change.injected() ? installing : healing).remove(change.faultId());
        if (fault == null) {
            throw new IllegalStateException("nobody asked for " + change);
        }
        record.faultChanged(change, now());
        if (change.injected()) {
            // Also what is not proven may be half in force, so it is taken back like the others.
            inForce.put(fault.id(), fault);
            // Containers take up to a second to freeze or cut and to prove it. A short fault would
            // be
            // over before it had done anything.
            endMillis.merge(fault.id(), now() / 1_000_000 + fault.durationMillis() / 2, Math::max);
        }
    }

    private ActiveFault activeFault(long id) {
        ActiveFault fault = active.get(id);
        if (fault == null) {
            throw new IllegalStateException("fault " + id + " was never injected");
        }
        return fault;
    }

    // ---- Looking at the nodes ----

    /**
     * Asks for the nodes' status now and then, and tells the user how far things are; returns when
     * to come again.
     */
    private long look() {
        if (!observing && now() >= nextObserveNanos) {
            observing = true;
            nextObserveNanos =
                    now() + (armed.isEmpty() ? OBSERVE_EVERY_NANOS : OBSERVE_ARMED_NANOS);
            cluster.observe();
        }
        if (now() >= nextProgressNanos) {
            nextProgressNanos = now() + PROGRESS_EVERY_NANOS;
            progress.accept(progressLine());
        }
        return observing ? nextProgressNanos : Math.min(nextObserveNanos, nextProgressNanos);
    }

    private String progressLine() {
        List<String> faults = new ArrayList<>();
        inForce.values().forEach(fault -> faults.add(activeFault(fault.id()).kind()));
        // Fits 80 columns with one fault in force.
        return String.format(
                "%3d s  %d ok %d failed %d unknown  %s  %s",
                now() / 1_000_000_000,
                record.count(Type.OK),
                record.count(Type.FAIL),
                record.count(Type.INFO),
                leader == null ? "no leader" : leader + " leads term " + leaderTerm,
                faults.isEmpty() ? "no fault" : String.join(", ", faults));
    }

    private void observed(List<NodeStatus> nodes) {
        observing = false;
        record.observed(now(), nodes);
        try {
            observer.observed(now(), nodes);
        } catch (IOException e) {
            throw new RecordingFailedException(e);
        }
        leader = null;
        leaderTerm = 0;
        long votersKnownAt = -1;
        for (NodeStatus node : nodes) {
            newestTerm = Math.max(newestTerm, node.term());
            newestCommitIndex = Math.max(newestCommitIndex, node.commitIndex());
            // Whoever has committed most knows the newest committed configuration.
            if (!node.voters().isEmpty() && node.commitIndex() > votersKnownAt) {
                votersKnownAt = node.commitIndex();
                voters = node.voters();
            }
            // A deposed leader may still believe in itself; the one of the highest term is right.
            if (node.isLeader() && node.term() > leaderTerm) {
                leader = node.node();
                leaderTerm = node.term();
            }
        }
    }

    // ---- The history ----

    /**
     * Waits for the next completion until {@code deadlineNanos}; returns the line it made if it was
     * an operation's.
     */
    private @Nullable HistoryEvent take(long deadlineNanos) throws InterruptedException {
        long absoluteNanos =
                deadlineNanos > Long.MAX_VALUE - startNanos
                        ? Long.MAX_VALUE
                        : startNanos + deadlineNanos;
        // A request to stop must be noticed although nothing else happens.
        absoluteNanos = Math.min(absoluteNanos, cluster.nowNanos() + 200_000_000L);
        Completion completion = cluster.poll(absoluteNanos);
        return switch (completion) {
            case null -> null;
            case Completion.Operation operation -> operationEnded(operation);
            case Completion.FaultChange change -> {
                faultChanged(change);
                yield null;
            }
            case Completion.Observation(List<NodeStatus> nodes) -> {
                observed(nodes);
                yield null;
            }
        };
    }

    private long now() {
        return cluster.nowNanos() - startNanos;
    }

    private HistoryEvent write(HistoryEvent event) {
        try {
            history.append(event);
        } catch (IOException e) {
            throw new RecordingFailedException(e);
        }
        return event;
    }
}
