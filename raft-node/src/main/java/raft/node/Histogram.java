package raft.node;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts of values in buckets that grow with the value, 8 to an octave: a percentile is right to
 * one part in 8, at 4 KB a histogram and a few nanoseconds a value. Any thread may record or read;
 * what is read while others record may lack their newest values.
 */
final class Histogram {
    private static final int SUB_BITS = 3;
    private static final int SUB_COUNT = 1 << SUB_BITS;
    private static final int BUCKET_COUNT = (Long.SIZE - SUB_BITS) * SUB_COUNT;

    /** The buckets, and behind them the sum of all values. */
    private final AtomicLongArray counts = new AtomicLongArray(BUCKET_COUNT + 1);

    /** Percentiles at one moment. */
    record Summary(long count, long sum, long p50, long p99, long max) {}

    /** Negative values, from clocks read in the wrong order, count as 0. */
    void record(long value) {
        long counted = Math.max(0, value);
        counts.incrementAndGet(bucket(counted));
        counts.addAndGet(BUCKET_COUNT, counted);
    }

    /** Values below 8 have buckets of their own. */
    private static int bucket(long value) {
        if (value < SUB_COUNT) {
            return (int) value;
        }
        int exponent = Long.SIZE - 1 - Long.numberOfLeadingZeros(value);
        int sub = (int) (value >>> (exponent - SUB_BITS)) & (SUB_COUNT - 1);
        return (exponent - SUB_BITS + 1) * SUB_COUNT + sub;
    }

    /** The greatest value that falls into a bucket. */
    private static long upperBound(int bucket) {
        if (bucket < SUB_COUNT) {
            return bucket;
        }
        int exponent = bucket / SUB_COUNT + SUB_BITS - 1;
        long width = 1L << (exponent - SUB_BITS);
        return (1L << exponent) + (bucket % SUB_COUNT + 1) * width - 1;
    }

    /** How many values are at most {@code bound}, where {@code bound} + 1 is a power of two. */
    long countAtMost(long bound) {
        long count = 0;
        for (int i = 0; i < BUCKET_COUNT && upperBound(i) <= bound; i++) {
            count += counts.get(i);
        }
        return count;
    }

    Summary summary() {
        long[] now = new long[BUCKET_COUNT];
        long count = 0;
        int last = 0;
        for (int i = 0; i < BUCKET_COUNT; i++) {
            now[i] = counts.get(i);
            count += now[i];
            last = now[i] > 0 ? i : last;
        }
        return new Summary(
                count,
                counts.get(BUCKET_COUNT),
                percentile(now, count, 50),
                percentile(now, count, 99),
                count == 0 ? 0 : upperBound(last));
    }

    private static long percentile(long[] counts, long count, int percent) {
        long wanted = Math.max(1, (count * percent + 99) / 100);
        long seen = 0;
        for (int i = 0; i < counts.length; i++) {
            seen += counts[i];
            if (seen >= wanted) {
                return upperBound(i);
            }
        }
        return 0;
    }
}
