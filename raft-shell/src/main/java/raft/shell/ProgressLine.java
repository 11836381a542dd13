package raft.shell;

import raft.harness.checker.Checker;

import java.io.PrintWriter;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * Says on standard error how far a long check is: on a terminal in one line that is written over
 * and disappears, else in a line of its own every ten seconds.
 */
final class ProgressLine implements Checker.Progress, AutoCloseable {
    private static final long QUIET_NANOS = 1_000_000_000;
    private static final long PLAIN_NANOS = 10_000_000_000L;

    private final PrintWriter err;
    private final String file;
    private final boolean terminal;
    private final LongSupplier nanoClock;
    private final long startNanos;
    private long nextNanos;
    private boolean shown;

    /**
     * @param nanoClock nanoseconds that never fall
     */
    ProgressLine(PrintWriter err, String file, boolean terminal, LongSupplier nanoClock) {
        this.err = err;
        this.file = file;
        this.terminal = terminal;
        this.nanoClock = nanoClock;
        startNanos = nanoClock.getAsLong();
        nextNanos = terminal ? QUIET_NANOS : PLAIN_NANOS;
    }

    @SuppressWarnings("SystemConsoleNull") // It is null where no provider of consoles is at hand.
    static ProgressLine onStandardError(PrintWriter err, String file) {
        var console = System.console();
        // Null with some settings of jdk.console.
        boolean terminal = Objects.nonNull(console) && console.isTerminal();
        return new ProgressLine(err, file, terminal, System::nanoTime);
    }

    @Override
    public synchronized void at(long judgedCount, long operationCount) {
        long elapsedNanos = nanoClock.getAsLong() - startNanos;
        if (elapsedNanos < nextNanos) {
            return;
        }
        String text =
                operationCount == 0
                        ? judgedCount + " operations read"
                        : judgedCount + " of " + operationCount + " operations judged";
        String line = file + ": " + text + ", " + elapsedNanos / 1_000_000_000 + " s";
        if (terminal) {
            err.print("\r" + line + " \u001b[K");
        } else {
            nextNanos = elapsedNanos + PLAIN_NANOS;
            err.println("raft: " + line);
        }
        err.flush();
        shown = terminal;
    }

    @Override
    public void close() {
        clear();
    }

    synchronized void clear() {
        if (shown) {
            err.print("\r\u001b[K");
            err.flush();
            shown = false;
        }
    }
}
