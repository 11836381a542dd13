package raft.harness.checker;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Watches a {@link Budget} from inside the innermost loops. One meter is shared by all threads of a
 * check; each thread asks through its own {@link Gauge}.
 */
final class Meter {
    private static final int STEPS_BETWEEN_LOOKS = 256;

    private final long startNanos = System.nanoTime();
    private final long timeNanos;
    private final long memoryBytes;
    private final AtomicLong heldBytes = new AtomicLong();
    private volatile boolean spent;
    private volatile String what = "";

    Meter(Budget budget) {
        long nanos;
        try {
            nanos = budget.time().toNanos();
        } catch (ArithmeticException e) {
            nanos = Long.MAX_VALUE / 2;
        }
        timeNanos = nanos;
        // The search must never meet the end of the heap, whatever the budget allows.
        Runtime runtime = Runtime.getRuntime();
        long free = runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
        memoryBytes = Math.max(1 << 20, Math.min(budget.memoryBytes(), free / 2));
    }

    boolean spent() {
        return spent;
    }

    /** Which part of the budget ended, "time" or "memory"; empty while there is some. */
    String what() {
        return what;
    }

    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    Gauge gauge() {
        return new Gauge();
    }

    private void look() {
        if (System.nanoTime() - startNanos > timeNanos) {
            spend("time");
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
        private int steps;
        private long reportedBytes;

        /** Called for every elementary step; false when the budget is spent. */
        boolean step() {
            if (++steps >= STEPS_BETWEEN_LOOKS) {
                steps = 0;
                look();
            }
            return !spent;
        }

        /** Looks at the clock now; for loops whose steps are long. */
        boolean lookNow() {
            look();
            return !spent;
        }

        /** Says how much this search holds now. */
        boolean holds(long bytes) {
            if (heldBytes.addAndGet(bytes - reportedBytes) > memoryBytes) {
                spend("memory");
            }
            reportedBytes = bytes;
            return !spent;
        }

        /** Whether {@code more} bytes could still be held. */
        boolean allows(long more) {
            return heldBytes.get() + more <= memoryBytes;
        }

        /** For a step that could not be afforded. */
        void memorySpent() {
            spend("memory");
        }
    }
}
