package raft.harness.etcd;

import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;

/** etcd's JSON gateway: gRPC calls as HTTP posts, texts in base64, 64-bit numbers as texts. */
final class Gateway {
    private Gateway() {}

    static HttpRequest request(
            InetSocketAddress address, String path, String body, long timeoutMillis) {
        URI uri =
                URI.create(
                        "http://"
                                + address.getAddress().getHostAddress()
                                + ":"
                                + address.getPort()
                                + path);
        return HttpRequest.newBuilder(uri)
                .timeout(Duration.ofMillis(Math.max(1, timeoutMillis)))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }
}
