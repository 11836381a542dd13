package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** What the search of one {@link Part} found. Outcomes are taken apart and never compared. */
@SuppressWarnings("ArrayRecordComponent")
sealed interface Outcome {
    /**
     * It is linearizable.
     *
     * @param order one linearization as operation numbers, null unless it was asked for
     */
    record Fits(int @Nullable [] order) implements Outcome {}

    /**
     * It is not.
     *
     * @param atEvent the place in the part's events of the first completion that cannot be
     *     explained
     * @param culprits operations that contradict each other, in a few words of reason; empty where
     *     only the search knows
     * @param states what was possible before {@code atEvent}, for people
     */
    record Impossible(int atEvent, @Nullable String reason, int[] culprits, List<String> states)
            implements Outcome {}

    /** It is not, for certain and with an explanation. */
    record Accusation(Verdict.Explanation why) implements Outcome {}

    /**
     * The budget ended.
     *
     * @param atEvent how far it came in the part's events
     * @param openCount operations open there
     * @param width configurations there
     */
    record GaveUp(int atEvent, int openCount, int width) implements Outcome {}
}
