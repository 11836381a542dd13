package raft.harness.workload;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Reads, writes and compare-and-sets of many independent registers.
 *
 * <p>A few keys are in use at a time, so that clients really meet on them; after {@link
 * Options#operationsPerKey} operations a key is left alone and a new one takes its place, so that
 * each key's history stays short enough to be judged. Every written value is unique in the run: a
 * read then names the very write that it saw. Most compare-and-sets expect what was last seen of
 * their key; a few expect some value that was written to any key, which should nearly always fail,
 * and on a key that nobody wrote yet must.
 *
 * <p>Half of the processes are reserved for reads. A leader that was cut off leaves writes without
 * an answer, so soon every client bound to it would hang in one and nobody would be left to ask it
 * for the stale value that it may be so wrong as to tell.
 */
public final class RegisterWorkload implements Workload {
    /**
     * @param ratePerSecond operations started per second, on average; spacing is drawn from [0,
     *     2/rate)
     * @param activeKeyCount keys in use at a time
     * @param operationsPerKey after which a key is replaced
     * @param readPercent share of reads of the processes that do not only read
     * @param casPercent share of compare-and-sets of those; the rest are writes
     * @param hotPercent share of the operations that go to one of the keys in use, beside its part
     *     of the rest
     */
    public record Options(
            double ratePerSecond,
            int activeKeyCount,
            int operationsPerKey,
            int readPercent,
            int casPercent,
            int hotPercent) {
        public Options {
            if (!(ratePerSecond > 0) || activeKeyCount < 1 || operationsPerKey < 1) {
                throw new IllegalArgumentException(
                        "rate, keys and operations per key must be positive");
            }
            if (readPercent < 0 || casPercent < 0 || readPercent + casPercent > 100) {
                throw new IllegalArgumentException(
                        "shares must be between 0 and 100 percent together");
            }
        }

        /** Without a hot key. */
        public Options(
                double ratePerSecond,
                int activeKeyCount,
                int operationsPerKey,
                int readPercent,
                int casPercent) {
            this(ratePerSecond, activeKeyCount, operationsPerKey, readPercent, casPercent, 0);
        }

        public static Options atRate(double ratePerSecond) {
            return new Options(ratePerSecond, 5, 200, 20, 35);
        }
    }

    private static final int WRONG_PERCENT = 8;

    private final String name;
    private final int concurrency;
    private final Options options;
    private final SplittableRandom random;
    private final ActiveKeys keys;
    private final Map<Value, Value> newestSeen = new HashMap<>();
    private long writtenCount;
    private long nextStartNanos;

    /**
     * @param concurrency processes at a time; process p and p + concurrency are one after the other
     */
    public RegisterWorkload(long seed, int concurrency, Options options) {
        this("register", seed, concurrency, options);
    }

    RegisterWorkload(String name, long seed, int concurrency, Options options) {
        this.name = name;
        this.concurrency = concurrency;
        this.options = options;
        this.random = new SplittableRandom(seed);
        this.keys =
                new ActiveKeys(
                        random,
                        options.activeKeyCount,
                        options.operationsPerKey,
                        options.hotPercent);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String model() {
        return "cas-register";
    }

    @Override
    public List<String> functions() {
        int writePercent = 100 - options.readPercent - options.casPercent;
        return writePercent == 0 ? List.of("read", "cas") : List.of("read", "write", "cas");
    }

    @Override
    public Next next(long nowNanos, List<Long> freeProcesses) {
        if (nowNanos < nextStartNanos || freeProcesses.isEmpty()) {
            return new Next.WaitUntil(freeProcesses.isEmpty() ? Long.MAX_VALUE : nextStartNanos);
        }
        // Time lost while all processes were busy is not made up for: a burst after each fault
        // would be no steady load.
        long spacing = (long) (random.nextDouble() * 2e9 / options.ratePerSecond);
        long catchUpNanos = 20_000_000;
        nextStartNanos = Math.max(nextStartNanos, nowNanos - catchUpNanos) + spacing;
        long process = freeProcesses.get(random.nextInt(freeProcesses.size()));
        return new Next.Do(process, draw(isReader(process)));
    }

    private boolean isReader(long process) {
        return process % concurrency >= (concurrency + 1) / 2;
    }

    private Operation draw(boolean reader) {
        Value key = keys.draw();
        int percent = random.nextInt(100);
        if (reader || percent < options.readPercent) {
            return new Operation("read", key, Value.NIL);
        }
        Value fresh = Value.of(++writtenCount);
        if (percent < options.readPercent + options.casPercent) {
            return new Operation("cas", key, Value.of(expected(key), fresh));
        }
        return new Operation("write", key, fresh);
    }

    private Value expected(Value key) {
        // What was last seen is the only expectation that has a fair chance to hold.
        return random.nextInt(100) < WRONG_PERCENT
                ? Value.of(random.nextLong(writtenCount)) // 0 is nobody's
                : newestSeen.getOrDefault(key, Value.NIL);
    }

    @Override
    public void completed(HistoryEvent completion) {
        if (completion.type() != HistoryEvent.Type.OK) {
            return;
        }
        switch (completion.f()) {
            case "read", "write" -> newestSeen.put(completion.key(), completion.value());
            case "cas" -> {
                if (completion.value() instanceof Value.Seq(List<Value> values)) {
                    newestSeen.put(completion.key(), values.get(1));
                }
            }
            default ->
                    throw new IllegalStateException(
                            "not an operation of this workload: " + completion);
        }
    }

    @Override
    public List<Operation> finalOperations() {
        List<Operation> reads = new ArrayList<>();
        keys.all().forEach(key -> reads.add(new Operation("read", key, Value.NIL)));
        return reads;
    }
}
