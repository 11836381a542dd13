package raft.client;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** The bytes that other languages rely on: data file, document and codec say the same. */
class GoldenFramesTest {
    private record Golden(String hex, String meaning) {
        byte[] bytes() {
            return HexFormat.of().parseHex(hex.replace(" ", ""));
        }
    }

    private static final Blob X = Blob.ofText("x");

    private record Asked(long id, Request request) {}

    private static final Blob ADA = Blob.ofText("ada");

    private static final Map<String, Asked> REQUESTS =
            Map.ofEntries(
                    request("get", 1, new Request.Get(X)),
                    request("put", 2, new Request.Put(X, Blob.ofText("42"))),
                    request("cas", 3, new Request.Cas(X, Blob.ofText("42"), Blob.ofText("43"))),
                    request("cas-absent", 4, new Request.Cas(Blob.ofText("y"), null, Blob.EMPTY)),
                    request("delete", 0x0102030405060708L, new Request.Delete(Blob.ofText("é"))),
                    request("get-stale", 5, new Request.Get(X, Consistency.STALE)),
                    request("append", 6, new Request.Append(Blob.ofText("l"), Blob.ofText("7"))),
                    request("increment", 7, new Request.Increment(Blob.ofText("c"), -1)),
                    request("set-add", 8, new Request.AddToSet(Blob.ofText("s"), Blob.ofText("7"))),
                    request("enqueue", 9, new Request.Enqueue(Blob.ofText("q"), Blob.ofText("7"))),
                    request("dequeue", 10, new Request.Dequeue(Blob.ofText("q"))),
                    request("lock-acquire", 11, new Request.Acquire(Blob.ofText("m"), ADA)),
                    request("lock-release", 12, new Request.Release(Blob.ofText("m"), ADA, 33)),
                    request(
                            "put-if-version",
                            13,
                            new Request.PutIfVersion(X, 2, Blob.ofText("44"))),
                    request(
                            "get-version",
                            14,
                            new Request.GetVersioned(X, Consistency.LINEARIZABLE)),
                    request(
                            "list",
                            15,
                            new Request.ListKeys(
                                    Blob.ofText("a/"),
                                    Blob.ofText("a/7"),
                                    100,
                                    Consistency.LINEARIZABLE)),
                    request("session-register", 16, new Request.Session.Register()),
                    request(
                            "append-in-session",
                            17,
                            new Request.InSession(
                                    34,
                                    5,
                                    4,
                                    new Request.Append(Blob.ofText("l"), Blob.ofText("7")))),
                    request("session-keep-alive", 18, new Request.Session.KeepAlive(34)),
                    request("session-close", 19, new Request.Session.Close(34)),
                    request(
                            "add-learner",
                            20,
                            new Request.Admin.AddLearner("n4", "10.9.8.14:7000")),
                    request("promote", 21, new Request.Admin.Promote("n4")),
                    request("remove", 22, new Request.Admin.Remove("n4")),
                    request("transfer", 23, new Request.Admin.TransferLeadership("n2")),
                    request("transfer-any", 24, new Request.Admin.TransferLeadership(null)),
                    request("snapshot", 25, new Request.Admin.TakeSnapshot()),
                    request("elect", 26, new Request.Admin.StartElection()),
                    request("configuration", 27, new Request.Admin.ReadConfiguration()));

    private static final Map<String, Answer> REPLIES =
            Map.ofEntries(
                    ok("ok-done", 2, new Result.Done(), 17),
                    ok("ok-found", 1, new Result.Found(Blob.ofText("42")), 18),
                    Map.entry("ok-absent", new Answer(1, new Reply.Ok(new Result.Absent(), 0, 0))),
                    ok("ok-compare-failed", 3, new Result.CompareFailed(), 19),
                    ok("ok-number", 7, new Result.Number(-1), 20),
                    ok("ok-versioned", 14, new Result.Versioned(2, Blob.ofText("43")), 21),
                    ok(
                            "ok-elements",
                            28,
                            new Result.Elements(List.of(Blob.ofText("7"), Blob.EMPTY)),
                            22),
                    ok("ok-held", 29, new Result.Held(33, ADA), 33),
                    ok(
                            "ok-keys",
                            15,
                            new Result.Keys(List.of(Blob.ofText("a/8"), Blob.ofText("a/9")), true),
                            34),
                    ok(
                            "ok-configuration",
                            27,
                            new Result.Configuration(
                                    30,
                                    true,
                                    List.of(
                                            new Member("n1", "10.9.8.11:7000", true),
                                            new Member("n4", "10.9.8.14:7000", false))),
                            35),
                    refused(
                            "refused-not-leader",
                            2,
                            Refusal.NOT_LEADER,
                            "n3",
                            "This node is a follower."),
                    refused("refused-busy", 5, Refusal.BUSY, null, "Too much is waiting."),
                    refused("refused-wrong-type", 6, Refusal.WRONG_TYPE, null, "A counter."),
                    refused("refused-session-expired", 17, Refusal.SESSION_EXPIRED, null, "Gone."),
                    Map.entry("unknown", new Answer(2, new Reply.Unknown("Leadership was lost."))),
                    refused("connection-refused", 0, Refusal.TOO_LARGE, null, "Too long."));

    private static Map.Entry<String, Asked> request(String name, long id, Request request) {
        return Map.entry(name, new Asked(id, request));
    }

    private static Map.Entry<String, Answer> ok(
            String name, long id, Result result, long logIndex) {
        return Map.entry(name, new Answer(id, new Reply.Ok(result, 3, logIndex)));
    }

