/**
 * Frames and codec of messages between nodes, and the handshake.
 *
 * <p>Must not know: the algorithm, the state machine, files.
 */
@NullMarked
package raft.peer;

import org.jspecify.annotations.NullMarked;
