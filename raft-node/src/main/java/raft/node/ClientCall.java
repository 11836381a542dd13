package raft.node;

import raft.client.Request;
import raft.core.Bytes;

/** A client's request on its way through the node. */
final class ClientCall implements Input {
    private final ClientServer.Connection connection;
    private final long id;
    private final Request request;
    private final Bytes command;
    private final long receivedNanos;

    /** When the event loop took it; the loop's own, see {@link Stopwatch}. */
    long takenNanos;

    /** When its entry was handed to the disk; 0 before. Likewise. */
    long handedNanos;

    /**
     * @param connection where the answer goes
     * @param id the client's, echoed in the answer
     * @param command the request's bytes, for the log
     * @param receivedNanos when it was read from the socket
     */
    ClientCall(
            ClientServer.Connection connection,
            long id,
            Request request,
            Bytes command,
            long receivedNanos) {
        this.connection = connection;
        this.id = id;
        this.request = request;
        this.command = command;
        this.receivedNanos = receivedNanos;
    }

    ClientServer.Connection connection() {
        return connection;
    }

    long id() {
        return id;
    }

    Request request() {
        return request;
    }

    Bytes command() {
        return command;
    }

    long receivedNanos() {
        return receivedNanos;
    }

    boolean isRead() {
        return request.isRead();
    }
}
