package raft.harness.checker;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.model.Model;

import java.util.List;

/**
 * Decides whether a history is linearizable: there is one order of its operations that keeps to
 * real time (what had ended before another began comes first) and explains every answer. Operations
 * that ended as {@code info} may be in it or not; {@code fail} are not, but see {@link
 * Preparation}.
 *
 * <p>Which way is taken, in this order: for registers {@link Rejections}, {@link UniqueValues},
 * {@link RegisterSearch}; for sets and lists {@link Stages}, for counters {@link Counters}, for
 * queues {@link Queues}, for locks {@link Locks}; for everything {@link GeneralSearch}. All of them
 * are compared with each other and with trying every order, in the tests.
 */
public final class Checker {
    private Checker() {}

    /**
     * Judges client operations only; the nemesis' lines are ignored. Never throws for a well-formed
     * history, never runs out of memory, and ends at most 0.1 s after the budget's time.
     *
     * @throws IllegalArgumentException when the history is not well-formed: a completion without an
     *     invocation, two open invocations of one process, a function the model does not have
     */
    public static Verdict check(History history, Model model, Budget budget) {
        return check(history, model, budget, Progress.NONE);
    }

    /** The same; {@code progress} is told now and then how far it is, from any thread. */
    public static Verdict check(History history, Model model, Budget budget, Progress progress) {
        var meter = new Meter(budget, progress);
        return new Check(history.events(), model, Check.Options.DEFAULT, meter).run();
    }

    /**
     * Only the verdict, as quickly as possible: a violation's explanation is one sentence without
     * events. For those who check many histories and explain few.
     */
    public static Verdict verdict(History history, Model model, Budget budget) {
        var meter = new Meter(budget, Progress.NONE);
        return new Check(history.events(), model, Check.Options.DEFAULT, meter).withoutWhy().run();
    }

    /**
     * The same, and for a valid history one linearization: the completions (of crashed operations
     * the invocations) in an order that explains them, one key after the other. Costs more memory.
     */
    public static Linearization linearize(History history, Model model, Budget budget) {
        var meter = new Meter(budget, Progress.NONE);
        Check.Traced traced =
                new Check(history.events(), model, Check.Options.TRACED, meter).runTraced();
        List<HistoryEvent> order = traced.order();
        return new Linearization(traced.verdict(), order == null ? List.of() : order);
    }

    /**
     * A verdict with its proof.
     *
     * @param order empty unless the verdict is valid
     */
    public record Linearization(Verdict verdict, List<HistoryEvent> order) {
        public Linearization {
            order = List.copyOf(order);
        }
    }

    /** Hears how far a check is. */
    @FunctionalInterface
    public interface Progress {
        Progress NONE = (judged, all) -> {};

        /**
         * {@code judgedCount} of {@code operationCount} operations are behind the search, which is
         * 0 while the history is still being read: then so many operations have been.
         */
        void at(long judgedCount, long operationCount);
    }

    static Verdict check(
            List<HistoryEvent> events, Model model, Budget budget, Check.Options options) {
        return new Check(events, model, options, new Meter(budget, Progress.NONE)).run();
    }
}
