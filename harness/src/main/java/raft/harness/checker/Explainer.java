package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Impossible;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Operation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;

/**
 * Says why a part of a history is impossible, with the smallest sub-history it finds in a short
 * time that is still impossible. Every reduction is sound: if the smaller history is impossible, so
 * is the larger one.
 *
 * <ul>
 *   <li>The events after the first completion that cannot be explained are cut off: what completes
 *       later becomes pending.
 *   <li>A pure operation may be dropped: without it the same order of the others still serves.
 *   <li>A completed operation may be made pending, which only allows more.
 *   <li>In a register without refused cas a producer may be dropped when no remaining operation
 *       needs its value: taken out of an order that fits, it leaves an older value to nobody who
 *       looks. Other completed writes are never dropped.
 * </ul>
 */
final class Explainer {
    private static final double SECONDS_MOST = 2;
    private static final Duration ONE_TRY = Duration.ofMillis(400);
    private static final int LISTED_MOST = 12;

    private final Check check;
    private final List<HistoryEvent> events;
    private final Model model;
    private final Part part;
    private final Meter meter;
    private final long endNanos;
    private final boolean register;

    Explainer(Check check, List<HistoryEvent> events, Model model, Part part, Meter meter) {
        this.check = check;
        this.events = events;
        this.model = model;
        this.part = part;
        this.meter = meter;
        register = model.shape() == Model.Shape.REGISTER;
        double seconds = Math.max(0, Math.min(SECONDS_MOST, meter.secondsLeft() / 2));
        endNanos = System.nanoTime() + (long) (seconds * 1e9);
    }

    /** A sub-history: which operations are in it, which of them are made pending, where it ends. */
    private record Sub(BitSet in, BitSet pending, int end) {
        Sub without(BitSet dropped) {
            BitSet fewer = (BitSet) in.clone();
            fewer.andNot(dropped);
            return new Sub(fewer, pending, end);
        }

        Sub withPending(BitSet more) {
            BitSet all = (BitSet) pending.clone();
            all.or(more);
            return new Sub(in, all, end);
        }
    }

    Verdict.Explanation explain(Impossible impossible) {
        BitSet all = new BitSet();
        all.set(0, part.operationCount());
        Sub sub = new Sub(all, new BitSet(), impossible.atEvent());
        Sub start = around(impossible, sub);
        Sub least = start == null ? smaller(withoutLater(sub)) : smaller(start);
        Impossible last = judge(least);
        // Without time to judge it again, speak of the whole part.
        String words =
                last == null
                        ? words(impossible, impossible, part)
                        : words(impossible, last, built(least));
        return new Verdict.Explanation(words, listed(least));
    }

    // ---- reductions

    private Sub withoutLater(Sub sub) {
        BitSet later = new BitSet();
        for (int i = sub.end() + 1; i < part.events().length; i++) {
            if ((part.events()[i] & 1) == 0) {
                later.set(part.events()[i] >> 1);
            }
        }
        return sub.without(later);
    }

    /**
     * Where operations are known that contradict each other: these and, by the last reduction, all
     * producers of values that are needed. Null where that is not enough.
     */
    private @Nullable Sub around(Impossible impossible, Sub sub) {
        if (!register || impossible.culprits().length == 0) {
            return null;
        }
        var registerPart = RegisterPart.of(part, events, meter.gauge());
        BitSet in = new BitSet();
        BitSet needed = new BitSet();
        for (int culprit : impossible.culprits()) {
            if (culprit >= 0) {
                in.set(culprit);
            }
        }
        boolean grew = true;
        while (grew) {
            grew = false;
            for (int i = 0; i < registerPart.operationCount(); i++) {
                int value = registerPart.needed(i);
                if (in.get(i) && value >= 0 && !needed.get(value)) {
                    needed.set(value);
                    grew = true;
                }
            }
            for (int i = 0; grew && i < registerPart.operationCount(); i++) {
                int value = registerPart.produced(i);
                if (value >= 0 && needed.get(value)) {
                    in.set(i);
                }
            }
        }
        Sub few = withoutLater(new Sub(in, sub.pending(), sub.end()));
        return judge(few) == null ? null : few;
    }

