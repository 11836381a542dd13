package raft.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Answer;
import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.ClientConnection;
import raft.client.FrameBuffer;
import raft.client.Limits;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.core.NodeId;
import raft.peer.Handshake;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

import javax.net.ssl.SSLSocket;

/** Mutual TLS, between nodes and for clients, and every way in which it must be refused. */
@Timeout(120)
final class TlsTest {
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
                        false, true, strange.certificate(), strange.key(), authority.authority());
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
                new NodeConfig.Tls(true, true, good.certificate(), mixed.key(), good.authorities()),
                n1,
                "mixed.key is not that of ");
        Path nothing = folder.resolve("nothing");
        assertFails(
                new NodeConfig.Tls(true, true, nothing, good.key(), good.authorities()),
                n1,
                "there is no file " + nothing);
        Path text = Files.writeString(folder.resolve("text"), "hello");
        assertFails(
                new NodeConfig.Tls(true, true, good.certificate(), text, good.authorities()),
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
