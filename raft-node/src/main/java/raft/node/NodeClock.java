package raft.node;

/** The two clocks of a node; Raft's timers run on the monotonic one alone. */
public interface NodeClock {
    NodeClock SYSTEM =
            new NodeClock() {
                @Override
                public long nanoTime() {
                    return System.nanoTime();
                }

                @Override
                public long utcMillis() {
                    return System.currentTimeMillis();
                }
            };

    /** Monotonic, from an arbitrary origin. */
    long nanoTime();

    /** Milliseconds since 1970 UTC; may jump. For people only. */
    long utcMillis();
}
