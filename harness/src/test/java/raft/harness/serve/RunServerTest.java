package raft.harness.serve;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What is below the folder of runs can be read from this machine, nothing else and by nobody else.
 */
final class RunServerTest {
    @TempDir private Path folder;

    private RunServer server;

    @BeforeEach
    void start() throws IOException {
        Path root = folder.resolve("histories");
        Path run = root.resolve("register/20261124T010000-7");
        Files.createDirectories(run.resolve("nodes/n1"));
        Files.writeString(run.resolve("test.json"), "{\"cluster\":\"sim\",\"seed\":7}");
        Files.writeString(run.resolve("nodes/n1/node.log"), "<script>hello</script>");
        Files.writeString(root.resolve(".runs.jsonl"), "hidden");
        Files.writeString(folder.resolve("secret.txt"), "secret");
        Files.createDirectories(folder.resolve("histories-other"));
        Files.writeString(folder.resolve("histories-other/secret.txt"), "secret");
        Files.createSymbolicLink(root.resolve("latest"), run);
        Files.createSymbolicLink(root.resolve("out"), folder.resolve("secret.txt"));
        Files.createSymbolicLink(root.resolve("outer"), folder);
        server = RunServer.start(root, 0);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** By hand, since a client of the library would put the path in order first. */
    private String ask(String requestLine, String host) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(20_000);
            String request = requestLine + " HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private String get(String path) throws IOException {
        return ask("GET " + path, "Host: localhost:" + server.port() + "\r\n");
    }

    @Test
    void theListAndEachRunArePages() throws IOException {
        assertThat(get("/"))
                .startsWith("HTTP/1.1 200")
                .contains("register/20261124T010000-7")
                .contains("Content-security-policy: default-src 'none'");
        assertThat(get("/register/20261124T010000-7/"))
                .startsWith("HTTP/1.1 200")
                .contains("All runs")
                .contains("This run has no results");
        assertThat(get("/latest/")).startsWith("HTTP/1.1 200").contains("20261124T010000-7");
        assertThat(get("/latest")).startsWith("HTTP/1.1 301").contains("Location: /latest/");
        assertThat(get("/api/runs")).contains("application/json").contains("\"seed\":7");
    }

    @Test
    void whatNodesWroteIsTextThatRunsNothing() throws IOException {
        assertThat(get("/latest/nodes/n1/node.log"))
                .startsWith("HTTP/1.1 200")
                .contains("Content-type: text/plain")
                .contains("X-content-type-options: nosniff")
                .contains("sandbox");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/../secret.txt",
                "/register/../../secret.txt",
                "/%2e%2e/secret.txt",
                "/.%2e/secret.txt",
                "/..%2fsecret.txt",
                "/%2e%2e%2fsecret.txt",
                "/%252e%252e/secret.txt",
                "/..%5csecret.txt",
                "/..%c0%afsecret.txt",
                "/%c0%ae%c0%ae/secret.txt",
                "//secret.txt",
                "/../histories-other/secret.txt",
                "/out",
                "/outer/secret.txt",
                "/outer/histories-other/secret.txt",
                "/latest/..%00/secret.txt",
                "/.runs.jsonl",
                "/%2eruns.jsonl",
                "/register/%zz"
            })
    void noPathLeadsOut(String path) throws IOException {
        String answer = get(path);
        assertThat(answer).as(path).doesNotContain("secret\n").doesNotContain("\r\n\r\nsecret");
        assertThat(answer).as(path).doesNotContain("hidden");
        assertThat(answer).as(path).doesNotStartWith("HTTP/1.1 200").startsWith("HTTP/1.1 4");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host: evil.example\r\n",
                "",
                "Host: localhost.evil.example\r\n",
                "Host: 10.0.0.1\r\n"
            })
    void aNameOfSomebodyElseIsRefused(String host) throws IOException {
        String answer = ask("GET /", host);
        assertThat(answer).doesNotContain("20261124T010000-7").startsWith("HTTP/1.1 4");
    }

    @Test
    void nothingCanBeWritten() throws IOException {
        String host = "Host: 127.0.0.1\r\nContent-Length: 0\r\n";
        for (String method : new String[] {"POST", "PUT", "DELETE"}) {
            assertThat(ask(method + " /latest/test.json", host)).startsWith("HTTP/1.1 405");
        }
        assertThat(folder.resolve("histories/latest/test.json")).exists();
    }
}
