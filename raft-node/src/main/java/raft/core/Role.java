package raft.core;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.RoleName;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The roles of Figure 4; each holds exactly the state that exists only while it lasts. Transitions
 * are made by {@link Raft}.
 */
sealed interface Role {
    RoleName name();

    /** Follows a leader, or waits for one. */
    final class Follower implements Role {
        final @Nullable NodeId leader;

        /** When the leader was last heard; meaningless while it is null. */
        long leaderContactNanos;

        Follower(@Nullable NodeId leader, long leaderContactNanos) {
            this.leader = leader;
            this.leaderContactNanos = leaderContactNanos;
        }

        @Override
        public RoleName name() {
            return RoleName.FOLLOWER;
        }
    }

    /** Asks whether it could win before it disturbs anybody (thesis §9.6). */
    final class PreCandidate implements Role {
        final TreeSet<NodeId> granted = new TreeSet<>();

        @Override
        public RoleName name() {
            return RoleName.PRE_CANDIDATE;
        }
    }

    /** Has voted for itself and asks for votes (§5.2). Its own vote counts once it is durable. */
    final class Candidate implements Role {
        final TreeSet<NodeId> granted = new TreeSet<>();

        @Override
        public RoleName name() {
            return RoleName.CANDIDATE;
        }
    }

    /** Leads its term. */
    final class Leader implements Role {
        final TreeMap<NodeId, Progress> progress = new TreeMap<>();

        /** Index of the no-op that opened the term; nothing is read before it commits (§8). */
        final long termStartIndex;

        /** Client requests by log index, to be answered when their entry is applied. */
        final TreeMap<Long, PendingCommand> commands = new TreeMap<>();

        /** Reads in the order of their arrival. */
        final ArrayDeque<PendingRead> reads = new ArrayDeque<>();

        long uncommittedBytes;
        long nextHeartbeatNanos;

        /** Number of the newest heartbeat round. */
        long round;

        Leader(long termStartIndex) {
            this.termStartIndex = termStartIndex;
        }

        @Override
        public RoleName name() {
            return RoleName.LEADER;
        }

        /**
         * For every voter the value that {@code ofPeer} tells, and {@code own} for the leader
         * itself.
         */
        long[] perVoter(long own, java.util.function.ToLongFunction<Progress> ofPeer) {
            long[] values = new long[progress.size() + 1];
            int at = 0;
            for (Map.Entry<NodeId, Progress> peer : progress.entrySet()) {
                values[at++] = ofPeer.applyAsLong(peer.getValue());
            }
            values[at] = own;
            return values;
        }
    }

    /**
     * A client's command; by (index, term), because the same index may later hold another leader's
     * entry.
     */
    record PendingCommand(long term, long requestId) {}

    /**
     * A read that waits for its round to be confirmed and for the log to be applied far enough.
     *
     * @param round 0 while no round has started after it arrived
     */
    record PendingRead(long requestId, long readIndex, long round) {
        PendingRead inRound(long newRound) {
            return new PendingRead(requestId, readIndex, newRound);
        }
    }
}
