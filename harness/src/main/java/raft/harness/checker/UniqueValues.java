package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Fits;
import raft.harness.checker.Outcome.Impossible;

import java.util.Arrays;
import java.util.List;

/**
 * Decides a register's history in which every value is written at most once, in O(n log n), without
 * search (Gibbons and Korach, <em>Testing shared memories</em>, 1997, extended by cas).
 *
 * <p>All operations on a value must stand together: its writer, its readers, and the cas that takes
 * it to the next value, if there is one. So a write and the cas that follow it make a
 * <em>block</em>, whose inner order is known: it is possible iff none of its operations ended
 * before an earlier one of the block began. With f the earliest end and s the latest beginning in a
 * block, block i must come before block j iff f(i) &lt; s(j): then some operation of i ended before
 * some of j began. Blocks can be put in an order iff no two must each come before the other. (A
 * longer cycle contains such a pair: of its blocks take the one with the least f; it must come
 * before the one that precedes it in the cycle, as that one's s is above some f of the cycle.) A
 * block with f &lt; s — forward — occupies [f, s]; the others — backward — can stand at any one
 * point of [s, f]. Two must each come before the other iff two forward ones overlap or a forward
 * one contains a backward one.
 *
 * <p>A crashed write or cas counts only when its value was observed: leaving out one that nobody
 * observed leaves a possible order possible. (Refused cas, below, are left out of this argument, so
 * "impossible" is proven by the others alone.)
 *
 * <p>A refused cas must be put where the value is not the one it expected. Each operation gets a
 * point, as early as the order allows; a refused cas fits unless the value it expected stood during
 * the whole of its interval. Where one does not fit the order is mended around it, see {@link
 * Mending}; where that does not succeed there is no answer and a search must decide.
 */
final class UniqueValues {
    private static final int NONE = -1;

    private final RegisterPart part;
    private final int count;
    private final int valueCount;

    // By value.
    private final int[] producer;
    private final int[] consumer;
    private final int[] readFrom;
    private final int[] block;
    // Reads by value, as a linked list through nextRead.
    private final int[] nextRead;
    private final boolean[] included;

    // By block; block 0 is the initial value's.
    private int blockCount;
    private int[] head;
    private int[] firstEnd;
    private int[] lastCall;
    private int[] firstEndOperation;
    private int[] lastCallOperation;

    private final Meter.Gauge gauge;

    private UniqueValues(RegisterPart part, Meter.Gauge gauge) {
        this.part = part;
        this.gauge = gauge;
        count = part.operationCount();
        valueCount = part.values().size();
        producer = filled(valueCount);
        consumer = filled(valueCount);
        readFrom = filled(valueCount);
        block = filled(valueCount);
        nextRead = filled(count);
        included = new boolean[count];
        head = new int[0];
        firstEnd = new int[0];
        lastCall = new int[0];
        firstEndOperation = new int[0];
        lastCallOperation = new int[0];
    }

    private static int[] filled(int length) {
        int[] array = new int[length];
        Arrays.fill(array, NONE);
        return array;
    }

    /** A verdict, or null where values are not unique or refused cas could not be placed. */
    static @Nullable Outcome judge(RegisterPart part, Meter.Gauge gauge) {
        return new UniqueValues(part, gauge).judge();
    }

    private @Nullable Outcome judge() {
        if (!valuesAreUnique()) {
            return null;
        }
        Outcome outcome = buildClusters();
        if (outcome == null) {
            outcome = buildBlocks();
        }
        if (outcome == null) {
            outcome = conflict();
        }
        return outcome == null ? order() : outcome;
    }

    // ---- clusters

    private boolean valuesAreUnique() {
        for (int i = 0; i < count; i++) {
            int value = part.produced(i);
            if (value < 0) {
                continue;
            }
            if (value == 0 || producer[value] != NONE) {
                return false;
            }
            producer[value] = i;
        }
        return true;
    }

    private @Nullable Outcome buildClusters() {
        var observed = new IntList(count);
        boolean[] isObserved = new boolean[valueCount];
        for (int i = 0; i < count; i++) {
            included[i] = !part.crashed(i) && part.kinds()[i] != RegisterPart.REFUSED;
            int value = part.needed(i);
            if (included[i] && value >= 0 && !isObserved[value]) {
                isObserved[value] = true;
                observed.add(value);
            }
        }
        // A crashed cas whose value was observed has itself observed the value it expected.
        for (int i = 0; i < observed.length(); i++) {
            int value = observed.at(i);
            int by = producer[value];
            if (value != 0 && by == NONE) {
                return impossible("was never written", firstReader(value));
            }
            if (by != NONE && part.crashed(by)) {
                included[by] = true;
                int expected = part.needed(by);
                if (expected >= 0 && !isObserved[expected]) {
                    isObserved[expected] = true;
                    observed.add(expected);
                }
            }
        }
        for (int i = 0; i < count; i++) {
            if (!included[i]) {
                continue;
            }
            int value = part.first()[i];
            if (part.kinds()[i] == RegisterPart.READ) {
                nextRead[i] = readFrom[value];
                readFrom[value] = i;
            } else if (part.kinds()[i] == RegisterPart.CAS) {
                if (consumer[value] != NONE) {
                    return impossible("both took the same value", consumer[value], i);
                }
                consumer[value] = i;
            }
        }
        return null;
    }

