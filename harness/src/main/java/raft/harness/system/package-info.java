/**
 * What the harness must know of a store in order to test it; whoever implements {@link
 * raft.harness.system.SystemUnderTest} adds one.
 *
 * <p>Must not know: containers, the engine, our own node. Read first: {@link
 * raft.harness.system.SystemUnderTest}; {@code raft.harness.etcd} is a whole example, and
 * docs/systems.md explains a smaller one.
 */
@NullMarked
package raft.harness.system;

import org.jspecify.annotations.NullMarked;
