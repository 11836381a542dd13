package raft.node;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;

/** GET /status and GET /health, for people, monitors and the harness. */
final class HttpStatus {
    private final HttpServer server;
    private final Source source;

    /** Where a status comes from. */
    @FunctionalInterface
    interface Source {
        Status status() throws TimeoutException, InterruptedException;
    }

    HttpStatus(InetSocketAddress address, Source source) throws IOException {
        this.source = source;
        // Read once by the server's classes: nobody keeps a connection by being slow.
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
        System.setProperty("sun.net.httpserver.maxRspTime", "10");
        server = HttpServer.create(address, 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/status", this::status);
        server.createContext("/health", this::health);
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

    private void status(HttpExchange exchange) throws IOException {
        try {
            reply(exchange, 200, source.status().json() + "\n");
        } catch (TimeoutException | InterruptedException e) {
            reply(exchange, 503, "{\"error\":\"the event loop does not answer\"}\n");
        }
    }

    private void health(HttpExchange exchange) throws IOException {
        try {
            Status status = source.status();
            String leader = status.leader() == null ? "null" : "\"" + status.leader() + "\"";
            reply(exchange, 200, "{\"healthy\":true,\"leader\":" + leader + "}\n");
        } catch (TimeoutException | InterruptedException e) {
            reply(exchange, 503, "{\"healthy\":false}\n");
        }
    }

    private static void reply(HttpExchange exchange, int code, String json) throws IOException {
        try (exchange) {
            boolean reads = exchange.getRequestMethod().equals("GET");
            boolean exists = exchange.getRequestURI().getPath().lastIndexOf('/') == 0;
            int status = !exists ? 404 : reads ? code : 405;
            byte[] body = (status == code ? json : "").getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
