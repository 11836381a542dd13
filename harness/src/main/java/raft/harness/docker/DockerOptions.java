package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.Credentials;
import raft.harness.system.SystemUnderTest;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What a cluster of containers is made of.
 *
 * @param runId letters, digits, '-', '_' and '.'; part of every name in the engine
 * @param nodeCount members, 1 to 9
 * @param spareCount nodes that run beside them and wait to be added, 0 to 9
 * @param system what runs in the nodes
 * @param startupTimeoutMillis how long the nodes may take from their start to their first answer
 * @param nodeMemoryBytes the memory limit of each node
 * @param dataBytes 0 for volumes on the engine's disk; else each node's data is on a volume of this
 *     size in memory, 8 MB to 1 GB, which a full disk fills for real
 * @param environment given to every node beside what the harness tells it
 * @param authority signs what nodes and harness show each other; null: all is in plain text
 */
public record DockerOptions(
        String runId,
        int nodeCount,
        int spareCount,
        SystemUnderTest system,
        long startupTimeoutMillis,
        long nodeMemoryBytes,
        long dataBytes,
        Map<String, String> environment,
        @Nullable RunAuthority authority) {
    public static final long STARTUP_TIMEOUT_MILLIS = 30_000;
    public static final long NODE_MEMORY_BYTES = 384L << 20;
    private static final long DATA_BYTES_MIN = 8L << 20;
    private static final long DATA_BYTES_MAX = 1L << 30;

    private static final Pattern RUN_ID = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,60}");

    public DockerOptions {
        if (!RUN_ID.matcher(runId).matches()) {
            throw new IllegalArgumentException("not usable as a run's id: " + runId);
        }
        if (nodeCount < 1 || nodeCount > 9) {
            throw new IllegalArgumentException("1 to 9 nodes are possible, not " + nodeCount);
        }
        if (spareCount < 0 || spareCount > 9) {
            throw new IllegalArgumentException(
                    "0 to 9 spare nodes are possible, not " + spareCount);
        }
        if (dataBytes != 0 && (dataBytes < DATA_BYTES_MIN || dataBytes > DATA_BYTES_MAX)) {
            throw new IllegalArgumentException(
                    "a volume of 8 MB to 1 GB is possible, not of " + dataBytes + " bytes");
        }
        environment = Map.copyOf(environment);
    }

    /** The same with each node's data on a volume of this size; see {@link #dataBytes}. */
    public DockerOptions withSmallVolumes(long bytes) {
        return with(spareCount, bytes, environment);
    }

    /** The same with so many nodes more, which wait to be added. */
    public DockerOptions withSpares(int count) {
        return with(count, dataBytes, environment);
    }

    /** The same with more in the nodes' environment. */
    public DockerOptions withEnvironment(Map<String, String> more) {
        Map<String, String> all = new HashMap<>(environment);
        all.putAll(more);
        return with(spareCount, dataBytes, all);
    }

    private DockerOptions with(int spares, long bytes, Map<String, String> variables) {
        return new DockerOptions(
                runId,
                nodeCount,
                spares,
                system,
                startupTimeoutMillis,
                nodeMemoryBytes,
                bytes,
                variables,
                authority);
    }

    /**
     * The same with TLS between the nodes, for clients and for status, which only our own node is
     * known to speak.
     */
    public DockerOptions withTls(RunAuthority own) {
        if (!(system instanceof ProtocolSystem ours)) {
            throw new IllegalArgumentException("TLS is not possible with " + system.name());
        }
        Map<String, String> all = new HashMap<>(environment);
        all.putAll(Containers.TLS_ENVIRONMENT);
        return new DockerOptions(
                runId,
                nodeCount,
                spareCount,
                ours.with(own.credentials()),
                startupTimeoutMillis,
                nodeMemoryBytes,
                dataBytes,
                all,
                own);
    }

    /** Of the harness; null: it speaks plain text. */
    @Nullable Credentials credentials() {
        return authority == null ? null : authority.credentials();
    }

    /** Our own node, with the usual limits. */
    public static DockerOptions ofJar(String runId, int nodeCount, Path nodeJar) {
        return ofSystem(runId, nodeCount, ProtocolSystem.ofJar(nodeJar));
    }

    /** Any image that speaks the protocol, with the usual limits. */
    public static DockerOptions ofImage(String runId, int nodeCount, String image) {
        return ofSystem(runId, nodeCount, ProtocolSystem.ofImage(image));
    }

    /** Any system, with the usual limits. */
    public static DockerOptions ofSystem(String runId, int nodeCount, SystemUnderTest system) {
        return new DockerOptions(
                runId,
                nodeCount,
                0,
                system,
                STARTUP_TIMEOUT_MILLIS,
                NODE_MEMORY_BYTES,
                0,
                Map.of(),
                null);
    }
}
