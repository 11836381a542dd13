/**
 * A cluster of containers: images, pods, real faults and their proof.
 *
 * <p>Must not know: the algorithm under test; it speaks only the public client protocol.
 */
@NullMarked
package raft.harness.docker;

import org.jspecify.annotations.NullMarked;
