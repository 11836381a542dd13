package raft.node;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;

import org.jspecify.annotations.Nullable;

import raft.client.Credentials;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeoutException;

import javax.net.ssl.SSLParameters;

/**
 * What a node tells over HTTP, for people, monitors and the harness. It only reads; nothing here
 * changes the node.
 *
 * <pre>
 * GET /status                    everything, one JSON object
 * GET /metrics                   the same for Prometheus
 * GET /health                    200 while the event loop answers, else 503
 * GET /log?from=I&amp;count=N        entries from index I on
 * GET /trace?after=N&amp;count=M      transitions with numbers above N, JSON Lines
 * </pre>
 */
final class HttpStatus {
    private static final String JSON = "application/json";
    private static final String JSON_LINES = "application/x-ndjson";
    private static final String PLAIN = "text/plain; charset=utf-8";

    /** Answers are made in memory; whoever asks from many connections at once must wait. */
    private static final int CONCURRENT_MAX = 16;

    private final HttpServer server;
    private final Source source;
    private final Semaphore permits = new Semaphore(CONCURRENT_MAX);

    /** Where answers come from. */
    interface Source {
        Status status() throws TimeoutException, InterruptedException;

        LogView log(long fromIndex, int countMax) throws TimeoutException, InterruptedException;

        /** As {@link Trace#after} gives it. */
        String trace(long after, int countMax);

        Timings timings();
    }

    private record Answer(int code, String type, String body) {
        static Answer ok(String type, String body) {
            return new Answer(200, type, body);
        }
    }

    /** The request cannot be answered as it stands. */
    private static final class BadQueryException extends Exception {
        private static final long serialVersionUID = 1;

        BadQueryException(String message) {
            super(message);
        }
    }

    /**
     * @param certificates null: plain text
     */
    HttpStatus(InetSocketAddress address, @Nullable Certificates certificates, Source source)
            throws IOException {
        this.source = source;
        // Read once by the server's classes: nobody keeps a connection by being slow.
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
        System.setProperty("sun.net.httpserver.maxRspTime", "10");
        server =
                certificates == null
                        ? HttpServer.create(address, 0)
                        : secured(address, certificates);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::serve);
    }

    private static HttpServer secured(InetSocketAddress address, Certificates certificates)
            throws IOException {
        HttpsServer secured = HttpsServer.create(address, 0);
        secured.setHttpsConfigurator(
                new HttpsConfigurator(certificates.context()) {
                    @Override
                    public void configure(HttpsParameters parameters) {
                        SSLParameters tls = getSSLContext().getDefaultSSLParameters();
                        tls.setNeedClientAuth(true);
                        tls.setProtocols(Credentials.protocols());
                        parameters.setSSLParameters(tls);
                    }
                });
        return secured;
    }

    void start() {
        server.start();
    }

    InetSocketAddress address() {
        return server.getAddress();
    }

    void stop() {
        server.stop(0);
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!permits.tryAcquire()) {
                send(exchange, new Answer(503, PLAIN, "Too many requests at once.\n"));
                return;
            }
            try {
                send(exchange, answer(exchange));
            } finally {
                permits.release();
            }
        }
    }

    private Answer answer(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        String query = exchange.getRequestURI().getRawQuery();
        try {
            Answer answer =
                    switch (path) {
                        case "/status" -> Answer.ok(JSON, source.status().json() + "\n");
                        case "/metrics" ->
                                Answer.ok(
                                        Metrics.CONTENT_TYPE,
                                        Metrics.text(source.status(), source.timings()));
                        case "/health" -> health();
                        case "/log" -> log(query);
                        case "/trace" -> trace(query);
                        default ->
                                new Answer(
                                        404,
                                        PLAIN,
                                        "There are /status, /metrics, /health, /log?from=I&count=N"
                                                + " and /trace?after=N&count=M.\n");
                    };
            boolean reads = exchange.getRequestMethod().equals("GET");
            return reads || answer.code() == 404 ? answer : new Answer(405, PLAIN, "Only GET.\n");
        } catch (BadQueryException e) {
            return new Answer(400, PLAIN, e.getMessage() + "\n");
        } catch (TimeoutException | InterruptedException e) {
            String error = "{\"healthy\":false,\"error\":\"the event loop does not answer\"}\n";
            return new Answer(503, JSON, error);
        }
    }

    private Answer health() throws TimeoutException, InterruptedException {
        Json json = new Json().beginObject().field("healthy", true);
        json.field("leader", source.status().leader());
        return Answer.ok(JSON, json.endObject() + "\n");
    }

    private Answer log(@Nullable String query)
            throws BadQueryException, TimeoutException, InterruptedException {
        long from = number(query, "from", 1, Long.MAX_VALUE);
        int count = (int) number(query, "count", LogView.COUNT_DEFAULT, LogView.COUNT_MAX);
        return Answer.ok(JSON, source.log(from, count).json() + "\n");
    }

    private Answer trace(@Nullable String query) throws BadQueryException {
        long after = number(query, "after", 0, Long.MAX_VALUE);
        int count = (int) number(query, "count", Trace.LINE_COUNT_MAX, Trace.LINE_COUNT_MAX);
        return Answer.ok(JSON_LINES, source.trace(after, count));
    }

    private static long number(@Nullable String query, String name, long fallback, long max)
            throws BadQueryException {
        for (String part : query == null ? new String[0] : query.split("&", -1)) {
            if (part.startsWith(name + "=")) {
                String text = part.substring(name.length() + 1);
                long number = text.matches("[0-9]{1,18}") ? Long.parseLong(text) : -1;
                if (number < 0 || number > max) {
                    throw new BadQueryException(
                            name + " must be a number from 0 to " + max + ", not '" + text + "'.");
                }
                return number;
            }
        }
        return fallback;
    }

    private static void send(HttpExchange exchange, Answer answer) throws IOException {
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", answer.type());
        exchange.sendResponseHeaders(answer.code(), body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }
}
