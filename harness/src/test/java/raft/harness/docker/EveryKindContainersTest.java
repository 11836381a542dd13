package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

import raft.harness.cluster.NodeStatus;
import raft.harness.docker.StandInCluster.Injected;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;
import raft.harness.nemesis.View;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Each kind of partition, kill, pause and wrong clock as a plan would resolve it, on five nodes;
 * its effect is looked at from the nodes themselves: which datagrams arrive, in IPv4 and where the
 * machine has it in IPv6, who answers, what time it is. The other families have tests for each of
 * their actions in {@link FaultCatalogueContainersTest} and {@link RaftRequestsContainersTest}.
 */
@Tag("containers")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class EveryKindContainersTest {
    private static final List<String> ORDER = List.of("n4", "n1", "n3", "n5", "n2");
    private static final View VIEW = new View("n2", List.of("n1", "n2", "n3", "n4", "n5"));

    private final StandInCluster cluster;

    EveryKindContainersTest(@TempDir Path folder) throws IOException {
        ContainerEngine.require().close();
        cluster = StandInCluster.start(folder, 5);
    }

    @AfterEach
    void everythingIsAsBefore() throws Exception {
        cluster.cluster().healAll();
        assertThat(cluster.observe()).allMatch(NodeStatus::reachable);
    }

    @AfterAll
    void close() {
        cluster.close();
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.MATCH_ANY,
            names = {"PARTITION_.*", "KILL_.*", "STOP_.*"})
    void isInEffectAndGoneAgain(FaultKind kind) throws Exception {
        injectLookAndHeal(kind);
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.MATCH_ANY,
            names = {"RESTART_.*", "PAUSE_.*", "CLOCK_.*"})
    void isInEffectAndGoneAgainToo(FaultKind kind) throws Exception {
        injectLookAndHeal(kind);
    }

    private void injectLookAndHeal(FaultKind kind) throws Exception {
        FaultAction action = kind.resolve(ORDER, VIEW, Map.of());
        Map<String, Long> termsBefore = terms();
        Injected injected = cluster.inject(action);
        FaultOutcome outcome = injected.outcome();
        assertThat(outcome.status()).as("%s", outcome).isEqualTo(Status.INSTALLED);
        switch (action) {
            case FaultAction.Cut(var links) -> assertOnlyCut(links);
            case FaultAction.Flap flap -> assertThat(flap.links()).isNotEmpty();
            case FaultAction.Kill(var names) -> assertSilent(names);
            case FaultAction.Stop(var names) -> assertSilent(names);
            case FaultAction.Pause(var names) -> assertSilent(names);
            // A stand-in's term counts its starts.
            case FaultAction.RollingRestart(var names) ->
                    assertThat(terms())
                            .isEqualTo(
                                    termsBefore.entrySet().stream()
                                            .collect(
                                                    Collectors.toMap(
                                                            Map.Entry::getKey,
                                                            e -> e.getValue() + 1)));
            case FaultAction.ClockJump(var names, long offset) -> assertOffsets(names, offset);
            case FaultAction.ClockReset ignored -> assertOffsets(List.of(), 0);
            case FaultAction.ClockStrobe ignored -> assertThat(outcome.evidence()).hasSize(6);
            case FaultAction.ClockDrift ignored ->
                    assertThat(outcome.evidence()).anyMatch(w -> w.contains("monotonic clock at"));
            default -> throw new AssertionError(kind + " is of another family: " + action);
        }
        FaultOutcome healed = cluster.heal(injected);
        assertThat(healed.status()).as("%s", healed).isEqualTo(Status.INSTALLED);
        if (action instanceof FaultAction.Cut || action instanceof FaultAction.Flap) {
            assertOnlyOpen(cluster.allLinks());
        }
        assertThat(cluster.observe()).allMatch(NodeStatus::reachable);
    }

    private void assertOnlyCut(List<Link> links) throws Exception {
        Set<Link> open = new TreeSet<>(cluster.allLinks());
        open.removeAll(links);
        assertThat(open).as("something is cut").isNotEqualTo(cluster.allLinks());
        assertOnlyOpen(open);
    }

    private void assertOnlyOpen(Set<Link> open) throws Exception {
        assertThat(cluster.delivered(open)).as("in IPv4").isEqualTo(open);
        if (cluster.hasIpv6()) {
            assertThat(cluster.deliveredInIpv6(open)).as("in IPv6").isEqualTo(open);
        }
    }

    private void assertSilent(List<String> names) throws Exception {
        assertThat(names).isNotEmpty();
        for (NodeStatus status : cluster.observe()) {
            assertThat(status.reachable())
                    .as(status.node())
                    .isEqualTo(!names.contains(status.node()));
        }
    }

    private void assertOffsets(List<String> names, long offset) throws Exception {
        assertThat(names.isEmpty() || Math.abs(offset) > 2_000).as("%s ms", offset).isTrue();
        for (NodeStatus status : cluster.observe()) {
            long meant = names.contains(status.node()) ? offset : 0;
            assertThat(Objects.requireNonNull(status.clock()).offsetMillis())
                    .as(status.node())
                    .isBetween(meant - 1_000, meant + 1_000);
        }
    }

    private Map<String, Long> terms() throws Exception {
        return cluster.observe().stream()
                .collect(Collectors.toMap(NodeStatus::node, NodeStatus::term));
    }
}
