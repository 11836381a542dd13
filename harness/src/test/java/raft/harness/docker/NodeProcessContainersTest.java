package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.cluster.NodeStatus;
import raft.harness.docker.StandInCluster.Injected;
import raft.harness.nemesis.FaultAction.Cut;
import raft.harness.nemesis.FaultAction.Kill;
import raft.harness.nemesis.FaultAction.Pause;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Killed, started, frozen and thawed processes, and the proofs of it. */
@Tag("containers")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class NodeProcessContainersTest {
    private static final Link N1_TO_N2 = new Link("n1", "n2");

    private final StandInCluster cluster;

    NodeProcessContainersTest(@TempDir Path folder) throws IOException {
        ContainerEngine.require().close();
        cluster = StandInCluster.start(folder, 3);
    }

    @AfterEach
    void healAll() throws Exception {
        cluster.cluster().healAll();
        assertThat(cluster.observe()).allMatch(NodeStatus::reachable);
    }

    @AfterAll
    void close() {
        cluster.close();
    }

    private static void assertProven(FaultOutcome outcome) {
        assertThat(outcome.status()).as("%s", outcome).isEqualTo(Status.INSTALLED);
    }

    /** The stand-in's term is the number of its starts, counted on its volume. */
    private Map<String, Long> starts() throws InterruptedException {
        Map<String, Long> starts = new TreeMap<>();
        cluster.observe().forEach(status -> starts.put(status.node(), status.term()));
        return starts;
    }

    @Test
    void killedAndRestartedNodeKeepsAddressDataAndPartition() throws Exception {
        Injected cut = cluster.inject(new Cut(List.of(N1_TO_N2)));
        assertProven(cut.outcome());
        long startsBefore = starts().getOrDefault("n2", 0L);

        Injected kill = cluster.inject(new Kill(List.of("n2")));
        assertProven(kill.outcome());
        assertThat(kill.outcome().evidence().getFirst())
                .contains("n2 process")
                .contains("got SIGKILL")
                .contains("exited with exit code 137")
                .contains("refuses");
        assertThat(cluster.observe())
                .filteredOn(status -> !status.reachable())
                .extracting(NodeStatus::node)
                .containsExactly("n2");

        FaultOutcome restarted = cluster.heal(kill);
        assertProven(restarted);
        assertThat(restarted.evidence().getFirst()).contains("started again as process");
        assertThat(starts()).containsEntry("n2", startsBefore + 1);
        // Everybody else still reaches it where it was, and the cut still holds.
        assertThat(cluster.delivered(cluster.allLinksBut(N1_TO_N2)))
                .isEqualTo(cluster.allLinksBut(N1_TO_N2));

        assertProven(cluster.heal(cut));
        assertThat(cluster.delivered(cluster.allLinks())).isEqualTo(cluster.allLinks());
    }

    /** The partition's rules live in the other container of the pod: a dead node has them too. */
    @Test
    void partitionCanBeginAndEndWhileTheNodeIsDead() throws Exception {
        Injected kill = cluster.inject(new Kill(List.of("n2")));
        Injected cut = cluster.inject(new Cut(List.of(N1_TO_N2)));
        assertProven(cut.outcome());
        assertProven(cluster.heal(kill));
        assertThat(cluster.delivered(cluster.allLinksBut(N1_TO_N2)))
                .isEqualTo(cluster.allLinksBut(N1_TO_N2));
        Injected again = cluster.inject(new Kill(List.of("n2")));
        assertProven(cluster.heal(cut));
        assertProven(cluster.heal(again));
        assertThat(cluster.delivered(cluster.allLinks())).isEqualTo(cluster.allLinks());
    }

    @Test
    void pausedNodeIsSilentAndResumesAsTheSameProcess() throws Exception {
        Map<String, Long> startsBefore = starts();
        Injected pause = cluster.inject(new Pause(List.of("n1", "n3")));
        assertProven(pause.outcome());
        assertThat(pause.outcome().evidence())
                .hasSize(2)
                .allMatch(words -> words.contains("container is paused"))
                .allMatch(words -> words.contains("did not answer"));

        FaultOutcome resumed = cluster.heal(pause);
        assertProven(resumed);
        assertThat(resumed.evidence()).allMatch(words -> words.contains("runs again"));
        assertThat(starts()).isEqualTo(startsBefore);
    }

    @Test
    void observationEndsAlthoughTwoNodesHang() throws Exception {
        Injected pause = cluster.inject(new Pause(List.of("n1", "n2")));
        long begin = System.nanoTime();
        List<NodeStatus> seen = cluster.observe();
        long tookMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        // A second by itself; what hangs would hang for ever.
        assertThat(tookMillis).isLessThan(15_000);
        assertThat(seen).extracting(NodeStatus::node).containsExactly("n1", "n2", "n3");
        assertThat(seen).extracting(NodeStatus::reachable).containsExactly(false, false, true);
        assertProven(cluster.heal(pause));
    }

    @Test
    void pausedNodeCanBeKilledAndStartsUnfrozen() throws Exception {
        long startsBefore = starts().getOrDefault("n1", 0L);
        Injected pause = cluster.inject(new Pause(List.of("n1")));
        assertProven(pause.outcome());
        Injected kill = cluster.inject(new Kill(List.of("n1")));
        assertProven(kill.outcome());
        assertProven(cluster.heal(kill));
        assertThat(starts()).containsEntry("n1", startsBefore + 1);
        FaultOutcome resumed = cluster.heal(pause);
        assertProven(resumed);
        assertThat(resumed.evidence().getFirst()).contains("was killed");
    }

    @Test
    void nodeStaysDownUntilTheLastFaultThatHoldsItEnds() throws Exception {
        Injected first = cluster.inject(new Kill(List.of("n3")));
        Injected second = cluster.inject(new Kill(List.of("n3")));
        assertProven(second.outcome());
        FaultOutcome early = cluster.heal(first);
        assertThat(early.evidence().getFirst()).contains("stays down");
        assertThat(cluster.observe().get(2).reachable()).isFalse();
        assertProven(cluster.heal(second));
        assertThat(cluster.observe().get(2).reachable()).isTrue();
    }

    @Test
    void killOfANodeThatEndedByItselfIsSkipped() throws Exception {
        try (Engine engine = ContainerEngine.require()) {
            String container = cluster.cluster().pod("n2").nodeContainer();
            engine.commands().stopContainerCmd(container).withTimeout(5).exec();
            Injected kill = cluster.inject(new Kill(List.of("n2")));
            assertThat(kill.outcome().status()).isEqualTo(Status.SKIPPED);
            assertThat(kill.outcome().evidence().getFirst()).contains("was not running any more");
            assertThat(cluster.heal(kill).status()).isEqualTo(Status.SKIPPED);
        }
    }

    @Test
    void pauseOfADeadNodeIsSkipped() throws Exception {
        Injected kill = cluster.inject(new Kill(List.of("n2")));
        Injected pause = cluster.inject(new Pause(List.of("n2")));
        assertThat(pause.outcome().status()).isEqualTo(Status.SKIPPED);
        assertProven(cluster.heal(kill));
        assertThat(cluster.heal(pause).status()).isEqualTo(Status.SKIPPED);
    }

    /** Then the fault was not in effect to its end, and nobody knows since when. */
    @Test
    void pauseThatSomebodyElseEndedIsNotProven() throws Exception {
        try (Engine engine = ContainerEngine.require()) {
            Injected pause = cluster.inject(new Pause(List.of("n3")));
            assertProven(pause.outcome());
            String container = cluster.cluster().pod("n3").nodeContainer();
            engine.commands().unpauseContainerCmd(container).exec();
            assertThat(cluster.heal(pause).status()).isEqualTo(Status.INDETERMINATE);
        }
    }

    @Test
    void healAllStartsAndThawsWhateverHeldTheNodes() throws Exception {
        assertProven(cluster.inject(new Kill(List.of("n1"))).outcome());
        assertProven(cluster.inject(new Pause(List.of("n2"))).outcome());
        assertProven(cluster.inject(new Cut(List.of(N1_TO_N2))).outcome());
        cluster.cluster().healAll();
        assertThat(cluster.observe()).allMatch(NodeStatus::reachable);
        assertThat(cluster.delivered(cluster.allLinks())).isEqualTo(cluster.allLinks());
    }

    @Test
    void nodeItselfHasNoPowers() throws IOException {
        try (Engine engine = ContainerEngine.require()) {
            var host =
                    engine.commands()
                            .inspectContainerCmd("raftlab-" + cluster.runId() + "-n1")
                            .exec()
                            .getHostConfig();
            assertThat(Objects.requireNonNull(host).getReadonlyRootfs()).isTrue();
            assertThat(host.getSecurityOpts()).contains("no-new-privileges");
            assertThat(host.getCapAdd()).isNullOrEmpty();
            assertThat(host.getPrivileged()).isFalse();
            assertThat(host.getMemory()).isEqualTo(DockerOptions.NODE_MEMORY_BYTES);
        }
    }
}
