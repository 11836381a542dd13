package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Fits;
import raft.harness.checker.Outcome.Impossible;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Two searches of one register at the same time, with beams of different widths: which is quicker
 * nobody knows beforehand, and they differ by several times in both directions. The second begins
 * only when the first has not decided soon. The first decision ends both.
 *
 * <p>Windows between quiescent points would not pay: where a search is long hardly any moment is
 * quiescent (6 of 200,000 events with 10 processes, 1 of 20,000 with 100). One frontier is not
 * split over threads: its set and the dominance between its members concern all of it at every
 * step.
 */
final class RegisterRace {
    private static final long HEAD_START_MILLIS = 1_000;

    /** Fewer operations are decided before the second thread has begun. */
    private static final int OPERATIONS_LEAST = 2_000;

    /**
     * What is open at once, from where on a narrow beam gets through more often than a wide one.
     */
    private static final int MANY_OPEN = 32;

    private static final int NARROW = 12;
    private static final int USUAL = 0;
    private static final int WIDE = 192;

    private final RegisterPart part;
    private final RegisterCheck.Ways ways;
    private final Meter meter;
    private final Meter.Gauge gauge;
    private final CountDownLatch firstIsDone = new CountDownLatch(1);
    private volatile @Nullable Outcome second;

    private RegisterRace(
            RegisterPart part, RegisterCheck.Ways ways, Meter meter, Meter.Gauge gauge) {
        this.part = part;
        this.ways = ways;
        this.meter = meter;
        this.gauge = gauge;
    }

    /** Whether a second thread has a processor to itself and something to do. */
    static boolean pays(RegisterPart part) {
        return part.operationCount() >= OPERATIONS_LEAST
                && Runtime.getRuntime().availableProcessors() > 1;
    }

    /** As {@link RegisterCheck#judge} without a linearization. */
    static Outcome judge(
            RegisterPart part, RegisterCheck.Ways ways, Meter meter, Meter.Gauge gauge) {
        return new RegisterRace(part, ways, meter, gauge).run();
    }

    private Outcome run() {
        boolean manyOpen = mostOpen() > MANY_OPEN;
        var check = new RegisterCheck(part, gauge, false, ways, manyOpen ? NARROW : USUAL);
        Outcome plain = check.withoutSearch();
        if (plain != null) {
            return plain;
        }
        // A quarter of the memory, on an account of its own: what it wastes ends nothing.
        Meter its = meter.within(meter.secondsLeft(), meter.askedBytes() / 4);
        Meter.Gauge itsGauge = its.gauge();
        int width = manyOpen ? USUAL : WIDE;
        var thread = new Thread(() -> follow(width, itsGauge), "checker-second");
        thread.setDaemon(true);
        thread.start();
        Outcome first;
        try {
            first = check.search();
        } finally {
            firstIsDone.countDown();
            itsGauge.cancel();
        }
        Outcome other = second;
        return other != null && !(first instanceof Fits || first instanceof Impossible)
                ? other
                : first;
    }

    private void follow(int width, Meter.Gauge itsGauge) {
        try {
            if (firstIsDone.await(HEAD_START_MILLIS, TimeUnit.MILLISECONDS)) {
                return;
            }
            Outcome outcome = new RegisterCheck(part, itsGauge, false, ways, width).search();
            if (outcome instanceof Fits || outcome instanceof Impossible) {
                second = outcome;
                gauge.cancel();
            }
        } catch (Meter.Spent | InterruptedException | OutOfMemoryError e) {
            // Then it has nothing to say, and the first goes on alone.
        }
    }

    private int mostOpen() {
        int open = 0;
        int most = 0;
        for (int event : part.part().events()) {
            open += part.crashed(event >> 1) ? 0 : (event & 1) == 0 ? 1 : -1;
            most = Math.max(most, open);
        }
        return most;
    }
}
