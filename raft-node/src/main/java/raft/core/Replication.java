package raft.core;

import raft.core.Effect.Refusal;

import java.util.List;

/**
 * How a leader brings its log to the others and finds what is committed (§5.3, §5.4.2): several
 * messages in flight (thesis §10.2.1), back-tracking by whole terms, and the commit rule.
 */
final class Replication {
    private final State state;
    private final Heartbeats heartbeats;
    private final Compaction compaction;
    private final RaftConfig config;
    private final RaftLog log;
    private final Durability durability;

    Replication(State state, Heartbeats heartbeats, Compaction compaction) {
        this.state = state;
        this.heartbeats = heartbeats;
        this.compaction = compaction;
        this.config = state.config;
        this.log = state.log;
        this.durability = state.durability;
    }

    void propose(long requestId, Bytes command) {
        if (!(state.role() instanceof Role.Leader leader)) {
            state.emit(new Effect.Refuse(requestId, Refusal.NOT_LEADER, state.leader()));
        } else if (leader.transfer != null) {
            // What is appended now would only keep the successor from catching up (thesis §3.10).
            state.refuse(requestId, Refusal.BUSY, "Leadership is being handed over.");
        } else if (leader.uncommittedBytes > 0
                && leader.uncommittedBytes + command.sizeBytes()
                        > config.limits().uncommittedBytesMax()) {
            state.emit(new Effect.Refuse(requestId, Refusal.BUSY, config.self()));
        } else {
            Entry entry = state.append(leader, Entry.Kind.COMMAND, command);
            leader.commands.put(entry.index(), new Role.PendingCommand(entry.term(), requestId));
        }
    }

    /**
     * §5.4.2: the greatest index that a majority holds durably, and only if it is of this term;
     * entries of earlier terms are committed by what follows them (Figure 8). The leader counts
     * itself like the others, by what is on its disk.
     */
    void advanceCommit(Role.Leader leader) {
        long index =
                state.reachedByMajority(leader, durability.durableIndex(), Progress::matchIndex);
        if (index > state.commitIndex() && log.termAt(index) == state.term()) {
            state.commitIndex(index);
            Invariants.committed(state, leader);
        }
    }

    void replicate(NodeId peer, Progress progress) {
        var limits = config.limits();
        while (progress.maySend(limits.inflightAppendsMax(), limits.inflightBytesMax())) {
            Snapshot pinned = progress.snapshot();
            if (pinned != null) {
                compaction.sendChunk(peer, progress, pinned);
                return;
            }
            // Of a member that was added just now nothing is known, though nothing new is to be
            // sent: it is probed at once, or it would wait for the next client's command.
            boolean unknown =
                    progress.state() == Progress.State.PROBE
                            && progress.matchIndex() < log.lastIndex();
            if (progress.nextIndex() > log.lastIndex() && !unknown) {
                return;
            }
            if (progress.isBehindLog(log.baseIndex())) {
                if (!compaction.beginSnapshot(progress)) {
                    return;
                }
            } else {
                sendAppend(
                        peer, progress, log.slice(progress.nextIndex(), limits.appendBytesMax()));
                if (progress.state() == Progress.State.PROBE) {
                    return;
                }
            }
        }
    }

    /** Leaves at once, in parallel with this node's own fsync (thesis §10.2.1). */
    private void sendAppend(NodeId peer, Progress progress, List<Entry> entries) {
        long prevIndex = progress.nextIndex() - 1;
        Invariants.sent(peer, progress, entries.size());
        state.emit(
                new Effect.Send(
                        peer,
                        new Message.AppendEntries(
                                state.term(),
                                prevIndex,
                                log.termAt(prevIndex),
                                entries,
                                state.commitIndex())));
        long sizeBytes = 0;
        for (Entry entry : entries) {
            sizeBytes += entry.sizeBytes();
        }
        progress.sent(prevIndex + entries.size(), sizeBytes, state.nowNanos());
    }

    void appendAccepted(NodeId from, Message.AppendAccepted accepted) {
        Progress progress = state.progressOf(from);
        if (progress == null) {
            return;
        }
        if (accepted.matchIndex() > log.lastIndex()) {
            throw new IllegalStateException(
                    "match is in the leader's log (§5.3): "
                            + from
                            + " acknowledged index "
                            + accepted.matchIndex()
                            + ", but this leader's log ends at "
                            + log.lastIndex());
        }
        progress.heard(state.nowNanos());
        boolean wasSnapshot = progress.snapshot() != null;
        progress.accepted(accepted.matchIndex());
        if (wasSnapshot && progress.snapshot() == null) {
            compaction.deleteUnneededSnapshots();
        }
    }

    void appendRejected(NodeId from, Message.AppendRejected rejected) {
        Progress progress = state.progressOf(from);
        if (progress == null) {
            return;
        }
        progress.heard(state.nowNanos());
        if (!progress.isStaleRejection(rejected.prevLogIndex())) {
            // Both sides skip whole terms: the follower has said where its own terms are old
            // enough, now the same here (§5.3).
            long hint = Math.min(rejected.hintIndex(), rejected.prevLogIndex() - 1);
            progress.probeFrom(log.lastIndexWithTermAtMost(hint, rejected.hintTerm()) + 1);
        }
    }

    void heartbeatReply(NodeId from, Message.HeartbeatReply reply) {
        Progress progress = state.progressOf(from);
        if (progress == null || !(state.role() instanceof Role.Leader leader)) {
            return;
        }
        progress.heard(state.nowNanos());
        progress.roundAcked(reply.round());
        heartbeats.extendLease(leader);
        boolean sending = progress.snapshot() != null;
        // A piece of a snapshot is large, and takes its time on the wire and on the disk.
        long patience = sending ? config.electionTimeoutNanos() : config.heartbeatNanos();
        boolean silent = state.nowNanos() - progress.lastAppendNanos() >= patience;
        if (progress.matchIndex() < log.lastIndex() && silent) {
            progress.retryProbe();
            if (progress.state() == Progress.State.REPLICATE) {
                if (progress.isBehindLog(log.baseIndex())) {
                    compaction.beginSnapshot(progress);
                    return;
                }
                // Were the newest messages lost, or is the follower only slow? An empty one tells:
                // it is either accepted
                // later, in order, or rejected now.
                sendAppend(from, progress, List.of());
            }
        }
    }
}
