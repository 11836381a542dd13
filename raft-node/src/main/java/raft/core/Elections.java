package raft.core;

import raft.core.Effect.Refusal;

/**
 * Who may lead (§5.2, §5.4.1): votes and pre-votes (thesis §9.6), refused while a leader is alive
 * (thesis §4.2.3) or may hold a lease that rests on this node (thesis §6.4.1).
 */
final class Elections {
    private final State state;
    private final ElectionTimer electionTimer;
    private final Transitions transitions;
    private final RaftConfig config;
    private final RaftLog log;
    private final Membership membership;
    private final Durability durability;

    /** Until then a node that was up before keeps to what it may have promised to a lease. */
    private final long votingFromNanos;

    Elections(
            State state,
            ElectionTimer electionTimer,
            Transitions transitions,
            long votingFromNanos) {
        this.state = state;
        this.electionTimer = electionTimer;
        this.transitions = transitions;
        this.config = state.config;
        this.log = state.log;
        this.membership = state.membership;
        this.durability = state.durability;
        this.votingFromNanos = votingFromNanos;
    }

    /**
     * Learners do not stand, nor does a node that has yet to be added, nor one that was removed for
     * good. One whose removal is not known to be committed still does: without it the entry that
     * removes it might never be (thesis §4.2.2, Figure 4.6).
     */
    boolean mayStand() {
        Configuration now = membership.latest();
        return now.isVoter(config.self())
                || (!now.contains(config.self()) && membership.latestIndex() > state.commitIndex());
    }

    void waitForLeader() {
        boolean waits = state.role() instanceof Role.Follower follower && follower.leader == null;
        if (!waits) {
            transitions.becomeFollower(
                    state.term(), null, "election timeout; this node does not stand");
        }
        electionTimer.draw(state.nowNanos());
    }

    /**
     * Thesis §4.2.3: who asks for votes while a leader is alive is not even allowed to raise the
     * term.
     */
    boolean isDisruptive(Message message) {
        return switch (message) {
            case Message.PreVoteRequest ignored -> leaderIsAlive();
            // A node without members is one that waits to be added. It has no vote, not even by
            // the configuration of the one who asks: were it a member that lost its disk, the
            // vote might be its second.
            case Message.VoteRequest request ->
                    membership.voters().isEmpty()
                            || state.nowNanos() < votingFromNanos
                            || (!request.handedOver() && leaderIsAlive());
            default -> false;
        };
    }

    /** Of a message that {@link #isDisruptive}. */
    void countDisruptive() {
        state.tally.count(
                leaderIsAlive()
                        ? Tally.Kind.VOTE_REFUSED_LEADER_ALIVE
                        : Tally.Kind.VOTE_REFUSED_NO_VOTE);
    }

    private boolean leaderIsAlive() {
        return switch (state.role()) {
            // CheckQuorum deposes a leader that is cut off; until then it leads.
            case Role.Leader ignored -> true;
            case Role.Follower follower ->
                    follower.leader != null
                            && state.nowNanos() - follower.leaderContactNanos
                                    < config.electionTimeoutNanos();
            case Role.PreCandidate ignored -> false;
            case Role.Candidate ignored -> false;
        };
    }

    void preVoteRequest(NodeId from, Message.PreVoteRequest request) {
        boolean granted =
                request.prospectiveTerm() > state.term()
                        && log.isUpToDate(request.lastLogIndex(), request.lastLogTerm());
        durability.sendAfterHardState(
                from, new Message.PreVoteReply(state.term(), request.prospectiveTerm(), granted));
        if (!granted) {
            state.tally.count(
                    request.prospectiveTerm() > state.term()
                            ? Tally.Kind.VOTE_REFUSED_LOG_BEHIND
                            : Tally.Kind.VOTE_REFUSED_OLD_TERM);
        }
    }

    void preVoteReply(NodeId from, Message.PreVoteReply reply) {
        if (state.role() instanceof Role.PreCandidate candidacy
                && reply.granted()
                && reply.prospectiveTerm() == state.term() + 1) {
            candidacy.granted.add(from);
            if (state.isMajority(candidacy.granted)) {
                transitions.becomeCandidate("a majority would vote for this node", false);
            }
        }
    }

    void voteRequest(NodeId from, Message.VoteRequest request) {
        boolean free = state.votedFor() == null || state.votedFor().equals(from);
        boolean granted = free && log.isUpToDate(request.lastLogIndex(), request.lastLogTerm());
        if (granted) {
            if (state.votedFor() == null) {
                state.saveHardState(state.term(), from);
            }
            // Only a granted vote postpones the own election: a denied candidate must not keep
            // others from standing (§5.2).
            electionTimer.draw(state.nowNanos());
        }
        durability.sendAfterHardState(from, new Message.VoteReply(state.term(), granted));
        if (!granted) {
            state.tally.count(
                    free ? Tally.Kind.VOTE_REFUSED_LOG_BEHIND : Tally.Kind.VOTE_REFUSED_VOTED);
        }
    }

    void voteReply(NodeId from, Message.VoteReply reply) {
        if (state.role() instanceof Role.Candidate candidacy && reply.granted()) {
            candidacy.granted.add(from);
            countVotes(candidacy);
        }
    }

    private void countVotes(Role.Candidate candidacy) {
        if (state.isMajority(candidacy.granted)) {
            transitions.becomeLeader();
        }
    }

    void persisted(long ticket) {
        durability.persisted(ticket, state.nowNanos());
        if (state.role() instanceof Role.Candidate candidacy
                && durability.isHardStateDurable()
                && candidacy.granted.add(config.self())) {
            countVotes(candidacy);
        }
    }

    /** Thesis §3.10: the leader hands over; its followers hear of it, so no pre-vote is needed. */
    void timeoutNow(NodeId from) {
        if (state.role() instanceof Role.Follower follower
                && from.equals(follower.leader)
                && membership.isVoter(config.self())) {
            transitions.becomeCandidate(from + " hands over its leadership", true);
        }
    }

    void startElection(long requestId) {
        if (state.role() instanceof Role.Leader) {
            state.refuse(requestId, Refusal.NOT_POSSIBLE_NOW, "This node leads already.");
        } else if (!membership.isVoter(config.self())) {
            state.refuse(
                    requestId,
                    Refusal.NOT_POSSIBLE_NOW,
                    "This node is no voter, so it cannot stand.");
        } else if (config.leaseDriftPercent() != RaftConfig.NO_LEASE
                && (leaderIsAlive() || state.nowNanos() < votingFromNanos)) {
            // Its own vote counts like those of others: a leader's lease may rest on it.
            state.refuse(
                    requestId,
                    Refusal.NOT_POSSIBLE_NOW,
                    "Leases are on, and this node may have promised one to a leader; hand the"
                            + " leadership over instead.");
        } else {
            // Against a live leader, except where others have promised it a lease.
            transitions.becomeCandidate(
                    "an operator asked for an election",
                    config.leaseDriftPercent() == RaftConfig.NO_LEASE);
            state.emit(new Effect.Done(requestId));
        }
    }
}
