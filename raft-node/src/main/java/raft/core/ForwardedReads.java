package raft.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * Reads that a follower serves itself, once its leader has said up to where the log must be applied
 * (thesis §6.4). One request at a time is on its way; reads that come meanwhile share the next,
 * because an answer says nothing of reads that came after the request had left.
 */
final class ForwardedReads {
    private List<Long> waiting = new ArrayList<>();
    private List<Long> asked = List.of();
    private long token;
    private long askedNanos;

    /** What was known to be committed when the newest of the reads asked for had come. */
    private long askedCommitIndex;

    /** In the order of their confirmation, so that their indexes never fall. */
    private final ArrayDeque<Confirmed> confirmed = new ArrayDeque<>();

    private record Confirmed(long requestId, long readIndex) {}

    void add(long requestId) {
        waiting.add(requestId);
    }

    int count() {
        return waiting.size() + asked.size() + confirmed.size();
    }

    boolean mayAsk() {
        return asked.isEmpty() && !waiting.isEmpty();
    }

    /** All that wait are asked for under {@code newToken}. */
    void asked(long newToken, long nowNanos, long commitIndex) {
        asked = waiting;
        waiting = new ArrayList<>();
        token = newToken;
        askedNanos = nowNanos;
        askedCommitIndex = commitIndex;
    }

    /**
     * Whether there has been no answer for {@code patienceNanos}: requests and answers get lost.
     */
    boolean isOverdue(long nowNanos, long patienceNanos) {
        return !asked.isEmpty() && nowNanos - askedNanos >= patienceNanos;
    }

    /** The same request leaves once more; an answer to either will do. */
    long askedAgain(long nowNanos) {
        askedNanos = nowNanos;
        return token;
    }

    void confirmed(long confirmedToken, long readIndex) {
        if (!asked.isEmpty() && confirmedToken == token) {
            Invariants.confirmed(readIndex, askedCommitIndex);
            asked.forEach(requestId -> confirmed.addLast(new Confirmed(requestId, readIndex)));
            asked = List.of();
        }
    }

    /** Takes out what can be served now. */
    void serve(long appliedIndex, BiConsumer<Long, Long> idAndReadIndex) {
        while (!confirmed.isEmpty() && confirmed.peekFirst().readIndex <= appliedIndex) {
            Confirmed next = confirmed.removeFirst();
            idAndReadIndex.accept(next.requestId, next.readIndex);
        }
    }

    /** All that were never served, in the order in which they came. */
    List<Long> unserved() {
        List<Long> all = new ArrayList<>(confirmed.stream().map(Confirmed::requestId).toList());
        all.addAll(asked);
        all.addAll(waiting);
        return all;
    }
}
