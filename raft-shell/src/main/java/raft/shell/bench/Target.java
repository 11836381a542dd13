package raft.shell.bench;

/** A store under load, through its own kind of client. */
interface Target extends AutoCloseable {
    /**
     * Opens connections, to the leader.
     *
     * @param count at least 1
     */
    void connect(int count) throws Exception;

    /**
     * Runs {@code work} on the thread on which a connection's operations end, so that a closed loop
     * needs no other thread.
     *
     * @param connection 0 to count - 1
     */
    void execute(int connection, Runnable work);

    /**
     * Starts one operation.
     *
     * @param write a put of {@code value}, else a linearizable read
     * @param done told on the connection's thread; null is success, else what went wrong
     */
    void start(int connection, boolean write, byte[] key, byte[] value, Done done);

    /** How an operation ended. */
    @FunctionalInterface
    interface Done {
        void done(@org.jspecify.annotations.Nullable String trouble);
    }

    @Override
    void close();
}
