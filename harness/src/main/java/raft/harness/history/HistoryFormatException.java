package raft.harness.history;

import java.io.IOException;
import java.io.Serial;

/** A history file that cannot be understood; the message names file, line and column. */
public final class HistoryFormatException extends IOException {
    @Serial private static final long serialVersionUID = 1L;

    /**
     * @param line counted from 1
     * @param column counted from 1, in characters
     */
    public HistoryFormatException(String file, long line, long column, String problem) {
        super(file + ":" + line + ":" + column + ": " + problem);
    }
}
