package raft.core;

import java.util.List;

/**
 * What storage found at start: the last hard state and the log that survived, from index 1,
 * contiguous.
 */
public record Recovered(LogWrite.HardState hardState, List<Entry> entries) {
    public static final Recovered EMPTY = new Recovered(LogWrite.HardState.INITIAL, List.of());

    public Recovered {
        entries = List.copyOf(entries);
    }
}
