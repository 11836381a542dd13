package raft.harness.checker;

import org.jspecify.annotations.Nullable;

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
     * Why a history is impossible, in words and as data.
     *
     * @param summary one or more whole sentences that name the operations which contradict each
     *     other; operations and events are named by their place in the history
     * @param events invocations and completions of the smallest sub-history found that is still
     *     impossible, in order; an operation without a completion here is taken as one that may or
     *     may not have taken effect, even where its process goes on
     * @param operations the same sub-history by operation, in the order of the invocations
     * @param deadEnd where a search of that sub-history ends; null where it was not searched
     */
    record Explanation(
            String summary,
            List<HistoryEvent> events,
            List<Involved> operations,
            @Nullable DeadEnd deadEnd) {
        public Explanation {
            events = List.copyOf(events);
            operations = List.copyOf(operations);
        }

        public Explanation(String summary, List<HistoryEvent> events) {
            this(summary, events, List.of(), null);
        }
    }

    /**
     * An operation of the smallest sub-history.
     *
     * @param completion null where the contradiction does not need it, or where it never completed
     * @param words such as "read 412 by process 13 returned 3"
     * @param accused whether it is one of those that the summary says contradict each other; where
     *     only a search knows, the one whose answer cannot be explained
     */
    record Involved(
            HistoryEvent invocation,
            @Nullable HistoryEvent completion,
            String words,
            boolean accused) {}

    /**
     * The first completion for which there is no explanation.
     *
     * @param at that completion
     * @param possible the states in which the system could be at that moment, at most a few, each
     *     with one order of operations that leads there: the longest linearizable prefixes
     * @param possibleCount how many states there were
     */
    record DeadEnd(HistoryEvent at, List<Possible> possible, int possibleCount) {
        public DeadEnd {
            possible = List.copyOf(possible);
        }
    }

    /**
     * A state that was possible.
     *
     * @param state as the model writes it
     * @param order the invocations of the operations that lead there, in the order of their effects
     */
    record Possible(String state, List<HistoryEvent> order) {
        public Possible {
            order = List.copyOf(order);
        }
    }
}
