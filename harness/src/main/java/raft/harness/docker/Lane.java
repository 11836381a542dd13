package raft.harness.docker;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * One thread that does one thing after the other: what overlaps on one node is serialised by the
 * node's lane, without a lock that somebody could forget.
 */
final class Lane implements AutoCloseable {
    private final ExecutorService thread;

    Lane(String name) {
        this.thread =
                Executors.newSingleThreadExecutor(
                        // Platform threads: the library's socket calls would pin a virtual one.
                        Thread.ofPlatform().name(name).daemon(true).factory());
    }

    <T> CompletableFuture<T> submit(Supplier<T> work) {
        return CompletableFuture.supplyAsync(work, thread);
    }

    /** Gives up what has not begun and interrupts what has; waits for its end, but not for long. */
    @Override
    public void close() {
        thread.shutdownNow();
        try {
            boolean ended = thread.awaitTermination(2, TimeUnit.SECONDS);
            assert ended || thread.isShutdown();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
