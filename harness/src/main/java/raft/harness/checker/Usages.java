package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How often a configuration has used each class of crashed operations, as interned numbers: 0 is
 * "none". A multiset with counts instead of one pending operation each: a thousand crashed writes
 * of the same value cost no more than one.
 */
@SuppressWarnings("ArrayRecordComponent") // Key compares by content
final class Usages {
    private final List<int[]> vectors = new ArrayList<>();
    private final Map<Key, Integer> numbers = new HashMap<>();
    private final IntList totals = new IntList();
    private final LongIntMap additions = new LongIntMap();

    private record Key(int[] vector) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key(int[] theirs) && Arrays.equals(vector, theirs);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(vector);
        }
    }

    Usages() {
        number(new int[0]);
    }

    int count(int usage, int item) {
        int[] vector = vectors.get(usage);
        return item < vector.length ? vector[item] : 0;
    }

    int total(int usage) {
        return totals.at(usage);
    }

    /** Whether {@code less} has used nothing more often than {@code more}. */
    boolean within(int less, int more) {
        if (less == more) {
            return true;
        }
        int[] a = vectors.get(less);
        int[] b = vectors.get(more);
        if (a.length > b.length) {
            return false;
        }
        for (int i = 0; i < a.length; i++) {
            if (a[i] > b[i]) {
                return false;
            }
        }
        return true;
    }

    int plusOne(int usage, int item) {
        long key = (long) usage << 32 | item;
        int known = additions.lookup(key);
        if (known == LongIntMap.NONE) {
            int[] before = vectors.get(usage);
            int[] vector = Arrays.copyOf(before, Math.max(before.length, item + 1));
            vector[item]++;
            known = number(vector);
            additions.put(key, known);
        }
        return known;
    }

    long sizeBytes() {
        long length = vectors.getLast().length;
        return vectors.size() * (120 + length * 4) + additions.sizeBytes();
    }

    private int number(int[] vector) {
        Integer known = numbers.putIfAbsent(new Key(vector), vectors.size());
        if (known != null) {
            return known;
        }
        vectors.add(vector);
        int total = 0;
        for (int count : vector) {
            total += count;
        }
        totals.add(total);
        return vectors.size() - 1;
    }
}
