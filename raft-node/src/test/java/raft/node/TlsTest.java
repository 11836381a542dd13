package raft.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Answer;
import raft.client.Blob;
import raft.client.CallException;
import raft.client.ClientCodec;
import raft.client.ClientConnection;
import raft.client.Credentials;
import raft.client.FrameBuffer;
import raft.client.Limits;
import raft.client.PipelinedClient;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.client.ServerHello;
import raft.client.SessionClient;
import raft.core.NodeId;
import raft.peer.Handshake;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** Mutual TLS, between nodes and for clients, and every way in which it must be refused. */
@Timeout(120)
final class TlsTest {
    private static final byte[] QUERY =
            "GET /status HTTP/1.1\r\nHost: n1\r\nConnection: close\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII);

    @TempDir private Path folder;
    private TestCertificates authority;
    private TestCluster cluster = TestCluster.NONE;

    @BeforeEach
    void makeAuthority() throws Exception {
        authority = new TestCertificates(folder, "ca");
    }

    @AfterEach
    void closeCluster() {
        cluster.close();
    }

    @Test
    void aClusterWorksThroughMutualTls() throws Exception {
        Map<String, NodeConfig.Tls> tls = new HashMap<>();
        for (String id : new String[] {"n1", "n2", "n3"}) {
            tls.put(id, authority.issue(id, id, 1));
        }
        cluster = TestCluster.start(folder, 3, tls::get);
        String leader = cluster.awaitLeader();
        InetSocketAddress address = cluster.node(leader).clientAddress();
        byte[] large = new byte[300_000];
        large[299_999] = 7;
        try (Socket raw = new Socket(address.getAddress(), address.getPort());
                SSLSocket socket = client("someone", raw)) {
            FrameBuffer frames = greet(socket);
            send(socket, 1, new Request.Put(Blob.ofText("k"), Blob.wrap(large)));
            assertThat(answer(socket, frames).reply()).isInstanceOf(Reply.Ok.class);
            send(socket, 2, new Request.Get(Blob.ofText("k")));
            Reply.Ok read = (Reply.Ok) answer(socket, frames).reply();
            assertThat(read.result()).isEqualTo(new Result.Found(Blob.wrap(large)));
        }
        cluster.awaitConvergence();
    }

    /** What {@code ./raft call} uses, while the nodes come and go. */
    @Test
    void ourClientKeepsItsSessionThroughDeathsAndRestarts() throws Exception {
        Map<String, NodeConfig.Tls> tls = new HashMap<>();
        for (String id : new String[] {"n1", "n2", "n3"}) {
            tls.put(id, authority.issue(id, id, 1));
        }
        cluster = TestCluster.start(folder, 3, tls::get);
        cluster.awaitLeader();
        Map<String, InetSocketAddress> nodes = new HashMap<>();
        for (String id : cluster.ids()) {
            nodes.put(id, cluster.node(id).clientAddress());
        }
        Credentials someone = credentials(authority.issue("someone", "someone", 1));
        int count = 0;
        try (SessionClient client = new SessionClient(nodes, someone)) {
            for (int round = 0; round < 4; round++) {
                for (int i = 0; i < 10; i++) {
                    Reply reply = client.call(new Request.Increment(Blob.ofText("c"), 1), 60_000);
                    assertThat(reply)
                            .isInstanceOfSatisfying(
                                    Reply.Ok.class,
                                    ok ->
                                            assertThat(ok.result())
                                                    .isInstanceOf(Result.Number.class));
                    count++;
                    assertThat(((Reply.Ok) reply).result()).isEqualTo(new Result.Number(count));
                }
                String leader = cluster.awaitLeader();
                if (round % 2 == 0) {
                    cluster.kill(leader);
                } else {
                    cluster.stop(leader);
                }
                cluster.restart(leader);
            }
        }
        cluster.awaitConvergence();
    }

