package raft.node;

import raft.client.Request;
import raft.core.Bytes;

/**
 * A client's request on its way through the node.
 *
 * @param connection where the answer goes
 * @param id the client's, echoed in the answer
 * @param command the request's bytes, for the log
 */
record ClientCall(ClientServer.Connection connection, long id, Request request, Bytes command)
        implements Input {}
