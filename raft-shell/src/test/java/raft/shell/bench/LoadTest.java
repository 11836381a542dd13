package raft.shell.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class LoadTest {
    /**
     * 1000 operations of 1 ms, then one that hangs for a second: at a steady pace of one a
     * millisecond a thousand operations would have met it.
     */
    @Test
    void correctedLatenciesCountWhatAClosedLoopDidNotAsk() {
        Histogram latencies = new Histogram(3);
        latencies.recordValueWithCount(1_000_000, 1000);
        latencies.recordValue(1_000_000_000);
        Load.Result result = new Load.Result(1001, 2_000_000_000L, latencies);

        assertThat(result.latencies().getValueAtPercentile(99)).isLessThan(2_000_000);
        assertThat(result.corrected(1).getValueAtPercentile(50))
                .isBetween(1_000_000L, 600_000_000L);
        assertThat(result.corrected(1).getValueAtPercentile(99)).isGreaterThan(900_000_000L);
    }

    @Test
    void keysSortLikeTheirNumbers() {
        assertThat(new String(LoadGenerator.key(7))).isEqualTo("key-000000000007");
        assertThat(new String(LoadGenerator.key(123_456_789_012L))).isEqualTo("key-123456789012");
    }
}
