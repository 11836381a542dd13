package raft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

class ClientCodecTest {
    private static final Blob KEY = Blob.ofText("k");

    @Test
    void whatIsEncodedDecodesToTheSame() throws ProtocolException {
        Random random = new Random(1);
        for (int i = 0; i < 2000; i++) {
            Request request = randomRequest(random);
            long id = random.nextLong() | 1;
            Call call = ClientCodec.decodeCall(body(ClientCodec.encodeCall(id, request)));
            assertThat(call).isEqualTo(new Call(id, request, ClientCodec.encodeCommand(request)));
            assertThat(ClientCodec.decodeCommand(call.command())).isEqualTo(request);

            Reply reply = randomReply(random);
            assertThat(ClientCodec.decodeAnswer(body(ClientCodec.encodeAnswer(id, reply))))
                    .isEqualTo(new Answer(id, reply));
        }
    }

    @Test
    void largestKeyAndValuesFitIntoAFrame() throws ProtocolException {
        Blob value = Blob.wrap(new byte[Limits.VALUE_BYTES_MAX]);
        Request cas = new Request.Cas(Blob.wrap(new byte[Limits.KEY_BYTES_MAX]), value, value);
        ByteBuffer frame = ClientCodec.encodeCall(1, cas);
        assertThat(frame.remaining() - 4).isLessThanOrEqualTo(Limits.FRAME_BYTES_MAX);
        assertThat(ClientCodec.decodeCall(body(frame)).request()).isEqualTo(cas);
    }

