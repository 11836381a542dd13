package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** What a person is told when there is no usable engine; needs none. */
final class EngineTest {
    @Test
    void withoutAnEngineTheCommandThatStartsOneIsNamed(@TempDir Path folder) {
        assertThatThrownBy(() -> Engine.connect("unix://" + folder.resolve("docker.sock")))
                .isInstanceOf(EngineException.class)
                .hasMessage(
                        "no Docker engine answers at %s: run docker/engine up",
                        folder.resolve("docker.sock"));
    }

    @Test
    void anotherHostsEngineIsNotOursToStart() {
        assertThatThrownBy(() -> Engine.connect("tcp://127.0.0.1:1"))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("DOCKER_HOST=tcp://127.0.0.1:1")
                .hasMessageContaining("unset DOCKER_HOST");
    }

    @Test
    void anEngineThatIsTooOldIsRefused() throws IOException {
        withEngine(
                "{\"Version\":\"19.03.5\",\"ApiVersion\":\"1.40\",\"MinAPIVersion\":\"1.12\"}",
                host ->
                        assertThatThrownBy(() -> Engine.connect(host))
                                .isInstanceOf(EngineException.class)
                                .hasMessageContaining("19.03.5")
                                .hasMessageContaining("install engine 20.10 or later"));
    }

    @Test
    void aNewEngineIsSpokenToInAVersionThatItKnows() throws IOException {
        withEngine(
                "{\"Version\":\"29.1.0\",\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}",
                host -> {
                    try (Engine engine = Engine.connect(host)) {
                        assertThat(engine.apiVersion()).isEqualTo("1.44");
                        assertThat(engine.version()).isEqualTo("29.1.0");
                    }
                });
    }

    private interface Use {
        void of(String host) throws IOException;
    }

    /** A server that answers {@code /version} and nothing else, as an engine would. */
    private static void withEngine(String version, Use use) throws IOException {
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/version",
                exchange -> {
                    byte[] body = version.getBytes(StandardCharsets.UTF_8);
                    exchange.getResponseHeaders().add("Content-Type", "application/json");
                    exchange.sendResponseHeaders(200, body.length);
                    exchange.getResponseBody().write(body);
                    exchange.close();
                });
        server.start();
        try {
            use.of("tcp://127.0.0.1:" + server.getAddress().getPort());
        } finally {
            server.stop(0);
        }
    }
}
