/**
 * Faults as data: what can be broken, when, for how long, and what it means for a given set of
 * nodes.
 *
 * <p>Must not know: how a fault is put into effect. Read first: {@link
 * raft.harness.nemesis.FaultKind}.
 */
@NullMarked
package raft.harness.nemesis;

import org.jspecify.annotations.NullMarked;
