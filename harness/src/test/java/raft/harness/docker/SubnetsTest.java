package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.List;

final class SubnetsTest {
    @Test
    void networksOverlapWhenOneHoldsTheOther() {
        assertThat(Subnets.overlap("10.77.3.0/24", "10.0.0.0/8")).isTrue();
        assertThat(Subnets.overlap("10.77.3.0/24", "10.77.3.128/25")).isTrue();
        assertThat(Subnets.overlap("10.77.3.0/24", "10.77.4.0/24")).isFalse();
        assertThat(Subnets.overlap("10.77.3.0/24", "0.0.0.0/0")).isTrue();
        assertThat(Subnets.overlap("10.77.3.0/24", "fd00::/64")).isFalse();
    }

    @Test
    void takenNetworksAreNoCandidates() {
        List<String> first = Subnets.candidates("run", List.of(), 3);
        List<String> second = Subnets.candidates("run", List.of(first.get(0)), 3);
        assertThat(first).hasSize(3);
        assertThat(second).hasSize(3).doesNotContain(first.get(0)).startsWith(first.get(1));
    }

    @Test
    void whereEverythingIsTakenThereIsNoCandidate() {
        assertThat(Subnets.candidates("run", List.of("10.0.0.0/8"), 3)).isEmpty();
    }

    @Test
    void addressesAreInTheirNetwork() {
        assertThat(Subnets.address("10.77.3.0/24", 11)).isEqualTo("10.77.3.11");
    }

    @Test
    void theEnginesRefusalOfATakenNetworkIsKnown() {
        assertThat(Subnets.isTaken("Pool overlaps with other one on this address space")).isTrue();
        assertThat(Subnets.isTaken("permission denied")).isFalse();
    }
}
