package raft.node;

/** What happens when the node must not go on. */
@FunctionalInterface
public interface Fatal {
    /** An invariant broke: a bug of ours. */
    int BUG = 70;

    /** A write or an fsync failed. */
    int DISK = 74;

    /**
     * Ends the process at once, without shutdown hooks, which would only touch what is broken.
     * Returns in tests only.
     *
     * @param status {@link #BUG} or {@link #DISK}
     */
    void stop(int status, String what, Throwable cause);
}
