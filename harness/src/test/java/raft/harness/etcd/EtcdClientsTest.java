package raft.harness.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.NodeStatus;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What each answer of etcd's gateway, or none, means for an operation. */
final class EtcdClientsTest {
    private static final long SECOND = 1_000_000_000;

    private final BlockingQueue<Completion> completions = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
    private final CountDownLatch never = new CountDownLatch(1);
    private HttpServer server;
    private int status = 200;
    private String answer = "{}";
    private boolean silent;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::serve);
        server.setExecutor(task -> Thread.ofVirtual().start(task));
        server.start();
    }

    @AfterEach
    void stop() {
        never.countDown();
        server.stop(0);
    }

    private void serve(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        asked.add(exchange.getRequestURI() + " " + body);
        if (silent) {
            try {
                never.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            exchange.close();
            return;
        }
        byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static Invocation invocation(String f, Value value) {
        return new Invocation(3, "n1", f, Value.of(7), value, 5 * SECOND);
    }

    private Completion.Operation run(Invocation invocation) throws InterruptedException {
        return run(invocation, server.getAddress(), false);
    }

    private Completion.Operation run(
            Invocation invocation, InetSocketAddress address, boolean serializable)
            throws InterruptedException {
        try (EtcdClients clients =
                new EtcdClients(Map.of("n1", address), serializable, completions::add)) {
            clients.invoke(invocation);
            return (Completion.Operation) completions.poll(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void readOfAPresentKeyLearnsItsValue() throws Exception {
        answer = "{\"kvs\":[{\"key\":\"Nw==\",\"value\":\"NDI=\"}],\"count\":\"1\"}";
        Completion.Operation ended = run(invocation("read", Value.NIL));
        assertThat(ended.type()).isEqualTo(Type.OK);
        assertThat(ended.value()).isEqualTo(Value.of(42));
        assertThat(ended.node()).isEqualTo("n1");
        assertThat(asked.take()).isEqualTo("/v3/kv/range {\"key\":\"Nw==\"}");
    }

    @Test
    void readOfAnAbsentKeyLearnsNil() throws Exception {
        answer = "{\"header\":{}}";
        assertThat(run(invocation("read", Value.NIL)).value()).isEqualTo(Value.NIL);
    }

    @Test
    void serializableReadsSaySo() throws Exception {
        assertThat(run(invocation("read", Value.NIL), server.getAddress(), true).type())
                .isEqualTo(Type.OK);
        assertThat(asked.take()).isEqualTo("/v3/kv/range {\"key\":\"Nw==\",\"serializable\":true}");
    }

    @Test
    void casIsATransactionOnTheValue() throws Exception {
        answer = "{\"succeeded\":true}";
        Value change = Value.of(Value.of(1), Value.of(2));
        assertThat(run(invocation("cas", change)).type()).isEqualTo(Type.OK);
        assertThat(asked.take())
                .isEqualTo(
                        "/v3/kv/txn {\"compare\":[{\"key\":\"Nw==\",\"result\":\"EQUAL\",\"target\""
                                + ":\"VALUE\",\"value\":\"MQ==\"}],\"success\":[{\"request_put\":{"
                                + "\"key\":\"Nw==\",\"value\":\"Mg==\"}}]}");
    }

    @Test
    void casThatExpectsNothingComparesTheCreation() throws Exception {
        Value change = Value.of(Value.NIL, Value.of(2));
        Completion.Operation ended = run(invocation("cas", change));
        assertThat(ended.type()).as("the answer does not say succeeded").isEqualTo(Type.FAIL);
        assertThat(ended.error()).isEqualTo("compare-failed");
        assertThat(asked.take()).contains("\"target\":\"CREATE\",\"create_revision\":\"0\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "503 | {\"error\":\"etcdserver: request timed out\",\"code\":14} | write | INFO",
                "503 | {\"error\":\"etcdserver: request timed out\",\"code\":14} | read  | FAIL",
                "503 | {\"error\":\"etcdserver: leader changed\",\"code\":14}    | write | INFO",
                "429 | {\"error\":\"etcdserver: too many requests\",\"code\":8}  | write | FAIL",
                "200 | <html>                                                    | write | INFO",
                "500 | <html>                                                    | read  | FAIL",
            })
    void errorsAreCertainOnlyWhereEtcdProposedNothing(
            int httpStatus, String body, String f, Type type) throws Exception {
        status = httpStatus;
        answer = body;
        assertThat(run(invocation(f, Value.of(5))).type()).isEqualTo(type);
    }

    @Test
    void refusedConnectionIsACertainFailure() throws Exception {
        InetSocketAddress nobody;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = (InetSocketAddress) socket.getLocalSocketAddress();
        }
        Completion.Operation ended = run(invocation("write", Value.of(5)), nobody, false);
        assertThat(ended.type()).isEqualTo(Type.FAIL);
        assertThat(ended.error()).startsWith("not-connected");
    }

    @Test
    void silenceAfterAWriteIsUncertain() throws Exception {
        silent = true;
        Completion.Operation ended =
                run(new Invocation(3, "n1", "write", Value.of(7), Value.of(5), SECOND / 5));
        assertThat(ended.type()).isEqualTo(Type.INFO);
        assertThat(ended.error()).isEqualTo("timeout");
        assertThat(ended.value()).isEqualTo(Value.of(5));
    }

    @Test
    void closingEndsWhatIsUnderWayAndLaterCallsAtOnce() throws Exception {
        silent = true;
        EtcdClients clients =
                new EtcdClients(Map.of("n1", server.getAddress()), false, completions::add);
        clients.invoke(invocation("write", Value.of(5)));
        assertThat(asked.poll(20, TimeUnit.SECONDS)).startsWith("/v3/kv/put");
        assertThatIllegalStateException()
                .isThrownBy(() -> clients.invoke(invocation("write", Value.of(6))));
        clients.close();
        var first = (Completion.Operation) completions.poll(20, TimeUnit.SECONDS);
        assertThat(first.error()).isEqualTo("closed");
        assertThat(first.type()).isEqualTo(Type.INFO);
        clients.invoke(invocation("write", Value.of(6)));
        var second = (Completion.Operation) completions.poll(20, TimeUnit.SECONDS);
        assertThat(second.error()).isEqualTo("closed-before-sending");
        assertThat(second.type()).isEqualTo(Type.FAIL);
    }

    @Test
    void otherOperationsAreNotSupported() throws Exception {
        Completion.Operation ended = run(invocation("append", Value.of(5)));
        assertThat(ended.type()).isEqualTo(Type.FAIL);
        assertThat(ended.error()).startsWith("not-supported: the client of etcd has no 'append'");
        assertThat(new EtcdSystem(Path.of("unused")).serves("append")).isFalse();
        assertThat(new EtcdSystem(Path.of("unused")).serves("cas")).isTrue();
    }

    @Test
    void aMemberSaysWhetherItLeads() {
        EtcdSystem etcd = new EtcdSystem(Path.of("unused"));
        String leader =
                "{\"header\":{\"member_id\":\"11\"},\"leader\":\"11\",\"raftTerm\":\"4\","
                        + "\"raftIndex\":\"9\",\"raftAppliedIndex\":\"8\"}";
        assertThat(etcd.read("n1", 200, leader))
                .isEqualTo(new NodeStatus("n1", true, "leader", 4, "n1", 9, 8, 9, leader));
        String follower = "{\"header\":{\"member_id\":\"12\"},\"leader\":\"11\"}";
        assertThat(etcd.read("n2", 200, follower).leader()).isEqualTo("n1");
        assertThat(etcd.read("n2", 200, follower).role()).isEqualTo("follower");
        String alone = "{\"header\":{\"member_id\":\"12\"},\"raftTerm\":\"5\"}";
        assertThat(etcd.read("n2", 200, alone).role()).isEqualTo("candidate");
        assertThat(etcd.read("n2", 503, alone).reachable()).isFalse();
        assertThat(etcd.read("n2", 200, "nothing").reachable()).isFalse();
    }

    @Test
    void unknownOptionsAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new EtcdSystem(Path.of("x")).configure(Map.of("reads", "fast")))
                .withMessageContaining("no option reads=fast; there are reads=linearizable");
    }
}
