package raft.harness.checker;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.model.Model;

import java.util.List;

/** Decides whether a history is linearizable. */
public final class Checker {
    private Checker() {}

    /**
     * Judges client operations only; the nemesis' lines are ignored. Never throws for a well-formed
     * history, never runs out of memory, and ends at most 0.1 s after the budget's time.
     *
     * @throws IllegalArgumentException when the history is not well-formed: a completion without an
     *     invocation, two open invocations of one process
     */
    public static Verdict check(History history, Model model, Budget budget) {
        return new Check(history.events(), model, budget, Check.Options.DEFAULT).run();
    }

    static Verdict check(
            List<HistoryEvent> events, Model model, Budget budget, Check.Options options) {
        return new Check(events, model, budget, options).run();
    }
}
