package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import raft.harness.docker.StandInCluster.Injected;
import raft.harness.nemesis.FaultAction.Cut;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Cut links, seen from where they matter: the nodes between which packets go, or do not. */
@Tag("containers")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CutsContainersTest {
    private static final Link N1_TO_N2 = new Link("n1", "n2");
    private static final Link N2_TO_N1 = new Link("n2", "n1");
    private static final Link N1_TO_N3 = new Link("n1", "n3");
    private static final Link N3_TO_N1 = new Link("n3", "n1");
    private static final String FILTER = "iptables-save -t filter | grep -v -e '^#' -e '^:INPUT'";

    private final StandInCluster cluster;

    CutsContainersTest(@TempDir Path folder) throws IOException {
        ContainerEngine.require().close();
        cluster = StandInCluster.start(folder, 3);
    }

    @BeforeAll
    void everythingIsDeliveredBefore() throws Exception {
        assertDelivered(cluster.allLinks());
    }

    @AfterEach
    void healAll() {
        cluster.cluster().healAll();
    }

    @AfterAll
    void close() {
        cluster.close();
    }

    private void assertDelivered(Set<Link> expected) throws Exception {
        assertThat(cluster.delivered(expected)).isEqualTo(expected);
    }

    private PodShell shell(String node) {
        return cluster.cluster().pod(node).shell();
    }

    @Test
    void isolatedNodeIsCutBothWaysAndComesBack() throws Exception {
        Injected cut = cluster.inject(new Cut(List.of(N1_TO_N2, N2_TO_N1, N1_TO_N3, N3_TO_N1)));
        assertThat(cut.outcome().status()).as("%s", cut.outcome()).isEqualTo(Status.INSTALLED);
        assertThat(cut.outcome().evidence())
                .contains(
                        "IPv4 probes arrived and were dropped by the rule on"
                                + " n1->n2, n1->n3, n2->n1, n3->n1",
                        "IPv4 probes arrived and passed on n2->n3, n3->n2");
        assertDelivered(Set.of(new Link("n2", "n3"), new Link("n3", "n2")));
        assertThat(cluster.connect("n1", "n2")).isEqualTo("failed");
        assertThat(cluster.connect("n2", "n3")).isEqualTo("connected");

        FaultOutcome healed = cluster.heal(cut);
        assertThat(healed.status()).as("%s", healed).isEqualTo(Status.INSTALLED);
        assertThat(healed.evidence())
                .contains("IPv4 probes arrived and were dropped by the rule on no link");
        assertDelivered(cluster.allLinks());
        assertThat(cluster.connect("n1", "n2")).isEqualTo("connected");
    }

    @Test
    void oneWayCutLeavesTheOtherDirectionOpen() throws Exception {
        Injected cut = cluster.inject(new Cut(List.of(N1_TO_N2)));
        assertThat(cut.outcome().status()).as("%s", cut.outcome()).isEqualTo(Status.INSTALLED);
        assertThat(cut.outcome().evidence())
                .contains("IPv4 probes arrived and were dropped by the rule on n1->n2");
        assertDelivered(cluster.allLinksBut(N1_TO_N2));

        assertThat(cluster.heal(cut).status()).isEqualTo(Status.INSTALLED);
        assertDelivered(cluster.allLinks());
    }

    @Test
    void healingOneOfTwoOverlappingCutsKeepsTheOther() throws Exception {
        Injected first = cluster.inject(new Cut(List.of(N1_TO_N2, N1_TO_N3)));
        Injected second = cluster.inject(new Cut(List.of(N1_TO_N2, N2_TO_N1)));
        assertThat(second.outcome().status()).isEqualTo(Status.INSTALLED);
        assertDelivered(cluster.allLinksBut(N1_TO_N2, N1_TO_N3, N2_TO_N1));

        FaultOutcome healed = cluster.heal(first);
        assertThat(healed.status()).as("%s", healed).isEqualTo(Status.INSTALLED);
        assertThat(healed.evidence())
                .contains("IPv4 probes arrived and were dropped by the rule on n1->n2, n2->n1");
        assertDelivered(cluster.allLinksBut(N1_TO_N2, N2_TO_N1));

        assertThat(cluster.heal(second).status()).isEqualTo(Status.INSTALLED);
        assertDelivered(cluster.allLinks());
    }

    @Test
    void foreignRulesSurviveAndNothingOfOursStaysBehind() throws Exception {
        PodShell shell = shell("n2");
        shell.check(
                "iptables -N FOREIGN && iptables -A FOREIGN -p tcp --dport 9999 -j DROP"
                        + " && iptables -A INPUT -j FOREIGN && iptables -A OUTPUT -p tcp --dport"
                        + " 9998 -j DROP",
                10_000);
        try {
            String before = shell.check(FILTER, 10_000);
            assertThat(before).contains("-A FOREIGN").doesNotContain(CutRules.CHAIN);
            Injected cut = cluster.inject(new Cut(List.of(N1_TO_N2)));
            assertThat(cut.outcome().status()).isEqualTo(Status.INSTALLED);
            String during = shell.check(FILTER, 10_000);
            assertThat(during.lines()).containsAll(before.lines().toList());
            assertThat(during).contains(CutRules.CHAIN);

            assertThat(cluster.heal(cut).status()).isEqualTo(Status.INSTALLED);
            assertThat(shell.check(FILTER, 10_000)).isEqualTo(before);

            cluster.inject(new Cut(List.of(N1_TO_N2)));
            cluster.cluster().healAll();
            cluster.cluster().healAll();
            assertThat(shell.check(FILTER, 10_000)).isEqualTo(before);
        } finally {
            shell.check(
                    "iptables -D INPUT -j FOREIGN; iptables -F FOREIGN; iptables -X FOREIGN;"
                            + " iptables -D OUTPUT -p tcp --dport 9998 -j DROP",
                    10_000);
        }
    }

    /** Rules of others may stand in front when a cut comes; it must take the first place again. */
    @Test
    void ruleInFrontThatAcceptsEverythingDoesNotOpenACut() throws Exception {
        Injected first = cluster.inject(new Cut(List.of(N1_TO_N3)));
        shell("n2").check("iptables -I INPUT 1 -j ACCEPT", 10_000);
        try {
            Injected second = cluster.inject(new Cut(List.of(N1_TO_N2)));
            assertThat(second.outcome().status())
                    .as("%s", second.outcome())
                    .isEqualTo(Status.INSTALLED);
            assertDelivered(cluster.allLinksBut(N1_TO_N2, N1_TO_N3));
            assertThat(cluster.heal(second).status()).isEqualTo(Status.INSTALLED);
        } finally {
            shell("n2").check("iptables -D INPUT -j ACCEPT", 10_000);
        }
        assertThat(cluster.heal(first).status()).isEqualTo(Status.INSTALLED);
    }

    /**
     * What the harness asked for is undone at once, while every command says that all went well.
     */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "chain emptied | iptables -F RAFTLAB",
                "chain unhooked | iptables -D INPUT -j RAFTLAB",
                "accepted before | iptables -I INPUT 1 -s ADDRESS -j ACCEPT",
                "drop removed | iptables -D RAFTLAB -s ADDRESS -m comment --comment cut:n1 -j DROP",
            })
    void cutThatIsNotInEffectIsNotReportedAsInstalled(String what, String sabotage)
            throws Exception {
        String undo = sabotage.replace("ADDRESS", cluster.cluster().pod("n1").address());
        PodShell shell = shell("n2");
        // The last look of the harness before the probes is where the hook is.
        shell.check(
                "iptables() { command iptables \"$@\"; local s=$?; case \"$*\" in *'-I INPUT 1 -j"
                        + " RAFTLAB'*) command "
                        + undo
                        + " >&2;; esac; return $s; }",
                10_000);
        try {
            Injected cut = cluster.inject(new Cut(List.of(N1_TO_N2)));
            assertThat(cut.outcome().status())
                    .as("%s: %s", what, cut.outcome())
                    .isEqualTo(Status.INDETERMINATE);
            assertThat(cut.outcome().evidence()).contains("meant to be blocked once cut: n1->n2");
            assertDelivered(cluster.allLinks());
        } finally {
            shell.check("unset -f iptables", 10_000);
            shell.run(
                    "iptables -D INPUT -s " + cluster.cluster().pod("n1").address() + " -j ACCEPT",
                    10_000);
        }
    }

    /** The command that takes rules back does nothing, and says that all went well. */
    @Test
    void healThatDoesNothingIsNotReportedAsHealed() throws Exception {
        Injected cut = cluster.inject(new Cut(List.of(N1_TO_N2)));
        assertThat(cut.outcome().status()).isEqualTo(Status.INSTALLED);
        PodShell shell = shell("n2");
        shell.check("iptables-restore() { cat >/dev/null; }", 10_000);
        try {
            FaultOutcome healed = cluster.heal(cut);
            assertThat(healed.status()).as("%s", healed).isEqualTo(Status.INDETERMINATE);
            assertDelivered(cluster.allLinksBut(N1_TO_N2));
        } finally {
            shell.check("unset -f iptables-restore", 10_000);
        }
        cluster.cluster().healAll();
        assertDelivered(cluster.allLinks());
    }

    @Test
    void healOfACutThatIsNotThereIsSkipped() throws Exception {
        Injected cut = cluster.inject(new Cut(List.of(N1_TO_N2)));
        assertThat(cluster.heal(cut).status()).isEqualTo(Status.INSTALLED);
        assertThat(cluster.heal(cut).status()).isEqualTo(Status.SKIPPED);
        assertDelivered(cluster.allLinks());
    }
}
