package raft.kv;

import org.jspecify.annotations.Nullable;

import raft.client.ClientCodec;
import raft.client.Limits;
import raft.client.Refusal;
import raft.client.Request;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * What the state machine remembers of its clients, so that a write that is sent again is not
 * carried out again (thesis §6.3).
 *
 * <p>Which session goes is decided by the log alone: when there are too many, or their answers are
 * too large together, the one whose last use stands at the lowest index. The entry that is being
 * applied belongs to the newest, which therefore never goes. No clock is asked: thesis §6.3's other
 * way, the leader's time in each entry, would let a leader whose clock runs ahead end everybody's
 * sessions.
 */
final class Sessions {
    /** More than this many, and the longest unused goes. */
    static final int SESSION_COUNT_MAX = 10_000;

    /** Likewise, for all answers together. */
    static final long ANSWER_BYTES_MAX = 64L << 20;

    /** A session that keeps this much gets nothing done until it says which answers it has. */
    static final long ANSWER_BYTES_PER_SESSION_MAX = 16L << 20;

    private static final long ANSWER_OVERHEAD_BYTES = 64;

    /** By id, the longest unused first. */
    private final LinkedHashMap<Long, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);

    private long answerBytes;
    private long hash;

    /** How many there are. */
    int count() {
        return sessions.size();
    }

    /** Of all sessions together; 0 where there are none. */
    long hash() {
        return hash;
    }

    /** Those there are, the longest unused first. Must not be used after the next change. */
    Iterable<Session> all() {
        return sessions.values();
    }

    /**
     * Opens a session whose id is the entry's index, which no other ever has.
     *
     * @return the id
     */
    long register(long index) {
        restore(new Session(index, index));
        evict();
        return index;
    }

    /** Marks a session as used; false where there is none. */
    boolean use(long id, long index) {
        Session session = sessions.get(id);
        if (session == null) {
            return false;
        }
        hash -= session.hash();
        session.lastUsedIndex = index;
        hash += session.hash();
        return true;
    }

    /** Ends a session; false where there is none. */
    boolean close(long id) {
        Session session = sessions.remove(id);
        if (session == null) {
            return false;
        }
        hash -= session.hash();
        answerBytes -= session.answerBytes;
        return true;
    }

    /**
     * The answer kept for a write; where there is none, it is carried out and its answer kept.
     *
     * @param write carries it out; called at most once
     */
    Applied once(long index, Request.InSession request, Supplier<Applied> write) {
        if (!use(request.session(), index)) {
            return expired(request.session());
        }
        Session session = sessions.get(request.session());
        if (session == null) {
            throw new IllegalStateException("session " + request.session() + " was there just now");
        }
        hash -= session.hash();
        answerBytes -= session.answerBytes;
        Applied answer = session.once(request, write);
        hash += session.hash();
        answerBytes += session.answerBytes;
        evict();
        return answer;
    }

    static Applied expired(long id) {
        return new Applied.Rejected(
                Refusal.SESSION_EXPIRED,
                "There is no session " + Long.toUnsignedString(id) + ", or not any more.");
    }

    /** Takes in a session that is newer than all others. */
    void restore(Session session) {
        sessions.put(session.id, session);
        hash += session.hash();
        answerBytes += session.answerBytes;
    }

    private void evict() {
        while (sessions.size() > SESSION_COUNT_MAX || answerBytes > ANSWER_BYTES_MAX) {
            close(sessions.firstEntry().getKey());
        }
    }

    /** Of one client. */
    static final class Session {
        final long id;
        private long lastUsedIndex;

        /** Answers below were received. */
        private long lowestOpen = 1;

        private final TreeMap<Long, Applied> answers = new TreeMap<>();
        private long answerBytes;
        private long answersHash;

        Session(long id, long lastUsedIndex) {
            this.id = id;
            this.lastUsedIndex = lastUsedIndex;
        }

        long lastUsedIndex() {
            return lastUsedIndex;
        }

        long lowestOpen() {
            return lowestOpen;
        }

        /** By sequence number. */
        Map<Long, Applied> answers() {
            return answers;
        }

        Session copy() {
            Session copy = new Session(id, lastUsedIndex);
            copy.lowestOpen = lowestOpen;
            copy.answers.putAll(answers);
            copy.answerBytes = answerBytes;
            copy.answersHash = answersHash;
            return copy;
        }

        private long hash() {
            return Hash.mix(Hash.mix(id, lastUsedIndex), Hash.mix(lowestOpen, answersHash));
        }

        private Applied once(Request.InSession request, Supplier<Applied> write) {
            forgetBelow(request.lowestOpen());
            long sequence = request.sequence();
            if (sequence < lowestOpen) {
                return new Applied.Forgotten();
            }
            @Nullable Applied kept = answers.get(sequence);
            if (kept != null) {
                return kept;
            }
            if (sequence - lowestOpen >= Limits.SESSION_ANSWERS_MAX
                    || answerBytes >= ANSWER_BYTES_PER_SESSION_MAX) {
                return new Applied.Rejected(
                        Refusal.TOO_LARGE,
                        "Session "
                                + Long.toUnsignedString(id)
                                + " keeps too many answers; say which have arrived.");
            }
            Applied answer = write.get();
            keep(sequence, answer);
            return answer;
        }

        void forgetBelow(long lowest) {
            while (!answers.isEmpty() && answers.firstKey() < lowest) {
                Map.Entry<Long, Applied> first = answers.pollFirstEntry();
                answerBytes -= bytes(first.getValue());
                answersHash -= hash(first.getKey(), first.getValue());
            }
            lowestOpen = Math.max(lowestOpen, lowest);
        }

        void keep(long sequence, Applied answer) {
            answers.put(sequence, answer);
            answerBytes += bytes(answer);
            answersHash += hash(sequence, answer);
        }

        private static long bytes(Applied answer) {
            return ANSWER_OVERHEAD_BYTES
                    + switch (answer) {
                        case Applied.Answered(var result) ->
                                ClientCodec.encodeResult(result).sizeBytes();
                        case Applied.Rejected(_, String message) -> message.length();
                        case Applied.Forgotten() -> 0;
                    };
        }

        /** Without the words of a refusal: they may change between versions of this software. */
        private static long hash(long sequence, Applied answer) {
            return switch (answer) {
                case Applied.Answered(var result) ->
                        Hash.mix(sequence, ClientCodec.encodeResult(result));
                case Applied.Rejected(Refusal reason, _) -> Hash.mix(sequence, reason.code());
                case Applied.Forgotten() -> Hash.mix(sequence);
            };
        }
    }
}