    @Test
    void aClientInPlainTextIsRefusedWithAReason() throws Exception {
        cluster = TestCluster.start(folder, 1, id -> unchecked(id, id));
        InetSocketAddress address = cluster.node("n1").clientAddress();
        assertThatThrownBy(() -> ClientConnection.connect("127.0.0.1", address.getPort(), 20_000))
                .isInstanceOf(IOException.class);
        cluster.await(
                "a line about it",
                () -> cluster.log().contains("it does not speak TLS, which is required here"));
    }

    @Test
    void aClientOfAnotherAuthorityIsRefused() throws Exception {
        cluster = TestCluster.start(folder, 1, id -> unchecked(id, id));
        InetSocketAddress address = cluster.node("n1").clientAddress();
        NodeConfig.Tls strange = new TestCertificates(folder, "other").issue("x", "x", 1);
        // It believes this node, but this node does not believe it.
        NodeConfig.Tls stranger =
                new NodeConfig.Tls(
                        false,
                        true,
                        true,
                        strange.certificate(),
                        strange.key(),
                        authority.authority());
        assertRefused(address, stranger);
        cluster.await(
                "a line about it",
                () -> cluster.log().contains("no certificate that an authority of tls-ca"));
    }

    @Test
    void aClientWhoseCertificateHasExpiredIsRefused() throws Exception {
        cluster = TestCluster.start(folder, 1, id -> unchecked(id, id));
        assertRefused(cluster.node("n1").clientAddress(), authority.issue("old", "old", -1));
        cluster.await(
                "a line about it",
                () -> cluster.log().contains("refused a client: its certificate has expired"));
    }

