package raft.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Answer;
import raft.client.Blob;
import raft.client.CallException;
import raft.client.ClientConnection;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.core.Effect.RoleName;
import raft.core.Message;
import raft.core.NodeId;
import raft.peer.Frame;
import raft.peer.FrameBuffer;
import raft.peer.Handshake;
import raft.peer.PeerCodec;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;

/** Three nodes in one process, with real files and sockets. */
@Tag("cluster")
@Timeout(120)
final class ClusterTest {
    private static final int CALL_MILLIS = 10_000;

    @TempDir private Path folder;
    private TestCluster cluster = TestCluster.NONE;

    @AfterEach
    void stop() {
        cluster.close();
        assertThat(cluster.fatalities()).isEmpty();
    }

    @Test
    void aLeaderServesEveryOperationAndFollowersServeReadsAndRefuseWritesWithAHint()
            throws Exception {
        cluster = TestCluster.start(folder, 3);
        String leader = cluster.awaitLeader();
        try (ClientConnection client = cluster.client(leader)) {
            assertThat(call(client, new Request.Get(blob("k")))).isEqualTo(new Result.Absent());
            assertThat(call(client, new Request.Put(blob("k"), blob("1"))))
                    .isEqualTo(new Result.Done());
            assertThat(call(client, new Request.Get(blob("k"))))
                    .isEqualTo(new Result.Found(blob("1")));
            assertThat(call(client, new Request.Cas(blob("k"), blob("0"), blob("2"))))
                    .isEqualTo(new Result.CompareFailed());
            assertThat(call(client, new Request.Cas(blob("k"), blob("1"), blob("2"))))
                    .isEqualTo(new Result.Done());
            assertThat(call(client, new Request.Delete(blob("k")))).isEqualTo(new Result.Done());
            assertThat(call(client, new Request.Get(blob("k")))).isEqualTo(new Result.Absent());
        }
        String follower = cluster.anyBut(leader);
        try (ClientConnection client = cluster.client(follower)) {
            assertThat(call(client, new Request.Get(blob("k")))).isEqualTo(new Result.Absent());
            Reply reply = client.call(new Request.Put(blob("k"), blob("3")), CALL_MILLIS);
            assertThat(reply)
                    .isInstanceOfSatisfying(
                            Reply.Refused.class,
                            refused -> {
                                assertThat(refused.reason()).isEqualTo(Refusal.NOT_LEADER);
                                assertThat(refused.leader()).isEqualTo(leader);
                            });
        }
        cluster.awaitConvergence();
    }

    @Test
    void aKilledLeaderIsReplacedAndCatchesUpFromItsFiles() throws Exception {
        cluster = TestCluster.start(folder, 3);
        String first = cluster.awaitLeader();
        putMany(0, 50);
        cluster.kill(first);
        String second = cluster.awaitLeader();
        assertThat(second).isNotEqualTo(first);
        putMany(50, 100);
        cluster.restart(first);
        cluster.awaitConvergence();
        assertThat(cluster.status(first).keyCount()).isEqualTo(100);
        for (String id : cluster.ids()) {
            cluster.kill(id);
        }
        for (String id : cluster.ids()) {
            cluster.restart(id);
        }
        String third = cluster.awaitLeader();
        assertThat(cluster.status(third).term()).isGreaterThan(cluster.termOf(second));
        for (int i = 0; i < 100; i++) {
            assertThat(cluster.call(new Request.Get(blob("key" + i))))
                    .isEqualTo(new Result.Found(blob("value" + i)));
        }
        cluster.awaitConvergence();
    }

