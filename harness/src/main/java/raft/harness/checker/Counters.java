package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Fits;
import raft.harness.checker.Outcome.Impossible;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Counters that always change by the same amount, without search, in O(n log n). (With different
 * amounts a read asks which of them add up to a number: subset sum, which is NP-hard, so those are
 * searched.)
 *
 * <p>Then a total says how many changes came before it, and a linearization gives each change that
 * took effect a rank 1, 2, 3, … A read of k stands between ranks k and k + 1; a change that
 * answered a total has its rank from that. What real time asks of any other change is a first rank
 * — above every total that was known before it began — and a last one — not above any total that
 * was learnt by what began after it ended. So the ranks are time slots, the changes jobs of length
 * one with release times and deadlines: the earliest deadline first fills the slots whenever that
 * can be done. Of equal deadlines the one that ended first goes first, which keeps to real time
 * between two changes, because what precedes has neither the later release nor the later deadline.
 * Crashed changes have no deadline and need not be placed; all ranks up to the largest total must
 * be filled.
 */
final class Counters {
    private static final int NONE = -1;
    private static final int READ = 0;
    private static final int FIXED = 1;
    private static final int FREE = 2;

    private final Part part;
    private final List<HistoryEvent> events;
    private final Meter.Gauge gauge;
    private final int[] kinds;
    // For reads and changes with an answer: the number of changes up to and with it.
    private final long[] ranks;
    private final int[] returns;

    private Counters(Part part, List<HistoryEvent> events, Meter.Gauge gauge) {
        this.part = part;
        this.events = events;
        this.gauge = gauge;
        kinds = new int[part.operationCount()];
        ranks = new long[part.operationCount()];
        returns = new int[part.operationCount()];
        Arrays.fill(returns, Integer.MAX_VALUE);
    }

    /** A verdict, or null where amounts differ or answers are no numbers. */
    static @Nullable Outcome judge(Part part, List<HistoryEvent> events, Meter.Gauge gauge) {
        return new Counters(part, events, gauge).judge();
    }

    private @Nullable Outcome judge() {
        long amount = amount();
        if (amount == 0) {
            return null;
        }
        for (int i = 0; i < kinds.length; i++) {
            gauge.check();
            HistoryEvent call = events.get(part.invocations()[i]);
            Value learnt = part.crashed(i) ? null : learnt(call, events.get(part.completions()[i]));
            if (learnt == null) {
                kinds[i] = FREE;
                continue;
            }
            kinds[i] = call.f().equals("read") ? READ : FIXED;
            if (!(learnt instanceof Value.Int(long total))) {
                return null;
            }
            if (total % amount != 0 || total / amount < kinds[i]) {
                return impossible("is no sum", i);
            }
            ranks[i] = total / amount;
        }
        return ranked();
    }

    /** By what every change changes the total; 0 where that differs. */
    private long amount() {
        long amount = 0;
        for (int i = 0; i < part.operationCount(); i++) {
            HistoryEvent call = events.get(part.invocations()[i]);
            if (!call.f().equals("read")) {
                long its = call.value() instanceof Value.Int(long number) ? number : 1;
                if (its == 0 || (amount != 0 && its != amount)) {
                    return 0;
                }
                amount = its;
            }
        }
        return amount == 0 ? 1 : amount;
    }

    /** The total that an answer tells, null where it tells none. */
    private static @Nullable Value learnt(HistoryEvent call, HistoryEvent end) {
        return switch (call.f()) {
            case "read" -> end.value() instanceof Value.Nil ? Value.of(0) : end.value();
            case "increment" -> {
                Value total =
                        call.value() instanceof Value.Nil
                                ? end.value()
                                : end.value() instanceof Value.Seq(List<Value> pair)
                                                && pair.size() > 1
                                        ? pair.get(1)
                                        : Value.NIL;
                yield total instanceof Value.Int ? total : null;
            }
            default -> null;
        };
    }

