package raft.harness.checker;

import java.util.Arrays;

/** An exact map from long to int ≥ 0 with open addressing; {@link #NONE} is "absent". */
final class LongIntMap {
    static final int NONE = -1;

    private long[] keys = new long[64];
    private int[] values = new int[64];
    private int count;

    LongIntMap() {
        Arrays.fill(values, NONE);
    }

    int lookup(long key) {
        int mask = keys.length - 1;
        int at = slot(key, mask);
        while (values[at] != NONE) {
            if (keys[at] == key) {
                return values[at];
            }
            at = (at + 1) & mask;
        }
        return NONE;
    }

    void put(long key, int value) {
        if (count * 2 >= keys.length) {
            grow();
        }
        insert(key, value);
    }

    /** Removes and gives back what was there. Keeps probe chains whole by moving later entries. */
    int remove(long key) {
        int mask = keys.length - 1;
        int at = slot(key, mask);
        while (values[at] != NONE && keys[at] != key) {
            at = (at + 1) & mask;
        }
        int removed = values[at];
        if (removed == NONE) {
            return NONE;
        }
        values[at] = NONE;
        count--;
        for (int next = (at + 1) & mask; values[next] != NONE; next = (next + 1) & mask) {
            int value = values[next];
            values[next] = NONE;
            count--;
            insert(keys[next], value);
        }
        return removed;
    }

    void clear() {
        if (keys.length > 1 << 12) {
            keys = new long[64];
            values = new int[64];
        }
        Arrays.fill(values, NONE);
        count = 0;
    }

    long sizeBytes() {
        return keys.length * 12L;
    }

    private void insert(long key, int value) {
        int mask = keys.length - 1;
        int at = slot(key, mask);
        while (values[at] != NONE) {
            if (keys[at] == key) {
                values[at] = value;
                return;
            }
            at = (at + 1) & mask;
        }
        keys[at] = key;
        values[at] = value;
        count++;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[oldKeys.length * 2];
        values = new int[keys.length];
        Arrays.fill(values, NONE);
        count = 0;
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldValues[i] != NONE) {
                insert(oldKeys[i], oldValues[i]);
            }
        }
    }

    private static int slot(long key, int mask) {
        long h = key * 0x9E3779B97F4A7C15L;
        return (int) (h >>> 32) & mask;
    }
}
