package raft.harness.sim.world;

/**
 * Ends loops of a wrong node that would never end. {@link raft.harness.sim.NodeCode} puts a call of
 * {@link #tick} at every jump backwards in the node's code, in variants only; each variant has this
 * class, and so this counter, for itself, and runs in one thread. Where a person travels in time a
 * second one may repeat steps that have ended before: then the counter may be reset too often,
 * which does no harm.
 */
public final class LoopGuard {
    /** A step of a right node makes some thousands of turns at most. */
    private static final int TICKS_MAX = 4_000_000;

    private static int tickCount;

    private LoopGuard() {}

    /** The node begins something new. */
    static void reset() {
        tickCount = 0;
    }

    /**
     * A loop goes round.
     *
     * @throws IllegalStateException when it has gone round too often
     */
    public static void tick() {
        if (++tickCount > TICKS_MAX) {
            tickCount = 0;
            throw new IllegalStateException("a loop in the node does not end");
        }
    }
}