    @Test
    void withoutAMajorityNothingIsAnsweredOk() throws Exception {
        cluster = TestCluster.start(folder, 3);
        String leader = cluster.awaitLeader();
        for (String id : cluster.ids()) {
            if (!id.equals(leader)) {
                cluster.kill(id);
            }
        }
        int allowed = ClientServer.OUTSTANDING_PER_CONNECTION_MAX;
        try (RawClient raw = RawClient.connect(cluster.node(leader).clientAddress())) {
            raw.greet();
            for (int i = 1; i <= allowed + 1; i++) {
                raw.send(i, new Request.Put(blob("k"), blob("v")));
            }
            Answer first = raw.answer();
            assertThat(first.id()).isEqualTo(allowed + 1);
            assertThat(first.reply())
                    .isInstanceOfSatisfying(
                            Reply.Refused.class,
                            refused -> assertThat(refused.reason()).isEqualTo(Refusal.BUSY));
        }
        try (ClientConnection client = cluster.client(leader)) {
            Reply write = client.call(new Request.Put(blob("k"), blob("v")), CALL_MILLIS);
            assertThat(write).isNotInstanceOf(Reply.Ok.class);
        }
        try (ClientConnection client = cluster.client(leader)) {
            Reply read = client.call(new Request.Get(blob("k")), CALL_MILLIS);
            assertThat(read).isInstanceOf(Reply.Refused.class);
        }
        cluster.await(
                "the leader steps down", () -> cluster.status(leader).role() != RoleName.LEADER);
    }

    @Test
    void aGracefulStopAnswersAndKeepsWhatWasWritten() throws Exception {
        cluster = TestCluster.start(folder, 1);
        String only = cluster.awaitLeader();
        putMany(0, 20);
        cluster.node(only).close();
        cluster.node(only).close();
        cluster.restart(only);
        cluster.awaitLeader();
        try (ClientConnection client = cluster.client(only)) {
            assertThat(call(client, new Request.Get(blob("key19"))))
                    .isEqualTo(new Result.Found(blob("value19")));
        }
    }

    @Test
    void manyRequestsMayBeOnTheirWayAtOnce() throws Exception {
        cluster = TestCluster.start(folder, 3);
        String leader = cluster.awaitLeader();
        int count = 900;
        try (RawClient raw = RawClient.connect(cluster.node(leader).clientAddress())) {
            raw.greet();
            for (int i = 1; i <= count; i++) {
                raw.send(i, new Request.Put(blob("key" + i), blob("value" + i)));
            }
            for (int i = 1; i <= count; i++) {
                assertThat(raw.answer().reply()).isInstanceOf(Reply.Ok.class);
            }
        }
        cluster.awaitConvergence();
        long fsyncs = counter(cluster.status(leader), "fsyncs");
        assertThat(fsyncs).as("group commit").isLessThan(count / 2);
    }

    @Test
    void largeValuesTravelAndTooLargeOnesAreRefusedClearly() throws Exception {
        cluster = TestCluster.start(folder, 3);
        byte[] megabyte = new byte[1 << 20];
        new Random(1).nextBytes(megabyte);
        for (int i = 0; i < 20; i++) {
            cluster.call(new Request.Put(blob("large" + i), Blob.wrap(megabyte.clone())));
        }
        assertThat(cluster.call(new Request.Get(blob("large7"))))
                .isEqualTo(new Result.Found(Blob.wrap(megabyte)));
        cluster.awaitConvergence();
        try (RawClient raw = RawClient.connect(cluster.node("n1").clientAddress())) {
            raw.greet();
            // By hand, because a client of ours would not even build it: id, put, key "k", a
            // value of one byte more than allowed.
            int valueBytes = (1 << 20) + 1;
            ByteBuffer frame = ByteBuffer.allocate(4 + 8 + 2 + 2 + 1 + 4 + valueBytes);
            frame.putInt(frame.capacity() - 4).putLong(7).put((byte) 2).put((byte) 0);
            frame.putShort((short) 1).put((byte) 'k').putInt(valueBytes);
            raw.write(frame.position(frame.capacity()));
            assertThat(raw.answer().reply())
                    .isInstanceOfSatisfying(
                            Reply.Refused.class,
                            refused -> assertThat(refused.reason()).isEqualTo(Refusal.TOO_LARGE));
        }
    }

