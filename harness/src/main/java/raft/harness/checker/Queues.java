package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Fits;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Queues whose elements are all different, without search, in O(n log n): the violations of
 * Henzinger, Sezgin and Vafeiadis (<em>Aspect-oriented linearizability proofs</em>, 2013; see also
 * Emmi and Enea, <em>Sound, complete, and tractable linearizability monitoring for concurrent
 * collections</em>, 2018). A history in which every dequeue answered is linearizable iff none of
 * these is in it:
 *
 * <ul>
 *   <li>an element that was never enqueued, or only after its dequeue had ended, or dequeued twice;
 *   <li>FIFO only: a enqueued wholly before b, and b dequeued wholly before a, or a never dequeued;
 *   <li>a dequeue that found nothing although there is an element at every moment of it: after its
 *       enqueue ended and before its dequeue began.
 * </ul>
 *
 * <p>An enqueue that crashed counts only when its element was dequeued. A dequeue that crashed may
 * have taken any element or none. Leaving it out is allowed, so what is valid without it is valid;
 * and what is impossible although every element that nobody is known to have taken is disregarded
 * is impossible. Between the two, crashed dequeues are given to elements: an element that another
 * overtook must have been taken by one that began before the dequeue of the other ended. Crashed
 * dequeues never end, so they overtake nobody, and which of them takes what matters only by when
 * they began: the elements in the order of these deadlines get the dequeues in the order in which
 * they began, or no assignment exists. What is valid with an assignment is valid; else the search
 * decides.
 */
final class Queues {
    private static final int NONE = -1;

    private final Part part;
    private final boolean ordered;
    private final Meter.Gauge gauge;
    private final int[] calls;
    private final int[] returns;
    // For each enqueue its dequeue, or NONE.
    private final int[] takenBy;
    private final boolean[] enqueue;
    private final boolean[] empty;
    private final IntList crashedDequeues = new IntList(4);

    private Queues(Part part, boolean ordered, Meter.Gauge gauge) {
        this.part = part;
        this.ordered = ordered;
        this.gauge = gauge;
        int count = part.operationCount();
        calls = new int[count];
        returns = new int[count];
        takenBy = new int[count];
        enqueue = new boolean[count];
        empty = new boolean[count];
        Arrays.fill(returns, Integer.MAX_VALUE);
        Arrays.fill(takenBy, NONE);
        for (int i = 0; i < part.events().length; i++) {
            int operation = part.events()[i] >> 1;
            if ((part.events()[i] & 1) == 0) {
                calls[operation] = i;
            } else {
                returns[operation] = i;
            }
        }
    }

    /** A verdict, or null where elements repeat or crashed dequeues leave it open. */
    static @Nullable Outcome judge(
            Part part, List<HistoryEvent> events, boolean ordered, Meter.Gauge gauge) {
        return new Queues(part, ordered, gauge).judge(events);
    }

    private @Nullable Outcome judge(List<HistoryEvent> events) {
        Map<Value, Integer> enqueues = new HashMap<>();
        for (int i = 0; i < part.operationCount(); i++) {
            gauge.check();
            HistoryEvent call = events.get(part.invocations()[i]);
            enqueue[i] = call.f().equals("enqueue");
            if (enqueue[i]) {
                if (call.value() instanceof Value.Nil || enqueues.put(call.value(), i) != null) {
                    return null;
                }
            }
        }
        for (int i = 0; i < part.operationCount(); i++) {
            gauge.check();
            if (enqueue[i]) {
                continue;
            }
            if (part.crashed(i)) {
                crashedDequeues.add(i);
                continue;
            }
            Value element = events.get(part.completions()[i]).value();
            if (element instanceof Value.Nil) {
                empty[i] = true;
                continue;
            }
            Integer from = enqueues.get(element);
            if (from == null || calls[from] > returns[i]) {
                return Stages.impossible(part, "was never enqueued", i);
            }
            if (takenBy[from] != NONE) {
                return Stages.impossible(part, "was taken twice", i, takenBy[from]);
            }
            takenBy[from] = i;
        }
        Outcome strict = contradiction(true);
        if (strict == null) {
            return new Fits(null);
        }
        if (crashedDequeues.length() == 0) {
            return strict;
        }
        Outcome relaxed = contradiction(false);
        return relaxed == null && assignCrashed() && contradiction(true) == null
                ? new Fits(null)
                : relaxed;
    }

