package raft.harness.docker;

import java.io.IOException;

/**
 * The environment does not allow what was asked: no engine, no permission, an image that cannot be
 * made, a full disk. The message is one sentence for a person and says what to do.
 */
public final class EngineException extends IOException {
    private static final long serialVersionUID = 1L;

    public EngineException(String message) {
        super(message);
    }

    public EngineException(String message, Throwable cause) {
        super(message, cause);
    }
}
