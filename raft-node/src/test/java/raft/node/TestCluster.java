package raft.node;

import org.jspecify.annotations.Nullable;

import raft.client.CallException;
import raft.client.ClientConnection;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.core.Effect.RoleName;
import raft.core.NodeId;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/** Nodes on loopback that tests start, kill and ask. */
final class TestCluster implements AutoCloseable {
    static final TestCluster NONE = new TestCluster(new TreeMap<>());

    /** Long, so that a machine under load does not depose leaders in the middle of a test. */
    private static final int ELECTION_TIMEOUT_MILLIS = 1000;

    private static final int HEARTBEAT_MILLIS = 100;
    private static final long AWAIT_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final SortedMap<String, NodeConfig> configs;
    private final Map<String, Node> nodes = new HashMap<>();
    private final Map<String, Long> terms = new HashMap<>();
    private final List<String> fatalities = new CopyOnWriteArrayList<>();
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();

    private TestCluster(SortedMap<String, NodeConfig> configs) {
        this.configs = configs;
    }

    static TestCluster start(Path folder, int nodeCount) throws Exception {
        return start(folder, nodeCount, id -> null);
    }

    /**
     * @param tls each node's certificates, null for plain text
     */
    static TestCluster start(
            Path folder, int nodeCount, Function<String, NodeConfig.@Nullable Tls> tls)
            throws Exception {
        SortedMap<NodeId, NodeConfig.Address> members = new TreeMap<>();
        Map<NodeId, NodeConfig.Address> clients = new HashMap<>();
        List<ServerSocket> reserved = new ArrayList<>();
        for (int i = 1; i <= nodeCount; i++) {
            members.put(new NodeId("n" + i), reserve(reserved));
            clients.put(new NodeId("n" + i), reserve(reserved));
        }
        for (ServerSocket socket : reserved) {
            socket.close();
        }
        SortedMap<String, NodeConfig> configs = new TreeMap<>();
        members.forEach(
                (id, address) ->
                        configs.put(
                                id.name(),
                                new NodeConfig(
                                        id,
                                        "lab",
                                        members,
                                        address,
                                        Objects.requireNonNull(clients.get(id)),
                                        new NodeConfig.Address("127.0.0.1", 0),
                                        folder.resolve(id.name()),
                                        ELECTION_TIMEOUT_MILLIS,
                                        HEARTBEAT_MILLIS,
                                        NodeConfig.Limits.DEFAULT,
                                        tls.apply(id.name()),
                                        null,
                                        -1,
                                        NodeConfig.SNAPSHOT_LOG_MIB_DEFAULT)));
        TestCluster cluster = new TestCluster(configs);
        try {
            for (String id : configs.keySet()) {
                cluster.restart(id);
            }
        } catch (IOException e) {
            cluster.close();
            throw e;
        }
        return cluster;
    }

    /** Starts a node that the cluster has yet to add; returns where its peers reach it. */
    String startOutsider(Path folder, String id) throws IOException {
        NodeConfig any = config(configs.firstKey());
        List<ServerSocket> reserved = new ArrayList<>();
        NodeConfig.Address peers = reserve(reserved);
        NodeConfig.Address clients = reserve(reserved);
        for (ServerSocket socket : reserved) {
            socket.close();
        }
        configs.put(
                id,
                new NodeConfig(
                        new NodeId(id),
                        "lab",
                        any.members(),
                        peers,
                        clients,
                        new NodeConfig.Address("127.0.0.1", 0),
                        folder,
                        ELECTION_TIMEOUT_MILLIS,
                        HEARTBEAT_MILLIS));
        restart(id);
        return peers.toString();
    }

    /** From its next start on the node is told of another cluster and of these members. */
    void tell(String id, String clusterId, List<String> members) {
        NodeConfig before = config(id);
        SortedMap<NodeId, NodeConfig.Address> addresses = new TreeMap<>();
        members.forEach(member -> addresses.put(new NodeId(member), config(member).peerListen()));
        configs.put(
                id,
                new NodeConfig(
                        before.nodeId(),
                        clusterId,
                        addresses,
                        before.peerListen(),
                        before.clientListen(),
                        before.httpListen(),
                        before.dataDir(),
                        ELECTION_TIMEOUT_MILLIS,
                        HEARTBEAT_MILLIS));
    }

    String address(String id) {
        return config(id).peerListen().toString();
    }

    /** As SIGTERM does. */
    void stop(String id) {
        node(id).close();
        nodes.remove(id);
    }

