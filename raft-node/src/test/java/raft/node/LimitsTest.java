package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Blob;
import raft.client.Limits;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.ServerHello;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a client may take of a node, and that it is told so. */
@Timeout(60)
final class LimitsTest {
    @TempDir private Path folder;
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();

    @SuppressWarnings("NullAway.Init") // by each test
    private Node node;

    private void startNode(String... limits) throws Exception {
        int port;
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = any.getLocalPort();
        }
        List<String> options = new ArrayList<>(List.of(limits));
        options.addAll(
                List.of(
                        "--node-id=n1",
                        "--cluster-id=lab",
                        "--members=n1=127.0.0.1:" + port,
                        "--client-listen=127.0.0.1:0",
                        "--data-dir=" + folder.resolve("data")));
        node =
                Node.start(
                        NodeConfig.parse(Map.of(), options),
                        new Log(log, NodeClock.SYSTEM, "n1"),
                        (status, what, cause) -> {
                            throw new AssertionError(what, cause);
                        });
    }

    @AfterEach
    void stopNode() {
        node.close();
    }

    @Test
    void oneConnectionTooManyIsToldSoAndTheOthersGoOn() throws Exception {
        startNode("--client-connections-max=2");
        try (RawClient first = greeted();
                RawClient second = greeted();
                RawClient third = connect()) {
            assertThat(third.serverHello())
                    .isEqualTo(new ServerHello.Refused(1, "This node has too many connections."));
            assertThat(third.isClosedByServer()).isTrue();
            first.send(1, new Request.Get(Blob.ofText("k")));
            assertThat(first.answer().id()).isEqualTo(1);
            second.send(1, new Request.Get(Blob.ofText("k")));
            assertThat(second.answer().id()).isEqualTo(1);
        }
    }

    @Test
    void whoSaysNothingIsClosed() throws Exception {
        startNode("--client-idle-ms=300", "--handshake-ms=300");
        try (RawClient silent = connect();
                RawClient idle = greeted()) {
            assertThat(silent.serverHello())
                    .isEqualTo(new ServerHello.Refused(1, "No handshake within 300 ms."));
            assertThat(silent.isClosedByServer()).isTrue();
            assertThat(idle.isClosedByServer()).isTrue();
        }
    }

    @Test
    void aFrameTooLongIsRefusedBeforeItArrives() throws Exception {
        startNode();
        try (RawClient client = greeted()) {
            client.write(ByteBuffer.allocate(4).putInt(Limits.FRAME_BYTES_MAX + 1));
            assertThat(client.answer().reply())
                    .isInstanceOfSatisfying(
                            Reply.Refused.class,
                            refused -> assertThat(refused.reason()).isEqualTo(Refusal.TOO_LARGE));
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void withoutAnAddressForItThereIsNoHttp() throws Exception {
        startNode();
        assertThat(node.httpAddress()).isNull();
        assertThat(log.toString(StandardCharsets.UTF_8)).doesNotContain("HTTP");
    }

    private RawClient connect() throws IOException {
        InetSocketAddress address = node.clientAddress();
        return RawClient.connect(address);
    }

    private RawClient greeted() throws IOException {
        RawClient client = connect();
        client.greet();
        return client;
    }
}
