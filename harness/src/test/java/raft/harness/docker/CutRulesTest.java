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
            new TreeMap<>(Map.of("n1", "10.77.1.11", "n3", "10.77.1.13"));

    @Test
    void everyPeerIsCountedBeforeAndAfterTheDropsAndOnlyTheCutOneIsDropped() {
        String probe = " -p udp -m udp --dport 7099 -m comment --comment ";
        assertThat(CutRules.restoreInput(PEERS, Set.of("n3"), Map.of()).lines())
                .containsExactly(
                        "*filter",
                        ":RAFTLAB - [0:0]",
                        "-F RAFTLAB",
                        "-A RAFTLAB -s 10.77.1.11" + probe + "arrived:n1",
                        "-A RAFTLAB -s 10.77.1.13" + probe + "arrived:n3",
                        "-A RAFTLAB -s 10.77.1.13 -m comment --comment cut:n3 -j DROP",
                        "-A RAFTLAB -s 10.77.1.11" + probe + "passed:n1 -j DROP",
                        "-A RAFTLAB -s 10.77.1.13" + probe + "passed:n3 -j DROP",
                        "COMMIT");
    }

    @Test
    void neighbourDiscoveryIsNeverDroppedOrOneWayCutsWouldCutBothWays() {
        TreeMap<String, String> peers = new TreeMap<>(Map.of("n3", "fd00::13"));
        List<String> lines = CutRules.restoreInput(peers, Set.of("n3"), Map.of()).lines().toList();
        int drop = lines.indexOf("-A RAFTLAB -s fd00::13 -m comment --comment cut:n3 -j DROP");
        assertThat(drop).isPositive();
        assertThat(lines.subList(0, drop))
                .contains(
                        "-A RAFTLAB -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j RETURN",
                        "-A RAFTLAB -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j RETURN");
    }

    @Test
    void withoutCutsNothingButProbesIsDropped() {
        assertThat(CutRules.restoreInput(PEERS, Set.of(), Map.of()).lines())
                .filteredOn(line -> line.contains("-j DROP"))
                .hasSize(2)
                .allMatch(line -> line.contains("--dport " + CutRules.PROBE_PORT));
    }

    @Test
    void aStrangerAmongTheSourcesIsLeftOut() {
        assertThat(CutRules.restoreInput(PEERS, Set.of("n9"), Map.of())).doesNotContain("n9");
    }

    /** Another chain or another's hook must never be named by a command that removes. */
    @Test
    void removalNamesOnlyTheOwnChain() {
        String command = CutRules.removeCommand("ip6tables");
        assertThat(command.split("ip6tables", -1))
                .filteredOn(part -> part.contains("-F") || part.contains("-X"))
                .isNotEmpty()
                .allMatch(part -> part.contains(CutRules.CHAIN));
        assertThat(command).contains("-D INPUT -j RAFTLAB").doesNotContain("iptables-restore");
        assertThat(command.replace("ip6tables", "")).doesNotContain("iptables");
    }

    @Test
    void countersOfBothSpellingsAreRead() {
        // iptables-nft quotes comments that need it, iptables-legacy all of them.
        String saved =
                """
                [3:84] -A RAFTLAB -s 10.77.1.11/32 -p udp -m udp --dport 7099 -m comment --comment "arrived:n1"
                [1:28] -A RAFTLAB -s 10.77.1.13/32 -p udp -m udp --dport 7099 -m comment --comment arrived:n3
                [9:999] -A RAFTLAB -s 10.77.1.13/32 -m comment --comment "cut:n3" -j DROP
                [2:56] -A RAFTLAB -s 10.77.1.11/32 -p udp -m udp --dport 7099 -m comment --comment "passed:n1" -j DROP
                [0:0] -A RAFTLAB -s 10.77.1.13/32 -p udp -m udp --dport 7099 -m comment --comment "passed:n3" -j DROP
                """;
        assertThat(CutRules.counts(saved))
                .isEqualTo(Map.of("n1", new Count(3, 2), "n3", new Count(1, 0)));
    }

    @Test
    void countersOfOtherChainsAndRubbishAreNotRead() {
        String saved =
                """
                [3:84] -A INPUT -m comment --comment "arrived:n1"
                [3:84] -A RAFTLABX -m comment --comment "arrived:n1"
                -A RAFTLAB -m comment --comment "arrived:n1"
                [1:1] -A RAFTLAB -j DROP
                rubbish
                """;
        assertThat(CutRules.counts(saved)).isEmpty();
        assertThat(CutRules.counts("")).isEmpty();
    }

    @Test
    void probesGoToEveryAddressAndAFailedOneEndsNothing() {
        assertThat(CutRules.probeCommand(List.of("10.0.0.1", "fe80::1"), CutRules.PROBE_PORT, 3))
                .isEqualTo(
                        "for ((i = 0; i < 3; i++)); do echo probe >/dev/udp/10.0.0.1/7099; echo"
                                + " probe >/dev/udp/fe80::1/7099; true; done");
    }

    @Test
    void globalAddressOfTheSecondFamilyIsFoundAmongOthers() {
        String table =
                """
                00000000000000000000000000000001 01 80 10 80       lo
                fe80000000000000000000fffe000001 02 40 20 80     eth0
                fd000000000000000000000000000a11 02 40 00 80     eth0
                """;
        assertThat(Cuts.globalV6(table)).isEqualTo("fd00:0000:0000:0000:0000:0000:0000:0a11");
        assertThat(Cuts.globalV6(table.lines().limit(2).toList().toString())).isNull();
        assertThat(Cuts.globalV6("")).isNull();
    }
}
