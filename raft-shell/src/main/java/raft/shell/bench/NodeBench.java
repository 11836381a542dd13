package raft.shell.bench;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import raft.shell.ShutdownHook;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * {@code ./raft bench node}: our node and etcd side by side in one run, on this machine, on the
 * same disk, without containers.
 *
 * <p>Rounds alternate between the two, each store's load comes from a warm process of its own, one
 * round of each goes before those that count, and what is reported are medians of rounds, since a
 * busy machine spoils single ones.
 */
@Command(
        name = "node",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Our node beside etcd: three members each on this machine, 256-byte values,"
                        + " writes and linearizable reads.")
public final class NodeBench implements Callable<Integer> {
    private static final int MEMORY_KEY_COUNT = 1_000_000;
    private static final int WAL_VALUE_BYTES = 4096;
    private static final long WAL_BYTES = 1L << 30;

    /** What can be measured. */
    enum Part {
        WRITES("writes"),
        READS("reads"),
        CATCH_UP("catch-up"),
        ELECTIONS("elections"),
        MEMORY("memory"),
        RECOVERY("recovery");

        private final String word;

        Part(String word) {
            this.word = word;
        }

        /** As it is typed. */
        @Override
        public String toString() {
            return word;
        }
    }

    @Option(names = "--quick", description = "writes and reads alone, within a minute")
    private boolean quick;

    @Option(
            names = "--part",
            split = ",",
            paramLabel = "PART",
            description = "some of: ${COMPLETION-CANDIDATES}; default: all")
    private @Nullable List<Part> parts;

    @Option(
            names = "--clients",
            split = ",",
            paramLabel = "N",
            description = "numbers of clients (1,16,64,256)")
    private List<Integer> clients = List.of(1, 16, 64, 256);

    @Option(names = "--rounds", paramLabel = "N", description = "of each, alternating (5)")
    private @Nullable Integer rounds;

    @Option(names = "--seconds", paramLabel = "S", description = "length of a round (4)")
    private @Nullable Double seconds;

    @Option(
            names = "--connections",
            paramLabel = "N",
            description =
                    "most connections that clients share, for each store; 0: one a client"
                            + " (${DEFAULT-VALUE})")
    private int connections = 8;

    @Option(names = "--without-etcd", description = "our node alone")
    private boolean withoutEtcd;

    @Option(names = "--kills", paramLabel = "N", description = "of leaders, for elections (100)")
    private int kills = 100;

    @Option(
            names = "--node-java",
            paramLabel = "OPTIONS",
            description = "Java's options for our nodes (${DEFAULT-VALUE})")
    private String nodeJava = "-XX:+UseSerialGC -Xmn16m -Xms512m -Xmx2g -XX:-UsePerfData";

    @Option(
            names = "--folder",
            paramLabel = "FOLDER",
            description = "where the members' data lie while this runs (target/bench)")
    private @Nullable Path folder;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private final Path home = Path.of(System.getProperty("raft.home", "."));
    private final Map<String, Object> figures = new LinkedHashMap<>();