    @Test
    void garbageOnEveryPortDisturbsNobody() throws Exception {
        cluster = TestCluster.start(folder, 3);
        cluster.awaitLeader();
        Random random = new Random(3);
        List<Socket> silent = new ArrayList<>();
        for (String id : cluster.ids()) {
            for (int port : cluster.ports(id)) {
                for (int round = 0; round < 20; round++) {
                    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                        byte[] noise = new byte[1 + random.nextInt(3000)];
                        random.nextBytes(noise);
                        socket.getOutputStream().write(noise);
                    } catch (IOException e) {
                        // The node hung up on the noise before it was all said.
                    }
                }
                silent.add(new Socket(InetAddress.getLoopbackAddress(), port));
            }
        }
        putMany(0, 50);
        cluster.awaitConvergence();
        for (Socket socket : silent) {
            socket.close();
        }
    }

    @Test
    void whoNeverShakesHandsIsToldWhyAndClosed() throws Exception {
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        try (RawClient client = RawClient.connect(cluster.node("n1").clientAddress());
                Socket peer =
                        new Socket(
                                InetAddress.getLoopbackAddress(), cluster.ports("n1").getFirst())) {
            assertThat(goodbye(peer)).isEqualTo("no handshake within 1000 ms");
            assertThat(client.serverHello()).asString().contains("No handshake within 5000 ms.");
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void aClientThatDoesNotReadItsAnswersDisturbsNobody() throws Exception {
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        byte[] megabyte = new byte[1 << 20];
        try (RawClient deaf = RawClient.connect(cluster.node("n1").clientAddress());
                ClientConnection other = cluster.client("n1")) {
            call(other, new Request.Put(blob("large"), Blob.wrap(megabyte)));
            deaf.greet();
            for (int i = 1; i <= 900; i++) {
                deaf.send(i, new Request.Get(blob("large")));
            }
            putMany(0, 50);
            assertThat(call(other, new Request.Get(blob("large"))))
                    .isEqualTo(new Result.Found(Blob.wrap(megabyte)));
            for (int i = 1; i <= 900; i++) {
                assertThat(deaf.answer().reply()).isInstanceOf(Reply.Ok.class);
            }
        }
    }

    @Test
    void whatIsRefusedWasNotDoneAndWhatIsOkWas() throws Exception {
        cluster = TestCluster.start(folder, 3);
        String leader = cluster.awaitLeader();
        int count = 20_000;
        try (RawClient raw = RawClient.connect(cluster.node(leader).clientAddress())) {
            raw.greet();
            Thread sender =
                    Threads.start(
                            "sender",
                            () -> {
                                try {
                                    for (int i = 1; i <= count; i++) {
                                        raw.send(i, new Request.Put(blob("k" + i), blob("v")));
                                    }
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            });
            int ok = 0;
            int refused = 0;
            int unknown = 0;
            for (int i = 1; i <= count; i++) {
                switch (raw.answer().reply()) {
                    case Reply.Ok ignored -> ok++;
                    case Reply.Refused ignored -> refused++;
                    case Reply.Unknown ignored -> unknown++;
                }
            }
            Threads.join(sender);
            assertThat(ok + refused + unknown).isEqualTo(count);
            assertThat(ok).isPositive();
            cluster.awaitConvergence();
            assertThat(cluster.status(leader).keyCount()).isBetween(ok, ok + unknown);
        }
    }

    @Test
    void aPeerOfAnotherClusterVersionOrNameIsToldWhy() throws Exception {
        cluster = TestCluster.start(folder, 3);
        cluster.awaitLeader();
        assertThat(refusal(new Handshake.Hello(2, "other", new NodeId("n2"), 1, 5, "n:1")))
                .isEqualTo("node n2 belongs to cluster other, node n1 to cluster lab");
        assertThat(refusal(new Handshake.Hello(3, "lab", new NodeId("n2"), 1, 5, "n:1")))
                .isEqualTo("node n2 speaks version 3 of the peer protocol, node n1 version 2");
        assertThat(
                        refusalOf(
                                new Handshake.Hello(2, "lab", new NodeId("n2"), 1, 5, "n:1"),
                                new Message.VoteReply(1, true)))
                .isEqualTo(
                        "node n2 comes with another data directory than before, so what it promised"
                                + " may be forgotten: remove it from the cluster, then add it"
                                + " again");
        assertThat(refusal(new Handshake.Hello(2, "lab", new NodeId("n1"), 1, 5, "n:1")))
                .isEqualTo("both sides of the connection are node n1");
        assertThat(counter(cluster.status("n1"), "peerRefusals")).isEqualTo(4);
    }

    @Test
    void aClientOfAnotherVersionIsToldWhichOneIsSpoken() throws Exception {
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        try (RawClient raw = RawClient.connect(cluster.node("n1").clientAddress())) {
            raw.write(ByteBuffer.allocate(10).putInt(6).putInt(0x52414654).putShort((short) 9));
            assertThat(raw.serverHello())
                    .hasToString(
                            "Refused[version=1, reason=This node speaks version 1 of the client"
                                    + " protocol, not 9.]");
            assertThat(raw.isClosedByServer()).isTrue();
        }
    }

    @Test
    void aSecondProcessCannotOpenTheDataDirectory() throws Exception {
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        assertThatThrownBy(() -> cluster.startAnother("n1"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is open in this process");
    }

    @Test
    void statusAndHealthAreServedAsJson() throws Exception {
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        assertThat(cluster.http("n1", "/health"))
                .isEqualTo("200 {\"healthy\":true,\"leader\":\"n1\"}\n");
        assertThat(cluster.http("n1", "/status"))
                .startsWith("200 {\"id\":\"n1\",\"clusterId\":\"lab\",\"bootId\":\"")
                .contains("\"role\":\"leader\"")
                .contains("\"transitions\":[{\"time\":\"");
        assertThat(cluster.http("n1", "/status/x")).startsWith("404");
    }

    @Test
    void theTraceTellsEveryTransitionOnceAndInOrder() throws Exception {
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        putMany(0, 3);
        String trace = cluster.http("n1", "/trace?after=0");
        List<String> lines = trace.substring("200 ".length()).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            assertThat(lines.get(i)).startsWith("{\"n\":" + (i + 1) + ",\"utc\":").endsWith("}");
        }
        assertThat(lines).anyMatch(line -> line.contains("\"event\":\"term\",\"node\":\"n1\""));
        assertThat(lines).anyMatch(line -> line.contains("\"event\":\"vote\""));
        assertThat(lines).anyMatch(line -> line.contains("\"to\":\"leader\",\"leader\":\"n1\""));
        assertThat(lines.getLast()).contains("\"event\":\"commit\"").contains("\"index\":4");
        String rest = cluster.http("n1", "/trace?after=" + (lines.size() - 1));
        assertThat(rest).isEqualTo("200 " + lines.getLast() + "\n");
        assertThat(cluster.http("n1", "/trace?after=x")).startsWith("400 after must be a number");
    }

    @Test
    void theLogIsToldInPieces() throws Exception {
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        putMany(0, 5);
        assertThat(cluster.http("n1", "/log?from=1&count=2"))
                .startsWith("200 {\"firstIndex\":1,\"lastIndex\":6,\"commitIndex\":6,\"entries\":[")
                .contains("{\"index\":1,\"term\":1,\"kind\":\"noop\",\"bytes\":0,\"summary\":\"\"}")
                .contains("{\"index\":2,\"term\":1,\"kind\":\"command\"")
                .contains("put key0 value0")
                .doesNotContain("\"index\":3");
        assertThat(cluster.http("n1", "/log?from=7")).endsWith("\"entries\":[]}\n");
    }

    /** Every line is a comment or a sample, every sample's metric has a type before it. */
    @Test
    void metricsAreWhatPrometheusReads() throws Exception {
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        putMany(0, 5);
        String text = cluster.http("n1", "/metrics").substring("200 ".length());
        Set<String> typed = new HashSet<>();
        for (String line : text.lines().toList()) {
            if (line.startsWith("# TYPE ")) {
                assertThat(typed.add(line.split(" ", -1)[2])).as(line).isTrue();
            } else if (!line.startsWith("# HELP ")) {
                assertThat(line).matches("[a-z_]+\\{[a-z]+=\".*\"} [0-9.e+-]+");
                String name = line.substring(0, line.indexOf('{'));
                assertThat(typed)
                        .as(line)
                        .containsAnyOf(name, name.replaceAll("_(bucket|sum|count)$", ""));
            }
        }
        assertThat(text).contains("raft_is_leader{cluster=\"lab\",node=\"n1\"} 1\n");
        assertThat(text).contains("raft_commit_seconds_count{cluster=\"lab\",node=\"n1\"} 5\n");
        assertThat(text).containsPattern("raft_fsync_seconds_bucket\\{.*le=\"\\+Inf\"} [1-9]");
    }

    private String refusal(Handshake.Hello hello) throws Exception {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), cluster.ports("n1").getFirst())) {
            return refusal(socket, hello);
        }
    }

    /** The reason with which a node closes a connection on which it said hello itself. */
    private String refusalOf(Handshake.Hello hello, Message message) throws Exception {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), cluster.ports("n1").getFirst())) {
            ByteBuffer bytes = ByteBuffer.allocate(1 << 10).put(PeerCodec.encode(hello));
            PeerCodec.encode(message, bytes);
            socket.getOutputStream().write(bytes.array(), 0, bytes.position());
            FrameBuffer answers = new FrameBuffer();
            answers.space().put(socket.getInputStream().readAllBytes());
            Frame welcome = Objects.requireNonNull(answers.next(Frame.HANDSHAKE_BYTES_MAX));
            assertThat(PeerCodec.decodeHandshake(welcome)).isInstanceOf(Handshake.Hello.class);
            Frame last = Objects.requireNonNull(answers.next(Frame.HANDSHAKE_BYTES_MAX));
            return ((Handshake.Goodbye) PeerCodec.decodeHandshake(last)).reason();
        }
    }

    /** The reason with which a node closes a connection that begins like this. */
    static String refusal(Socket socket, Handshake.Hello hello) throws IOException {
        ByteBuffer encoded = PeerCodec.encode(hello);
        byte[] bytes = new byte[encoded.remaining()];
        encoded.get(bytes);
        socket.getOutputStream().write(bytes);
        return goodbye(socket);
    }

    private static String goodbye(Socket socket) throws IOException {
        FrameBuffer buffer = new FrameBuffer();
        buffer.space().put(socket.getInputStream().readAllBytes());
        Frame frame = Objects.requireNonNull(buffer.next(Frame.HANDSHAKE_BYTES_MAX));
        return ((Handshake.Goodbye) PeerCodec.decodeHandshake(frame)).reason();
    }

    private void putMany(int from, int to) throws Exception {
        for (int i = from; i < to; i++) {
            assertThat(cluster.call(new Request.Put(blob("key" + i), blob("value" + i))))
                    .isEqualTo(new Result.Done());
        }
    }

    private static Result call(ClientConnection client, Request request) throws CallException {
        Reply reply = client.call(request, CALL_MILLIS);
        assertThat(reply).isInstanceOf(Reply.Ok.class);
        return ((Reply.Ok) reply).result();
    }

    private static long counter(Status status, String name) {
        return status.counters().stream()
                .filter(count -> count.name().equals(name))
                .findFirst()
                .orElseThrow()
                .value();
    }

    private static Blob blob(String text) {
        return Blob.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
