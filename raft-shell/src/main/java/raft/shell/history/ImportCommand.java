package raft.shell.history;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.history.History;
import raft.harness.history.HistoryFormat;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryIndex;
import raft.harness.history.HistoryWriter;
import raft.harness.model.Models;
import raft.harness.report.EventLine;
import raft.harness.report.FaultSpan;
import raft.harness.report.Outcome;
import raft.harness.report.Results;
import raft.harness.report.Statistics;
import raft.harness.run.RunFolder;
import raft.shell.DurationOption;
import raft.shell.Main;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;

/** {@code history import}: another tool's history as a run of ours, judged. */
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        description = {
            "Takes another tool's history as a run of ours, judges it, and keeps both.",
            "Known are our JSON Lines, Jepsen's EDN and log lines, and JSON lists of operations."
        })
final class ImportCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "the history")
    private Path file = Path.of("");

    @Mixin private Histories histories = new Histories();

    @Option(names = "--model", paramLabel = "M", description = "what it is judged by")
    private @Nullable String model;

    @Option(
            names = "--name",
            defaultValue = "imported",
            paramLabel = "NAME",
            description = "the folder below the runs' (default: imported)")
    private String name = "imported";

    @Option(
            names = "--time-budget",
            defaultValue = "60s",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "for the judging (default: 60s)")
    private Duration budget = Duration.ofSeconds(60);

    @Override
    public Integer call() throws IOException {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9_.-]{0,60}")) {
            throw histories.usage("--name must be a plain folder name, got '" + name + "'");
        }
        if (!Files.isRegularFile(file)) {
            throw histories.usage(file + " does not exist, or is no file");
        }
        History read = read();
        String modelName = model == null ? read.header().model() : model;
        if (modelName.isEmpty() || !Models.names().contains(modelName)) {
            throw histories.usage(
                    "say with --model what it is judged by: " + String.join(", ", Models.names()));
        }
        String command =
                "./raft history import " + file + " --model " + modelName + " --name " + name;
        HistoryHeader header =
                new HistoryHeader(
                        HistoryHeader.SCHEMA,
                        read.header().run(),
                        read.header().workload().isEmpty() ? name : read.header().workload(),
                        modelName,
                        read.header().nodes(),
                        read.header().seed());
        History history = new History(header, read.events());
        RunFolder folder = RunFolder.create(histories.root(), name, header.seed(), Instant.now());
        folder.save("test.json", parameters(header, command));
        HistoryWriter.write(folder.historyFile(), history);
        Results results = judge(history, folder, command);
        folder.save("results.json", results);
        if (histories.json()) {
            histories.out().println(JsonMapper.shared().writeValueAsString(results));
        } else {
            histories
                    .out()
                    .println(
                            results.verdict()
                                    + ": "
                                    + results.operations()
                                    + " operations, "
                                    + modelName);
            if (results.explanation() != null) {
                ExplainCommand.wrap(results.explanation(), histories.width() - 2)
                        .forEach(line -> histories.out().println("  " + line));
            }
            histories.out().println("Saved in " + folder.path());
        }
        for (Outcome outcome : Outcome.values()) {
            if (outcome.label().equals(results.verdict())) {
                return outcome.exitStatus();
            }
        }
        return Main.EXIT_FAILURE;
    }

    private History read() {
        try {
            return HistoryFormat.read(file, warning -> histories.err().println("raft: " + warning));
        } catch (IOException e) {
            throw histories.usage(String.valueOf(e.getMessage()));
        }
    }

    private Map<String, Object> parameters(HistoryHeader header, String command) {
        Map<String, Object> parameters = new LinkedHashMap<>();
        parameters.put("run", header.run());
        parameters.put("cluster", "import");
        parameters.put("system", "imported");
        parameters.put("nodes", header.nodes().size());
        parameters.put("workload", header.workload());
        parameters.put("faults", List.of());
        parameters.put("seed", header.seed());
        parameters.put("importedFrom", file.toAbsolutePath().toString());
        parameters.put("repeat", command);
        return parameters;
    }

    private Results judge(History history, RunFolder folder, String command) {
        long start = System.nanoTime();
        Verdict verdict =
                Checker.check(
                        history,
                        Models.named(history.header().model()),
                        new Budget(budget, Runtime.getRuntime().maxMemory() / 2));
        double seconds = (System.nanoTime() - start) / 1e9;
        HistoryIndex index = HistoryIndex.of(history, List.of());
        Statistics statistics = Statistics.of(index);
        Verdict.Explanation why =
                verdict instanceof Verdict.Violation violation ? violation.explanation() : null;
        Outcome outcome =
                switch (verdict) {
                    case Verdict.Valid ignored -> Outcome.VALID;
                    case Verdict.Violation ignored -> Outcome.VIOLATION;
                    case Verdict.Unknown ignored -> Outcome.UNKNOWN;
                };
        Map<String, Map<String, Long>> counts = new LinkedHashMap<>();
        statistics
                .functions()
                .forEach(
                        (f, c) ->
                                counts.put(
                                        f,
                                        new TreeMap<>(
                                                Map.of(
                                                        "invoke",
                                                        c.invoked(),
                                                        "ok",
                                                        c.ok(),
                                                        "fail",
                                                        c.failed(),
                                                        "info",
                                                        c.unknown()))));
        return new Results(
                outcome.label(),
                statistics.operations(),
                statistics.seconds(),
                -1,
                folder.path().toString(),
                why == null ? null : why.summary(),
                why == null ? null : why.events().stream().map(EventLine::of).toList(),
                verdict instanceof Verdict.Unknown unknown ? List.of(unknown.reason()) : List.of(),
                outcome.label(),
                seconds,
                List.of(),
                counts,
                statistics.errors(),
                statistics.overlappedShare(),
                FaultSpan.of(index).stream().map(ImportCommand::fault).toList(),
                List.of(),
                new Results.Availability(
                        -1,
                        statistics.gaps().isEmpty() ? 0 : statistics.gaps().getFirst().millis(),
                        -1),
                command);
    }

    private static Results.FaultResult fault(FaultSpan span) {
        return new Results.FaultResult(
                0,
                span.kind(),
                span.action(),
                null,
                millis(span.askedNanos()),
                millis(span.installedNanos()),
                millis(span.healAskedNanos()),
                millis(span.healedNanos()),
                span.status(),
                span.evidence(),
                span.healed() ? "installed" : "never",
                span.healEvidence(),
                -1,
                -1);
    }

    private static long millis(long nanos) {
        return nanos < 0 ? -1 : nanos / 1_000_000;
    }
}
