package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * The just-in-time search of {@link GeneralSearch} for one register, with what is known of
 * registers. A configuration is the current value and for each pending operation two bits:
 * <em>done</em> — its obligation is met — and <em>free</em> — it may still be used to change the
 * value. Reads and refused cas are done or not. A write is (not done, free) at first, (done, not
 * free) after it was placed where others can see it, and (done, free) when it could be
 * <em>hidden</em>.
 *
 * <p>Reductions, with their arguments:
 *
 * <ul>
 *   <li><em>Eager pure operations</em>: a pending read or refused cas that fits is done at once; it
 *       changes nothing, so it can only help.
 *   <li><em>Hiding</em>: when a write is placed, every pending write could have been placed
 *       directly before it, seen by nobody. All of them were invoked already, so all become done,
 *       and stay free because they can also be placed later instead. This needs no branching. The
 *       same holds for a pending write of the value that is current: now it would change nothing.
 *   <li><em>Purpose</em>: before the completing operation x only such writes are placed as somebody
 *       pending needs. One that is followed by another write without being seen is hidden; one that
 *       comes after x need not be placed yet.
 *   <li><em>Twins</em>: of equal pending operations only the one that completes first is used; in
 *       any linearization that uses the other one before it, both being pending, the two can change
 *       places. A crashed operation never completes, so it is used last.
 *   <li><em>Doomed</em>: a value that a pending or later operation needs, and which is neither
 *       current nor can be produced by a free, a crashed or a later operation, ends the branch.
 *   <li><em>Dead values</em>: a current value that nobody needs, refuses or compares with any more
 *       is the same as any other such value.
 *   <li><em>Dominance</em>: a configuration with the same value whose done and free bits include
 *       those of another, and which used no crashed operation more often, can imitate every
 *       continuation of the other one. For a cas the bits must be the same: one that is not done
 *       yet is not only an obligation but can still change the value, which one that is done cannot
 *       imitate.
 *   <li><em>Relaxed</em>: crashed operations may be used without limit. Every linearization
 *       remains, so a relaxed search that gets stuck without having dropped anything proves a
 *       violation.
 * </ul>
 *
 * <p>With a width it is a beam, as in {@link GeneralSearch}.
 */
@SuppressWarnings("ArrayRecordComponent") // its records are bundles that are never compared
final class RegisterSearch {
    /** Dominance compares all pairs up to here. */
    private static final int PAIRWISE_MOST = 2048;

    /** Fewer crashed classes than these are not worth sorting. */
    private static final int SWEPT_FROM = 16;

    /** So much may be known of the use of crashed operations before it is looked through. */
    private static final long FORGET_FROM_BYTES = 1 << 20;

    /** The current value without the crashed operations used. */
    private static final long STATE_ONLY = (1L << 32) - 1;

    private final RegisterPart part;
    private final Future future;
    private final Meter.Gauge gauge;
    private final boolean relaxed;
    private final boolean traced;
    private final int sweepEvery;
    private final int dead;
    private final Usages usages;
    private int width;

    // Crashed operations by class: what they are, and which operations, oldest first.
    private final LongIntMap crashedNumbers = new LongIntMap();
    private final IntList crashedFirst = new IntList();
    private final IntList crashedSecond = new IntList();
    private final IntList crashedIsActive = new IntList();
    private final List<IntList> crashedOperations = new ArrayList<>();
    // The classes of writes that some configuration can still use; the others cost nothing any
    // more.
    // Those of cas are looked up by the value they expect, so that they cost nothing without it.
    private IntList activeCrashed = new IntList();
    // Writes of values that nobody observes any more: they help a refused cas, and each as well.
    private final IntList unobservedCrashed = new IntList();
    // For each value the crashed classes that expect it (cas), and those writes that produce it.
    private final @Nullable IntList[] crashedCasFrom;
    private final @Nullable IntList[] crashedProducers;

    // Slots of pending operations.
    private int words;
    private int[] slotOperation;
    private boolean[] slotUsed;
    private final int[] slotOf;
    private int[] pending;
    private int pendingCount;
    private long[] writeMask;
    private long[] casMask;
    private long[] refusedMask;
    private long[] needMask;
    private long[] readMask;
    private long[] refusedOf;
    private long[] producerMask;