    private Sub smaller(Sub start) {
        Sub sub = start;
        int before;
        do {
            before = sub.in().cardinality() - sub.pending().cardinality();
            sub = reduce(sub, droppable(sub), true);
            sub = reduce(sub, completedWrites(sub), false);
        } while (sub.in().cardinality() - sub.pending().cardinality() < before && timeLeft());
        return sub;
    }

    private boolean timeLeft() {
        return System.nanoTime() < endNanos;
    }

    /** Delta debugging: drops (or makes pending) ever smaller chunks of the candidates. */
    private Sub reduce(Sub start, List<Integer> candidates, boolean drop) {
        Sub sub = start;
        for (int chunk = Math.max(1, candidates.size()); chunk >= 1; chunk /= 2) {
            for (int from = 0; from < candidates.size() && timeLeft(); from += chunk) {
                BitSet set = new BitSet();
                int to = Math.min(candidates.size(), from + chunk);
                candidates.subList(from, to).forEach(set::set);
                set.and(sub.in());
                if (set.isEmpty()) {
                    continue;
                }
                Sub smaller = drop ? sub.without(set) : sub.withPending(set);
                if ((!drop || sound(sub, smaller)) && judge(smaller) != null) {
                    sub = smaller;
                }
            }
        }
        return sub;
    }

    private List<Integer> droppable(Sub sub) {
        List<Integer> candidates = new ArrayList<>();
        for (int i = sub.in().nextSetBit(0); i >= 0; i = sub.in().nextSetBit(i + 1)) {
            if (register || pure(i)) {
                candidates.add(i);
            }
        }
        return candidates;
    }

    private boolean pure(int operation) {
        return model.pure().test(check.operation(part, operation));
    }

    /** Whether what was dropped may be: pure, or a producer whose value nobody left needs. */
    private boolean sound(Sub larger, Sub smaller) {
        BitSet dropped = (BitSet) larger.in().clone();
        dropped.andNot(smaller.in());
        for (int i = dropped.nextSetBit(0); i >= 0; i = dropped.nextSetBit(i + 1)) {
            if (!pure(i) && !unneeded(i, smaller)) {
                return false;
            }
        }
        return true;
    }

    private boolean unneeded(int operation, Sub sub) {
        Operation producer = check.operation(part, operation);
        Value produced = producer.f().equals("write") ? producer.argument() : producer.argument(1);
        for (int i = sub.in().nextSetBit(0); i >= 0; i = sub.in().nextSetBit(i + 1)) {
            Operation other = check.operation(part, i);
            if (other.outcome() == Operation.Outcome.REFUSED) {
                return false;
            }
            Value needed =
                    switch (other.f()) {
                        case "read" -> other.result();
                        case "cas" -> other.argument(0);
                        default -> null;
                    };
            if (produced.equals(needed)) {
                return false;
            }
        }
        return true;
    }

    private List<Integer> completedWrites(Sub sub) {
        List<Integer> candidates = new ArrayList<>();
        for (int i = sub.in().nextSetBit(0); i >= 0; i = sub.in().nextSetBit(i + 1)) {
            if (!part.crashed(i) && !sub.pending().get(i) && !pure(i)) {
                candidates.add(i);
            }
        }
        return candidates;
    }

    /** Why a sub-history is impossible, or null: it is not, or that took too long. */
    private @Nullable Impossible judge(Sub sub) {
        double seconds = Math.min(ONE_TRY.toMillis() / 1e3, meter.secondsLeft());
        if (seconds <= 0) {
            return null;
        }
        var budget = new Budget(Duration.ofNanos((long) (seconds * 1e9)), meter.memoryBytes() / 2);
        var quick = new Meter(budget, Checker.Progress.NONE);
        try {
            var subCheck = new Check(events, model, Check.Options.DEFAULT, quick);
            Outcome outcome = subCheck.judge(built(sub), quick.gauge());
            return outcome instanceof Impossible impossible ? impossible : null;
        } catch (Meter.Spent e) {
            return null;
        }
    }

