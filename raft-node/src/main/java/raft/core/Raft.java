package raft.core;

import java.util.List;

/** Placeholder for the algorithm's shape; see package-info. */
public final class Raft {
    public Raft(RaftConfig config, Recovered recovered, long nowNanos) {}

    /**
     * Feeds one event; {@code nowNanos} is monotonic and never falls. Returns what must be done, in
     * order.
     */
    public List<Effect> step(long nowNanos, Event event) {
        return List.of();
    }

    /** When {@link Event.Timer} is wanted next, on the clock given to {@link #step}. */
    public long deadlineNanos() {
        return Long.MAX_VALUE;
    }
}
