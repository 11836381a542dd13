package raft.core;

import raft.core.Effect.Refusal;

import java.util.List;

/**
 * Changes of membership, one server at a time (thesis §4): which are allowed when, and a learner's
 * rounds of catching up before it votes (thesis §4.2.1). {@link Membership} knows who the members
 * are.
 */
final class Reconfiguration {
    private static final int CATCH_UP_ROUNDS_MAX = 10;

    /** A learner that is not even reached is given up after so many election timeouts. */
    private static final int CATCH_UP_TIMEOUTS = 20;

    private final State state;
    private final Handover handover;
    private final RaftConfig config;
    private final RaftLog log;
    private final Membership membership;

    Reconfiguration(State state, Handover handover) {
        this.state = state;
        this.handover = handover;
        this.config = state.config;
        this.log = state.log;
        this.membership = state.membership;
    }

    void changeMembership(long requestId, Change change) {
        if (!(state.role() instanceof Role.Leader leader)) {
            state.emit(new Effect.Refuse(requestId, Refusal.NOT_LEADER, state.leader()));
        } else if (leader.transfer != null) {
            state.refuse(requestId, Refusal.CHANGE_IN_PROGRESS, "Leadership is being handed over.");
        } else if (state.commitIndex() < leader.termStartIndex) {
            // The erratum to thesis §4.1: two leaders that each append a change to what an earlier
            // one left uncommitted could end with majorities that do not overlap.
            state.refuse(
                    requestId,
                    Refusal.NOT_POSSIBLE_NOW,
                    "The leader has not committed an entry of its term yet.");
        } else if (membership.latestIndex() > state.commitIndex() || leader.catchUp != null) {
            state.refuse(
                    requestId,
                    Refusal.CHANGE_IN_PROGRESS,
                    "Another change of membership is under way.");
        } else {
            if (!(change instanceof Change.AddLearner)
                    && !membership.latest().contains(change.id())) {
                state.refuse(requestId, Refusal.NO_SUCH_MEMBER, change.id() + " is not a member.");
                return;
            }
            String objection = membership.objection(change);
            if (objection == null && !keepsQuorum(leader, after(change))) {
                objection = "Too few of the remaining voters answer to decide anything.";
            }
            if (objection != null) {
                state.refuse(requestId, Refusal.NOT_POSSIBLE_NOW, objection);
            } else if (change instanceof Change.Promote(NodeId learner)) {
                leader.catchUp =
                        new Role.CatchUp(requestId, learner, 1, log.lastIndex(), state.nowNanos());
            } else {
                appendConfiguration(leader, requestId, after(change));
            }
        }
    }

    /** Whether a majority of the voters has answered lately; a learner counts that is to vote. */
    private boolean keepsQuorum(Role.Leader leader, Configuration after) {
        List<NodeId> voters = after.voters();
        long answering =
                voters.stream()
                        .filter(
                                id -> {
                                    Progress peer = leader.progress.get(id);
                                    return id.equals(config.self())
                                            || (peer != null
                                                    && state.nowNanos() - peer.lastAckNanos()
                                                            < 2 * config.electionTimeoutNanos());
                                })
                        .count();
        return answering >= Quorum.size(voters.size());
    }

    private Configuration after(Change change) {
        return membership.after(change, log.lastIndex() + 1);
    }

    private void appendConfiguration(Role.Leader leader, long requestId, Configuration next) {
        Entry entry = state.append(leader, Entry.Kind.CONFIGURATION, next.encode());
        leader.commands.put(entry.index(), new Role.PendingCommand(entry.term(), requestId));
    }

    /** Thesis §4.2.1: a learner votes once it needed less than an election timeout for a round. */
    void continueCatchUp(Role.Leader leader) {
        Role.CatchUp catchUp = leader.catchUp;
        Progress progress = catchUp == null ? null : leader.progress.get(catchUp.learner());
        if (catchUp == null || progress == null || progress.matchIndex() < catchUp.targetIndex()) {
            return;
        }
        if (state.nowNanos() - catchUp.roundStartNanos() < config.electionTimeoutNanos()) {
            leader.catchUp = null;
            Change promotion = new Change.Promote(catchUp.learner());
            appendConfiguration(leader, catchUp.requestId(), after(promotion));
        } else if (catchUp.round() == CATCH_UP_ROUNDS_MAX) {
            giveUpCatchUp(leader, catchUp);
        } else {
            leader.catchUp =
                    new Role.CatchUp(
                            catchUp.requestId(),
                            catchUp.learner(),
                            catchUp.round() + 1,
                            log.lastIndex(),
                            state.nowNanos());
        }
    }

    private void giveUpCatchUp(Role.Leader leader, Role.CatchUp catchUp) {
        leader.catchUp = null;
        state.refuse(
                catchUp.requestId(),
                Refusal.NOT_POSSIBLE_NOW,
                catchUp.learner() + " does not catch up; it stays a learner.");
    }

    /** A learner that is not even reached is given up. */
    void endOverdue(Role.Leader leader) {
        Role.CatchUp catchUp = leader.catchUp;
        long patience = CATCH_UP_TIMEOUTS * config.electionTimeoutNanos();
        if (catchUp != null && state.nowNanos() - catchUp.roundStartNanos() >= patience) {
            giveUpCatchUp(leader, catchUp);
        }
    }

    /**
     * Who was removed is sent nothing any more, so it mostly does not hear of it and goes on asking
     * for votes. Its leader answers with the entries that it lacks up to the one that removed it:
     * it then falls silent, and can say why.
     */
    void tellRemoved(NodeId from, Message.PreVoteRequest request) {
        long known = request.lastLogIndex();
        if (state.role() instanceof Role.Leader
                && !membership.latest().contains(from)
                && membership.latestIndex() <= state.commitIndex()
                && request.term() <= state.term()
                && known >= log.baseIndex()
                && known <= membership.latestIndex()
                && log.matches(known, request.lastLogTerm())) {
            List<Entry> missing =
                    log.slice(known + 1, config.limits().appendBytesMax()).stream()
                            .filter(entry -> entry.index() <= membership.latestIndex())
                            .toList();
            state.emit(
                    new Effect.Send(
                            from,
                            new Message.AppendEntries(
                                    state.term(),
                                    known,
                                    request.lastLogTerm(),
                                    missing,
                                    state.commitIndex())));
        }
    }

    /** The leader that has removed itself leads until that is committed (thesis §4.2.2). */
    void leaveIfRemoved(Role.Leader leader) {
        if (!membership.isVoter(config.self()) && membership.latestIndex() <= state.commitIndex()) {
            state.tally.count(Tally.Kind.STEP_DOWN_REMOVED);
            handover.handOver(leader, "it is no voter any more");
        }
    }
}
