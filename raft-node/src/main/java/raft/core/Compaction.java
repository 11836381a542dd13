package raft.core;

import java.util.List;

/**
 * Snapshots (§7, thesis §5): when one is taken, how one is sent and received in pieces, and what
 * the log loses for it. {@link Snapshots} knows which exist.
 */
final class Compaction {
    private final State state;
    private final Transitions transitions;
    private final RaftConfig config;
    private final RaftLog log;
    private final Membership membership;
    private final Snapshots snapshots;
    private final Durability durability;

    Compaction(State state, Transitions transitions) {
        this.state = state;
        this.transitions = transitions;
        this.config = state.config;
        this.log = state.log;
        this.membership = state.membership;
        this.snapshots = state.snapshots;
        this.durability = state.durability;
    }

    /**
     * Takes one when enough was applied or an operator asks, and only of what this node has on its
     * own disk too: the snapshot is then never ahead of the log in one life.
     */
    void considerSnapshot() {
        if (state.appliedIndex() == snapshots.newestIndex()) {
            snapshots.takeRequests().forEach(id -> state.emit(new Effect.Done(id)));
        } else if (snapshots.isDue(state.appliedIndex(), config.limits().snapshotLogBytes())
                && state.appliedIndex() <= durability.durableIndex()) {
            snapshots.capturing(state.appliedIndex());
            state.emit(
                    new Effect.CaptureState(
                            state.appliedIndex(),
                            log.termAt(state.appliedIndex()),
                            membership.committedIndex(),
                            membership.committed()));
        }
    }

    void snapshotSaved(Snapshot snapshot) {
        snapshots.captured().forEach(id -> state.emit(new Effect.Done(id)));
        adopt(snapshot);
    }

    /** A snapshot of what this node has applied is on its disk: the log may shrink. */
    private void adopt(Snapshot snapshot) {
        if (snapshot.index() == snapshots.newestIndex()) {
            // This node took it and its leader sent it: one state, one name, and so one file, which
            // must stay.
            return;
        }
        if (snapshot.index() < snapshots.newestIndex()) {
            // Another one arrived from the leader in the meantime.
            state.emit(new Effect.DeleteSnapshot(snapshot.index()));
            return;
        }
        snapshots.add(snapshot);
        long bytesMax = config.limits().snapshotLogBytes();
        // Some stays, so that a follower that is only a little behind needs no snapshot.
        long index = log.indexBehind(snapshot.index(), bytesMax / 4);
        if (state.role() instanceof Role.Leader leader && log.sizeBytes() < 4 * bytesMax) {
            // What follows a snapshot that is being sent is what its receiver needs next.
            for (Progress follower : leader.progress.values()) {
                Snapshot pinned = follower.snapshot();
                index = pinned == null ? index : Math.min(index, pinned.index());
            }
        }
        if (index > log.baseIndex()) {
            log.compact(index);
            durability.writeStart(index, log.termAt(index), true);
        }
        deleteUnneededSnapshots();
    }

    void deleteUnneededSnapshots() {
        List<Progress> followers =
                state.role() instanceof Role.Leader leader
                        ? List.copyOf(leader.progress.values())
                        : List.of();
        snapshots
                .unneeded(followers)
                .forEach(index -> state.emit(new Effect.DeleteSnapshot(index)));
    }

    /**
     * The newest snapshot is what this follower gets from now on.
     *
     * @return false if there is none yet that reaches behind the entry that added it; one is taken
     */
    boolean beginSnapshot(Progress progress) {
        Snapshot newest = snapshots.newest();
        if (snapshots.newestIndex() < log.baseIndex()) {
            throw new IllegalStateException(
                    "the log begins behind index "
                            + log.baseIndex()
                            + ", but the newest snapshot is "
                            + newest);
        }
        if (newest == null || newest.index() < progress.addedIndex()) {
            snapshots.wanted(progress.addedIndex());
            return false;
        }
        progress.needsSnapshot(newest);
        return true;
    }