    private Part built(Sub sub) {
        int[] numbers = new int[part.operationCount()];
        boolean[] completed = new boolean[part.operationCount()];
        for (int i = 0; i <= sub.end(); i++) {
            int operation = part.events()[i] >> 1;
            if ((part.events()[i] & 1) == 1 && !sub.pending().get(operation)) {
                completed[operation] = true;
            }
        }
        var partEvents = new IntList();
        var invocations = new IntList();
        var completions = new IntList();
        for (int i = 0; i <= sub.end(); i++) {
            int operation = part.events()[i] >> 1;
            boolean call = (part.events()[i] & 1) == 0;
            // A pending read says nothing.
            if (!sub.in().get(operation) || (!completed[operation] && pure(operation))) {
                continue;
            }
            if (call) {
                numbers[operation] = invocations.length();
                invocations.add(part.invocations()[operation]);
                completions.add(completed[operation] ? part.completions()[operation] : -1);
                partEvents.add(numbers[operation] * 2);
            } else if (completed[operation]) {
                partEvents.add(numbers[operation] * 2 + 1);
            }
        }
        return new Part(
                part.name(), partEvents.toArray(), invocations.toArray(), completions.toArray());
    }

    private List<HistoryEvent> listed(Sub sub) {
        List<HistoryEvent> list = new ArrayList<>();
        Part small = built(sub);
        for (int i = 0; i < small.events().length; i++) {
            list.add(events.get(Check.eventOf(small, i)));
        }
        return list;
    }

    // ---- words

    private String words(Impossible found, Impossible last, Part small) {
        var out = new StringBuilder();
        if (!(part.name() instanceof Value.Nil)) {
            out.append("Key ").append(part.name()).append(": ");
        }
        // The reason found first speaks of the whole history, a later one of the sub-history.
        Part spoken = found.reason() != null ? part : small;
        Impossible said = found.reason() != null ? found : last;
        out.append(said.reason() == null ? stuck(small, last) : contradiction(spoken, said));
        if (said.reason() != null && last.reason() == null && !last.states().isEmpty()) {
            out.append(" Before it the value could only be ").append(oneOf(last.states()));
            out.append('.');
        }
        if (found.reason() == null) {
            HistoryEvent end = events.get(Check.eventOf(part, found.atEvent()));
            out.append(" Everything before event ").append(end.index());
            out.append(" can be explained.");
        }
        return out.toString();
    }

    private String contradiction(Part where, Impossible said) {
        int[] c = said.culprits();
        String reason = said.reason() == null ? "" : said.reason();
        return switch (reason) {
            case "was never written", "was never added" ->
                    whole(where, c[0]) + ", but that " + reason + ".";
            case "was written only later" ->
                    whole(where, c[0]) + ", but every write of that began after it had ended.";
            case "had been overwritten" ->
                    whole(where, c[0])
                            + ", but "
                            + name(where, c[2])
                            + " had finished "
                            + between(where, c[2], c[0])
                            + " before it began"
                            + (c[1] < 0
                                    ? " and nobody wrote the initial value again."
                                    : ", and every write of what it returned, the last to end being"
                                            + " "
                                            + name(where, c[1])
                                            + ", had ended before that one began.");
            case "both took the same value" ->
                    whole(where, c[0])
                            + " and so did "
                            + name(where, c[1])
                            + ", but that value was written only once.";
            case "could only come from itself" ->
                    whole(where, c[0]) + ", but the value it expected came only from itself.";
            case "do not extend each other" ->
                    whole(where, c[1])
                            + ", which does not contain everything that "
                            + name(where, c[0])
                            + " had found, nor the other way round.";
            case "ended too early" ->
                    whole(where, c[0])
                            + ", but it had ended "
                            + between(where, c[0], c[1])
                            + " before "
                            + name(where, c[1])
                            + " began, which must come before it.";
            case "stand apart" -> apart(where, c);
            default -> throw new IllegalStateException("no words for " + reason);
        };
    }

