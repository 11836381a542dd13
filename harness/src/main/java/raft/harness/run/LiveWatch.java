package raft.harness.run;

import raft.harness.checker.LiveChecker;
import raft.harness.checker.Verdict;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.model.Model;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/**
 * Checks a run's history while the run goes on, in a thread of its own, so that a violation is said
 * when it happens and not minutes later. It decides nothing: the whole history is judged after the
 * run. Where it cannot keep up it stops rather than slow down the run.
 */
final class LiveWatch implements AutoCloseable {
    private static final int QUEUE_LENGTH = 1 << 17;
    private static final long MEMORY_BYTES = 128L << 20;
    private static final long JOIN_MILLIS = 5_000;

    private record Arrival(HistoryEvent event, long nanos) {}

    private static final Arrival END =
            new Arrival(
                    new HistoryEvent(
                            -1,
                            0,
                            HistoryEvent.NEMESIS,
                            HistoryEvent.Type.INFO,
                            "end",
                            Value.NIL,
                            Value.NIL,
                            null,
                            null,
                            0,
                            0),
                    0);

    private final Consumer<String> progress;
    private final BlockingQueue<Arrival> queue = new ArrayBlockingQueue<>(QUEUE_LENGTH);
    private final LiveChecker live;
    private final Thread thread;
    private final long startNanos = System.nanoTime();
    private volatile boolean fellBehind;

    // Of the watching thread until it has ended.
    private long behindMostNanos;
    private long processorNanos;
    private boolean said;

    LiveWatch(Model model, Consumer<String> progress) {
        this.progress = progress;
        live = new LiveChecker(model, MEMORY_BYTES);
        thread = new Thread(this::watch, "live-checker");
        thread.setDaemon(true);
        thread.start();
    }

    /** Takes the next event of the history; never blocks. */
    void accept(HistoryEvent event) {
        if (!fellBehind && !queue.offer(new Arrival(event, System.nanoTime()))) {
            fellBehind = true;
        }
    }

    private void watch() {
        try {
            for (Arrival next = queue.take(); !next.equals(END); next = queue.take()) {
                live.add(next.event());
                behindMostNanos = Math.max(behindMostNanos, System.nanoTime() - next.nanos());
                if (!said && live.verdict() instanceof Verdict.Violation violation) {
                    said = true;
                    progress.accept(
                            "VIOLATION at event "
                                    + next.event().index()
                                    + ", found while the run goes on: "
                                    + violation.explanation().summary());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            // The history is judged after the run, which then says what is wrong with it.
            fellBehind = true;
        } finally {
            processorNanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        }
    }

    /** Waits until what came is checked, and says how well it kept up. */
    @Override
    public void close() {
        if (!queue.offer(END)) {
            fellBehind = true;
            thread.interrupt();
        }
        try {
            thread.join(JOIN_MILLIS);
        } catch (InterruptedException e) {
            // The run is being ended; what was found is on disk anyway.
            Thread.currentThread().interrupt();
            return;
        }
        if (thread.isAlive()) {
            thread.interrupt();
            return;
        }
        String how =
                String.format(
                        Locale.ROOT,
                        " (at most %d ms behind, %.1f %% of a core)",
                        behindMostNanos / 1_000_000,
                        100.0 * processorNanos / Math.max(1, System.nanoTime() - startNanos));
        if (fellBehind) {
            progress.accept("the check along the way fell behind and stopped");
        } else if (live.verdict() instanceof Verdict.Valid) {
            progress.accept(
                    "checked along the way: nothing wrong in "
                            + live.judgedCount()
                            + " operations"
                            + how);
        } else if (live.verdict() instanceof Verdict.Unknown unknown) {
            progress.accept("the check along the way gave up: " + unknown.reason() + how);
        }
    }
}
