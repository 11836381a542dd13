package raft.harness.system;

import raft.harness.cluster.Invocation;

/**
 * The clients of one run: as many logical processes as the workload has, each with connections of
 * its own and at most one operation under way.
 *
 * <p>Every invocation ends as exactly one {@code Completion.Operation}, whose type {@code
 * cluster.Outcomes} decides from how it ended. A client must never repeat a request that may have
 * taken effect.
 */
public interface SystemClients extends AutoCloseable {
    /**
     * Starts an operation and returns at once.
     *
     * @throws IllegalArgumentException for a node that is not among those given
     * @throws IllegalStateException when the process has an operation under way
     */
    void invoke(Invocation invocation);

    /** Ends what is under way, then all connections. Idempotent. */
    @Override
    void close();
}
