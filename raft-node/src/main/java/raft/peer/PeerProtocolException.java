package raft.peer;

import java.io.IOException;

/**
 * The other side sent something that the protocol does not allow; the connection must be closed.
 * The message is one sentence that says what.
 */
public final class PeerProtocolException extends IOException {
    private static final long serialVersionUID = 1;

    public PeerProtocolException(String message) {
        super(message);
    }
}
