/**
 * The simulated cluster: what starts, repeats, judges and shrinks runs of it.
 *
 * <p>Must not know: the node's classes. A run brings its own copy of them, right or with a planted
 * bug, loaded by {@link raft.harness.sim.NodeCode} together with the package {@code world} beneath,
 * which is the only one that touches them. Read first: {@link raft.harness.sim.SimOptions}.
 */
@NullMarked
package raft.harness.sim;

import org.jspecify.annotations.NullMarked;
