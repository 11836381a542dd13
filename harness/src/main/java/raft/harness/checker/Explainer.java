package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Impossible;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Operation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

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
 *       looks.
 *   <li>In a list or grow-only set of different elements an addition may be dropped when no
 *       remaining read shows what it added: in an order that fits no read comes after it.
 *   <li>In a queue all operations on one element may be dropped, in a lock an acquire with the
 *       release that follows: without them the order of the others still serves.
 *   <li>The same where all that need its value began after another producer of that value had ended
 *       which itself began after this one had ended: in every order that one stands between. Other
 *       completed writes are never dropped.
 * </ul>
 */
final class Explainer {
    private static final double SECONDS_MOST = 2;
    private static final double ONE_TRY_SECONDS = 0.4;
    private static final int LISTED_MOST = 4;

    /** Nobody reads a sub-history of more operations than these. */
    private static final int LARGE = 2_000;

    /** The same where hardly any of them can be dropped. */
    private static final int SHOWN_WHOLE = 200;

    /** More states than these are counted and not named. */
    private static final int STATES_NAMED = 3;

    private static final int STATES_MOST = 5;

    /** For the general search of the smallest sub-history. */
    private static final double CONFIRM_SECONDS = 1;

    private final Check check;
    private final List<HistoryEvent> events;
    private final Model model;
    private final Part part;
    private final Meter meter;
    private final double endsWithSecondsLeft;
    private final boolean register;
    private int steps;

    Explainer(Check check, List<HistoryEvent> events, Model model, Part part, Meter meter) {
        this.check = check;
        this.events = events;
        this.model = model;
        this.part = part;
        this.meter = meter;
        register = model.shape() == Model.Shape.REGISTER;
        double left = meter.secondsLeft();
        endsWithSecondsLeft = left - Math.max(0, Math.min(SECONDS_MOST, left / 2));
    }

    private enum How {
        /** Operations that the model or the other operations make droppable. */
        DROP,
        /** All that concerns one thing, which any linearization can do without. */
        DROP_WHOLE,
        MAKE_PENDING
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

    /**
     * An explanation, and whether what it shows is confirmed: by operations that contradict each
     * other plainly, or because the general search finds the sub-history impossible as well.
     *
     * @param sub what the general search came to for the sub-history
     */
    record Explained(Verdict.Explanation why, Outcome sub) {
        boolean confirmed() {
            return sub instanceof Impossible;
        }
    }

    Explained explain(Impossible impossible) {
        BitSet all = new BitSet();
        all.set(0, part.operationCount());
        Sub start = null;
        try {
            start = around(impossible, new Sub(all, new BitSet(), impossible.atEvent()));
        } catch (Meter.Spent e) {
            // Then the rest is short of time as well, and says so.
        }
        if (start != null && start.in().cardinality() > SHOWN_WHOLE && !dropsProducers()) {
            return new Explained(culprits(impossible, ""), impossible);
        }
        Sub least = smaller(start == null ? cut(all, impossible.atEvent()) : start);
        if (!timeLeft() && least.in().cardinality() > LARGE) {
            return new Explained(
                    culprits(impossible, " The time ended before a smallest part was found."),
                    impossible);
        }
        Part small = built(least, false);
        Impossible said = said(impossible, least);
        Check.Walk walk = searched(small);
        Verdict.DeadEnd deadEnd = deadEnd(small, walk);
        return new Explained(
                new Verdict.Explanation(
                        words(least.end(), said, small, deadEnd),
                        listed(small),
                        involved(said, small, deadEnd),
                        deadEnd),
                impossible.culprits().length > 0 ? impossible : walk.outcome());
    }

    /** Only what contradicts each other, where all that leads to it is too much to be shown. */
    private Verdict.Explanation culprits(Impossible impossible, String why) {
        int stuck = part.events()[impossible.atEvent()] >> 1;
        boolean plain = impossible.reason() != null;
        BitSet shown = new BitSet();
        Arrays.stream(plain ? impossible.culprits() : new int[] {stuck})
                .filter(operation -> operation >= 0)
                .forEach(shown::set);
        Part few = built(new Sub(shown, new BitSet(), part.events().length - 1), false);
        String words =
                plain
                        ? contradiction(part, impossible)
                        : "No order explains that " + whole(part, stuck) + ".";
        return new Verdict.Explanation(
                named(words) + why, listed(few), involved(impossible, few, null), null);
    }

