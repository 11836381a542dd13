package raft.peer;

import raft.core.Bytes;
import raft.core.Entry;
import raft.core.Message;
import raft.core.NodeId;
import raft.peer.Handshake.Goodbye;
import raft.peer.Handshake.Hello;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Messages and handshakes as bodies of {@link Frame}s. Version 2.
 *
 * <p>Fields stand in the order of the records' components: long as 8 bytes, boolean as one byte of
 * 0 or 1, text as a two-byte length and UTF-8; entries as a four-byte count, and each entry as
 * index, term, a byte for its kind, a four-byte length and the payload. A body is read to its last
 * byte or refused.
 */
public final class PeerCodec {
    private static final int HELLO = 1;
    private static final int GOODBYE = 2;

    /** Sent now and then by the one who connected, so that silence means something. */
    public static final int PING = 3;

    /** Answers each {@link #PING}. */
    public static final int PONG = 4;

    private static final int PRE_VOTE_REQUEST = 16;
    private static final int PRE_VOTE_REPLY = 17;
    private static final int VOTE_REQUEST = 18;
    private static final int VOTE_REPLY = 19;
    private static final int APPEND_ENTRIES = 20;
    private static final int APPEND_ACCEPTED = 21;
    private static final int APPEND_REJECTED = 22;
    private static final int HEARTBEAT = 23;
    private static final int HEARTBEAT_REPLY = 24;
    private static final int INSTALL_SNAPSHOT = 25;
    private static final int SNAPSHOT_REPLY = 26;
    private static final int TIMEOUT_NOW = 27;
    private static final int READ_INDEX_REQUEST = 28;
    private static final int READ_INDEX_REPLY = 29;

    private static final int FIXED_BYTES_MAX = 64;
    private static final int ENTRY_HEADER_BYTES = 8 + 8 + 1 + 4;
    private static final int REASON_BYTES_MAX = 512;

    private PeerCodec() {}

    /** An upper bound of the bytes that {@link #encode(Message, ByteBuffer)} adds. */
    public static int frameBytesBound(Message message) {
        int bound = Frame.HEADER_BYTES + FIXED_BYTES_MAX;
        if (message instanceof Message.InstallSnapshot piece) {
            bound += piece.data().sizeBytes();
        }
        if (message instanceof Message.AppendEntries append) {
            for (Entry entry : append.entries()) {
                bound += ENTRY_HEADER_BYTES + entry.payload().sizeBytes();
            }
        }
        return bound;
    }

    /** Appends a whole frame; needs {@link #frameBytesBound} bytes of room. */
    public static void encode(Message message, ByteBuffer out) {
        int start = out.position();
        out.position(start + Frame.HEADER_BYTES);
        int type =
                switch (message) {
                    case Message.PreVoteRequest(
                                    long term,
                                    long prospective,
                                    long lastIndex,
                                    long lastTerm) -> {
                        out.putLong(term).putLong(prospective);
                        out.putLong(lastIndex).putLong(lastTerm);
                        yield PRE_VOTE_REQUEST;
                    }
                    case Message.PreVoteReply(long term, long prospective, boolean granted) -> {
                        out.putLong(term).putLong(prospective).put(flag(granted));
                        yield PRE_VOTE_REPLY;
                    }
                    case Message.VoteRequest(
                                    long term,
                                    long lastIndex,
                                    long lastTerm,
                                    boolean handedOver) -> {
                        out.putLong(term).putLong(lastIndex).putLong(lastTerm);
                        out.put(flag(handedOver));
                        yield VOTE_REQUEST;
                    }
                    case Message.VoteReply(long term, boolean granted) -> {
                        out.putLong(term).put(flag(granted));
                        yield VOTE_REPLY;
                    }
                    case Message.AppendEntries append -> {
                        putAppendEntries(append, out);
                        yield APPEND_ENTRIES;
                    }
                    case Message.AppendAccepted(long term, long matchIndex) -> {
                        out.putLong(term).putLong(matchIndex);
                        yield APPEND_ACCEPTED;
                    }
                    case Message.AppendRejected(
                                    long term,
                                    long prevLogIndex,
                                    long hintIndex,
                                    long hintTerm) -> {
                        out.putLong(term).putLong(prevLogIndex);
                        out.putLong(hintIndex).putLong(hintTerm);
                        yield APPEND_REJECTED;
                    }
                    case Message.Heartbeat(long term, long commit, long round) -> {
                        out.putLong(term).putLong(commit).putLong(round);
                        yield HEARTBEAT;
                    }
                    case Message.HeartbeatReply(long term, long round) -> {
                        out.putLong(term).putLong(round);
                        yield HEARTBEAT_REPLY;
                    }
                    case Message.InstallSnapshot piece -> {
                        out.putLong(piece.term()).putLong(piece.index());
                        out.putLong(piece.snapshotTerm()).putLong(piece.sizeBytes());
                        out.putLong(piece.offsetBytes()).putInt(piece.data().sizeBytes());
                        out.put(piece.data().unsafeArray());
                        yield INSTALL_SNAPSHOT;
                    }
                    case Message.SnapshotReply(long term, long index, long wanted) -> {
                        out.putLong(term).putLong(index).putLong(wanted);
                        yield SNAPSHOT_REPLY;
                    }
                    case Message.TimeoutNow(long term) -> {
                        out.putLong(term);
                        yield TIMEOUT_NOW;
                    }
                    case Message.ReadIndexRequest(long term, long token) -> {
                        out.putLong(term).putLong(token);
                        yield READ_INDEX_REQUEST;
                    }
                    case Message.ReadIndexReply(long term, long token, long readIndex) -> {
                        out.putLong(term).putLong(token).putLong(readIndex);
                        yield READ_INDEX_REPLY;
                    }
                };
        Frame.seal(out, start, type);
    }

