package raft.shell;

/** Work for the end of this process, in case that it ends before the work is done otherwise. */
public final class ShutdownHook {
    private ShutdownHook() {}

    /** It is not needed any more, or is at work already. */
    public static void remove(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // It is at work already.
        }
    }
}
