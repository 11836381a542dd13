/**
 * Generators of operations: pure functions of virtual time, free processes and keyed randomness.
 *
 * <p>Must not know: clusters, threads, the wall clock.
 */
@NullMarked
package raft.harness.workload;

import org.jspecify.annotations.NullMarked;
