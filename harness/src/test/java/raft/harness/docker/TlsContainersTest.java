package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Blob;
import raft.client.CallException;
import raft.client.ClientConnection;
import raft.client.Credentials;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.client.SessionClient;

import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;

/** Nodes of ours that were started with certificates of their own run. */
@Tag("containers")
final class TlsContainersTest {
    private static final int ANSWER_MILLIS = 30_000;
    private static final Blob X = Blob.ofText("x");
    private static final Blob ONE = Blob.ofText("1");

    @Test
    void nodesServeWhoTheirAuthorityKnowsAndNobodyElse(@TempDir Path folder) throws Exception {
        ContainerEngine.require().close();
        Path jar = ProjectFolder.find().resolve("raft-node/target/raft-node.jar");
        assertThat(jar).as("mvn package makes it").exists();
        String runId = StandInCluster.newRunId();
        try (RunAuthority authority = RunAuthority.make();
                RunAuthority other = RunAuthority.make();
                DockerCluster cluster =
                        DockerCluster.start(
                                DockerOptions.ofJar(runId, 3, jar).withTls(authority),
                                folder,
                                System.err::println)) {
            Map<String, InetSocketAddress> clients = cluster.clientAddresses();
            // A write needs a majority, which speaks TLS among itself.
            try (SessionClient client = new SessionClient(clients, authority.credentials())) {
                assertThat(client.call(new Request.Put(X, ONE), ANSWER_MILLIS))
                        .isInstanceOf(Reply.Ok.class);
                assertThat(client.call(new Request.Get(X), ANSWER_MILLIS))
                        .isInstanceOfSatisfying(
                                Reply.Ok.class,
                                ok -> assertThat(ok.result()).isEqualTo(new Result.Found(ONE)));
            }
            InetSocketAddress n1 = clients.get("n1");
            assertRefused(n1, null, "it speaks TLS only, and this client has no certificate");
            assertRefused(n1, other.credentials(), "is not signed by an authority of tls-ca");
            InetSocketAddress http = cluster.httpAddresses().get("n1");
            try (HttpClient plain = HttpClient.newHttpClient()) {
                URI status =
                        URI.create(
                                "http://"
                                        + http.getAddress().getHostAddress()
                                        + ":"
                                        + http.getPort()
                                        + "/status");
                assertThatIOException()
                        .isThrownBy(
                                () ->
                                        plain.send(
                                                HttpRequest.newBuilder(status).build(),
                                                HttpResponse.BodyHandlers.ofString()));
            }
        }
    }

    private static void assertRefused(
            InetSocketAddress address, @Nullable Credentials credentials, String reason) {
        assertThatExceptionOfType(CallException.class)
                .isThrownBy(
                        () ->
                                ClientConnection.connect(
                                        address.getAddress().getHostAddress(),
                                        address.getPort(),
                                        credentials,
                                        ANSWER_MILLIS))
                .withMessageContaining(reason)
                .satisfies(e -> assertThat(e.fate()).isEqualTo(CallException.Fate.NOT_SENT));
    }
}
