package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What a cluster of containers is made of.
 *
 * @param runId letters, digits, '-', '_' and '.'; part of every name in the engine
 * @param nodeCount 1 to 9
 * @param nodeJar the node's jar, put into the node's image; unused where {@code image} is given
 * @param image any image that speaks the client protocol, used unchanged; null for our own node
 * @param startupTimeoutMillis how long the nodes may take from their start to their first answer
 * @param nodeMemoryBytes the memory limit of each node
 * @param environment given to every node beside what the harness tells it
 */
public record DockerOptions(
        String runId,
        int nodeCount,
        @Nullable Path nodeJar,
        @Nullable String image,
        long startupTimeoutMillis,
        long nodeMemoryBytes,
        Map<String, String> environment) {
    public static final long STARTUP_TIMEOUT_MILLIS = 30_000;
    public static final long NODE_MEMORY_BYTES = 384L << 20;

    private static final Pattern RUN_ID = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,60}");

    public DockerOptions {
        if (!RUN_ID.matcher(runId).matches()) {
            throw new IllegalArgumentException("not usable as a run's id: " + runId);
        }
        if (nodeCount < 1 || nodeCount > 9) {
            throw new IllegalArgumentException("1 to 9 nodes are possible, not " + nodeCount);
        }
        if (nodeJar == null && image == null) {
            throw new IllegalArgumentException("neither a node's jar nor an image is given");
        }
        environment = Map.copyOf(environment);
    }

    /** Our own node, with the usual limits. */
    public static DockerOptions ofJar(String runId, int nodeCount, Path nodeJar) {
        return new DockerOptions(
                runId,
                nodeCount,
                nodeJar,
                null,
                STARTUP_TIMEOUT_MILLIS,
                NODE_MEMORY_BYTES,
                Map.of());
    }

    /** Any image that speaks the protocol, with the usual limits. */
    public static DockerOptions ofImage(String runId, int nodeCount, String image) {
        return new DockerOptions(
                runId, nodeCount, null, image, STARTUP_TIMEOUT_MILLIS, NODE_MEMORY_BYTES, Map.of());
    }
}
