package raft.kv;

/**
 * Bytes that are no snapshot of this state machine, or one of another version; the message is one
 * clause that says which.
 */
public final class UnreadableSnapshotException extends Exception {
    private static final long serialVersionUID = 1;

    UnreadableSnapshotException(String message) {
        super(message);
    }
}
