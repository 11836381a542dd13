package raft.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Blob;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.client.SessionClient;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;

/** Exactly once, whatever is lost on the way. */
@Timeout(120)
final class SessionClientTest {
    private static final long MILLIS = 30_000;
    private static final Blob LIST = Blob.ofText("list");

    @TempDir private Path folder;
    private TestCluster cluster = TestCluster.NONE;

    @BeforeEach
    void startCluster() throws Exception {
        cluster = TestCluster.start(folder, 3);
        cluster.awaitLeader();
    }

    @AfterEach
    void closeCluster() {
        cluster.close();
    }

    @Test
    void everyWriteHappensOnceThoughEveryThirdAnswerIsLost() throws Exception {
        try (Losing way = new Losing(leader(), answer -> answer % 3 == 1);
                SessionClient client = client(Map.of("n1", way.address()))) {
            for (int i = 0; i < 40; i++) {
                assertThat(client.call(append(i), MILLIS))
                        .isInstanceOfSatisfying(
                                Reply.Ok.class,
                                ok -> assertThat(ok.result()).isInstanceOf(Result.Number.class));
            }
            assertThat(way.lostCount()).isGreaterThan(10);
            assertThat(elements()).isEqualTo(numbers(40));
        }
        long duplicates =
                cluster.status(cluster.awaitLeader()).counters().stream()
                        .filter(count -> count.name().equals("sessionDuplicates"))
                        .findFirst()
                        .orElseThrow()
                        .value();
        assertThat(duplicates).isGreaterThan(5);
    }

    @Test
    void itFindsTheLeaderAndSurvivesItsDeath() throws Exception {
        try (SessionClient client = client(all())) {
            for (int i = 0; i < 20; i++) {
                if (i == 10) {
                    cluster.kill(cluster.awaitLeader());
                }
                assertThat(client.call(append(i), MILLIS)).isInstanceOf(Reply.Ok.class);
            }
        }
        assertThat(elements()).isEqualTo(numbers(20));
    }

    /** As the store forgets the longest unused one. */
    @Test
    void aSessionThatWasForgottenIsReplaced() throws Exception {
        try (SessionClient client = client(all())) {
            assertThat(client.call(append(0), MILLIS)).isInstanceOf(Reply.Ok.class);
            long first = client.session();
            cluster.call(new Request.Session.Close(first));
            assertThat(client.call(append(1), MILLIS)).isInstanceOf(Reply.Ok.class);
            assertThat(client.session()).isGreaterThan(first);
            assertThat(client.keepAlive(MILLIS)).isInstanceOf(Reply.Ok.class);
            cluster.call(new Request.Session.Close(client.session()));
            assertThat(client.keepAlive(MILLIS))
                    .isInstanceOfSatisfying(
                            Reply.Refused.class,
                            refused ->
                                    assertThat(refused.reason())
                                            .isEqualTo(Refusal.SESSION_EXPIRED));
        }
        assertThat(elements()).isEqualTo(numbers(2));
    }

    /** The answer is lost, then the session: nobody can say any more whether it happened. */
    @Test
    void aLostAnswerWhoseSessionIsForgottenIsUnknown() throws Exception {
        AtomicLong doomed = new AtomicLong();
        IntPredicate loses =
                answer -> {
                    long session = doomed.getAndSet(0);
                    if (session != 0) {
                        forget(session);
                    }
                    return session != 0;
                };
        try (Losing way = new Losing(leader(), loses);
                SessionClient client = client(Map.of("n1", way.address()))) {
            assertThat(client.keepAlive(MILLIS)).isInstanceOf(Reply.Ok.class);
            doomed.set(client.session());
            assertThat(client.call(append(1), MILLIS)).isInstanceOf(Reply.Unknown.class);
        }
    }

