package raft.client;

/** How fresh an answer to a read must be. Codes are bits 0 and 1 of the flags on the wire. */
public enum Consistency {
    /** The newest value: the leader makes sure that it still leads before it answers (§8). */
    LINEARIZABLE(0),
    /**
     * As linearizable where clocks keep within the drift that the cluster was told of (thesis
     * §6.4.1). A server without leases answers as for {@link #LINEARIZABLE}, which is never worse.
     */
    LEASE(1),
    /** Whatever the node that was asked has applied; may be arbitrarily old. Any node answers. */
    STALE(2);

    private final int code;

    Consistency(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }
}
