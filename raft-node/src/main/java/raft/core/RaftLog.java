package raft.core;

import java.util.ArrayList;
import java.util.List;

/**
 * The log in memory (§5.3): contiguous from index 1, terms never fall.
 *
 * <p>Knows nothing of durability or commitment except the floor below which it must never be cut.
 */
final class RaftLog {
    private final ArrayList<Entry> entries = new ArrayList<>();

    RaftLog(List<Entry> recovered) {
        recovered.forEach(this::append);
    }

    void append(Entry entry) {
        if (entry.index() != lastIndex() + 1 || entry.term() < lastTerm()) {
            throw new IllegalStateException(
                    "log must stay contiguous with terms that never fall: last is index "
                            + lastIndex()
                            + ", term "
                            + lastTerm()
                            + "; appended index "
                            + entry.index()
                            + ", term "
                            + entry.term());
        }
        entries.add(entry);
    }

    /**
     * Drops all entries from {@code fromIndex} on.
     *
     * @param commitIndex nothing at or below it may go
     */
    void truncate(long fromIndex, long commitIndex) {
        if (fromIndex <= commitIndex) {
            throw new IllegalStateException(
                    "asked to truncate from index "
                            + fromIndex
                            + ", but index "
                            + commitIndex
                            + " is committed");
        }
        entries.subList(Math.toIntExact(fromIndex - 1), entries.size()).clear();
    }

    long lastIndex() {
        return entries.size();
    }

    long lastTerm() {
        return termAt(lastIndex());
    }

    /** 0 for index 0, the place before the first entry. */
    long termAt(long index) {
        return index == 0 ? 0 : entry(index).term();
    }

    Entry entry(long index) {
        return entries.get(Math.toIntExact(index - 1));
    }

    /**
     * Whether the entry at {@code index} exists and has {@code term}; by log matching (§5.3) it is
     * then the same entry.
     */
    boolean matches(long index, long term) {
        return index <= lastIndex() && termAt(index) == term;
    }

    /** §5.4.1: is a log that ends with (term, index) at least as up-to-date as this one? */
    boolean isUpToDate(long otherLastIndex, long otherLastTerm) {
        return otherLastTerm > lastTerm()
                || (otherLastTerm == lastTerm() && otherLastIndex >= lastIndex());
    }

    /**
     * Greatest index ≤ {@code index} whose term is ≤ {@code term}; 0 at the least. Skips whole
     * terms at a time (§5.3).
     */
    long lastIndexWithTermAtMost(long index, long term) {
        long candidate = Math.min(index, lastIndex());
        while (candidate > 0 && termAt(candidate) > term) {
            candidate--;
        }
        return candidate;
    }

    /**
     * Entries from {@code fromIndex} on, at least one if there is one, then as many as fit into
     * {@code bytesMax}.
     */
    List<Entry> slice(long fromIndex, int bytesMax) {
        long end = fromIndex;
        long sizeBytes = 0;
        while (end <= lastIndex()) {
            sizeBytes += entry(end).sizeBytes();
            if (end > fromIndex && sizeBytes > bytesMax) {
                break;
            }
            end++;
        }
        return List.copyOf(
                entries.subList(Math.toIntExact(fromIndex - 1), Math.toIntExact(end - 1)));
    }
}
