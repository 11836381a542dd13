package raft.core;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.Refusal;
import raft.core.Effect.RoleName;

/**
 * The four transitions of Figure 4, which are the whole diagram: nobody else sets the role. Each
 * says why, does what entering the new role demands, and answers whom the old one leaves behind.
 *
 * <p>Whether a transition is due is decided elsewhere.
 */
final class Transitions {
    private final State state;
    private final ElectionTimer electionTimer;
    private final Heartbeats heartbeats;
    private final RaftConfig config;
    private final RaftLog log;
    private final Durability durability;

    Transitions(State state, ElectionTimer electionTimer, Heartbeats heartbeats) {
        this.state = state;
        this.electionTimer = electionTimer;
        this.heartbeats = heartbeats;
        this.config = state.config;
        this.log = state.log;
        this.durability = state.durability;
    }

    void becomeFollower(long term, @Nullable NodeId leader, String reason) {
        Role before = state.role();
        if (term > state.term()) {
            state.saveHardState(term, null);
        }
        setRole(new Role.Follower(leader, state.nowNanos()), reason);
        if (before instanceof Role.Leader deposed) {
            abandon(deposed, leader);
            // A leader had no election deadline of its own; a follower of nobody needs one.
            electionTimer.draw(state.nowNanos());
        }
    }

    void becomePreCandidate(String reason) {
        Role.PreCandidate candidacy = new Role.PreCandidate();
        setRole(candidacy, reason);
        electionTimer.draw(state.nowNanos());
        candidacy.granted.add(config.self());
        long prospectiveTerm = state.term() + 1;
        for (NodeId peer : state.otherVoters()) {
            durability.sendAfterHardState(
                    peer,
                    new Message.PreVoteRequest(
                            state.term(), prospectiveTerm, log.lastIndex(), log.lastTerm()));
        }
        if (state.isMajority(candidacy.granted)) {
            becomeCandidate("a majority would vote for this node", false);
        }
    }

    /**
     * @param handedOver whether others should vote although they hear of a leader
     */
    void becomeCandidate(String reason, boolean handedOver) {
        state.saveHardState(state.term() + 1, config.self());
        setRole(new Role.Candidate(), reason);
        electionTimer.draw(state.nowNanos());
        // The request tells others that this node has voted for itself, so it waits until that
        // would survive a crash.
        for (NodeId peer : state.otherVoters()) {
            durability.sendAfterHardState(
                    peer,
                    new Message.VoteRequest(
                            state.term(), log.lastIndex(), log.lastTerm(), handedOver));
        }
    }

    void becomeLeader() {
        Role.Leader leader = new Role.Leader(log.lastIndex() + 1, state.nowNanos());
        state.followMembership(leader);
        setRole(leader, "a majority voted for this node");
        // §8: a leader learns what is committed by committing an entry of its own term.
        state.append(leader, Entry.Kind.NOOP, Bytes.EMPTY);
        heartbeats.startHeartbeatRound(leader);
    }

    /** A message of {@code from} says that it leads the current term. */
    void followLeader(NodeId from) {
        switch (state.role()) {
            case Role.Leader ignored ->
                    throw new IllegalStateException(
                            "election safety: "
                                    + from
                                    + " also leads term "
                                    + state.term()
                                    + " (§5.2)");
            case Role.Follower follower when from.equals(follower.leader) ->
                    follower.leaderContactNanos = state.nowNanos();
            case Role.Follower follower when follower.leader != null ->
                    throw new IllegalStateException(
                            "election safety: "
                                    + follower.leader
                                    + " and "
                                    + from
                                    + " both lead term "
                                    + state.term()
                                    + " (§5.2)");
            case Role.Follower ignored -> becomeFollower(state.term(), from, "heard of the leader");
            case Role.PreCandidate ignored ->
                    becomeFollower(state.term(), from, "heard of the leader");
            case Role.Candidate ignored ->
                    becomeFollower(state.term(), from, "another candidate won");
        }
        electionTimer.draw(state.nowNanos());
    }

    private void setRole(Role next, String reason) {
        RoleName from = state.role().name();
        if (state.role() instanceof Role.Follower follower) {
            NodeId hint = next instanceof Role.Follower now ? now.leader : null;
            for (long requestId : follower.reads.unserved()) {
                state.emit(new Effect.Refuse(requestId, Refusal.NOT_LEADER, hint));
            }
        }
        state.role(next);
        state.emit(
                new Effect.Transition(
                        from, next.name(), state.term(), state.leader(), state.votedFor(), reason));
    }

    /**
     * Leadership is lost: what was accepted may still be committed by a successor, what was only
     * asked will not be.
     */
    private void abandon(Role.Leader deposed, @Nullable NodeId successor) {
        for (Role.PendingCommand command : deposed.commands.values()) {
            state.emit(
                    new Effect.GiveUp(
                            command.requestId(), "leadership lost before the entry was committed"));
        }
        for (Role.PendingRead read : deposed.reads) {
            if (read.from() == null) {
                state.emit(new Effect.Refuse(read.requestId(), Refusal.NOT_LEADER, successor));
            }
        }
        if (deposed.catchUp != null) {
            long requestId = deposed.catchUp.requestId();
            state.emit(new Effect.Refuse(requestId, Refusal.NOT_LEADER, successor));
        }
        if (deposed.transfer != null && deposed.transfer.requestId() != 0) {
            state.emit(new Effect.Done(deposed.transfer.requestId()));
        }
    }
}
