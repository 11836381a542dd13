package raft.core;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * This node's snapshots (§7): those on its disk, the one that is being taken, the one that is being
 * received. What is done with them is decided by {@link Compaction}.
 */
final class Snapshots {
    /** By index. */
    private final TreeMap<Long, Snapshot> onDisk = new TreeMap<>();

    /** Index of the one being taken, 0 while none is. */
    private long capturingIndex;

    private @Nullable Receipt receipt;

    /** Bytes of entries applied since the last one was begun. */
    private long appliedBytes;

    /** Operators' requests that the next one answers, and those that the present one does. */
    private List<Long> requests = new ArrayList<>();

    private List<Long> capturingFor = List.of();

    /** A member that was added needs one that reaches so far. */
    private long wantedIndex;

    /**
     * A snapshot that arrives in pieces. Bound to one leader's file: equal state does not promise
     * equal bytes.
     */
    static final class Receipt {
        final NodeId from;
        final long leaderTerm;
        final long index;
        final long term;
        final long sizeBytes;

        /** Where the next piece belongs; {@code sizeBytes} once all were handed on. */
        long offsetBytes;

        Receipt(NodeId from, Message.InstallSnapshot first) {
            this.from = from;
            this.leaderTerm = first.term();
            this.index = first.index();
            this.term = first.snapshotTerm();
            this.sizeBytes = first.sizeBytes();
        }

        boolean isOf(NodeId sender, Message.InstallSnapshot piece) {
            return from.equals(sender)
                    && leaderTerm == piece.term()
                    && index == piece.index()
                    && term == piece.snapshotTerm()
                    && sizeBytes == piece.sizeBytes();
        }
    }

    Snapshots(@Nullable Snapshot recovered) {
        if (recovered != null) {
            onDisk.put(recovered.index(), recovered);
        }
    }

    /** The newest on the disk; null while there is none. */
    @Nullable Snapshot newest() {
        return onDisk.isEmpty() ? null : onDisk.lastEntry().getValue();
    }

    /** 0 while there is none. */
    long newestIndex() {
        return onDisk.isEmpty() ? 0 : onDisk.lastKey();
    }

    void add(Snapshot snapshot) {
        onDisk.put(snapshot.index(), snapshot);
    }

    /** Takes out all that are neither the newest nor being sent to somebody. */
    List<Long> unneeded(Iterable<Progress> followers) {
        if (onDisk.size() < 2) {
            return List.of();
        }
        List<Long> indexes = new ArrayList<>(onDisk.headMap(onDisk.lastKey()).keySet());
        for (Progress follower : followers) {
            Snapshot pinned = follower.snapshot();
            if (pinned != null) {
                indexes.remove(pinned.index());
            }
        }
        indexes.forEach(onDisk::remove);
        return indexes;
    }

    // ---- Taking one ----

    void applied(Entry entry) {
        appliedBytes += entry.sizeBytes();
    }

    void request(long requestId) {
        requests.add(requestId);
    }

    void wanted(long index) {
        wantedIndex = Math.max(wantedIndex, index);
    }

    boolean isDue(long appliedIndex, long snapshotLogBytes) {
        boolean wanted = newestIndex() < wantedIndex && wantedIndex <= appliedIndex;
        return capturingIndex == 0
                && (wanted || !requests.isEmpty() || appliedBytes >= snapshotLogBytes);
    }

    void capturing(long index) {
        capturingIndex = index;
        appliedBytes = 0;
        capturingFor = requests;
        requests = new ArrayList<>();
    }

    /** The one being taken is on the disk; gives the requests that it answers. */
    List<Long> captured() {
        capturingIndex = 0;
        List<Long> answered = capturingFor;
        capturingFor = List.of();
        return answered;
    }

    /** Takes out the requests that nothing needs to be done for. */
    List<Long> takeRequests() {
        List<Long> all = requests;
        requests = new ArrayList<>();
        return all;
    }

    // ---- Receiving one ----

    @Nullable Receipt receipt() {
        return receipt;
    }

    void receipt(@Nullable Receipt next) {
        receipt = next;
    }
}
