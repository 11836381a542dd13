package raft.client;

import org.jspecify.annotations.Nullable;

/**
 * What a client can ask of a server: of the store ({@link Read}, {@link Write}, alone or {@link
 * InSession}), for a session of its own ({@link Session}), or of the cluster itself ({@link
 * Admin}).
 *
 * <p>A key holds one kind of thing: a value, a list, a counter, a set, a queue or a lock; the first
 * write decides which, and only {@link Delete} ends it. A write for another kind is refused as
 * {@link Refusal#WRONG_TYPE}.
 *
 * <p>Constructors throw IllegalArgumentException for sizes outside {@link Limits}, so that a
 * request that exists can be sent.
 */
public sealed interface Request {
    /** Concerns one key. */
    sealed interface Keyed extends Request {
        /** 1 to {@link Limits#KEY_BYTES_MAX} bytes. */
        Blob key();
    }

    /** Changes nothing, and never stands in a log. */
    sealed interface Read extends Request {
        Consistency consistency();
    }

    /** May change its key, and nothing else. */
    sealed interface Write extends Keyed {}

    // ---- reads

    /**
     * Answered by what the key holds: {@link Result.Found} a value, {@link Result.Elements} a list,
     * a set (sorted) or a queue (oldest first), {@link Result.Number} a counter, {@link
     * Result.Held} a lock; {@link Result.Absent} for nothing.
     */
    record Get(Blob key, Consistency consistency) implements Keyed, Read {
        public Get {
            checkKey(key);
        }

        /** Linearizable. */
        public Get(Blob key) {
            this(key, Consistency.LINEARIZABLE);
        }
    }

    /** Answered {@link Result.Versioned} or {@link Result.Absent}; only for plain values. */
    record GetVersioned(Blob key, Consistency consistency) implements Keyed, Read {
        public GetVersioned {
            checkKey(key);
        }
    }

    /**
     * Answered {@link Result.Keys}: the keys that begin with {@code prefix}, in the order of their
     * unsigned bytes.
     *
     * @param prefix empty for all keys
     * @param startAfter only keys greater than this; empty to begin with the first
     * @param limit most keys to answer, 1 to {@link Limits#LIST_KEYS_MAX}; there may be fewer
     */
    record ListKeys(Blob prefix, Blob startAfter, int limit, Consistency consistency)
            implements Read {
        public ListKeys {
            checkKeySize(prefix, 0);
            checkKeySize(startAfter, 0);
            if (limit < 1 || limit > Limits.LIST_KEYS_MAX) {
                throw new IllegalArgumentException(
                        "a listing has 1 to " + Limits.LIST_KEYS_MAX + " keys, not " + limit);
            }
        }
    }

    // ---- writes of plain values

    /** Answered {@link Result.Done}. */
    record Put(Blob key, Blob value) implements Write {
        public Put {
            checkKey(key);
            checkValue(value);
        }
    }

    /**
     * Sets {@code value} if the present value equals {@code expected}. Answered {@link Result.Done}
     * or {@link Result.CompareFailed}.
     *
     * @param expected null: the key must be absent
     */
    record Cas(Blob key, @Nullable Blob expected, Blob value) implements Write {
        public Cas {
            checkKey(key);
            if (expected != null) {
                checkValue(expected);
            }
            checkValue(value);
        }
    }

    /**
     * Sets {@code value} if the key has version {@code version}, which counts the writes since it
     * was absent. Answered {@link Result.Number}, the version after it, or {@link
     * Result.CompareFailed}.
     *
     * @param version 0: the key must be absent; {@link #ANY_VERSION}: it may have any
     */
    record PutIfVersion(Blob key, long version, Blob value) implements Write {
        public static final long ANY_VERSION = -1;

        public PutIfVersion {
            checkKey(key);
            checkValue(value);
        }
    }

    /**
     * Of whatever kind. Answered {@link Result.Done} where the key was there, else {@link
     * Result.Absent}.
     */
    record Delete(Blob key) implements Write {
        public Delete {
            checkKey(key);
        }
    }

    // ---- writes of other kinds

    /** Adds to the end of a list. Answered {@link Result.Number}: how many it has now. */
    record Append(Blob key, Blob element) implements Write {
        public Append {
            checkKey(key);
            checkValue(element);
        }
    }

    /**
     * Adds to a counter, which begins at 0. Answered {@link Result.Number}: the total after it.
     *
     * @param delta refused as {@link Refusal#TOO_LARGE} where the total would leave 64 bits
     */
    record Increment(Blob key, long delta) implements Write {
        public Increment {
            checkKey(key);
        }
    }

    /**
     * Adds to a set, where it may be already. Answered {@link Result.Number}: how many it has now.
     */
    record AddToSet(Blob key, Blob element) implements Write {
        public AddToSet {
            checkKey(key);
            checkValue(element);
        }
    }

