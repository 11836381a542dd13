package raft.core;

import java.util.ArrayDeque;

/**
 * What a leader knows about one follower.
 *
 * <p>PROBE: where the logs agree is not known yet; one AppendEntries at a time. REPLICATE: it is
 * known; entries are sent ahead of their acknowledgement, bounded by the number of messages in
 * flight.
 */
final class Progress {
    enum State {
        PROBE,
        REPLICATE
    }

    private State state = State.PROBE;
    private long matchIndex;
    private long nextIndex;

    /** Last index of each AppendEntries sent and not yet acknowledged, ascending. */
    private final ArrayDeque<Long> inflight = new ArrayDeque<>();

    private boolean probeOutstanding;
    private long lastAppendNanos;
    private long lastAckNanos;
    private long ackedRound;

    Progress(long nextIndex, long nowNanos) {
        this.nextIndex = nextIndex;
        // A new leader grants its followers a whole period before it misses them.
        this.lastAckNanos = nowNanos;
    }

    boolean maySend(int inflightMax) {
        return switch (state) {
            case PROBE -> !probeOutstanding;
            case REPLICATE -> inflight.size() < inflightMax;
        };
    }

    /** Notes that an AppendEntries that ends at {@code lastSentIndex} has left. */
    void sent(long lastSentIndex, long nowNanos) {
        lastAppendNanos = nowNanos;
        switch (state) {
            case PROBE -> probeOutstanding = true;
            case REPLICATE -> {
                if (lastSentIndex >= nextIndex) {
                    inflight.addLast(lastSentIndex);
                    nextIndex = lastSentIndex + 1;
                }
            }
        }
    }

    void accepted(long acceptedIndex) {
        matchIndex = Math.max(matchIndex, acceptedIndex);
        nextIndex = Math.max(nextIndex, matchIndex + 1);
        while (!inflight.isEmpty() && inflight.peekFirst() <= matchIndex) {
            inflight.removeFirst();
        }
        state = State.REPLICATE;
        probeOutstanding = false;
    }

    /** A rejection that cannot belong to the newest attempt says nothing any more. */
    boolean isStaleRejection(long rejectedPrevIndex) {
        return rejectedPrevIndex <= matchIndex
                || rejectedPrevIndex >= nextIndex
                || (state == State.PROBE && rejectedPrevIndex != nextIndex - 1);
    }

    /** Goes on probing at {@code next}, which is never at or below what is known to match. */
    void probeFrom(long next) {
        state = State.PROBE;
        nextIndex = Math.max(matchIndex + 1, next);
        inflight.clear();
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

    State state() {
        return state;
    }

    long matchIndex() {
        return matchIndex;
    }

    long nextIndex() {
        return nextIndex;
    }

    int inflightCount() {
        return inflight.size();
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
