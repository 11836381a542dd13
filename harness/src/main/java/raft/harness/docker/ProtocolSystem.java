package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.Credentials;
import raft.harness.cluster.Completion;
import raft.harness.cluster.NodeStatus;
import raft.harness.system.ImageSource;
import raft.harness.system.Placement;
import raft.harness.system.Start;
import raft.harness.system.SystemClients;
import raft.harness.system.SystemUnderTest;

import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Whatever speaks raft-node/PROTOCOL.md: our own node, and any image of a user's. The document's
 * container contract is {@link #start}.
 */
public final class ProtocolSystem implements SystemUnderTest {
    private final ImageSource image;
    private final @Nullable Credentials credentials;

    private ProtocolSystem(ImageSource image, @Nullable Credentials credentials) {
        this.image = image;
        this.credentials = credentials;
    }

    /** Our own node. */
    public static ProtocolSystem ofJar(Path nodeJar) {
        return new ProtocolSystem(new ImageSource.NodeJar(nodeJar), null);
    }

    /** Any image that speaks the protocol. */
    public static ProtocolSystem ofImage(String image) {
        return new ProtocolSystem(new ImageSource.Named(image), null);
    }

    /** The same, spoken to through TLS. */
    ProtocolSystem with(Credentials own) {
        return new ProtocolSystem(image, own);
    }

    @Override
    public String name() {
        return "raft";
    }

    @Override
    public ImageSource image() {
        return image;
    }

    @Override
    public Start start(Placement placement) {
        return new Start(
                List.of(),
                Map.of(
                        "RAFT_NODE_ID",
                        placement.node(),
                        "RAFT_CLUSTER_ID",
                        placement.clusterId(),
                        "RAFT_MEMBERS",
                        placement.members().entrySet().stream()
                                .map(
                                        e ->
                                                e.getKey()
                                                        + "="
                                                        + e.getValue()
                                                        + ":"
                                                        + Placement.PEER_PORT)
                                .collect(Collectors.joining(",")),
                        "RAFT_PEER_LISTEN",
                        "0.0.0.0:" + Placement.PEER_PORT,
                        "RAFT_CLIENT_LISTEN",
                        "0.0.0.0:" + Placement.CLIENT_PORT,
                        "RAFT_HTTP_LISTEN",
                        "0.0.0.0:" + Placement.STATUS_PORT,
                        "RAFT_DATA_DIR",
                        Placement.DATA_FOLDER));
    }

    @Override
    public SystemClients clients(
            Map<String, InetSocketAddress> nodes,
            LongSupplier nowNanos,
            Consumer<Completion> sink) {
        return new ProtocolClients(nodes, credentials, nowNanos, sink);
    }

    @Override
    public CompletableFuture<NodeStatus> status(
            HttpClient http, String node, InetSocketAddress address, long timeoutMillis) {
        URI uri =
                URI.create(
                        (credentials == null ? "http://" : "https://")
                                + address.getAddress().getHostAddress()
                                + ":"
                                + address.getPort()
                                + "/status");
        HttpRequest request =
                HttpRequest.newBuilder(uri).timeout(Duration.ofMillis(timeoutMillis)).build();
        return http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .thenApply(answer -> StatusProbe.read(node, answer));
    }

    @Override
    public boolean serves(String function) {
        // What a server lacks it refuses, and the run's gates say that nothing of it succeeded.
        return true;
    }
}
