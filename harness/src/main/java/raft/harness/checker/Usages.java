package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How often a configuration has used each class of crashed operations, as interned numbers: 0 is
 * "none". A multiset with counts instead of one pending operation each: a thousand crashed writes
 * of the same value cost no more than one.
 *
 * <p>Where values are unique there are as many classes as crashed operations, and the usages that
 * are compared differ in the latest few. So the counts lie in chunks that a usage shares with the
 * one it was made from: chunks that are the same object need not be compared.
 */
final class Usages {
    private static final int CHUNK_BITS = 6;
    private static final int CHUNK_LENGTH = 1 << CHUNK_BITS;
    private static final int[] EMPTY = new int[CHUNK_LENGTH];

    private final List<@Nullable Counts> all = new ArrayList<>();
    private final Map<Counts, Integer> numbers = new HashMap<>();
    private final LongIntMap additions = new LongIntMap();

    /** Numbers that mean nothing at present. */
    private final IntList free = new IntList();

    private long sizeBytes;

    /** Equal by content; the hash is a sum, so that it can be kept up to date. */
    private static final class Counts {
        final int[][] chunks;
        final int total;
        final int hash;

        Counts(int[][] chunks, int total, int hash) {
            this.chunks = chunks;
            this.total = total;
            this.hash = hash;
        }

        int[] chunk(int index) {
            return index < chunks.length ? chunks[index] : EMPTY;
        }

        Counts plusOne(int item) {
            int index = item >> CHUNK_BITS;
            int[][] more = Arrays.copyOf(chunks, Math.max(chunks.length, index + 1));
            Arrays.fill(more, Math.min(chunks.length, more.length), more.length, EMPTY);
            more[index] = more[index].clone();
            more[index][item & CHUNK_LENGTH - 1]++;
            int mixed = (item + 1) * 0x9E3779B9;
            return new Counts(more, total + 1, hash + (mixed ^ mixed >>> 15));
        }

        @Override
        public boolean equals(@Nullable Object other) {
            if (!(other instanceof Counts that) || that.hash != hash || that.total != total) {
                return false;
            }
            return within(that);
        }

        /** With the same total this is equality. */
        boolean within(Counts more) {
            for (int i = 0; i < chunks.length; i++) {
                int[] mine = chunks[i];
                int[] theirs = more.chunk(i);
                // Asks first whether they are the same object.
                boolean equal = Arrays.equals(mine, theirs);
                for (int j = 0; !equal && j < CHUNK_LENGTH; j++) {
                    if (mine[j] > theirs[j]) {
                        return false;
                    }
                }
            }
            return true;
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    Usages() {
        number(new Counts(new int[0][], 0, 0));
    }

    int count(int usage, int item) {
        return counts(usage).chunk(item >> CHUNK_BITS)[item & CHUNK_LENGTH - 1];
    }

    int total(int usage) {
        return counts(usage).total;
    }

    /** Whether {@code less} has used nothing more often than {@code more}. */
    boolean within(int less, int more) {
        return less == more || counts(less).within(counts(more));
    }

    int plusOne(int usage, int item) {
        long key = (long) usage << 32 | item;
        int known = additions.lookup(key);
        if (known == LongIntMap.NONE) {
            known = number(counts(usage).plusOne(item));
            additions.put(key, known);
        }
        return known;
    }

    /** The same counts under new numbers: {@code kept[old]} is the new number of an item, or -1. */
    Moved moved(int[] usages, int[] kept) {
        var other = new Usages();
        int[] numbered = new int[usages.length];
        for (int i = 0; i < usages.length; i++) {
            int usage = 0;
            Counts counts = counts(usages[i]);
            for (int item = 0; item < kept.length; item++) {
                int count = counts.chunk(item >> CHUNK_BITS)[item & CHUNK_LENGTH - 1];
                for (int n = 0; kept[item] >= 0 && n < count; n++) {
                    usage = other.plusOne(usage, kept[item]);
                }
            }
            numbered[i] = usage;
        }
        return new Moved(other, numbered);
    }

    /**
     * @param numbers of the usages that were to be moved, in the same order
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Moved(Usages usages, int[] numbers) {}

    long sizeBytes() {
        return sizeBytes + additions.sizeBytes();
    }

    /** Forgets all but these, which keep their numbers. */
    void keepOnly(BitSet used) {
        additions.clear();
        numbers.clear();
        free.clear();
        sizeBytes = 0;
        for (int i = all.size() - 1; i >= 0; i--) {
            Counts counts = all.get(i);
            if (counts == null || (i > 0 && !used.get(i))) {
                all.set(i, null);
                free.add(i);
            } else {
                numbers.put(counts, i);
                sizeBytes += bytes(counts);
            }
        }
    }

    private Counts counts(int usage) {
        Counts counts = all.get(usage);
        if (counts == null) {
            throw new IllegalStateException("usage " + usage + " was forgotten");
        }
        return counts;
    }

    private int number(Counts counts) {
        int next = free.length() == 0 ? all.size() : free.at(free.length() - 1);
        Integer known = numbers.putIfAbsent(counts, next);
        if (known != null) {
            return known;
        }
        if (next == all.size()) {
            all.add(counts);
        } else {
            free.truncate(free.length() - 1);
            all.set(next, counts);
        }
        sizeBytes += bytes(counts);
        return next;
    }

    /** The object, its entry in the table, its list of chunks and the one chunk of its own. */
    private static long bytes(Counts counts) {
        return 160 + counts.chunks.length * 8L + CHUNK_LENGTH * 4L;
    }
}
