package raft.harness.system;

import raft.harness.cluster.Completion;
import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.FaultKind.Family;

import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A store that runs as a cluster of containers: how it is made, started, asked and looked at.
 *
 * <p>To add one, implement this, name the class in {@code
 * META-INF/services/raft.harness.system.SystemUnderTest} and give the jar to {@code ./raft test
 * --system NAME --system-path JAR}. Objects are made anew for each run by a public constructor
 * without parameters; {@link #configure} is called once before anything else.
 *
 * <p>What the harness does itself, for every system alike: a gentle stop is SIGTERM, a kill
 * SIGKILL, a pause the freezer of cgroups; a start runs the same container with the same data
 * again; a wipe empties {@value Placement#DATA_FOLDER}; packets are cut in the node's network,
 * where the system has no part. Its log is what it writes to standard output and standard error.
 *
 * <p>The process runs without root, without capabilities, on a read-only file system; only {@value
 * Placement#DATA_FOLDER} and /tmp can be written.
 */
public interface SystemUnderTest {
    /** Its name on the command line and in records. */
    String name();

    /**
     * Takes what {@code --system-option NAME=VALUE} gave, once, before anything else is asked.
     *
     * @throws IllegalArgumentException with one sentence that says which options there are
     */
    default void configure(Map<String, String> options) {
        if (!options.isEmpty()) {
            throw new IllegalArgumentException(
                    "the system "
                            + name()
                            + " has no options, but was given "
                            + String.join(", ", options.keySet()));
        }
    }

    /** Where a node's image comes from. */
    ImageSource image();

    /** How one node is started, the first time and after every stop. */
    Start start(Placement placement);

    /**
     * Opens the clients of a run.
     *
     * @param nodes where each node's {@link Placement#CLIENT_PORT} is to be reached, by its name
     * @param nowNanos the run's monotonic clock; may be called by any thread
     * @param sink takes the completions; neither blocks nor throws; may be called by any thread
     */
    SystemClients clients(
            Map<String, InetSocketAddress> nodes, LongSupplier nowNanos, Consumer<Completion> sink);

    /**
     * Asks one node how it stands, without asking others through it: the harness wants to know what
     * this node believes. A failed or late answer means that it is not reachable.
     *
     * @param address where its {@link Placement#STATUS_PORT} is to be reached
     * @param timeoutMillis after which nobody waits any more
     */
    CompletableFuture<NodeStatus> status(
            HttpClient http, String node, InetSocketAddress address, long timeoutMillis);

    /**
     * Whether its clients can carry out this kind of operation: "read", "write", "cas", …. A
     * workload with others is refused before anything starts.
     */
    boolean serves(String function);

    /**
     * Families of faults that make no sense here or would prove nothing, each with one clause that
     * says why. Asked for, they are recorded as skipped.
     */
    default Map<Family, String> cannot() {
        return Map.of();
    }
}
