package raft.harness.workload;

import raft.harness.history.HistoryEvent;

import java.util.List;
import java.util.function.LongPredicate;

/**
 * A source of operations, put together by {@link Generators}. Deterministic in what it was asked
 * and told; it reads no clock. Only whoever will carry out the answer may ask: {@link Step.Do} is
 * given once.
 */
public interface Generator {
    /** What to do now. */
    Step next(Context context);

    /** Tells what came of an operation, its own or another's. */
    default void completed(HistoryEvent completion) {}

    /**
     * When and by whom it can be done.
     *
     * @param nowNanos since the workload's start
     * @param freeProcesses processes with nothing outstanding, ascending, perhaps none
     * @param concurrency processes at a time: p and p + concurrency are one thread, one after the
     *     other
     */
    record Context(long nowNanos, List<Long> freeProcesses, int concurrency) {
        public Context {
            freeProcesses = List.copyOf(freeProcesses);
        }

        /** With only some of the processes. */
        Context where(LongPredicate process) {
            return new Context(
                    nowNanos, freeProcesses.stream().filter(process::test).toList(), concurrency);
        }

        /** 0 to concurrency - 1; the nemesis' own number for the nemesis. */
        long thread(long process) {
            return process < 0 ? process : process % concurrency;
        }
    }

    /** An answer. */
    sealed interface Step {
        /** Let this process, one of the free ones, do this now. */
        record Do(long process, Operation operation) implements Step {}

        /**
         * Nothing before {@code untilNanos}, or before a process becomes free; Long.MAX_VALUE where
         * only the latter helps.
         */
        record Wait(long untilNanos) implements Step {}

        /** Nothing any more. */
        record Exhausted() implements Step {}
    }
}