    /** Adds to the end of a queue. Answered {@link Result.Number}: how many wait now. */
    record Enqueue(Blob key, Blob element) implements Write {
        public Enqueue {
            checkKey(key);
            checkValue(element);
        }
    }

    /**
     * Takes the oldest element of a queue. Answered {@link Result.Found}, or {@link Result.Absent}
     * when it is empty.
     */
    record Dequeue(Blob key) implements Write {
        public Dequeue {
            checkKey(key);
        }
    }

    /**
     * Takes a lock. Answered {@link Result.Number}: a fencing token greater than all that any lock
     * of this store gave before; the same one again to the owner that holds it; {@link
     * Result.CompareFailed} while another holds it.
     *
     * @param owner who will hold it
     */
    record Acquire(Blob key, Blob owner) implements Write {
        public Acquire {
            checkKey(key);
            checkValue(owner);
        }
    }

    /**
     * Gives a lock back. Answered {@link Result.Done}, or {@link Result.CompareFailed} where this
     * owner does not hold it with this token.
     *
     * @param token 0: whichever token the owner holds it with
     */
    record Release(Blob key, Blob owner, long token) implements Write {
        public Release {
            checkKey(key);
            checkValue(owner);
        }
    }

    // ---- sessions

    /**
     * A write that is carried out at most once, however often it arrives (thesis §6.3): the answer
     * to the first is kept and given to the others, until the client says that it has it.
     *
     * @param session as {@link Session.Register} answered
     * @param sequence 1, 2, 3, … within the session; a retry has the number of the first try
     * @param lowestOpen the lowest number that the client still waits for, 1 to {@code sequence}:
     *     answers below it are forgotten
     */
    record InSession(long session, long sequence, long lowestOpen, Write write) implements Request {
        public InSession {
            if (session == 0) {
                throw new IllegalArgumentException("no session has id 0");
            }
            if (lowestOpen < 1 || sequence < lowestOpen) {
                throw new IllegalArgumentException(
                        "sequence numbers begin at 1 and none is below the lowest open one, not "
                                + sequence
                                + " with "
                                + lowestOpen);
            }
        }
    }

    /** A client's memory in the store. */
    sealed interface Session extends Request {
        /** Answered {@link Result.Number}: the new session's id. */
        record Register() implements Session {}

        /** Uses a session without a write, so that it is not the longest unused. */
        record KeepAlive(long session) implements Session {}

        /** Ends a session: all its answers are forgotten. */
        record Close(long session) implements Session {}
    }

    // ---- administration

    /** For operators: the cluster itself. Answered by the leader unless said otherwise. */
    sealed interface Admin extends Request {
        /** Gives a node the log without a vote. Answered {@link Result.Done} once committed. */
        record AddLearner(String id, String peerAddress) implements Admin {
            public AddLearner {
                Member.checkId(id);
                Member.checkAddress(peerAddress);
            }
        }

        /** Makes a learner that has caught up a voter. Answered {@link Result.Done}. */
        record Promote(String id) implements Admin {
            public Promote {
                Member.checkId(id);
            }
        }

        /** Takes a voter or a learner out. Answered {@link Result.Done} once committed. */
        record Remove(String id) implements Admin {
            public Remove {
                Member.checkId(id);
            }
        }

        /**
         * Hands leadership over (thesis §3.10). Answered {@link Result.Done} when it was handed
         * over.
         *
         * @param to null: to whoever is furthest
         */
        record TransferLeadership(@Nullable String to) implements Admin {
            public TransferLeadership {
                if (to != null) {
                    Member.checkId(to);
                }
            }
        }

        /** Any node: a snapshot now. Answered {@link Result.Number}, the log index it stands at. */
        record TakeSnapshot() implements Admin {}

        /**
         * Any voter: an election now, as if its timeout were over. Answered {@link Result.Done}.
         */
        record StartElection() implements Admin {}

        /** Any node: the configuration it goes by. Answered {@link Result.Configuration}. */
        record ReadConfiguration() implements Admin {}
    }

    /** Whether it asks the store and can never change it. */
    default boolean isRead() {
        return this instanceof Read;
    }

    private static void checkKey(Blob key) {
        checkKeySize(key, 1);
    }

    private static void checkKeySize(Blob key, int bytesMin) {
        if (key.sizeBytes() < bytesMin || key.sizeBytes() > Limits.KEY_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a key has "
                            + bytesMin
                            + " to "
                            + Limits.KEY_BYTES_MAX
                            + " bytes, this one has "
                            + key.sizeBytes());
        }
    }

    private static void checkValue(Blob value) {
        if (value.sizeBytes() > Limits.VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a value has at most "
                            + Limits.VALUE_BYTES_MAX
                            + " bytes, this one has "
                            + value.sizeBytes());
        }
    }
}
