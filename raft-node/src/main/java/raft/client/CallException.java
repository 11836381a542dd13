package raft.client;

import java.io.IOException;

/** A request got no reply. Says what that means for the request. */
public final class CallException extends IOException {
    private static final long serialVersionUID = 1;

    /** How far the request came. */
    public enum Fate {
        /** The server certainly never saw it whole: it is not and will not be carried out. */
        NOT_SENT,
        /** Some of it was handed to the network: it may be carried out, now or later. */
        MAYBE_RECEIVED
    }

    private final Fate fate;

    public CallException(Fate fate, String message, Throwable cause) {
        super(message, cause);
        this.fate = fate;
    }

    public CallException(Fate fate, String message) {
        super(message);
        this.fate = fate;
    }

    public Fate fate() {
        return fate;
    }
}
