package raft.harness.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.Version;
import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.core.DockerClientConfig;
import com.github.dockerjava.core.DockerClientImpl;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeoutException;

/**
 * A connection to a Docker engine in a version of its API that both sides speak.
 *
 * <p>The client library has no negotiation, and an engine refuses versions outside its own range
 * (29 refuses below 1.44, 20.10 above 1.41): so {@code /version} is asked without a version first,
 * and a second client speaks the version nearest to {@link ApiVersion#PREFERRED}. The engine is the
 * one of DOCKER_HOST or the current context, else the local socket. Safe for use by many threads.
 */
public final class Engine implements AutoCloseable {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    /** Nothing asked of an engine takes so long but a stream, which has a client of its own. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(60);

    private static final int CONNECTIONS_MAX = 200;

    private final DockerClient commands;
    private final DockerClient streams;
    private final URI host;
    private final String version;
    private final ApiVersion apiVersion;

    private Engine(
            DockerClient commands,
            DockerClient streams,
            URI host,
            String version,
            ApiVersion apiVersion) {
        this.commands = commands;
        this.streams = streams;
        this.host = host;
        this.version = version;
        this.apiVersion = apiVersion;
    }

    /**
     * Finds the engine and agrees on a version.
     *
     * @throws EngineException when none answers, this user may not talk to it, or it is too old
     */
    public static Engine connect() throws EngineException {
        return connect(System.getenv("DOCKER_HOST"));
    }

    static Engine connect(@Nullable String dockerHost) throws EngineException {
        DockerClientConfig unversioned = config(dockerHost, null);
        Version answer = askVersion(unversioned);
        ApiVersion agreed =
                agree(answer.getVersion(), answer.getApiVersion(), answer.getMinAPIVersion());
        DockerClientConfig versioned = config(dockerHost, agreed.toString());
        return new Engine(
                client(versioned, ANSWER_TIMEOUT),
                client(versioned, null),
                versioned.getDockerHost(),
                answer.getVersion(),
                agreed);
    }

    private static Version askVersion(DockerClientConfig config) throws EngineException {
        try (DockerClient client = client(config, Duration.ofSeconds(10))) {
            return client.versionCmd().exec();
        } catch (RuntimeException | IOException e) {
            throw new EngineException(whyNoAnswer(config.getDockerHost(), e), e);
        }
    }

    /**
     * The version to speak with an engine.
     *
     * @param engineVersion only for the message
     * @param newest the newest that the engine speaks
     * @param oldest the oldest that it speaks; null from engines that speak all from the first
     */
    static ApiVersion agree(
            @Nullable String engineVersion, @Nullable String newest, @Nullable String oldest)
            throws EngineException {
        ApiVersion max;
        ApiVersion min;
        try {
            max = ApiVersion.parse(String.valueOf(newest));
            min = oldest == null || oldest.isBlank() ? max : ApiVersion.parse(oldest);
        } catch (IllegalArgumentException e) {
            throw new EngineException(
                    "what answers is no Docker engine: its API versions are "
                            + oldest
                            + " to "
                            + newest,
                    e);
        }
        if (max.compareTo(ApiVersion.OLDEST_USABLE) < 0) {
            throw new EngineException(
                    "the Docker engine "
                            + engineVersion
                            + " is too old (API "
                            + max
                            + ", needed is "
                            + ApiVersion.OLDEST_USABLE
                            + "): install engine 20.10 or later");
        }
        return ApiVersion.PREFERRED.clampedTo(min, max);
    }

    private static String whyNoAnswer(URI host, Exception failure) {
        if ("unix".equals(host.getScheme())) {
            Path socket = Path.of(host.getPath());
            if (Files.exists(socket) && !Files.isWritable(socket)) {
                return "no permission on "
                        + socket
                        + ": run as root, or add yourself to the group docker and log in again";
            }
            return "no Docker engine answers at " + socket + ": run docker/engine up";
        }
        String reason = isTimeout(failure) ? "no answer in time" : rootMessage(failure);
        return "no Docker engine answers at DOCKER_HOST="
                + host
                + " ("
                + reason
                + "): start that engine, or unset DOCKER_HOST and run docker/engine up";
    }

    private static boolean isTimeout(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof TimeoutException || t instanceof java.net.SocketTimeoutException) {
                return true;
            }
        }
        return false;
    }

    /** The innermost message of a failure of the client library, in one line. */
    static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = root.getMessage();
        return (message == null ? root.getClass().getSimpleName() : message)
                .strip()
                .replaceAll("\\s+", " ");
    }

    private static DockerClientConfig config(
            @Nullable String dockerHost, @Nullable String version) {
        DefaultDockerClientConfig.Builder builder =
                DefaultDockerClientConfig.createDefaultConfigBuilder();
        if (dockerHost != null && !dockerHost.isBlank()) {
            builder.withDockerHost(dockerHost);
        }
        if (version != null) {
            builder.withApiVersion(version);
        }
        return builder.build();
    }

    private static DockerClient client(DockerClientConfig config, @Nullable Duration timeout) {
        ZerodepDockerHttpClient.Builder http =
                new ZerodepDockerHttpClient.Builder()
                        .dockerHost(config.getDockerHost())
                        .sslConfig(config.getSSLConfig())
                        .maxConnections(CONNECTIONS_MAX)
                        .connectionTimeout(CONNECT_TIMEOUT);
        if (timeout != null) {
            http.responseTimeout(timeout);
        }
        return DockerClientImpl.getInstance(config, http.build());
    }

    /** For everything that ends by itself. */
    DockerClient commands() {
        return commands;
    }

    /** For logs that are followed, shells and builds: may be silent for as long as they like. */
    DockerClient streams() {
        return streams;
    }

    /** "20.10.24", say. */
    public String version() {
        return version;
    }

    /** The version of the API that is spoken, "1.41" say. */
    public String apiVersion() {
        return apiVersion.toString();
    }

    /** As messages name it. */
    @Override
    public String toString() {
        return version + " at " + host;
    }

    public URI host() {
        return host;
    }

    @Override
    public void close() {
        for (DockerClient client : new DockerClient[] {streams, commands}) {
            try {
                client.close();
            } catch (IOException e) {
                // Connections that cannot be closed are of no use to anybody; nothing is lost.
            }
        }
    }
}