    private RowSet frontier;
    private RowSet next;
    private RowSet open;
    private long[] row;
    private long[] base;
    private int at;
    private boolean dropped;
    private int widest;
    private int completions;
    private long forgetFromBytes = FORGET_FROM_BYTES;

    /** What is known of the events to come, per value; nothing need be. */
    record Future(int[] lastNeed, int[] lastProducer, int[] lastComparison, boolean anyRefused) {
        static Future of(RegisterPart part) {
            int count = part.values().size() + 1;
            boolean anyRefused = false;
            for (byte kind : part.kinds()) {
                anyRefused |= kind == RegisterPart.REFUSED;
            }
            var future = new Future(new int[count], new int[count], new int[count], anyRefused);
            Arrays.fill(future.lastNeed, -1);
            Arrays.fill(future.lastProducer, -1);
            Arrays.fill(future.lastComparison, -1);
            for (int i = 0; i < part.operationCount(); i++) {
                int call = part.calls()[i];
                int produced = part.produced(i);
                if (produced >= 0) {
                    future.lastProducer[produced] = Math.max(future.lastProducer[produced], call);
                }
                int value = part.first()[i];
                if (part.kinds()[i] == RegisterPart.REFUSED
                        || (part.kinds()[i] == RegisterPart.CAS && part.crashed(i))) {
                    // A crashed one may compare at any later time.
                    future.lastComparison[value] =
                            Math.max(
                                    future.lastComparison[value],
                                    part.crashed(i) ? Integer.MAX_VALUE : call);
                } else if (part.needed(i) >= 0) {
                    future.lastNeed[value] = Math.max(future.lastNeed[value], call);
                }
            }
            return future;
        }
    }

    /** Everything that changes, at one moment. */
    record Snapshot(
            int at,
            long[] rows,
            @Nullable Placed[] traces,
            int count,
            int[] pendingOperations,
            int[] pendingSlots,
            int[] crashedCounts,
            boolean dropped) {}

    RegisterSearch(
            RegisterPart part,
            Future future,
            Meter.Gauge gauge,
            int width,
            boolean relaxed,
            boolean traced,
            int sweepEvery) {
        this.sweepEvery = sweepEvery;
        this.part = part;
        this.future = future;
        this.gauge = gauge;
        this.width = width;
        this.relaxed = relaxed;
        this.traced = traced;
        dead = part.values().size();
        usages = new Usages();
        crashedCasFrom = new IntList[dead + 1];
        crashedProducers = new IntList[dead + 1];
        slotOf = new int[part.operationCount()];
        int slots = mostOpen(part);
        words = Math.max(1, (slots + 63) / 64);
        slotOperation = new int[words * 64];
        slotUsed = new boolean[words * 64];
        pending = new int[words * 64];
        writeMask = new long[words];
        casMask = new long[words];
        refusedMask = new long[words];
        int masks = (dead + 1) * words;
        needMask = new long[masks];
        readMask = new long[masks];
        refusedOf = new long[masks];
        producerMask = new long[masks];
        int rowWidth = 1 + 2 * words;
        frontier = new RowSet(rowWidth, traced);
        next = new RowSet(rowWidth, traced);
        open = new RowSet(rowWidth, traced);
        row = new long[rowWidth];
        base = new long[rowWidth];
        frontier.add(row, 0, null);
    }

    private static int mostOpen(RegisterPart part) {
        int open = 0;
        int most = 0;
        for (int event : part.part().events()) {
            if ((event & 1) == 1) {
                open--;
            } else if (!part.crashed(event >> 1)) {
                most = Math.max(most, ++open);
            }
        }
        return most;
    }

    void width(int newWidth) {
        width = newWidth;
    }

    /** The next event to be taken. */
    int at() {
        return at;
    }

    boolean dropped() {
        return dropped;
    }

    int openCount() {
        return pendingCount;
    }

    int frontierCount() {
        return Math.max(widest, frontier.count());
    }

