/**
 * The inside of the simulated cluster: one thread, virtual time, network, disks, processes, clients
 * and the invariants over all nodes.
 *
 * <p>Must not know: clocks, threads, files, randomness that is not keyed. Loaded anew for every
 * variant of the node's code, so nothing outside names its classes. Read first: {@code SimCluster}.
 */
@NullMarked
package raft.harness.sim.world;

import org.jspecify.annotations.NullMarked;