    private @Nullable Outcome ranked() {
        long[] firstRank = new long[kinds.length];
        long known = 0;
        long finished = 0;
        int knownFrom = NONE;
        int[] all = part.events();
        for (int i = 0; i < all.length; i++) {
            gauge.check();
            int operation = all[i] >> 1;
            if ((all[i] & 1) == 0) {
                firstRank[operation] = known + 1;
                if (kinds[operation] != FREE && ranks[operation] < finished + kinds[operation]) {
                    return impossible("counts too few", operation);
                }
                boolean back =
                        (kinds[operation] == READ && ranks[operation] < known)
                                || (kinds[operation] == FIXED && ranks[operation] <= known);
                if (back) {
                    return impossible("went back", operation, knownFrom);
                }
            } else {
                returns[operation] = i;
                finished += kinds[operation] == READ ? 0 : 1;
                if (kinds[operation] != FREE && ranks[operation] > known) {
                    known = ranks[operation];
                    knownFrom = operation;
                }
            }
        }
        return scheduled(firstRank, lastRanks(), known);
    }

    private long[] lastRanks() {
        long[] lastRank = new long[kinds.length];
        Arrays.fill(lastRank, Long.MAX_VALUE);
        long limit = Long.MAX_VALUE;
        int[] all = part.events();
        for (int i = all.length - 1; i >= 0; i--) {
            int operation = all[i] >> 1;
            if ((all[i] & 1) == 1) {
                lastRank[operation] = limit;
            } else if (kinds[operation] != FREE) {
                limit = Math.min(limit, ranks[operation] - kinds[operation]);
            }
        }
        return lastRank;
    }

    /** Fills the ranks, the earliest deadline first. */
    private @Nullable Outcome scheduled(long[] firstRank, long[] lastRank, long known) {
        List<Integer> jobs = new ArrayList<>();
        for (int i = 0; i < kinds.length; i++) {
            if (kinds[i] == FIXED) {
                firstRank[i] = ranks[i];
                lastRank[i] = ranks[i];
            }
            if (kinds[i] != READ) {
                jobs.add(i);
            }
        }
        jobs.sort(Comparator.comparingLong(i -> firstRank[i]));
        var ready =
                new PriorityQueue<Integer>(
                        Comparator.<Integer>comparingLong(i -> lastRank[i])
                                .thenComparingInt(i -> returns[i]));
        int[] stage = new int[kinds.length];
        Arrays.fill(stage, NONE);
        int next = 0;
        for (long rank = 1; next < jobs.size() || !ready.isEmpty() || rank <= known; rank++) {
            gauge.check();
            while (next < jobs.size() && firstRank[jobs.get(next)] <= rank) {
                ready.add(jobs.get(next++));
            }
            Integer job = ready.poll();
            if (job == null) {
                return rank <= known ? tooMany(rank) : null;
            }
            if (lastRank[job] < rank) {
                return new Impossible(0, null, new int[0], List.of());
            }
            if (rank > known && part.crashed(job)) {
                // Nobody counts it. All that is left has crashed too: they have no deadline.
                break;
            }
            stage[job] = (int) (2 * rank - 1);
        }
        for (int i = 0; i < kinds.length; i++) {
            if (kinds[i] == READ) {
                stage[i] = (int) (2 * ranks[i]);
            }
        }
        // Were the argument above wrong, nobody would be accused: the search decides then.
        return Stages.inOrder(part, stage) instanceof Fits fits ? fits : null;
    }

    /** The first to learn of this rank ended before enough changes had begun. */
    private Outcome tooMany(long rank) {
        int first = NONE;
        for (int i = 0; i < kinds.length; i++) {
            if (kinds[i] != FREE
                    && ranks[i] >= rank
                    && (first == NONE || returns[i] < returns[first])) {
                first = i;
            }
        }
        // With two changes that answered the same total there may be enough of them all the same.
        return begun(first) < ranks[first]
                ? impossible("counts too many", first)
                : new Impossible(0, null, new int[0], List.of());
    }

    private long begun(int before) {
        long count = 0;
        for (int i = 0; i < returns[before]; i++) {
            int event = part.events()[i];
            count += (event & 1) == 0 && kinds[event >> 1] != READ ? 1 : 0;
        }
        return count;
    }

    private Outcome impossible(String reason, int... culprits) {
        return Stages.impossible(part, reason, culprits);
    }
}
