package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.stream.Collectors;

/** Many seeds on several threads; each run has a thread of its own and shares nothing. */
public final class Campaign {
    private static final long PROGRESS_NANOS = 5_000_000_000L;
    private static final int UNKNOWN_NAMED_MAX = 10;

    private final NodeCode code;
    private final LongFunction<Scenario> scenarios;
    private final FailureSink failures;
    private final AtomicLong nextSeed;
    private final long lastSeed;
    private final long startNanos = System.nanoTime();

    private long seedCount;
    private long failureCount;
    private final List<Long> unknownSeeds = new ArrayList<>();
    private double simulatedSeconds;
    private @Nullable Coverage coverage;

    /** Takes each failure as it is found, one at a time. */
    @FunctionalInterface
    public interface FailureSink {
        /** Called in no particular order of seeds. */
        void failed(long seed, SimRun.Result result);
    }

    /**
     * @param unknownSeeds of runs whose check ended without a verdict
     * @param heapBytes what was still in use after the newest full collection of the heap's oldest
     *     part, or since then; 0 where the JVM does not tell
     * @param coverage what all runs together reached; null where none ended
     */
    public record Totals(
            long seedCount,
            long failureCount,
            List<Long> unknownSeeds,
            double simulatedSeconds,
            double seconds,
            long heapBytes,
            @Nullable Coverage coverage) {
        /** One line. */
        public String words() {
            return String.format(
                    Locale.ROOT,
                    "%d seeds, %d failed, %d unknown%s; %.1f seeds/s, %.0f simulated seconds a"
                            + " second; heap %d MB",
                    seedCount,
                    failureCount,
                    unknownSeeds.size(),
                    named(),
                    seedCount / seconds,
                    simulatedSeconds / seconds,
                    heapBytes >> 20);
        }

        private String named() {
            if (unknownSeeds.isEmpty()) {
                return "";
            }
            String some =
                    unknownSeeds.stream()
                            .limit(UNKNOWN_NAMED_MAX)
                            .map(String::valueOf)
                            .collect(Collectors.joining(", "));
            return " (" + some + (unknownSeeds.size() > UNKNOWN_NAMED_MAX ? ", …)" : ")");
        }
    }

    private Campaign(
            NodeCode code,
            long from,
            long count,
            LongFunction<Scenario> scenarios,
            FailureSink failures) {
        this.code = code;
        this.scenarios = scenarios;
        this.failures = failures;
        this.nextSeed = new AtomicLong(from);
        this.lastSeed = from + count - 1;
    }

    /**
     * Runs {@code count} seeds.
     *
     * @param scenarios what each seed is
     * @param progress is told every five seconds how far things are
     */
    public static Totals run(
            NodeCode code,
            long from,
            long count,
            int jobs,
            LongFunction<Scenario> scenarios,
            FailureSink failures,
            Consumer<String> progress)
            throws InterruptedException {
        Campaign campaign = new Campaign(code, from, count, scenarios, failures);
        try (ExecutorService workers = Executors.newFixedThreadPool(jobs)) {
            for (int i = 0; i < jobs; i++) {
                workers.execute(campaign::work);
            }
            workers.shutdown();
            try {
                while (!workers.awaitTermination(PROGRESS_NANOS, TimeUnit.NANOSECONDS)) {
                    progress.accept(campaign.totals().words());
                }
            } catch (InterruptedException e) {
                // Seeds that run are waited for, and no further one is begun.
                campaign.nextSeed.set(campaign.lastSeed + 1);
                throw e;
            }
        }
        return campaign.totals();
    }

    private void work() {
        while (true) {
            long seed = nextSeed.getAndIncrement();
            if (seed > lastSeed) {
                return;
            }
            SimRun.Result result;
            try {
                result = SimRun.run(scenarios.apply(seed), code, null);
            } catch (RuntimeException e) {
                // A failure of the simulator is no verdict on the node, but it must be seen.
                result =
                        new SimRun.Result(
                                SimRun.Finder.INVARIANT,
                                "the simulator failed: " + e,
                                0,
                                0,
                                0,
                                0,
                                List.of(),
                                null,
                                false);
            }
            note(seed, result);
        }
    }

    private synchronized void note(long seed, SimRun.Result result) {
        seedCount++;
        simulatedSeconds += result.simulatedNanos() / 1e9;
        Coverage reached = result.coverage();
        if (reached != null) {
            Coverage all = coverage == null ? reached.empty() : coverage;
            all.add(reached);
            coverage = all;
        }
        if (result.failed()) {
            failureCount++;
            failures.failed(seed, result);
        } else if (result.finder() == SimRun.Finder.UNKNOWN) {
            unknownSeeds.add(seed);
        }
    }

    private synchronized Totals totals() {
        return new Totals(
                seedCount,
                failureCount,
                List.copyOf(unknownSeeds),
                simulatedSeconds,
                (System.nanoTime() - startNanos) / 1e9,
                heapBytes(),
                coverage);
    }

    /**
     * What the collector could not free when it last looked; young objects that wait for their
     * first collection are no leak and not counted.
     */
    private static long heapBytes() {
        long bytes = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            MemoryUsage afterCollection = pool.getCollectionUsage();
            if (pool.getType() != MemoryType.HEAP || afterCollection == null) {
                continue;
            }
            boolean young = pool.getName().contains("Eden") || pool.getName().contains("Survivor");
            bytes += (young ? afterCollection : pool.getUsage()).getUsed();
        }
        return bytes;
    }
}
