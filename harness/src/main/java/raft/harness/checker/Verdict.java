package raft.harness.checker;

import raft.harness.history.HistoryEvent;

import java.util.List;

/** What a check found. Every verdict says how many operations it judged. */
public sealed interface Verdict {
    long operationCount();

    /** There is a linearization. */
    record Valid(long operationCount) implements Verdict {}

    /** There is none. */
    record Violation(long operationCount, Explanation explanation) implements Verdict {}

    /**
     * The budget ended first. {@code reason} says at which operation, how many were open, how wide
     * the search was.
     */
    record Unknown(long operationCount, String reason) implements Verdict {}

    /**
     * Why a history is impossible.
     *
     * @param summary one or more whole sentences that name the operations which contradict each
     *     other
     * @param events invocations and completions of the smallest sub-history found that is still
     *     impossible, in order
     */
    record Explanation(String summary, List<HistoryEvent> events) {
        public Explanation {
            events = List.copyOf(events);
        }
    }
}
