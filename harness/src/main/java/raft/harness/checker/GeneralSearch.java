package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Operation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Just-in-time search for any model (Lowe, <em>Testing for linearizability</em>, 2017). It walks
 * the events and keeps the frontier: every configuration — a state and the set of pending
 * operations already placed — in which the history so far can have left the system. A completion
 * expands only the configurations in which the operation is not yet placed, until it is. When the
 * frontier empties, the history is not linearizable. Memory is the frontier and not the history, so
 * events may be fed for ever.
 *
 * <p>Reductions, each sound for every model:
 *
 * <ul>
 *   <li><em>Eager pure operations</em>: one that fits is placed at once. It changes no state, so
 *       whatever could follow without it can follow with it.
 *   <li><em>Twins</em>: of equal pending operations only the one that completes first is placed.
 *       Both were invoked, so in any linearization that places the other one first the two can
 *       change places.
 *   <li><em>Crashed operations</em> are counted by class and never pending; each use takes the
 *       oldest one. One that would not change the state is not used.
 * </ul>
 *
 * <p>For registers, and only where a search is asked to, a crashed operation is used only when
 * somebody pending observes what it leaves behind, directly or through crashed cas: one that nobody
 * observes before it is overwritten need not have happened, and one that is observed later can
 * happen later. What may also have happened is that a crashed write changed the value unseen just
 * when a cas looked. For such a refusal, where nothing pending explains it, only the latest crashed
 * operations are tried, and beside them it is taken on trust, as if something had made it right.
 * Trust allows more, so a dead end stays certain; configurations remember it, so a history whose
 * end one of them reaches without it is valid: {@link #trusted}.
 *
 * <p>With a width the frontier is a beam: the widest frontiers lose their latest configurations and
 * {@link #dropped} says so. What is found valid under a beam is valid; what is not is not known.
 */
final class GeneralSearch {
    /** The return position of an operation that never completes. */
    static final long CRASHED = Long.MAX_VALUE;

    private static final int COMPACT_ABOVE = 1 << 9;
    private static final long USAGES_COMPACT_ABOVE_BYTES = 1 << 20;

    /** Where crashed operations are used only as observed: "something was taken on trust". */
    private static final int TRUST = 0;

    /** Of the crashed operations, how many of the latest may have made a refused cas right. */
    private static final int LATEST_TRIED = 16;

    private final States states;
    private final Meter.Gauge gauge;
    private final int width;
    private final boolean traced;
    private Usages usages = new Usages();
    private @Nullable Observed observed;
    private IntList crashedClasses = new IntList();
    private List<IntList> crashedOperations = new ArrayList<>();
    private LongIntMap crashedNumbers = new LongIntMap();
    private long usagesBytesAfterCompaction;
    private int compactAbove = COMPACT_ABOVE;

    private int words = 1;
    private int[] slotOperation = new int[64];
    private int[] slotClass = new int[64];
    private long[] slotReturn = new long[64];
    private boolean[] slotPure = new boolean[64];
    private boolean[] slotUsed = new boolean[64];
    // Pending slots, the one that completes first in front.
    private int[] pending = new int[64];
    private int pendingCount;
    private int[] classSeen = new int[64];
    private int stamp;

    private RowSet frontier;
    private RowSet next;
    private RowSet open;
    private long[] row;
    private boolean dropped;

    GeneralSearch(Model model, Meter.Gauge gauge, int width, boolean traced) {
        this(model, gauge, width, traced, false);
    }

    /**
     * @param observedOnly whether crashed operations are used only where they are observed; the
     *     model must be a register
     */
    GeneralSearch(Model model, Meter.Gauge gauge, int width, boolean traced, boolean observedOnly) {
        observed = observedOnly ? new Observed() : null;
        if (observedOnly) {
            crashedClasses.add(-1);
            crashedOperations.add(new IntList(1));
        }
        this.gauge = gauge;
        states = new States(model, gauge);
        this.width = width;
        this.traced = traced;
        frontier = new RowSet(words + 1, traced);
        next = new RowSet(words + 1, traced);
        open = new RowSet(words + 1, traced);
        row = new long[words + 1];
        frontier.add(row, 0, null);
    }

    boolean invoke(int operation, Operation what, long returnPosition) {
        int operationClass = states.classOf(what);
        if (operationClass >= classSeen.length) {
            classSeen = Arrays.copyOf(classSeen, operationClass * 2);
        }
        if (returnPosition == CRASHED) {
            addCrashed(operation, operationClass);
            return true;
        }
        int slot = freeSlot();
        slotUsed[slot] = true;
        slotOperation[slot] = operation;
        slotClass[slot] = operationClass;
        slotReturn[slot] = returnPosition;
        slotPure[slot] = states.pure(operationClass);
        insertPending(slot);
        if (slotPure[slot]) {
            placeEverywhere(slot);
        }
        return gauge.step();
    }

    Step complete(int operation) {
        int slot = slotOf(operation);
        long bit = 1L << slot;
        int word = 1 + (slot >> 6);
        next.clear();
        open.clear();
        for (int i = 0; i < frontier.count(); i++) {
            int at = frontier.offset(i);
            System.arraycopy(frontier.rows(), at, row, 0, row.length);
            if ((row[word] & bit) != 0) {
                row[word] &= ~bit;
                next.add(row, 0, frontier.trace(i));
            } else {
                open.add(row, 0, frontier.trace(i));
            }
        }
        for (int i = 0; i < open.count(); i++) {
            if (!gauge.step() || ((i & 255) == 0 && !gauge.holds(sizeBytes()))) {
                return Step.SPENT;
            }
            if (width > 0 && (i >= width * 8 || next.count() >= width)) {
                dropped = true;
                break;
            }
            expand(i, word, bit);
        }
        if (observed != null && crashedClasses.length() > 1 && refused(slot)) {
            explainRefusal(word, bit);
        }
        if (next.count() == 0) {
            return Step.STUCK;
        }
        RowSet old = frontier;
        frontier = next;
        next = old;
        removePending(slot);
        slotUsed[slot] = false;
        if (states.stateCount() > compactAbove || states.classCount() > compactAbove) {
            compact();
            // So that what it costs is shared by as many steps as there is left.
            compactAbove = COMPACT_ABOVE + 4 * Math.max(states.stateCount(), states.classCount());
        }
        if (observed != null
                && usages.sizeBytes()
                        > 4 * usagesBytesAfterCompaction + USAGES_COMPACT_ABOVE_BYTES) {
            compactUsages();
        }
        return gauge.holds(sizeBytes()) ? Step.GOES_ON : Step.SPENT;
    }

    private void expand(int index, int word, long bit) {
        int state = (int) open.rows()[open.offset(index)];
        stamp++;
        for (int i = 0; i < pendingCount; i++) {
            int slot = pending[i];
            int operationClass = slotClass[slot];
            boolean placed = (open.rows()[open.offset(index) + 1 + (slot >> 6)] & 1L << slot) != 0;
            if (placed || slotPure[slot] || classSeen[operationClass] == stamp) {
                continue;
            }
            classSeen[operationClass] = stamp;
            int step = states.step(state, operationClass);
            if (step >= 0) {
                place(index, slot, -1, step, word, bit);
            } else if (step != States.NONE) {
                for (int choice : states.choices(step)) {
                    place(index, slot, -1, choice, word, bit);
                }
            }
        }
        if (observed != null) {
            expandObserved(observed, index, state, word, bit);
            return;
        }
        for (int i = 0; i < crashedClasses.length() && gauge.step(); i++) {
            int operationClass = crashedClasses.at(i);
            int usage = (int) (open.rows()[open.offset(index)] >>> 32);
            if (classSeen[operationClass] == stamp
                    || usages.count(usage, i) >= crashedOperations.get(i).length()) {
                continue;
            }
            int step = states.step(state, operationClass);
            if (step >= 0) {
                if (step != state) {
                    place(index, -1, i, step, word, bit);
                }
            } else if (step != States.NONE) {
                for (int choice : states.choices(step)) {
                    place(index, -1, i, choice, word, bit);
                }
            }
        }
    }

    private boolean refused(int slot) {
        return states.operation(slotClass[slot]).outcome() == Operation.Outcome.REFUSED;
    }

    /**
     * A refused cas completes. Only where nothing pending explains it are crashed operations tried
     * that nobody observes, and is it taken on trust.
     */
    private void explainRefusal(int word, long bit) {
        if (next.count() > 0) {
            // Keeping those as well that trust was tried: they crowd out the others.
            dropped |= open.count() > 0;
            return;
        }
        int untried = open.count();
        // Those that trust always get on, so they come first and are never crowded out.
        trust(untried, word, bit);
        int most = next.count() + (width > 0 ? Math.max(1, width / 2) : Integer.MAX_VALUE / 2);
        for (int i = 0; i < untried && gauge.step(); i++) {
            if (next.count() >= most) {
                dropped = true;
                break;
            }
            tryLatest(i, (int) open.rows()[open.offset(i)], word, bit);
        }
    }

    /** Lets every configuration go on in which the refused cas that completes is not explained. */
    private void trust(int count, int word, long bit) {
        for (int i = 0; i < count; i++) {
            if (width > 0 && next.count() >= Math.max(1, width / 2)) {
                dropped = true;
                return;
            }
            System.arraycopy(open.rows(), open.offset(i), row, 0, row.length);
            int usage = (int) (row[0] >>> 32);
            if (usages.count(usage, TRUST) == 0) {
                usage = usages.plusOne(usage, TRUST);
            }
            row[0] = (long) usage << 32 | (int) row[0];
            row[word] &= ~bit;
            next.add(row, 0, open.trace(i));
        }
    }

    private void expandObserved(Observed crashed, int index, int state, int word, long bit) {
        if (crashedClasses.length() == 1) {
            return;
        }
        Set<Value> wanted = new HashSet<>();
        for (int i = 0; i < pendingCount; i++) {
            int slot = pending[i];
            boolean placed = (open.rows()[open.offset(index) + 1 + (slot >> 6)] & 1L << slot) != 0;
            Operation operation = states.operation(slotClass[slot]);
            if (placed) {
                continue;
            }
            if (operation.f().equals("read")) {
                wanted.add(operation.result());
            } else if (operation.f().equals("cas")) {
                wanted.add(operation.argument(0));
            }
        }
        int usage = (int) (open.rows()[open.offset(index)] >>> 32);
        for (int number : crashed.useful(wanted, states.state(state))) {
            int step = states.step(state, crashedClasses.at(number));
            if (step >= 0
                    && step != state
                    && usages.count(usage, number) < crashedOperations.get(number).length()) {
                place(index, -1, number, step, word, bit);
            }
        }
    }

    private void tryLatest(int index, int state, int word, long bit) {
        int usage = (int) (open.rows()[open.offset(index)] >>> 32);
        int last = crashedClasses.length() - 1;
        for (int i = last; i > TRUST && i > last - LATEST_TRIED; i--) {
            int step = states.step(state, crashedClasses.at(i));
            if (step >= 0
                    && step != state
                    && usages.count(usage, i) < crashedOperations.get(i).length()) {
                place(index, -1, i, step, word, bit);
            }
        }
    }

    /** Crashed writes and cas of a register, by the values they expect and leave behind. */
    private static final class Observed {
        private final Map<Object, IntList> writes = new HashMap<>();
        private final Map<Object, IntList> casFrom = new HashMap<>();
        private final Map<Value, List<Value>> expectedFor = new HashMap<>();
        private final Map<Integer, Value> produced = new HashMap<>();

        void add(int number, Operation operation) {
            boolean cas = operation.f().equals("cas");
            Value value = cas ? operation.argument(1) : operation.argument();
            produced.put(number, value);
            if (cas) {
                Value expected = operation.argument(0);
                casFrom.computeIfAbsent(expected, v -> new IntList(2)).add(number);
                expectedFor.computeIfAbsent(value, v -> new ArrayList<>()).add(expected);
            } else {
                writes.computeIfAbsent(value, v -> new IntList(1)).add(number);
            }
        }

        /** The classes that bring a wanted value about, or one that a crashed cas makes of it. */
        List<Integer> useful(Set<Value> wanted, Object current) {
            Deque<Value> ahead = new ArrayDeque<>(wanted);
            List<Integer> numbers = new ArrayList<>();
            while (!ahead.isEmpty()) {
                Value value = ahead.pop();
                for (Value expected : expectedFor.getOrDefault(value, List.of())) {
                    if (wanted.add(expected)) {
                        ahead.push(expected);
                    }
                }
                IntList found = writes.get(value);
                for (int i = 0; found != null && i < found.length(); i++) {
                    numbers.add(found.at(i));
                }
            }
            IntList from = casFrom.get(current);
            for (int i = 0; from != null && i < from.length(); i++) {
                if (wanted.contains(produced.get(from.at(i)))) {
                    numbers.add(from.at(i));
                }
            }
            return numbers;
        }
    }

    /** Adds the configuration after one more operation: a pending one or a crashed one. */
    private void place(int index, int slot, int crashed, int state, int word, long bit) {
        System.arraycopy(open.rows(), open.offset(index), row, 0, row.length);
        int usage = (int) (row[0] >>> 32);
        Placed trace = open.trace(index);
        if (slot >= 0) {
            row[1 + (slot >> 6)] |= 1L << slot;
            trace = traced ? new Placed(slotOperation[slot], trace) : null;
        } else {
            if (traced) {
                int used = usages.count(usage, crashed);
                trace = new Placed(crashedOperations.get(crashed).at(used), trace);
            }
            usage = usages.plusOne(usage, crashed);
        }
        row[0] = (long) usage << 32 | state;
        for (int i = 0; i < pendingCount; i++) {
            int other = pending[i];
            long mine = 1L << other;
            if (slotPure[other]
                    && (row[1 + (other >> 6)] & mine) == 0
                    && states.step(state, slotClass[other]) == state) {
                row[1 + (other >> 6)] |= mine;
                trace = traced ? new Placed(slotOperation[other], trace) : null;
            }
        }
        if ((row[word] & bit) != 0) {
            row[word] &= ~bit;
            next.add(row, 0, trace);
        } else {
            open.add(row, 0, trace);
        }
    }

    private void placeEverywhere(int slot) {
        next.clear();
        int word = 1 + (slot >> 6);
        for (int i = 0; i < frontier.count(); i++) {
            System.arraycopy(frontier.rows(), frontier.offset(i), row, 0, row.length);
            int state = (int) row[0];
            Placed trace = frontier.trace(i);
            if (states.step(state, slotClass[slot]) == state) {
                row[word] |= 1L << slot;
                trace = traced ? new Placed(slotOperation[slot], trace) : null;
            }
            next.add(row, 0, trace);
        }
        RowSet old = frontier;
        frontier = next;
        next = old;
    }

    private void addCrashed(int operation, int operationClass) {
        int known = crashedNumbers.lookup(operationClass);
        if (known != LongIntMap.NONE) {
            crashedOperations.get(known).add(operation);
            return;
        }
        crashedNumbers.put(operationClass, crashedClasses.length());
        if (observed != null) {
            observed.add(crashedClasses.length(), states.operation(operationClass));
        }
        crashedClasses.add(operationClass);
        var operations = new IntList(4);
        operations.add(operation);
        crashedOperations.add(operations);
    }

    private int slotOf(int operation) {
        for (int i = 0; i < pendingCount; i++) {
            if (slotOperation[pending[i]] == operation) {
                return pending[i];
            }
        }
        throw new IllegalStateException("operation " + operation + " is not pending");
    }

    private int freeSlot() {
        for (int i = 0; i < slotUsed.length; i++) {
            if (!slotUsed[i]) {
                if (i >= words * 64) {
                    widen();
                }
                return i;
            }
        }
        int slot = slotUsed.length;
        slotOperation = Arrays.copyOf(slotOperation, slot * 2);
        slotClass = Arrays.copyOf(slotClass, slot * 2);
        slotReturn = Arrays.copyOf(slotReturn, slot * 2);
        slotPure = Arrays.copyOf(slotPure, slot * 2);
        slotUsed = Arrays.copyOf(slotUsed, slot * 2);
        pending = Arrays.copyOf(pending, slot * 2);
        widen();
        return slot;
    }

    private void widen() {
        words++;
        var wider = new RowSet(words + 1, traced);
        row = new long[words + 1];
        for (int i = 0; i < frontier.count(); i++) {
            System.arraycopy(frontier.rows(), frontier.offset(i), row, 0, words);
            wider.add(row, 0, frontier.trace(i));
        }
        frontier = wider;
        next = new RowSet(words + 1, traced);
        open = new RowSet(words + 1, traced);
    }

    private void insertPending(int slot) {
        int at = pendingCount++;
        while (at > 0 && slotReturn[pending[at - 1]] > slotReturn[slot]) {
            pending[at] = pending[at - 1];
            at--;
        }
        pending[at] = slot;
    }

    private void removePending(int slot) {
        int at = 0;
        while (pending[at] != slot) {
            at++;
        }
        pendingCount--;
        System.arraycopy(pending, at + 1, pending, at, pendingCount - at);
    }

    private void compact() {
        int[] marks = new int[states.stateCount()];
        for (int i = 0; i < frontier.count(); i++) {
            marks[(int) frontier.rows()[frontier.offset(i)]] = 1;
        }
        int[] classMarks = new int[states.classCount()];
        for (int i = 0; i < pendingCount; i++) {
            classMarks[slotClass[pending[i]]] = 1;
        }
        int firstCrashed = observed == null ? 0 : TRUST + 1;
        for (int i = firstCrashed; i < crashedClasses.length(); i++) {
            classMarks[crashedClasses.at(i)] = 1;
        }
        states.keep(marks, classMarks);
        for (int i = 0; i < pendingCount; i++) {
            slotClass[pending[i]] = classMarks[slotClass[pending[i]]];
        }
        crashedNumbers = new LongIntMap();
        for (int i = firstCrashed; i < crashedClasses.length(); i++) {
            crashedClasses.set(i, classMarks[crashedClasses.at(i)]);
            crashedNumbers.put(crashedClasses.at(i), i);
        }
        next.clear();
        for (int i = 0; i < frontier.count(); i++) {
            System.arraycopy(frontier.rows(), frontier.offset(i), row, 0, row.length);
            row[0] = (row[0] >>> 32 << 32) | marks[(int) row[0]];
            next.add(row, 0, frontier.trace(i));
        }
        RowSet old = frontier;
        frontier = next;
        next = old;
    }

    /**
     * Forgets usages that no configuration has, and the crashed classes that all have used up: a
     * stream in which operations crash for ever must not grow.
     */
    private void compactUsages() {
        int[] used = new int[frontier.count()];
        for (int i = 0; i < used.length; i++) {
            used[i] = (int) (frontier.rows()[frontier.offset(i)] >>> 32);
        }
        int[] kept = new int[crashedClasses.length()];
        var classes = new IntList();
        List<IntList> operations = new ArrayList<>();
        crashedNumbers = new LongIntMap();
        observed = new Observed();
        for (int i = 0; i < kept.length; i++) {
            boolean over = i != TRUST && usedUp(i, used);
            kept[i] = over ? -1 : classes.length();
            if (!over) {
                if (i != TRUST) {
                    crashedNumbers.put(crashedClasses.at(i), classes.length());
                    observed.add(classes.length(), states.operation(crashedClasses.at(i)));
                }
                classes.add(crashedClasses.at(i));
                operations.add(crashedOperations.get(i));
            }
        }
        crashedClasses = classes;
        crashedOperations = operations;
        Usages.Moved moved = usages.moved(used, kept);
        usages = moved.usages();
        usagesBytesAfterCompaction = usages.sizeBytes();
        next.clear();
        for (int i = 0; i < used.length; i++) {
            System.arraycopy(frontier.rows(), frontier.offset(i), row, 0, row.length);
            row[0] = (long) moved.numbers()[i] << 32 | (int) row[0];
            next.add(row, 0, frontier.trace(i));
        }
        RowSet old = frontier;
        frontier = next;
        next = old;
    }

    private boolean usedUp(int number, int[] used) {
        for (int usage : used) {
            if (usages.count(usage, number) < crashedOperations.get(number).length()) {
                return false;
            }
        }
        return true;
    }

    private long sizeBytes() {
        return frontier.sizeBytes()
                + next.sizeBytes()
                + open.sizeBytes()
                + usages.sizeBytes()
                + states.sizeBytes();
    }

    boolean dropped() {
        return dropped;
    }

    /** Whether every configuration took some refused cas on trust. */
    boolean trusted() {
        for (int i = 0; observed != null && i < frontier.count(); i++) {
            if (usages.count((int) (frontier.rows()[frontier.offset(i)] >>> 32), TRUST) == 0) {
                return false;
            }
        }
        return observed != null;
    }

    int openCount() {
        return pendingCount;
    }

    int width() {
        return Math.max(frontier.count(), open.count());
    }

    int @Nullable [] order() {
        return traced ? Placed.order(frontier.trace(0)) : null;
    }

    List<String> possibleStates(int most) {
        return possible(most).stream().map(Possible::state).toList();
    }

    /**
     * A state and one order of operations that leads to it.
     *
     * @param order empty unless traced
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Possible(String state, int[] order) {}

    /**
     * After {@link Step#STUCK}: the different states in which the system could be during the
     * operation that completed, the first {@code most} of them, and how one gets there. What was
     * pending then is placed in every way.
     */
    List<Possible> possible(int most) {
        List<Possible> found = new ArrayList<>();
        Set<String> texts = new HashSet<>();
        for (int i = 0; i < open.count() && found.size() < most; i++) {
            String text = states.state((int) open.rows()[open.offset(i)]).toString();
            if (texts.add(text)) {
                int[] order = traced ? Placed.order(open.trace(i)) : new int[0];
                found.add(new Possible(text, order));
            }
        }
        return found;
    }

    /** How many different states {@link #possible} could give. */
    int possibleCount() {
        Set<Integer> different = new HashSet<>();
        for (int i = 0; i < open.count(); i++) {
            different.add((int) open.rows()[open.offset(i)]);
        }
        return different.size();
    }
}
