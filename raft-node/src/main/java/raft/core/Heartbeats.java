package raft.core;

/**
 * Rounds of heartbeats, and what a majority's answers to one prove: that this node still led when
 * the round left. Rests on it: reads (thesis §6.4), leases (thesis §6.4.1), and leaders that step
 * down without a quorum (thesis §6.2, CheckQuorum).
 */
final class Heartbeats {
    private final State state;
    private final RaftConfig config;

    Heartbeats(State state) {
        this.state = state;
        this.config = state.config;
    }

    /** All reads that have no round yet are in this one. */
    void startHeartbeatRound(Role.Leader leader) {
        leader.round++;
        leader.nextHeartbeatNanos = state.nowNanos() + config.heartbeatNanos();
        if (config.leaseDriftPercent() != RaftConfig.NO_LEASE) {
            leader.unconfirmedRounds.addLast(new Role.Round(leader.round, state.nowNanos()));
        }
        leader.progress.forEach(
                (peer, progress) ->
                        state.emit(
                                new Effect.Send(
                                        peer,
                                        new Message.Heartbeat(
                                                state.term(),
                                                Math.min(
                                                        state.commitIndex(), progress.matchIndex()),
                                                leader.round))));
        int readCount = leader.reads.size();
        for (int i = 0; i < readCount; i++) {
            Role.PendingRead read = leader.reads.removeFirst();
            leader.reads.addLast(read.round() == 0 ? read.inRound(leader.round) : read);
        }
        extendLease(leader);
    }

    /**
     * The newest heartbeat round that a majority has answered; the leader itself is always in the
     * newest.
     */
    long confirmedRound(Role.Leader leader) {
        return state.reachedByMajority(leader, leader.round, Progress::ackedRound);
    }

    /**
     * CheckQuorum (thesis §6.2). Twice the election timeout is the longest that any follower waits
     * before it starts an election, so a leader that heard of no quorum for so long must assume
     * that it was replaced.
     */
    boolean quorumContactIsLost(Role.Leader leader) {
        long contact = state.reachedByMajority(leader, state.nowNanos(), Progress::lastAckNanos);
        return state.nowNanos() - contact >= 2 * config.electionTimeoutNanos();
    }

    /**
     * Thesis §6.4.1. What was applied before this step is all that was committed when it began, so
     * a read is served from the state as it stands.
     */
    boolean leaseHolds(Role.Leader leader) {
        return config.leaseDriftPercent() != RaftConfig.NO_LEASE
                && !leader.leaseRevoked
                && leader.transfer == null
                && state.appliedIndex() >= leader.termStartIndex
                && state.nowNanos() < leader.leaseEndNanos;
    }

    /**
     * Everyone in the quorum that answered a round refuses to elect another leader for an election
     * timeout of its own clock after it heard of the round, which is after it was sent. This node's
     * clock may be the slower one.
     */
    void extendLease(Role.Leader leader) {
        if (leader.unconfirmedRounds.isEmpty()) {
            return;
        }
        long confirmed = confirmedRound(leader);
        long lengthNanos = config.electionTimeoutNanos() / (100 + config.leaseDriftPercent()) * 100;
        while (!leader.unconfirmedRounds.isEmpty()
                && leader.unconfirmedRounds.peekFirst().number() <= confirmed) {
            long sentNanos = leader.unconfirmedRounds.removeFirst().sentNanos();
            leader.leaseEndNanos = Math.max(leader.leaseEndNanos, sentNanos + lengthNanos);
        }
    }
}
