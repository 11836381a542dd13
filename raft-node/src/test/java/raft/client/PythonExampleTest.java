package raft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** A second implementation, in another language, agrees with ours about every byte. */
@Timeout(60)
class PythonExampleTest {
    private static final Path SCRIPT = Path.of("../docker/examples/python/node.py");
    private static final long LONG_MILLIS = 30_000;
    private static final Blob X = Blob.ofText("x");

    private @Nullable Process process;
    private int clientPort;
    private int httpPort;

    @BeforeEach
    void pythonIsThere() {
        boolean present = false;
        try {
            Process version = new ProcessBuilder("python3", "--version").start();
            present = version.waitFor() == 0;
        } catch (IOException | InterruptedException e) {
            // Then it is not.
        }
        if (!present) {
            System.out.println("skipped: no python3 to run docker/examples/python/node.py with");
        }
        assumeTrue(present, "no python3");
    }

    @AfterEach
    void stop() throws InterruptedException {
        if (process != null) {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void isAHundredLinesOfCodeAsTheReadmeSays() throws IOException {
        long codeLines =
                Files.readAllLines(SCRIPT).stream()
                        .map(String::strip)
                        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                        .count();
        assertThat(codeLines).isLessThanOrEqualTo(100);
        assertThat(Path.of("../README.md"))
                .content()
                .contains("in " + codeLines + " lines of Python");
    }

    @Test
    void answersOurClientAsPromised() throws Exception {
        start("n1");
        try (ClientConnection node =
                ClientConnection.connect("127.0.0.1", clientPort, LONG_MILLIS)) {
            assertThat(node.server()).isEqualTo(new ServerHello.Accepted(1, "n1", "demo"));
            Blob large = Blob.wrap(new byte[Limits.VALUE_BYTES_MAX]);
            assertThat(results(node, new Request.Get(X))).isEqualTo(new Result.Absent());
            assertThat(results(node, new Request.Put(X, Blob.ofText("1"))))
                    .isEqualTo(new Result.Done());
            assertThat(results(node, new Request.Get(X)))
                    .isEqualTo(new Result.Found(Blob.ofText("1")));
            assertThat(results(node, new Request.Cas(X, null, large)))
                    .isEqualTo(new Result.CompareFailed());
            assertThat(results(node, new Request.Cas(X, Blob.ofText("1"), large)))
                    .isEqualTo(new Result.Done());
            assertThat(results(node, new Request.Cas(X, large, Blob.EMPTY)))
                    .isEqualTo(new Result.Done());
            assertThat(results(node, new Request.Get(X))).isEqualTo(new Result.Found(Blob.EMPTY));
            assertThat(results(node, new Request.Delete(X))).isEqualTo(new Result.Done());
            assertThat(results(node, new Request.Delete(X))).isEqualTo(new Result.Absent());
        }
    }

    @Test
    void nodeThatIsNotTheFirstMemberPointsAtIt() throws Exception {
        start("n2");
        try (ClientConnection node =
                ClientConnection.connect("127.0.0.1", clientPort, LONG_MILLIS)) {
            assertThat(node.call(new Request.Get(X), LONG_MILLIS))
                    .isEqualTo(new Reply.Refused(Refusal.NOT_LEADER, "n1", "The leader is n1."));
        }
        assertThat(get("/status"))
                .isEqualTo(
                        """
                        {"id": "n2", "role": "follower", "term": 1, "leader": "n1", \
                        "commitIndex": 0, "appliedIndex": 0, "lastIndex": 0}\
                        """);
        assertThat(get("/health")).isEqualTo("ok");
    }

    @Test
    void goldenRequestsGetGoldenReplies() throws Exception {
        start("n1");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), clientPort)) {
            OutputStream out = socket.getOutputStream();
            InputStream in = socket.getInputStream();
            say(out, "00000006 52414654 0001");
            assertHears(in, "0000000f 52414654 0001 00 02 6e31 04 64656d6f");
            say(out, "00000013 0000000000000002 02 00 0001 78 00000002 3432");
            assertHears(in, "0000001a 0000000000000002 00 0000000000000001 0000000000000001 00");
            say(out, "0000000d 0000000000000001 01 00 0001 78");
            assertHears(
                    in,
                    "00000020 0000000000000001 00 0000000000000001 0000000000000002 01 00000002"
                            + " 3432");
            // A mistake inside a frame is refused, and the connection goes on.
            say(out, "0000000d 0000000000000009 01 01 0001 78");
            assertThat(hear(in)).startsWith("0000000000000009" + "0105");
            say(out, "0000000d 0000000000000001 01 00 0001 79");
            assertHears(in, "0000001a 0000000000000001 00 0000000000000001 0000000000000003 02");
            // Where the stream cannot be followed that is said, and it ends.
            say(out, "7fffffff");
            assertThat(hear(in)).startsWith("0000000000000000" + "0104");
            assertThatThrownBy(() -> hear(in)).isInstanceOf(IOException.class);
        }
    }

    private static Result results(ClientConnection node, Request request) throws CallException {
        Reply reply = node.call(request, LONG_MILLIS);
        assertThat(reply).isInstanceOf(Reply.Ok.class);
        return ((Reply.Ok) reply).result();
    }

    private void start(String nodeId) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(List.of("python3", SCRIPT.toString()));
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment()
                .putAll(
                        Map.of(
                                "RAFT_NODE_ID", nodeId,
                                "RAFT_CLUSTER_ID", "demo",
                                "RAFT_MEMBERS", "n1=127.0.0.1:7000,n2=127.0.0.1:7000",
                                "RAFT_CLIENT_LISTEN", "127.0.0.1:0",
                                "RAFT_HTTP_LISTEN", "127.0.0.1:0"));
        Process node = builder.start();
        process = node;
        BufferedReader lines = node.inputReader();
        clientPort = port(lines.readLine());
        httpPort = port(lines.readLine());
    }

    private static int port(String line) {
        return Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
    }

    private String get(String path) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + httpPort + path);
            HttpResponse<String> response =
                    http.send(
                            HttpRequest.newBuilder(uri).build(),
                            HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            assertThat(response.statusCode()).isEqualTo(200);
            return response.body();
        }
    }

    private static void say(OutputStream out, String hex) throws IOException {
        out.write(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    private static void assertHears(InputStream in, String hex) throws IOException {
        assertThat(hear(in)).isEqualTo(hex.replace(" ", "").substring(8));
    }

    /** The next frame without its length. */
    private static String hear(InputStream in) throws IOException {
        byte[] length = in.readNBytes(4);
        if (length.length < 4) {
            throw new IOException("the node closed the connection");
        }
        return HexFormat.of().formatHex(in.readNBytes(ByteBuffer.wrap(length).getInt()));
    }
}
