package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Cluster;
import raft.harness.cluster.SelfChecking;

/** A cluster in virtual time, with what only a simulation can tell. For one thread. */
public interface SimulatedCluster extends Cluster, SelfChecking {
    /** Takes one line for everything that happens; costs time and memory. */
    @FunctionalInterface
    interface Trace {
        /**
         * @param digest of everything up to this event
         */
        void event(long number, long timeNanos, long digest, String what);
    }

    /**
     * Takes what the nodes' processes log, line by line; costs time, so nobody listens at first.
     */
    @FunctionalInterface
    interface NodeLog {
        /** As serious as the node's own process says it is. */
        enum Level {
            INFO,
            WARN,
            ERROR
        }

        /**
         * @param timeNanos of the run's clock, whatever the node's own clock shows
         */
        void line(String node, long timeNanos, Level level, String text);
    }

    /** Rolling fingerprint of all events so far: equal runs have equal digests. */
    long digest();

    /** Events so far. */
    long eventCount();

    /** Turns tracing on, or off with null. */
    void trace(@Nullable Trace trace);

    /** Says the nodes' log lines from now on, beginning with those that have started already. */
    void nodeLog(NodeLog log);

    /** What was reached so far; the cluster's own object, not a copy. */
    Coverage coverage();

    /**
     * After the workload, with all faults gone: demands a leader, equal state everywhere and
     * service, then a steady term, then the same of a random quorum alone. What is missing is added
     * to {@link #brokenInvariants}, beginning with "liveness".
     */
    void demandLiveness() throws InterruptedException;
}
