package raft.client;

import java.nio.ByteBuffer;

/**
 * The bytes of the client protocol, version 1, as raft-node/PROTOCOL.md describes them.
 *
 * <p>Encoders return a whole frame, length included, ready to be read. Decoders take a frame as
 * {@link FrameBuffer#next} returns it. Whatever the bytes, a decoder returns a value or throws
 * {@link ProtocolException}, and allocates no more than a small multiple of the frame's size. All
 * integers are big-endian.
 */
public final class ClientCodec {
    /** The version that this codec speaks. */
    public static final int VERSION = 1;

    /** "RAFT" in ASCII, the first bytes in the first frame of either side. */
    public static final int MAGIC = 0x52414654;

    private static final byte OK = 0;
    private static final byte REFUSED = 1;
    private static final byte UNKNOWN = 2;

    private static final int ID_BYTES = 8;

    private ClientCodec() {}

    // ---- handshake

    /** The client's first frame. */
    public static ByteBuffer encodeClientHello() {
        return Output.frame(out -> out.u32(MAGIC).u16(VERSION));
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
        return Output.frame(
                out -> {
                    switch (hello) {
                        case ServerHello.Accepted(int version, String nodeId, String clusterId) ->
                                out.u32(MAGIC).u16(version).u8(0).id(nodeId).id(clusterId);
                        case ServerHello.Refused(int version, String reason) ->
                                out.u32(MAGIC).u16(version).u8(1).message(reason);
                    }
                });
    }

    /** Reads a server's first frame. */
    public static ServerHello decodeServerHello(ByteBuffer frame) throws ProtocolException {
        int version = helloVersion(frame, "server");
        Fields in = new Fields(frame, 0);
        int outcome = in.u8("outcome of the handshake");
        return switch (outcome) {
            case 0 -> new ServerHello.Accepted(version, in.id(), in.id());
            case 1 -> new ServerHello.Refused(version, in.message());
            default ->
                    throw in.invalid("A handshake has no outcome " + outcome + ", only 0 and 1.");
        };
    }

    private static int helloVersion(ByteBuffer frame, String side) throws ProtocolException {
        if (frame.remaining() < 6 || frame.getInt() != MAGIC) {
            throw new Fields(frame, 0)
                    .invalid("The " + side + "'s first frame does not start with RAFT.");
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
        return Output.frame(out -> CommandCodec.write(out.u64(id), request));
    }

    /**
     * A request without its frame and id: code, flags, session, fields. The same bytes are the
     * payload of the log entry, so that the state machine reads what the client sent.
     */
    public static Blob encodeCommand(Request request) {
        return Output.blob(out -> CommandCodec.write(out, request));
    }

    /**
     * Reads a request.
     *
     * @throws ProtocolException whose request id is the frame's where it has one; the connection
     *     can then go on
     */
    public static Call decodeCall(ByteBuffer frame) throws ProtocolException {
        if (frame.remaining() < ID_BYTES) {
            throw new Fields(frame, 0)
                    .invalid("A request of " + frame.remaining() + " bytes has no request id.");
        }
        long id = frame.getLong();
        if (id == 0) {
            throw new Fields(frame, 0)
                    .invalid("A request has id 0, which stands for the connection.");
        }
        ByteBuffer body = frame.slice();
        Request request = CommandCodec.read(new Fields(frame, id));
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
        return CommandCodec.read(new Fields(ByteBuffer.wrap(command.unsafeArray()), 0));
    }

    // ---- replies

    /** A reply as a frame. Long messages are cut. */
    public static ByteBuffer encodeAnswer(long id, Reply reply) {
        return Output.frame(
                out -> {
                    out.u64(id);
                    switch (reply) {
                        case Reply.Ok(Result result, long term, long logIndex) ->
                                ResultCodec.write(out.u8(OK).u64(term).u64(logIndex), result);
                        case Reply.Refused(Refusal reason, String leader, String text) ->
                                out.u8(REFUSED)
                                        .u8(reason.code())
                                        .id(leader == null ? "" : leader)
                                        .message(text);
                        case Reply.Unknown(String text) -> out.u8(UNKNOWN).message(text);
                    }
                });
    }

    /** A result without its reply: for answers that are kept. */
    public static Blob encodeResult(Result result) {
        return Output.blob(out -> ResultCodec.write(out, result));
    }

    /**
     * Reads what {@link #encodeResult} wrote.
     *
     * @throws ProtocolException with request id 0
     */
    public static Result decodeResult(Blob bytes) throws ProtocolException {
        Fields in = new Fields(ByteBuffer.wrap(bytes.unsafeArray()), 0);
        Result result = ResultCodec.read(in);
        in.end("result");
        return result;
    }

    /** Reads a reply. */
    public static Answer decodeAnswer(ByteBuffer frame) throws ProtocolException {
        if (frame.remaining() < ID_BYTES + 1) {
            throw new Fields(frame, 0)
                    .invalid("A reply of " + frame.remaining() + " bytes is too short.");
        }
        long id = frame.getLong();
        Fields in = new Fields(frame, id);
        byte status = frame.get();
        Reply reply =
                switch (status) {
                    case OK -> takeOk(in);
                    case REFUSED -> takeRefused(in);
                    case UNKNOWN -> new Reply.Unknown(in.message());
                    default -> throw in.invalid("A reply has no status " + status + ".");
                };
        in.end("reply");
        return new Answer(id, reply);
    }

    private static Reply takeOk(Fields in) throws ProtocolException {
        long term = in.u64("the term");
        long logIndex = in.u64("the log index");
        return new Reply.Ok(ResultCodec.read(in), term, logIndex);
    }

    private static Reply takeRefused(Fields in) throws ProtocolException {
        Refusal reason = Refusal.ofCode(in.u8("reason"));
        String leader = in.id();
        return new Reply.Refused(reason, leader.isEmpty() ? null : leader, in.message());
    }
}