    private int firstReader(int value) {
        for (int i = 0; i < count; i++) {
            if (included[i] && part.needed(i) == value) {
                return i;
            }
        }
        throw new IllegalStateException("nobody observed value " + value);
    }

    // ---- blocks

    private @Nullable Outcome buildBlocks() {
        int heads = 1;
        for (int i = 0; i < count; i++) {
            heads += part.kinds()[i] == RegisterPart.WRITE ? 1 : 0;
        }
        head = new int[heads];
        firstEnd = new int[heads];
        lastCall = new int[heads];
        firstEndOperation = filled(heads);
        lastCallOperation = filled(heads);
        Outcome outcome = buildBlock(0);
        for (int i = 0; i < count && outcome == null; i++) {
            if (included[i] && part.kinds()[i] == RegisterPart.WRITE) {
                outcome = buildBlock(part.first()[i]);
            }
        }
        for (int i = 0; i < count && outcome == null; i++) {
            if (included[i] && part.produced(i) >= 0 && block[part.produced(i)] == NONE) {
                outcome = impossible("could only come from itself", i);
            }
        }
        return outcome;
    }

    /** Walks one chain of values and checks that its own order is possible. */
    private @Nullable Outcome buildBlock(int headValue) {
        gauge.check();
        int number = blockCount++;
        head[number] = headValue;
        // The initial value was there before everything.
        firstEnd[number] = headValue == 0 ? -1 : RegisterPart.NEVER;
        lastCall[number] = -1;
        int value = headValue;
        while (true) {
            block[value] = number;
            int by = producer[value];
            if (by != NONE) {
                Outcome outcome = append(number, by);
                if (outcome != null) {
                    return outcome;
                }
            }
            // Readers of one value are not ordered among themselves: first compare, then take in.
            for (int read = readFrom[value]; read != NONE; read = nextRead[read]) {
                if (part.returns()[read] < lastCall[number]) {
                    return impossible("ended too early", read, lastCallOperation[number]);
                }
            }
            for (int read = readFrom[value]; read != NONE; read = nextRead[read]) {
                takeIn(number, read);
            }
            int taker = consumer[value];
            if (taker == NONE) {
                return null;
            }
            value = part.second()[taker];
        }
    }

    private @Nullable Outcome append(int number, int operation) {
        if (part.returns()[operation] < lastCall[number]) {
            return impossible("ended too early", operation, lastCallOperation[number]);
        }
        takeIn(number, operation);
        return null;
    }

    private void takeIn(int number, int operation) {
        if (part.returns()[operation] < firstEnd[number]) {
            firstEnd[number] = part.returns()[operation];
            firstEndOperation[number] = operation;
        }
        if (part.calls()[operation] > lastCall[number]) {
            lastCall[number] = part.calls()[operation];
            lastCallOperation[number] = operation;
        }
    }

    // ---- conflicts between blocks

    private boolean forward(int number) {
        return firstEnd[number] < lastCall[number];
    }

    private int[] forwardBlocks() {
        int forwardCount = 0;
        for (int b = 0; b < blockCount; b++) {
            forwardCount += forward(b) ? 1 : 0;
        }
        long[] keys = new long[forwardCount];
        int at = 0;
        for (int b = 0; b < blockCount; b++) {
            if (forward(b)) {
                keys[at++] = (long) firstEnd[b] << 32 | b;
            }
        }
        Arrays.sort(keys);
        int[] sorted = new int[forwardCount];
        for (int i = 0; i < forwardCount; i++) {
            sorted[i] = (int) keys[i];
        }
        return sorted;
    }

    private @Nullable Outcome conflict() {
        int[] forward = forwardBlocks();
        for (int i = 1; i < forward.length; i++) {
            // Sorted by f, so the first overlap is between neighbours.
            if (lastCall[forward[i - 1]] > firstEnd[forward[i]]) {
                return conflict(forward[i - 1], forward[i]);
            }
        }
        for (int b = 0; b < blockCount; b++) {
            if (!forward(b)) {
                int around = lastStartingBefore(forward, lastCall[b]);
                if (around != NONE && lastCall[around] > firstEnd[b]) {
                    return conflict(around, b);
                }
            }
        }
        return null;
    }

    /** The forward block with the greatest f below a place, or NONE. */
    private int lastStartingBefore(int[] forward, int place) {
        int low = 0;
        int high = forward.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (firstEnd[forward[middle]] < place) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == 0 ? NONE : forward[low - 1];
    }

    private Outcome conflict(int one, int other) {
        return impossible(
                "stand apart",
                firstEndOperation[one],
                lastCallOperation[other],
                firstEndOperation[other],
                lastCallOperation[one]);
    }

