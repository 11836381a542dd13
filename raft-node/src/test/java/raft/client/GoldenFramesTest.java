package raft.client;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
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

    private static final Map<String, Asked> REQUESTS =
            Map.of(
                    "get",
                    new Asked(1, new Request.Get(X)),
                    "put",
                    new Asked(2, new Request.Put(X, Blob.ofText("42"))),
                    "cas",
                    new Asked(3, new Request.Cas(X, Blob.ofText("42"), Blob.ofText("43"))),
                    "cas-absent",
                    new Asked(4, new Request.Cas(Blob.ofText("y"), null, Blob.EMPTY)),
                    "delete",
                    new Asked(0x0102030405060708L, new Request.Delete(Blob.ofText("é"))));

    private static final Map<String, Answer> REPLIES =
            Map.of(
                    "ok-done",
                    new Answer(2, new Reply.Ok(new Result.Done(), 3, 17)),
                    "ok-found",
                    new Answer(1, new Reply.Ok(new Result.Found(Blob.ofText("42")), 3, 18)),
                    "ok-absent",
                    new Answer(1, new Reply.Ok(new Result.Absent(), 0, 0)),
                    "ok-compare-failed",
                    new Answer(3, new Reply.Ok(new Result.CompareFailed(), 3, 19)),
                    "refused-not-leader",
                    new Answer(
                            2,
                            new Reply.Refused(
                                    Refusal.NOT_LEADER, "n3", "This node is a follower.")),
                    "refused-busy",
                    new Answer(5, new Reply.Refused(Refusal.BUSY, null, "Too much is waiting.")),
                    "unknown",
                    new Answer(2, new Reply.Unknown("Leadership was lost.")),
                    "connection-refused",
                    new Answer(0, new Reply.Refused(Refusal.TOO_LARGE, null, "Too long.")));

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
