package raft.harness.run;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Completion;
import raft.harness.cluster.NodeStatus;
import raft.harness.cluster.Outcomes;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.PlannedFault;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the interpreter saw, summed up while it ran: the evidence that a verdict rests on. Owned by
 * the interpreter's thread; bounded however long the run is, but for one small record a fault and
 * one a change of leader.
 */
public final class RunRecord {
    /**
     * One fault from the plan to its end. Times are nanoseconds since the workload began, -1 while
     * it has not come so far.
     */
    public static final class FaultRecord {
        public final PlannedFault planned;
        public final ActiveFault resolved;
        public final @Nullable String leaderBefore;
        public final long termBefore;
        public final long askedNanos;
        public long installedNanos = -1;
        public long healAskedNanos = -1;
        public long healedNanos = -1;
        public long termAtHeal;

        /** Longest time without a success, from its begin to the first success after its end. */
        public long longestUnavailableNanos;

        /** From its end to the first success of an operation begun after it; -1 for none. */
        public long recoveryNanos = -1;

        public @Nullable FaultOutcome injected;
        public @Nullable FaultOutcome healed;

        FaultRecord(
                PlannedFault planned,
                ActiveFault resolved,
                @Nullable String leaderBefore,
                long termBefore,
                long askedNanos) {
            this.planned = planned;
            this.resolved = resolved;
            this.leaderBefore = leaderBefore;
            this.termBefore = termBefore;
            this.askedNanos = askedNanos;
        }

        /** Proven to have been in force. */
        public boolean wasInstalled() {
            return injected != null && injected.status() == FaultOutcome.Status.INSTALLED;
        }

        /** Not possible here. */
        public boolean wasSkipped() {
            return injected != null && injected.status() == FaultOutcome.Status.SKIPPED;
        }

        /** Proven to be gone. */
        public boolean wasHealed() {
            return healed != null && healed.status() == FaultOutcome.Status.INSTALLED;
        }

        /**
         * May still be in force. Also what was not proven to have begun may have begun, unless
         * there turned out to be nothing of it to take back.
         */
        boolean mayLast() {
            boolean nothingLeft =
                    !wasInstalled()
                            && healed != null
                            && healed.status() == FaultOutcome.Status.SKIPPED;
            return !wasSkipped() && !wasHealed() && !nothingLeft;
        }

        /** Was asked to end, and nobody could say that it did. */
        boolean wasLeftInForce() {
            return healed != null && healed.status() == FaultOutcome.Status.INDETERMINATE;
        }
    }

    /** When a node was first seen to lead a term. */
    public record LeaderChange(long timeNanos, String leader, long term) {}

    long workloadNanos;
    long healedNanos = -1;
    long totalNanos;
    int finalReadsWanted = -1;
    int finalReadsDone;

    private final Map<String, EnumMap<Type, Long>> counts = new TreeMap<>();

    /** The workload's operations that the system decided, by operation. */
    private final Map<String, Long> decidedCounts = new TreeMap<>();

    private final Map<String, Long> workloadCounts = new TreeMap<>();
    private final Map<String, Long> errors = new TreeMap<>();
    private final Map<Long, FaultRecord> faults = new LinkedHashMap<>();

    /** Those after whose end nothing has succeeded yet. */
    private final List<FaultRecord> unrecovered = new ArrayList<>();

    private final List<LeaderChange> leaderChanges = new ArrayList<>();
    private List<NodeStatus> lastStatus = List.of();
    private long observationCount;
    private @Nullable FinalStates finalStates;
    private long workloadInvokedCount;
    private long overlappedCount;
    private long lastOkNanos;
    private long longestUnavailableNanos;
    private long firstOkAfterHealNanos = -1;
    private long firstOkNanos = -1;

    void invoked(String f, int outstandingCount) {
        countOne(f, Type.INVOKE);
        if (workloadNanos > 0) {
            return; // The final reads come all at once, which says nothing about the workload.
        }
        workloadInvokedCount++;
        workloadCounts.merge(f, 1L, Long::sum);
        if (outstandingCount > 1) {
            overlappedCount++;
        }
    }

    void completed(HistoryEvent event, HistoryEvent invocation) {
        countOne(event.f(), event.type());
        if (event.error() != null) {
            errors.merge(
                    event.type().name().toLowerCase(java.util.Locale.ROOT) + ": " + event.error(),
                    1L,
                    Long::sum);
        }
        boolean ofWorkload = workloadNanos == 0 || invocation.timeNanos() < workloadNanos;
        if (ofWorkload && isDecided(event)) {
            decidedCounts.merge(event.f(), 1L, Long::sum);
        }
        if (event.type() == Type.OK) {
            longestUnavailableNanos =
                    Math.max(longestUnavailableNanos, event.timeNanos() - lastOkNanos);
            unrecovered.removeIf(fault -> recovered(fault, event.timeNanos(), invocation));
            lastOkNanos = event.timeNanos();
            if (firstOkNanos < 0) {
                firstOkNanos = event.timeNanos();
            }
            if (healedNanos >= 0
                    && firstOkAfterHealNanos < 0
                    && invocation.timeNanos() >= healedNanos) {
                firstOkAfterHealNanos = event.timeNanos();
            }
        }
    }

    /** A comparison that failed was looked at and answered like any other operation. */
    private static boolean isDecided(HistoryEvent event) {
        return event.type() == Type.OK
                || Outcomes.Ending.COMPARE_FAILED.error("").equals(event.error());
    }

