package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import raft.harness.checker.Budget;
import raft.harness.checker.Verdict;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryWriter;
import raft.harness.model.Model;
import raft.harness.model.Models;
import raft.harness.report.EventLine;
import raft.harness.report.ExplanationText;
import raft.harness.report.Outcome;
import raft.shell.live.LiveCluster;
import raft.shell.live.Session;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code check FILE…}: judges recorded histories. Exit status 0 valid, 1 a violation, 2 unknown,
 * 254 bad usage or unreadable input, 255 failure; of several, 1 wins, then 255, 254, 2.
 */
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = "Judge recorded histories: linearizable or not, and why not.",
        footer = {
            "",
            "Reads our JSON Lines, Jepsen's history.edn and log lines, and Porcupine-like JSON.",
            "Examples:",
            "  check histories/latest/history.jsonl",
            "  check --model cas-register --time-budget 10s *.log",
            "  check --model my.pkg.MyModel --model-path my-models.jar history.jsonl",
        })
public final class CheckCommand implements Callable<Integer>, InSession {
    private @Nullable Session session;

    private static final Pattern HISTORY = Pattern.compile(".*\\.(log|txt|edn|json|jsonl)(\\.gz)?");

    private static final int VALID = Outcome.VALID.exitStatus();
    private static final int VIOLATION = Outcome.VIOLATION.exitStatus();
    private static final int UNKNOWN = Outcome.UNKNOWN.exitStatus();

    @Spec private @Nullable CommandSpec spec;

