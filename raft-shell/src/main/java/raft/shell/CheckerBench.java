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
import raft.harness.checker.LiveChecker;
import raft.harness.checker.Verdict;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.model.Models;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
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
    private static final List<String> PARTS = List.of("recorded", "unique", "repeated", "live");
    private static final int LIVE_RATE = 5_000;

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
            names = "--part",
            paramLabel = "PART",
            split = ",",
            description = "recorded, unique, repeated, live (default: all)")
    private List<String> parts = PARTS;

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            split = ",",
            description = "of the histories with unique values (default: 5,10,20,50,100)")
    private List<Integer> concurrencies = List.of(5, 10, 20, 50, 100);

    @Option(
            names = "--operations",
            paramLabel = "N",
            split = ",",
            description = "of the histories with unique values (default: 1000 to 1000000)")
    private List<Integer> counts = List.of();

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "of each case, from 1 on (default: 5, with --quick 1)")
    private int seeds;

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
        figures.put("heapMaxBytes", Runtime.getRuntime().maxMemory());
        if (!PARTS.containsAll(parts)) {
            throw new ParameterException(
                    spec.commandLine(), "--part takes " + String.join(", ", PARTS));
        }
        if (data != null && parts.contains("recorded")) {
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
        if (parts.contains("live")) {
            figures.put("live", List.of(live(0, out), live(0.01, out)));
        }
        out.println(JsonMapper.shared().writeValueAsString(figures));
        out.flush();
        return 0;
    }

    private List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        List<Integer> sizes =
                !counts.isEmpty()
                        ? counts
                        : quick ? List.of(100_000) : List.of(1_000, 10_000, 100_000, 1_000_000);
        for (int concurrency : parts.contains("unique") ? concurrencies : List.<Integer>of()) {
            double aim = concurrency <= 20 ? 2 : concurrency <= 50 ? 5 : 15;
            for (int count : sizes) {
                for (double crash : new double[] {0, 0.01}) {
                    cases.add(new Case(concurrency, count, 0, crash, false, aim));
                    cases.add(new Case(concurrency, count, 0, crash, true, aim));
                }
            }
        }
        if (parts.contains("repeated")) {
            cases.add(new Case(100, 10_000, 0, 0, true, 2));
            cases.add(new Case(100, 10_000, 0, 0.01, true, 2));
            cases.add(new Case(10, quick ? 10_000 : 100_000, 5, 0.05, false, 5));
            cases.add(new Case(100, quick ? 1_000 : 10_000, 5, 0.01, false, 10));
        }
        return cases;
    }

    private Map<String, Object> generated(Case one, PrintWriter out) {
        int seedCount = seeds > 0 ? seeds : quick ? 1 : 5;
        long peakBytes = 0;
        double worst = 0;
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
            List<MemoryPoolMXBean> pools = heap();
            pools.forEach(MemoryPoolMXBean::resetPeakUsage);
            long start = System.nanoTime();
            // There is one key, so this thread does the work.
            long processorStart = threads.getCurrentThreadCpuTime();
            Verdict verdict = Checker.check(history, Models.CAS_REGISTER, budget);
            seconds[seed - 1] = (System.nanoTime() - start) / 1e9;
            worst = Math.max(worst, seconds[seed - 1]);
            peakBytes =
                    Math.max(
                            peakBytes,
                            pools.stream().mapToLong(p -> p.getPeakUsage().getUsed()).sum());
            processor[seed - 1] = (threads.getCurrentThreadCpuTime() - processorStart) / 1e9;
            expected &=
                    one.stale()
                            ? verdict instanceof Verdict.Violation
                            : verdict instanceof Verdict.Valid;
        }
        double median = median(seconds);
        out.printf(
                Locale.ROOT,
                "%-55s %8.4f s, computing %.4f, worst %.4f (aim %.0f s), heap %d MiB%s%n",
                one.name(),
                median,
                median(processor),
                worst,
                one.aimSeconds(),
                peakBytes >> 20,
                expected ? "" : "  NOT DECIDED IN TIME");
        out.flush();
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("case", one.name());
        figure.put("medianSeconds", median);
        figure.put("medianProcessorSeconds", median(processor));
        figure.put("worstSeconds", worst);
        figure.put("heapPeakBytes", peakBytes);
        figure.put("aimSeconds", one.aimSeconds());
        figure.put("decided", expected);
        return figure;
    }

    /** The heap, the history and garbage included. */
    private static List<MemoryPoolMXBean> heap() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .toList();
    }

    /** What checking along a run costs at {@link #LIVE_RATE} operations a second. */
    private Map<String, Object> live(double crashShare, PrintWriter out) {
        int count = quick ? 100_000 : 1_000_000;
        History history =
                HistoryGenerator.generate(
                        new HistoryGenerator.Shape(1, count, 10, 1, 0, crashShare, -1));
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        var live = new LiveChecker(Models.CAS_REGISTER, MEMORY_BYTES / 8);
        long start = threads.getCurrentThreadCpuTime();
        long completed = 0;
        long behindMost = 0;
        for (HistoryEvent event : HistoryGenerator.withTimeouts(history.events())) {
            live.add(event);
            completed += event.type() == HistoryEvent.Type.INVOKE ? 0 : 1;
            behindMost = Math.max(behindMost, completed - live.judgedCount());
        }
        double micros = (threads.getCurrentThreadCpuTime() - start) / 1e3 / count;
        double share = micros * LIVE_RATE / 1e6;
        out.printf(
                Locale.ROOT,
                "live, 10 x %d, %.0f %% crashed: %.2f us an operation, %.2f %% of a core at %d/s"
                        + " (aim 20 %%), %d operations behind = %.3f s (aim 1 s)%n",
                count,
                crashShare * 100,
                micros,
                share * 100,
                LIVE_RATE,
                behindMost,
                (double) behindMost / LIVE_RATE);
        out.flush();
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("crashShare", crashShare);
        figure.put("microsPerOperation", micros);
        figure.put("coreShare", share);
        figure.put("behindMostOperations", behindMost);
        figure.put("verdict", live.finish().getClass().getSimpleName());
        return figure;
    }

    private static double median(double[] numbers) {
        double[] sorted = numbers.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** JMH in a machine of its own: all files together, and in the long run each of them. */
    private Map<String, Object> recorded(Path folder, PrintWriter out) throws IOException {
        List<Path> files = CheckCommand.histories(folder);
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
