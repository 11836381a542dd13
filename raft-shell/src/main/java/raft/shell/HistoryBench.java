package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import raft.harness.checker.HistoryGenerator;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryWriter;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * {@code ./raft bench history}: how long a person waits for the commands on recorded runs, where
 * there are thousands and one of them is large. Each command runs in a process of its own, as it
 * does for a person, through the launcher; its start is measured too and told apart.
 */
@Command(
        name = "history",
        mixinStandardHelpOptions = true,
        description =
                "Time to an answer of './raft history list' over 5,000 runs, and of show, stats and"
                        + " timeline on a history of a million operations.")
final class HistoryBench implements Callable<Integer> {
    private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss");
    private static final int LIST_RUNS = 5_000;

    @Option(names = "--quick", description = "100,000 operations and three rounds: half a minute")
    private boolean quick;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        int rounds = quick ? 3 : 7;
        int operations = quick ? 100_000 : 1_000_000;
        Path root = Files.createTempDirectory("raft-bench-history");
        try {
            makeRuns(root);
            Path large = makeLargeRun(root, operations);
            String middle = String.format(Locale.ROOT, "%ds", largeSeconds(large) / 2);
            String end = String.format(Locale.ROOT, "%ds", largeSeconds(large) / 2 + 1);
            Map<String, List<String>> commands = new LinkedHashMap<>();
            commands.put("javaStart", List.of("--version"));
            commands.put("list", List.of("history", "list"));
            commands.put("listSearch", List.of("history", "list", "--search", "queue"));
            commands.put("show", List.of("history", "show", "large"));
            commands.put(
                    "showKeyInAStretch",
                    List.of(
                            "history", "show", "large", "--from", middle, "--to", end, "--key", "3",
                            "--limit", "50"));
            commands.put("showValue", List.of("history", "show", "large", "--value", "1234"));
            commands.put("stats", List.of("history", "stats", "large"));
            commands.put(
                    "timeline",
                    List.of("history", "timeline", "large", "--from", middle, "--to", end));
            Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("benchmark", "history");
            figures.put("runs", LIST_RUNS);
            figures.put("operations", operations);
            double start = 0;
            for (Map.Entry<String, List<String>> command : commands.entrySet()) {
                boolean version = command.getKey().equals("javaStart");
                // The first makes the index, once in a run's life.
                double first = version ? 0 : run(root, command.getValue());
                double median = median(root, command.getValue(), rounds, version);
                start = version ? median : start;
                if (version) {
                    out.printf(Locale.ROOT, "%-18s %7.0f ms%n", command.getKey(), median);
                } else {
                    out.printf(
                            Locale.ROOT,
                            "%-18s %7.0f ms beyond the start, the first time %.0f ms%n",
                            command.getKey(),
                            median - start,
                            first - start);
                }
                out.flush();
                figures.put(
                        command.getKey() + "Millis", Math.round(version ? median : median - start));
                if (!version) {
                    figures.put(command.getKey() + "FirstMillis", Math.round(first - start));
                }
            }
            figures.put("java", Runtime.version().toString());
            out.println(JsonMapper.shared().writeValueAsString(figures));
            return 0;
        } finally {
            deleteTree(root);
        }
    }

    private double median(Path root, List<String> words, int rounds, boolean bare)
            throws IOException, InterruptedException {
        double[] millis = new double[rounds];
        for (int i = 0; i < rounds; i++) {
            millis[i] = run(bare ? null : root, words);
        }
        Arrays.sort(millis);
        return millis[rounds / 2];
    }

    /** Milliseconds from the start of the process to its end. */
    private static double run(@org.jspecify.annotations.Nullable Path root, List<String> words)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Home.folder().toAbsolutePath().resolve("raft").toString());
        command.addAll(words);
        if (root != null) {
            command.addAll(List.of("--histories", root.toString()));
        }
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("RAFT_NO_BUILD", "1");
        long begun = System.nanoTime();
        Process process = builder.start();
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException(String.join(" ", words) + " ended with status " + status);
        }
        return (System.nanoTime() - begun) / 1e6;
    }

    // ---- What is measured on ----

    private static void makeRuns(Path root) throws IOException {
        LocalDateTime begun = LocalDateTime.of(2026, 1, 1, 0, 0);
        List<String> workloads = List.of("register", "queue", "lock", "list-append", "counter");
        List<String> verdicts = List.of("valid", "valid", "valid", "insufficient-evidence");
        for (int i = 0; i < LIST_RUNS; i++) {
            String workload = workloads.get(i % workloads.size());
            Path run =
                    Files.createDirectories(
                            root.resolve(workload)
                                    .resolve(NAME.format(begun.plusMinutes(i)) + "-" + i));
            Map<String, Object> test = new LinkedHashMap<>();
            test.put("cluster", i % 3 == 0 ? "docker" : "sim");
            test.put("workload", workload);
            test.put("nodes", 5);
            test.put("seed", i);
            test.put("faults", List.of("partition", "kill"));
            Map<String, Object> results = new LinkedHashMap<>();
            results.put("verdict", verdicts.get(i % verdicts.size()));
            results.put("operations", 1_000 + i);
            results.put("seconds", 60.0);
            results.put("reasons", List.of());
            Files.writeString(
                    run.resolve("test.json"), JsonMapper.shared().writeValueAsString(test));
            Files.writeString(
                    run.resolve("results.json"), JsonMapper.shared().writeValueAsString(results));
            Files.writeString(run.resolve("history.jsonl"), "{}");
        }
    }

    /** Of ten processes, at 5,000 operations a second. */
    private static Path makeLargeRun(Path root, int operations) throws IOException {
        History generated =
                HistoryGenerator.generate(
                        new HistoryGenerator.Shape(1, operations, 10, 20, 0, 0.001, -1));
        List<HistoryEvent> events = generated.events();
        long last = Math.max(1, events.getLast().timeNanos());
        double scale = operations / 5_000.0 * 1e9 / last;
        List<HistoryEvent> timed =
                events.stream()
                        .map(
                                e ->
                                        new HistoryEvent(
                                                e.index(),
                                                (long) (e.timeNanos() * scale),
                                                e.process(),
                                                e.type(),
                                                e.f(),
                                                e.key(),
                                                e.value(),
                                                e.node(),
                                                e.error(),
                                                e.term(),
                                                e.logIndex()))
                        .toList();
        HistoryHeader header = generated.header();
        Path run = Files.createDirectories(root.resolve("large/20260601T000000-1"));
        HistoryWriter.write(run.resolve("history.jsonl"), new History(header, timed));
        Files.writeString(
                run.resolve("test.json"),
                "{\"cluster\":\"sim\",\"workload\":\"large\",\"seed\":1}");
        Files.writeString(
                run.resolve("results.json"),
                "{\"verdict\":\"valid\",\"operations\":" + operations + ",\"reasons\":[]}");
        return run;
    }

    private static long largeSeconds(Path run) throws IOException {
        try (var history = raft.harness.history.HistoryIndex.open(run.resolve("history.jsonl"))) {
            long seconds = history.timeNanos(history.size() - 1) / 1_000_000_000;
            // The commands make their own index, which is part of what is measured.
            Files.deleteIfExists(run.resolve("history.jsonl.index"));
            return seconds;
        }
    }

    private static void deleteTree(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
