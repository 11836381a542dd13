/**
 * The client protocol: requests, replies, their bytes on the wire, and a client.
 *
 * <p>Shared by node, harness and shell; described for other languages in raft-node/PROTOCOL.md.
 * Must not know: Raft's internals.
 */
@NullMarked
package raft.client;

import org.jspecify.annotations.NullMarked;
