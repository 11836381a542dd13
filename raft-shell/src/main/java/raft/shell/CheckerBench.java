package raft.shell;

import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

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
import raft.harness.model.Models;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
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

/**
 * {@code bench checker}: seconds that a check takes, over generated histories and, where given,
 * recorded ones. Generated histories are checked once each, another seed each time: the medians of
 * whole checks, from the events in memory to the verdict. Recorded ones are measured by JMH, warm.
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
                    "recorded histories to measure too, warm, with JMH: every .log, .txt, .edn,"
                            + " .json and .jsonl in it")
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
        double[] processor = new double[seedCount];
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
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
                            Duration.ofMillis((long) (one.aimSeconds() * (quick ? 1000 : 2000))),
                            MEMORY_BYTES);
            long start = System.nanoTime();
            // There is one key, so this thread does the work.
            long processorStart = threads.getCurrentThreadCpuTime();
            Verdict verdict = Checker.check(history, Models.CAS_REGISTER, budget);
            seconds[seed - 1] = (System.nanoTime() - start) / 1e9;
            processor[seed - 1] = (threads.getCurrentThreadCpuTime() - processorStart) / 1e9;
            expected &=
                    one.stale()
                            ? verdict instanceof Verdict.Violation
                            : verdict instanceof Verdict.Valid;
        }
        double median = median(seconds);
        out.printf(
                Locale.ROOT,
                "%-55s %8.4f s, of it %.4f computing (aim %.0f s)%s%n",
                one.name(),
                median,
                median(processor),
                one.aimSeconds(),
                expected ? "" : "  NOT DECIDED IN TIME");
        out.flush();
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("case", one.name());
        figure.put("medianSeconds", median);
        figure.put("medianProcessorSeconds", median(processor));
        figure.put("aimSeconds", one.aimSeconds());
        figure.put("decided", expected);
        return figure;
    }

    private static double median(double[] numbers) {
        double[] sorted = numbers.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** JMH in a machine of its own: all files together, and in the long run each of them. */
    private Map<String, Object> recorded(Path folder, PrintWriter out) throws IOException {
        List<Path> files = WarmChecks.files(folder);
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("files", files.size());
        double verdicts = microseconds("verdicts", folder, "");
        double explained = microseconds("explained", folder, "");
        figure.put("allMillis", verdicts / 1e3);
        figure.put("allExplainedMillis", explained / 1e3);
        out.printf(
                Locale.ROOT,
                "%d recorded histories: %.2f ms together, with explanations %.2f ms%n",
                files.size(),
                verdicts / 1e3,
                explained / 1e3);
        if (!quick) {
            Map<String, Double> each = new LinkedHashMap<>();
            for (Path file : files) {
                String name = file.getFileName().toString();
                double micros = microseconds("verdicts", folder, name);
                each.put(name, micros / 1e3);
                out.printf(Locale.ROOT, "%-58s %9.4f ms%n", name, micros / 1e3);
                out.flush();
            }
            figure.put("eachMillis", each);
        }
        return figure;
    }

    private double microseconds(String benchmark, Path folder, String file) {
        boolean all = file.isEmpty();
        var options =
                new OptionsBuilder()
                        .include(WarmChecks.class.getName() + "." + benchmark + "$")
                        .param("folder", folder.toAbsolutePath().toString())
                        .param("file", file)
                        // A single file is checked in this machine, warm from all of them.
                        .forks(all ? 1 : 0)
                        .warmupIterations(all ? (quick ? 2 : 5) : 1)
                        .warmupTime(TimeValue.milliseconds(all ? 1000 : 50))
                        .measurementIterations(quick ? 3 : 5)
                        .measurementTime(TimeValue.milliseconds(all ? 1000 : 50))
                        .verbosity(VerboseMode.SILENT)
                        .shouldFailOnError(true)
                        .build();
        try {
            return new Runner(options).runSingle().getPrimaryResult().getScore();
        } catch (RunnerException e) {
            throw new IllegalStateException("JMH could not measure " + benchmark, e);
        }
    }
}
