package raft.core;

import java.util.Arrays;

/** The arithmetic of majorities, and nothing else. */
final class Quorum {
    private Quorum() {}

    /** Least number of members that is a majority of {@code memberCount}. */
    static int size(int memberCount) {
        return memberCount / 2 + 1;
    }

    /**
     * The greatest value that a majority has reached: every member of some majority has at least
     * this.
     */
    static long reachedByMajority(long[] values) {
        long[] ascending = values.clone();
        Arrays.sort(ascending);
        return ascending[ascending.length - size(ascending.length)];
    }
}