    @Test
    void requestsOutsideTheLimitsCannotBeMade() {
        Blob long1 = Blob.wrap(new byte[Limits.KEY_BYTES_MAX + 1]);
        Blob large = Blob.wrap(new byte[Limits.VALUE_BYTES_MAX + 1]);
        assertThatThrownBy(() -> new Request.Get(long1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a key has 1 to 1024 bytes, this one has 1025");
        assertThatThrownBy(() -> new Request.Delete(Blob.EMPTY))
                .hasMessage("a key has 1 to 1024 bytes, this one has 0");
        assertThatThrownBy(() -> new Request.Put(KEY, large))
                .hasMessage("a value has at most 1048576 bytes, this one has 1048577");
        assertThatThrownBy(() -> new Request.Cas(KEY, large, KEY))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void valueAboveTheLimitIsTooLargeForThatRequestAlone() {
        int sizeBytes = Limits.VALUE_BYTES_MAX + 1;
        ByteBuffer frame = ByteBuffer.allocate(8 + 2 + 2 + 1 + 4 + sizeBytes);
        frame.putLong(9).put((byte) 2).put((byte) 0).putShort((short) 1).put((byte) 'k');
        frame.putInt(sizeBytes).rewind();
        ProtocolException refused = refusedCall(frame);
        assertThat(refused.answer())
                .isEqualTo(
                        new Answer(
                                9,
                                new Reply.Refused(
                                        Refusal.TOO_LARGE,
                                        null,
                                        "A value has at most 1048576 bytes, this one has"
                                                + " 1048577.")));
    }

    @Test
    void malformedRequestsAreRefusedWithTheirIdAndOneSentence() {
        String id = "0000000000000007";
        assertRefused("00", 0, Refusal.INVALID, "A request of 1 bytes has no request id.");
        assertRefused(
                "0000000000000000 01",
                0,
                Refusal.INVALID,
                "A request has id 0, which stands for the connection.");
        assertRefused(
                id,
                7,
                Refusal.INVALID,
                "The frame ends inside operation code: 1 bytes needed, 0 left.");
        assertRefused(
                id + "00 00 0001 78", 7, Refusal.UNSUPPORTED, "This server has no operation 0.");
        assertRefused(
                id + "05 00 0001 78", 7, Refusal.UNSUPPORTED, "This server has no operation 5.");
        assertRefused(
                id + "ff 00 0001 78", 7, Refusal.UNSUPPORTED, "This server has no operation 255.");
        assertRefused(
                id + "01 01 0001 78",
                7,
                Refusal.UNSUPPORTED,
                "This server does not know the flags 1.");
        assertRefused(id + "01 00 0000", 7, Refusal.INVALID, "A key has at least one byte.");
        assertRefused(
                id + "01 00 0401",
                7,
                Refusal.TOO_LARGE,
                "A key has at most 1024 bytes, this one has 1025.");
        assertRefused(
                id + "01 00 0002 78",
                7,
                Refusal.INVALID,
                "The frame ends inside the key: 2 bytes needed, 1 left.");
        assertRefused(
                id + "01 00 0001 78 00",
                7,
                Refusal.INVALID,
                "1 bytes are left over after the operation.");
        assertRefused(
                id + "02 00 0001 78 ffffffff",
                7,
                Refusal.TOO_LARGE,
                "A value has at most 1048576 bytes, this one has 4294967295.");
        assertRefused(
                id + "02 00 0001 78 00100000 00",
                7,
                Refusal.INVALID,
                "The frame ends inside the value: 1048576 bytes needed, 1 left.");
        assertRefused(
                id + "03 00 0001 78 02",
                7,
                Refusal.INVALID,
                "Whether a value is expected is 0 or 1, not 2.");
    }

    @Test
    void firstFrameOfAnotherProtocolIsNamedAsSuch() {
        assertThatThrownBy(() -> ClientCodec.decodeClientHello(hex("474554202f20")))
                .isInstanceOf(ProtocolException.class)
                .hasMessage("The client's first frame does not start with RAFT.");
        assertThatThrownBy(() -> ClientCodec.decodeServerHello(hex("5353482d322e30")))
                .isInstanceOf(ProtocolException.class)
                .hasMessage("The server's first frame does not start with RAFT.");
    }

    @Test
    void laterVersionsMayAddToTheClientsHello() throws ProtocolException {
        assertThat(ClientCodec.decodeClientHello(hex("52414654 0002 cafe"))).isEqualTo(2);
    }

    @Test
    void refusalOfALaterVersionIsStillARefusal() throws ProtocolException {
        assertThat(ClientCodec.decodeAnswer(hex("0000000000000001 01 c8 00 0000")).reply())
                .isEqualTo(new Reply.Refused(Refusal.OTHER, null, ""));
    }

    @Test
    void longMessagesAreCutBetweenCharacters() throws ProtocolException {
        ByteBuffer frame = ClientCodec.encodeAnswer(1, new Reply.Unknown("a" + "é".repeat(600)));
        assertThat(ClientCodec.decodeAnswer(body(frame)).reply())
                .isEqualTo(new Reply.Unknown("a" + "é".repeat(255)));
    }

    @Test
    void whateverTheBytesDecodersReturnOrThrowProtocolException() throws ProtocolException {
        long seed = 20261123;
        Random random = new Random(seed);
        int decoded = 0;
        for (int i = 0; i < 200_000; i++) {
            ByteBuffer frame = i % 2 == 0 ? noise(random) : mutated(random);
            decoded += returns(() -> ClientCodec.decodeClientHello(frame.duplicate()));
            decoded += returns(() -> ClientCodec.decodeServerHello(frame.duplicate()));
            decoded += returns(() -> ClientCodec.decodeCall(frame.duplicate()));
            decoded += returns(() -> ClientCodec.decodeAnswer(frame.duplicate()));
        }
        assertThat(decoded).as("seed " + seed).isGreaterThan(1000);
    }

    private interface Decoder {
        Object decode() throws ProtocolException;
    }

    /** Anything but a ProtocolException fails the test. */
    private static int returns(Decoder decoder) {
        try {
            decoder.decode();
            return 1;
        } catch (ProtocolException e) {
            assertThat(e.getMessage()).endsWith(".").doesNotContain("\n");
            return 0;
        }
    }

    private static ByteBuffer noise(Random random) {
        byte[] bytes = new byte[random.nextInt(64)];
        random.nextBytes(bytes);
        return ByteBuffer.wrap(bytes);
    }

    /** A right frame, cut, extended or with some bytes replaced: gets past the first checks. */
    private static ByteBuffer mutated(Random random) {
        ByteBuffer right =
                switch (random.nextInt(3)) {
                    case 0 -> ClientCodec.encodeCall(1, randomRequest(random));
                    case 1 -> ClientCodec.encodeAnswer(1, randomReply(random));
                    default ->
                            ClientCodec.encodeServerHello(
                                    new ServerHello.Accepted(1, "n1", "cluster"));
                };
        byte[] bytes = new byte[right.limit() - 4];
        right.get(4, bytes);
        for (int i = random.nextInt(4); i > 0; i--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        int length = bytes.length + (random.nextInt(4) == 0 ? random.nextInt(-4, 5) : 0);
        return ByteBuffer.wrap(Arrays.copyOf(bytes, Math.max(0, length)));
    }

    private static Request randomRequest(Random random) {
        Blob key = randomBlob(random, 1, 20);
        return switch (random.nextInt(4)) {
            case 0 -> new Request.Get(key);
            case 1 -> new Request.Put(key, randomBlob(random, 0, 40));
            case 2 -> {
                @Nullable Blob expected = random.nextBoolean() ? randomBlob(random, 0, 40) : null;
                yield new Request.Cas(key, expected, randomBlob(random, 0, 40));
            }
            default -> new Request.Delete(key);
        };
    }

    private static Reply randomReply(Random random) {
        List<Result> results = new ArrayList<>();
        results.add(new Result.Done());
        results.add(new Result.Absent());
        results.add(new Result.CompareFailed());
        results.add(new Result.Found(randomBlob(random, 0, 40)));
        Refusal[] refusals = Refusal.values();
        return switch (random.nextInt(3)) {
            case 0 ->
                    new Reply.Ok(
                            results.get(random.nextInt(results.size())),
                            random.nextLong(),
                            random.nextLong());
            case 1 ->
                    new Reply.Refused(
                            refusals[random.nextInt(refusals.length)],
                            random.nextBoolean() ? "n" + random.nextInt(100) : null,
                            "Because of " + random.nextInt() + ".");
            default -> new Reply.Unknown("Nobody knows " + random.nextInt() + ".");
        };
    }

    private static Blob randomBlob(Random random, int leastBytes, int mostBytes) {
        byte[] bytes = new byte[random.nextInt(leastBytes, mostBytes + 1)];
        random.nextBytes(bytes);
        return Blob.wrap(bytes);
    }

    private static void assertRefused(String hex, long id, Refusal reason, String message) {
        ProtocolException refused = refusedCall(hex(hex));
        assertThat(refused.answer())
                .isEqualTo(new Answer(id, new Reply.Refused(reason, null, message)));
    }

    private static ProtocolException refusedCall(ByteBuffer frame) {
        ProtocolException thrown =
                catchThrowableOfType(ProtocolException.class, () -> ClientCodec.decodeCall(frame));
        assertThat(thrown).isNotNull();
        return thrown;
    }

    private static ByteBuffer hex(String hex) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    private static ByteBuffer body(ByteBuffer frame) {
        assertThat(frame.getInt()).isEqualTo(frame.remaining());
        return frame;
    }
}
