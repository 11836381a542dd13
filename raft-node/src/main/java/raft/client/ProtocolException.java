package raft.client;

import java.io.IOException;

/**
 * The other side sent something that the protocol does not allow; the message is one sentence that
 * says what.
 *
 * <p>A server answers it by a refusal with {@link #requestId} and {@link #reason}; where the id is
 * 0 the stream cannot be followed any further and it closes the connection after that.
 */
public final class ProtocolException extends IOException {
    private static final long serialVersionUID = 1;

    private final long requestId;
    private final Refusal reason;

    /**
     * @param requestId the request concerned, 0 where it is the connection
     */
    public ProtocolException(long requestId, Refusal reason, String message) {
        super(message);
        this.requestId = requestId;
        this.reason = reason;
    }

    public long requestId() {
        return requestId;
    }

    public Refusal reason() {
        return reason;
    }

    /** The frame with which a server answers. */
    public Answer answer() {
        return new Answer(requestId, new Reply.Refused(reason, null, String.valueOf(getMessage())));
    }
}
