package raft.core;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * What storage found at start: the last hard state, the newest snapshot and the log that survived.
 *
 * @param snapshot null where there is none; its index is at least {@code baseIndex} and at most
 *     that of the last entry
 * @param baseIndex the log begins behind it; 0 while nothing was compacted
 * @param baseTerm of the entry at {@code baseIndex}
 * @param entries contiguous from {@code baseIndex} + 1
 */
public record Recovered(
        LogWrite.HardState hardState,
        @Nullable Snapshot snapshot,
        long baseIndex,
        long baseTerm,
        List<Entry> entries) {
    public static final Recovered EMPTY = new Recovered(LogWrite.HardState.INITIAL, List.of());

    public Recovered {
        entries = List.copyOf(entries);
        long snapshotIndex = snapshot == null ? 0 : snapshot.index();
        if (snapshotIndex < baseIndex || snapshotIndex > baseIndex + entries.size()) {
            throw new IllegalArgumentException(
                    "a snapshot up to index "
                            + snapshotIndex
                            + " does not go with a log from "
                            + baseIndex
                            + " to "
                            + (baseIndex + entries.size()));
        }
    }

    /** A log from index 1, without a snapshot. */
    public Recovered(LogWrite.HardState hardState, List<Entry> entries) {
        this(hardState, null, 0, 0, entries);
    }

    /** Whether there was nothing at all: this node was never started before, or lost its disk. */
    public boolean isEmpty() {
        return hardState.equals(LogWrite.HardState.INITIAL)
                && snapshot == null
                && entries.isEmpty();
    }
}