    /** What is said: what was found first, or another reason where that is reduced away. */
    private Impossible said(Impossible found, Sub least) {
        for (int culprit : found.culprits()) {
            if (culprit >= 0 && !least.in().get(culprit)) {
                Impossible other = judged(least);
                return other == null ? found : inWhole(other, least);
            }
        }
        return found;
    }

    /** The same with operations as the whole part numbers them. */
    private Impossible inWhole(Impossible small, Sub least) {
        int[] invocations = built(least, false).invocations();
        int[] culprits = small.culprits().clone();
        for (int i = 0; i < culprits.length; i++) {
            culprits[i] =
                    culprits[i] < 0
                            ? culprits[i]
                            : Arrays.binarySearch(part.invocations(), invocations[culprits[i]]);
        }
        return new Impossible(small.atEvent(), small.reason(), culprits, small.states());
    }

    /** The sub-history before the general search, which knows nothing of what led to it. */
    private Check.Walk searched(Part small) {
        Meter quick = meter.within(CONFIRM_SECONDS, meter.askedBytes() / 2);
        return check.generally(small, quick.gauge(), true);
    }

    private Verdict.@Nullable DeadEnd deadEnd(Part small, Check.Walk walk) {
        if (!(walk.outcome() instanceof Impossible stuck)) {
            return null;
        }
        List<Verdict.Possible> possible = new ArrayList<>();
        for (GeneralSearch.Possible one : walk.search().possible(STATES_MOST)) {
            List<HistoryEvent> order = new ArrayList<>();
            for (int operation : one.order()) {
                order.add(events.get(small.invocations()[operation]));
            }
            possible.add(new Verdict.Possible(Value.shortened(one.state()), order));
        }
        return new Verdict.DeadEnd(
                events.get(Check.eventOf(small, stuck.atEvent())),
                possible,
                walk.search().possibleCount());
    }

    private List<Verdict.Involved> involved(
            Impossible found, Part small, Verdict.@Nullable DeadEnd deadEnd) {
        Set<Integer> accused = new HashSet<>();
        for (int culprit : found.culprits()) {
            if (culprit >= 0) {
                accused.add(part.invocations()[culprit]);
            }
        }
        List<Verdict.Involved> involved = new ArrayList<>();
        for (int i = 0; i < small.operationCount(); i++) {
            int end = small.completions()[i];
            HistoryEvent completion = end < 0 ? null : events.get(end);
            boolean stuckHere =
                    accused.isEmpty()
                            && deadEnd != null
                            && completion != null
                            && deadEnd.at().index() == completion.index();
            involved.add(
                    new Verdict.Involved(
                            events.get(small.invocations()[i]),
                            completion,
                            whole(small, i),
                            stuckHere || accused.contains(small.invocations()[i])));
        }
        return involved;
    }

    // ---- reductions

    /**
     * The shortest beginning that is impossible. Often that is where the search got stuck, but it
     * knew what operations answer that end only later.
     */
    private Sub cut(BitSet all, int stuckAt) {
        int low = stuckAt;
        int high = part.events().length - 1;
        try {
            while (low < high && timeLeft()) {
                int end = low == stuckAt ? stuckAt : (low + high) >>> 1;
                if (judge(withoutLater(new Sub(all, new BitSet(), end))) != null) {
                    high = end;
                } else {
                    low = end + 1;
                }
            }
        } catch (Meter.Spent e) {
            // What is not known to be impossible any more is not cut off.
        }
        return withoutLater(new Sub(all, new BitSet(), high));
    }

    private Sub withoutLater(Sub sub) {
        BitSet later = new BitSet();
        for (int i = sub.end() + 1; i < part.events().length; i++) {
            if ((part.events()[i] & 1) == 0) {
                later.set(part.events()[i] >> 1);
            }
        }
        return sub.without(later);
    }

    /** Whether the reductions can drop operations that change something. */
    private boolean dropsProducers() {
        return switch (model.shape()) {
            case REGISTER, FIFO_QUEUE, UNORDERED_QUEUE, LOCK -> true;
            case GENERAL, GROW_ONLY_SET, APPEND_LIST, COUNTER -> false;
        };
    }

