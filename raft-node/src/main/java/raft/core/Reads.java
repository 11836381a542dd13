package raft.core;

import raft.core.Effect.Refusal;

/**
 * Linearizable reads (§8, thesis §6.4): what a leader or a follower must wait for before it serves
 * one from the state machine. Reads share rounds of {@link Heartbeats}, or need none while a lease
 * holds.
 */
final class Reads {
    private final State state;
    private final Heartbeats heartbeats;
    private final RaftConfig config;
    private final Durability durability;
    private long tokensDrawn;

    Reads(State state, Heartbeats heartbeats) {
        this.state = state;
        this.heartbeats = heartbeats;
        this.config = state.config;
        this.durability = state.durability;
    }

    /** A client asks; answered at once, later by {@link #serveReads}, or refused. */
    void read(long requestId, boolean lease) {
        int readCountMax = config.limits().readCountMax();
        switch (state.role()) {
            case Role.Leader leader when lease && heartbeats.leaseHolds(leader) -> {
                Invariants.servedByLease(state, leader);
                state.emit(new Effect.ServeRead(requestId, state.appliedIndex()));
            }
            case Role.Leader leader when leader.reads.size() < readCountMax -> {
                long readIndex = readIndex(leader);
                leader.reads.addLast(
                        new Role.PendingRead(null, requestId, readIndex, 0, arrival(leader)));
            }
            case Role.Follower follower
                    when follower.leader != null && follower.reads.count() < readCountMax ->
                    follower.reads.add(requestId);
            case Role.Leader ignored ->
                    state.refuse(requestId, Refusal.BUSY, "Too many reads wait.");
            case Role.Follower follower when follower.leader != null ->
                    state.refuse(requestId, Refusal.BUSY, "Too many reads wait.");
            case Role.Follower ignored ->
                    state.emit(new Effect.Refuse(requestId, Refusal.NOT_LEADER, null));
            case Role.PreCandidate ignored ->
                    state.emit(new Effect.Refuse(requestId, Refusal.NOT_LEADER, null));
            case Role.Candidate ignored ->
                    state.emit(new Effect.Refuse(requestId, Refusal.NOT_LEADER, null));
        }
    }

    /** A follower that gets no answer asks again, so one that would be too many is let fall. */
    void readIndexRequest(NodeId from, long token) {
        if (state.role() instanceof Role.Leader leader
                && leader.reads.size() < config.limits().readCountMax()) {
            leader.reads.addLast(
                    new Role.PendingRead(from, token, readIndex(leader), 0, arrival(leader)));
        }
    }

    /**
     * Before its first own entry commits, a leader does not know what is committed (§8), so a read
     * waits at least for that.
     */
    private long readIndex(Role.Leader leader) {
        return Math.max(state.commitIndex(), leader.termStartIndex);
    }

    private Role.Arrival arrival(Role.Leader leader) {
        Role.Arrival last = leader.lastArrival;
        if (last.commitIndex() != state.commitIndex() || last.round() != leader.round) {
            leader.lastArrival = new Role.Arrival(state.commitIndex(), leader.round);
        }
        return leader.lastArrival;
    }

    void serveReads(Role.Leader leader) {
        long confirmed = heartbeats.confirmedRound(leader);
        while (!leader.reads.isEmpty()) {
            Role.PendingRead read = leader.reads.getFirst();
            if (read.round() == 0
                    || read.round() > confirmed
                    || read.readIndex() > state.appliedIndex()) {
                return;
            }
            leader.reads.removeFirst();
            Invariants.served(state, leader, read);
            NodeId from = read.from();
            if (from == null) {
                state.emit(new Effect.ServeRead(read.requestId(), read.readIndex()));
            } else {
                state.emit(
                        new Effect.Send(
                                from,
                                new Message.ReadIndexReply(
                                        state.term(), read.requestId(), read.readIndex())));
            }
        }
    }

    /** Whether a round must be started for reads that came after the newest had left. */
    static boolean hasReadWithoutRound(Role.Leader leader) {
        return !leader.reads.isEmpty() && leader.reads.getLast().round() == 0;
    }

    /** Thesis §6.4: a follower serves a read once its leader has said up to where it must go. */
    void askForReads(Role.Follower follower) {
        NodeId leader = follower.leader;
        if (leader != null && follower.reads.mayAsk()) {
            long token = SplitMix.mix(config.seed() ^ SplitMix.mix(--tokensDrawn));
            follower.reads.asked(token, state.nowNanos(), state.commitIndex());
            durability.sendAfterHardState(
                    leader, new Message.ReadIndexRequest(state.term(), token));
        }
    }

    /** Requests and answers get lost: a heartbeat, a while later, is the moment to ask again. */
    void askAgainIfOverdue(NodeId leader) {
        if (state.role() instanceof Role.Follower follower
                && follower.reads.isOverdue(state.nowNanos(), 2 * config.heartbeatNanos())) {
            long token = follower.reads.askedAgain(state.nowNanos());
            durability.sendAfterHardState(
                    leader, new Message.ReadIndexRequest(state.term(), token));
        }
    }

    void readIndexReply(NodeId from, Message.ReadIndexReply reply) {
        if (state.role() instanceof Role.Follower follower && from.equals(follower.leader)) {
            follower.reads.confirmed(reply.token(), reply.readIndex());
        }
    }

    void serveReads(Role.Follower follower) {
        follower.reads.serve(
                state.appliedIndex(),
                (requestId, readIndex) -> state.emit(new Effect.ServeRead(requestId, readIndex)));
    }
}
