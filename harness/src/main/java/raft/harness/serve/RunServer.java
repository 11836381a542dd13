package raft.harness.serve;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.jspecify.annotations.Nullable;

import raft.harness.report.Html;
import raft.harness.report.Page;
import raft.harness.report.ReportPage;
import raft.harness.report.RunList;
import raft.harness.report.RunsPage;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * Serves all runs to browsers on this machine. {@code /} is the list, a run's name its page, a
 * file's path the file; {@code /api/runs} the list for programs.
 *
 * <p>Bound to the loopback address, and a request must also name it: a page of somebody else's,
 * open in the same browser, can point a name of its own at 127.0.0.1 and would else read
 * everything.
 */
public final class RunServer implements AutoCloseable {
    private static final String HTML = "text/html; charset=utf-8";
    private static final String PAGE_POLICY =
            "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src"
                    + " data: blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    private static final String FILE_POLICY = "default-src 'none'; sandbox";

    private final Path root;
    private final HttpServer server;
    private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();

    private RunServer(Path root, HttpServer server) {
        this.root = root;
        this.server = server;
    }

    /**
     * Starts it.
     *
     * @param root the folder of all runs
     * @param port 0 for any free one
     * @throws IOException when the port cannot be had
     */
    public static RunServer start(Path root, int port) throws IOException {
        HttpServer http =
                HttpServer.create(
                        new InetSocketAddress(
                                InetAddress.getByAddress("localhost", new byte[] {127, 0, 0, 1}),
                                port),
                        64);
        RunServer server = new RunServer(root, http);
        http.createContext("/", server::handle);
        http.setExecutor(server.workers);
        http.start();
        return server;
    }

    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        workers.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
            exchange.getResponseHeaders().set("Cross-Origin-Resource-Policy", "same-origin");
            exchange.getResponseHeaders().set("Referrer-Policy", "no-referrer");
            exchange.getResponseHeaders().set("Cache-Control", "no-store");
            String method = exchange.getRequestMethod();
            if (!method.equals("GET") && !method.equals("HEAD")) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                message(exchange, 405, "Only reading is possible here.");
            } else if (!namesLoopback(exchange.getRequestHeaders().getFirst("Host"))) {
                message(exchange, 421, "This server answers to localhost only.");
            } else {
                answer(exchange);
            }
        } catch (IOException e) {
            // The browser went away, or the disk did: there is nobody to tell.
        } catch (RuntimeException e) {
            message(exchange, 500, "This page could not be made: " + e);
        }
    }

    /** Whether a Host header names this machine's loopback, with any port. */
    static boolean namesLoopback(@Nullable String host) {
        if (host == null) {
            return false;
        }
        String name = host.toLowerCase(Locale.ROOT).replaceFirst(":\\d{1,5}$", "");
        return name.equals("localhost") || name.equals("127.0.0.1") || name.equals("[::1]");
    }

    private void answer(HttpExchange exchange) throws IOException {
        String raw = exchange.getRequestURI().getRawPath();
        switch (raw) {
            case "/" -> {
                boolean nights = Files.exists(root.resolve("nightly/index.html"));
                page(exchange, RunsPage.html(new RunList(root).read(), nights));
            }
            case "/api/runs" ->
                    send(
                            exchange,
                            200,
                            "application/json",
                            FILE_POLICY,
                            JsonMapper.shared().writeValueAsString(new RunList(root).read()));
            default -> {
                Path path = RunPath.resolve(root, raw);
                if (path == null) {
                    message(exchange, 404, "There is no such run or file.");
                } else if (Files.isDirectory(path)) {
                    folder(exchange, raw, path);
                } else {
                    file(exchange, path);
                }
            }
        }
    }

    private void folder(HttpExchange exchange, String raw, Path folder) throws IOException {
        if (!raw.endsWith("/")) {
            // Else what the page names relative to itself would be looked for beside it.
            exchange.getResponseHeaders().set("Location", raw + "/");
            message(exchange, 301, "See " + raw + "/");
        } else if (Files.exists(folder.resolve("test.json"))
                || Files.exists(folder.resolve("history.jsonl"))) {
            page(exchange, ReportPage.html(folder, 0, Long.MAX_VALUE, "/"));
        } else if (Files.isRegularFile(folder.resolve("index.html"))) {
            file(exchange, folder.resolve("index.html").toRealPath());
        } else {
            page(exchange, listing(raw, folder));
        }
    }

    private static String listing(String raw, Path folder) throws IOException {
        StringBuilder body = new StringBuilder("<div class=\"head\"><div><h1>");
        body.append(Html.text(folder.getFileName().toString())).append("</h1></div></div>");
        body.append("<section><ul>");
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.sorted().toList()) {
                String name = entry.getFileName().toString();
                if (!name.startsWith(".")) {
                    String slash = Files.isDirectory(entry) ? "/" : "";
                    body.append("<li><a href=\"")
                            .append(Html.text(raw + encoded(name) + slash))
                            .append("\">")
                            .append(Html.text(name + slash))
                            .append("</a></li>");
                }
            }
        }
        return Page.of(
                folder.getFileName().toString(),
                "<a href=\"/\">← All runs</a>",
                body.append("</ul></section>").toString(),
                Map.of());
    }

    private static String encoded(String name) {
        return java.net.URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Pages of ours are shown as pages, everything else as plain text that can run nothing. */
    private static void file(HttpExchange exchange, Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            message(exchange, 404, "This is no ordinary file.");
            return;
        }
        String name = file.getFileName().toString();
        boolean ours = name.equals("index.html") || name.equals(ReportPage.FILE);
        exchange.getResponseHeaders()
                .set(
                        "Content-Type",
                        ours
                                ? HTML
                                : name.endsWith(".json")
                                        ? "application/json"
                                        : "text/plain; charset=utf-8");
        exchange.getResponseHeaders()
                .set("Content-Security-Policy", ours ? PAGE_POLICY : FILE_POLICY);
        long size = Files.size(file);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        exchange.sendResponseHeaders(200, size == 0 ? -1 : size);
        try (InputStream in = Files.newInputStream(file);
                OutputStream out = exchange.getResponseBody()) {
            // A history may grow while it is sent; only what was promised is.
            byte[] buffer = new byte[1 << 16];
            for (long left = size; left > 0; ) {
                int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
                if (read < 0) {
                    break;
                }
                out.write(buffer, 0, read);
                left -= read;
            }
        }
    }

    private static void page(HttpExchange exchange, String html) throws IOException {
        send(exchange, 200, HTML, PAGE_POLICY, html);
    }

    private static void message(HttpExchange exchange, int status, String words)
            throws IOException {
        send(exchange, status, "text/plain; charset=utf-8", FILE_POLICY, words + "\n");
    }

    private static void send(
            HttpExchange exchange, int status, String type, String policy, String text)
            throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.getResponseHeaders().set("Content-Security-Policy", policy);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }
}
