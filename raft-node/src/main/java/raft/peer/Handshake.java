package raft.peer;

import org.jspecify.annotations.Nullable;

import raft.core.NodeId;

/** The first frame of either side of a connection between nodes. */
public sealed interface Handshake {
    /** Changes whenever the meaning of any frame does. */
    int PROTOCOL_VERSION = 2;

    /**
     * Who speaks. The one who connects sends it first; the other answers with its own, or with
     * {@link Goodbye}.
     *
     * @param clusterId 1 to 64 bytes of ASCII
     * @param bootId drawn anew at every start of the process
     * @param dataId drawn when the data directory was made: another one means that what this node
     *     once promised may be forgotten
     * @param address where it listens for other nodes, HOST:PORT, so that it can be answered by
     *     those whose log does not name it yet
     */
    record Hello(
            int version, String clusterId, NodeId nodeId, long bootId, long dataId, String address)
            implements Handshake {}

    /**
     * The connection is refused and closed.
     *
     * @param reason one sentence, at most 512 bytes
     */
    record Goodbye(String reason) implements Handshake {}

    /**
     * Why {@code mine} must not talk to {@code theirs}; null where it may.
     *
     * @param expected whom the connection was made to, null where any member may be calling
     */
    static @Nullable String mismatch(Hello mine, Hello theirs, @Nullable NodeId expected) {
        if (theirs.version != mine.version) {
            return "node "
                    + theirs.nodeId
                    + " speaks version "
                    + theirs.version
                    + " of the peer protocol, node "
                    + mine.nodeId
                    + " version "
                    + mine.version;
        }
        if (!theirs.clusterId.equals(mine.clusterId)) {
            return "node "
                    + theirs.nodeId
                    + " belongs to cluster "
                    + theirs.clusterId
                    + ", node "
                    + mine.nodeId
                    + " to cluster "
                    + mine.clusterId;
        }
        if (theirs.nodeId.equals(mine.nodeId)) {
            return "both sides of the connection are node " + mine.nodeId;
        }
        if (expected != null && !theirs.nodeId.equals(expected)) {
            return "node " + theirs.nodeId + " answers at the address of node " + expected;
        }
        return null;
    }
}
