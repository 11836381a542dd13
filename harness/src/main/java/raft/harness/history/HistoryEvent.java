package raft.harness.history;

import org.jspecify.annotations.Nullable;

/**
 * One line of a history.
 *
 * <p>An invocation is recorded before it is sent, a completion after it was received, so recorded
 * intervals are never narrower than the real ones.
 *
 * @param index position in the history: 0, 1, 2, …
 * @param timeNanos since the run began, by one monotonic clock; never falls
 * @param process the logical client, ≥ 0, or {@link #NEMESIS}
 * @param type what the line says
 * @param f the operation: "read", "write", "cas", …, or the fault's name
 * @param key the object concerned; NIL where there is only one
 * @param value what was asked (invocation) or learnt (completion); a completion that learnt nothing
 *     keeps the invocation's
 * @param node the node that was asked or that answered, where known
 * @param error why, for {@code FAIL} and {@code INFO}
 * @param term the term in which it was answered, 0 where unknown
 * @param logIndex the log index at which it took effect, 0 where unknown
 */
public record HistoryEvent(
        long index,
        long timeNanos,
        long process,
        Type type,
        String f,
        Value key,
        Value value,
        @Nullable String node,
        @Nullable String error,
        long term,
        long logIndex) {

    /** The process number that stands for the fault injector; written "nemesis" in files. */
    public static final long NEMESIS = -1;

    /** Jepsen's four types. */
    public enum Type {
        INVOKE,
        /** It took effect, exactly once, between invocation and completion. */
        OK,
        /** It certainly did not and never will take effect. */
        FAIL,
        /** It may have taken effect, may do so later, or never. */
        INFO
    }

    /** The same event of another process. */
    public HistoryEvent withProcess(long other) {
        return new HistoryEvent(
                index, timeNanos, other, type, f, key, value, node, error, term, logIndex);
    }
}