    /**
     * Reads a message.
     *
     * @throws PeerProtocolException if the frame is not exactly one
     */
    public static Message decode(Frame frame) throws PeerProtocolException {
        ByteBuffer in = frame.body();
        try {
            Message message = decodeBody(frame.type(), in);
            if (in.hasRemaining()) {
                throw new PeerProtocolException(
                        in.remaining() + " bytes too many in a frame of type " + frame.type());
            }
            return message;
        } catch (BufferUnderflowException e) {
            throw new PeerProtocolException("a frame of type " + frame.type() + " is too short");
        } catch (IllegalArgumentException e) {
            throw new PeerProtocolException(
                    "impossible value in a frame of type " + frame.type() + ": " + e.getMessage());
        }
    }

    /** Appends a whole frame without a body: {@link #PING} or {@link #PONG}. */
    public static void encodeEmpty(int type, ByteBuffer out) {
        int start = out.position();
        out.position(start + Frame.HEADER_BYTES);
        Frame.seal(out, start, type);
    }

    /** The whole frame, ready to be written. */
    public static ByteBuffer encode(Handshake handshake) {
        ByteBuffer out = ByteBuffer.allocate(Frame.HEADER_BYTES + Frame.HANDSHAKE_BYTES_MAX);
        out.position(Frame.HEADER_BYTES);
        int type =
                switch (handshake) {
                    case Hello hello -> {
                        // The version comes first and stays there for ever, so that any two
                        // versions can tell each other apart.
                        out.putInt(hello.version());
                        putText(out, hello.clusterId());
                        putText(out, hello.nodeId().name());
                        out.putLong(hello.bootId()).putLong(hello.dataId());
                        putText(out, hello.address());
                        yield HELLO;
                    }
                    case Goodbye(String reason) -> {
                        putText(out, reason);
                        yield GOODBYE;
                    }
                };
        Frame.seal(out, 0, type);
        return out.flip();
    }

    /**
     * Reads the first frame of a connection. A Hello of another version is given with what can be
     * known of it, the version.
     *
     * @throws PeerProtocolException if the frame is not a handshake
     */
    public static Handshake decodeHandshake(Frame frame) throws PeerProtocolException {
        ByteBuffer in = frame.body();
        try {
            Handshake handshake =
                    switch (frame.type()) {
                        case HELLO -> hello(in);
                        case GOODBYE -> new Goodbye(text(in));
                        default ->
                                throw new PeerProtocolException(
                                        "a frame of type "
                                                + frame.type()
                                                + " where a handshake was expected");
                    };
            boolean mine =
                    !(handshake instanceof Hello hello)
                            || hello.version() == Handshake.PROTOCOL_VERSION;
            if (mine && in.hasRemaining()) {
                throw new PeerProtocolException(in.remaining() + " bytes too many in a handshake");
            }
            return handshake;
        } catch (BufferUnderflowException e) {
            throw new PeerProtocolException("a handshake is too short");
        } catch (IllegalArgumentException e) {
            throw new PeerProtocolException("impossible handshake: " + e.getMessage());
        }
    }

    private static Hello hello(ByteBuffer in) {
        int version = in.getInt();
        String clusterId = name(in);
        NodeId nodeId = nodeId(in);
        return version == Handshake.PROTOCOL_VERSION
                ? new Hello(version, clusterId, nodeId, in.getLong(), in.getLong(), text(in))
                : new Hello(version, clusterId, nodeId, 0, 0, "");
    }

    private static void putAppendEntries(Message.AppendEntries append, ByteBuffer out) {
        out.putLong(append.term()).putLong(append.prevLogIndex()).putLong(append.prevLogTerm());
        out.putInt(append.entries().size());
        for (Entry entry : append.entries()) {
            byte[] payload = entry.payload().unsafeArray();
            out.putLong(entry.index()).putLong(entry.term()).put((byte) entry.kind().code());
            out.putInt(payload.length).put(payload);
        }
        out.putLong(append.leaderCommit());
    }

