package raft.core;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.Refusal;

import java.util.Map;

/** Leadership on its way to another node by the leader's own will (thesis §3.10). */
final class Handover {
    private final State state;
    private final Transitions transitions;
    private final RaftConfig config;
    private final RaftLog log;
    private final Membership membership;

    Handover(State state, Transitions transitions) {
        this.state = state;
        this.transitions = transitions;
        this.config = state.config;
        this.log = state.log;
        this.membership = state.membership;
    }

    void transferLeadership(long requestId, @Nullable NodeId to) {
        if (!(state.role() instanceof Role.Leader leader)) {
            state.emit(new Effect.Refuse(requestId, Refusal.NOT_LEADER, state.leader()));
            return;
        }
        NodeId target = to == null ? furthestVoter(leader) : to;
        if (leader.transfer != null) {
            state.refuse(
                    requestId,
                    Refusal.CHANGE_IN_PROGRESS,
                    "Leadership is being handed over already.");
        } else if (target == null) {
            state.refuse(
                    requestId, Refusal.NOT_POSSIBLE_NOW, "There is no other voter that answers.");
        } else if (!membership.isVoter(target)) {
            state.refuse(
                    requestId,
                    membership.latest().contains(target)
                            ? Refusal.NOT_POSSIBLE_NOW
                            : Refusal.NO_SUCH_MEMBER,
                    target + " is no voter.");
        } else if (target.equals(config.self())) {
            state.emit(new Effect.Done(requestId));
        } else {
            long deadline = state.nowNanos() + config.electionTimeoutNanos();
            leader.transfer = new Role.Transfer(requestId, target, deadline, false);
        }
    }

    /** Once its log is as long as this one, the target is told to stand. */
    void continueTransfer(Role.Leader leader) {
        Role.Transfer transfer = leader.transfer;
        Progress progress = transfer == null ? null : leader.progress.get(transfer.target());
        if (transfer != null
                && progress != null
                && !transfer.asked()
                && progress.matchIndex() == log.lastIndex()) {
            // A late copy of the message may make the target stand much later: no lease any more.
            leader.leaseRevoked = true;
            leader.transfer =
                    new Role.Transfer(
                            transfer.requestId(),
                            transfer.target(),
                            transfer.deadlineNanos(),
                            true);
            state.emit(new Effect.Send(transfer.target(), new Message.TimeoutNow(state.term())));
        }
    }

    /** Steps down, and spares the others the wait. */
    void handOver(Role.Leader leader, String reason) {
        NodeId successor = furthestVoter(leader);
        if (successor != null) {
            state.emit(new Effect.Send(successor, new Message.TimeoutNow(state.term())));
        }
        transitions.becomeFollower(state.term(), null, reason);
    }

    /** Of those that answer, the voter whose log is longest; null if none does. */
    private @Nullable NodeId furthestVoter(Role.Leader leader) {
        NodeId furthest = null;
        long matchIndex = -1;
        for (Map.Entry<NodeId, Progress> peer : leader.progress.entrySet()) {
            Progress progress = peer.getValue();
            boolean answers =
                    state.nowNanos() - progress.lastAckNanos() < 2 * config.electionTimeoutNanos();
            if (answers
                    && membership.isVoter(peer.getKey())
                    && progress.matchIndex() > matchIndex) {
                furthest = peer.getKey();
                matchIndex = progress.matchIndex();
            }
        }
        return furthest;
    }

    /** A transfer that has not come about in an election timeout will not (thesis §3.10). */
    void endOverdue(Role.Leader leader) {
        Role.Transfer transfer = leader.transfer;
        if (transfer != null && state.nowNanos() >= transfer.deadlineNanos()) {
            leader.transfer = null;
            String detail = transfer.target() + " did not take over within an election timeout.";
            if (transfer.asked()) {
                state.emit(new Effect.GiveUp(transfer.requestId(), detail));
            } else {
                state.refuse(transfer.requestId(), Refusal.NOT_POSSIBLE_NOW, detail);
            }
        }
    }
}
