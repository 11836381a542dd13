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

    /** Rolling fingerprint of all events so far: equal runs have equal digests. */
    long digest();

    /** Events so far. */
    long eventCount();

    /** Turns tracing on, or off with null. */
    void trace(@Nullable Trace trace);

    /** What was reached so far; the cluster's own object, not a copy. */
    Coverage coverage();

    /**
     * After the workload, with all faults gone: demands a leader, equal state everywhere and
     * service, then a steady term, then the same of a random quorum alone. What is missing is added
     * to {@link #brokenInvariants}, beginning with "liveness".
     */
    void demandLiveness() throws InterruptedException;
}