    private static Map.Entry<String, Answer> refused(
            String name, long id, Refusal reason, @Nullable String leader, String message) {
        return Map.entry(name, new Answer(id, new Reply.Refused(reason, leader, message)));
    }

    private static final Map<String, ServerHello> SERVER_HELLOS =
            Map.of(
                    "hello-accepted",
                    new ServerHello.Accepted(1, "n1", "demo"),
                    "hello-refused",
                    new ServerHello.Refused(1, "Version 7 is not spoken here."));

    @Test
    void everyGoldenFrameHasItsTestAndNoneIsMissing() throws IOException {
        assertThat(golden().keySet())
                .hasSize(1 + REQUESTS.size() + REPLIES.size() + SERVER_HELLOS.size())
                .contains("client-hello")
                .containsAll(REQUESTS.keySet())
                .containsAll(REPLIES.keySet())
                .containsAll(SERVER_HELLOS.keySet());
    }

    @Test
    void encodersWriteExactlyTheGoldenBytes() throws IOException {
        Map<String, Golden> golden = golden();
        assertThat(ClientCodec.encodeClientHello().array())
                .isEqualTo(bytes(golden, "client-hello"));
        REQUESTS.forEach(
                (name, asked) ->
                        assertThat(ClientCodec.encodeCall(asked.id(), asked.request()).array())
                                .as(name)
                                .isEqualTo(bytes(golden, name)));
        REPLIES.forEach(
                (name, answer) ->
                        assertThat(ClientCodec.encodeAnswer(answer.id(), answer.reply()).array())
                                .as(name)
                                .isEqualTo(bytes(golden, name)));
        SERVER_HELLOS.forEach(
                (name, hello) ->
                        assertThat(ClientCodec.encodeServerHello(hello).array())
                                .as(name)
                                .isEqualTo(bytes(golden, name)));
    }

    @Test
    void decodersReadTheGoldenBytesBack() throws IOException {
        Map<String, Golden> golden = golden();
        assertThat(ClientCodec.decodeClientHello(frame(golden, "client-hello"))).isEqualTo(1);
        for (Map.Entry<String, Asked> entry : REQUESTS.entrySet()) {
            Request request = entry.getValue().request();
            assertThat(ClientCodec.decodeCall(frame(golden, entry.getKey())))
                    .isEqualTo(
                            new Call(
                                    entry.getValue().id(),
                                    request,
                                    ClientCodec.encodeCommand(request)));
        }
        for (Map.Entry<String, Answer> entry : REPLIES.entrySet()) {
            assertThat(ClientCodec.decodeAnswer(frame(golden, entry.getKey())))
                    .isEqualTo(entry.getValue());
        }
        for (Map.Entry<String, ServerHello> entry : SERVER_HELLOS.entrySet()) {
            assertThat(ClientCodec.decodeServerHello(frame(golden, entry.getKey())))
                    .isEqualTo(entry.getValue());
        }
    }

    @Test
    void theDocumentShowsEveryGoldenFrame() throws IOException {
        String document = Files.readString(Path.of("PROTOCOL.md"));
        golden().forEach(
                        (name, golden) ->
                                assertThat(document)
                                        .contains(
                                                name
                                                        + ": "
                                                        + golden.meaning()
                                                        + "\n    "
                                                        + golden.hex()
                                                        + "\n"));
    }

    @Test
    void theDocumentNamesEveryRefusalAndLimit() throws IOException {
        String document = Files.readString(Path.of("PROTOCOL.md"));
        for (Refusal refusal : Refusal.values()) {
            if (refusal != Refusal.OTHER) {
                assertThat(document)
                        .contains(
                                "| "
                                        + refusal.code()
                                        + " | `"
                                        + refusal.name().toLowerCase(Locale.ROOT).replace('_', '-')
                                        + "` |");
            }
        }
        assertThat(document)
                .contains("at most 2,101,248 ")
                .contains("1 to 1024 bytes")
                .contains("0 to 1,048,576 bytes")
                .contains("at most 512 bytes");
        assertThat(Limits.FRAME_BYTES_MAX).isEqualTo(2_101_248);
        assertThat(Limits.KEY_BYTES_MAX).isEqualTo(1024);
        assertThat(Limits.VALUE_BYTES_MAX).isEqualTo(1_048_576);
        assertThat(Limits.MESSAGE_BYTES_MAX).isEqualTo(512);
        assertThat(Limits.HELLO_BYTES_MAX).isEqualTo(1024);
    }

    private static byte[] bytes(Map<String, Golden> golden, String name) {
        return Objects.requireNonNull(golden.get(name), name).bytes();
    }

    private static ByteBuffer frame(Map<String, Golden> golden, String name)
            throws ProtocolException {
        FrameBuffer buffer = new FrameBuffer();
        buffer.space().put(bytes(golden, name));
        return Objects.requireNonNull(buffer.next(Limits.FRAME_BYTES_MAX), name);
    }

    private static Map<String, Golden> golden() throws IOException {
        Map<String, Golden> frames = new LinkedHashMap<>();
        try (InputStream in = GoldenFramesTest.class.getResourceAsStream("golden-frames.txt")) {
            String text =
                    new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            for (String line : text.lines().toList()) {
                if (!line.startsWith("#")) {
                    String[] parts = line.split(" \\| ", 3);
                    frames.put(parts[0], new Golden(parts[1], parts[2]));
                }
            }
        }
        return frames;
    }
}
