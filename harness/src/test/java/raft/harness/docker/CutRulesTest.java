package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.docker.CutRules.Count;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

final class CutRulesTest {
    private static final TreeMap<String, String> PEERS =
            new TreeMap<>(Map.of("n2", "10.77.0.12", "n3", "10.77.0.13"));

    @Test
    void theDropStandsBetweenTheTwoCountsOfAProbe() {
        assertThat(CutRules.restoreInput(PEERS, Set.of("n3")))
                .isEqualTo(
                        """
                        *filter
                        :RAFTLAB - [0:0]
                        -F RAFTLAB
                        -A RAFTLAB -s 10.77.0.12 -p udp -m udp --dport 7099 -m comment --comment arrived:n2
                        -A RAFTLAB -s 10.77.0.13 -p udp -m udp --dport 7099 -m comment --comment arrived:n3
                        -A RAFTLAB -s 10.77.0.13 -m comment --comment cut:n3 -j DROP
                        -A RAFTLAB -s 10.77.0.12 -p udp -m udp --dport 7099 -m comment --comment passed:n2 -j DROP
                        -A RAFTLAB -s 10.77.0.13 -p udp -m udp --dport 7099 -m comment --comment passed:n3 -j DROP
                        COMMIT
                        """);
    }

    @Test
    void countsAreReadFromWhatTheKernelSaves() {
        String saved =
                """
                [2:66] -A RAFTLAB -s 10.77.0.12/32 -p udp -m udp --dport 7099 -m comment --comment "arrived:n2"
                [1:33] -A RAFTLAB -s 10.77.0.13/32 -p udp -m udp --dport 7099 -m comment --comment arrived:n3
                [9:999] -A RAFTLAB -s 10.77.0.13/32 -m comment --comment "cut:n3" -j DROP
                [2:66] -A RAFTLAB -s 10.77.0.12/32 -p udp -m udp --dport 7099 -m comment --comment "passed:n2" -j DROP
                [0:0] -A RAFTLAB -s 10.77.0.13/32 -p udp -m udp --dport 7099 -m comment --comment "passed:n3" -j DROP
                """;
        assertThat(CutRules.counts(saved))
                .isEqualTo(Map.of("n2", new Count(2, 2), "n3", new Count(1, 0)));
    }

    @Test
    void othersRulesAreNotCounted() {
        String saved = "[5:99] -A INPUT -s 10.77.0.12/32 -m comment --comment \"arrived:n2\"\n";
        assertThat(CutRules.counts(saved)).isEmpty();
    }

    @Test
    void takingBackNamesOnlyOurChain() {
        assertThat(CutRules.removeCommand("iptables"))
                .contains("-D INPUT -j RAFTLAB", "-F RAFTLAB", "-X RAFTLAB")
                .doesNotContain("-F INPUT", "-F;", "-P ");
    }

    @Test
    void everyPeerGetsAProbe() {
        assertThat(CutRules.probeCommand(List.of("10.77.0.12", "10.77.0.13")))
                .isEqualTo(
                        "echo probe >/dev/udp/10.77.0.12/7099; "
                                + "echo probe >/dev/udp/10.77.0.13/7099; true");
    }

    @Test
    void onlyAGlobalAddressMakesASecondFamily() {
        String loopbackAndLink =
                """
                00000000000000000000000000000001 01 80 10 80       lo
                fe800000000000000042acfffe110002 02 40 20 80     eth0
                """;
        String global = "fd000000000000000000000000000002 0a 40 00 80     eth0\n";
        assertThat(Cuts.globalV6(loopbackAndLink)).isNull();
        assertThat(Cuts.globalV6(loopbackAndLink + global))
                .isEqualTo("fd00:0000:0000:0000:0000:0000:0000:0002");
    }
}
