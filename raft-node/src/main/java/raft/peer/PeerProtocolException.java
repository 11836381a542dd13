package raft.peer;

import java.io.IOException;

/**
 * The other side sent something that the protocol does not allow; the connection must be closed.
 * The message is one sentence that says what.
 */
public final class PeerProtocolException extends IOException {
    private static final long serialVersionUID = 1;

    private final boolean isChecksum;

    public PeerProtocolException(String message) {
        this(message, false);
    }

    PeerProtocolException(String message, boolean isChecksum) {
        super(message);
        this.isChecksum = isChecksum;
    }

    /** Whether bytes were damaged on the way. */
    public boolean isChecksum() {
        return isChecksum;
    }
}