    @Parameters(
            paramLabel = "FILE",
            arity = "0..*",
            description =
                    "histories, also packed by gzip, or folders with a run's history.jsonl or"
                        + " history.edn or with histories below them, or - for standard input; in"
                        + " the shell without any: what has been recorded so far")
    private List<Path> files = List.of();

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description =
                    "the specification, or the name of a class that supplies one; by default what"
                            + " the history says or its operations suggest")
    private @Nullable String modelName;

    @Option(
            names = "--model-path",
            paramLabel = "PATH",
            description = "jars or folders with the class of --model, separated as a class path")
    private @Nullable String modelPath;

    @Option(
            names = "--time-budget",
            paramLabel = "TIME",
            defaultValue = "60s",
            converter = DurationOption.class,
            description =
                    "for each history, reading included, 500ms or 60s or 5m (default:"
                            + " ${DEFAULT-VALUE})")
    private Duration timeBudget = Duration.ofSeconds(60);

    @Option(
            names = "--memory-budget",
            paramLabel = "SIZE",
            defaultValue = "1g",
            description =
                    "for the search, 512m or 1g (default: ${DEFAULT-VALUE}); a history that takes"
                            + " more than four times that is judged as a stream")
    private String memoryBudget = "1g";

    @Option(
            names = "--output",
            paramLabel = "text|json",
            defaultValue = "text",
            description = "json prints one object a history (default: ${DEFAULT-VALUE})")
    private OutputForm output = OutputForm.TEXT;

    @Option(names = "--linearization", description = "print an order that explains a valid one")
    private boolean linearization;

    @Option(
            names = "--stream",
            description =
                    "keep only what can still matter in memory (chosen by itself for files too"
                            + " large for it)")
    private boolean stream;

    /** Whether it judges what is still being recorded. */
    private boolean soFar;

    @Override
    public void enter(Session entered) {
        session = entered;
    }

    @Override
    public Integer call() {
        CommandSpec mine = spec();
        if (files.isEmpty()) {
            LiveCluster up = session == null ? null : session.clusterOrNull();
            if (up == null) {
                throw usage("say which histories; without any a cluster must be up in the shell");
            }
            files = List.of(up.historyFile());
            soFar = true;
        }
        if (timeBudget.isZero()) {
            throw usage("--time-budget must be more than 0");
        }
        var budget = new Budget(timeBudget, bytes(memoryBudget));
        Model model = null;
        if (modelName != null) {
            try {
                model = ModelLoader.load(modelName, modelPath == null ? "" : modelPath);
            } catch (IllegalArgumentException e) {
                throw usage(String.valueOf(e.getMessage()));
            }
        }
        PrintWriter out = mine.commandLine().getOut();
        int status = VALID;
        Map<Integer, Integer> counts = new HashMap<>();
        for (Path given : files) {
            for (Path one : histories(given)) {
                int its = checkOne(one, model, budget, out);
                counts.merge(its, 1, Integer::sum);
                status = worse(status, its);
                out.flush();
            }
        }
        if (counts.values().stream().mapToInt(n -> n).sum() > 1 && output == OutputForm.TEXT) {
            out.println(summary(counts));
            out.flush();
        }
        return status;
    }

    /** "12 histories: 10 valid, 1 violation, 1 not readable". */
    private String summary(Map<Integer, Integer> counts) {
        Map<String, Integer> named = new LinkedHashMap<>();
        named.put(Outcome.VALID.label(), counts.get(VALID));
        named.put(Outcome.VIOLATION.label(), counts.get(VIOLATION));
        named.put(Outcome.UNKNOWN.label(), counts.get(UNKNOWN));
        named.put("not readable", counts.get(Main.EXIT_USAGE));
        named.put("failed", counts.get(Main.EXIT_FAILURE));
        return counts.values().stream().mapToInt(n -> n).sum()
                + " histories: "
                + named.entrySet().stream()
                        .filter(entry -> entry.getValue() != null)
                        .map(entry -> entry.getValue() + " " + entry.getKey())
                        .collect(Collectors.joining(", "));
    }

    private CommandSpec spec() {
        if (spec == null) {
            throw new IllegalStateException("picocli has not injected the command's spec");
        }
        return spec;
    }

    private ParameterException usage(String problem) {
        return new ParameterException(spec().commandLine(), problem);
    }

    /** 1 wins, then 255, then 254, then 2. */
    static int worse(int one, int other) {
        List<Integer> worstFirst =
                List.of(VIOLATION, Main.EXIT_FAILURE, Main.EXIT_USAGE, UNKNOWN, VALID);
        return worstFirst.indexOf(one) <= worstFirst.indexOf(other) ? one : other;
    }

    private int checkOne(Path given, @Nullable Model model, Budget budget, PrintWriter out) {
        if (given.toString().equals("-")) {
            return checkStandardInput(model, budget, out);
        }
        if (Files.isDirectory(given)) {
            PrintWriter err = spec().commandLine().getErr();
            return failed(out, err, given, "there is no history in this folder", Main.EXIT_USAGE);
        }
        return checkFile(given, given, model, budget, out);
    }

    /**
     * What a file or folder stands for: of a run its history, ours or Jepsen's, otherwise every
     * history below the folder; the folder itself where there is none.
     */
    static List<Path> histories(Path given) {
        if (!Files.isDirectory(given)) {
            return List.of(given);
        }
        for (String name : List.of("history.jsonl", "history.edn")) {
            if (Files.exists(given.resolve(name))) {
                return List.of(given.resolve(name));
            }
        }
        List<Path> found = new ArrayList<>();
        try (Stream<Path> inside = Files.list(given)) {
            for (Path one : inside.sorted().toList()) {
                if (Files.isDirectory(one) && !Files.isSymbolicLink(one)) {
                    found.addAll(histories(one));
                } else if (HISTORY.matcher(one.toString()).matches()) {
                    found.add(one);
                }
            }
        } catch (IOException e) {
            return List.of(given);
        }
        found.removeIf(Files::isDirectory);
        return found.isEmpty() ? List.of(given) : found;
    }

    /** Keeps what comes, because a long history is read more than once. */
    private int checkStandardInput(@Nullable Model model, Budget budget, PrintWriter out) {
        Path name = Path.of("-");
        PrintWriter err = spec().commandLine().getErr();
        try {
            Path kept = Files.createTempFile("raft-check-", ".history");
            try {
                Files.copy(System.in, kept, StandardCopyOption.REPLACE_EXISTING);
                return checkFile(kept, name, model, budget, out);
            } finally {
                Files.deleteIfExists(kept);
            }
        } catch (IOException e) {
            return failed(out, err, name, "standard input cannot be read: " + e, Main.EXIT_USAGE);
        }
    }

    /**
     * @param file where it is
     * @param shown what it is called
     */
    private int checkFile(
            Path file, Path shown, @Nullable Model model, Budget budget, PrintWriter out) {
        PrintWriter err = spec().commandLine().getErr();
        try (var progress = ProgressLine.onStandardError(err, shown.toString())) {
            var check =
                    new HistoryCheck(
                            file,
                            shown.toString(),
                            model,
                            budget,
                            warning -> err.println("raft: " + warning),
                            progress);
            HistoryCheck.Result result = stream ? check.streamed() : check.run(linearization);
            progress.clear();
            print(out, shown, result);
            return switch (result.verdict()) {
                case Verdict.Valid ignored -> VALID;
                case Verdict.Violation ignored -> VIOLATION;
                case Verdict.Unknown ignored -> UNKNOWN;
            };
        } catch (NoSuchFileException e) {
            return failed(out, err, shown, "there is no such file", Main.EXIT_USAGE);
        } catch (IOException | IllegalArgumentException e) {
            String problem = String.valueOf(e.getMessage()).replace(file + ":", shown + ":");
            return failed(out, err, shown, problem, Main.EXIT_USAGE);
        } catch (IllegalStateException | OutOfMemoryError e) {
            return failed(out, err, shown, "the checker failed: " + e, Main.EXIT_FAILURE);
        }
    }

    private int failed(PrintWriter out, PrintWriter err, Path file, String problem, int status) {
        if (output == OutputForm.JSON) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("file", file.toString());
            object.put("verdict", Outcome.ERROR.label());
            object.put("error", problem);
            out.println(new JsonMapper().writeValueAsString(object));
        }
        boolean named = problem.startsWith(file + ":");
        err.println("raft: " + (named ? problem : file + ": " + problem));
        err.flush();
        return status;
    }

    private void print(PrintWriter out, Path file, HistoryCheck.Result result) {
        if (output == OutputForm.JSON) {
            out.println(new JsonMapper().writeValueAsString(object(file, result)));
            return;
        }
        String head =
                String.format(
                        Locale.ROOT,
                        "%s: %%s (%d operations, %s, %.3f s)",
                        soFar
                                ? "what has been recorded so far"
                                : file.toString().replace("%", "%%"),
                        result.verdict().operationCount(),
                        result.model(),
                        result.seconds());
        switch (result.verdict()) {
            case Verdict.Valid ignored -> out.println(head.formatted(Outcome.VALID.label()));
            case Verdict.Unknown unknown -> {
                out.println(head.formatted(Outcome.UNKNOWN.label()));
                out.println("  " + unknown.reason());
            }
            case Verdict.Violation violation -> {
                out.println(head.formatted(Outcome.VIOLATION.label()));
                for (String line : ExplanationText.lines(violation.explanation())) {
                    out.println(line.isEmpty() ? "" : "  " + line);
                }
            }
        }
        if (!result.order().isEmpty()) {
            out.println("  an order that explains it:");
            for (HistoryEvent event : result.order()) {
                out.println("    " + EventLine.of(event));
            }
        }
    }

    private static Map<String, Object> object(Path file, HistoryCheck.Result result) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("file", file.toString());
        object.put("model", result.model());
        object.put("operations", result.verdict().operationCount());
        object.put("seconds", result.seconds());
        switch (result.verdict()) {
            case Verdict.Valid ignored -> object.put("verdict", Outcome.VALID.label());
            case Verdict.Unknown unknown -> {
                object.put("verdict", Outcome.UNKNOWN.label());
                object.put("reason", unknown.reason());
            }
            case Verdict.Violation violation -> {
                object.put("verdict", Outcome.VIOLATION.label());
                object.put("explanation", violation.explanation().summary());
                object.put("events", lines(violation.explanation().events()));
                Verdict.DeadEnd end = violation.explanation().deadEnd();
                if (end != null) {
                    object.put("deadEnd", deadEnd(end));
                }
            }
        }
        if (!result.order().isEmpty()) {
            object.put("linearization", lines(result.order()));
        }
        return object;
    }

    private static Map<String, Object> deadEnd(Verdict.DeadEnd end) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("event", end.at().index());
        object.put("possibleCount", end.possibleCount());
        object.put(
                "possible",
                end.possible().stream()
                        .map(p -> Map.of("state", p.state(), "order", lines(p.order())))
                        .toList());
        return object;
    }

    private static List<Object> lines(List<HistoryEvent> events) {
        var mapper = new JsonMapper();
        List<Object> lines = new ArrayList<>();
        for (HistoryEvent event : events) {
            lines.add(mapper.readValue(HistoryWriter.line(event), Map.class));
        }
        return lines;
    }

    private long bytes(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        String digits = lower.replaceFirst("[a-z]*$", "");
        try {
            double number = Double.parseDouble(digits);
            double factor =
                    switch (lower.substring(digits.length())) {
                        case "k", "kb" -> 1L << 10;
                        case "m", "mb" -> 1L << 20;
                        case "g", "gb" -> 1L << 30;
                        case "", "b" -> 1;
                        default -> -1;
                    };
            if (number * factor >= 1 << 20) {
                return (long) (number * factor);
            }
        } catch (NumberFormatException e) {
            // Falls through to the error below.
        }
        throw usage("\"" + text + "\" is no size from 1m on; write 512m or 1g");
    }

    /** The names for completion of {@code --model}. */
    static List<String> modelNames() {
        return Models.names();
    }
}
