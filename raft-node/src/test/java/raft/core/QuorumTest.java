package raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.Random;

final class QuorumTest {
    @Test
    void twoQuorumsAlwaysMeet() {
        for (int count = 1; count <= 9; count++) {
            assertThat(2 * Quorum.size(count)).isGreaterThan(count);
            assertThat(2 * (Quorum.size(count) - 1)).isLessThanOrEqualTo(count);
        }
    }

    @Test
    void reachedByMajorityAgreesWithCountingEveryCandidate() {
        Random random = new Random(1);
        for (int turn = 0; turn < 10_000; turn++) {
            long[] values = random.longs(1 + random.nextInt(9), 0, 6).toArray();
            long expected =
                    Arrays.stream(values)
                            .filter(
                                    value ->
                                            Arrays.stream(values)
                                                            .filter(other -> other >= value)
                                                            .count()
                                                    >= Quorum.size(values.length))
                            .max()
                            .orElseThrow();
            assertThat(Quorum.reachedByMajority(values)).isEqualTo(expected);
        }
    }
}