    private static NodeConfig.Address reserve(List<ServerSocket> reserved) throws IOException {
        ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        reserved.add(socket);
        return new NodeConfig.Address("127.0.0.1", socket.getLocalPort());
    }

    /** What all nodes have logged so far. */
    String log() {
        return log.toString(StandardCharsets.UTF_8);
    }

    void restart(String id) throws IOException {
        nodes.put(id, startAnother(id));
    }

    Node startAnother(String id) throws IOException {
        return Node.start(
                config(id),
                new Log(log, NodeClock.SYSTEM, id),
                (status, what, cause) -> fatalities.add(id + ": " + what + ": " + cause));
    }

    void kill(String id) throws Exception {
        terms.put(id, status(id).term());
        node(id).kill();
        nodes.remove(id);
    }

    /** The term that a node had when it was killed. */
    long termOf(String id) {
        return Objects.requireNonNull(terms.get(id));
    }

    List<String> ids() {
        return List.copyOf(configs.keySet());
    }

    Node node(String id) {
        return Objects.requireNonNull(nodes.get(id), id);
    }

    Status status(String id) throws TimeoutException, InterruptedException {
        return node(id).status();
    }

    String anyBut(String id) {
        return ids().stream().filter(other -> !other.equals(id)).findFirst().orElseThrow();
    }

    /** Peer port, client port, HTTP port. */
    List<Integer> ports(String id) {
        InetSocketAddress http = Objects.requireNonNull(node(id).httpAddress());
        return List.of(
                config(id).peerListen().port(), config(id).clientListen().port(), http.getPort());
    }

    ClientConnection client(String id) throws CallException {
        InetSocketAddress address = node(id).clientAddress();
        return ClientConnection.connect(address.getHostString(), address.getPort(), 10_000);
    }

    /**
     * The result of a request that may be carried out more than once, by whichever node leads by
     * then.
     */
    Result call(Request request) throws Exception {
        List<Result> results = new ArrayList<>();
        await(
                "answer to " + request,
                () -> {
                    try (ClientConnection client = client(awaitLeader())) {
                        if (client.call(request, 10_000) instanceof Reply.Ok ok) {
                            results.add(ok.result());
                        }
                    } catch (CallException e) {
                        // Tried again.
                    }
                    return !results.isEmpty();
                });
        return results.getFirst();
    }

    String http(String id, String path) throws IOException, InterruptedException {
        InetSocketAddress address = Objects.requireNonNull(node(id).httpAddress());
        try (HttpClient client = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + address.getPort() + path);
            HttpResponse<String> response =
                    client.send(
                            HttpRequest.newBuilder(uri).build(),
                            HttpResponse.BodyHandlers.ofString());
            return response.statusCode() + " " + response.body();
        }
    }

    /** Waits until one running node leads with a commit of its own term, and returns its id. */
    String awaitLeader() throws Exception {
        List<String> leaders = new ArrayList<>();
        await(
                "a leader",
                () -> {
                    leaders.clear();
                    for (String id : nodes.keySet()) {
                        Status status = status(id);
                        if (status.role() == RoleName.LEADER
                                && status.commitIndex() == status.lastIndex()) {
                            leaders.add(id);
                        }
                    }
                    return leaders.size() == 1;
                });
        return leaders.getFirst();
    }

    /** Waits until all running nodes have applied the same log to the same state. */
    void awaitConvergence() throws Exception {
        await(
                "convergence",
                () -> {
                    List<String> states = new ArrayList<>();
                    for (String id : nodes.keySet()) {
                        Status status = status(id);
                        states.add(
                                status.lastIndex()
                                        + " "
                                        + status.commitIndex()
                                        + " "
                                        + status.appliedIndex()
                                        + " "
                                        + status.stateHash());
                    }
                    return states.stream().distinct().count() == 1;
                });
    }

    /** Polls; these are real processes' parts, with real time. */
    void await(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + AWAIT_NANOS;
        while (!condition.holds()) {
            if (System.nanoTime() - deadline > 0 || !fatalities.isEmpty()) {
                throw new AssertionError("no " + what + "\n" + fatalities + "\n" + log);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    /** Something that becomes true. */
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }

    List<String> fatalities() {
        return fatalities;
    }

    private NodeConfig config(String id) {
        return Objects.requireNonNull(configs.get(id), id);
    }

    @Override
    public void close() {
        nodes.values().forEach(Node::close);
        nodes.clear();
    }
}