    /**
     * Where operations are known that contradict each other: these and what the reductions of the
     * class comment leave with them. Null where that is not enough.
     */
    private @Nullable Sub around(Impossible impossible, Sub sub) {
        BitSet in = new BitSet();
        for (int culprit : impossible.culprits()) {
            if (culprit >= 0) {
                in.set(culprit);
            }
        }
        if (in.isEmpty()) {
            return null;
        }
        switch (model.shape()) {
            case REGISTER -> addProducers(in);
            case GROW_ONLY_SET, APPEND_LIST -> addShown(in);
            case COUNTER -> addChanges(in);
            case FIFO_QUEUE, UNORDERED_QUEUE -> addOfSameElements(in);
            case GENERAL, LOCK -> {
                return null;
            }
        }
        Sub few = withoutLater(new Sub(in, sub.pending(), sub.end()));
        return judge(few) == null ? null : few;
    }

    /** By the last reduction: all producers of values that are needed. */
    private void addProducers(BitSet in) {
        var registerPart = RegisterPart.of(part, events, meter.gauge());
        BitSet needed = new BitSet();
        boolean grew = true;
        while (grew) {
            grew = false;
            for (int i = 0; i < registerPart.operationCount(); i++) {
                tick();
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
    }

    /** The additions of what the reads show, and of what may stand in one more read. */
    private void addShown(BitSet in) {
        Set<Value> shown = new HashSet<>();
        for (int i = in.nextSetBit(0); i >= 0; i = in.nextSetBit(i + 1)) {
            int end = part.completions()[i];
            if (end >= 0 && events.get(end).value() instanceof Value.Seq(List<Value> elements)) {
                shown.addAll(elements);
            }
        }
        for (int i = 0; i < part.operationCount(); i++) {
            tick();
            HistoryEvent call = events.get(part.invocations()[i]);
            if (!call.f().equals("read") && shown.contains(call.value())) {
                in.set(i);
            }
        }
    }

    private void addChanges(BitSet in) {
        for (int i = 0; i < part.operationCount(); i++) {
            tick();
            if (!pure(i)) {
                in.set(i);
            }
        }
    }

    /** All on elements that are in it, and crashed dequeues, which may have taken any of them. */
    private void addOfSameElements(BitSet in) {
        Set<Value> elements = new HashSet<>();
        for (int i = in.nextSetBit(0); i >= 0; i = in.nextSetBit(i + 1)) {
            elements.add(element(i, part.completions()[i]));
        }
        elements.remove(Value.NIL);
        for (int i = 0; i < part.operationCount(); i++) {
            tick();
            if (elements.contains(element(i, part.completions()[i]))
                    || (part.crashed(i) && !pure(i) && !asksToAdd(i))) {
                in.set(i);
            }
        }
    }

    private boolean asksToAdd(int operation) {
        return events.get(part.invocations()[operation]).f().equals("enqueue");
    }

    /** What an operation put into a queue or took from it, NIL where that is not known. */
    private Value element(int operation, int end) {
        return asksToAdd(operation)
                ? events.get(part.invocations()[operation]).value()
                : end < 0 ? Value.NIL : events.get(end).value();
    }

    private Sub smaller(Sub start) {
        Sub sub = start;
        int before;
        do {
            before = sub.in().cardinality() - sub.pending().cardinality();
            try {
                sub = reduce(sub, wholes(sub), How.DROP_WHOLE);
                sub = reduce(sub, droppable(sub), How.DROP);
                sub = reduce(sub, completedWrites(sub), How.MAKE_PENDING);
            } catch (Meter.Spent e) {
                return sub;
            }
        } while (sub.in().cardinality() - sub.pending().cardinality() < before && timeLeft());
        return sub;
    }

    /** For loops that cannot stop half-way. */
    private void tick() {
        if ((++steps & 255) == 0 && !timeLeft()) {
            throw new Meter.Spent();
        }
    }

    private boolean timeLeft() {
        return meter.secondsLeft() > endsWithSecondsLeft;
    }

    /** Delta debugging: drops (or makes pending) ever smaller chunks of the candidates. */
    private Sub reduce(Sub start, List<int[]> candidates, How how) {
        Sub sub = start;
        for (int chunk = Math.max(1, candidates.size()); chunk >= 1; chunk /= 2) {
            for (int from = 0; from < candidates.size() && timeLeft(); from += chunk) {
                BitSet set = new BitSet();
                int to = Math.min(candidates.size(), from + chunk);
                candidates.subList(from, to).forEach(c -> Arrays.stream(c).forEach(set::set));
                set.and(sub.in());
                if (set.isEmpty()) {
                    continue;
                }
                Sub smaller = how == How.MAKE_PENDING ? sub.withPending(set) : sub.without(set);
                try {
                    if ((how != How.DROP || sound(sub, smaller)) && judge(smaller) != null) {
                        sub = smaller;
                    }
                } catch (Meter.Spent e) {
                    return sub;
                }
            }
        }
        return sub;
    }

    private List<int[]> droppable(Sub sub) {
        List<int[]> candidates = new ArrayList<>();
        for (int i = sub.in().nextSetBit(0); i >= 0; i = sub.in().nextSetBit(i + 1)) {
            tick();
            if (register || pure(i)) {
                candidates.add(new int[] {i});
            }
        }
        return candidates;
    }

    /** What can be left out of any linearization as a whole: see the class comment. */
    private List<int[]> wholes(Sub sub) {
        return switch (model.shape()) {
            case FIFO_QUEUE, UNORDERED_QUEUE -> elements(sub);
            case LOCK -> sections(sub);
            case GENERAL, REGISTER, GROW_ONLY_SET, APPEND_LIST, COUNTER -> List.of();
        };
    }

    private List<int[]> elements(Sub sub) {
        Map<Value, IntList> elements = new LinkedHashMap<>();
        for (int i = sub.in().nextSetBit(0); i >= 0; i = sub.in().nextSetBit(i + 1)) {
            Value element = element(i, end(i, sub));
            if (!(element instanceof Value.Nil)) {
                elements.computeIfAbsent(element, e -> new IntList(2)).add(i);
            }
        }
        return elements.values().stream().map(IntList::toArray).toList();
    }

    private List<int[]> sections(Sub sub) {
        List<IntList> sections = new ArrayList<>();
        Map<Long, IntList> open = new HashMap<>();
        for (int i = sub.in().nextSetBit(0); i >= 0; i = sub.in().nextSetBit(i + 1)) {
            HistoryEvent call = events.get(part.invocations()[i]);
            IntList section = open.remove(call.process());
            if (section == null || !call.f().equals("release")) {
                section = new IntList(2);
                sections.add(section);
            }
            section.add(i);
            if (!call.f().equals("release")) {
                open.put(call.process(), section);
            }
        }
        return sections.stream().map(IntList::toArray).toList();
    }

    private boolean pure(int operation) {
        return model.pure().test(check.operation(part, operation));
    }

    /** Whether what was dropped may be: pure, or a producer whose value nobody left needs. */
    private boolean sound(Sub larger, Sub smaller) {
        BitSet dropped = (BitSet) larger.in().clone();
        dropped.andNot(smaller.in());
        for (int i = dropped.nextSetBit(0); i >= 0; i = dropped.nextSetBit(i + 1)) {
            tick();
            if (!pure(i) && !unneeded(i, smaller)) {
                return false;
            }
        }
        return true;
    }

    /** See the last two reductions of the class comment. */
    private boolean unneeded(int operation, Sub sub) {
        Operation producer = check.operation(part, operation);
        Value produced = produced(producer);
        int firstNeed = Integer.MAX_VALUE;
        for (int i = sub.in().nextSetBit(0); i >= 0; i = sub.in().nextSetBit(i + 1)) {
            tick();
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
                firstNeed = Math.min(firstNeed, part.invocations()[i]);
            }
        }
        return firstNeed == Integer.MAX_VALUE || producedAgain(operation, produced, firstNeed, sub);
    }

    private static Value produced(Operation producer) {
        return producer.f().equals("write") ? producer.argument() : producer.argument(1);
    }

    /** Whether some other operation surely produces the value after this one, before the place. */
    private boolean producedAgain(int operation, Value produced, int before, Sub sub) {
        int end = end(operation, sub);
        for (int i = sub.in().nextSetBit(0); end >= 0 && i >= 0; i = sub.in().nextSetBit(i + 1)) {
            tick();
            int itsEnd = end(i, sub);
            if (i != operation
                    && part.invocations()[i] > end
                    && itsEnd >= 0
                    && itsEnd < before
                    && !pure(i)
                    && produced(check.operation(part, i)).equals(produced)) {
                return true;
            }
        }
        return false;
    }

    /** The place of an operation's completion, -1 where it is pending in the sub-history. */
    private int end(int operation, Sub sub) {
        int completion = part.completions()[operation];
        return sub.pending().get(operation) || completion > Check.eventOf(part, sub.end())
                ? -1
                : completion;
    }

    private List<int[]> completedWrites(Sub sub) {
        List<int[]> candidates = new ArrayList<>();
        for (int i = sub.in().nextSetBit(0); i >= 0; i = sub.in().nextSetBit(i + 1)) {
            tick();
            if (!part.crashed(i) && !sub.pending().get(i) && !pure(i)) {
                candidates.add(new int[] {i});
            }
        }
        return candidates;
    }

    /** Why a sub-history is impossible, or null: it is not, or that took too long. */
    private @Nullable Impossible judge(Sub sub) {
        if (meter.secondsLeft() <= 0) {
            return null;
        }
        Meter quick = meter.within(ONE_TRY_SECONDS, meter.askedBytes() / 2);
        Part small = built(sub);
        try {
            Outcome outcome = check.judge(small, quick.gauge());
            return outcome instanceof Impossible impossible ? impossible : null;
        } catch (Meter.Spent e) {
            return null;
        }
    }

    private @Nullable Impossible judged(Sub sub) {
        try {
            return judge(sub);
        } catch (Meter.Spent e) {
            return null;
        }
    }

    private Part built(Sub sub) {
        return built(sub, true);
    }

    private Part built(Sub sub, boolean timed) {
        int[] numbers = new int[part.operationCount()];
        boolean[] completed = new boolean[part.operationCount()];
        for (int i = 0; i <= sub.end(); i++) {
            if (timed) {
                tick();
            }
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

    private List<HistoryEvent> listed(Part small) {
        List<HistoryEvent> list = new ArrayList<>();
        for (int i = 0; i < small.events().length; i++) {
            list.add(events.get(Check.eventOf(small, i)));
        }
        return list;
    }

    // ---- words

    private String words(
            int cutAt, Impossible said, Part small, Verdict.@Nullable DeadEnd deadEnd) {
        String words =
                said.reason() != null
                        ? contradiction(part, said)
                        : deadEnd != null
                                ? stuck(small, deadEnd)
                                : "There is no order of these operations that explains their"
                                        + " answers.";
        if (said.reason() == null) {
            HistoryEvent end = events.get(Check.eventOf(part, cutAt));
            words += " Everything before event " + end.index() + " can be explained.";
        }
        return named(words);
    }

    private String named(String words) {
        return part.name() instanceof Value.Nil
                ? Character.toUpperCase(words.charAt(0)) + words.substring(1)
                : "Key " + Value.shown(part.name()) + ": " + words;
    }

    private String contradiction(Part where, Impossible said) {
        int[] c = said.culprits();
        String reason = said.reason() == null ? "" : said.reason();
        return switch (reason) {
            case "was never written" ->
                    whole(where, c[0]) + ", but nobody ever wrote " + wanted(where, c[0]) + ".";
            case "was never added" -> neverAdded(where, c[0]);
            case "is no sum" ->
                    whole(where, c[0])
                            + ", which no number of changes by "
                            + change(where)
                            + " adds up to.";
            case "went back" ->
                    whole(where, c[0])
                            + ", but "
                            + whole(where, c[1])
                            + " and had finished "
                            + between(where, c[1], c[0])
                            + " before it began, and the total only ever moves one way.";
            case "counts too few" ->
                    whole(where, c[0])
                            + ", but "
                            + changes(changesFinished(where, c[0]), where)
                            + " had finished before it began.";
            case "counts too many" ->
                    whole(where, c[0])
                            + ", but only "
                            + changes(changesBegun(where, c[0]), where)
                            + " had begun before it ended.";
            case "was never enqueued" ->
                    whole(where, c[0]) + ", but nobody had begun to enqueue that before it ended.";
            case "was taken twice" ->
                    whole(where, c[0])
                            + " and so did "
                            + name(where, c[1])
                            + ", but it was enqueued only once.";
            case "overtook" -> overtook(where, c[0], c[1], c[2], c[3]);
            case "was not empty" ->
                    whole(where, c[0])
                            + ", but something was in it all the time: what came by "
                            + Arrays.stream(c)
                                    .skip(1)
                                    .mapToObj(enqueue -> name(where, enqueue))
                                    .collect(Collectors.joining(", then by "))
                            + ".";
            case "was held" -> held(where, c[0], c[1], c[2]);
            case "released without holding" ->
                    whole(where, c[0]) + ", but that process did not hold it.";
            case "named another token" ->
                    whole(where, c[0])
                            + ", but "
                            + whole(where, c[1])
                            + ", and that is the token by which it held the lock.";
            case "token fell" ->
                    whole(where, c[0])
                            + ", but "
                            + whole(where, c[1])
                            + " and must have come first; tokens grow.";
            case "was written only later" ->
                    whole(where, c[0])
                            + ", but every write of "
                            + wanted(where, c[0])
                            + " began only after it had ended.";
            case "had been overwritten" -> overwritten(where, c[0], c[1], c[2]);
            case "both took the same value" ->
                    whole(where, c[0])
                            + " and so did "
                            + name(where, c[1])
                            + ", but "
                            + wanted(where, c[0])
                            + " was there only once.";
            case "could only come from itself" ->
                    whole(where, c[0])
                            + ", but the value it expected, "
                            + wanted(where, c[0])
                            + ", came only from what followed it.";
            case "do not extend each other" ->
                    whole(where, c[1])
                            + ", which does not contain everything that "
                            + name(where, c[0])
                            + " had found, nor the other way round.";
            case "ended too early" ->
                    !register && pure(c[1]) && !pure(c[0])
                            ? whole(where, c[1])
                                    + ", but "
                                    + name(where, c[0])
                                    + " had finished "
                                    + between(where, c[0], c[1])
                                    + " before it began."
                            : whole(where, c[0])
                                    + ", but it had ended "
                                    + between(where, c[0], c[1])
                                    + " before "
                                    + name(where, c[1])
                                    + " began, and yet that must have come first.";
            case "stand apart" -> apart(where, c);
            default -> throw new IllegalStateException("no words for " + reason);
        };
    }

    private String neverAdded(Part where, int read) {
        Set<Value> added = new HashSet<>();
        int ends = where.completions()[read];
        for (int i = 0; i < where.operationCount(); i++) {
            if (where.invocations()[i] < ends && !pureIn(where, i)) {
                added.add(events.get(where.invocations()[i]).value());
            }
        }
        List<Value> missing = new ArrayList<>();
        if (events.get(ends).value() instanceof Value.Seq(List<Value> elements)) {
            elements.stream().filter(e -> !added.contains(e)).forEach(missing::add);
        }
        int more = missing.size() - LISTED_MOST;
        return whole(where, read)
                + ", but nobody had begun to add "
                + missing.stream()
                        .limit(LISTED_MOST)
                        .map(Value::shown)
                        .collect(Collectors.joining(", "))
                + (more > 0 ? " and " + more + " more" : "")
                + " before it ended.";
    }

    private boolean pureIn(Part where, int operation) {
        return model.pure().test(check.operation(where, operation));
    }

    private String changes(long count, Part where) {
        return (count == 1 ? "1 change by " : count + " changes by ") + change(where);
    }

    /** By what the first change of a counter changes it. */
    private String change(Part where) {
        for (int i = 0; i < where.operationCount(); i++) {
            if (!pureIn(where, i)) {
                Value by = events.get(where.invocations()[i]).value();
                return by instanceof Value.Int ? by.toString() : "1";
            }
        }
        return "1";
    }

    private long changesBegun(Part where, int before) {
        long count = 0;
        for (int i = 0; i < where.operationCount(); i++) {
            boolean begun = where.invocations()[i] < where.completions()[before];
            count += begun && !pureIn(where, i) ? 1 : 0;
        }
        return count;
    }

    private long changesFinished(Part where, int before) {
        long count = 0;
        for (int i = 0; i < where.operationCount(); i++) {
            int end = where.completions()[i];
            count += end >= 0 && end < where.invocations()[before] && !pureIn(where, i) ? 1 : 0;
        }
        return count;
    }

    private String overtook(Part where, int first, int second, int taken, int takenFirst) {
        Value left = events.get(where.invocations()[first]).value();
        return whole(where, taken)
                + ", but "
                + name(where, first)
                + " had finished "
                + between(where, first, second)
                + " before "
                + name(where, second)
                + " began, and "
                + (takenFirst < 0
                        ? "nobody has taken " + Value.shown(left) + "."
                        : name(where, takenFirst)
                                + " began only "
                                + between(where, taken, takenFirst)
                                + " after that had ended.");
    }

    private String held(Part where, int acquire, int holder, int release) {
        HistoryEvent its = events.get(where.invocations()[holder]);
        String so =
                whole(where, acquire)
                        + ", but process "
                        + its.process()
                        + " held it: its "
                        + its.f()
                        + " "
                        + its.index()
                        + " had finished "
                        + apartBy(where.completions()[holder], where.completions()[acquire])
                        + " before this one did";
        return release < 0
                ? so + ", and it had not begun to release it."
                : so
                        + ", and its release began only "
                        + apartBy(where.completions()[acquire], where.invocations()[release])
                        + " after that.";
    }

    private String overwritten(Part where, int reader, int producer, int overwriter) {
        String value = wanted(where, reader);
        String so =
                whole(where, reader)
                        + ", but "
                        + name(where, overwriter)
                        + " had finished "
                        + between(where, overwriter, reader)
                        + " before it began";
        return producer < 0
                ? so + ", and nobody ever wrote " + value + ", the initial value, again."
                : so
                        + ", and "
                        + value
                        + " was not written again: "
                        + name(where, producer)
                        + " was the last to do so and had ended before that began.";
    }

    private String apart(Part where, int[] c) {
        String so =
                whole(where, c[3])
                        + ", but "
                        + name(where, c[2])
                        + " had finished "
                        + between(where, c[2], c[3])
                        + " before it began";
        if (c[0] < 0) {
            return so + ", and nobody brought the initial value back.";
        }
        if (c[1] == c[2]) {
            return so
                    + ", and had itself begun only after "
                    + name(where, c[0])
                    + " had ended. Each value was written only once, so what was replaced cannot"
                    + " come back.";
        }
        return so
                + ", and "
                + name(where, c[0])
                + " had finished "
                + between(where, c[0], c[1])
                + " before "
                + name(where, c[1])
                + " began. Each value was written only once, so the first and the third of these"
                + " belong together, wholly before or wholly after the other two.";
    }

    private String stuck(Part small, Verdict.DeadEnd deadEnd) {
        int operation = -1;
        for (int i = 0; i < small.operationCount(); i++) {
            int end = small.completions()[i];
            operation = end >= 0 && events.get(end).equals(deadEnd.at()) ? i : operation;
        }
        String tooOften = tooOften(deadEnd.at());
        if (!tooOften.isEmpty()) {
            return whole(small, operation) + tooOften;
        }
        var out = new StringBuilder(whole(small, operation));
        if (deadEnd.possibleCount() > STATES_NAMED) {
            out.append(", but none of the ").append(deadEnd.possibleCount());
            out.append(register ? " values" : " states").append(" that were possible until it");
            out.append(" ended at event ").append(deadEnd.at().index());
            out.append(" gives that answer");
        } else {
            out.append(", but until it ended at event ").append(deadEnd.at().index());
            out.append(register ? " the value" : " the state").append(" could only be ");
            out.append(
                    deadEnd.possible().stream()
                            .map(Verdict.Possible::state)
                            .collect(Collectors.joining(" or ")));
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
            out.append(", whether or not what was still open had taken effect (");
            out.append(String.join("; ", more > 0 ? open.subList(0, LISTED_MOST) : open));
            out.append(more > 0 ? "; and " + more + " more)" : ")");
        }
        return out.append('.').toString();
    }

    /**
     * A list that holds an element more often than anybody had asked to append it needs no states
     * to be understood.
     *
     * @return "" where it is not that
     */
    private String tooOften(HistoryEvent answer) {
        if (!(answer.value() instanceof Value.Seq(List<Value> elements))) {
            return "";
        }
        Set<Value> seen = new HashSet<>();
        Set<Value> repeated = new LinkedHashSet<>();
        elements.stream().filter(element -> !seen.add(element)).forEach(repeated::add);
        for (Value element : repeated) {
            List<HistoryEvent> appends =
                    events.stream()
                            .filter(event -> event.type() == HistoryEvent.Type.INVOKE)
                            .filter(event -> event.f().equals("append"))
                            .filter(event -> event.key().equals(answer.key()))
                            .filter(event -> event.value().equals(element))
                            .filter(event -> event.index() < answer.index())
                            .toList();
            long times = elements.stream().filter(element::equals).count();
            if (!appends.isEmpty() && times > appends.size()) {
                return ", but "
                        + Value.shown(element)
                        + " is in it "
                        + (times == 2 ? "twice" : times + " times")
                        + " and had been appended only "
                        + (appends.size() == 1 ? "once" : appends.size() + " times")
                        + " (event "
                        + appends.getFirst().index()
                        + " by process "
                        + appends.getFirst().process()
                        + ").";
            }
        }
        return "";
    }

    /**
     * "read 412 by process 13 returned 3", "the write of 4 by process 2 (event 17) succeeded": the
     * number is the invocation's index.
     */
    private String whole(Part where, int operation) {
        HistoryEvent call = events.get(where.invocations()[operation]);
        int ends = where.completions()[operation];
        if (ends < 0) {
            return name(where, operation) + " may have happened";
        }
        HistoryEvent end = events.get(ends);
        if (end.type() == HistoryEvent.Type.FAIL) {
            return name(where, operation) + " was refused";
        }
        return call.value() instanceof Value.Nil
                ? call.f()
                        + " "
                        + call.index()
                        + " by process "
                        + call.process()
                        + " returned "
                        + Value.shown(end.value())
                : name(where, operation) + " succeeded" + answer(call, end);
    }

    private static String answer(HistoryEvent call, HistoryEvent end) {
        return end.value().equals(call.value()) ? "" : " with " + Value.shown(end.value());
    }

    /** The value that a read returned or a cas expected. */
    private String wanted(Part where, int operation) {
        HistoryEvent call = events.get(where.invocations()[operation]);
        int ends = where.completions()[operation];
        if (call.f().equals("cas") && call.value() instanceof Value.Seq(List<Value> pair)) {
            return Value.shown(pair.getFirst());
        }
        return ends < 0 ? "that" : Value.shown(events.get(ends).value());
    }

    /** "the write of 4 by process 2 (event 17)", "the cas from 4 to 5 …". */
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
        String what =
                register && value instanceof Value.Seq(List<Value> pair) && pair.size() == 2
                        ? "from " + Value.shown(pair.get(0)) + " to " + Value.shown(pair.get(1))
                        : ends < 0 && value instanceof Value.Nil ? "" : "of " + Value.shown(value);
        return "the "
                + call.f()
                + (what.isEmpty() ? "" : " " + what)
                + " by process "
                + call.process()
                + " (event "
                + call.index()
                + ")";
    }

    /** The time from one operation's end to another's beginning. */
    private String between(Part where, int from, int to) {
        return apartBy(where.completions()[from], where.invocations()[to]);
    }

    /** Whether the time is only the event's number, as for files that have no times. */
    private static boolean counted(HistoryEvent event) {
        return event.timeNanos() == event.index() * 1_000_000;
    }

    private String apartBy(int from, int to) {
        HistoryEvent first = events.get(from);
        HistoryEvent second = events.get(to);
        if (counted(first) && counted(second)) {
            long count = second.index() - first.index();
            return count == 1 ? "one event" : count + " events";
        }
        long nanos = second.timeNanos() - first.timeNanos();
        if (nanos >= 1_000_000) {
            return nanos / 1_000_000 + " ms";
        }
        return nanos >= 1_000
                ? nanos / 1000 + " µs"
                : String.format(Locale.ROOT, "%d ns", Math.max(0, nanos));
    }
}
