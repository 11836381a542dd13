package raft.storage;

import java.io.IOException;

/**
 * The log was damaged in a way that a crash cannot explain. The node must not start: what it would
 * have to forget may have been promised to others.
 */
public final class CorruptLogException extends IOException {
    private static final long serialVersionUID = 1;

    private final String file;
    private final long offsetBytes;

    /**
     * @param file name of the segment
     * @param offsetBytes where in the file
     * @param record what should have been there
     */
    public CorruptLogException(String file, long offsetBytes, String record, String reason) {
        super(file + ", offset " + offsetBytes + ", " + record + ": " + reason);
        this.file = file;
        this.offsetBytes = offsetBytes;
    }

    public String file() {
        return file;
    }

    public long offsetBytes() {
        return offsetBytes;
    }
}
