package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.cluster.NodeStatus;
import raft.harness.docker.StandInCluster.Injected;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import java.nio.file.Path;
import java.util.List;

/** Volumes so small that a full disk is one: no byte is left, whoever writes. */
@Tag("containers")
final class SmallVolumeContainersTest {
    private static final List<String> N1 = List.of("n1");

    @TempDir private Path folder;

    @Test
    void smallVolumeIsFilledForRealAndWhatTheNodeWroteOutlivesIt() throws Exception {
        ContainerEngine.require().close();
        try (StandInCluster cluster = StandInCluster.startSmall(folder, 1, 16L << 20)) {
            DockerCluster nodes = cluster.cluster();
            long synced = recovered(cluster, "synced");
            Injected full = cluster.inject(new FaultAction.FullDisk(N1));
            FaultOutcome outcome = full.outcome();
            assertThat(outcome.status()).as("%s", outcome).isEqualTo(Status.INSTALLED);
            assertThat(outcome.evidence().getFirst())
                    .contains("n1 has 0 kB left on its volume")
                    .contains("No space left on device");
            // The stand-in ends as soon as a write fails.
            long deadline = System.nanoTime() + 20_000_000_000L;
            while (cluster.observe().getFirst().reachable() && System.nanoTime() < deadline) {
                Thread.sleep(100);
            }
            FaultOutcome healed = cluster.heal(full);
            assertThat(healed.status()).as("%s", healed).isEqualTo(Status.INSTALLED);
            assertThat(healed.evidence().getFirst())
                    .contains("kB of space again")
                    .contains("had ended with exit code 3");
            assertThat(cluster.observe()).allMatch(NodeStatus::reachable);
            assertThat(recovered(cluster, "recovered")).isGreaterThanOrEqualTo(synced);
            nodes.healAll();
            assertThat(nodes.crashes()).isEmpty();
        }
    }

    private static long recovered(StandInCluster cluster, String field) throws Exception {
        return tools.jackson.databind.json.JsonMapper.shared()
                .readTree(cluster.observe().getFirst().json())
                .required(field)
                .asLong();
    }
}
