package raft.harness.cluster;

import raft.harness.history.Value;

/**
 * A client operation to carry out.
 *
 * @param process the logical client; no other invocation of the same process is outstanding
 * @param node the node the client is bound to and asks first; it follows leader hints from there
 * @param timeoutNanos after which the client stops waiting
 * @param retry what it does until then when it does not know what became of a write
 */
public record Invocation(
        long process,
        String node,
        String f,
        Value key,
        Value value,
        long timeoutNanos,
        Retry retry) {

    /** How many times an operation that is tried again may time out before it is given up. */
    public static final int ATTEMPTS = 6;

    /** Whether a write is tried again. */
    public enum Retry {
        /** It is not: the operation ends as its only attempt ends. */
        NEVER,
        /** It is, in a session: however often it arrives, it is carried out at most once. */
        IN_SESSION,
        /** It is, without a session: it may happen twice, which a right system cannot prevent. */
        BLINDLY
    }

    /** Never tried again. */
    public Invocation(
            long process, String node, String f, Value key, Value value, long timeoutNanos) {
        this(process, node, f, key, value, timeoutNanos, Retry.NEVER);
    }

    /** After which one attempt is given up. */
    public long attemptNanos() {
        return retry == Retry.NEVER ? timeoutNanos : timeoutNanos / ATTEMPTS;
    }
}
