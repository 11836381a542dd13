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
                id + "0e 00 0001 78", 7, Refusal.UNSUPPORTED, "This server has no operation 14.");
        assertRefused(
                id + "ff 00 0001 78", 7, Refusal.UNSUPPORTED, "This server has no operation 255.");
        assertRefused(
                id + "01 03 0001 78",
                7,
                Refusal.UNSUPPORTED,
                "This server does not know the flags 3 there.");
        assertRefused(
                id + "02 01 0001 78",
                7,
                Refusal.UNSUPPORTED,
                "This server does not know the flags 1 there.");
        assertRefused(
                id + "02 24 0001 78",
                7,
                Refusal.UNSUPPORTED,
                "This server does not know the flags 36.");
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
    void malformedSessionsListingsAndMembersAreRefused() {
        String id = "0000000000000007";
        String session = "0000000000000005";
        assertRefused(
                id + "01 10" + session,
                7,
                Refusal.INVALID,
                "Operation 1 has no place in a session.");
        assertRefused(
                id + "0210" + "0000000000000000 0000000000000001 0000000000000001",
                7,
                Refusal.INVALID,
                "No session has id 0.");
        assertRefused(
                id + "0210" + session + "0000000000000002 0000000000000003",
                7,
                Refusal.INVALID,
                "Sequence numbers begin at 1 and none is below the lowest open one, not 2 with 3.");
        assertRefused(
                id + "0210" + session + "ffffffffffffffff 0000000000000001",
                7,
                Refusal.INVALID,
                "Sequence numbers begin at 1 and none is below the lowest open one, not -1 with"
                        + " 1.");
        assertRefused(
                id + "20 00 0000 0000 000003e9",
                7,
                Refusal.INVALID,
                "That cannot be asked: a listing has 1 to 1000 keys, not 1001.");
        assertRefused(
                id + "41 00 02 6e21",
                7,
                Refusal.INVALID,
                "That cannot be asked: a node's id has 1 to 64 letters, digits, dots, underscores"
                        + " and hyphens.");
    }

    @Test
    void countsThatLieCostNothing() {
        String ok = "0000000000000007 00 0000000000000001 0000000000000001";
        for (String result : List.of("06 7fffffff", "08 00 7fffffff", "09 00", "06 ffffffff")) {
            assertThatThrownBy(() -> ClientCodec.decodeAnswer(hex(ok + result)))
                    .isInstanceOf(ProtocolException.class);
        }
        assertThatThrownBy(() -> ClientCodec.decodeAnswer(hex(ok + "06 00000002 00000000")))
                .hasMessage("The frame has no room for 2 elements.");
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
        return switch (random.nextInt(16)) {
            case 0 -> new Request.Get(key, consistency(random));
            case 1 -> new Request.GetVersioned(key, consistency(random));
            case 2 ->
                    new Request.ListKeys(
                            randomBlob(random, 0, 20),
                            randomBlob(random, 0, 20),
                            random.nextInt(1, 1001),
                            consistency(random));
            case 3, 4, 5 -> {
                long lowest = random.nextLong(1, 1000);
                yield new Request.InSession(
                        random.nextLong() | 1,
                        lowest + random.nextLong(1000),
                        lowest,
                        randomWrite(random, key));
            }
            case 6 -> new Request.Session.Register();
            case 7 -> new Request.Session.KeepAlive(random.nextLong());
            case 8 -> new Request.Session.Close(random.nextLong());
            case 9 -> randomAdmin(random);
            default -> randomWrite(random, key);
        };
    }

    private static Consistency consistency(Random random) {
        return Consistency.values()[random.nextInt(Consistency.values().length)];
    }

    private static Request randomAdmin(Random random) {
        String id = "n" + random.nextInt(100);
        return switch (random.nextInt(8)) {
            case 0 -> new Request.Admin.AddLearner(id, "10.0.0." + random.nextInt(256) + ":7000");
            case 1 -> new Request.Admin.Promote(id);
            case 2 -> new Request.Admin.Remove(id);
            case 3 -> new Request.Admin.TransferLeadership(id);
            case 4 -> new Request.Admin.TransferLeadership(null);
            case 5 -> new Request.Admin.TakeSnapshot();
            case 6 -> new Request.Admin.StartElection();
            default -> new Request.Admin.ReadConfiguration();
        };
    }

    private static Request.Write randomWrite(Random random, Blob key) {
        return switch (random.nextInt(12)) {
            case 1 -> new Request.Put(key, randomBlob(random, 0, 40));
            case 2 -> {
                @Nullable Blob expected = random.nextBoolean() ? randomBlob(random, 0, 40) : null;
                yield new Request.Cas(key, expected, randomBlob(random, 0, 40));
            }
            case 3 -> new Request.Append(key, randomBlob(random, 0, 40));
            case 4 -> new Request.Increment(key, random.nextLong());
            case 5 -> new Request.AddToSet(key, randomBlob(random, 0, 40));
            case 6 -> new Request.Enqueue(key, randomBlob(random, 0, 40));
            case 7 -> new Request.Dequeue(key);
            case 8 -> new Request.Acquire(key, randomBlob(random, 0, 40));
            case 9 -> new Request.Release(key, randomBlob(random, 0, 40), random.nextLong());
            case 10 -> new Request.PutIfVersion(key, random.nextLong(), randomBlob(random, 0, 40));
            default -> new Request.Delete(key);
        };
    }

    private static List<Blob> randomBlobs(Random random, int leastBytes) {
        List<Blob> blobs = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            blobs.add(randomBlob(random, leastBytes, 20));
        }
        return blobs;
    }

    private static Reply randomReply(Random random) {
        List<Result> results = new ArrayList<>();
        results.add(new Result.Done());
        results.add(new Result.Absent());
        results.add(new Result.CompareFailed());
        results.add(new Result.Found(randomBlob(random, 0, 40)));
        results.add(new Result.Number(random.nextLong()));
        results.add(new Result.Versioned(random.nextLong(), randomBlob(random, 0, 40)));
        results.add(new Result.Elements(randomBlobs(random, 0)));
        results.add(new Result.Held(random.nextLong(), randomBlob(random, 0, 40)));
        results.add(new Result.Keys(randomBlobs(random, 1), random.nextBoolean()));
        results.add(
                new Result.Configuration(
                        random.nextLong(),
                        random.nextBoolean(),
                        List.of(
                                new Member("n1", "10.0.0.1:7000", true),
                                new Member("n2", "[::1]:7000", random.nextBoolean()))));
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
