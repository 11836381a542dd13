import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.NodeStatus;
import raft.harness.cluster.Outcomes.Ending;
import raft.harness.cluster.StoredText;
import raft.harness.history.Value;
import raft.harness.nemesis.FaultKind.Family;
import raft.harness.system.ImageSource;
import raft.harness.system.Placement;
import raft.harness.system.Start;
import raft.harness.system.SystemClients;
import raft.harness.system.SystemUnderTest;

import java.net.ConnectException;
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
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** One server that keeps each register in a file; docs/systems.md goes through it. */
public final class FileStore implements SystemUnderTest {
    private String keep = "files";

    @Override
    public String name() {
        return "file-store";
    }

    @Override
    public void configure(Map<String, String> options) {
        for (Map.Entry<String, String> option : options.entrySet()) {
            if (!option.getKey().equals("keep")
                    || !List.of("files", "memory").contains(option.getValue())) {
                throw new IllegalArgumentException(
                        "the system file-store has no option "
                                + option.getKey()
                                + "="
                                + option.getValue()
                                + "; there are keep=files and keep=memory");
            }
            keep = option.getValue();
        }
    }

    @Override
    public ImageSource image() {
        // The build puts the image's folder beside the class.
        URI classes =
                URI.create(
                        FileStore.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toString());
        return new ImageSource.Folder("raftlab/file-store", Path.of(classes).resolve("image"));
    }

    @Override
    public Start start(Placement placement) {
        return new Start(
                List.of(
                        "perl",
                        "/server",
                        Integer.toString(Placement.CLIENT_PORT),
                        Integer.toString(Placement.STATUS_PORT),
                        Placement.DATA_FOLDER + "/store"),
                Map.of("KEEP", keep));
    }

    @Override
    public boolean serves(String function) {
        return List.of("read", "write", "cas").contains(function);
    }

    @Override
    public SystemClients clients(
            Map<String, InetSocketAddress> nodes,
            LongSupplier nowNanos,
            Consumer<Completion> sink) {
        return new Clients(nodes, sink);
    }

    @Override
    public CompletableFuture<NodeStatus> status(
            HttpClient http, String node, InetSocketAddress address, long timeoutMillis) {
        HttpRequest request = to(address, "/status", timeoutMillis).build();
        return http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .thenApply(
                        answer ->
                                new NodeStatus(
                                        node, true, "leader", 1, node, 0, 0, 0, answer.body()));
    }

    @Override
    public Map<Family, String> cannot() {
        String alone = "the servers of file-store never talk to each other";
        return Map.of(Family.PARTITION, alone, Family.PACKETS, alone);
    }

    private static HttpRequest.Builder to(
            InetSocketAddress address, String path, long timeoutMillis) {
        String host = address.getAddress().getHostAddress() + ":" + address.getPort();
        return HttpRequest.newBuilder(URI.create("http://" + host + path))
                .timeout(Duration.ofMillis(timeoutMillis));
    }

    private record Clients(
            Map<String, InetSocketAddress> nodes, Consumer<Completion> sink, HttpClient http)
            implements SystemClients {
        Clients(Map<String, InetSocketAddress> nodes, Consumer<Completion> sink) {
            this(nodes, sink, HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build());
        }

        @Override
        public void invoke(Invocation invocation) {
            long timeoutMillis = TimeUnit.NANOSECONDS.toMillis(invocation.timeoutNanos());
            var ended =
                    http.sendAsync(
                                    request(invocation, timeoutMillis),
                                    HttpResponse.BodyHandlers.ofString())
                            .orTimeout(timeoutMillis, TimeUnit.MILLISECONDS)
                            .whenComplete(
                                    (answer, failure) ->
                                            end(
                                                    invocation,
                                                    failure == null
                                                            ? ending(answer.statusCode())
                                                            : ending(failure),
                                                    answer));
            assert ended != null;
        }

        private HttpRequest request(Invocation invocation, long timeoutMillis) {
            InetSocketAddress address = nodes.get(invocation.node());
            if (address == null) {
                throw new IllegalArgumentException("no node " + invocation.node());
            }
            HttpRequest.Builder request =
                    to(address, "/key/" + StoredText.of(invocation.key()), timeoutMillis);
            return switch (invocation.f()) {
                case "read" -> request.build();
                case "write" -> put(request, invocation.value());
                case "cas" -> {
                    List<Value> change = ((Value.Seq) invocation.value()).values();
                    yield change.getFirst() instanceof Value.Nil
                            ? put(request.header("If-None-Match", "*"), change.getLast())
                            : put(
                                    request.header("If-Match", StoredText.of(change.getFirst())),
                                    change.getLast());
                }
                default -> throw new IllegalArgumentException("no request " + invocation.f());
            };
        }

        private static HttpRequest put(HttpRequest.Builder request, Value value) {
            return request.PUT(HttpRequest.BodyPublishers.ofString(StoredText.of(value))).build();
        }

        private static Ending ending(int status) {
            return switch (status) {
                case 200, 404 -> Ending.DONE;
                case 412 -> Ending.COMPARE_FAILED;
                default -> Ending.UNINTELLIGIBLE;
            };
        }

        private static Ending ending(Throwable failure) {
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            return switch (cause) {
                case ConnectException _ -> Ending.NOT_CONNECTED;
                case java.net.http.HttpTimeoutException _ -> Ending.TIMED_OUT;
                case TimeoutException _ -> Ending.TIMED_OUT;
                default -> Ending.CONNECTION_LOST;
            };
        }

        private void end(Invocation invocation, Ending ending, HttpResponse<String> answer) {
            Value learnt = null;
            if (ending == Ending.DONE && invocation.f().equals("read")) {
                learnt = answer.statusCode() == 404 ? Value.NIL : StoredText.value(answer.body());
            }
            String node = answer == null ? null : invocation.node();
            sink.accept(Completion.Operation.of(invocation, ending, learnt, "", node, 0, 0));
        }

        @Override
        public void close() {
            http.shutdownNow();
        }
    }
}
