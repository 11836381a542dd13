package raft.harness.run;

import raft.harness.cluster.NodeStatus;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Keeps what nodes said of themselves as {@code nodes/ID/status.jsonl}: a line whenever role, term
 * or reachability changed, and every few seconds else. Each line bears the run's time and the wall
 * clock's, which places the nodes' own logs on the run's time.
 */
final class StatusSamples {
    private static final long EVERY_NANOS = 5_000_000_000L;

    private final Path nodes;
    private final LongSupplier utcMillis;
    private final Map<String, Sample> last = new HashMap<>();

    private record Sample(long timeNanos, boolean reachable, String role, long term) {}

    /**
     * @param utcMillis the wall clock that the nodes' logs bear
     */
    StatusSamples(Path runFolder, LongSupplier utcMillis) {
        this.utcMillis = utcMillis;
        this.nodes = runFolder.resolve("nodes");
    }

    /**
     * @param timeNanos since the workload began
     */
    void observed(long timeNanos, List<NodeStatus> statuses) throws IOException {
        for (NodeStatus status : statuses) {
            if (status.clock() != null) {
                append(
                        status.node(),
                        "clock.jsonl",
                        "{\"time\":"
                                + timeNanos
                                + ",\"offsetMillis\":"
                                + status.clock().offsetMillis()
                                + "}\n");
            }
            Sample before = last.get(status.node());
            Sample now = new Sample(timeNanos, status.reachable(), status.role(), status.term());
            if (before == null
                    || timeNanos - before.timeNanos >= EVERY_NANOS
                    || before.reachable != now.reachable
                    || !before.role.equals(now.role)
                    || before.term != now.term) {
                last.put(status.node(), now);
                append(timeNanos, status);
            }
        }
    }

    private void append(long timeNanos, NodeStatus status) throws IOException {
        String document = status.reachable() ? status.json().strip() : "null";
        append(
                status.node(),
                "status.jsonl",
                "{\"time\":"
                        + timeNanos
                        + ",\"utc\":"
                        + utcMillis.getAsLong()
                        + ",\"status\":"
                        + document
                        + "}\n");
    }

    private void append(String node, String file, String line) throws IOException {
        Path folder = nodes.resolve(node);
        Files.createDirectories(folder);
        Files.writeString(
                folder.resolve(file),
                line,
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }
}