    private static Message decodeBody(int type, ByteBuffer in) throws PeerProtocolException {
        return switch (type) {
            case PRE_VOTE_REQUEST ->
                    new Message.PreVoteRequest(
                            in.getLong(), in.getLong(), in.getLong(), in.getLong());
            case PRE_VOTE_REPLY -> new Message.PreVoteReply(in.getLong(), in.getLong(), flag(in));
            case VOTE_REQUEST ->
                    new Message.VoteRequest(in.getLong(), in.getLong(), in.getLong(), flag(in));
            case VOTE_REPLY -> new Message.VoteReply(in.getLong(), flag(in));
            case APPEND_ENTRIES -> appendEntries(in);
            case APPEND_ACCEPTED -> new Message.AppendAccepted(in.getLong(), in.getLong());
            case APPEND_REJECTED ->
                    new Message.AppendRejected(
                            in.getLong(), in.getLong(), in.getLong(), in.getLong());
            case HEARTBEAT -> new Message.Heartbeat(in.getLong(), in.getLong(), in.getLong());
            case HEARTBEAT_REPLY -> new Message.HeartbeatReply(in.getLong(), in.getLong());
            case INSTALL_SNAPSHOT -> installSnapshot(in);
            case SNAPSHOT_REPLY ->
                    new Message.SnapshotReply(in.getLong(), in.getLong(), in.getLong());
            case TIMEOUT_NOW -> new Message.TimeoutNow(in.getLong());
            case READ_INDEX_REQUEST -> new Message.ReadIndexRequest(in.getLong(), in.getLong());
            case READ_INDEX_REPLY ->
                    new Message.ReadIndexReply(in.getLong(), in.getLong(), in.getLong());
            default -> throw new PeerProtocolException("no message has type " + type);
        };
    }

    private static Message appendEntries(ByteBuffer in) throws PeerProtocolException {
        long term = in.getLong();
        long prevLogIndex = in.getLong();
        long prevLogTerm = in.getLong();
        List<Entry> entries = entries(in);
        long index = prevLogIndex;
        for (Entry entry : entries) {
            // The algorithm takes contiguity for granted; a peer's bug must end at the connection.
            if (entry.index() != ++index) {
                throw new PeerProtocolException(
                        "entry " + entry.index() + " where entry " + index + " belongs");
            }
        }
        return new Message.AppendEntries(term, prevLogIndex, prevLogTerm, entries, in.getLong());
    }

    private static Message installSnapshot(ByteBuffer in) throws PeerProtocolException {
        long term = in.getLong();
        long index = in.getLong();
        long snapshotTerm = in.getLong();
        long sizeBytes = in.getLong();
        long offsetBytes = in.getLong();
        Bytes data = Bytes.wrap(payload(in));
        if (index < 1 || offsetBytes < 0 || sizeBytes - offsetBytes < data.sizeBytes()) {
            throw new PeerProtocolException(
                    data.sizeBytes()
                            + " bytes at "
                            + offsetBytes
                            + " of a snapshot of "
                            + sizeBytes
                            + " bytes");
        }
        return new Message.InstallSnapshot(term, index, snapshotTerm, sizeBytes, offsetBytes, data);
    }

    private static List<Entry> entries(ByteBuffer in) throws PeerProtocolException {
        int count = in.getInt();
        if (count < 0 || count > in.remaining() / ENTRY_HEADER_BYTES) {
            throw new PeerProtocolException(
                    Integer.toUnsignedString(count)
                            + " entries announced, "
                            + in.remaining()
                            + " bytes left");
        }
        List<Entry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long index = in.getLong();
            long term = in.getLong();
            Entry.Kind kind = Entry.Kind.ofCode(in.get());
            entries.add(new Entry(index, term, kind, Bytes.wrap(payload(in))));
        }
        return entries;
    }

    private static byte[] payload(ByteBuffer in) throws PeerProtocolException {
        int sizeBytes = in.getInt();
        if (sizeBytes < 0 || sizeBytes > in.remaining()) {
            throw new PeerProtocolException("what it holds is longer than its frame");
        }
        byte[] payload = new byte[sizeBytes];
        in.get(payload);
        return payload;
    }

    private static byte flag(boolean value) {
        return (byte) (value ? 1 : 0);
    }

    private static boolean flag(ByteBuffer in) throws PeerProtocolException {
        byte value = in.get();
        if (value != 0 && value != 1) {
            throw new PeerProtocolException("neither true nor false: " + value);
        }
        return value == 1;
    }

    private static void putText(ByteBuffer out, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        int sizeBytes = Math.min(utf8.length, REASON_BYTES_MAX);
        out.putShort((short) sizeBytes).put(utf8, 0, sizeBytes);
    }

    private static String text(ByteBuffer in) {
        int sizeBytes = in.getShort() & 0xFFFF;
        if (sizeBytes > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] utf8 = new byte[sizeBytes];
        in.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private static NodeId nodeId(ByteBuffer in) {
        return new NodeId(text(in));
    }

    /** A cluster's name follows the rule of a node's. */
    private static String name(ByteBuffer in) {
        return nodeId(in).name();
    }
}
