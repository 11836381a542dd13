package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import raft.core.Bytes;
import raft.core.Entry;
import raft.core.Message;
import raft.core.NodeId;
import raft.peer.Frame;
import raft.peer.FrameBuffer;
import raft.peer.Handshake.Goodbye;
import raft.peer.Handshake.Hello;
import raft.peer.PeerCodec;
import raft.storage.DataDirectory;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;

/** A link against a peer that this test plays. */
@Tag("cluster")
@Timeout(60)
final class PeerLinkTest {
    private static final Hello ME = new Hello(2, "lab", new NodeId("n1"), 11, 5, "n:1");
    private static final Hello PEER = new Hello(2, "lab", new NodeId("n2"), 22, 5, "n:1");

    private final ServerSocket listener = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    private final Counters counters = new Counters();
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();
    private final DataDirectory data =
            DataDirectory.open(Files.createTempDirectory("peer-link"), "lab", "n1");
    private final PeerLink link =
            new PeerLink(
                    PEER.nodeId(),
                    new NodeConfig.Address("127.0.0.1", listener.getLocalPort()),
                    ME,
                    new PeerIdentities(data),
                    null,
                    NodeClock.SYSTEM,
                    counters,
                    new Log(log, NodeClock.SYSTEM, "n1"),
                    1);
    private final Thread thread = Threads.start("link", link::run);

    PeerLinkTest() throws IOException {}

    @AfterEach
    void stop() throws IOException {
        link.stop();
        listener.close();
        Threads.join(thread);
        data.close();
    }

    @Test
    void messagesArriveAfterTheHandshake() throws Exception {
        try (Peer peer = new Peer(listener.accept())) {
            assertThat(PeerCodec.decodeHandshake(peer.next())).isEqualTo(ME);
            peer.send(PeerCodec.encode(PEER));
            // A ping tells that the link regards itself as connected.
            assertThat(peer.next().type()).isEqualTo(PeerCodec.PING);
            link.send(new Message.Heartbeat(1, 2, 3));
            assertThat(PeerCodec.decode(peer.nextButPing()))
                    .isEqualTo(new Message.Heartbeat(1, 2, 3));
            assertThat(link.isConnected()).isTrue();
        }
    }

    @Test
    void aPeerThatFallsSilentIsCalledAnew() throws Exception {
        try (Peer first = new Peer(listener.accept())) {
            first.next();
            first.send(PeerCodec.encode(PEER));
            // Pings stay unanswered, as through a network that swallows packets.
            try (Peer second = new Peer(listener.accept())) {
                assertThat(PeerCodec.decodeHandshake(second.next())).isEqualTo(ME);
            }
        }
    }

    @Test
    void aPeerThatReadsNothingCostsBoundedMemoryAndNoWaiting() throws Exception {
        try (Peer peer = new Peer(listener.accept())) {
            peer.next();
            peer.send(PeerCodec.encode(PEER));
            peer.next();
            Entry entry = new Entry(1, 1, Entry.Kind.COMMAND, Bytes.wrap(new byte[1 << 20]));
            Message large = new Message.AppendEntries(1, 0, 0, List.of(entry), 0);
            for (int i = 0; i < 200; i++) {
                link.send(large);
            }
            assertThat(counters.framesDropped.get()).isBetween(100L, 200L);
            assertThat(link.queuedCount()).isLessThanOrEqualTo(32);
        }
    }

    @Test
    void whatIsSentWithoutAConnectionIsDroppedAndCounted() {
        link.send(new Message.Heartbeat(1, 2, 3));
        assertThat(counters.framesDropped.get()).isEqualTo(1);
        assertThat(link.isConnected()).isFalse();
    }

    @Test
    void aRefusalIsLoggedOnceWithItsReason() throws Exception {
        for (int attempt = 0; attempt < 3; attempt++) {
            try (Peer peer = new Peer(listener.accept())) {
                peer.next();
                peer.send(PeerCodec.encode(new Goodbye("no\nway")));
            }
        }
        assertThat(log.toString(StandardCharsets.UTF_8).lines())
                .singleElement()
                .asString()
                .endsWith("it refuses: no way");
    }

    /** The other end of the link. */
    private record Peer(Socket socket, FrameBuffer frames) implements AutoCloseable {
        private Peer(Socket socket) {
            this(socket, new FrameBuffer());
        }

        private void send(ByteBuffer bytes) throws IOException {
            byte[] array = new byte[bytes.remaining()];
            bytes.get(array);
            socket.getOutputStream().write(array);
        }

        private Frame next() throws IOException {
            Frame frame;
            while ((frame = frames.next(Frame.BODY_BYTES_MAX)) == null) {
                ByteBuffer space = frames.space();
                int at = space.arrayOffset() + space.position();
                int got = socket.getInputStream().read(space.array(), at, space.remaining());
                if (got < 0) {
                    throw new EOFException("the link closed the connection");
                }
                space.position(space.position() + got);
            }
            return frame;
        }

        private Frame nextButPing() throws IOException {
            Frame frame;
            do {
                frame = next();
            } while (frame.type() == PeerCodec.PING);
            return frame;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
