package raft.harness.sim;

/**
 * Randomness keyed by purpose: each draw is a function of the seed, what it is for, and its own
 * number there. Taking one message, write or client away leaves all other draws as they were, which
 * is what lets a failing run be made smaller.
 */
public final class Keyed {
    /** What a draw is for. The code is part of the key: never reuse one. */
    public enum Purpose {
        NETWORK(1),
        DISK(2),
        ELECTION(3),
        CLIENT(4),
        HICCUP(5),
        CRASH(6),
        ROT(7),
        SALT(8),
        SWARM(9),
        DRIFT(10),
        LIVENESS(11),
        PLAN(12),
        UPKEEP(13),
        LEASE(14),
        WORKLOAD(15),
        WAKING(16),
        LATE(17),
        SURVIVAL(18);

        private final int code;

        Purpose(int code) {
            this.code = code;
        }
    }

    private Keyed() {}

    /** The draw's 64 bits. */
    public static long key(long seed, Purpose purpose, long a, long b, long n) {
        return mix(seed ^ mix(purpose.code + (a << 8) + (b << 24) + mix(n)));
    }

    /** One of several numbers out of one draw. */
    public static long part(long key, int number) {
        return mix(key + number);
    }

    /** Evenly from [0, bound) up to a bias that nobody can measure. */
    public static int below(long key, int bound) {
        return (int) (((key >>> 32) * bound) >>> 32);
    }

    /** Evenly from [from, to); {@code from} where that is empty. */
    public static long between(long key, long from, long to) {
        return to <= from ? from : from + (key >>> 1) % (to - from);
    }

    /** True for this share of draws, in thousandths. */
    public static boolean permille(long key, int share) {
        return below(key, 1000) < share;
    }

    /** The finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
    public static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
