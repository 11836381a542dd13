package raft.harness.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.sim.NodeCode;
import raft.harness.sim.NodeLogFiles;
import raft.harness.sim.SimOptions;
import raft.harness.sim.SimulatedCluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

final class NodeLogLinesTest {
    @TempDir Path folder;

    private static SimulatedCluster simulated() {
        return NodeCode.right().start(SimOptions.defaults(5, 3));
    }

    @Test
    void simulatedNodesLogWhatTheirProcessesWouldAtTheMomentWhenItHappens() throws Exception {
        String leader;
        try (SimulatedCluster cluster = simulated()) {
            cluster.nodeLog(new NodeLogFiles(folder));
            cluster.poll(3_000_000_000L);
            leader = leader(NodeLogLines.between(sampled(folder), 0, Long.MAX_VALUE, this::fail));
            assertThat(cluster.utcMillis()).isEqualTo(3_000);
        }
        List<NodeLogLines.Line> lines = NodeLogLines.between(folder, 0, 3_000_000_000L, this::fail);
        assertThat(lines)
                .filteredOn(line -> line.text().startsWith("starting with 0 entries"))
                .extracting(NodeLogLines.Line::node)
                .containsExactlyInAnyOrder("n1", "n2", "n3");
        NodeLogLines.Line elected =
                lines.stream().filter(line -> line.node().equals(leader)).toList().getLast();
        assertThat(
                        NodeLogLines.between(
                                folder, elected.timeNanos() + 1, 3_000_000_000L, this::fail))
                .doesNotContain(elected)
                .hasSizeLessThan(lines.size());
    }

    @Test
    void listeningToTheNodesChangesNothingAndEqualRunsLogTheSame() throws Exception {
        List<String> logs = new ArrayList<>();
        List<Long> digests = new ArrayList<>();
        for (String run : List.of("one", "other", "unheard")) {
            try (SimulatedCluster cluster = simulated()) {
                if (!run.equals("unheard")) {
                    cluster.nodeLog(new NodeLogFiles(folder.resolve(run)));
                }
                cluster.poll(3_000_000_000L);
                digests.add(cluster.digest());
            }
            Path log = folder.resolve(run).resolve("nodes/n1/node.log");
            logs.add(Files.exists(log) ? Files.readString(log) : "");
        }
        assertThat(digests).containsOnly(digests.getFirst());
        assertThat(logs.get(0)).isNotEmpty().isEqualTo(logs.get(1));
        assertThat(logs.get(2)).isEmpty();
    }

    /** A sample of the status, by which the run's begin is known. */
    private static Path sampled(Path run) throws IOException {
        for (String node : List.of("n1", "n2", "n3")) {
            Files.writeString(
                    run.resolve("nodes").resolve(node).resolve("status.jsonl"),
                    "{\"time\":1000000000,\"utc\":1000,\"status\":null}\n");
        }
        return run;
    }

    private static String leader(List<NodeLogLines.Line> lines) {
        return lines.stream()
                .filter(line -> line.text().contains("candidate -> leader"))
                .findFirst()
                .orElseThrow()
                .node();
    }

    private void fail(String problem) {
        throw new AssertionError(problem);
    }
}
