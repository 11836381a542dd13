package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.SplittableRandom;

final class HistogramTest {
    @Test
    void percentilesAreRightToOnePartInEight() {
        SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < 50; round++) {
            Histogram histogram = new Histogram();
            long[] values = new long[1000];
            int bits = 1 + random.nextInt(62);
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextLong(1L << bits);
                histogram.record(values[i]);
            }
            Arrays.sort(values);
            Histogram.Summary summary = histogram.summary();
            assertThat(summary.count()).isEqualTo(1000);
            assertNear(summary.p50(), values[499]);
            assertNear(summary.p99(), values[989]);
            assertNear(summary.max(), values[999]);
        }
    }

    private static void assertNear(long told, long exact) {
        assertThat(told).isBetween(exact, exact + exact / 8 + 1);
    }

    @Test
    void countsBelowPowersOfTwoAreExact() {
        Histogram histogram = new Histogram();
        for (long value : new long[] {0, 1, 7, 8, 1023, 1024, Long.MAX_VALUE, -5}) {
            histogram.record(value);
        }
        assertThat(histogram.countAtMost(0)).isEqualTo(2);
        assertThat(histogram.countAtMost(7)).isEqualTo(4);
        assertThat(histogram.countAtMost(1023)).isEqualTo(6);
        assertThat(histogram.countAtMost(2047)).isEqualTo(7);
        assertThat(histogram.summary().count()).isEqualTo(8);
    }

    @Test
    void anEmptyOneIsAllZeros() {
        assertThat(new Histogram().summary()).isEqualTo(new Histogram.Summary(0, 0, 0, 0, 0));
    }
}
