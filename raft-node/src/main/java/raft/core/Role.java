package raft.core;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.RoleName;

import java.util.ArrayDeque;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToLongFunction;

/**
 * The roles of Figure 4; each holds exactly the state that exists only while it lasts. Transitions
 * are made by {@link Transitions}.
 */
sealed interface Role {
    RoleName name();

    /** Follows a leader, or waits for one. */
    final class Follower implements Role {
        final @Nullable NodeId leader;

        /** When the leader was last heard; meaningless while it is null. */
        long leaderContactNanos;

        final ForwardedReads reads = new ForwardedReads();

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
        /** Of all members but itself. */
        final TreeMap<NodeId, Progress> progress = new TreeMap<>();

        /** Index of the no-op that opened the term; nothing is read before it commits (§8). */
        final long termStartIndex;

        /** Client requests by log index, to be answered when their entry is applied. */
        final TreeMap<Long, PendingCommand> commands = new TreeMap<>();

        /** Reads in the order of their arrival. */
        final ArrayDeque<PendingRead> reads = new ArrayDeque<>();

        /** Of the newest read. */
        Arrival lastArrival = new Arrival(0, 0);

        long uncommittedBytes;
        long nextHeartbeatNanos;

        /** Number of the newest heartbeat round. */
        long round;

        /** Rounds that no majority has answered yet, for the lease. */
        final ArrayDeque<Round> unconfirmedRounds = new ArrayDeque<>();

        /** Until when nobody else can have been elected (thesis §6.4.1); in the past for none. */
        long leaseEndNanos;

        /** Once somebody was told to stand for election, waiting for this leader's end is over. */
        boolean leaseRevoked;

        @Nullable CatchUp catchUp;
        @Nullable Transfer transfer;

        Leader(long termStartIndex, long nowNanos) {
            this.termStartIndex = termStartIndex;
            this.leaseEndNanos = nowNanos;
        }

        @Override
        public RoleName name() {
            return RoleName.LEADER;
        }

        /**
         * For every voter the value that {@code ofPeer} tells, and {@code own} for the leader
         * itself, which is not counted where it is no voter (thesis §4.2.2).
         */
        long[] perVoter(
                List<NodeId> voters, NodeId self, long own, ToLongFunction<Progress> ofPeer) {
            long[] values = new long[voters.size()];
            for (int i = 0; i < values.length; i++) {
                NodeId voter = voters.get(i);
                Progress peer = progress.get(voter);
                values[i] = voter.equals(self) || peer == null ? own : ofPeer.applyAsLong(peer);
            }
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
     * @param from the follower that will serve it; null where it is this node's own
     * @param requestId the driver's, or the follower's token
     * @param round 0 while no round has started after it arrived
     * @param arrival what it must be newer than, for {@link Invariants}
     */
    record PendingRead(
            @Nullable NodeId from, long requestId, long readIndex, long round, Arrival arrival) {
        PendingRead inRound(long newRound) {
            return new PendingRead(from, requestId, readIndex, newRound, arrival);
        }
    }

    /** What a leader knew when a read came: shared by all reads between which nothing changed. */
    record Arrival(long commitIndex, long round) {}

    /** A heartbeat round and when it left. */
    record Round(long number, long sentNanos) {}

    /**
     * A learner that is to become a voter (thesis §4.2.1): in each round it receives what was in
     * the log when the round began; it has caught up once a round was short.
     */
    record CatchUp(
            long requestId, NodeId learner, int round, long targetIndex, long roundStartNanos) {}

    /**
     * Leadership on its way to another node (thesis §3.10).
     *
     * @param requestId 0 where nobody waits for an answer
     * @param asked whether the target has been told to stand
     */
    record Transfer(long requestId, NodeId target, long deadlineNanos, boolean asked) {}
}
