package raft.shell.repl;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.Writer;
import java.util.Locale;

/**
 * A screen's writer that says by itself that a command is at work when the command has not written
 * anything for a moment: what a person typed is answered at once, and what takes long shows how
 * long it has been taking. The line goes away with the first word of the answer.
 */
final class Working extends Writer {
    private static final long PATIENCE_MILLIS = 70;
    private static final long EVERY_MILLIS = 200;

    private final Writer screen;

    // Under this object's monitor.
    private @Nullable String command;
    private long startNanos;
    private boolean shown;

    /**
     * @param screen where everything goes; understands "back to the line's start" and "erase it"
     */
    Working(Writer screen) {
        this.screen = screen;
        Thread clock = Thread.ofPlatform().daemon().name("working").unstarted(this::tick);
        clock.start();
    }

    /** A command begins, and nothing has been said yet. */
    synchronized void begin(String name) {
        command = name;
        startNanos = System.nanoTime();
        notifyAll();
    }

    /** It is over. */
    synchronized void end() throws IOException {
        command = null;
        erase();
        screen.flush();
    }

    private void tick() {
        try {
            while (true) {
                waitAndShow();
            }
        } catch (InterruptedException | IOException e) {
            // The screen is gone, and with it whoever would look.
            Thread.currentThread().interrupt();
        }
    }

    @SuppressWarnings("WaitNotInLoop") // woken early it looks at the time and is called again
    private synchronized void waitAndShow() throws InterruptedException, IOException {
        while (command == null) {
            wait();
        }
        wait(shown ? EVERY_MILLIS : PATIENCE_MILLIS);
        String name = command;
        long tookNanos = System.nanoTime() - startNanos;
        if (name != null && tookNanos >= PATIENCE_MILLIS * 1_000_000) {
            screen.write(
                    String.format(Locale.ROOT, "\r\u001b[K… %s, %.1f s", name, tookNanos / 1e9));
            screen.flush();
            shown = true;
        }
    }

    private void erase() throws IOException {
        if (shown) {
            screen.write("\r\u001b[K");
            shown = false;
        }
    }

    @Override
    public synchronized void write(char[] text, int from, int count) throws IOException {
        command = null;
        erase();
        screen.write(text, from, count);
    }

    @Override
    public synchronized void flush() throws IOException {
        screen.flush();
    }

    /** The screen stays open: it is its owner's. */
    @Override
    public synchronized void close() throws IOException {
        screen.flush();
    }
}
