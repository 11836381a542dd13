package raft.core;

import java.util.List;

/**
 * What the algorithm needs to know before it starts.
 *
 * @param self this node
 * @param voters all voting members, self included, without duplicates
 * @param electionTimeoutNanos least time without a leader before an election starts; each wait is
 *     drawn from [this, 2 × this)
 * @param heartbeatNanos time between a leader's heartbeats; at most a third of the election timeout
 * @param appendBytesMax most bytes of entries in one AppendEntries (one entry may exceed it alone)
 * @param inflightAppendsMax most unacknowledged AppendEntries per follower
 * @param uncommittedBytesMax most bytes of uncommitted entries before proposals are refused as busy
 * @param seed of the election timeouts' randomness
 */
public record RaftConfig(
        NodeId self,
        List<NodeId> voters,
        long electionTimeoutNanos,
        long heartbeatNanos,
        int appendBytesMax,
        int inflightAppendsMax,
        long uncommittedBytesMax,
        long seed) {

    public RaftConfig {
        voters = voters.stream().sorted().toList();
        if (!voters.contains(self)) {
            throw new IllegalArgumentException(self + " is not among the voters " + voters);
        }
        if (voters.stream().distinct().count() != voters.size()) {
            throw new IllegalArgumentException("duplicate voters: " + voters);
        }
        if (heartbeatNanos < 1 || electionTimeoutNanos < 3 * heartbeatNanos) {
            throw new IllegalArgumentException(
                    "the election timeout must be at least three heartbeats, got "
                            + electionTimeoutNanos
                            + " ns and "
                            + heartbeatNanos
                            + " ns");
        }
        if (appendBytesMax < 1 || inflightAppendsMax < 1 || uncommittedBytesMax < 1) {
            throw new IllegalArgumentException("limits must be positive");
        }
    }

    /** Defaults for a local network: 500 ms election timeout, 100 ms heartbeats. */
    public static RaftConfig defaults(NodeId self, List<NodeId> voters, long seed) {
        return new RaftConfig(
                self, voters, 500_000_000L, 100_000_000L, 1 << 20, 64, 64L << 20, seed);
    }
}
