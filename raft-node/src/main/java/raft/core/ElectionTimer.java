package raft.core;

/**
 * How long this node waits for a leader before it stands for election itself (§5.2). Owns the
 * deadline and the randomness, which comes from the configuration's seed alone.
 */
final class ElectionTimer {
    private final RaftConfig config;
    private long deadlineNanos;
    private long drawnCount;

    ElectionTimer(RaftConfig config, long nowNanos) {
        this.config = config;
        draw(nowNanos);
    }

    /**
     * §5.2: each wait is drawn anew, from [timeout, 2 × timeout), so that split votes are rare and
     * do not repeat.
     */
    void draw(long nowNanos) {
        long draw =
                SplitMix.mix(
                        config.seed()
                                ^ SplitMix.mix(
                                        config.self().name().hashCode()
                                                ^ SplitMix.mix(++drawnCount)));
        long timeout = config.electionTimeoutNanos();
        deadlineNanos = nowNanos + timeout + Math.floorMod(draw, timeout);
    }

    /** On the clock given to {@link Raft#step}. */
    long deadlineNanos() {
        return deadlineNanos;
    }
}
