package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

/**
 * Something that will happen at a moment of virtual time. Moments are ordered by (time, sequence),
 * so what was decided first happens first.
 *
 * @param sequence unique in the run, ascending in the order of decisions
 * @param node where, null where it concerns no single node
 * @param life the life of the node's process that it belongs to, null for what outlives it
 * @param payload what the kind needs
 * @param from number of the sending node, -1 where there is none
 * @param cause number of the event during which it was decided, 0 for what came from outside
 */
record Happening(
        long timeNanos,
        long sequence,
        Kind kind,
        @Nullable SimNode node,
        SimNode.@Nullable Life life,
        @Nullable Object payload,
        int from,
        long cause) {
    enum Kind {
        MESSAGE,
        TURN,
        TIMER,
        FSYNC,
        REQUEST,
        REPLY,
        CLIENT_TIMEOUT,
        FAULT_CHANGE,
        OBSERVE,
        SNAPSHOT,
        UPKEEP
    }

    /** The same at another moment, decided anew. */
    Happening at(long newTimeNanos, long newSequence) {
        return new Happening(newTimeNanos, newSequence, kind, node, life, payload, from, cause);
    }

    boolean before(Happening other) {
        return timeNanos < other.timeNanos
                || (timeNanos == other.timeNanos && sequence < other.sequence);
    }
}
