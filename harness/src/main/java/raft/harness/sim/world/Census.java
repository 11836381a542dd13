package raft.harness.sim.world;

import raft.core.Effect.RoleName;
import raft.core.Message;
import raft.harness.sim.Coverage;
import raft.harness.sim.Coverage.DiskState;
import raft.harness.sim.Coverage.Logs;
import raft.harness.sim.Coverage.Term;
import raft.harness.sim.Sometimes;

import java.util.List;
import java.util.stream.Stream;

/** Counts what the run reaches. Changes nothing, judges nothing. */
final class Census {
    private static final int PERCENT_PPM = 10_000;

    private static final Class<?>[] KINDS = Message.class.getPermittedSubclasses();

    private final Coverage coverage =
            new Coverage(
                    Stream.of(RoleName.values()).map(RoleName::name).toList(),
                    Stream.of(KINDS).map(Class::getSimpleName).toList());

    Coverage coverage() {
        return coverage;
    }

    void reached(Sometimes situation) {
        coverage.reached(situation);
    }

    void started(List<SimNode> nodes) {
        int slowest = nodes.stream().mapToInt(SimNode::driftPpm).min().orElse(0);
        int fastest = nodes.stream().mapToInt(SimNode::driftPpm).max().orElse(0);
        if (fastest - slowest >= PERCENT_PPM) {
            reached(Sometimes.CLOCKS_APART);
        }
    }

    /** A message is about to be taken by a process that is up. */
    void delivered(SimNode from, SimNode to, SimNode.Life life, Message message) {
        RoleName role = life.raft.role();
        long term = life.raft.term();
        coverage.delivered(
                role.ordinal(),
                kind(message),
                message.term() < term
                        ? Term.EARLIER
                        : message.term() == term ? Term.SAME : Term.LATER,
                logs(from, to),
                life.syncing.isEmpty()
                        ? DiskState.IDLE
                        : life.diskQueue.isEmpty()
                                ? DiskState.SYNCING
                                : DiskState.SYNCING_AND_MORE_WAITING);
        if (message.term() < term) {
            ofEarlierTerm(role, message);
        } else if (message instanceof Message.AppendEntries append
                && message.term() == term
                && !append.entries().isEmpty()
                && append.entries().getLast().index() < to.shadow.memory.lastIndex()
                && to.shadow.memory.termAt(to.shadow.memory.lastIndex()) == term) {
            reached(Sometimes.APPEND_OVERTAKEN);
        } else if (message instanceof Message.InstallSnapshot piece
                && piece.index() <= to.shadow.memory.lastIndex()
                && to.shadow.memory.termAt(piece.index()) != piece.snapshotTerm()) {
            reached(Sometimes.SNAPSHOT_AGAINST_LOG);
        }
    }

    private void ofEarlierTerm(RoleName role, Message message) {
        if (message instanceof Message.AppendEntries) {
            reached(Sometimes.APPEND_OF_EARLIER_TERM);
        } else if (role == RoleName.CANDIDATE
                && message instanceof Message.VoteReply reply
                && reply.granted()) {
            reached(Sometimes.VOTE_REPLY_OF_EARLIER_TERM);
        } else if (role == RoleName.LEADER) {
            if (message instanceof Message.AppendAccepted) {
                reached(Sometimes.ACCEPTED_OF_EARLIER_TERM);
            } else if (message instanceof Message.AppendRejected) {
                reached(Sometimes.REJECTED_OF_EARLIER_TERM);
            } else if (message instanceof Message.HeartbeatReply) {
                reached(Sometimes.HEARTBEAT_REPLY_OF_EARLIER_TERM);
            }
        }
    }

    private static int kind(Message message) {
        for (int i = 0; i < KINDS.length; i++) {
            if (KINDS[i] == message.getClass()) {
                return i;
            }
        }
        throw new IllegalStateException("an unknown kind of message: " + message);
    }

    private static Logs logs(SimNode from, SimNode to) {
        if (!from.isUp()) {
            return Logs.UNKNOWN;
        }
        Shadow.Copy theirs = from.shadow.memory;
        Shadow.Copy own = to.shadow.memory;
        long common = Math.min(own.lastIndex(), theirs.lastIndex());
        if (own.termAt(common) != theirs.termAt(common)) {
            return Logs.DIVERGED;
        }
        return own.lastIndex() == theirs.lastIndex()
                ? Logs.EQUAL
                : own.lastIndex() < theirs.lastIndex() ? Logs.BEHIND : Logs.AHEAD;
    }
}
