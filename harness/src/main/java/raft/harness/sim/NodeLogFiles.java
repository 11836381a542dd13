package raft.harness.sim;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * What simulated nodes log, kept as a container's log is: {@code nodes/ID/node.log} in the run's
 * folder, in the form that the node's process writes, each line in the file before the next event.
 * Simulated time is told as if it had begun with 1970, so that equal runs leave equal logs.
 */
public final class NodeLogFiles implements SimulatedCluster.NodeLog {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final Path nodes;
    private boolean writable = true;

    /**
     * @param runFolder in which nodes/ID/node.log is written
     */
    public NodeLogFiles(Path runFolder) {
        this.nodes = runFolder.resolve("nodes");
    }

    @Override
    public void line(String node, long timeNanos, Level level, String text) {
        if (!writable) {
            return;
        }
        String line =
                TIME.format(Instant.EPOCH.plusNanos(timeNanos))
                        + " "
                        + level
                        + " "
                        + node
                        + " "
                        + text.replace('\n', ' ')
                        + "\n";
        try {
            Path folder = Files.createDirectories(nodes.resolve(node));
            Files.writeString(
                    folder.resolve("node.log"),
                    line,
                    StandardCharsets.UTF_8,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            // A full disk must not take the run down with it; the history's writer reports it.
            writable = false;
        }
    }
}
