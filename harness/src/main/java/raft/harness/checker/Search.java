package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.model.Operation;

import java.util.List;

/** A search that is fed with events in order and keeps what is possible after them. */
interface Search {
    /** The return position of an operation that never completes. */
    long CRASHED = Long.MAX_VALUE;

    /** What came of a completion. */
    enum Step {
        GOES_ON,
        /** No configuration explains it. */
        STUCK,
        /** The budget ended. */
        SPENT
    }

    /**
     * An operation begins.
     *
     * @param returnPosition where it will complete; only the order of these numbers matters
     * @return false when the budget is spent
     */
    boolean invoke(int operation, Operation what, long returnPosition);

    /**
     * An operation that has begun and did not crash completes. After STUCK nothing changes any
     * more.
     */
    Step complete(int operation);

    /** Whether configurations were left out: then STUCK proves nothing. */
    boolean dropped();

    /** Operations that are pending now. */
    int openCount();

    /** Configurations held now. */
    int width();

    /** One linearization of what was fed, where that is being traced. */
    int @Nullable [] order();

    /** Some of the states that are possible now, for people. */
    List<String> possibleStates(int most);
}