    @Override
    public Integer call() throws Exception {
        String etcd = withoutEtcd ? null : EtcdCluster.version();
        Path base = Files.createDirectories(folder == null ? home.resolve("target/bench") : folder);
        Path work = Files.createTempDirectory(base, "run-").toAbsolutePath();
        figures.put("benchmark", "node");
        figures.put("java", Runtime.version().toString());
        figures.put("processors", Runtime.getRuntime().availableProcessors());
        figures.put("etcd", etcd);
        figures.put("nodeJava", nodeJava);
        boolean done = false;
        Thread interrupted = new Thread(() -> Processes.leaveNothing(work), "end-members-and-load");
        Runtime.getRuntime().addShutdownHook(interrupted);
        try {
            figures.put("fsyncMicros", Machine.fsyncMicros(work));
            figures.put("loopbackMicros", Machine.loopbackMicros());
            say(
                    "one fsync takes %s us here, one round trip over loopback %s us (medians)",
                    figures.get("fsyncMicros"), figures.get("loopbackMicros"));
            if (etcd == null && !withoutEtcd) {
                say(
                        "etcd is not installed, so only our node is measured; as root: %s",
                        EtcdCluster.INSTALL);
            }
            if (wants(Part.WRITES) || wants(Part.READS)) {
                throughput(work, etcd != null);
            }
            if (wants(Part.CATCH_UP)) {
                catchUp(work);
            }
            if (wants(Part.ELECTIONS)) {
                elections(work);
            }
            if (wants(Part.MEMORY)) {
                memory(work, etcd != null);
            }
            if (wants(Part.RECOVERY)) {
                recovery(work);
            }
            done = true;
        } finally {
            ShutdownHook.remove(interrupted);
            if (done) {
                Processes.deleteFolder(work);
            } else {
                say("what the members and the load said is in %s", work);
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(JsonMapper.shared().writeValueAsString(figures));
        out.flush();
        return 0;
    }

    private boolean wants(Part part) {
        List<Part> chosen = parts;
        boolean isShort = part == Part.WRITES || part == Part.READS;
        return chosen != null ? chosen.contains(part) : !quick || isShort;
    }

    // ---- Throughput and latency

    private void throughput(Path work, boolean withEtcd) throws Exception {
        long roundMillis = Math.round(1000 * (seconds != null ? seconds : quick ? 1 : 4));
        int roundCount = rounds != null ? rounds : quick ? 1 : 5;
        long warmUpMillis = quick ? 4_000 : 10_000;
        try (RaftCluster ours = ours(work.resolve("raft"));
                EtcdCluster theirs = withEtcd ? new EtcdCluster(work.resolve("etcd")) : null;
                Load raft = load("raft", ours, work);
                Load etcd = theirs == null ? null : load("etcd", theirs, work)) {
            warmUp(raft, warmUpMillis);
            if (etcd != null) {
                warmUp(etcd, warmUpMillis);
            }
            say("");
            say("  %35s %6s %9s %9s %9s", "operations/s", "ratio", "p50 us", "p99 us", "p99.9 us");
            List<Map<String, Object>> lines = new ArrayList<>();
            for (Part part : List.of(Part.WRITES, Part.READS)) {
                boolean write = part == Part.WRITES;
                for (int clientCount : wants(part) ? clients : List.<Integer>of()) {
                    Cell mine = new Cell(clientCount);
                    Cell other = new Cell(clientCount);
                    int shared = shared(clientCount);
                    // The first round of either does not count: Java compiles anew for another
                    // number of clients, on the processors that are measured.
                    for (int i = -1; i < roundCount; i++) {
                        Load.Result own = raft.run(write, clientCount, shared, roundMillis);
                        Load.Result foreign =
                                etcd == null
                                        ? null
                                        : etcd.run(write, clientCount, shared, roundMillis);
                        if (i >= 0) {
                            mine.add(own);
                        }
                        if (i >= 0 && foreign != null) {
                            other.add(foreign);
                        }
                    }
                    lines.add(line(write, clientCount, mine, etcd == null ? null : other));
                }
            }
            figures.put("throughput", lines);
        }
    }

    private void warmUp(Load load, long millis) throws IOException {
        int keyCount = LoadGenerator.KEY_COUNT;
        load.fill(0, keyCount, keyCount, 64, shared(64), LoadGenerator.VALUE_BYTES);
        load.run(true, 64, shared(64), millis / 2);
        load.run(false, 64, shared(64), millis / 4);
        load.run(true, 256, shared(256), millis / 4);
    }

    private int shared(int clientCount) {
        return connections == 0 ? clientCount : Math.min(clientCount, connections);
    }

    private Map<String, Object> line(
            boolean write, int clientCount, Cell mine, @Nullable Cell other) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("kind", write ? "write" : "read");
        line.put("clients", clientCount);
        line.put("raft", mine.figures());
        String name =
                line.get("kind")
                        + "s, "
                        + clientCount
                        + (clientCount == 1 ? " client" : " clients");
        String ratio = "";
        if (other != null) {
            double times = mine.perSecond() / other.perSecond();
            line.put("etcd", other.figures());
            line.put("ratio", Math.round(times * 100) / 100.0);
            ratio = String.format(Locale.ROOT, "%.2f", times);
        }
        row(name, "ours", mine, ratio);
        if (other != null) {
            row("", "etcd", other, "");
        }
        return line;
    }

    private void row(String name, String store, Cell cell, String ratio) {
        say(
                "  %-19s %4s %,10.0f %6s %,9.0f %,9.0f %,9.0f",
                name,
                store,
                cell.perSecond(),
                ratio,
                cell.micros(50),
                cell.micros(99),
                cell.micros(99.9));
    }

    // ---- A slow follower catches up

    private void catchUp(Path work) throws Exception {
        long phaseMillis = quick ? 3_000 : 10_000;
        try (RaftCluster ours = ours(work.resolve("catchup"));
                Load raft = load("raft", ours, work)) {
            warmUp(raft, 4_000);
            int leader = ours.leader();
            int follower = (leader + 1) % BenchCluster.MEMBER_COUNT;
            double before = raft.run(true, 64, shared(64), phaseMillis).perSecond();
            Processes.signal(ours.process(follower), "STOP");
            double without = raft.run(true, 64, shared(64), phaseMillis).perSecond();
            Processes.signal(ours.process(follower), "CONT");
            long start = System.nanoTime();
            double during;
            double seconds;
            try (ExecutorService beside = Executors.newSingleThreadExecutor()) {
                // Only answers when the follower has what was committed, while more is written.
                Future<Double> caughtUp =
                        beside.submit(
                                () -> {
                                    ours.awaitCaughtUp(follower, 120_000);
                                    return (System.nanoTime() - start) / 1e9;
                                });
                during = raft.run(true, 64, shared(64), phaseMillis).perSecond();
                seconds = caughtUp.get();
            }
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("allThreePerSecond", Math.round(before));
            line.put("oneFrozenPerSecond", Math.round(without));
            line.put("catchingUpPerSecond", Math.round(during));
            line.put("caughtUpAfterSeconds", Math.round(seconds * 10) / 10.0);
            figures.put("catchUp", line);
            say("");
            say(
                    "a follower frozen for %d s, 64 writers: %,.0f/s before, %,.0f/s without it,"
                            + " %,.0f/s while it catches up (done after %.1f s)",
                    phaseMillis / 1000, before, without, during, seconds);
        }
    }

    // ---- Elections

    private void elections(Path work) throws Exception {
        try (RaftCluster ours = ours(work.resolve("elections"))) {
            double[] millis = new double[kills];
            for (int i = 0; i < kills; i++) {
                int leader = ours.leader();
                for (int member = 0; member < BenchCluster.MEMBER_COUNT; member++) {
                    ours.awaitCaughtUp(member, 30_000);
                }
                ours.kill(leader);
                long start = System.nanoTime();
                int next;
                while ((next = ours.leaderNow(leader)) < 0) {
                    Thread.sleep(1);
                }
                millis[i] = (System.nanoTime() - start) / 1e6;
                if (next == leader) {
                    throw new IllegalStateException("a dead node leads");
                }
                ours.start(leader);
            }
            Arrays.sort(millis);
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("kills", kills);
            line.put("minMillis", Math.round(millis[0]));
            line.put("p50Millis", Math.round(millis[kills / 2]));
            line.put("p90Millis", Math.round(millis[kills * 9 / 10]));
            line.put("p99Millis", Math.round(millis[kills * 99 / 100]));
            line.put("maxMillis", Math.round(millis[kills - 1]));
            figures.put("elections", line);
            say("");
            say(
                    "%d leaders killed (election timeout 500 ms): the next one after %.0f ms"
                            + " (median), %.0f ms (p90), %.0f ms (at most)",
                    kills, millis[kills / 2], millis[kills * 9 / 10], millis[kills - 1]);
        }
    }

    // ---- Memory

    private void memory(Path work, boolean withEtcd) throws Exception {
        int keyCount = quick ? MEMORY_KEY_COUNT / 10 : MEMORY_KEY_COUNT;
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("keys", keyCount);
        say("");
        try (RaftCluster ours = ours(work.resolve("memory-raft"));
                Load load = load("raft", ours, work)) {
            line.put("raftBytes", fill(ours, load, keyCount, "ours"));
            long live = Processes.liveHeapBytes(ours.process(ours.leader()));
            if (live >= 0) {
                line.put("raftLiveHeapBytes", live);
                say(
                        "  of that, %,d MiB are live; the rest the heap has not given back",
                        live >> 20);
            }
        }
        if (withEtcd) {
            try (EtcdCluster theirs = new EtcdCluster(work.resolve("memory-etcd"));
                    Load load = load("etcd", theirs, work)) {
                line.put("etcdBytes", fill(theirs, load, keyCount, "etcd"));
            }
        }
        figures.put("memory", line);
    }

    private long fill(BenchCluster cluster, Load load, int keyCount, String name)
            throws IOException, InterruptedException {
        Load.Result filled =
                load.fill(0, keyCount, keyCount, 256, shared(256), LoadGenerator.VALUE_BYTES);
        long bytes = Processes.residentBytes(cluster.process(cluster.leader()));
        say(
                "%,d keys of 256 bytes: %s's leader has %,d MiB resident (written at %,.0f/s)",
                keyCount, name, bytes >> 20, filled.perSecond());
        return bytes;
    }

    // ---- Recovery

    private void recovery(Path work) throws Exception {
        long walBytes = quick ? WAL_BYTES / 10 : WAL_BYTES;
        // No snapshot may shorten the log, which lies in memory too.
        try (RaftCluster ours =
                        ours(
                                work.resolve("recovery"),
                                nodeJava + " -Xmx4g",
                                List.of("--snapshot-log-mib", "1024"));
                Load load = load("raft", ours, work)) {
            long entryCount = walBytes / (WAL_VALUE_BYTES + 72);
            load.fill(0, entryCount, LoadGenerator.KEY_COUNT, 16, shared(16), WAL_VALUE_BYTES);
            int follower = (ours.leader() + 1) % BenchCluster.MEMBER_COUNT;
            ours.awaitCaughtUp(follower, 60_000);
            long applied = ours.status(follower).path("appliedIndex").asLong();
            ours.kill(follower);
            long onDisk = Processes.folderBytes(ours.data(follower));
            long start = System.nanoTime();
            ours.start(follower);
            long recovered = -1;
            while (recovered < 0) {
                try {
                    recovered = ours.status(follower).path("lastIndex").asLong(-1);
                } catch (IOException e) {
                    Thread.sleep(2);
                }
                if (System.nanoTime() - start > 120_000_000_000L) {
                    throw new IOException("the node did not come up again within 120 s");
                }
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            if (recovered < applied) {
                throw new IllegalStateException(
                        "the node had applied " + applied + " and recovered " + recovered);
            }
            ours.awaitCaughtUp(follower, 60_000);
            double applySeconds = (System.nanoTime() - start) / 1e9;
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("bytesOnDisk", onDisk);
            line.put("entries", recovered);
            line.put("seconds", Math.round(seconds * 100) / 100.0);
            line.put("untilAppliedSeconds", Math.round(applySeconds * 100) / 100.0);
            figures.put("recovery", line);
            say("");
            say(
                    "%,d MiB on disk recovered in %.2f s from exec to the first status, applied"
                            + " after %.2f s",
                    onDisk >> 20, seconds, applySeconds);
        }
    }

    // ---- Common

    private RaftCluster ours(Path folder) throws IOException {
        return ours(folder, nodeJava, List.of());
    }

    private RaftCluster ours(Path folder, String javaOptions, List<String> nodeOptions)
            throws IOException {
        List<String> java =
                Arrays.stream(javaOptions.split(" ")).filter(s -> !s.isBlank()).toList();
        Path jar = home.resolve("raft-node/target/raft-node.jar");
        return new RaftCluster(folder, jar, java, nodeOptions);
    }

    private Load load(String system, BenchCluster cluster, Path work)
            throws IOException, InterruptedException {
        Path built = home.resolve("raft-shell/target");
        List<Path> classPath =
                List.of(
                        built.resolve("raft-shell.jar"),
                        built.resolve("lib/*"),
                        built.resolve("lib-bench/*"));
        return new Load(
                system,
                cluster.clientPort(cluster.leader()),
                classPath,
                Files.createDirectories(work).resolve("load-" + system + ".log"));
    }

    private void say(String format, @Nullable Object... values) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, format + "%n", values);
        out.flush();
    }
}
