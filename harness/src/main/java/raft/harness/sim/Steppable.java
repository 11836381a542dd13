package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.LogWindow;

import java.util.List;

/**
 * A simulated cluster that can be looked into and meddled with between two events: what a person
 * who travels in time needs. The same calls between the same events give the same run.
 */
public interface Steppable extends SimulatedCluster {
    /** What an occurrence is, as far as a person can meddle with it. */
    enum Sort {
        MESSAGE,
        TIMER,
        DISK,
        CLIENT,
        FAULT,
        OTHER
    }

    /**
     * Something that will happen, or just did.
     *
     * @param sequence its number among all that was ever planned; stable while a run is repeated
     * @param timeNanos when, in virtual time
     * @param node where; null where it concerns no single node
     * @param from who sent the message; null for what is none
     * @param cause number of the event that brought it about; 0 for what came from outside
     * @param what in words
     */
    record Occurrence(
            long sequence,
            long timeNanos,
            Sort sort,
            @Nullable String node,
            @Nullable String from,
            long cause,
            String what) {}

    /**
     * One node as it is now.
     *
     * @param state "up", "down" or "paused"
     * @param role "" while it is down
     * @param votedFor in its term, null for nobody
     * @param leader whom it takes for the leader
     * @param voters of the configuration in force there
     * @param learners of the same
     * @param firstIndex of the first entry that it still has
     * @param snapshotIndex of its newest snapshot, 0 for none
     * @param configurationIndex where that stands in the log, 0 for what the cluster began with
     */
    record NodeView(
            String node,
            String state,
            String role,
            long term,
            @Nullable String votedFor,
            @Nullable String leader,
            long commitIndex,
            long appliedIndex,
            long durableIndex,
            long lastIndex,
            long lastTerm,
            long firstIndex,
            long snapshotIndex,
            List<String> voters,
            List<String> learners,
            long configurationIndex) {}

    /** When the next event happens; Long.MAX_VALUE where none is to come. */
    long nextNanos();

    /**
     * Lets exactly one event happen, if one is due by {@code deadlineNanos} and all invariants
     * hold.
     *
     * @return what happened, null for nothing; the clock stays where it was then
     */
    @Nullable Occurrence step(long deadlineNanos);

    /**
     * Lets events happen, without words for each, until so many have happened since the start;
     * stops before where nothing is to come or an invariant breaks.
     *
     * @return whether so many have
     */
    boolean runTo(long eventCount);

    /** All that is to come, earliest first. */
    List<Occurrence> pending();

    /** A node as it is now. Of a node that is down: what its disk holds. */
    NodeView view(String node);

    /** A part of a node's log; of a node that is down, the durable part. */
    LogWindow log(String node, long fromIndex, int count);

    /**
     * Lets a pending occurrence happen now instead of later; a timer that fires early means that
     * the node's clock jumps ahead to it.
     *
     * @return false where nothing pending has this number
     */
    boolean hasten(long sequence);

    /** Takes a pending message away. False where there is no such message. */
    boolean drop(long sequence);

    /** Lets a pending message arrive once more, a little later. False where there is none. */
    boolean duplicate(long sequence);

    /** Lets a pending occurrence happen later than planned. False where there is none. */
    boolean delay(long sequence, long nanos);

    /**
     * Lets a pending fsync fail: the node halts, as it must, and what was not synced is lost.
     *
     * @param faultId the fault that then keeps the node down, to be healed like any other
     */
    boolean failSync(long sequence, long faultId);
}
