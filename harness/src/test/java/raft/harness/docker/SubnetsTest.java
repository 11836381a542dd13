package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

final class SubnetsTest {
    @ParameterizedTest
    @CsvSource({
        "10.77.1.0/24, 10.77.1.0/24,   true",
        "10.77.1.0/24, 10.77.2.0/24,   false",
        "10.77.1.0/24, 10.0.0.0/8,     true",
        "10.0.0.0/8,   10.77.1.0/24,   true",
        "10.77.1.0/24, 172.17.0.0/16,  false",
        "10.77.1.0/24, 0.0.0.0/0,      true",
        "200.1.2.0/24, 200.1.2.128/25, true",
        "10.77.1.0/24, fd00::/64,      false",
        "10.77.1.0/24, null,           false",
        "10.77.1.0/24, 10.77.x.0/24,   false",
    })
    void overlapIsThatOfTheShorterPrefix(String a, String b, boolean expected) {
        assertThat(Subnets.overlap(a, b)).isEqualTo(expected);
    }

    @Test
    void candidatesAvoidWhatIsTaken() {
        List<String> free = Subnets.candidates("run", List.of(), 30);
        assertThat(free).hasSize(30).doesNotHaveDuplicates();
        assertThat(Subnets.candidates("run", free.subList(0, 29), 1)).containsExactly(free.get(29));
        assertThat(Subnets.candidates("run", List.of("10.77.0.0/16"), 5000))
                .hasSize(15 * 256)
                .noneMatch(subnet -> subnet.startsWith("10.77."));
    }

    @Test
    void wholeRangeTakenLeavesNoCandidate() {
        assertThat(Subnets.candidates("run", List.of("10.0.0.0/8"), 10)).isEmpty();
    }

    @Test
    void runsStartAtDifferentPlaces() {
        assertThat(Subnets.candidates("r1", List.of(), 1))
                .isNotEqualTo(Subnets.candidates("r2", List.of(), 1));
        assertThat(Subnets.candidates("r1", List.of(), 1))
                .isEqualTo(Subnets.candidates("r1", List.of(), 1));
    }

    @Test
    void addressesAreInTheSubnet() {
        assertThat(Subnets.address("10.77.5.0/24", 11)).isEqualTo("10.77.5.11");
    }

    @Test
    void machinesOwnRoutesAreTakenButNotTheWideOnes() {
        String table =
                """
                Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
                eth0\t00000000\t0105A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
                tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0
                eth1\t00054D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
                eth0\t0005A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
                """;
        assertThat(Subnets.routes(table)).containsExactly("10.77.5.0/24", "192.168.5.0/16");
        assertThat(Subnets.routes("")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Pool overlaps with other one on this address space | true",
                "cannot create network x (br-x): conflicts with network y (br-y) | true",
                "permission denied | false"
            })
    void refusalsForTakenAddressesAreToldFromOthers(String reason, boolean taken) {
        assertThat(Subnets.isTaken(reason)).isEqualTo(taken);
    }
}
