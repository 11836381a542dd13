package raft.harness.report;

import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryIndex;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A history in numbers, made from its columns alone.
 *
 * @param operations that clients began
 * @param seconds from the first event to the last
 * @param functions what came of each operation
 * @param latencies of each operation and outcome that occurred
 * @param errors how often each came, most frequent first
 * @param overlappedShare share of operations that began while another was under way, 0 to 1
 * @param gaps without any success, longest first, at most ten
 * @param keyCount different keys
 * @param processCount different client processes
 */
public record Statistics(
        long operations,
        double seconds,
        Map<String, Counts> functions,
        List<Latency> latencies,
        Map<String, Long> errors,
        double overlappedShare,
        List<Gap> gaps,
        int keyCount,
        long processCount) {

    private static final int GAPS_MAX = 10;

    /**
     * What came of an operation's invocations.
     *
     * @param open has no completion: may have happened
     */
    public record Counts(long invoked, long ok, long failed, long unknown, long open) {}

    /** Quantiles in milliseconds; {@code outcome} is ok, fail or info. */
    public record Latency(
            String f, String outcome, long count, double p50, double p90, double p99, double max) {}

    /** A time without success, in milliseconds since the run began. */
    public record Gap(long fromMillis, long toMillis) {
        public long millis() {
            return toMillis - fromMillis;
        }
    }

    /** Counts a whole history. */
    public static Statistics of(HistoryIndex history) {
        return new Counting(history).statistics();
    }

    /** Growing arrays of latencies and counts while the columns are walked once. */
    private static final class Counting {
        private final HistoryIndex history;
        private final long[][] counts;
        private final Doubles[] latencies;
        private final long[] errors;
        private final List<Gap> gaps = new ArrayList<>();
        private final java.util.BitSet keys = new java.util.BitSet();
        private final java.util.HashSet<Long> processes = new java.util.HashSet<>();
        private long operations;
        private long overlapped;
        private long open;
        private long lastOkNanos;

        Counting(HistoryIndex history) {
            this.history = history;
            int functions = history.functions().size();
            counts = new long[functions][5];
            latencies = new Doubles[functions * 4];
            errors = new long[history.errors().size()];
            Arrays.setAll(latencies, i -> new Doubles());
        }

        Statistics statistics() {
            for (int i = 0; i < history.size(); i++) {
                if (history.process(i) >= 0) {
                    event(i);
                }
            }
            long end = history.size() == 0 ? 0 : history.timeNanos(history.size() - 1);
            gap(end);
            gaps.sort((a, b) -> Long.compare(b.millis(), a.millis()));
            return new Statistics(
                    operations,
                    end / 1e9,
                    functions(),
                    quantiles(),
                    sortedErrors(),
                    operations == 0 ? 0 : (double) overlapped / operations,
                    List.copyOf(gaps.subList(0, Math.min(GAPS_MAX, gaps.size()))),
                    keys.cardinality(),
                    processes.size());
        }

        private void event(int i) {
            Type type = history.type(i);
            int function = history.function(i);
            if (type == Type.INVOKE) {
                operations++;
                counts[function][0]++;
                if (history.partner(i) < 0) {
                    counts[function][4]++;
                }
                overlapped += open > 0 ? 1 : 0;
                open++;
                keys.set(history.key(i));
                processes.add(history.process(i));
                return;
            }
            open--;
            counts[function][type.ordinal()]++;
            int error = history.error(i);
            if (error >= 0) {
                errors[error]++;
            }
            int invocation = history.partner(i);
            if (invocation >= 0) {
                latencies[function * 4 + type.ordinal()].add(
                        (history.timeNanos(i) - history.timeNanos(invocation)) / 1e6);
            }
            if (type == Type.OK) {
                gap(history.timeNanos(i));
                lastOkNanos = history.timeNanos(i);
            }
        }

        private void gap(long untilNanos) {
            if (untilNanos - lastOkNanos >= 100_000_000) {
                gaps.add(new Gap(lastOkNanos / 1_000_000, untilNanos / 1_000_000));
            }
        }

        private Map<String, Counts> functions() {
            Map<String, Counts> found = new LinkedHashMap<>();
            for (int f = 0; f < counts.length; f++) {
                long[] c = counts[f];
                if (c[0] > 0) {
                    found.put(history.functions().get(f), new Counts(c[0], c[1], c[2], c[3], c[4]));
                }
            }
            return found;
        }

        private List<Latency> quantiles() {
            List<Latency> found = new ArrayList<>();
            for (int i = 0; i < latencies.length; i++) {
                double[] sorted = latencies[i].sorted();
                if (sorted.length > 0) {
                    found.add(
                            new Latency(
                                    history.functions().get(i / 4),
                                    Type.values()[i % 4].name().toLowerCase(java.util.Locale.ROOT),
                                    sorted.length,
                                    quantile(sorted, 0.5),
                                    quantile(sorted, 0.9),
                                    quantile(sorted, 0.99),
                                    sorted[sorted.length - 1]));
                }
            }
            return found;
        }

        private Map<String, Long> sortedErrors() {
            Map<String, Long> found = new LinkedHashMap<>();
            java.util.stream.IntStream.range(0, errors.length)
                    .filter(i -> errors[i] > 0)
                    .boxed()
                    .sorted((a, b) -> Long.compare(errors[b], errors[a]))
                    .forEach(i -> found.put(history.errors().get(i), errors[i]));
            return found;
        }
    }

    /** The smallest value that {@code share} of all are at or below (nearest rank). */
    static double quantile(double[] sorted, double share) {
        int rank = (int) Math.ceil(share * sorted.length);
        return sorted[Math.clamp(rank - 1, 0, sorted.length - 1)];
    }

    private static final class Doubles {
        private double[] values = new double[16];
        private int count;

        void add(double value) {
            if (count == values.length) {
                values = Arrays.copyOf(values, count * 2);
            }
            values[count++] = value;
        }

        double[] sorted() {
            double[] sorted = Arrays.copyOf(values, count);
            Arrays.sort(sorted);
            return sorted;
        }
    }
}
