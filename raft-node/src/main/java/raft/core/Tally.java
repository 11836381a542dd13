package raft.core;

import java.util.EnumMap;
import java.util.Map;

/**
 * Counts of decisions that leave no other trace, since this node came up. They decide nothing and
 * are no part of the state.
 */
public final class Tally {
    /** What is counted. */
    public enum Kind {
        /** A leader is alive, so nobody is elected (thesis §4.2.3). */
        VOTE_REFUSED_LEADER_ALIVE,
        /** This node has no vote: not a member yet, or it may owe a lease its silence. */
        VOTE_REFUSED_NO_VOTE,
        /** The candidate is behind in terms (§5.1). */
        VOTE_REFUSED_OLD_TERM,
        /** This node has voted for another (§5.2). */
        VOTE_REFUSED_VOTED,
        /** The candidate's log lacks entries (§5.4.1). */
        VOTE_REFUSED_LOG_BEHIND,
        /** A leader heard of a later term (§5.1). */
        STEP_DOWN_HIGHER_TERM,
        /** No majority answered a leader (CheckQuorum, thesis §6.2). */
        STEP_DOWN_NO_QUORUM,
        /** A leader's disk was silent. */
        STEP_DOWN_DISK_STALLED,
        /** A leader was removed (thesis §4.2.2). */
        STEP_DOWN_REMOVED,
        /** Entries of this node's log that gave way to a leader's (§5.3). */
        TRUNCATED_ENTRIES
    }

    private final EnumMap<Kind, Long> counts = new EnumMap<>(Kind.class);

    Tally() {
        for (Kind kind : Kind.values()) {
            counts.put(kind, 0L);
        }
    }

    void count(Kind kind) {
        count(kind, 1);
    }

    void count(Kind kind, long more) {
        counts.merge(kind, more, Long::sum);
    }

    /** How often so far. */
    public long of(Kind kind) {
        return counts.getOrDefault(kind, 0L);
    }

    /** All of them, in the order of {@link Kind}. */
    public Map<Kind, Long> counts() {
        return new EnumMap<>(counts);
    }
}
