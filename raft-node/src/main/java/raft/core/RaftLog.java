package raft.core;

import java.util.ArrayList;
import java.util.List;

/**
 * The log in memory (§5.3): contiguous from the entry behind the base, terms never fall. The base
 * is the last entry that was compacted away (§7); its index and term are all that is kept of what
 * came before.
 *
 * <p>Knows nothing of durability or commitment except the floor below which it must never be cut.
 */
final class RaftLog {
    private final ArrayList<Entry> entries = new ArrayList<>();
    private long baseIndex;
    private long baseTerm;
    private long sizeBytes;

    RaftLog(long baseIndex, long baseTerm, List<Entry> recovered) {
        this.baseIndex = baseIndex;
        this.baseTerm = baseTerm;
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
        sizeBytes += entry.sizeBytes();
    }

    /**
     * Drops all entries from {@code fromIndex} on.
     *
     * @param commitIndex nothing at or below it may go
     */
    void truncate(long fromIndex, long commitIndex) {
        if (fromIndex <= commitIndex) {
            throw new IllegalStateException(
                    "what is committed stays (§5.3): asked to truncate from index "
                            + fromIndex
                            + ", but index "
                            + commitIndex
                            + " is committed");
        }
        clear(entries.subList(position(fromIndex), entries.size()));
    }

    /** Forgets all entries up to {@code index}, which a snapshot stands for (§7). */
    void compact(long index) {
        if (index <= baseIndex) {
            return;
        }
        long term = termAt(index);
        clear(entries.subList(0, position(index) + 1));
        baseIndex = index;
        baseTerm = term;
    }

    /** Forgets everything: the log begins behind a snapshot whose last entry is not in it. */
    void restart(long index, long term) {
        clear(entries);
        baseIndex = index;
        baseTerm = term;
    }

    private void clear(List<Entry> gone) {
        for (Entry entry : gone) {
            sizeBytes -= entry.sizeBytes();
        }
        gone.clear();
    }

    /** Index of the last entry that is not here any more; 0 while all are. */
    long baseIndex() {
        return baseIndex;
    }

    long lastIndex() {
        return baseIndex + entries.size();
    }

    long lastTerm() {
        return termAt(lastIndex());
    }

    /** Bytes of those entries in memory that are behind {@code index}. */
    long bytesBehind(long index) {
        int from = Math.clamp(index - baseIndex, 0, entries.size());
        boolean most = from < entries.size() / 2;
        long bytes = 0;
        // Whichever side is shorter: a follower that is long gone lags by all of it.
        for (Entry entry :
                most ? entries.subList(0, from) : entries.subList(from, entries.size())) {
            bytes += entry.sizeBytes();
        }
        return most ? sizeBytes - bytes : bytes;
    }

    /** Of all entries in memory. */
    long sizeBytes() {
        return sizeBytes;
    }

    /** 0 for index 0, the place before the first entry; never asked below the base. */
    long termAt(long index) {
        return index == baseIndex ? baseTerm : entry(index).term();
    }

    Entry entry(long index) {
        return entries.get(position(index));
    }

    private int position(long index) {
        return Math.toIntExact(index - 1 - baseIndex);
    }

    /**
     * Whether the entry at {@code index} is here, or is the base, and has {@code term}; by log
     * matching (§5.3) it is then the same entry.
     */
    boolean matches(long index, long term) {
        return index >= baseIndex && index <= lastIndex() && termAt(index) == term;
    }

    /** §5.4.1: is a log that ends with (term, index) at least as up-to-date as this one? */
    boolean isUpToDate(long otherLastIndex, long otherLastTerm) {
        return otherLastTerm > lastTerm()
                || (otherLastTerm == lastTerm() && otherLastIndex >= lastIndex());
    }

    /**
     * Greatest index ≤ {@code index} whose term is ≤ {@code term}, so that whole terms are skipped
     * at a time (§5.3). Goes no further down than the base, up to which everything is committed and
     * therefore equal in all logs.
     */
    long lastIndexWithTermAtMost(long index, long term) {
        long candidate = Math.min(index, lastIndex());
        while (candidate > baseIndex && termAt(candidate) > term) {
            candidate--;
        }
        return candidate;
    }

    /**
     * Entries from {@code fromIndex} on, at least one if there is one, then as many as fit into
     * {@code bytesMax}.
     */
    List<Entry> slice(long fromIndex, int bytesMax) {
        int from = position(fromIndex);
        int end = from;
        long sliceBytes = 0;
        while (end < entries.size()) {
            sliceBytes += entries.get(end).sizeBytes();
            if (end > from && sliceBytes > bytesMax) {
                break;
            }
            end++;
        }
        return List.copyOf(entries.subList(from, end));
    }

    /**
     * Where to compact to so that about {@code keptBytes} of entries up to {@code index} stay; at
     * least the base.
     */
    long indexBehind(long index, long keptBytes) {
        long at = index;
        long bytes = 0;
        while (at > baseIndex && (bytes += entry(at).sizeBytes()) <= keptBytes) {
            at--;
        }
        return at;
    }
}
