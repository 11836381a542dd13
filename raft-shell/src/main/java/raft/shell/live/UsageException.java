package raft.shell.live;

/** What a person asked for makes no sense here and now; the message says what to do instead. */
public final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public UsageException(String message) {
        super(message);
    }
}
