package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.run.PlantedBug;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * The detection score: every planted bug is run with seed after seed until something notices, every
 * benign edit with as many seeds as it is given, and nothing may notice.
 */
public final class Score {
    private static final long RUN_MILLIS = 60_000;

    /**
     * What came of one edit.
     *
     * @param finder who noticed, "nobody" where none did
     * @param rule the invariant's name, "" where there is none
     * @param seed that noticed, 0 where none did
     * @param seconds of processor time, without that for making the run smaller
     * @param operationCount of the smallest failing run that was found; -1 where none was looked
     *     for, or its operations could not be written down
     * @param faultCount of that run, -1 where none was looked for
     */
    public record Line(
            String bug,
            String title,
            boolean benign,
            String finder,
            String rule,
            long seed,
            int seedCount,
            double simulatedSeconds,
            double seconds,
            int operationCount,
            int faultCount) {
        /** A bug that was noticed, or a benign edit that was not. */
        public boolean right() {
            return benign == (seed == 0);
        }
    }

    private Score() {}

    /**
     * Runs it.
     *
     * @param ids of the edits
     * @param seedsMax for each bug; benign edits get a quarter of it, at least 20
     * @param secondsMax for each edit, of processor time
     * @param minimiseSeconds of real time to make the failing run of each smaller, 0 for none
     * @param budgetSeconds of real time, after which no further edit is begun, at least one is; 0
     *     for all
     * @param progress is told each line as it comes
     * @return a line for each that was begun
     * @throws IOException when an edit does not fit the sources any more
     */
    public static List<Line> run(
            List<String> ids,
            Path sourceRoot,
            int seedsMax,
            double secondsMax,
            int minimiseSeconds,
            int budgetSeconds,
            int jobs,
            Consumer<Line> progress)
            throws IOException, InterruptedException {
        List<Line> lines = new ArrayList<>();
        long begunNanos = System.nanoTime();
        AtomicInteger begunCount = new AtomicInteger();
        try (ExecutorService workers = Executors.newFixedThreadPool(jobs)) {
            List<Future<@Nullable Line>> futures = new ArrayList<>();
            for (String id : ids) {
                futures.add(
                        workers.submit(
                                () -> {
                                    double spent = (System.nanoTime() - begunNanos) / 1e9;
                                    boolean first = begunCount.getAndIncrement() == 0;
                                    if (budgetSeconds > 0 && spent >= budgetSeconds && !first) {
                                        return null;
                                    }
                                    Line line =
                                            score(
                                                    PlantedBug.named(id),
                                                    sourceRoot,
                                                    seedsMax,
                                                    secondsMax,
                                                    minimiseSeconds);
                                    progress.accept(line);
                                    return line;
                                }));
            }
            for (Future<@Nullable Line> future : futures) {
                try {
                    Line line = future.get();
                    if (line != null) {
                        lines.add(line);
                    }
                } catch (InterruptedException e) {
                    // The workers notice it too; what has not begun does not begin.
                    List<Runnable> left = workers.shutdownNow();
                    assert left != null;
                    throw e;
                } catch (ExecutionException e) {
                    workers.shutdownNow();
                    if (e.getCause() instanceof IOException cause) {
                        throw cause;
                    }
                    throw new IllegalStateException(e.getCause());
                }
            }
        }
        return lines;
    }

    /**
     * What came of a mutant.
     *
     * @param rule what noticed it, "" where nothing did
     * @param compiled some make no sense to the compiler
     */
    public record MutantLine(Mutants.Mutant mutant, boolean compiled, String rule, int seedCount) {}

    /**
     * Runs mutants, each with seed after seed until something notices.
     *
     * @param progress is told each as it ends
     */
    public static void mutants(
            List<Mutants.Mutant> mutants, int seedsMax, int jobs, Consumer<MutantLine> progress)
            throws InterruptedException {
        try (ExecutorService workers = Executors.newFixedThreadPool(jobs)) {
            for (Mutants.Mutant mutant : mutants) {
                workers.execute(() -> progress.accept(mutant(mutant, seedsMax)));
            }
            workers.shutdown();
            boolean ended = workers.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
            assert ended;
        }
    }

    private static MutantLine mutant(Mutants.Mutant mutant, int seedsMax) {
        NodeCode code;
        try {
            code = NodeCode.mutated(mutant);
        } catch (IOException e) {
            return new MutantLine(mutant, false, "", 0);
        }
        for (int seed = 1; seed <= seedsMax; seed++) {
            try {
                SimRun.Result result = SimRun.run(Scenario.ofSeed(seed, RUN_MILLIS), code, null);
                if (result.failed()) {
                    return new MutantLine(mutant, true, result.rule(), seed);
                }
            } catch (RuntimeException e) {
                return new MutantLine(mutant, true, "the simulator failed: " + e, seed);
            }
        }
        return new MutantLine(mutant, true, "", seedsMax);
    }

    private static Line score(
            PlantedBug bug, Path sourceRoot, int seedsMax, double secondsMax, int minimiseSeconds)
            throws IOException {
        long start = cpuNanos();
        NodeCode code = NodeCode.planted(bug, sourceRoot);
        int most = bug.isBenign() ? Math.max(20, seedsMax / 4) : seedsMax;
        double simulated = 0;
        int count = 0;
        while (count < most
                && (cpuNanos() - start) / 1e9 < secondsMax
                && !Thread.currentThread().isInterrupted()) {
            count++;
            SimRun.Result result = SimRun.run(Scenario.ofSeed(count, RUN_MILLIS), code, null);
            simulated += result.simulatedNanos() / 1e9;
            if (result.failed()) {
                double seconds = (cpuNanos() - start) / 1e9;
                Scenario small =
                        minimiseSeconds == 0
                                ? null
                                : new Minimiser(code, result, minimiseSeconds, line -> {})
                                        .minimise(Scenario.ofSeed(count, RUN_MILLIS));
                return line(bug, result, count, simulated, seconds, small);
            }
        }
        return new Line(
                bug.id(),
                bug.title(),
                bug.isBenign(),
                SimRun.Finder.NOBODY.label(),
                "",
                0,
                count,
                simulated,
                (cpuNanos() - start) / 1e9,
                -1,
                -1);
    }

    /** Of this thread alone, so that a busy machine does not cut the search short. */
    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static Line line(
            PlantedBug bug,
            SimRun.Result result,
            int seed,
            double simulated,
            double seconds,
            @Nullable Scenario small) {
        List<Scenario.Step> script = small == null ? null : small.script();
        return new Line(
                bug.id(),
                bug.title(),
                bug.isBenign(),
                result.finder().label(),
                result.finder() == SimRun.Finder.CHECKER ? "" : result.what(),
                seed,
                seed,
                simulated,
                seconds,
                script == null ? -1 : script.size(),
                small == null ? -1 : small.plan().faults().size());
    }
}
