package raft.harness.checker;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Operation;

import java.util.ArrayList;
import java.util.List;

/**
 * Decides linearizability by trying every order; deliberately naive, shares nothing with the
 * checker.
 */
final class BruteForce {
    private record Whole(Operation operation, int call, int end, boolean mayBeLeftOut) {}

    private final List<Whole> operations = new ArrayList<>();
    private final Model model;

    private BruteForce(List<HistoryEvent> events, Model model) {
        this.model = model;
        for (int i = 0; i < events.size(); i++) {
            HistoryEvent call = events.get(i);
            if (call.type() != HistoryEvent.Type.INVOKE) {
                continue;
            }
            int end = i + 1;
            while (end < events.size() && events.get(end).process() != call.process()) {
                end++;
            }
            add(call, i, end < events.size() ? events.get(end) : null, end);
        }
    }

    private void add(
            HistoryEvent call,
            int at,
            @org.jspecify.annotations.Nullable HistoryEvent completion,
            int end) {
        Operation.Outcome outcome = Operation.Outcome.UNKNOWN;
        if (completion != null && completion.type() == HistoryEvent.Type.OK) {
            outcome = Operation.Outcome.OK;
        }
        if (completion != null && completion.type() == HistoryEvent.Type.FAIL) {
            if (!"compare-failed".equals(completion.error())) {
                return;
            }
            outcome = Operation.Outcome.REFUSED;
        }
        boolean unknown = outcome == Operation.Outcome.UNKNOWN;
        operations.add(
                new Whole(
                        new Operation(
                                call.process(),
                                call.f(),
                                call.key(),
                                call.value(),
                                outcome == Operation.Outcome.OK && completion != null
                                        ? completion.value()
                                        : Value.NIL,
                                outcome),
                        at,
                        unknown ? Integer.MAX_VALUE : end,
                        unknown));
    }

    static boolean linearizable(List<HistoryEvent> events, Model model) {
        var force = new BruteForce(events, model);
        return force.fits(model.initial(), (1L << force.operations.size()) - 1);
    }

    private boolean fits(Object state, long left) {
        boolean onlyOptional = true;
        int firstEnd = Integer.MAX_VALUE;
        for (int i = 0; i < operations.size(); i++) {
            if ((left & 1L << i) != 0) {
                onlyOptional &= operations.get(i).mayBeLeftOut();
                firstEnd = Math.min(firstEnd, operations.get(i).end());
            }
        }
        if (onlyOptional) {
            return true;
        }
        for (int i = 0; i < operations.size(); i++) {
            if ((left & 1L << i) == 0 || operations.get(i).call() > firstEnd) {
                continue;
            }
            for (Object next : model.step().apply(state, operations.get(i).operation())) {
                if (fits(next, left & ~(1L << i))) {
                    return true;
                }
            }
        }
        return false;
    }
}
