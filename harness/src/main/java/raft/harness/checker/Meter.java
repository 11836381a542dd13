package raft.harness.checker;

import java.io.Serial;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Watches a {@link Budget} from inside the innermost loops. One meter is shared by all threads of a
 * check; each thread asks through its own {@link Gauge}.
 */
final class Meter {
    private static final int STEPS_BETWEEN_LOOKS = 256;
    private static final long PROGRESS_NANOS = 200_000_000;
    private static final long LEAST_BYTES = 1 << 20;

    /** A collection may take a tenth of this; nobody shall wait for them most of the time. */
    private static final long COLLECTION_NANOS = 2_000_000_000;

    private static final AtomicLong LAST_COLLECTION_NANOS =
            new AtomicLong(System.nanoTime() - COLLECTION_NANOS);

    private final LongSupplier nanoClock;
    private final long startNanos;
    private final long timeNanos;
    private final long askedBytes;
    private volatile long memoryBytes;
    private final AtomicLong heldBytes = new AtomicLong();
    private volatile boolean spent;
    private volatile String what = "";
    private final Checker.Progress progress;
    private final AtomicLong judgedCount = new AtomicLong();
    private volatile long operationCount;
    private volatile long nextProgressNanos;

    /** Leaves a computation that cannot stop half-way. Never leaves the package. */
    static final class Spent extends RuntimeException {
        @Serial private static final long serialVersionUID = 1L;

        Spent() {
            super("the budget is spent", null, false, false);
        }
    }

    Meter(Budget budget, Checker.Progress progress) {
        this(budget, progress, System::nanoTime);
    }

    /** With a clock of one's own: nanoseconds that never fall. */
    Meter(Budget budget, Checker.Progress progress, LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        this.startNanos = nanoClock.getAsLong();
        this.progress = progress;
        long nanos;
        try {
            nanos = budget.time().toNanos();
        } catch (ArithmeticException e) {
            nanos = Long.MAX_VALUE / 2;
        }
        timeNanos = nanos;
        askedBytes = Math.max(LEAST_BYTES, budget.memoryBytes());
        memoryBytes = bearable();
    }

    /** The search must never meet the end of the heap, whatever the budget allows. */
    private long bearable() {
        Runtime runtime = Runtime.getRuntime();
        long free = runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
        return Math.clamp(heldBytes.get() + free / 2, LEAST_BYTES, askedBytes);
    }

    /**
     * Whether so much may be held. What is free counts garbage as used, so before a search ends
     * because of the heap, and not because of its budget, the heap is collected and looked at
     * again.
     */
    private boolean bears(long bytes) {
        if (bytes <= memoryBytes) {
            return true;
        }
        if (memoryBytes >= askedBytes) {
            return false;
        }
        long now = System.nanoTime();
        long last = LAST_COLLECTION_NANOS.get();
        if (now - last > COLLECTION_NANOS && LAST_COLLECTION_NANOS.compareAndSet(last, now)) {
            System.gc();
            memoryBytes = bearable();
        }
        return bytes <= memoryBytes;
    }

    /** A budget of its own within this one, which nobody hears of. */
    Meter within(double seconds, long most) {
        long nanos = (long) (Math.max(0, Math.min(seconds, secondsLeft())) * 1e9);
        var budget = new Budget(Duration.ofNanos(nanos), most);
        return new Meter(budget, Checker.Progress.NONE, nanoClock);
    }

    /** The history is prepared; so many operations are to be judged. */
    void begin(long allOperations) {
        operationCount = allOperations;
    }

    /** So many more operations are judged for good. */
    void judged(long operations) {
        judgedCount.addAndGet(operations);
    }

    /** Ends the budget from outside. */
    void stop(String which) {
        spend(which);
    }

    double secondsLeft() {
        return (timeNanos - elapsedNanos()) / 1e9;
    }

    /** What may be held as far as is known; garbage makes it less than it could be. */
    long memoryBytes() {
        return memoryBytes;
    }

    /** What the budget allows, whether or not the heap bears it at present. */
    long askedBytes() {
        return askedBytes;
    }

    boolean spent() {
        return spent;
    }

    /** Which part of the budget ended, "time" or "memory"; empty while there is some. */
    String what() {
        return what;
    }

    double seconds() {
        return elapsedNanos() / 1e9;
    }

    private long elapsedNanos() {
        return nanoClock.getAsLong() - startNanos;
    }

    Gauge gauge() {
        return new Gauge();
    }

    private void look(long position) {
        long elapsed = elapsedNanos();
        if (elapsed > timeNanos) {
            spend("time");
        }
        if (elapsed > nextProgressNanos) {
            nextProgressNanos = elapsed + PROGRESS_NANOS;
            long judged = judgedCount.get() + position;
            progress.at(
                    operationCount == 0 ? judged : Math.min(operationCount, judged),
                    operationCount);
        }
    }

    private void spend(String which) {
        if (!spent) {
            what = which;
            spent = true;
        }
    }

    /** One thread's view. */
    final class Gauge {
        private volatile boolean cancelled;
        private int steps;
        private long reportedBytes;
        private long position;

        /** How many operations of its part the search has behind it. */
        void at(long operations) {
            position = operations;
        }

        /** For loops that cannot stop half-way; throws when the budget is spent. */
        void check() {
            if (!step()) {
                throw new Spent();
            }
        }

        /** Called for every elementary step; false when the budget is spent. */
        boolean step() {
            if (++steps >= STEPS_BETWEEN_LOOKS) {
                steps = 0;
                look(position);
            }
            return !spent && !cancelled;
        }

        /** A step that takes as long as so many elementary ones. */
        void steps(int count) {
            steps += count - 1;
            step();
        }

        /** From another thread: to this one the budget is spent. */
        void cancel() {
            cancelled = true;
        }

        /** Looks at the clock now; for loops whose steps are long. */
        boolean lookNow() {
            look(position);
            return !spent && !cancelled;
        }

        /** Says how much this search holds now. */
        boolean holds(long bytes) {
            if (!bears(heldBytes.addAndGet(bytes - reportedBytes))) {
                spend("memory");
            }
            reportedBytes = bytes;
            return !spent;
        }

        /** Whether {@code more} bytes could still be held. */
        boolean allows(long more) {
            return bears(heldBytes.get() + more);
        }

        /** For a step that could not be afforded. */
        void memorySpent() {
            spend("memory");
        }
    }
}
