package raft.client;

import org.jspecify.annotations.Nullable;

/**
 * What a client can ask of the store.
 *
 * <p>Constructors throw IllegalArgumentException for sizes outside {@link Limits}, so that a
 * request that exists can be sent.
 */
public sealed interface Request {
    Blob key();

    /** Answered {@link Result.Found} or {@link Result.Absent}. Linearizable. */
    record Get(Blob key) implements Request {
        public Get {
            checkKey(key);
        }
    }

    /** Answered {@link Result.Done}. */
    record Put(Blob key, Blob value) implements Request {
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
    record Cas(Blob key, @Nullable Blob expected, Blob value) implements Request {
        public Cas {
            checkKey(key);
            if (expected != null) {
                checkValue(expected);
            }
            checkValue(value);
        }
    }

    /** Answered {@link Result.Done} where the key was there, else {@link Result.Absent}. */
    record Delete(Blob key) implements Request {
        public Delete {
            checkKey(key);
        }
    }

    /** Whether it can never change the store. */
    default boolean isRead() {
        return this instanceof Get;
    }

    private static void checkKey(Blob key) {
        if (key.sizeBytes() < 1 || key.sizeBytes() > Limits.KEY_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a key has 1 to "
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
