package raft.harness.cluster;

import raft.harness.history.Value;

/**
 * A client operation to carry out.
 *
 * @param process the logical client; no other invocation of the same process is outstanding
 * @param node the node the client is bound to and asks first; it follows leader hints from there
 * @param timeoutNanos after which the client stops waiting
 */
public record Invocation(
        long process, String node, String f, Value key, Value value, long timeoutNanos) {}
