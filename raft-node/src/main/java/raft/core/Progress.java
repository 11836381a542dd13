package raft.core;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;

/**
 * What a leader knows about one follower.
 *
 * <p>PROBE: where the logs agree is not known yet; one AppendEntries at a time. REPLICATE: it is
 * known; entries are sent ahead of their acknowledgement, bounded by the number of messages in
 * flight and by their bytes. SNAPSHOT: what it needs next is compacted away; pieces of one snapshot
 * are sent, one at a time, whatever newer snapshots appear meanwhile (§7).
 */
final class Progress {
    enum State {
        PROBE,
        REPLICATE,
        SNAPSHOT
    }

    /** Of the entry that made it a member; 0 for those that the cluster began with. */
    private final long addedIndex;

    private State state = State.PROBE;
    private long matchIndex;
    private long nextIndex;

    /** Each AppendEntries sent and not yet acknowledged, ascending. */
    private final ArrayDeque<Inflight> inflight = new ArrayDeque<>();

    private long inflightBytes;

    /** In PROBE an AppendEntries, in SNAPSHOT a piece, is on its way. */
    private boolean probeOutstanding;

    /** Not null exactly in SNAPSHOT. */
    private @Nullable Snapshot snapshot;

    private long snapshotOffsetBytes;
    private long lastAppendNanos;
    private long lastAckNanos;
    private long ackedRound;

    Progress(long addedIndex, long nextIndex, long nowNanos) {
        this.addedIndex = addedIndex;
        this.nextIndex = nextIndex;
        // A new leader grants its followers a whole period before it misses them.
        this.lastAckNanos = nowNanos;
    }

    private record Inflight(long lastIndex, long sizeBytes) {}

    boolean maySend(int inflightMax, long inflightBytesMax) {
        return switch (state) {
            case PROBE, SNAPSHOT -> !probeOutstanding;
            case REPLICATE -> inflight.size() < inflightMax && inflightBytes < inflightBytesMax;
        };
    }

    /** Notes that an AppendEntries that ends at {@code lastSentIndex} has left. */
    void sent(long lastSentIndex, long sizeBytes, long nowNanos) {
        lastAppendNanos = nowNanos;
        switch (state) {
            case PROBE -> probeOutstanding = true;
            case REPLICATE -> {
                if (lastSentIndex >= nextIndex) {
                    inflight.addLast(new Inflight(lastSentIndex, sizeBytes));
                    inflightBytes += sizeBytes;
                    nextIndex = lastSentIndex + 1;
                }
            }
            case SNAPSHOT -> throw new IllegalStateException("entries sent beside a snapshot");
        }
    }

    void accepted(long acceptedIndex) {
        matchIndex = Math.max(matchIndex, acceptedIndex);
        Snapshot pinned = snapshot;
        if (pinned != null && matchIndex < pinned.index()) {
            // A late answer to entries sent before; the snapshot is still what it needs.
            return;
        }
        nextIndex = Math.max(nextIndex, matchIndex + 1);
        while (!inflight.isEmpty() && inflight.peekFirst().lastIndex <= matchIndex) {
            inflightBytes -= inflight.removeFirst().sizeBytes;
        }
        state = State.REPLICATE;
        snapshot = null;
        probeOutstanding = false;
    }

    /**
     * What it needs next is not for it to be had from the log. Either that begins later, or the
     * entries are from before it was added: with those it would pass through configurations in
     * which somebody of its name had a vote, and would use it, though what that one had voted and
     * acknowledged went with its disk.
     *
     * @param baseIndex up to which the log is compacted away
     */
    boolean isBehindLog(long baseIndex) {
        return nextIndex <= Math.max(baseIndex, addedIndex);
    }

    /** It {@link #isBehindLog}, and this is what it gets instead. */
    void needsSnapshot(Snapshot pinned) {
        state = State.SNAPSHOT;
        snapshot = pinned;
        snapshotOffsetBytes = 0;
        nextIndex = Math.max(matchIndex, pinned.index()) + 1;
        clearInflight();
        probeOutstanding = false;
    }

    void chunkSent(long nowNanos) {
        lastAppendNanos = nowNanos;
        probeOutstanding = true;
    }

    /** It wants the snapshot with this index from {@code offsetBytes} on. */
    void chunkWanted(long index, long offsetBytes) {
        Snapshot pinned = snapshot;
        if (pinned != null && pinned.index() == index && offsetBytes < pinned.sizeBytes()) {
            snapshotOffsetBytes = Math.max(0, offsetBytes);
            probeOutstanding = false;
        }
    }

    private void clearInflight() {
        inflight.clear();
        inflightBytes = 0;
    }

    /** A rejection that cannot belong to the newest attempt says nothing any more. */
    boolean isStaleRejection(long rejectedPrevIndex) {
        return state == State.SNAPSHOT
                || rejectedPrevIndex <= matchIndex
                || rejectedPrevIndex >= nextIndex
                || (state == State.PROBE && rejectedPrevIndex != nextIndex - 1);
    }

    /** Goes on probing at {@code next}, which is never at or below what is known to match. */
    void probeFrom(long next) {
        state = State.PROBE;
        nextIndex = Math.max(matchIndex + 1, next);
        clearInflight();
        probeOutstanding = false;
    }

    /**
     * Messages get lost; a heartbeat's reply is the moment to try again what was not acknowledged.
     */
    void retryProbe() {
        probeOutstanding = false;
    }

    void heard(long nowNanos) {
        lastAckNanos = nowNanos;
    }

    void roundAcked(long round) {
        ackedRound = Math.max(ackedRound, round);
    }

    long addedIndex() {
        return addedIndex;
    }

    State state() {
        return state;
    }

    long matchIndex() {
        return matchIndex;
    }

    long nextIndex() {
        return nextIndex;
    }

    /** Null except in SNAPSHOT. */
    @Nullable Snapshot snapshot() {
        return snapshot;
    }

    /** Where the next piece begins. */
    long snapshotOffsetBytes() {
        return snapshotOffsetBytes;
    }

    int inflightCount() {
        return inflight.size();
    }

    long inflightBytes() {
        return inflightBytes;
    }

    long lastAppendNanos() {
        return lastAppendNanos;
    }

    long lastAckNanos() {
        return lastAckNanos;
    }

    long ackedRound() {
        return ackedRound;
    }
}
