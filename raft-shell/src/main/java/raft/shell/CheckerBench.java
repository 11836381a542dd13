package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.HistoryGenerator;
import raft.harness.checker.Verdict;
import raft.harness.history.History;
import raft.harness.history.HistoryFormat;
import raft.harness.model.Model;
import raft.harness.model.Models;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * {@code bench checker}: seconds that a check takes, over generated histories and, where given,
 * recorded ones. Times are medians of whole checks, from the events in memory to the verdict, in
 * one warm process; each history is another seed.
 */
@Command(
        name = "checker",
        mixinStandardHelpOptions = true,
        description = "Measures the linearizability checker.")
public final class CheckerBench implements Callable<Integer> {
    private static final long MEMORY_BYTES = 2L << 30;

    /** One line of the table; {@code aimSeconds} is what it must not exceed. */
    private record Case(
            int concurrency,
            int operationCount,
            int valueCount,
            double crashShare,
            boolean stale,
            double aimSeconds) {
        String name() {
            return String.format(
                    Locale.ROOT,
                    "%d x %d, %s, %.0f %% crashed, %s",
                    concurrency,
                    operationCount,
                    valueCount == 0 ? "unique values" : "values from " + valueCount,
                    crashShare * 100,
                    stale ? "one stale read" : "valid");
        }
    }

    @Spec private @Nullable CommandSpec spec;

    @Option(names = "--quick", description = "within a minute: small histories, one seed")
    private boolean quick;

    @Option(
            names = "--data",
            paramLabel = "FOLDER",
            description =
                    "recorded histories to measure too: every file in it, read as cas-register")
    private @Nullable Path data;

    @Override
    public Integer call() throws IOException {
        if (spec == null) {
            throw new IllegalStateException("picocli has not injected the command's spec");
        }
        PrintWriter out = spec.commandLine().getOut();
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("bench", "checker");
        figures.put("quick", quick);
        if (data != null) {
            if (!Files.isDirectory(data)) {
                throw new ParameterException(
                        spec.commandLine(), "--data must be a folder, not " + data);
            }
            figures.put("recorded", recorded(data, out));
        }
        List<Object> generated = new ArrayList<>();
        for (Case one : cases()) {
            generated.add(generated(one, out));
        }
        figures.put("generated", generated);
        out.println(JsonMapper.shared().writeValueAsString(figures));
        out.flush();
        return 0;
    }

    private List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        int largest = quick ? 100_000 : 1_000_000;
        for (int concurrency : new int[] {5, 10, 20, 50, 100}) {
            double aim = concurrency <= 20 ? 2 : concurrency == 50 ? 5 : 15;
            for (int count = quick ? largest : 1000; count <= largest; count *= 10) {
                for (double crash : new double[] {0, 0.01}) {
                    cases.add(new Case(concurrency, count, 0, crash, false, aim));
                    cases.add(new Case(concurrency, count, 0, crash, true, aim));
                }
            }
        }
        cases.add(new Case(100, 10_000, 0, 0.01, true, 2));
        cases.add(new Case(10, quick ? 10_000 : 100_000, 5, 0.05, false, 5));
        cases.add(new Case(100, quick ? 1_000 : 10_000, 5, 0.01, false, 10));
        return cases;
    }

    private Map<String, Object> generated(Case one, PrintWriter out) {
        int seedCount = quick ? 1 : 5;
        double[] seconds = new double[seedCount];
        boolean expected = true;
        for (int seed = 1; seed <= seedCount; seed++) {
            History history =
                    HistoryGenerator.generate(
                            new HistoryGenerator.Shape(
                                    seed,
                                    one.operationCount(),
                                    one.concurrency(),
                                    1,
                                    one.valueCount(),
                                    one.crashShare(),
                                    one.stale() ? 0.5 : -1));
            var budget =
                    new Budget(
                            Duration.ofMillis((long) (one.aimSeconds() * (quick ? 500 : 2000))),
                            MEMORY_BYTES);
            long start = System.nanoTime();
            Verdict verdict = Checker.check(history, Models.CAS_REGISTER, budget);
            seconds[seed - 1] = (System.nanoTime() - start) / 1e9;
            expected &=
                    one.stale()
                            ? verdict instanceof Verdict.Violation
                            : verdict instanceof Verdict.Valid;
        }
        double median = median(seconds);
        out.printf(
                Locale.ROOT,
                "%-58s %9.4f s (aim %.0f s)%s%n",
                one.name(),
                median,
                one.aimSeconds(),
                expected ? "" : "  NOT DECIDED IN TIME");
        out.flush();
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("case", one.name());
        figure.put("medianSeconds", median);
        figure.put("aimSeconds", one.aimSeconds());
        figure.put("decided", expected);
        return figure;
    }

    private static double median(double[] numbers) {
        double[] sorted = numbers.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** Each file checked often enough that the machine is warm; the sum of the medians. */
    private Map<String, Object> recorded(Path folder, PrintWriter out) throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.list(folder)) {
            files = found.filter(Files::isRegularFile).sorted().toList();
        }
        Model model = Models.CAS_REGISTER;
        List<History> histories = new ArrayList<>();
        for (Path file : files) {
            histories.add(HistoryFormat.read(file, warning -> {}));
        }
        int rounds = quick ? 40 : 200;
        double[][] seconds = new double[histories.size()][rounds];
        double[][] explained = new double[histories.size()][rounds];
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < histories.size(); i++) {
                long start = System.nanoTime();
                Checker.verdict(histories.get(i), model, Budget.DEFAULT);
                seconds[i][round] = (System.nanoTime() - start) / 1e9;
                start = System.nanoTime();
                Checker.check(histories.get(i), model, Budget.DEFAULT);
                explained[i][round] = (System.nanoTime() - start) / 1e9;
            }
        }
        double explainedSum = Arrays.stream(explained).mapToDouble(CheckerBench::median).sum();
        double sum = 0;
        double worst = 0;
        for (double[] one : seconds) {
            double median = median(one);
            sum += median;
            worst = Math.max(worst, median);
        }
        out.printf(
                Locale.ROOT,
                "%d recorded histories: %.2f ms together, the slowest %.3f ms; with explanations"
                        + " %.2f ms%n",
                files.size(),
                sum * 1e3,
                worst * 1e3,
                explainedSum * 1e3);
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("files", files.size());
        figure.put("sumMillis", sum * 1e3);
        figure.put("slowestMillis", worst * 1e3);
        figure.put("explainedSumMillis", explainedSum * 1e3);
        return figure;
    }
}
