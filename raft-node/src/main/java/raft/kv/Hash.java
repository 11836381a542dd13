package raft.kv;

import raft.client.Blob;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** 64-bit fingerprints, the same on every machine. Not cryptographic. */
final class Hash {
    /** Odd, so that multiplying by it loses nothing. */
    private static final long BASE = 0x9E3779B97F4A7C15L;

    private Hash() {}

    /** The finaliser of MurmurHash3: every input bit reaches every output bit. */
    static long mix(long x) {
        long h = (x ^ (x >>> 33)) * 0xFF51AFD7ED558CCDL;
        h = (h ^ (h >>> 33)) * 0xC4CEB9FE1A85EC53L;
        return h ^ (h >>> 33);
    }

    /** Eight bytes at a time; the length goes in first, so that ("ab", "c") is not ("a", "bc"). */
    static long mix(long seed, Blob blob) {
        ByteBuffer in = ByteBuffer.wrap(blob.unsafeArray()).order(ByteOrder.LITTLE_ENDIAN);
        long hash = mix((seed + BASE) ^ blob.sizeBytes());
        while (in.remaining() >= Long.BYTES) {
            hash = mix(hash ^ in.getLong());
        }
        long tail = 0;
        while (in.hasRemaining()) {
            tail = (tail << 8) | Byte.toUnsignedLong(in.get());
        }
        return mix(hash ^ tail);
    }

    /** Two numbers whose order matters. */
    static long mix(long first, long second) {
        return mix(mix(first + BASE) ^ second);
    }

    /**
     * A sequence's fingerprint after an element was added to its end: Σ element × BASE^(number of
     * elements behind it), so that an element can be taken away at the front as well.
     */
    static long appended(long sequence, long element) {
        return sequence * BASE + element;
    }

    /**
     * A sequence's fingerprint after its first element was taken away.
     *
     * @param count of elements before that, ≥ 1
     */
    static long withoutFirst(long sequence, long element, int count) {
        long power = 1;
        long square = BASE;
        for (int left = count - 1; left > 0; left >>= 1) {
            if ((left & 1) == 1) {
                power *= square;
            }
            square *= square;
        }
        return sequence - element * power;
    }
}
