package raft.storage;

import java.io.IOException;

/**
 * A write or an fsync failed, so nobody knows what is on the disk. The process must halt: after a
 * failed fsync the kernel may mark the page clean, and a second fsync would lie.
 */
public final class DiskFailedException extends IOException {
    private static final long serialVersionUID = 1;

    public DiskFailedException(String message, IOException cause) {
        super(message + ": " + cause, cause);
    }
}