    private void forget(long session) {
        try {
            cluster.call(new Request.Session.Close(session));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void withoutAMajorityAWriteIsUnknownAndAReadRefused() throws Exception {
        String leader = cluster.awaitLeader();
        try (SessionClient client = client(Map.of(leader, cluster.node(leader).clientAddress()))) {
            assertThat(client.call(append(0), MILLIS)).isInstanceOf(Reply.Ok.class);
            for (String id : cluster.ids()) {
                if (!id.equals(leader)) {
                    cluster.kill(id);
                }
            }
            assertThat(client.call(append(1), 1_500)).isInstanceOf(Reply.Unknown.class);
            assertThat(client.call(new Request.Get(LIST), 1_500)).isInstanceOf(Reply.Refused.class);
        }
    }

    @Test
    void whatTheStoreRefusesIsNotTriedAgain() throws Exception {
        try (SessionClient client = client(all())) {
            client.call(append(0), MILLIS);
            assertThat(client.call(new Request.Increment(LIST, 1), MILLIS))
                    .isInstanceOfSatisfying(
                            Reply.Refused.class,
                            refused -> assertThat(refused.reason()).isEqualTo(Refusal.WRONG_TYPE));
            assertThatThrownBy(() -> client.call(new Request.Session.Register(), MILLIS))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static Request append(int number) {
        return new Request.Append(LIST, Blob.ofText("" + number));
    }

    private static List<String> numbers(int count) {
        List<String> numbers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            numbers.add("" + i);
        }
        return numbers;
    }

    private List<String> elements() throws Exception {
        Result.Elements all = (Result.Elements) cluster.call(new Request.Get(LIST));
        return all.elements().stream().map(Blob::text).toList();
    }

    private InetSocketAddress leader() throws Exception {
        return cluster.node(cluster.awaitLeader()).clientAddress();
    }

    private Map<String, InetSocketAddress> all() {
        Map<String, InetSocketAddress> all = new LinkedHashMap<>();
        cluster.ids().forEach(id -> all.put(id, cluster.node(id).clientAddress()));
        return all;
    }

    private static SessionClient client(Map<String, InetSocketAddress> nodes) {
        return new SessionClient(nodes, null);
    }

    /** Stands between a client and a node; loses chosen answers, and the connection with them. */
    private static final class Losing implements Closeable {
        private final ServerSocket listener =
                new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final InetSocketAddress node;
        private final IntPredicate loses;
        private final AtomicInteger answers = new AtomicInteger();
        private final AtomicInteger lost = new AtomicInteger();

        /**
         * @param loses asked with the number of each answer, from 0
         */
        Losing(InetSocketAddress node, IntPredicate loses) throws IOException {
            this.node = node;
            this.loses = loses;
            Thread.ofVirtual().start(this::accept);
        }

        InetSocketAddress address() {
            return new InetSocketAddress("127.0.0.1", listener.getLocalPort());
        }

        int lostCount() {
            return lost.get();
        }

        private void accept() {
            while (!listener.isClosed()) {
                try {
                    Socket client = listener.accept();
                    Thread.ofVirtual().start(() -> serve(client));
                } catch (IOException e) {
                    // Closed.
                }
            }
        }

        private void serve(Socket client) {
            try (client;
                    Socket server = new Socket(node.getAddress(), node.getPort())) {
                Thread.ofVirtual().start(() -> forward(client, server));
                DataInputStream in = new DataInputStream(server.getInputStream());
                for (int frame = 0; ; frame++) {
                    byte[] body = new byte[in.readInt()];
                    in.readFully(body);
                    // The first one is the hello.
                    if (frame > 0 && loses.test(answers.getAndIncrement())) {
                        lost.incrementAndGet();
                        return;
                    }
                    byte[] length = {
                        (byte) (body.length >>> 24),
                        (byte) (body.length >>> 16),
                        (byte) (body.length >>> 8),
                        (byte) body.length
                    };
                    client.getOutputStream().write(length);
                    client.getOutputStream().write(body);
                }
            } catch (IOException e) {
                // One of them has gone.
            }
        }

        private static void forward(Socket client, Socket server) {
            try {
                client.getInputStream().transferTo(server.getOutputStream());
            } catch (IOException e) {
                // One of them has gone.
            }
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }
}
