package raft.harness.docker;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Not a Raft node, only something with its outside: the three ports, a status, data that survive a
 * kill. It tells what reaches it from its peers, so that tests see a fault from where it matters.
 * One class without dependencies, because the image holds nothing but the JDK.
 */
final class StandInNode {
    /** Datagrams by the sender's address. */
    private static final Map<String, AtomicInteger> RECEIVED = new ConcurrentHashMap<>();

    /** Bytes of the log that were there at the start, and that are known to be synced now. */
    private static volatile long recovered;

    private static volatile long synced;

    private StandInNode() {}

    public static void main(String[] args) throws IOException {
        if (System.getenv("STAND_IN_FAILS") != null) {
            System.out.println("the stand-in was told to fail");
            System.exit(7);
        }
        String id = System.getenv("RAFT_NODE_ID");
        int starts = countStart();
        Thread.ofPlatform().start(StandInNode::writeLog);
        Thread.ofPlatform().start(StandInNode::receive);
        Thread.ofPlatform().start(() -> accept(7000));
        Thread.ofPlatform().start(() -> accept(7001));
        HttpServer http = HttpServer.create(new InetSocketAddress(7002), 0);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/status", exchange -> answer(exchange, status(id, starts)));
        http.createContext("/send", StandInNode::send);
        http.createContext("/connect", StandInNode::connect);
        http.start();
        System.out.println("stand-in " + id + " started, start number " + starts);
    }

    private static int countStart() throws IOException {
        Path file = Path.of(System.getenv("RAFT_DATA_DIR"), "starts");
        int starts = Files.exists(file) ? Integer.parseInt(Files.readString(file)) + 1 : 1;
        // Synced, or a power loss takes it away and the next start finds nothing to count on.
        Files.write(
                file,
                Integer.toString(starts).getBytes(StandardCharsets.UTF_8),
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE,
                StandardOpenOption.SYNC);
        return starts;
    }

    /** Appends and syncs all the time, and ends the process as a node should whose disk fails. */
    private static void writeLog() {
        try (FileChannel log =
                FileChannel.open(
                        Path.of(System.getenv("RAFT_DATA_DIR"), "log"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE)) {
            log.position(log.size());
            recovered = log.size();
            synced = recovered;
            while (true) {
                log.write(ByteBuffer.allocate(100));
                log.write(ByteBuffer.allocate(100));
                long written = log.position();
                log.force(false);
                synced = written;
                Thread.sleep(10);
            }
        } catch (IOException | InterruptedException e) {
            System.out.println("the disk failed: " + e);
            Runtime.getRuntime().halt(3);
        }
    }

    private static String status(String id, int starts) {
        StringBuilder received = new StringBuilder();
        new TreeMap<>(RECEIVED)
                .forEach(
                        (from, count) ->
                                received.append(received.isEmpty() ? "" : ",")
                                        .append('"')
                                        .append(from)
                                        .append("\":")
                                        .append(count));
        return "{\"id\":\""
                + id
                + "\",\"role\":\"follower\",\"term\":"
                + starts
                + ",\"leader\":null,\"commitIndex\":1,\"appliedIndex\":2,\"lastIndex\":3,"
                + "\"clock\":{\"utcMillis\":"
                + System.currentTimeMillis()
                + ",\"monotonicNanos\":"
                + System.nanoTime()
                + "},\"recovered\":"
                + recovered
                + ",\"synced\":"
                + synced
                + ",\"received\":{"
                + received
                + "}}";
    }

    private static void receive() {
        try (DatagramSocket socket = new DatagramSocket(7000)) {
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            while (true) {
                socket.receive(packet);
                String from = packet.getAddress().getHostAddress();
                RECEIVED.computeIfAbsent(from, address -> new AtomicInteger()).incrementAndGet();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void accept(int port) {
        try (ServerSocket server = new ServerSocket(port)) {
            while (true) {
                server.accept().close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends one datagram to the address in the query. */
    private static void send(HttpExchange exchange) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            InetAddress to = InetAddress.getByName(exchange.getRequestURI().getQuery());
            socket.send(new DatagramPacket(new byte[] {1}, 1, to, 7000));
        }
        answer(exchange, "sent");
    }

    /** Says whether a TCP connection to the address in the query comes about within 300 ms. */
    private static void connect(HttpExchange exchange) throws IOException {
        String result = "connected";
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(exchange.getRequestURI().getQuery(), 7000), 300);
        } catch (IOException e) {
            result = "failed";
        }
        answer(exchange, result);
    }

    private static void answer(HttpExchange exchange, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
