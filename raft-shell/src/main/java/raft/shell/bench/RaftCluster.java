package raft.shell.bench;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Our node: three processes with the defaults that a container gives it, save Java's own. */
final class RaftCluster implements BenchCluster {
    private static final long START_NANOS_MAX = 30_000_000_000L;

    private final Path folder;
    private final Path nodeJar;
    private final List<String> javaOptions;
    private final List<String> nodeOptions;
    private final List<Integer> ports = Processes.freePorts(3 * MEMBER_COUNT);
    private final String members;
    private final Process[] processes = new Process[MEMBER_COUNT];
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();

    /**
     * @param nodeOptions beyond those that every node needs
     */
    RaftCluster(Path folder, Path nodeJar, List<String> javaOptions, List<String> nodeOptions)
            throws IOException {
        this.folder = folder;
        this.nodeJar = nodeJar;
        this.javaOptions = List.copyOf(javaOptions);
        this.nodeOptions = List.copyOf(nodeOptions);
        List<String> all = new ArrayList<>();
        for (int i = 0; i < MEMBER_COUNT; i++) {
            all.add(name(i) + "=127.0.0.1:" + ports.get(MEMBER_COUNT + i));
        }
        this.members = String.join(",", all);
        for (int i = 0; i < MEMBER_COUNT; i++) {
            start(i);
        }
    }

    static String name(int member) {
        return "n" + (member + 1);
    }

    /** Starts a member that does not run. */
    void start(int member) throws IOException {
        Path own = Files.createDirectories(folder.resolve(name(member)));
        List<String> command = new ArrayList<>(List.of(Processes.java()));
        command.addAll(javaOptions);
        command.addAll(List.of("-jar", nodeJar.toString(), "--node-id", name(member)));
        command.addAll(List.of("--cluster-id", "bench", "--members", members));
        command.addAll(List.of("--client-listen", "127.0.0.1:" + clientPort(member)));
        command.addAll(List.of("--http-listen", "127.0.0.1:" + httpPort(member)));
        command.addAll(List.of("--data-dir", own.resolve("data").toString()));
        command.addAll(nodeOptions);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(own.resolve("log").toFile()));
        // What is set for another node must not reach these.
        builder.environment().keySet().removeIf(name -> name.startsWith("RAFT_"));
        processes[member] = builder.start();
    }

    Path data(int member) {
        return folder.resolve(name(member)).resolve("data");
    }

    /** Ends a member as a crash would. */
    void kill(int member) throws InterruptedException {
        Processes.kill(processes[member]);
    }

    /** What a member says of itself. */
    JsonNode status(int member) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(
                                URI.create("http://127.0.0.1:" + httpPort(member) + "/status"))
                        .timeout(Duration.ofSeconds(2))
                        .build();
        return JsonMapper.shared()
                .readTree(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
    }

    @Override
    public int leader() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + START_NANOS_MAX;
        while (System.nanoTime() < deadline) {
            int leader = leaderNow(-1);
            if (leader >= 0) {
                return leader;
            }
            Thread.sleep(20);
        }
        throw new IOException("our nodes have no leader, see " + folder);
    }

    /**
     * Who leads and has committed in its own term, without waiting; -1 for nobody.
     *
     * @param except not asked, -1 for none
     */
    int leaderNow(int except) throws InterruptedException {
        int best = -1;
        long bestTerm = -1;
        for (int i = 0; i < MEMBER_COUNT; i++) {
            try {
                if (i != except && processes[i].isAlive()) {
                    JsonNode status = status(i);
                    long term = status.path("term").asLong();
                    if (status.path("role").asString("").equals("leader") && term > bestTerm) {
                        best = i;
                        bestTerm = term;
                    }
                }
            } catch (IOException e) {
                // It is coming up, or going down.
            }
        }
        return best;
    }

    /** Waits until a member has applied at least what the leader has committed now. */
    void awaitCaughtUp(int member, long millisMax) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millisMax);
        while (System.nanoTime() < deadline) {
            try {
                long commit = status(leader()).path("commitIndex").asLong();
                if (status(member).path("appliedIndex").asLong(-1) >= commit) {
                    return;
                }
            } catch (IOException e) {
                // Not up yet.
            }
            Thread.sleep(10);
        }
        throw new IOException(name(member) + " did not catch up within " + millisMax + " ms");
    }

    @Override
    public int clientPort(int member) {
        return ports.get(member);
    }

    private int httpPort(int member) {
        return ports.get(2 * MEMBER_COUNT + member);
    }

    @Override
    public Process process(int member) {
        return processes[member];
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
