package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * An exact set of rows of longs of one width, in the order in which they were added. Open
 * addressing over one flat array: no objects, no lossy hashing. Each row may carry the
 * linearization that led to it.
 */
final class RowSet {
    private final int width;
    private final boolean traced;
    private long firstWordMask = -1;
    private int found;
    private long[] rows;
    private int[] table;
    private @Nullable Placed[] traces;
    private int count;

    RowSet(int width, boolean traced) {
        this.width = width;
        this.traced = traced;
        rows = new long[width * 16];
        table = new int[64];
        traces = new Placed[traced ? 16 : 0];
    }

    /** From now on only these bits of a row's first word tell rows apart. */
    void compareFirstWord(long mask) {
        firstWordMask = mask;
    }

    /** The row that {@link #add} found to be there already. */
    int found() {
        return found;
    }

    int count() {
        return count;
    }

    long[] rows() {
        return rows;
    }

    int offset(int index) {
        return index * width;
    }

    @Nullable Placed trace(int index) {
        return traced ? traces[index] : null;
    }

    void clear() {
        // A set that was once huge must not cost its size for ever after.
        if (table.length > 1 << 12 && count * 16 < table.length) {
            table = new int[table.length / 4];
        } else {
            Arrays.fill(table, 0);
        }
        if (traced) {
            Arrays.fill(traces, 0, count, null);
        }
        count = 0;
    }

    /** Adds a row; false when it was there. */
    boolean add(long[] from, int offset, @Nullable Placed trace) {
        if (count * 2 >= table.length) {
            rehash(table.length * 2);
        }
        int mask = table.length - 1;
        int at = hash(from, offset) & mask;
        while (table[at] != 0) {
            if (same(from, offset, (table[at] - 1) * width)) {
                found = table[at] - 1;
                return false;
            }
            at = (at + 1) & mask;
        }
        if ((count + 1) * width > rows.length) {
            rows = Arrays.copyOf(rows, rows.length * 2);
            if (traced) {
                traces = Arrays.copyOf(traces, rows.length / width);
            }
        }
        System.arraycopy(from, offset, rows, count * width, width);
        if (traced) {
            traces[count] = trace;
        }
        table[at] = ++count;
        return true;
    }

    long sizeBytes() {
        return rows.length * 8L + table.length * 4L + traces.length * 40L;
    }

    private void rehash(int size) {
        table = new int[size];
        int mask = size - 1;
        for (int i = 0; i < count; i++) {
            int at = hash(rows, i * width) & mask;
            while (table[at] != 0) {
                at = (at + 1) & mask;
            }
            table[at] = i + 1;
        }
    }

    private int hash(long[] from, int offset) {
        long h = (from[offset] & firstWordMask) * 0x9E3779B97F4A7C15L;
        h ^= h >>> 29;
        for (int i = 1; i < width; i++) {
            h = (h ^ from[offset + i]) * 0x9E3779B97F4A7C15L;
            h ^= h >>> 29;
        }
        return (int) (h ^ (h >>> 32));
    }

    private boolean same(long[] from, int offset, int mine) {
        if (((from[offset] ^ rows[mine]) & firstWordMask) != 0) {
            return false;
        }
        for (int i = 1; i < width; i++) {
            if (from[offset + i] != rows[mine + i]) {
                return false;
            }
        }
        return true;
    }
}
