package raft.core;

import java.util.List;

/**
 * What the algorithm needs to know before it starts.
 *
 * @param self this node
 * @param initial the members that the cluster began with, the same on all of them; {@link
 *     Configuration#NONE} for a node that is added later. Once the log or a snapshot holds a
 *     configuration, that one counts
 * @param electionTimeoutNanos least time without a leader before an election starts; each wait is
 *     drawn from [this, 2 × this)
 * @param heartbeatNanos time between a leader's heartbeats; at most a third of the election timeout
 * @param leaseDriftPercent how much faster, in percent, any node's clock may run than any other's
 *     while a leader answers reads by its lease (thesis §6.4.1); {@link #NO_LEASE} for no leases.
 *     The same on all members
 * @param seed of all randomness; another one in each life of the node
 */
public record RaftConfig(
        NodeId self,
        Configuration initial,
        long electionTimeoutNanos,
        long heartbeatNanos,
        int leaseDriftPercent,
        Limits limits,
        long seed) {
    public static final int NO_LEASE = -1;

    /**
     * @param appendBytesMax most bytes of entries in one AppendEntries (one entry may exceed it
     *     alone)
     * @param inflightAppendsMax most unacknowledged AppendEntries per follower
     * @param inflightBytesMax most bytes in them before the next one waits
     * @param uncommittedBytesMax most bytes of uncommitted entries before proposals are refused as
     *     busy
     * @param readCountMax most reads that wait before further ones are refused as busy
     * @param snapshotLogBytes bytes of applied entries after which a snapshot is taken
     * @param chunkBytes of a snapshot in one message
     */
    public record Limits(
            int appendBytesMax,
            int inflightAppendsMax,
            long inflightBytesMax,
            long uncommittedBytesMax,
            int readCountMax,
            long snapshotLogBytes,
            int chunkBytes) {
        /** For a local network. */
        public static final Limits DEFAULT =
                new Limits(1 << 20, 64, 16 << 20, 64L << 20, 1 << 16, 64L << 20, 1 << 20);

        public Limits {
            if (appendBytesMax < 1
                    || inflightAppendsMax < 1
                    || inflightBytesMax < 1
                    || uncommittedBytesMax < 1
                    || readCountMax < 1
                    || snapshotLogBytes < 1
                    || chunkBytes < 1) {
                throw new IllegalArgumentException("limits must be positive");
            }
        }

        public Limits withAppends(int bytesMax, int inflightCountMax) {
            return new Limits(
                    bytesMax,
                    inflightCountMax,
                    inflightBytesMax,
                    uncommittedBytesMax,
                    readCountMax,
                    snapshotLogBytes,
                    chunkBytes);
        }

        public Limits withUncommittedBytes(long bytesMax) {
            return new Limits(
                    appendBytesMax,
                    inflightAppendsMax,
                    inflightBytesMax,
                    bytesMax,
                    readCountMax,
                    snapshotLogBytes,
                    chunkBytes);
        }

        public Limits withSnapshots(long logBytes, int newChunkBytes) {
            return new Limits(
                    appendBytesMax,
                    inflightAppendsMax,
                    inflightBytesMax,
                    uncommittedBytesMax,
                    readCountMax,
                    logBytes,
                    newChunkBytes);
        }
    }

    public RaftConfig {
        if (heartbeatNanos < 1 || electionTimeoutNanos < 3 * heartbeatNanos) {
            throw new IllegalArgumentException(
                    "the election timeout must be at least three heartbeats, got "
                            + electionTimeoutNanos
                            + " ns and "
                            + heartbeatNanos
                            + " ns");
        }
        if (leaseDriftPercent < NO_LEASE) {
            throw new IllegalArgumentException("not a clock drift: " + leaseDriftPercent + " %");
        }
    }

    /** Defaults for a local network: 500 ms election timeout, 100 ms heartbeats, no leases. */
    public static RaftConfig defaults(NodeId self, List<NodeId> voters, long seed) {
        return new RaftConfig(
                self,
                Configuration.ofVoters(voters),
                500_000_000L,
                100_000_000L,
                NO_LEASE,
                Limits.DEFAULT,
                seed);
    }

    public RaftConfig withLimits(Limits other) {
        return new RaftConfig(
                self,
                initial,
                electionTimeoutNanos,
                heartbeatNanos,
                leaseDriftPercent,
                other,
                seed);
    }

    public RaftConfig withInitial(Configuration other) {
        return new RaftConfig(
                self, other, electionTimeoutNanos, heartbeatNanos, leaseDriftPercent, limits, seed);
    }

    public RaftConfig withLease(int driftPercent) {
        return new RaftConfig(
                self, initial, electionTimeoutNanos, heartbeatNanos, driftPercent, limits, seed);
    }
}