    void sendChunk(NodeId peer, Progress progress, Snapshot pinned) {
        state.emit(
                new Effect.SendChunk(
                        peer,
                        state.term(),
                        pinned,
                        progress.snapshotOffsetBytes(),
                        config.limits().chunkBytes()));
        progress.chunkSent(state.nowNanos());
    }

    void snapshotReply(NodeId from, Message.SnapshotReply reply) {
        Progress progress = state.progressOf(from);
        if (progress != null) {
            progress.heard(state.nowNanos());
            progress.chunkWanted(reply.index(), reply.wantedOffsetBytes());
        }
    }

    void installSnapshot(NodeId from, Message.InstallSnapshot piece) {
        transitions.followLeader(from);
        if (piece.index() <= state.commitIndex()) {
            durability.sendAfterLog(from, new Message.AppendAccepted(state.term(), piece.index()));
            return;
        }
        // A snapshot must not survive a crash that the term of its last entry does not survive.
        if (!durability.isHardStateDurable()) {
            return;
        }
        Snapshots.Receipt receipt = snapshots.receipt();
        if (receipt == null || !receipt.isOf(from, piece)) {
            receipt = new Snapshots.Receipt(from, piece);
            snapshots.receipt(receipt);
        }
        if (piece.offsetBytes() == receipt.offsetBytes
                && receipt.offsetBytes + piece.data().sizeBytes() <= receipt.sizeBytes) {
            receipt.offsetBytes += piece.data().sizeBytes();
            boolean last = receipt.offsetBytes == receipt.sizeBytes;
            state.emit(
                    new Effect.KeepChunk(
                            piece.index(),
                            piece.snapshotTerm(),
                            piece.offsetBytes(),
                            piece.data(),
                            last));
        }
        if (receipt.offsetBytes < receipt.sizeBytes) {
            durability.sendAfterHardState(
                    from,
                    new Message.SnapshotReply(state.term(), piece.index(), receipt.offsetBytes));
        }
    }

    void snapshotReceived(Snapshot snapshot) {
        Snapshots.Receipt receipt = snapshots.receipt();
        boolean expected = receipt != null && snapshot.isOf(receipt.index, receipt.term);
        if (expected) {
            snapshots.receipt(null);
        }
        if (snapshot.index() <= state.commitIndex()) {
            // The log brought it first.
            adopt(snapshot);
        } else if (state.role() instanceof Role.Leader) {
            // It has all of this in its log and will find out by committing it.
            state.emit(new Effect.DeleteSnapshot(snapshot.index()));
        } else {
            restore(snapshot);
            if (expected
                    && receipt != null
                    && state.role() instanceof Role.Follower follower
                    && receipt.from.equals(follower.leader)) {
                durability.sendAfterLog(
                        receipt.from, new Message.AppendAccepted(state.term(), snapshot.index()));
            }
        }
    }

    /** Newer than all that this node knows to be committed: it takes the place of the log. */
    private void restore(Snapshot snapshot) {
        boolean keepsSuffix = log.matches(snapshot.index(), snapshot.term());
        if (keepsSuffix) {
            log.compact(snapshot.index());
        } else {
            log.restart(snapshot.index(), snapshot.term());
            membership.truncated(snapshot.configurationIndex() + 1);
        }
        durability.writeStart(snapshot.index(), snapshot.term(), keepsSuffix);
        membership.restored(snapshot.configurationIndex(), snapshot.configuration());
        state.commitIndex(snapshot.index());
        state.appliedIndex(snapshot.index());
        snapshots.add(snapshot);
        state.emit(new Effect.Restore(snapshot));
        state.membershipChanged();
        deleteUnneededSnapshots();
    }

    void snapshotSpoilt(long index, long term) {
        Snapshots.Receipt receipt = snapshots.receipt();
        if (receipt != null && receipt.index == index && receipt.term == term) {
            // The leader sends its newest piece again after a while, and is told to start over.
            snapshots.receipt(null);
        }
    }
}
