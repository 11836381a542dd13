package raft.harness.etcd;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.Outcomes.Ending;
import raft.harness.cluster.StoredText;
import raft.harness.history.Value;
import raft.harness.system.SystemClients;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Clients of etcd through its JSON gateway, all on one HTTP client, which never repeats a POST.
 *
 * <p>Each asks only the member that it is bound to; that one passes the request on to the leader. A
 * compare-and-set is a transaction on the value, or on the key's absence.
 */
final class EtcdClients implements SystemClients {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** The key of workloads that have only one object. */
    private static final String ONLY_KEY = "register";

    /**
     * Errors that etcd raises before it proposes anything. All others, time-outs above all, leave
     * open whether the write is carried out later.
     */
    private static final Set<String> CERTAIN =
            Set.of("etcdserver: too many requests", "etcdserver: no leader");

    private final Map<String, InetSocketAddress> nodes;
    private final boolean serializableReads;
    private final Consumer<Completion> sink;
    private final Set<Long> busyProcesses = ConcurrentHashMap.newKeySet();
    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(2))
                    .build();
    private volatile boolean closed;

    /** What an operation asks for: where to, and the body. */
    private record Call(String path, String body) {}

    /** What an answer says. */
    private record Learnt(Ending ending, @Nullable Value value, String detail) {
        static Learnt of(Ending ending) {
            return new Learnt(ending, null, "");
        }
    }

    EtcdClients(
            Map<String, InetSocketAddress> nodes,
            boolean serializableReads,
            Consumer<Completion> sink) {
        this.nodes = Map.copyOf(nodes);
        this.serializableReads = serializableReads;
        this.sink = sink;
    }

    @Override
    public void invoke(Invocation invocation) {
        InetSocketAddress address = nodes.get(invocation.node());
        if (address == null) {
            throw new IllegalArgumentException(
                    "no node " + invocation.node() + " among " + nodes.keySet());
        }
        if (!busyProcesses.add(invocation.process())) {
            throw new IllegalStateException(
                    "process " + invocation.process() + " has an operation under way");
        }
        Call call;
        try {
            call = call(invocation);
        } catch (IllegalArgumentException e) {
            end(invocation, null, new Learnt(Ending.NOT_SUPPORTED, null, message(e)));
            return;
        }
        if (closed) {
            end(invocation, null, Learnt.of(Ending.CLOSED_UNSENT));
            return;
        }
        long timeoutMillis = TimeUnit.NANOSECONDS.toMillis(invocation.timeoutNanos());
        var ending =
                http.sendAsync(
                                Gateway.request(address, call.path(), call.body(), timeoutMillis),
                                HttpResponse.BodyHandlers.ofString())
                        // The request's own timeout ends with the headers; a body may hang as well.
                        .orTimeout(timeoutMillis + 50, TimeUnit.MILLISECONDS)
                        .handle(
                                (answer, failure) -> {
                                    String node = answer == null ? null : invocation.node();
                                    end(
                                            invocation,
                                            node,
                                            answer == null
                                                    ? learnt(failure)
                                                    : learnt(invocation.f(), answer));
                                    return node;
                                });
        assert ending != null;
    }

    private Call call(Invocation invocation) {
        String key =
                base64(
                        invocation.key() instanceof Value.Nil
                                ? Value.of(ONLY_KEY)
                                : invocation.key());
        return switch (invocation.f()) {
            case "read" -> {
                ObjectNode body = JSON.createObjectNode().put("key", key);
                if (serializableReads) {
                    body.put("serializable", true);
                }
                yield new Call("/v3/kv/range", body.toString());
            }
            case "write" -> new Call("/v3/kv/put", put(key, invocation.value()).toString());
            case "delete" ->
                    new Call(
                            "/v3/kv/deleterange",
                            JSON.createObjectNode().put("key", key).toString());
            case "cas" -> new Call("/v3/kv/txn", transaction(key, invocation.value()).toString());
            default ->
                    throw new IllegalArgumentException(
                            "the client of etcd has no '" + invocation.f() + "'");
        };
    }

    private static ObjectNode put(String key, Value value) {
        return JSON.createObjectNode().put("key", key).put("value", base64(value));
    }

    private static ObjectNode transaction(String key, Value change) {
        if (!(change instanceof Value.Seq(List<Value> values)) || values.size() != 2) {
            throw new IllegalArgumentException("a cas needs [expected, new], not " + change);
        }
        ObjectNode body = JSON.createObjectNode();
        compare(body.putArray("compare").addObject().put("key", key), values.getFirst());
        body.putArray("success").addObject().set("request_put", put(key, values.getLast()));
        return body;
    }

    private static void compare(ObjectNode compare, Value expected) {
        compare.put("result", "EQUAL");
        if (expected instanceof Value.Nil) {
            compare.put("target", "CREATE").put("create_revision", "0");
        } else {
            compare.put("target", "VALUE").put("value", base64(expected));
        }
    }

    private static String base64(Value value) {
        return Base64.getEncoder()
                .encodeToString(StoredText.of(value).getBytes(StandardCharsets.UTF_8));
    }

    private static Learnt learnt(String f, HttpResponse<String> answer) {
        JsonNode json;
        try {
            json = JSON.readTree(answer.body());
        } catch (JacksonException e) {
            return new Learnt(Ending.UNINTELLIGIBLE, null, "HTTP " + answer.statusCode());
        }
        if (answer.statusCode() != 200) {
            String error = json.path("error").asString("HTTP " + answer.statusCode());
            return new Learnt(
                    CERTAIN.contains(error) ? Ending.REFUSED : Ending.UNKNOWN, null, error);
        }
        return switch (f) {
            case "read" -> {
                JsonNode found = json.path("kvs").path(0);
                // An empty value is left out by the gateway, an absent key has no entry at all.
                yield new Learnt(
                        Ending.DONE,
                        found.isMissingNode()
                                ? Value.NIL
                                : StoredText.value(text(found.path("value").asString(""))),
                        "");
            }
            case "cas" ->
                    Learnt.of(
                            json.path("succeeded").asBoolean(false)
                                    ? Ending.DONE
                                    : Ending.COMPARE_FAILED);
            default -> Learnt.of(Ending.DONE);
        };
    }

    private static String text(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }

    /** Only a connection that never came about tells for certain that nothing was asked. */
    private Learnt learnt(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException wrapped && wrapped.getCause() != null
                        ? wrapped.getCause()
                        : failure;
        Ending ending =
                switch (cause) {
                    case HttpConnectTimeoutException _ -> Ending.TIMED_OUT_UNSENT;
                    case ConnectException _ -> Ending.NOT_CONNECTED;
                    case HttpTimeoutException _ -> Ending.TIMED_OUT;
                    case java.util.concurrent.TimeoutException _ -> Ending.TIMED_OUT;
                    default -> closed ? Ending.CLOSED : Ending.CONNECTION_LOST;
                };
        return new Learnt(ending, null, ending == Ending.CONNECTION_LOST ? message(cause) : "");
    }

    private static String message(Throwable failure) {
        return failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }

    private void end(Invocation invocation, @Nullable String node, Learnt learnt) {
        busyProcesses.remove(invocation.process());
        sink.accept(
                Completion.Operation.of(
                        invocation, learnt.ending(), learnt.value(), learnt.detail(), node, 0, 0));
    }

    @Override
    public void close() {
        closed = true;
        http.shutdownNow();
    }
}
