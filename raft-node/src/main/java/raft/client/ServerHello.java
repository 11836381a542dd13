package raft.client;

/** A server's first frame. */
public sealed interface ServerHello {
    /** Go ahead, in this version. */
    record Accepted(int version, String nodeId, String clusterId) implements ServerHello {}

    /**
     * The server will not talk and closes.
     *
     * @param version the highest that the server speaks
     * @param reason one sentence
     */
    record Refused(int version, String reason) implements ServerHello {}
}
