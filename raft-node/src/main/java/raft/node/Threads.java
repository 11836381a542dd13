package raft.node;

/** Starts the node's threads: named, daemons, with small stacks. */
final class Threads {
    /** Deep enough for everything here, small enough for dozens of threads in a small container. */
    private static final long STACK_BYTES = 256 << 10;

    private Threads() {}

    static Thread start(String name, Runnable work) {
        Thread thread = new Thread(null, work, name, STACK_BYTES, false);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Waits for the end, whatever happens to the waiting thread meanwhile. */
    static void join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
