package raft.core;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** What must reach the disk, in this order, through one append-only stream. */
public sealed interface LogWrite {
    /** currentTerm and votedFor (Figure 2, persistent state). */
    record HardState(long term, @Nullable NodeId votedFor) implements LogWrite {
        public static final HardState INITIAL = new HardState(0, null);
    }

    /** Entries in ascending, contiguous index order, following the last one kept. */
    record Append(List<Entry> entries) implements LogWrite {
        public Append {
            entries = List.copyOf(entries);
        }
    }

    /** All entries from {@code fromIndex} on are void. A record of its own: files are never cut. */
    record Truncate(long fromIndex) implements LogWrite {}

    /**
     * The log begins behind {@code index}: a snapshot that is on the disk already stands for
     * everything up to there (§7).
     *
     * @param term of the entry at {@code index}
     * @param keepsSuffix whether the log holds that entry, so that what follows it stays; else the
     *     whole log is void
     */
    record StartAfter(long index, long term, boolean keepsSuffix) implements LogWrite {}
}