    /** The culprits; where the first is NONE the initial value is meant. */
    private Outcome impossible(String reason, int... culprits) {
        int at = 0;
        for (int culprit : culprits) {
            if (culprit != NONE) {
                // A crashed one is observed by somebody whose end is not looked for: cut nothing.
                int last = part.part().events().length - 1;
                at = Math.max(at, Math.min(last, part.returns()[culprit]));
            }
        }
        return new Impossible(at, reason, culprits, List.of());
    }

    // ---- a linearization

    /** Each block at its earliest possible point; see the class comment. */
    private @Nullable Outcome order() {
        int[] forward = forwardBlocks();
        int[] point = new int[blockCount];
        for (int b = 0; b < blockCount; b++) {
            point[b] = forward(b) ? firstEnd[b] - 1 : firstPoint(forward, b);
        }
        int[] order = new int[count];
        int[] times = new int[count];
        int length = schedule(point, order, times);
        int[] mended = Mending.of(part, withRefused(order, times, length), gauge);
        return mended == null ? null : new Fits(mended);
    }

    /** The first point at which a backward block can stand: there is one, or it had a conflict. */
    private int firstPoint(int[] forward, int number) {
        int place = lastCall[number];
        int around = lastStartingBefore(forward, place + 1);
        return around != NONE ? Math.max(place, lastCall[around]) : place;
    }

    /**
     * Puts all blocks in the order of their points and gives each operation the earliest time that
     * the order allows: "directly after that event". Returns how many operations there are.
     */
    private int schedule(int[] point, int[] order, int[] times) {
        long[] keys = new long[blockCount];
        for (int b = 0; b < blockCount; b++) {
            // At one point a forward block that ends there comes first, one that begins there last.
            long rank = !forward(b) ? 1 : 2;
            keys[b] = ((long) (point[b] + 1) << 2 | rank) << 30 | b;
        }
        Arrays.sort(keys);
        int length = 0;
        int time = 0;
        for (long key : keys) {
            gauge.check();
            int number = (int) (key & (1 << 30) - 1);
            time = Math.max(time, forward(number) ? 0 : point[number]);
            int value = head[number];
            while (true) {
                int by = producer[value];
                if (by != NONE) {
                    time = Math.max(time, part.calls()[by]);
                    times[length] = time;
                    order[length++] = by;
                }
                int reads = length;
                for (int read = readFrom[value]; read != NONE; read = nextRead[read]) {
                    order[length++] = read;
                }
                if (length - reads > 1) {
                    sortByCall(order, reads, length);
                }
                for (int i = reads; i < length; i++) {
                    time = Math.max(time, part.calls()[order[i]]);
                    times[i] = time;
                }
                int taker = consumer[value];
                if (taker == NONE) {
                    break;
                }
                value = part.second()[taker];
            }
        }
        return length;
    }

    /** Operations are numbered in the order of their invocations. */
    private static void sortByCall(int[] order, int from, int to) {
        Arrays.sort(order, from, to);
    }

    /** The order with every refused cas put where it fits, else where it began. */
    private int[] withRefused(int[] order, int[] times, int length) {
        int refusedCount = 0;
        for (int x = 0; x < count; x++) {
            refusedCount += part.kinds()[x] == RegisterPart.REFUSED ? 1 : 0;
        }
        long[] keys = new long[refusedCount];
        int[] start = new int[valueCount];
        int[] end = new int[valueCount];
        Arrays.fill(end, RegisterPart.NEVER);
        int[] position = filled(valueCount);
        int[] endPosition = new int[valueCount];
        Arrays.fill(endPosition, length);
        int last = 0;
        for (int i = 0; i < length; i++) {
            int value = part.produced(order[i]);
            if (value >= 0) {
                end[last] = times[i];
                endPosition[last] = i;
                start[value] = times[i];
                position[value] = i;
                last = value;
            }
        }
        int at = 0;
        for (int x = 0; x < count; x++) {
            if (part.kinds()[x] != RegisterPart.REFUSED) {
                continue;
            }
            int value = part.first()[x];
            int call = part.calls()[x];
            int place;
            if (block[value] == NONE
                    || (value != 0 && start[value] >= part.returns()[x])
                    || end[value] < call) {
                place = firstAfter(times, length, call);
            } else if (position[value] != NONE && start[value] >= call) {
                place = position[value];
            } else if (end[value] < part.returns()[x]) {
                place = endPosition[value] + 1;
            } else {
                place = firstAfter(times, length, call);
            }
            keys[at++] = (long) place << 32 | x;
        }
        Arrays.sort(keys);
        int[] whole = new int[length + refusedCount];
        int out = 0;
        int next = 0;
        for (int i = 0; i <= length; i++) {
            while (next < refusedCount && (keys[next] >>> 32) <= i) {
                whole[out++] = (int) keys[next++];
            }
            if (i < length) {
                whole[out++] = order[i];
            }
        }
        return whole;
    }

    private static int firstAfter(int[] times, int length, int call) {
        int low = 0;
        int high = length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (times[middle] < call) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