    private static void assertRefused(InetSocketAddress address, NodeConfig.Tls tls)
            throws IOException {
        Certificates certificates = Certificates.unchecked(tls);
        try (Socket raw = new Socket(address.getAddress(), address.getPort())) {
            assertThatThrownBy(() -> greet(certificates.wrap(raw, true)))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void nodesThatDoNotBelieveEachOtherSayWhyAndElectNobody() throws Exception {
        TestCertificates other = new TestCertificates(folder, "other");
        NodeConfig.Tls n1 = authority.issue("n1", "n1", 1);
        NodeConfig.Tls n2 = other.issue("n2", "n2", 1);
        cluster = TestCluster.start(folder, 2, id -> id.equals("n1") ? n1 : n2);
        cluster.await(
                "both refuse",
                () -> cluster.log().contains("is not signed by an authority of tls-ca"));
        assertThat(cluster.status("n1").leader()).isNull();
    }

    /** It is believed and a member, but not the member it says it is. */
    @Test
    void aNodeWithTheCertificateOfAnotherIsRefused() throws Exception {
        NodeConfig.Tls n1 = authority.issue("n1", "n1", 1);
        cluster = TestCluster.start(folder, 2, id -> id.equals("n1") ? n1 : unchecked("n2", "n2"));
        NodeConfig.Tls n3 = authority.issue("n3", "n3", 1);
        Certificates wrong = Certificates.load(n3, new NodeId("n3"));
        try (Socket raw =
                new Socket(InetAddress.getLoopbackAddress(), cluster.ports("n1").getFirst())) {
            SSLSocket socket = wrong.wrap(raw, true);
            assertThat(
                            ClusterTest.refusal(
                                    socket,
                                    new Handshake.Hello(2, "lab", new NodeId("n2"), 1, 5, "n:1")))
                    .isEqualTo("its certificate does not name node n2");
        }
    }

    @Test
    void whatCannotWorkIsSaidAtStart() throws Exception {
        NodeId n1 = new NodeId("n1");
        NodeConfig.Tls good = authority.issue("good", "n1", 1);
        assertFails(authority.issue("old", "n1", -1), n1, "old.crt expired at ");
        assertFails(
                authority.issue("n2", "n2", 1), n1, "does not name n1 as a DNS name, only [n2]");
        NodeConfig.Tls mixed = authority.issue("mixed", "n1", 1);
        assertFails(
                new NodeConfig.Tls(
                        true, true, true, good.certificate(), mixed.key(), good.authorities()),
                n1,
                "mixed.key is not that of ");
        Path nothing = folder.resolve("nothing");
        assertFails(
                new NodeConfig.Tls(true, true, true, nothing, good.key(), good.authorities()),
                n1,
                "there is no file " + nothing);
        Path text = Files.writeString(folder.resolve("text"), "hello");
        assertFails(
                new NodeConfig.Tls(true, true, true, good.certificate(), text, good.authorities()),
                n1,
                "holds no key as PKCS #8 in PEM");
    }

    private static void assertFails(NodeConfig.Tls tls, NodeId self, String sentence) {
        assertThatThrownBy(() -> Certificates.load(tls, self))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(sentence);
    }

    private NodeConfig.Tls unchecked(String file, String dnsName) {
        try {
            return authority.issue(file, dnsName, 1);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** As programs do it: both kinds of client, with what is larger than a record of TLS. */
    @Test
    void ourClientsWorkThroughMutualTls() throws Exception {
        cluster = TestCluster.start(folder, 1, id -> unchecked(id, id));
        cluster.awaitLeader();
        int port = cluster.node("n1").clientAddress().getPort();
        Credentials someone = credentials(authority.issue("someone", "someone", 1));
        byte[] large = new byte[300_000];
        large[299_999] = 7;
        Request put = new Request.Put(Blob.ofText("k"), Blob.wrap(large));
        Result found = new Result.Found(Blob.wrap(large));
        try (ClientConnection client =
                ClientConnection.connect("127.0.0.1", port, someone, 20_000)) {
            assertThat(client.server().nodeId()).isEqualTo("n1");
            assertThat(client.call(put, 20_000)).isInstanceOf(Reply.Ok.class);
            Reply.Ok read = (Reply.Ok) client.call(new Request.Get(Blob.ofText("k")), 20_000);
            assertThat(read.result()).isEqualTo(found);
        }
        try (PipelinedClient client = new PipelinedClient()) {
            PipelinedClient.Connection connection =
                    client.connect("127.0.0.1", port, someone, 20_000);
            List<CompletableFuture<Reply>> replies = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                CompletableFuture<Reply> reply = new CompletableFuture<>();
                replies.add(reply);
                connection.call(
                        i % 2 == 0 ? put : new Request.Get(Blob.ofText("k")),
                        new PipelinedClient.Callback() {
                            @Override
                            public void replied(Reply said) {
                                reply.complete(said);
                            }

                            @Override
                            public void failed(CallException cause) {
                                reply.completeExceptionally(cause);
                            }
                        });
            }
            for (CompletableFuture<Reply> reply : replies) {
                assertThat(reply.get(30, TimeUnit.SECONDS)).isInstanceOf(Reply.Ok.class);
            }
        }
    }

    @Test
    void ourClientsSayWhyTlsFailed() throws Exception {
        TestCertificates other = new TestCertificates(folder, "other");
        cluster = TestCluster.start(folder, 1, id -> unchecked(id, id));
        int port = cluster.node("n1").clientAddress().getPort();
        assertNotConnected(
                port,
                credentials(other.issue("x", "x", 1)),
                "its certificate is not signed by an authority of tls-ca");
        assertNotConnected(
                port,
                credentials(
                        new TestCertificates(
                                        Files.createDirectory(folder.resolve("namesake")), "ca")
                                .issue("x", "x", 1)),
                "its certificate is not signed by an authority of tls-ca");
        assertNotConnected(
                port, credentials(authority.issue("old", "old", -1)), "it refuses the own cert");
        assertNotConnected(port, null, "it speaks TLS only");
        cluster.close();
        cluster = TestCluster.start(folder, 1, id -> null);
        assertNotConnected(
                cluster.node("n1").clientAddress().getPort(),
                credentials(authority.issue("me", "me", 1)),
                "it does not speak TLS, which is required here");
    }

    /** Believed, but whoever it is, it is not the node it says it is. */
    @Test
    void ourClientsRefuseANodeWithTheCertificateOfAnother() throws Exception {
        NodeConfig.Tls n2 = authority.issue("n2", "n2", 1);
        SSLServerSocket listener =
                (SSLServerSocket)
                        credentials(n2).context().getServerSocketFactory().createServerSocket(0);
        try (listener) {
            Thread.ofVirtual()
                    .start(
                            () -> {
                                while (!listener.isClosed()) {
                                    try (Socket socket = listener.accept()) {
                                        ServerHello hello =
                                                new ServerHello.Accepted(1, "n1", "lab");
                                        socket.getOutputStream()
                                                .write(
                                                        ClientCodec.encodeServerHello(hello)
                                                                .array());
                                        socket.getInputStream().readAllBytes();
                                    } catch (IOException e) {
                                        // The client has gone.
                                    }
                                }
                            });
            assertNotConnected(
                    listener.getLocalPort(),
                    credentials(authority.issue("me", "me", 1)),
                    "its certificate does not name node n1");
        }
    }

    private static Credentials credentials(NodeConfig.Tls tls) throws IOException {
        return Credentials.unchecked(tls.certificate(), tls.key(), tls.authorities());
    }

    private static void assertNotConnected(
            int port, @Nullable Credentials credentials, String why) {
        assertThatThrownBy(() -> ClientConnection.connect("127.0.0.1", port, credentials, 20_000))
                .isInstanceOf(CallException.class)
                .hasMessageContaining(why);
        try (PipelinedClient client = new PipelinedClient()) {
            assertThatThrownBy(() -> client.connect("127.0.0.1", port, credentials, 20_000))
                    .isInstanceOf(CallException.class)
                    .hasMessageContaining(why);
        }
    }

    @Test
    void httpNeedsACertificateToo() throws Exception {
        cluster = TestCluster.start(folder, 1, id -> unchecked(id, id));
        int port = Objects.requireNonNull(cluster.node("n1").httpAddress()).getPort();
        Credentials monitor = credentials(authority.issue("monitor", "monitor", 1));
        assertThat(https(port, monitor)).startsWith("HTTP/1.1 200 OK").contains("\"id\":\"n1\"");
        Credentials expired = credentials(authority.issue("old", "old", -1));
        assertThatThrownBy(() -> https(port, expired)).isInstanceOf(IOException.class);
        Credentials strange = credentials(new TestCertificates(folder, "other").issue("x", "x", 1));
        assertThatThrownBy(() -> https(port, strange)).isInstanceOf(IOException.class);
        try (Socket plain = new Socket("127.0.0.1", port)) {
            plain.getOutputStream().write(QUERY);
            assertThat(new String(plain.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .doesNotContain("n1");
        } catch (IOException e) {
            // Reset: as good as an answer.
        }
    }

    private static String https(int port, Credentials credentials) throws IOException {
        try (Socket socket =
                credentials.context().getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.getOutputStream().write(QUERY);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private SSLSocket client(String name, Socket raw) throws Exception {
        NodeConfig.Tls tls = authority.issue(name, name, 1);
        return Certificates.load(tls, new NodeId(name)).wrap(raw, true);
    }

    private static FrameBuffer greet(SSLSocket socket) throws IOException {
        socket.getOutputStream().write(ClientCodec.encodeClientHello().array());
        FrameBuffer frames = new FrameBuffer();
        ClientCodec.decodeServerHello(frame(socket, frames));
        return frames;
    }

    private static void send(SSLSocket socket, long id, Request request) throws IOException {
        socket.getOutputStream().write(ClientCodec.encodeCall(id, request).array());
    }

    private static Answer answer(SSLSocket socket, FrameBuffer frames) throws IOException {
        return ClientCodec.decodeAnswer(frame(socket, frames));
    }

    private static ByteBuffer frame(SSLSocket socket, FrameBuffer frames) throws IOException {
        ByteBuffer frame;
        while ((frame = frames.next(Limits.FRAME_BYTES_MAX)) == null) {
            ByteBuffer space = frames.space();
            int got =
                    socket.getInputStream()
                            .read(
                                    space.array(),
                                    space.arrayOffset() + space.position(),
                                    space.remaining());
            if (got < 0) {
                throw new EOFException("closed");
            }
            space.position(space.position() + got);
        }
        return frame;
    }
}
