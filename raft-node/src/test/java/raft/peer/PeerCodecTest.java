package raft.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import raft.core.Bytes;
import raft.core.Configuration;
import raft.core.Entry;
import raft.core.Message;
import raft.core.NodeId;
import raft.peer.Handshake.Goodbye;
import raft.peer.Handshake.Hello;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

final class PeerCodecTest {
    static final List<Message> MESSAGES =
            List.of(
                    new Message.PreVoteRequest(4, 5, 17, 3),
                    new Message.PreVoteReply(4, 5, true),
                    new Message.VoteRequest(Long.MAX_VALUE, 0, 0),
                    new Message.VoteReply(5, false),
                    new Message.AppendEntries(5, 0, 0, List.of(), 0),
                    new Message.AppendEntries(
                            5,
                            16,
                            3,
                            List.of(
                                    new Entry(17, 4, Entry.Kind.NOOP, Bytes.EMPTY),
                                    new Entry(18, 5, Entry.Kind.COMMAND, payload(300))),
                            16),
                    new Message.AppendAccepted(5, 18),
                    new Message.AppendRejected(5, 16, 12, 2),
                    new Message.Heartbeat(5, 17, 901),
                    new Message.HeartbeatReply(5, 901),
                    new Message.VoteRequest(6, 17, 4, true),
                    new Message.AppendEntries(
                            5,
                            0,
                            0,
                            List.of(
                                    new Entry(
                                            1,
                                            1,
                                            Entry.Kind.CONFIGURATION,
                                            Configuration.ofVoters(List.of(new NodeId("n1")))
                                                    .encode())),
                            0),
                    new Message.InstallSnapshot(5, 17, 4, 1000, 300, payload(700)),
                    new Message.SnapshotReply(5, 17, 300),
                    new Message.TimeoutNow(5),
                    new Message.ReadIndexRequest(5, -77),
                    new Message.ReadIndexReply(5, -77, 16));

    private static final Hello HELLO =
            new Hello(2, "lab", new NodeId("n1"), 0x0123456789ABCDEFL, 5, "n:1");

    @Test
    void everyMessageSurvivesTheWire() throws Exception {
        for (Message message : MESSAGES) {
            ByteBuffer bytes = encode(message);
            assertThat(bytes.remaining()).isLessThanOrEqualTo(PeerCodec.frameBytesBound(message));
            assertThat(PeerCodec.decode(frame(bytes))).isEqualTo(message);
        }
    }

    /** The format of version 2: when one of these changes, so must the version. */
    @Test
    void theBytesOfVersion2AreTheseAndStaySo() {
        assertThat(hex(encode(new Message.VoteRequest(7, 258, 6))))
                .isEqualTo(
                        "00000019"
                                + "12000000"
                                + "9d87fcf4"
                                + "0000000000000007"
                                + "0000000000000102"
                                + "0000000000000006"
                                + "00");
        assertThat(hex(encode(new Message.HeartbeatReply(5, 901))))
                .isEqualTo(
                        "00000010"
                                + "18000000"
                                + "38b58a62"
                                + "0000000000000005"
                                + "0000000000000385");
        Entry entry = new Entry(17, 5, Entry.Kind.COMMAND, Bytes.wrap(new byte[] {1, 2, 3}));
        assertThat(hex(encode(new Message.AppendEntries(5, 16, 4, List.of(entry), 15))))
                .isEqualTo(
                        "0000003c"
                                + "14000000"
                                + "1a949207"
                                + "0000000000000005"
                                + "0000000000000010"
                                + "0000000000000004"
                                + "00000001"
                                + "0000000000000011"
                                + "0000000000000005"
                                + "01"
                                + "00000003"
                                + "010203"
                                + "000000000000000f");
        assertThat(hex(PeerCodec.encode(HELLO)))
                .isEqualTo(
                        "00000022"
                                + "01000000"
                                + "b2dd6cd3"
                                + "00000002"
                                + "00036c6162"
                                + "00026e31"
                                + "0123456789abcdef"
                                + "0000000000000005"
                                + "00036e3a31");
    }

