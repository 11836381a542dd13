package raft.client;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The bytes of the client protocol, version 1, as raft-node/PROTOCOL.md describes them.
 *
 * <p>Encoders return a whole frame, length included, ready to be read. Decoders take a frame as
 * {@link FrameBuffer#next} returns it. Whatever the bytes, a decoder returns a value or throws
 * {@link ProtocolException}, and allocates no more than the frame's own size. All integers are
 * big-endian.
 */
public final class ClientCodec {
    /** The version that this codec speaks. */
    public static final int VERSION = 1;

    /** "RAFT" in ASCII, the first bytes in the first frame of either side. */
    public static final int MAGIC = 0x52414654;

    private static final byte GET = 1;
    private static final byte PUT = 2;
    private static final byte CAS = 3;
    private static final byte DELETE = 4;

    private static final byte OK = 0;
    private static final byte REFUSED = 1;
    private static final byte UNKNOWN = 2;

    private static final byte DONE = 0;
    private static final byte FOUND = 1;
    private static final byte ABSENT = 2;
    private static final byte COMPARE_FAILED = 3;

    private static final int LENGTH_BYTES = 4;
    private static final int ID_BYTES = 8;
    private static final int COMMAND_HEADER_BYTES = 2;

    private ClientCodec() {}

    // ---- handshake

    /** The client's first frame. */
    public static ByteBuffer encodeClientHello() {
        return frame(6).putInt(MAGIC).putShort((short) VERSION).flip();
    }

    /**
     * Reads a client's first frame.
     *
     * @return the version that the client asks for, 0 to 65535; what follows it is left to later
     *     versions
     */
    public static int decodeClientHello(ByteBuffer frame) throws ProtocolException {
        return helloVersion(frame, "client");
    }

    /** The server's first frame. */
    public static ByteBuffer encodeServerHello(ServerHello hello) {
        return switch (hello) {
            case ServerHello.Accepted(int version, String nodeId, String clusterId) -> {
                byte[] node = id(nodeId);
                byte[] cluster = id(clusterId);
                ByteBuffer out = frame(7 + 1 + node.length + 1 + cluster.length);
                out.putInt(MAGIC).putShort((short) version).put((byte) 0);
                yield putId(putId(out, node), cluster).flip();
            }
            case ServerHello.Refused(int version, String reason) -> {
                byte[] text = message(reason);
                ByteBuffer out = frame(7 + 2 + text.length);
                out.putInt(MAGIC).putShort((short) version).put((byte) 1);
                yield putMessage(out, text).flip();
            }
        };
    }

    /** Reads a server's first frame. */
    public static ServerHello decodeServerHello(ByteBuffer frame) throws ProtocolException {
        int version = helloVersion(frame, "server");
        int outcome = u8(frame, 0, "outcome of the handshake");
        return switch (outcome) {
            case 0 -> new ServerHello.Accepted(version, takeId(frame, 0), takeId(frame, 0));
            case 1 -> new ServerHello.Refused(version, takeMessage(frame, 0));
            default ->
                    throw invalid(0, "A handshake has no outcome " + outcome + ", only 0 and 1.");
        };
    }

    private static int helloVersion(ByteBuffer frame, String side) throws ProtocolException {
        if (frame.remaining() < 6 || frame.getInt() != MAGIC) {
            throw invalid(0, "The " + side + "'s first frame does not start with RAFT.");
        }
        return Short.toUnsignedInt(frame.getShort());
    }

    // ---- requests

    /**
     * A request as a frame.
     *
     * @param id not 0
     */
    public static ByteBuffer encodeCall(long id, Request request) {
        if (id == 0) {
            throw new IllegalArgumentException("request id 0 stands for the connection");
        }
        ByteBuffer out = frame(ID_BYTES + commandBytes(request)).putLong(id);
        return putCommand(out, request).flip();
    }

    /**
     * A request without its frame and id: code, flags, fields. The same bytes are the payload of
     * the log entry, so that the state machine reads what the client sent.
     */
    public static Blob encodeCommand(Request request) {
        ByteBuffer out = ByteBuffer.allocate(commandBytes(request));
        return Blob.wrap(putCommand(out, request).array());
    }

    /**
     * Reads a request.
     *
     * @throws ProtocolException whose request id is the frame's where it has one; the connection
     *     can then go on
     */
    public static Call decodeCall(ByteBuffer frame) throws ProtocolException {
        if (frame.remaining() < ID_BYTES) {
            throw invalid(0, "A request of " + frame.remaining() + " bytes has no request id.");
        }
        long id = frame.getLong();
        if (id == 0) {
            throw invalid(0, "A request has id 0, which stands for the connection.");
        }
        ByteBuffer body = frame.slice();
        Request request = takeCommand(frame, id);
        byte[] command = new byte[body.remaining()];
        body.get(command);
        return new Call(id, request, Blob.wrap(command));
    }

    /**
     * Reads what {@link #encodeCommand} wrote.
     *
     * @throws ProtocolException with request id 0; the message depends on the bytes alone
     */
    public static Request decodeCommand(Blob command) throws ProtocolException {
        return takeCommand(ByteBuffer.wrap(command.unsafeArray()), 0);
    }

    private static int commandBytes(Request request) {
        int keyBytes = 2 + request.key().sizeBytes();
        return COMMAND_HEADER_BYTES
                + keyBytes
                + switch (request) {
                    case Request.Get(_), Request.Delete(_) -> 0;
                    case Request.Put(_, Blob value) -> 4 + value.sizeBytes();
                    case Request.Cas(_, Blob expected, Blob value) ->
                            1
                                    + (expected == null ? 0 : 4 + expected.sizeBytes())
                                    + 4
                                    + value.sizeBytes();
                };
    }

    private static ByteBuffer putCommand(ByteBuffer out, Request request) {
        byte code =
                switch (request) {
                    case Request.Get(_) -> GET;
                    case Request.Put(_, _) -> PUT;
                    case Request.Cas(_, _, _) -> CAS;
                    case Request.Delete(_) -> DELETE;
                };
        out.put(code).put((byte) 0);
        out.putShort((short) request.key().sizeBytes()).put(request.key().unsafeArray());
        return switch (request) {
            case Request.Get(_), Request.Delete(_) -> out;
            case Request.Put(_, Blob value) -> putValue(out, value);
            case Request.Cas(_, Blob expected, Blob value) -> {
                out.put((byte) (expected == null ? 0 : 1));
                yield putValue(expected == null ? out : putValue(out, expected), value);
            }
        };
    }

    private static Request takeCommand(ByteBuffer in, long id) throws ProtocolException {
        int code = u8(in, id, "operation code");
        if (code < GET || code > DELETE) {
            throw new ProtocolException(
                    id, Refusal.UNSUPPORTED, "This server has no operation " + code + ".");
        }
        int flags = u8(in, id, "flags");
        if (flags != 0) {
            throw new ProtocolException(
                    id, Refusal.UNSUPPORTED, "This server does not know the flags " + flags + ".");
        }
        Blob key = takeKey(in, id);
        Request request =
                switch ((byte) code) {
                    case GET -> new Request.Get(key);
                    case PUT -> new Request.Put(key, takeValue(in, id));
                    case CAS -> new Request.Cas(key, takeOptionalValue(in, id), takeValue(in, id));
                    default -> new Request.Delete(key);
                };
        if (in.hasRemaining()) {
            throw invalid(id, in.remaining() + " bytes are left over after the operation.");
        }
        return request;
    }

    // ---- replies

    /** A reply as a frame. Long messages are cut. */
    public static ByteBuffer encodeAnswer(long id, Reply reply) {
        return switch (reply) {
            case Reply.Ok(Result result, long term, long logIndex) ->
                    encodeOk(id, result, term, logIndex);
            case Reply.Refused(Refusal reason, String leader, String text) -> {
                byte[] hint = leader == null ? new byte[0] : id(leader);
                byte[] sentence = message(text);
                ByteBuffer out = frame(ID_BYTES + 2 + 1 + hint.length + 2 + sentence.length);
                out.putLong(id).put(REFUSED).put((byte) reason.code());
                yield putMessage(putId(out, hint), sentence).flip();
            }
            case Reply.Unknown(String text) -> {
                byte[] sentence = message(text);
                ByteBuffer out = frame(ID_BYTES + 1 + 2 + sentence.length);
                yield putMessage(out.putLong(id).put(UNKNOWN), sentence).flip();
            }
        };
    }

    private static ByteBuffer encodeOk(long id, Result result, long term, long logIndex) {
        int resultBytes = result instanceof Result.Found(Blob value) ? 4 + value.sizeBytes() : 0;
        ByteBuffer out = frame(ID_BYTES + 1 + 8 + 8 + 1 + resultBytes);
        out.putLong(id).put(OK).putLong(term).putLong(logIndex);
        return switch (result) {
            case Result.Done() -> out.put(DONE).flip();
            case Result.Found(Blob value) -> putValue(out.put(FOUND), value).flip();
            case Result.Absent() -> out.put(ABSENT).flip();
            case Result.CompareFailed() -> out.put(COMPARE_FAILED).flip();
        };
    }

    /** Reads a reply. */
    public static Answer decodeAnswer(ByteBuffer frame) throws ProtocolException {
        if (frame.remaining() < ID_BYTES + 1) {
            throw invalid(0, "A reply of " + frame.remaining() + " bytes is too short.");
        }
        long id = frame.getLong();
        byte status = frame.get();
        Reply reply =
                switch (status) {
                    case OK -> takeOk(frame, id);
                    case REFUSED -> takeRefused(frame, id);
                    case UNKNOWN -> new Reply.Unknown(takeMessage(frame, id));
                    default -> throw invalid(id, "A reply has no status " + status + ".");
                };
        if (frame.hasRemaining()) {
            throw invalid(id, frame.remaining() + " bytes are left over after the reply.");
        }
        return new Answer(id, reply);
    }

    private static Reply takeOk(ByteBuffer in, long id) throws ProtocolException {
        need(in, 8 + 8 + 1, id, "term, log index and result");
        long term = in.getLong();
        long logIndex = in.getLong();
        byte code = in.get();
        Result result =
                switch (code) {
                    case DONE -> new Result.Done();
                    case FOUND -> new Result.Found(takeValue(in, id));
                    case ABSENT -> new Result.Absent();
                    case COMPARE_FAILED -> new Result.CompareFailed();
                    default -> throw invalid(id, "A reply has no result " + code + ".");
                };
        return new Reply.Ok(result, term, logIndex);
    }

    private static Reply takeRefused(ByteBuffer in, long id) throws ProtocolException {
        Refusal reason = Refusal.ofCode(u8(in, id, "reason"));
        String leader = takeId(in, id);
        return new Reply.Refused(reason, leader.isEmpty() ? null : leader, takeMessage(in, id));
    }

    // ---- fields

    private static ByteBuffer frame(int bodyBytes) {
        return ByteBuffer.allocate(LENGTH_BYTES + bodyBytes).putInt(bodyBytes);
    }

    private static ByteBuffer putValue(ByteBuffer out, Blob value) {
        return out.putInt(value.sizeBytes()).put(value.unsafeArray());
    }

    private static ByteBuffer putId(ByteBuffer out, byte[] id) {
        return out.put((byte) id.length).put(id);
    }

    private static ByteBuffer putMessage(ByteBuffer out, byte[] text) {
        return out.putShort((short) text.length).put(text);
    }

    private static byte[] id(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > Limits.ID_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "an id has at most "
                            + Limits.ID_BYTES_MAX
                            + " bytes, this one has "
                            + bytes.length);
        }
        return bytes;
    }

    /** Cuts between characters, never inside one. */
    private static byte[] message(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= Limits.MESSAGE_BYTES_MAX) {
            return bytes;
        }
        int end = Limits.MESSAGE_BYTES_MAX;
        while ((bytes[end] & 0xC0) == 0x80) {
            end--;
        }
        return Arrays.copyOf(bytes, end);
    }

    private static Blob takeKey(ByteBuffer in, long id) throws ProtocolException {
        need(in, 2, id, "the key's length");
        int sizeBytes = Short.toUnsignedInt(in.getShort());
        if (sizeBytes > Limits.KEY_BYTES_MAX) {
            throw new ProtocolException(
                    id,
                    Refusal.TOO_LARGE,
                    "A key has at most "
                            + Limits.KEY_BYTES_MAX
                            + " bytes, this one has "
                            + sizeBytes
                            + ".");
        }
        if (sizeBytes == 0) {
            throw invalid(id, "A key has at least one byte.");
        }
        return take(in, sizeBytes, id, "the key");
    }

    private static @Nullable Blob takeOptionalValue(ByteBuffer in, long id)
            throws ProtocolException {
        int present = u8(in, id, "whether a value is expected");
        return switch (present) {
            case 0 -> null;
            case 1 -> takeValue(in, id);
            default ->
                    throw invalid(
                            id, "Whether a value is expected is 0 or 1, not " + present + ".");
        };
    }

    private static Blob takeValue(ByteBuffer in, long id) throws ProtocolException {
        need(in, 4, id, "the value's length");
        int sizeBytes = in.getInt();
        if (sizeBytes < 0 || sizeBytes > Limits.VALUE_BYTES_MAX) {
            throw new ProtocolException(
                    id,
                    Refusal.TOO_LARGE,
                    "A value has at most "
                            + Limits.VALUE_BYTES_MAX
                            + " bytes, this one has "
                            + Integer.toUnsignedString(sizeBytes)
                            + ".");
        }
        return take(in, sizeBytes, id, "the value");
    }

    private static String takeId(ByteBuffer in, long id) throws ProtocolException {
        return take(in, u8(in, id, "an id's length"), id, "an id").text();
    }

    private static String takeMessage(ByteBuffer in, long id) throws ProtocolException {
        need(in, 2, id, "a message's length");
        return take(in, Short.toUnsignedInt(in.getShort()), id, "a message").text();
    }

    private static Blob take(ByteBuffer in, int sizeBytes, long id, String what)
            throws ProtocolException {
        // Checked before the array exists: a length that lies costs nothing.
        need(in, sizeBytes, id, what);
        byte[] bytes = new byte[sizeBytes];
        in.get(bytes);
        return Blob.wrap(bytes);
    }

    private static int u8(ByteBuffer in, long id, String what) throws ProtocolException {
        need(in, 1, id, what);
        return Byte.toUnsignedInt(in.get());
    }

    private static void need(ByteBuffer in, int sizeBytes, long id, String what)
            throws ProtocolException {
        if (in.remaining() < sizeBytes) {
            throw invalid(
                    id,
                    "The frame ends inside "
                            + what
                            + ": "
                            + sizeBytes
                            + " bytes needed, "
                            + in.remaining()
                            + " left.");
        }
    }

    private static ProtocolException invalid(long id, String sentence) {
        return new ProtocolException(id, Refusal.INVALID, sentence);
    }
}
