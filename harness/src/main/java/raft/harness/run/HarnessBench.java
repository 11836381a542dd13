package raft.harness.run;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.cluster.Cluster;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.NodeStatus;
import raft.harness.docker.InstantServer;
import raft.harness.docker.ProtocolClients;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryReader;
import raft.harness.history.HistoryWriter;
import raft.harness.model.Models;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultPlan;
import raft.harness.workload.RegisterWorkload;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * How many operations a second the harness itself can drive: the whole path — workload, loop,
 * history on disk, protocol over loopback — against a node that answers at once. What a cluster
 * then falls short of this is the cluster's own.
 */
public final class HarnessBench {
    private HarnessBench() {}

    /**
     * Measures.
     *
     * @param concurrency numbers of processes to try
     * @param rounds repetitions of each; medians are reported
     * @param roundMillis length of one
     * @param lines is told each figure as it comes
     * @return figures by name, for one JSON object
     */
    public static Map<String, Object> measure(
            List<Integer> concurrency, int rounds, long roundMillis, Consumer<String> lines)
            throws IOException, InterruptedException {
        Map<String, Object> figures = new LinkedHashMap<>();
        round(10, roundMillis); // Warms up the JVM.
        for (int processes : concurrency) {
            List<Double> rates = new ArrayList<>();
            for (int i = 0; i < rounds; i++) {
                rates.add(round(processes, roundMillis));
            }
            double[] ascending = rates.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            double median = ascending[ascending.length / 2];
            lines.accept(
                    String.format(
                            "%4d processes: %,9.0f operations/s (median of %d rounds of %d ms; %s)",
                            processes,
                            median,
                            rounds,
                            roundMillis,
                            Arrays.toString(
                                    Arrays.stream(ascending).mapToLong(Math::round).toArray())));
            figures.put("operationsPerSecond" + processes, Math.round(median));
        }
        return figures;
    }

    private static double round(int concurrency, long millis)
            throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("raft-bench");
        Path file = folder.resolve("history.jsonl");
        HistoryHeader header =
                new HistoryHeader(1, "bench", "register", "cas-register", List.of("n1"), 1);
        try (InstantCluster cluster = new InstantCluster();
                HistoryWriter history = new HistoryWriter(file, header)) {
            Interpreter interpreter =
                    new Interpreter(
                            cluster,
                            new RegisterWorkload(
                                    1, concurrency, RegisterWorkload.Options.atRate(10_000_000)),
                            FaultPlan.NONE,
                            new Interpreter.Options(
                                    millis * 1_000_000, concurrency, 2_000_000_000L, 1),
                            history::append,
                            (timeNanos, nodes) -> {},
                            line -> {},
                            () -> false);
            RunRecord record = interpreter.run();
            long completed = record.count(Type.OK) + record.count(Type.FAIL);
            if (record.count(Type.INFO) > 0 || completed == 0) {
                throw new IllegalStateException(
                        "an instant server must answer everything: " + record.errors());
            }
            return completed / (record.workloadNanos() / 1e9);
        } finally {
            // A harness that were fast because it recorded nonsense would be worth nothing.
            verify(file);
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    private static void verify(Path file) throws IOException {
        Verdict verdict =
                Checker.check(
                        HistoryReader.read(file), Models.named("cas-register"), Budget.DEFAULT);
        if (!(verdict instanceof Verdict.Valid)) {
            throw new IllegalStateException(
                    "the recorded history should be linearizable, but: " + verdict);
        }
    }

    /** One server under one name; knows no faults. */
    private static final class InstantCluster implements Cluster {
        private final InstantServer server;
        private final ProtocolClients clients;
        private final LinkedBlockingQueue<Completion> completions = new LinkedBlockingQueue<>();
        private final long originNanos = System.nanoTime();

        InstantCluster() throws IOException {
            server = InstantServer.start("n1");
            Map<String, InetSocketAddress> nodes = Map.of("n1", server.address());
            clients = new ProtocolClients(nodes, this::nowNanos, completions::add);
        }

        @Override
        public String kind() {
            return "instant";
        }

        @Override
        public List<String> nodes() {
            return List.of("n1");
        }

        @Override
        public long nowNanos() {
            return System.nanoTime() - originNanos;
        }

        @Override
        public void invoke(Invocation invocation) {
            clients.invoke(invocation);
        }

        @Override
        public void inject(ActiveFault fault) {
            throw new IllegalStateException("an instant server has no faults: " + fault);
        }

        @Override
        public void heal(ActiveFault fault) {
            throw new IllegalStateException("an instant server has no faults: " + fault);
        }

        @Override
        public void observe() {
            completions.add(
                    new Completion.Observation(
                            List.of(new NodeStatus("n1", true, "leader", 1, "n1", 0, 0, 0, "{}"))));
        }

        @Override
        public @Nullable Completion poll(long deadlineNanos) throws InterruptedException {
            Completion ready = completions.poll();
            return ready != null
                    ? ready
                    : completions.poll(
                            Math.max(0, deadlineNanos - nowNanos()), TimeUnit.NANOSECONDS);
        }

        @Override
        public void healAll() {}

        @Override
        public void close() {
            clients.close();
            server.close();
        }
    }
}
