package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.Credentials;
import raft.harness.cluster.LogLine;
import raft.harness.cluster.LogWindow;
import raft.harness.cluster.NodeStatus;
import raft.harness.cluster.Transition;
import raft.harness.system.SystemUnderTest;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Asks nodes how they stand. Every answer has a deadline; hanging nodes cost no more. */
final class StatusProbe implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final SystemUnderTest system;
    private final SortedMap<String, InetSocketAddress> addresses;
    private final HttpClient http;
    private final String scheme;

    /**
     * @param system knows how to ask
     * @param addresses where each node's status port is to be reached
     * @param credentials for TLS; null: in plain text
     */
    StatusProbe(
            SystemUnderTest system,
            Map<String, InetSocketAddress> addresses,
            @Nullable Credentials credentials) {
        this.system = system;
        this.addresses = new TreeMap<>(addresses);
        HttpClient.Builder builder =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(Duration.ofSeconds(1));
        if (credentials != null) {
            builder.sslContext(credentials.context());
        }
        this.http = builder.build();
        this.scheme = credentials == null ? "http" : "https";
    }

    /** All nodes at once, sorted by name; never fails and ends within the timeout. */
    CompletableFuture<List<NodeStatus>> askAll(long timeoutMillis) {
        List<CompletableFuture<NodeStatus>> answers = new ArrayList<>();
        addresses.keySet().forEach(node -> answers.add(ask(node, timeoutMillis)));
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(done -> answers.stream().map(CompletableFuture::join).toList());
    }

    /** One node; unreachable when it gives no sensible answer in time. */
    CompletableFuture<NodeStatus> ask(String node, long timeoutMillis) {
        InetSocketAddress address = addresses.get(node);
        if (address == null) {
            throw new IllegalArgumentException("no such node: " + node);
        }
        return system.status(http, node, address, timeoutMillis)
                // The request's own timeout ends with the headers; a body may hang as well.
                .orTimeout(timeoutMillis, TimeUnit.MILLISECONDS)
                .handle(
                        (status, failure) ->
                                status == null ? NodeStatus.unreachable(node) : status);
    }

    /** A part of every node's log, sorted by name; never fails and ends within the timeout. */
    CompletableFuture<List<LogWindow>> logsOfAll(long fromIndex, int count, long timeoutMillis) {
        List<CompletableFuture<LogWindow>> answers = new ArrayList<>();
        addresses.forEach(
                (node, address) -> {
                    String path = "/log?from=" + fromIndex + "&count=" + count;
                    answers.add(
                            read(address, path, timeoutMillis)
                                    .handle((answer, failure) -> readLog(node, answer)));
                });
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(done -> answers.stream().map(CompletableFuture::join).toList());
    }

    private CompletableFuture<HttpResponse<String>> read(
            InetSocketAddress address, String path, long timeoutMillis) {
        URI uri =
                URI.create(
                        scheme
                                + "://"
                                + address.getAddress().getHostAddress()
                                + ":"
                                + address.getPort()
                                + path);
        HttpRequest request =
                HttpRequest.newBuilder(uri).timeout(Duration.ofMillis(timeoutMillis)).build();
        return http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .orTimeout(timeoutMillis, TimeUnit.MILLISECONDS);
    }

    /** As {@link raft.harness.cluster.Inspection#transitions}. */
    CompletableFuture<List<Transition>> transitionsOfAll(
            Map<String, Transition> after, long timeoutMillis) {
        List<CompletableFuture<List<Transition>>> answers = new ArrayList<>();
        addresses.forEach(
                (node, address) -> {
                    Transition last = after.get(node);
                    answers.add(
                            last == null
                                    ? transitions(node, address, 0, timeoutMillis)
                                    : transitionsSince(node, address, last, timeoutMillis));
                });
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(done -> answers.stream().flatMap(one -> one.join().stream()).toList());
    }

    /**
     * Numbers begin anew in each life of a node, so the last one that is known is asked for again:
     * where it does not come back as it was, another life has begun, and all of that is new.
     */
    private CompletableFuture<List<Transition>> transitionsSince(
            String node, InetSocketAddress address, Transition last, long timeoutMillis) {
        return transitions(node, address, last.number() - 1, timeoutMillis)
                .thenCompose(
                        found ->
                                !found.isEmpty() && found.getFirst().equals(last)
                                        ? CompletableFuture.completedFuture(
                                                found.subList(1, found.size()))
                                        : transitions(node, address, 0, timeoutMillis));
    }

    private CompletableFuture<List<Transition>> transitions(
            String node, InetSocketAddress address, long after, long timeoutMillis) {
        return read(address, "/trace?after=" + after, timeoutMillis)
                .handle(
                        (answer, failure) ->
                                answer == null || answer.statusCode() != 200
                                        ? List.of()
                                        : readTransitions(node, answer.body()));
    }

    private static List<Transition> readTransitions(String node, String lines) {
        List<Transition> found = new ArrayList<>();
        for (String line : lines.lines().toList()) {
            try {
                JsonNode json = JSON.readTree(line);
                String topic = json.path("event").asString("");
                found.add(
                        new Transition(
                                node,
                                json.path("n").asLong(0),
                                json.path("utc").asLong(0),
                                topic,
                                json.path("term").asLong(0),
                                words(topic, json)));
            } catch (JacksonException e) {
                // A line that was cut off; the others are as good as ever.
            }
        }
        return found;
    }

    private static String words(String topic, JsonNode json) {
        return switch (topic) {
            case "role" ->
                    json.path("from").asString("")
                            + " -> "
                            + json.path("to").asString("")
                            + ": "
                            + json.path("reason").asString("");
            case "term" -> "term " + json.path("term").asLong(0);
            case "vote" -> "votes for " + json.path("votedFor").asString("");
            case "commit" ->
                    "committed up to "
                            + json.path("index").asLong(0)
                            + " of "
                            + json.path("last").asLong(0);
            case "truncate" -> "cuts its log off from " + json.path("from").asLong(0);
            case "config" ->
                    "configuration at "
                            + json.path("index").asLong(0)
                            + ": "
                            + json.path("members").asString("");
            case "snapshot" ->
                    json.path("what").asString("")
                            + "s a snapshot at "
                            + json.path("index").asLong(0);
            default -> json.toString();
        };
    }

    private static LogWindow readLog(String node, @Nullable HttpResponse<String> answer) {
        if (answer == null) {
            return LogWindow.missing(node, "no answer");
        }
        if (answer.statusCode() != 200) {
            return LogWindow.missing(
                    node, "its /log answers " + answer.statusCode() + ", so it shows no log");
        }
        try {
            JsonNode json = JSON.readTree(answer.body());
            List<LogLine> entries = new ArrayList<>();
            for (JsonNode entry : json.path("entries")) {
                entries.add(
                        new LogLine(
                                entry.path("index").asLong(0),
                                entry.path("term").asLong(0),
                                entry.path("kind").asString(""),
                                entry.path("bytes").asInt(0),
                                entry.path("summary").asString("")));
            }
            return new LogWindow(
                    node,
                    "",
                    json.path("firstIndex").asLong(1),
                    json.path("commitIndex").asLong(0),
                    entries);
        } catch (JacksonException e) {
            return LogWindow.missing(node, "its /log is not JSON");
        }
    }

    /** Waits for one answer. */
    NodeStatus askNow(String node, long timeoutMillis) {
        return ask(node, timeoutMillis).join();
    }

    /** What {@code GET /status} answered, by the client protocol's document. */
    static NodeStatus read(String node, HttpResponse<String> answer) {
        if (answer.statusCode() != 200) {
            return NodeStatus.unreachable(node);
        }
        try {
            return parse(node, answer.body());
        } catch (IOException e) {
            return NodeStatus.unreachable(node);
        }
    }

    /**
     * Reads a status document; unknown fields are left alone, missing ones are 0 or "".
     *
     * @throws IOException when it is no JSON object
     */
    static NodeStatus parse(String node, String body) throws IOException {
        JsonNode json;
        try {
            json = JSON.readTree(body);
        } catch (JacksonException e) {
            throw new IOException("the status of " + node + " is not JSON", e);
        }
        if (!json.isObject()) {
            throw new IOException("the status of " + node + " is not a JSON object");
        }
        JsonNode leader = json.path("leader");
        return new NodeStatus(
                node,
                true,
                json.path("role").asString(""),
                json.path("term").asLong(0),
                leader.isString() && !leader.asString().isEmpty() ? leader.asString() : null,
                json.path("commitIndex").asLong(0),
                json.path("appliedIndex").asLong(0),
                json.path("lastIndex").asLong(0),
                voters(json),
                clock(json.path("clock")),
                body);
    }

    private static NodeStatus.@Nullable Clock clock(JsonNode clock) {
        if (!clock.path("utcMillis").isNumber()) {
            return null;
        }
        long utcMillis = clock.path("utcMillis").asLong();
        return new NodeStatus.Clock(
                utcMillis,
                clock.path("monotonicNanos").asLong(0),
                utcMillis - System.currentTimeMillis());
    }

    /**
     * Of {@code "configuration": {"committed": true, "members": [{"id": "n1", "voter": true}, …]}};
     * one that is not committed yet may never be.
     */
    private static List<String> voters(JsonNode json) {
        List<String> voters = new ArrayList<>();
        JsonNode configuration = json.path("configuration");
        if (configuration.path("committed").asBoolean(false)) {
            for (JsonNode member : configuration.path("members")) {
                String name = member.path("id").asString("");
                if (member.path("voter").asBoolean(false) && !name.isEmpty()) {
                    voters.add(name);
                }
            }
        }
        return voters;
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
