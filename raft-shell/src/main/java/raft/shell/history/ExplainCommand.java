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
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryIndex;
import raft.harness.history.HistoryWriter;
import raft.harness.model.Models;
import raft.harness.report.Counterexample;
import raft.harness.report.EventLine;
import raft.harness.report.Outcome;
import raft.harness.report.RunFiles;
import raft.harness.report.TextTimeline;
import raft.shell.DurationOption;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

/** {@code history explain}: the counterexample, smallest first. */
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description = "Says why a history is impossible, and what the cluster was doing then.")
final class ExplainCommand implements Callable<Integer> {
    private static final int EVENTS_SHOWN = 40;

    @Parameters(paramLabel = "RUN", defaultValue = "latest", description = "(default: latest)")
    private String run = "latest";

    @Mixin private Histories histories = new Histories();

    @Option(names = "--model", paramLabel = "M", description = "instead of the history's own")
    private @Nullable String model;

    @Option(
            names = "--time-budget",
            defaultValue = "60s",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "where it must be judged first (default: 60s)")
    private Duration budget = Duration.ofSeconds(60);

    @Option(
            names = "--save",
            paramLabel = "PREFIX",
            description = "keep the smallest part as PREFIX.jsonl, the explanation as PREFIX.md")
    private @Nullable String save;

    @Override
    public Integer call() throws IOException {
        Path found = histories.find(run);
        RunFiles files = new RunFiles(Files.isDirectory(found) ? found : found.resolveSibling("-"));
        try (HistoryIndex history = histories.open(run)) {
            Counterexample why = Counterexample.of(files, history);
            if (why == null || why.events().isEmpty()) {
                if (invariantsBroke(files)) {
                    return printInvariants(files);
                }
                Verdict verdict = judged(history);
                switch (verdict) {
                    case Verdict.Valid valid -> {
                        return nothing(
                                Outcome.VALID,
                                "all "
                                        + valid.operationCount()
                                        + " operations are linearizable: there is nothing to"
                                        + " explain");
                    }
                    case Verdict.Unknown unknown -> {
                        return nothing(Outcome.UNKNOWN, unknown.reason());
                    }
                    case Verdict.Violation violation ->
                            why =
                                    new Counterexample(
                                            violation.explanation().summary(),
                                            violation.explanation().events());
                }
            }
            if (save != null) {
                keep(why, files, history, save);
            }
            print(why, files, history);
            return Outcome.VIOLATION.exitStatus();
        }
    }

    /** A violation that is none of linearizability: the nodes' own invariants broke. */
    private static boolean invariantsBroke(RunFiles files) {
        return files.results().path("verdict").asString("").equals(Outcome.VIOLATION.label())
                && !files.results().path("linearizability").asString("").equals("violation");
    }

    private int printInvariants(RunFiles files) {
        List<String> reasons = new ArrayList<>();
        files.results().path("reasons").forEach(reason -> reasons.add(reason.asString("")));
        if (histories.json()) {
            histories
                    .out()
                    .println(
                            JsonMapper.shared()
                                    .writeValueAsString(
                                            Map.of(
                                                    "verdict",
                                                    Outcome.VIOLATION.label(),
                                                    "reasons",
                                                    reasons)));
        } else {
            histories.out().println("The history is possible, but nodes broke their invariants:");
            reasons.forEach(reason -> histories.out().println("  " + reason));
            printRepeat(files);
        }
        return Outcome.VIOLATION.exitStatus();
    }

    private Verdict judged(HistoryIndex history) {
        String name = model == null ? history.header().model() : model;
        if (name.isEmpty()) {
            throw histories.usage(
                    "the history does not say its model; say it with --model: "
                            + String.join(", ", Models.names()));
        }
        try {
            return Checker.check(
                    history.toHistory(),
                    Models.named(name),
                    new Budget(budget, Runtime.getRuntime().maxMemory() / 2));
        } catch (IllegalArgumentException e) {
            throw histories.usage(String.valueOf(e.getMessage()));
        }
    }