    private String apart(Part where, int[] c) {
        if (c[1] == c[2] || c[0] < 0) {
            return whole(where, c[3])
                    + ", but "
                    + name(where, c[2])
                    + " had finished "
                    + between(where, c[2], c[3])
                    + " before it began"
                    + (c[0] < 0
                            ? "."
                            : " and had itself begun after "
                                    + name(where, c[0])
                                    + " had ended; each value was written only once.");
        }
        return whole(where, c[3])
                + ", but "
                + name(where, c[2])
                + " had finished "
                + between(where, c[2], c[3])
                + " before it began, and "
                + name(where, c[0])
                + " had finished "
                + between(where, c[0], c[1])
                + " before "
                + name(where, c[1])
                + " began. Each value was written only once, so the first and the third of these"
                + " belong together, wholly before or wholly after the other two.";
    }

    private String stuck(Part small, Impossible last) {
        HistoryEvent end = events.get(Check.eventOf(small, last.atEvent()));
        int operation = small.events()[last.atEvent()] >> 1;
        var out = new StringBuilder(whole(small, operation));
        out.append(", but when it ended at event ").append(end.index());
        if (last.states().isEmpty()) {
            out.append(" nothing explained that");
        } else {
            out.append(" what the others did left only ").append(oneOf(last.states()));
            out.append(", and no order of what was then open gives that answer");
        }
        List<String> open = new ArrayList<>();
        for (int i = 0; i < small.operationCount(); i++) {
            int ends = small.completions()[i];
            boolean isOpen = ends < 0 || ends >= small.completions()[operation];
            if (i != operation
                    && isOpen
                    && small.invocations()[i] < small.completions()[operation]) {
                open.add(name(small, i));
            }
        }
        if (!open.isEmpty()) {
            int more = open.size() - LISTED_MOST;
            out.append(" (open were ");
            out.append(String.join("; ", more > 0 ? open.subList(0, LISTED_MOST) : open));
            out.append(more > 0 ? "; and " + more + " more)" : ")");
        }
        return out.append('.').toString();
    }

    private static String oneOf(List<String> states) {
        return String.join(" or ", states);
    }

    /** "read 412 by process 13 returned 3": the number is the invocation's index. */
    private String whole(Part where, int operation) {
        HistoryEvent call = events.get(where.invocations()[operation]);
        int ends = where.completions()[operation];
        String who = call.f() + " " + call.index() + " by process " + call.process();
        if (ends < 0) {
            return who + " of " + call.value() + " may have happened";
        }
        HistoryEvent end = events.get(ends);
        if (end.type() == HistoryEvent.Type.FAIL) {
            return who + " of " + call.value() + " was refused";
        }
        return call.value() instanceof Value.Nil
                ? who + " returned " + end.value()
                : who + " of " + call.value() + " succeeded" + answer(call, end);
    }

    private static String answer(HistoryEvent call, HistoryEvent end) {
        return end.value().equals(call.value()) ? "" : " with " + end.value();
    }

    /** "the write of 4 by process 2 (event 17)". */
    private String name(Part where, int operation) {
        if (operation < 0) {
            return "the beginning";
        }
        HistoryEvent call = events.get(where.invocations()[operation]);
        int ends = where.completions()[operation];
        Value value =
                ends >= 0 && call.value() instanceof Value.Nil
                        ? events.get(ends).value()
                        : call.value();
        return "the "
                + call.f()
                + " of "
                + value
                + " by process "
                + call.process()
                + " (event "
                + call.index()
                + ")";
    }

    /** The time from one operation's end to another's beginning. */
    private String between(Part where, int from, int to) {
        long nanos =
                events.get(where.invocations()[to]).timeNanos()
                        - events.get(where.completions()[from]).timeNanos();
        if (nanos >= 1_000_000) {
            return nanos / 1_000_000 + " ms";
        }
        return nanos >= 1_000
                ? nanos / 1000 + " µs"
                : String.format(Locale.ROOT, "%d ns", Math.max(0, nanos));
    }
}
