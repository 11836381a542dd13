package raft.harness.workload;

/** Whether a client tries an operation again when it does not know what became of it. */
public enum Retry {
    /** It does not: the operation ends as it ended. */
    NEVER,
    /** It does, in a session: however often it arrives, it is carried out at most once. */
    IN_SESSION,
    /** It does, without a session: it may happen twice, which a right system cannot prevent. */
    BLINDLY
}
