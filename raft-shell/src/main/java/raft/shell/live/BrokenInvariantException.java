package raft.shell.live;

/** An invariant of a simulated cluster broke, so nothing more happens there: a violation. */
public final class BrokenInvariantException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public BrokenInvariantException(String message) {
        super(message);
    }
}
