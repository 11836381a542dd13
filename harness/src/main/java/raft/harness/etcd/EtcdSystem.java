package raft.harness.etcd;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Completion;
import raft.harness.cluster.NodeStatus;
import raft.harness.system.ImageSource;
import raft.harness.system.Placement;
import raft.harness.system.Start;
import raft.harness.system.SystemClients;
import raft.harness.system.SystemUnderTest;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * etcd, version 3.4 or later, three or five members say.
 *
 * <p>Option {@code reads}: {@code linearizable} (the default) or {@code serializable}, which a
 * member answers from what it has, without asking anybody: under partitions such reads are stale,
 * and a run must find that.
 */
public final class EtcdSystem implements SystemUnderTest {
    private static final Set<String> FUNCTIONS = Set.of("read", "write", "cas", "delete");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path definition;
    private boolean serializableReads;

    /** Which member has which id, learnt from the members' own answers. */
    private final Map<String, String> nodesById = new ConcurrentHashMap<>();

    /**
     * @param definition the folder with the image's Dockerfile
     */
    public EtcdSystem(Path definition) {
        this.definition = definition;
    }

    @Override
    public String name() {
        return "etcd";
    }

    @Override
    public void configure(Map<String, String> options) {
        options.forEach(
                (name, value) -> {
                    if (!name.equals("reads")
                            || !Set.of("linearizable", "serializable").contains(value)) {
                        throw new IllegalArgumentException(
                                "the system etcd has no option "
                                        + name
                                        + "="
                                        + value
                                        + "; there are reads=linearizable and reads=serializable");
                    }
                    serializableReads = value.equals("serializable");
                });
    }

    @Override
    public ImageSource image() {
        return new ImageSource.Folder("raftlab/etcd", definition);
    }

    @Override
    public Start start(Placement placement) {
        String peers =
                placement.addresses().entrySet().stream()
                        .map(e -> e.getKey() + "=" + url(e.getValue(), Placement.PEER_PORT))
                        .collect(Collectors.joining(","));
        // The status port is a second door to the same server, so that asking how it stands never
        // queues behind a client's connections.
        String doors =
                url("0.0.0.0", Placement.CLIENT_PORT) + "," + url("0.0.0.0", Placement.STATUS_PORT);
        return new Start(
                List.of(
                        "/usr/bin/etcd",
                        "--name=" + placement.node(),
                        "--data-dir=" + Placement.DATA_FOLDER + "/etcd",
                        "--listen-peer-urls=" + url("0.0.0.0", Placement.PEER_PORT),
                        "--initial-advertise-peer-urls="
                                + url(placement.address(), Placement.PEER_PORT),
                        "--listen-client-urls=" + doors,
                        "--advertise-client-urls="
                                + url(placement.address(), Placement.CLIENT_PORT),
                        "--initial-cluster=" + peers,
                        "--initial-cluster-token=" + placement.clusterId(),
                        "--initial-cluster-state=new",
                        "--logger=zap"),
                Map.of());
    }

    private static String url(String host, int port) {
        return "http://" + host + ":" + port;
    }

    @Override
    public SystemClients clients(
            Map<String, InetSocketAddress> nodes,
            LongSupplier nowNanos,
            Consumer<Completion> sink) {
        return new EtcdClients(nodes, serializableReads, sink);
    }

    @Override
    public CompletableFuture<NodeStatus> status(
            HttpClient http, String node, InetSocketAddress address, long timeoutMillis) {
        var request = Gateway.request(address, "/v3/maintenance/status", "{}", timeoutMillis);
        return http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .thenApply(answer -> read(node, answer.statusCode(), answer.body()));
    }

    /**
     * Reads what {@code /v3/maintenance/status} says. etcd does not tell candidates from followers:
     * who knows of no leader is called a candidate.
     */
    NodeStatus read(String node, int httpStatus, String body) {
        JsonNode json;
        try {
            json = JSON.readTree(body);
        } catch (JacksonException e) {
            return NodeStatus.unreachable(node);
        }
        String self = json.path("header").path("member_id").asString("");
        if (httpStatus != 200 || self.isEmpty()) {
            return NodeStatus.unreachable(node);
        }
        nodesById.put(self, node);
        String leaderId = json.path("leader").asString("0");
        @Nullable String leader = nodesById.get(leaderId);
        String role =
                leaderId.equals("0") ? "candidate" : leaderId.equals(self) ? "leader" : "follower";
        return new NodeStatus(
                node,
                true,
                role,
                number(json, "raftTerm"),
                leader,
                number(json, "raftIndex"),
                number(json, "raftAppliedIndex"),
                number(json, "raftIndex"),
                body);
    }

    /** The gateway writes 64-bit numbers as texts and leaves zeros out. */
    private static long number(JsonNode json, String field) {
        return Long.parseLong(json.path(field).asString("0"));
    }

    @Override
    public boolean serves(String function) {
        return FUNCTIONS.contains(function);
    }
}