    int @Nullable [] order() {
        return traced ? Placed.order(frontier.trace(0)) : null;
    }

    List<String> possibleStates(int most) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < frontier.count() && texts.size() < most; i++) {
            int value = (int) frontier.rows()[frontier.offset(i)];
            String text =
                    value == dead
                            ? "a value nobody asks for later"
                            : part.values().get(value).toString();
            if (!texts.contains(text)) {
                texts.add(text);
            }
        }
        return texts;
    }

    /** Takes the next event. */
    Step advance() {
        int event = part.part().events()[at];
        int operation = event >> 1;
        Step step;
        if ((event & 1) == 0) {
            invoke(operation);
            step = gauge.step() ? Step.GOES_ON : Step.SPENT;
        } else {
            step = complete(operation);
        }
        if (step == Step.GOES_ON) {
            at++;
            gauge.at(at / 2);
        }
        return step;
    }

    private void invoke(int operation) {
        byte kind = part.kinds()[operation];
        if (kind == RegisterPart.NOTHING) {
            return;
        }
        if (part.crashed(operation)) {
            addCrashed(operation);
            return;
        }
        int slot = 0;
        while (slotUsed[slot]) {
            slot++;
        }
        occupy(operation, slot);
        int word = slot >> 6;
        long bit = 1L << slot;
        if (kind == RegisterPart.CAS) {
            return;
        }
        // The rows stay different from each other, but the table must be built anew.
        next.clear();
        for (int i = 0; i < frontier.count(); i++) {
            System.arraycopy(frontier.rows(), frontier.offset(i), row, 0, row.length);
            Placed trace = frontier.trace(i);
            if (kind == RegisterPart.WRITE) {
                row[1 + words + word] |= bit;
                // See "hiding": now it would change nothing.
                row[1 + word] |= (int) row[0] == part.first()[operation] ? bit : 0;
            } else if (((int) row[0] == part.first()[operation]) == (kind == RegisterPart.READ)) {
                row[1 + word] |= bit;
                trace = traced ? new Placed(operation, trace) : null;
            }
            next.add(row, 0, trace);
        }
        swap();
    }

    private void occupy(int operation, int slot) {
        slotUsed[slot] = true;
        slotOperation[slot] = operation;
        slotOf[operation] = slot;
        int index = pendingCount++;
        while (index > 0
                && part.returns()[slotOperation[pending[index - 1]]] > part.returns()[operation]) {
            pending[index] = pending[index - 1];
            index--;
        }
        pending[index] = slot;
        mark(operation, slot, true);
    }

    private void mark(int operation, int slot, boolean set) {
        int word = slot >> 6;
        long bit = set ? 1L << slot : 0;
        long keep = ~(1L << slot);
        int value = part.first()[operation] * words + word;
        switch (part.kinds()[operation]) {
            case RegisterPart.READ -> {
                needMask[value] = (needMask[value] & keep) | bit;
                readMask[value] = (readMask[value] & keep) | bit;
            }
            case RegisterPart.WRITE -> {
                writeMask[word] = (writeMask[word] & keep) | bit;
                producerMask[value] = (producerMask[value] & keep) | bit;
            }
            case RegisterPart.CAS -> {
                casMask[word] = (casMask[word] & keep) | bit;
                needMask[value] = (needMask[value] & keep) | bit;
                int produced = part.second()[operation] * words + word;
                producerMask[produced] = (producerMask[produced] & keep) | bit;
            }
            default -> {
                refusedMask[word] = (refusedMask[word] & keep) | bit;
                refusedOf[value] = (refusedOf[value] & keep) | bit;
            }
        }
    }

    private void addCrashed(int operation) {
        int first = part.first()[operation];
        int second = part.second()[operation];
        int produced = part.produced(operation);
        if (future.lastNeed[produced] < 0 && future.lastComparison[produced] < 0) {
            // Nobody observes what it would leave behind: whether it happened cannot matter, except
            // to a refused cas, for which any other value will do: the same one for all of these.
            if (!future.anyRefused || (second >= 0 && future.lastComparison[first] < 0)) {
                return;
            }
            produced = dead;
            first = second < 0 ? dead : first;
            second = second < 0 ? -1 : dead;
        }
        long key = (long) first << 32 | (second + 1);
        int number = crashedNumbers.lookup(key);
        if (number == LongIntMap.NONE) {
            number = crashedOperations.size();
            crashedNumbers.put(key, number);
            crashedFirst.add(first);
            crashedSecond.add(second);
            crashedOperations.add(new IntList(4));
            crashedIsActive.add(0);
            addTo(crashedProducers, produced, number);
            if (second >= 0) {
                addTo(crashedCasFrom, first, number);
            }
        }
        crashedOperations.get(number).add(operation);
        activate(number);
    }

    private static void addTo(@Nullable IntList[] lists, int value, int number) {
        IntList list = lists[value];
        if (list == null) {
            list = new IntList(4);
            lists[value] = list;
        }
        list.add(number);
    }

    private void activate(int number) {
        if (crashedSecond.at(number) < 0 && crashedIsActive.at(number) == 0) {
            crashedIsActive.set(number, 1);
            activeCrashed.add(number);
        }
    }

    /** Forgets the classes that every configuration has used up and sets apart the unobserved. */
    private void sweepCrashed() {
        var still = new IntList(activeCrashed.length() + 8);
        for (int i = 0; i < activeCrashed.length(); i++) {
            int number = activeCrashed.at(i);
            if (!usable(number)) {
                crashedIsActive.set(number, 0);
            } else if (neverObserved(crashedFirst.at(number))) {
                unobservedCrashed.add(number);
            } else {
                still.add(number);
            }
        }
        activeCrashed = still;
        int kept = 0;
        for (int i = 0; i < unobservedCrashed.length(); i++) {
            int number = unobservedCrashed.at(i);
            if (usable(number)) {
                unobservedCrashed.set(kept++, number);
            } else {
                crashedIsActive.set(number, 0);
            }
        }
        unobservedCrashed.truncate(kept);
    }

    private boolean usable(int number) {
        for (int i = 0; i < frontier.count(); i++) {
            if (available(number, (int) (frontier.rows()[frontier.offset(i)] >>> 32))) {
                return true;
            }
        }
        return false;
    }

    /** Whether neither a pending nor a later operation needs a value or compares with it. */
    private boolean neverObserved(int value) {
        if (value == dead) {
            return true;
        }
        long observers = 0;
        for (int w = 0; w < words; w++) {
            observers |= needMask[value * words + w] | refusedOf[value * words + w];
        }
        return observers == 0 && future.lastNeed[value] < at && future.lastComparison[value] < at;
    }

    private Step complete(int operation) {
        int slot = slotOf[operation];
        int word = slot >> 6;
        long bit = 1L << slot;
        boolean write = part.kinds()[operation] == RegisterPart.WRITE;
        next.clear();
        open.clear();
        for (int i = 0; i < frontier.count(); i++) {
            System.arraycopy(frontier.rows(), frontier.offset(i), row, 0, row.length);
            Placed trace = frontier.trace(i);
            boolean free = write && (row[1 + words + word] & bit) != 0;
            if ((row[1 + word] & bit) == 0 || free) {
                keep(open, trace);
            }
            if ((row[1 + word] & bit) != 0) {
                emit(slot, free ? hidden(operation, trace) : trace);
            }
        }
        for (int i = 0; i < open.count(); i++) {
            if (!gauge.step() || ((i & 255) == 255 && !gauge.holds(sizeBytes()))) {
                return Step.SPENT;
            }
            if (width > 0 && i >= width * 16L) {
                dropped = true;
                break;
            }
            System.arraycopy(open.rows(), open.offset(i), base, 0, base.length);
            expand(slot, open.trace(i));
        }
        widest = Math.max(open.count(), next.count());
        if (next.count() == 0) {
            return Step.STUCK;
        }
        swap();
        vacate(slot);
        prune();
        if (++completions % sweepEvery == 0
                && (activeCrashed.length() > SWEPT_FROM || sweepEvery == 1)) {
            sweepCrashed();
        }
        return gauge.holds(sizeBytes()) ? Step.GOES_ON : Step.SPENT;
    }

    /**
     * The trace of a configuration in which a write completes that was hidden, marked by its
     * complement: {@link RegisterCheck} finds its place.
     */
    private @Nullable Placed hidden(int operation, @Nullable Placed trace) {
        return traced ? new Placed(~operation, trace) : null;
    }

    private void vacate(int slot) {
        int index = 0;
        while (pending[index] != slot) {
            index++;
        }
        pendingCount--;
        System.arraycopy(pending, index + 1, pending, index, pendingCount - index);
        slotUsed[slot] = false;
        mark(slotOperation[slot], slot, false);
    }

    private void swap() {
        RowSet old = frontier;
        frontier = next;
        next = old;
    }

    /** Places one more operation in {@link #base} in every way that has a purpose. */
    private void expand(int target, @Nullable Placed trace) {
        int current = (int) base[0];
        int usage = (int) (base[0] >>> 32);
        boolean someRefused = false;
        for (int w = 0; w < words; w++) {
            // Undone refused ones all expect the current value: the others fitted.
            someRefused |= (refusedMask[w] & ~base[1 + w]) != 0;
        }
        for (int i = 0; i < pendingCount; i++) {
            int slot = pending[i];
            int operation = slotOperation[slot];
            int word = slot >> 6;
            long bit = 1L << slot;
            if (part.kinds()[operation] == RegisterPart.WRITE) {
                int value = part.first()[operation];
                if ((base[1 + words + word] & bit) == 0
                        || (slot != target && !purposeful(value, current, someRefused, usage))
                        || twinBefore(i, operation, true)) {
                    continue;
                }
                place(slot, -1, value, true, target, trace);
            } else if (part.kinds()[operation] == RegisterPart.CAS
                    && part.first()[operation] == current
                    && (base[1 + word] & bit) == 0
                    && !twinBefore(i, operation, false)) {
                place(slot, -1, part.second()[operation], false, target, trace);
            }
        }
        expandCrashed(target, current, usage, someRefused, trace);
    }

    private void expandCrashed(
            int target, int current, int usage, boolean someRefused, @Nullable Placed trace) {
        for (int k = 0; k < activeCrashed.length(); k++) {
            expandCrashed(activeCrashed.at(k), target, current, usage, someRefused, trace);
        }
        // Those that nobody observes are as good as each other: the first will do.
        for (int k = 0; someRefused && k < unobservedCrashed.length(); k++) {
            int number = unobservedCrashed.at(k);
            if (available(number, usage)) {
                expandCrashed(number, target, current, usage, true, trace);
                break;
            }
        }
        IntList from = crashedCasFrom[current];
        for (int k = 0; from != null && k < from.length(); k++) {
            expandCrashed(from.at(k), target, current, usage, someRefused, trace);
        }
    }

    private void expandCrashed(
            int number,
            int target,
            int current,
            int usage,
            boolean someRefused,
            @Nullable Placed trace) {
        int first = crashedFirst.at(number);
        int second = crashedSecond.at(number);
        int value = second < 0 ? first : second;
        if ((second >= 0 && value == current)
                || !purposeful(value, current, someRefused, usage)
                || !available(number, usage)
                || freeTwin(first, second)) {
            return;
        }
        place(-1, number, value, second < 0, target, trace);
    }

    /**
     * Whether placing a value now helps anybody. The current one again helps a write that has to be
     * hidden, when a cas then takes it: otherwise whoever comes next hides as well.
     */
    private boolean purposeful(int value, int current, boolean someRefused, int usage) {
        if (value != current) {
            return someRefused || wanted(value, usage);
        }
        boolean someToHide = false;
        for (int w = 0; w < words; w++) {
            someToHide |= (writeMask[w] & ~base[1 + w]) != 0;
        }
        return someToHide && wanted(value, usage);
    }

    private boolean available(int crashed, int usage) {
        return relaxed || usages.count(usage, crashed) < crashedOperations.get(crashed).length();
    }

    /** Whether somebody pending, or a crashed cas, is waiting for this value. */
    private boolean wanted(int value, int usage) {
        for (int w = 0; w < words; w++) {
            if ((needMask[value * words + w] & ~base[1 + w]) != 0) {
                return true;
            }
        }
        IntList from = crashedCasFrom[value];
        for (int i = 0; from != null && i < from.length(); i++) {
            if (available(from.at(i), usage)) {
                return true;
            }
        }
        return false;
    }

    /** Whether an equal operation that completes earlier could be used instead. */
    private boolean twinBefore(int index, int operation, boolean write) {
        for (int i = 0; i < index; i++) {
            int slot = pending[i];
            int other = slotOperation[slot];
            if (part.kinds()[other] == part.kinds()[operation]
                    && part.first()[other] == part.first()[operation]
                    && part.second()[other] == part.second()[operation]) {
                int word = slot >> 6;
                long mine = write ? base[1 + words + word] : ~base[1 + word];
                if ((mine & 1L << slot) != 0) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean freeTwin(int first, int second) {
        for (int i = 0; i < pendingCount; i++) {
            int slot = pending[i];
            int other = slotOperation[slot];
            boolean write = part.kinds()[other] == RegisterPart.WRITE;
            if (part.first()[other] == first
                    && part.second()[other] == second
                    && (write ? second < 0 : part.kinds()[other] == RegisterPart.CAS)) {
                int word = slot >> 6;
                long mine = write ? base[1 + words + word] : ~base[1 + word];
                if ((mine & 1L << slot) != 0) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The configuration after {@link #base} and one operation, pending or crashed. */
    private void place(
            int slot, int crashed, int value, boolean write, int target, @Nullable Placed before) {
        System.arraycopy(base, 0, row, 0, row.length);
        int usage = (int) (row[0] >>> 32);
        Placed trace = before;
        if (slot >= 0) {
            row[1 + (slot >> 6)] |= 1L << slot;
            row[1 + words + (slot >> 6)] &= ~(1L << slot);
            trace = traced ? new Placed(slotOperation[slot], trace) : null;
        } else {
            if (traced) {
                int used =
                        Math.min(
                                usages.count(usage, crashed),
                                crashedOperations.get(crashed).length() - 1);
                trace = new Placed(crashedOperations.get(crashed).at(used), trace);
            }
            usage = relaxed ? usage : usages.plusOne(usage, crashed);
        }
        int old = (int) row[0];
        if (write) {
            for (int w = 0; w < words; w++) {
                row[1 + w] |= writeMask[w];
            }
        }
        for (int w = 0; w < words; w++) {
            row[1 + w] |= writeMask[w] & producerMask[value * words + w];
            long fits =
                    readMask[value * words + w] | (refusedMask[w] & ~refusedOf[value * words + w]);
            long fresh = fits & ~row[1 + w];
            row[1 + w] |= fits;
            while (traced && fresh != 0) {
                int pure = w * 64 + Long.numberOfTrailingZeros(fresh);
                trace = new Placed(slotOperation[pure], trace);
                fresh &= fresh - 1;
            }
        }
        row[0] = (long) usage << 32 | value;
        if (old != value && doomed(old, usage)) {
            return;
        }
        boolean targetPure =
                part.kinds()[slotOperation[target]] != RegisterPart.WRITE
                        && part.kinds()[slotOperation[target]] != RegisterPart.CAS;
        boolean done = (row[1 + (target >> 6)] & 1L << target) != 0;
        if (slot == target || (targetPure && done)) {
            emit(target, trace);
        } else {
            keep(open, trace);
        }
    }

    /**
     * Adds {@link #row}. In a beam the first of several that differ only in the crashed operations
     * used stands for all: it was found with the fewest.
     */
    private void keep(RowSet set, @Nullable Placed trace) {
        if (!set.add(row, 0, trace)
                && !dropped
                && !usages.within(
                        (int) (set.rows()[set.offset(set.found())] >>> 32),
                        (int) (row[0] >>> 32))) {
            dropped = true;
        }
    }

    /** Whether {@link #row} needs a value again that nobody can produce any more. */
    private boolean doomed(int value, int usage) {
        if (value == dead) {
            return false;
        }
        boolean needed = future.lastNeed[value] > at;
        for (int w = 0; w < words && !needed; w++) {
            needed = (needMask[value * words + w] & ~row[1 + w]) != 0;
        }
        if (!needed || future.lastProducer[value] > at) {
            return false;
        }
        for (int w = 0; w < words; w++) {
            long usable = (writeMask[w] & row[1 + words + w]) | (~writeMask[w] & ~row[1 + w]);
            if ((producerMask[value * words + w] & usable) != 0) {
                return false;
            }
        }
        IntList producers = crashedProducers[value];
        for (int i = 0; producers != null && i < producers.length(); i++) {
            if (available(producers.at(i), usage)) {
                return false;
            }
        }
        return true;
    }

    /** Adds {@link #row} to the next frontier, without the operation that completes. */
    private void emit(int target, @Nullable Placed trace) {
        int word = target >> 6;
        long keep = ~(1L << target);
        row[1 + word] &= keep;
        row[1 + words + word] &= keep;
        int value = (int) row[0];
        int produced = part.produced(slotOperation[target]);
        if (produced >= 0 && produced != value) {
            // The producer leaves: mark it used while asking.
            row[1 + word] |= ~keep;
            boolean doomed = doomed(produced, (int) (row[0] >>> 32));
            row[1 + word] &= keep;
            if (doomed) {
                return;
            }
        }
        if (value != dead && unobserved(value)) {
            row[0] = (row[0] >>> 32 << 32) | dead;
        }
        keep(next, trace);
    }

    private boolean unobserved(int value) {
        if (future.lastNeed[value] > at || future.lastComparison[value] > at) {
            return false;
        }
        for (int w = 0; w < words; w++) {
            if (((needMask[value * words + w] | refusedOf[value * words + w]) & ~row[1 + w]) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Drops what others can imitate and, in a beam, what looks worst. */
    private void prune() {
        int count = frontier.count();
        if (count < 2) {
            return;
        }
        boolean tooMany = width > 0 && count > width;
        if (!tooMany && count > PAIRWISE_MOST) {
            return;
        }
        long[] ranked = new long[count];
        for (int i = 0; i < count; i++) {
            // Best first: the sort is ascending, scores are below 2^31.
            ranked[i] = (Integer.MAX_VALUE - (long) score(frontier.offset(i))) << 32 | i;
        }
        Arrays.sort(ranked);
        next.clear();
        int compared = 0;
        for (int i = 0; i < count; i++) {
            int index = (int) ranked[i];
            if (width > 0 && next.count() >= width) {
                dropped = true;
                break;
            }
            compared++;
            if ((compared & 63) == 0 && !gauge.lookNow()) {
                return;
            }
            if (count <= PAIRWISE_MOST * 4 && dominated(frontier.offset(index))) {
                continue;
            }
            next.add(frontier.rows(), frontier.offset(index), frontier.trace(index));
        }
        if (compared > 0) {
            swap();
        }
    }

    private boolean dominated(int offset) {
        long[] mine = frontier.rows();
        long[] theirs = next.rows();
        int most = Math.min(next.count(), PAIRWISE_MOST);
        for (int i = 0; i < most; i++) {
            int other = next.offset(i);
            if ((int) theirs[other] != (int) mine[offset]) {
                continue;
            }
            boolean includes = true;
            for (int w = 1; w < row.length && includes; w++) {
                includes =
                        (mine[offset + w] & ~theirs[other + w]) == 0
                                && (w > words
                                        || ((mine[offset + w] ^ theirs[other + w]) & casMask[w - 1])
                                                == 0);
            }
            if (includes
                    && usages.within((int) (theirs[other] >>> 32), (int) (mine[offset] >>> 32))) {
                return true;
            }
        }
        return false;
    }

    /**
     * How promising a configuration looks: obligations that end soon weigh most, then free writes,
     * then unused crashed operations. A dominating configuration never scores less.
     */
    private int score(int offset) {
        long[] rows = frontier.rows();
        int score = 1 << 24;
        for (int i = 0; i < pendingCount; i++) {
            int slot = pending[i];
            long bit = 1L << slot;
            if ((rows[offset + 1 + (slot >> 6)] & bit) == 0) {
                score -= 16 + 256 / (i + 2);
            }
            if ((rows[offset + 1 + words + (slot >> 6)] & bit) != 0) {
                score += 12;
            }
        }
        return score - scarcity((int) (rows[offset] >>> 32));
    }

    /**
     * What the use of crashed operations costs: more than any obligation is worth, because what is
     * used up early is missing later and no beam looks that far ahead.
     */
    private int scarcity(int usage) {
        return (int) Math.min(1 << 22, 200L * usages.total(usage));
    }

    private long sizeBytes() {
        return frontier.sizeBytes()
                + next.sizeBytes()
                + open.sizeBytes()
                + usages.sizeBytes()
                + (needMask.length * 4L + slotOf.length) * 8;
    }

    Snapshot snapshot() {
        int rowWidth = row.length;
        int[] pendingOperations = new int[pendingCount];
        int[] pendingSlots = Arrays.copyOf(pending, pendingCount);
        for (int i = 0; i < pendingCount; i++) {
            pendingOperations[i] = slotOperation[pending[i]];
        }
        int[] counts = new int[crashedOperations.size()];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = crashedOperations.get(i).length();
        }
        @Nullable Placed[] traces = new Placed[traced ? frontier.count() : 0];
        for (int i = 0; i < traces.length; i++) {
            traces[i] = frontier.trace(i);
        }
        return new Snapshot(
                at,
                Arrays.copyOf(frontier.rows(), frontier.count() * rowWidth),
                traces,
                frontier.count(),
                pendingOperations,
                pendingSlots,
                counts,
                dropped);
    }

    /**
     * Forgets how crashed operations were used in configurations that are no more, once that takes
     * much: neither at present nor in these snapshots.
     */
    void forget(Iterable<Snapshot> snapshots) {
        if (usages.sizeBytes() < forgetFromBytes) {
            return;
        }
        var used = new BitSet();
        addUsages(frontier.rows(), frontier.count(), used);
        for (Snapshot snapshot : snapshots) {
            addUsages(snapshot.rows, snapshot.count, used);
        }
        usages.keepOnly(used);
        forgetFromBytes = Math.max(FORGET_FROM_BYTES, usages.sizeBytes() * 2);
    }

    private void addUsages(long[] rows, int count, BitSet used) {
        for (int i = 0; i < count; i++) {
            used.set((int) (rows[i * row.length] >>> 32));
        }
    }

    /** Goes back; {@code apart} keeps configurations apart that differ only in the crashed used. */
    void restore(Snapshot snapshot, boolean apart) {
        long mask = apart ? -1 : STATE_ONLY;
        next.clear();
        open.clear();
        frontier.clear();
        frontier.compareFirstWord(mask);
        next.compareFirstWord(mask);
        open.compareFirstWord(mask);
        at = snapshot.at;
        dropped = snapshot.dropped;
        while (pendingCount > 0) {
            vacate(pending[pendingCount - 1]);
        }
        for (int i = 0; i < snapshot.pendingSlots.length; i++) {
            occupy(snapshot.pendingOperations[i], snapshot.pendingSlots[i]);
        }
        // What was unobserved after the snapshot need not be so there.
        for (int i = 0; i < unobservedCrashed.length(); i++) {
            crashedIsActive.set(unobservedCrashed.at(i), 0);
        }
        unobservedCrashed.clear();
        for (int i = 0; i < crashedOperations.size(); i++) {
            int length = i < snapshot.crashedCounts.length ? snapshot.crashedCounts[i] : 0;
            crashedOperations.get(i).truncate(length);
            activate(i);
        }
        for (int i = 0; i < snapshot.count; i++) {
            // Rows that differ only in the crashed operations used may become one here.
            dropped |=
                    !frontier.add(
                            snapshot.rows, i * row.length, traced ? snapshot.traces[i] : null);
        }
    }
}