    private boolean recovered(FaultRecord fault, long nanos, HistoryEvent invocation) {
        fault.longestUnavailableNanos =
                Math.max(
                        fault.longestUnavailableNanos,
                        nanos - Math.max(lastOkNanos, fault.askedNanos));
        if (fault.healedNanos < 0 || invocation.timeNanos() < fault.healedNanos) {
            return false;
        }
        fault.recoveryNanos = nanos - fault.healedNanos;
        return true;
    }

    /** Nothing comes after this; what has not succeeded by now was not available. */
    void ended(long nanos) {
        totalNanos = nanos;
        if (firstOkAfterHealNanos < 0) {
            longestUnavailableNanos = Math.max(longestUnavailableNanos, nanos - lastOkNanos);
        }
        for (FaultRecord fault : unrecovered) {
            fault.longestUnavailableNanos =
                    Math.max(
                            fault.longestUnavailableNanos,
                            nanos - Math.max(lastOkNanos, fault.askedNanos));
        }
    }

    private void countOne(String f, Type type) {
        counts.computeIfAbsent(f, ignored -> new EnumMap<>(Type.class)).merge(type, 1L, Long::sum);
    }

    void faultAsked(
            PlannedFault planned,
            ActiveFault resolved,
            @Nullable String leader,
            long leaderTerm,
            long askedNanos) {
        FaultRecord fault = new FaultRecord(planned, resolved, leader, leaderTerm, askedNanos);
        faults.put(planned.id(), fault);
        unrecovered.add(fault);
    }

    void healAsked(long faultId, long leaderTerm, long nanos) {
        FaultRecord fault = fault(faultId);
        fault.healAskedNanos = nanos;
        fault.termAtHeal = leaderTerm;
    }

    void faultChanged(Completion.FaultChange change, long nanos) {
        FaultRecord fault = fault(change.faultId());
        if (change.injected()) {
            fault.injected = change.outcome();
            fault.installedNanos = nanos;
        } else {
            fault.healed = change.outcome();
            fault.healedNanos = nanos;
        }
    }

    private FaultRecord fault(long id) {
        FaultRecord fault = faults.get(id);
        if (fault == null) {
            throw new IllegalStateException("fault " + id + " was never asked for");
        }
        return fault;
    }

    void observed(long nanos, List<NodeStatus> nodes) {
        lastStatus = List.copyOf(nodes);
        observationCount++;
        long newestTerm = leaderChanges.isEmpty() ? 0 : leaderChanges.getLast().term();
        for (NodeStatus node : nodes) {
            if (node.isLeader() && node.term() > newestTerm) {
                leaderChanges.add(new LeaderChange(nanos, node.node(), node.term()));
                newestTerm = node.term();
            }
        }
    }

    /** All operations that were begun. */
    public long invokedCount() {
        return count(Type.INVOKE);
    }

    /** All operations' events of a type. */
    public long count(Type type) {
        return counts.values().stream().mapToLong(byType -> byType.getOrDefault(type, 0L)).sum();
    }

    /** Events of type {@code type} of operation {@code f}. */
    public long count(String f, Type type) {
        EnumMap<Type, Long> byType = counts.get(f);
        return byType == null ? 0 : byType.getOrDefault(type, 0L);
    }

    public Map<String, EnumMap<Type, Long>> counts() {
        return counts;
    }

    /** How often each error came, by outcome and error. */
    public Map<String, Long> errors() {
        return errors;
    }

    public List<FaultRecord> faults() {
        return List.copyOf(faults.values());
    }

    public List<LeaderChange> leaderChanges() {
        return List.copyOf(leaderChanges);
    }

    /** Looks at the nodes so far. */
    long observationCount() {
        return observationCount;
    }

    void compared(FinalStates states) {
        finalStates = states;
    }

    /** The members' states at the end; null where it did not come to that. */
    @Nullable FinalStates finalStates() {
        return finalStates;
    }

    /** The newest look at the nodes. */
    public List<NodeStatus> lastStatus() {
        return lastStatus;
    }

    /**
     * How many of the workload's operations {@code f} the system carried out or turned down for
     * what it holds; the others were refused, lost or never reached it.
     */
    long decided(String f) {
        return decidedCounts.getOrDefault(f, 0L);
    }

    /** As {@link #workloadInvokedCount()}, of one operation. */
    long workloadInvoked(String f) {
        return workloadCounts.getOrDefault(f, 0L);
    }

    /** Operations that the workload began, without the final phase's. */
    public long workloadInvokedCount() {
        return workloadInvokedCount;
    }

    /** Share of the workload's operations that began while another was under way, 0 to 1. */
    public double overlappedShare() {
        return workloadInvokedCount == 0 ? 0 : (double) overlappedCount / workloadInvokedCount;
    }

    /** Longest time between two successes, in nanoseconds. */
    public long longestUnavailableNanos() {
        return longestUnavailableNanos;
    }

    /**
     * From the end of the last heal to the first success of an operation begun after it; -1 where
     * there was none.
     */
    public long recoveryNanos() {
        return firstOkAfterHealNanos < 0 ? -1 : firstOkAfterHealNanos - healedNanos;
    }

    /** From the workload's begin to the first success; -1 where there was none. */
    public long firstOkNanos() {
        return firstOkNanos;
    }

    /** How long clients worked before the heal. */
    public long workloadNanos() {
        return workloadNanos;
    }

    public long totalNanos() {
        return totalNanos;
    }

    /** Keys that the final phase had to read; -1 where it never began. */
    public int finalReadsWanted() {
        return finalReadsWanted;
    }

    public int finalReadsDone() {
        return finalReadsDone;
    }
}
