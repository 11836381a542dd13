package raft.shell.bench;

import org.jspecify.annotations.Nullable;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** etcd as Debian packages it, with its own defaults. */
final class EtcdCluster implements BenchCluster {
    static final String INSTALL = "apt-get install etcd-server";

    private static final long START_NANOS_MAX = 30_000_000_000L;
    private static final long QUOTA_BYTES = 8L << 30;

    private final Path folder;
    private final List<Integer> clientPorts;
    private final List<Process> processes = new ArrayList<>();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();

    /** The version that is installed, null where there is none. */
    static @Nullable String version() throws InterruptedException {
        try {
            Process process = new ProcessBuilder("etcd", "--version").start();
            try (InputStream out = process.getInputStream()) {
                String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
                int line = text.indexOf('\n');
                process.waitFor();
                return (line < 0 ? text : text.substring(0, line)).strip();
            }
        } catch (IOException e) {
            return null;
        }
    }

    EtcdCluster(Path folder) throws IOException {
        this.folder = folder;
        List<Integer> ports = Processes.freePorts(2 * MEMBER_COUNT);
        clientPorts = ports.subList(0, MEMBER_COUNT);
        List<String> members = new ArrayList<>();
        for (int i = 0; i < MEMBER_COUNT; i++) {
            members.add("e" + (i + 1) + "=" + url(ports.get(MEMBER_COUNT + i)));
        }
        for (int i = 0; i < MEMBER_COUNT; i++) {
            String name = "e" + (i + 1);
            Path own = Files.createDirectories(folder.resolve(name));
            String client = url(clientPorts.get(i));
            String peer = url(ports.get(MEMBER_COUNT + i));
            List<String> command = new ArrayList<>(List.of("etcd", "--name", name));
            command.addAll(List.of("--data-dir", own.resolve("data").toString()));
            command.addAll(List.of("--listen-client-urls", client));
            command.addAll(List.of("--advertise-client-urls", client));
            command.addAll(List.of("--listen-peer-urls", peer));
            command.addAll(List.of("--initial-advertise-peer-urls", peer));
            command.addAll(List.of("--initial-cluster", String.join(",", members)));
            command.addAll(List.of("--quota-backend-bytes", "" + QUOTA_BYTES));
            processes.add(
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(own.resolve("log").toFile())
                            .start());
        }
    }

    private static String url(int port) {
        return "http://127.0.0.1:" + port;
    }

    @Override
    public int leader() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + START_NANOS_MAX;
        IOException last = new IOException("etcd has no leader, see " + folder);
        while (System.nanoTime() < deadline) {
            for (int i = 0; i < MEMBER_COUNT; i++) {
                try {
                    if (leads(i)) {
                        return i;
                    }
                } catch (IOException e) {
                    last = e;
                }
            }
            Thread.sleep(50);
        }
        throw last;
    }

    private boolean leads(int member) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(
                                URI.create(url(clientPorts.get(member)) + "/v3/maintenance/status"))
                        .timeout(Duration.ofSeconds(1))
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))
                        .build();
        String body = http.send(request, HttpResponse.BodyHandlers.ofString()).body();
        JsonNode status = JsonMapper.shared().readTree(body);
        String leader = status.path("leader").asString("0");
        return !leader.equals("0")
                && leader.equals(status.path("header").path("member_id").asString(""));
    }

    @Override
    public int clientPort(int member) {
        return clientPorts.get(member);
    }

    @Override
    public Process process(int member) {
        return processes.get(member);
    }

    @Override
    public void close() throws IOException {
        try {
            for (Process process : processes) {
                Processes.kill(process);
            }
            http.close();
            Processes.deleteFolder(folder);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