    @Test
    void handshakesSurviveTheWire() throws Exception {
        for (Handshake handshake : List.of(HELLO, new Goodbye("not you"))) {
            Frame frame = frame(PeerCodec.encode(handshake));
            assertThat(PeerCodec.decodeHandshake(frame)).isEqualTo(handshake);
        }
    }

    @Test
    void aReasonThatIsTooLongIsCut() throws Exception {
        Frame frame = frame(PeerCodec.encode(new Goodbye("x".repeat(5000))));
        assertThat(PeerCodec.decodeHandshake(frame)).isEqualTo(new Goodbye("x".repeat(512)));
    }

    @Test
    void mismatchesAreNamed() {
        assertThat(Handshake.mismatch(HELLO, hello(2, "lab", "n2"), null)).isNull();
        assertThat(Handshake.mismatch(HELLO, hello(2, "lab", "n2"), new NodeId("n2"))).isNull();
        assertThat(Handshake.mismatch(HELLO, hello(3, "lab", "n2"), null))
                .isEqualTo("node n2 speaks version 3 of the peer protocol, node n1 version 2");
        assertThat(Handshake.mismatch(HELLO, hello(2, "other", "n2"), null))
                .isEqualTo("node n2 belongs to cluster other, node n1 to cluster lab");
        assertThat(Handshake.mismatch(HELLO, hello(2, "lab", "n1"), null))
                .isEqualTo("both sides of the connection are node n1");
        assertThat(Handshake.mismatch(HELLO, hello(2, "lab", "n3"), new NodeId("n2")))
                .isEqualTo("node n3 answers at the address of node n2");
    }

    @Test
    void aHelloOfALaterVersionMayBeLonger() throws Exception {
        ByteBuffer later = ByteBuffer.allocate(200);
        later.position(Frame.HEADER_BYTES);
        later.putInt(3).putShort((short) 1).put((byte) 'c').putShort((short) 1).put((byte) 'n');
        later.putLong(9).putLong(10).putLong(11);
        Frame.seal(later, 0, 1);
        assertThat(PeerCodec.decodeHandshake(frame(later.flip())))
                .isEqualTo(new Hello(3, "c", new NodeId("n"), 0, 0, ""));
    }

    @Test
    void entriesWithAGapAreRefused() {
        Entry entry = new Entry(19, 5, Entry.Kind.NOOP, Bytes.EMPTY);
        ByteBuffer bytes = encode(new Message.AppendEntries(5, 16, 4, List.of(entry), 0));
        assertThatThrownBy(() -> PeerCodec.decode(frame(bytes)))
                .isInstanceOf(PeerProtocolException.class)
                .hasMessage("entry 19 where entry 17 belongs");
    }

    static ByteBuffer encode(Message message) {
        ByteBuffer out = ByteBuffer.allocate(PeerCodec.frameBytesBound(message));
        PeerCodec.encode(message, out);
        return out.flip();
    }

    static Frame frame(ByteBuffer bytes) throws PeerProtocolException {
        FrameBuffer buffer = new FrameBuffer();
        buffer.space().put(bytes);
        Frame frame = buffer.next(Frame.BODY_BYTES_MAX);
        if (frame == null) {
            throw new PeerProtocolException("not a whole frame");
        }
        return frame;
    }

    private static Hello hello(int version, String cluster, String node) {
        return new Hello(version, cluster, new NodeId(node), 1, 5, "n:1");
    }

    private static String hex(ByteBuffer bytes) {
        byte[] array = new byte[bytes.remaining()];
        bytes.duplicate().get(array);
        return HexFormat.of().formatHex(array);
    }

    private static Bytes payload(int sizeBytes) {
        byte[] bytes = new byte[sizeBytes];
        new Random(1).nextBytes(bytes);
        return Bytes.wrap(bytes);
    }
}