    private int nothing(Outcome outcome, String words) {
        histories
                .out()
                .println(
                        histories.json()
                                ? JsonMapper.shared()
                                        .writeValueAsString(
                                                Map.of("verdict", outcome.label(), "reason", words))
                                : words);
        return outcome.exitStatus();
    }

    private void print(Counterexample why, RunFiles files, HistoryIndex history) {
        PrintWriter out = histories.out();
        List<String> surroundings = why.surroundings(files, history);
        if (histories.json()) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("verdict", Outcome.VIOLATION.label());
            object.put("explanation", why.summary());
            object.put(
                    "events",
                    why.events().stream()
                            .map(e -> JsonMapper.shared().readTree(HistoryWriter.line(e)))
                            .toList());
            object.put("surroundings", surroundings);
            out.println(JsonMapper.shared().writeValueAsString(object));
            return;
        }
        int width = histories.width();
        out.println("Why this is impossible:");
        wrap(why.summary(), width - 2).forEach(line -> out.println("  " + line));
        out.println();
        out.println("The smallest part found that is still impossible:");
        picture(why, width).forEach(out::println);
        out.println();
        List<HistoryEvent> events = why.events();
        events.stream()
                .limit(EVENTS_SHOWN)
                .forEach(e -> out.println(ListCommand.cut(EventLine.of(e), width)));
        if (events.size() > EVENTS_SHOWN) {
            out.println("  … and " + (events.size() - EVENTS_SHOWN) + " more events");
        }
        out.println();
        out.println("What the cluster was doing:");
        surroundings.forEach(
                line -> wrap(line, width - 2).forEach(part -> out.println("  " + part)));
        printRepeat(files);
    }

    private void printRepeat(RunFiles files) {
        String repeat = files.results().path("repeat").asString("");
        if (!repeat.isEmpty()) {
            histories.out().println();
            histories.out().println("To repeat: " + repeat);
        }
    }

    private static List<String> picture(Counterexample why, int width) {
        HistoryIndex small =
                HistoryIndex.of(
                        new History(
                                new HistoryHeader(1, "", "", "", List.of(), 0),
                                why.standingAlone()),
                        List.of());
        long margin = Math.max(1_000_000, (why.toNanos() - why.fromNanos()) / 20);
        return TextTimeline.draw(
                small,
                IntStream.range(0, small.size()).toArray(),
                Math.max(0, why.fromNanos() - margin),
                why.toNanos() + margin,
                width);
    }

    static List<String> wrap(String text, int width) {
        List<String> lines = new ArrayList<>();
        for (String paragraph : text.lines().toList()) {
            StringBuilder line = new StringBuilder();
            for (String word : paragraph.split(" ", -1)) {
                if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
                    lines.add(line.toString());
                    line.setLength(0);
                }
                line.append(line.isEmpty() ? "" : " ").append(word);
            }
            lines.add(line.toString());
        }
        return lines;
    }

    private static void keep(
            Counterexample why, RunFiles files, HistoryIndex history, String prefix)
            throws IOException {
        Path file = Path.of(prefix + ".jsonl");
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        HistoryWriter.write(file, new History(history.header(), why.standingAlone()));
        StringBuilder words = new StringBuilder();
        words.append("# ").append(Path.of(prefix).getFileName()).append("\n\n");
        words.append(why.summary()).append("\n\n## Its events\n\n```\n");
        why.events().forEach(event -> words.append(EventLine.of(event)).append('\n'));
        words.append("```\n\n## What the cluster was doing\n\n");
        why.surroundings(files, history)
                .forEach(line -> words.append("* ").append(line).append('\n'));
        if (files.test().has("seed")) {
            words.append("\n## Where it is from\n\n");
            words.append("* cluster: ").append(files.test().path("cluster").asString("?"));
            words.append("\n* seed: ").append(files.test().path("seed").asLong(0));
            if (files.test().path("plantedBug").isString()) {
                words.append("\n* planted bug: ")
                        .append(files.test().path("plantedBug").asString());
            }
            words.append("\n* operations in the whole history: ")
                    .append(files.results().path("operations").asLong(0));
            words.append("\n* again: `")
                    .append(files.test().path("repeat").asString("?"))
                    .append("`\n");
        }
        Files.writeString(Path.of(prefix + ".md"), words);
    }
}