    /**
     * Lets crashed dequeues take elements; false where there are too few that began early enough.
     */
    private boolean assignCrashed() {
        int[] firstGone = firstGone();
        List<Left> left = new ArrayList<>();
        for (int a = 0; a < part.operationCount(); a++) {
            if (there(a, true) && takenBy[a] == NONE) {
                int b = ordered ? firstGone[returns[a]] : NONE;
                left.add(new Left(a, b == NONE ? Integer.MAX_VALUE : returns[takenBy[b]]));
            }
        }
        // Those that nobody overtook may stay; that the oldest of them go makes the queue empty
        // soonest.
        left.sort(
                Comparator.comparingInt(Left::deadline)
                        .thenComparingInt(element -> returns[element.enqueue]));
        // Operations are numbered as they began.
        int[] dequeues = crashedDequeues.toArray();
        for (int i = 0; i < left.size(); i++) {
            Left element = left.get(i);
            if (i < dequeues.length && calls[dequeues[i]] < element.deadline) {
                takenBy[element.enqueue] = dequeues[i];
            } else if (element.deadline != Integer.MAX_VALUE) {
                return false;
            }
        }
        return true;
    }

    /** An element that nobody is known to have taken, and before which place it must be. */
    private record Left(int enqueue, int deadline) {}

    /**
     * The last two violations.
     *
     * @param leftToo whether an element that nobody is known to have taken is still there
     */
    private @Nullable Outcome contradiction(boolean leftToo) {
        Outcome outcome = ordered ? outOfOrder(leftToo) : null;
        return outcome != null ? outcome : notEmpty(leftToo);
    }

    /** Where the dequeue of an enqueue's element begins. */
    private int gone(int operation) {
        return takenBy[operation] == NONE ? Integer.MAX_VALUE : calls[takenBy[operation]];
    }

    private boolean there(int operation, boolean leftToo) {
        return enqueue[operation]
                && returns[operation] != Integer.MAX_VALUE
                && (leftToo || takenBy[operation] != NONE);
    }

    /**
     * At each place of the history: of the enqueues that begin from there on, the one whose element
     * was gone first.
     */
    private int[] firstGone() {
        int[] firstGone = new int[part.events().length + 1];
        firstGone[part.events().length] = NONE;
        for (int i = part.events().length - 1; i >= 0; i--) {
            gauge.check();
            int operation = part.events()[i] >> 1;
            int best = firstGone[i + 1];
            boolean taken =
                    (part.events()[i] & 1) == 0 && enqueue[operation] && takenBy[operation] != NONE;
            if (taken && (best == NONE || returns[takenBy[operation]] < returns[takenBy[best]])) {
                best = operation;
            }
            firstGone[i] = best;
        }
        return firstGone;
    }

    private @Nullable Outcome outOfOrder(boolean leftToo) {
        int[] firstGone = firstGone();
        for (int a = 0; a < part.operationCount(); a++) {
            gauge.check();
            if (there(a, leftToo)) {
                int b = firstGone[returns[a]];
                if (b != NONE && returns[takenBy[b]] < gone(a)) {
                    return Stages.impossible(part, "overtook", a, b, takenBy[b], takenBy[a]);
                }
            }
        }
        return null;
    }

    private @Nullable Outcome notEmpty(boolean leftToo) {
        int places = part.events().length;
        // The gap after place i is number i. How many elements begin or end being there in it.
        int[] change = new int[places + 1];
        for (int i = 0; i < part.operationCount(); i++) {
            if (there(i, leftToo) && returns[i] < gone(i)) {
                change[returns[i]]++;
                change[Math.min(places, gone(i))]--;
            }
        }
        int[] emptyGaps = new int[places + 1];
        int present = 0;
        for (int i = 0; i < places; i++) {
            present += change[i];
            emptyGaps[i + 1] = emptyGaps[i] + (present == 0 ? 1 : 0);
        }
        for (int i = 0; i < part.operationCount(); i++) {
            gauge.check();
            if (empty[i] && emptyGaps[returns[i]] == emptyGaps[calls[i]]) {
                return Stages.impossible(part, "was not empty", chain(i, leftToo));
            }
        }
        return null;
    }

    /** The dequeue that found nothing and the fewest enqueues whose elements cover it. */
    private int[] chain(int dequeue, boolean leftToo) {
        var chain = new IntList(4);
        chain.add(dequeue);
        int covered = calls[dequeue];
        while (covered < returns[dequeue]) {
            int best = NONE;
            for (int i = 0; i < part.operationCount(); i++) {
                if (there(i, leftToo)
                        && returns[i] <= covered
                        && (best == NONE || gone(i) > gone(best))) {
                    best = i;
                }
            }
            if (best == NONE || gone(best) <= covered) {
                throw new IllegalStateException("nothing covers gap " + covered);
            }
            chain.add(best);
            covered = gone(best);
        }
        return chain.toArray();
    }
}
