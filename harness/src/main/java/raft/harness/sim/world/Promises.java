package raft.harness.sim.world;

import java.util.Arrays;
import java.util.TreeMap;

/**
 * What nodes have promised one another by message: votes, and entries that they hold. Each promise
 * belongs to the term in which it was made (Figure 2); one of an earlier term counts for nothing.
 */
final class Promises {
    private final int nodeCount;

    /** By term, then by the voter's number: whom it promised its vote; -1 for nobody. */
    private final TreeMap<Long, int[]> votes = new TreeMap<>();

    /** By term, then by the follower's number: the greatest index it acknowledged. */
    private final TreeMap<Long, long[]> acknowledged = new TreeMap<>();

    /** By term, then by the follower's number: the newest round of heartbeats that reached it. */
    private final TreeMap<Long, long[]> rounds = new TreeMap<>();

    Promises(int nodeCount) {
        this.nodeCount = nodeCount;
    }

    void votePromised(long term, int voter, int candidate) {
        votes.computeIfAbsent(
                                term,
                                ignored -> {
                                    int[] nobody = new int[nodeCount];
                                    Arrays.fill(nobody, -1);
                                    return nobody;
                                })[voter] =
                candidate;
    }

    void indexAcknowledged(long term, int follower, long index) {
        long[] indexes = acknowledged.computeIfAbsent(term, ignored -> new long[nodeCount]);
        indexes[follower] = Math.max(indexes[follower], index);
    }

    void roundHeard(long term, int follower, long round) {
        long[] ofTerm = rounds.computeIfAbsent(term, ignored -> new long[nodeCount]);
        ofTerm[follower] = Math.max(ofTerm[follower], round);
    }

    /** The newest round of this term that a follower heard of; 0 for none. */
    long heardRound(long term, int follower) {
        long[] ofTerm = rounds.get(term);
        return ofTerm == null ? 0 : ofTerm[follower];
    }

    /** Nodes that promised their vote of this term to the candidate. */
    boolean votedFor(long term, int voter, int candidate) {
        int[] ofTerm = votes.get(term);
        return ofTerm != null && ofTerm[voter] == candidate;
    }

    /** The greatest index that a follower acknowledged in this term; 0 for none. */
    long acknowledgedIndex(long term, int follower) {
        long[] ofTerm = acknowledged.get(term);
        return ofTerm == null ? 0 : ofTerm[follower];
    }
}
