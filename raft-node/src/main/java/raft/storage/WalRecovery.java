package raft.storage;

import org.jspecify.annotations.Nullable;

import raft.core.Entry;
import raft.core.LogWrite;
import raft.core.LogWrite.HardState;
import raft.core.Recovered;
import raft.core.Snapshot;
import raft.storage.WalFormat.SegmentHeader;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the segments of a log in order and decides what survived; pure over bytes.
 *
 * <p>The rule: a record that does not parse is cut off, with all that follows, only where a crash
 * can have caused it, that is in the last segment with no valid record behind it. Anything else is
 * damage to bytes that were synced, and an acknowledged record would vanish silently: then {@link
 * CorruptLogException}. One case needs care. The records of one batch go out in one write and the
 * sectors of a write reach the disk in any order, so after a loss of power a record may be missing
 * and a later one of the same, never acknowledged batch be there. It is recognised by a sector
 * between the two that is still as zero as it was preallocated; flipped bits do not look like that.
 */
public final class WalRecovery {
    private static final int SECTOR_BYTES = 512;

    /** Entries behind {@code heldFrom}, contiguous. */
    private final List<Entry> entries = new ArrayList<>();

    /** The log begins behind it, by what the records say. */
    private long baseIndex;

    private long baseTerm;

    /**
     * Entries are at hand from behind here. Ahead of the base while the segments that held those
     * between were dropped and the record that says why is still to come.
     */
    private long heldFrom;

    private HardState hardState = HardState.INITIAL;
    private long nextSequence = 1;
    private final List<Sealed> segments = new ArrayList<>();
    private long segmentLastIndex;
    private @Nullable Tail tail;
    private String file = "";

    /**
     * Where writing goes on.
     *
     * @param file name of the last segment
     * @param header its header
     * @param offsetBytes where its next record goes
     * @param nextSequence that record's sequence number
     * @param garbage whether anything but zeros follows, which must be wiped before writing, or new
     *     records could make old ones behind them valid again
     */
    public record Tail(
            String file,
            SegmentHeader header,
            int offsetBytes,
            long nextSequence,
            boolean garbage) {}

    /**
     * A segment that is there.
     *
     * @param lastIndex greatest index of any entry in it, 0 for none
     */
    public record Sealed(String file, long lastIndex) {}

    /**
     * Reads the next segment; segments come in the order of their names.
     *
     * @param last whether no other segment follows
     * @throws CorruptLogException if the node must not start with these bytes
     */
    public void segment(String name, ByteBuffer bytes, boolean last) throws CorruptLogException {
        file = name;
        SegmentHeader header = checkedHeader(bytes);
        segmentLastIndex = 0;
        int offset = WalFormat.SEGMENT_HEADER_BYTES;
        int sizeBytes;
        while ((sizeBytes = WalFormat.validRecordBytes(bytes, offset, header.salt())) >= 0) {
            if (WalFormat.sequence(bytes, offset) != nextSequence) {
                throw corrupt(offset, "has sequence " + WalFormat.sequence(bytes, offset));
            }
            replay(bytes, offset, header.salt());
            nextSequence++;
            offset += sizeBytes;
        }
        boolean garbage = firstNonZero(bytes, offset) < bytes.limit();
        if (garbage) {
            checkTornByCrash(bytes, offset, header.salt(), last);
        }
        tail = new Tail(name, header, offset, nextSequence, garbage);
        segments.add(new Sealed(name, segmentLastIndex));
    }

    /**
     * What all segments together hold, with the snapshot that stands for what came before.
     *
     * @throws CorruptLogException if something between the two is missing
     */
    public Recovered recovered(@Nullable Snapshot snapshot) throws CorruptLogException {
        long snapshotIndex = snapshot == null ? 0 : snapshot.index();
        if (heldFrom != baseIndex) {
            throw new CorruptLogException(
                    segments.getFirst().file,
                    0,
                    "segment header",
                    "entries "
                            + (baseIndex + 1)
                            + " to "
                            + heldFrom
                            + " are missing, and so are the segments before this one");
        }
        if (snapshotIndex < baseIndex) {
            throw new CorruptLogException(
                    segments.getLast().file,
                    0,
                    "log",
                    "begins behind index "
                            + baseIndex
                            + ", but "
                            + (snapshot == null
                                    ? "there is no snapshot"
                                    : "the newest snapshot ends at index " + snapshotIndex));
        }
        if (snapshot == null || holds(snapshot)) {
            return new Recovered(hardState, snapshot, baseIndex, baseTerm, entries);
        }
        // The node ended between the snapshot and the record that would have said so. What the log
        // holds contradicts what is committed, or ends before.
        return new Recovered(hardState, snapshot, snapshot.index(), snapshot.term(), List.of());
    }

    private boolean holds(Snapshot snapshot) {
        long index = snapshot.index();
        long term =
                index == baseIndex
                        ? baseTerm
                        : index <= lastIndex()
                                ? entries.get((int) (index - heldFrom - 1)).term()
                                : -1;
        return term == snapshot.term();
    }

    /** What all records together say. */
    WalFormat.Before sum() {
        return new WalFormat.Before(hardState, baseIndex, baseTerm, lastIndex());
    }

    /** All segments, in order. */
    public List<Sealed> segments() {
        return List.copyOf(segments);
    }

    private long lastIndex() {
        return heldFrom + entries.size();
    }

    /** Where writing goes on; null where there was no segment. */
    public @Nullable Tail tail() {
        return tail;
    }

    private SegmentHeader checkedHeader(ByteBuffer bytes) throws CorruptLogException {
        SegmentHeader header = WalFormat.decodeHeader(bytes);
        if (header == null) {
            // A segment gets its name only after its header is durable: no crash explains this.
            throw new CorruptLogException(
                    file, 0, "segment header", "damaged or of another format");
        }
        if (!file.equals(WalFormat.segmentName(header.firstSequence()))) {
            throw new CorruptLogException(
                    file, 0, "segment header", "names first record " + header.firstSequence());
        }
        if (tail == null) {
            beginWith(header);
        } else {
            checkContinues(header);
        }
        if (header.firstSequence() != nextSequence) {
            throw new CorruptLogException(
                    file,
                    0,
                    "segment header",
                    "the segment before it ends at record "
                            + (nextSequence - 1)
                            + "; records up to "
                            + (header.firstSequence() - 1)
                            + " are missing");
        }
        if (header.sizeBytes() != bytes.limit()) {
            throw new CorruptLogException(
                    file,
                    bytes.limit(),
                    "end of segment",
                    "the file was preallocated with " + header.sizeBytes() + " bytes");
        }
        return header;
    }

    /** The segments before the first one are gone; whether rightly will be seen at the end. */
    private void beginWith(SegmentHeader header) {
        WalFormat.Before before = header.before();
        nextSequence = header.firstSequence();
        hardState = before.hardState();
        baseIndex = before.baseIndex();
        baseTerm = before.baseTerm();
        heldFrom = before.lastIndex();
    }

    /** What the header says came before must be what did. */
    private void checkContinues(SegmentHeader header) throws CorruptLogException {
        WalFormat.Before read = sum();
        if (header.firstSequence() == nextSequence && !header.before().equals(read)) {
            throw new CorruptLogException(
                    file,
                    0,
                    "segment header",
                    "says that " + header.before() + " came before, but it was " + read);
        }
    }

    private void replay(ByteBuffer bytes, int offset, long salt) throws CorruptLogException {
        try {
            switch (WalFormat.type(bytes, offset)) {
                case WalFormat.HARD_STATE ->
                        replayHardState(WalFormat.hardState(bytes, offset, salt));
                case WalFormat.ENTRY -> replayEntry(WalFormat.entry(bytes, offset, salt));
                case WalFormat.TRUNCATE -> replayTruncate(WalFormat.index(bytes, offset));
                case WalFormat.START -> replayStart(WalFormat.start(bytes, offset));
                default -> throw new IllegalArgumentException("unknown type");
            }
        } catch (IllegalArgumentException e) {
            throw corrupt(offset, "impossible content: " + e.getMessage());
        }
    }

    private void replayHardState(HardState next) {
        if (next.term() < hardState.term()) {
            throw new IllegalArgumentException(
                    "term falls from " + hardState.term() + " to " + next.term());
        }
        hardState = next;
    }

    private void replayEntry(Entry entry) {
        if (entry.index() != lastIndex() + 1) {
            throw new IllegalArgumentException(
                    "entry " + entry.index() + " after entry " + lastIndex());
        }
        long lastTerm = entries.isEmpty() ? baseTerm : entries.getLast().term();
        if (entry.term() < lastTerm) {
            throw new IllegalArgumentException(
                    "term falls from " + lastTerm + " to " + entry.term());
        }
        entries.add(entry);
        segmentLastIndex = Math.max(segmentLastIndex, entry.index());
    }

    private void replayTruncate(long fromIndex) {
        if (fromIndex <= baseIndex || fromIndex > lastIndex()) {
            throw new IllegalArgumentException(
                    "truncation from "
                            + fromIndex
                            + ", the log goes from "
                            + (baseIndex + 1)
                            + " to "
                            + lastIndex());
        }
        if (fromIndex <= heldFrom) {
            entries.clear();
            heldFrom = fromIndex - 1;
        } else {
            entries.subList((int) (fromIndex - heldFrom - 1), entries.size()).clear();
        }
    }

    private void replayStart(LogWrite.StartAfter start) {
        long index = start.index();
        if (index < baseIndex || (start.keepsSuffix() && index > lastIndex())) {
            throw new IllegalArgumentException(
                    "a start behind "
                            + index
                            + ", the log goes from "
                            + (baseIndex + 1)
                            + " to "
                            + lastIndex());
        }
        if (!start.keepsSuffix()) {
            entries.clear();
            heldFrom = index;
        } else if (index > heldFrom) {
            Entry last = entries.get((int) (index - heldFrom - 1));
            if (last.term() != start.term()) {
                throw new IllegalArgumentException(
                        "a start behind entry "
                                + index
                                + " of term "
                                + start.term()
                                + ", which has term "
                                + last.term());
            }
            entries.subList(0, (int) (index - heldFrom)).clear();
            heldFrom = index;
        }
        baseIndex = index;
        baseTerm = start.term();
    }

    /** Returns if a crash explains the bytes from {@code bad} on. */
    private void checkTornByCrash(ByteBuffer bytes, int bad, long salt, boolean last)
            throws CorruptLogException {
        if (!last) {
            throw corrupt(bad, "damaged, but a later segment exists");
        }
        for (int at = bad + 8; at <= bytes.limit() - WalFormat.RECORD_HEADER_BYTES; ) {
            int sizeBytes = WalFormat.validRecordBytes(bytes, at, salt);
            if (sizeBytes < 0) {
                at += 8;
                continue;
            }
            if (WalFormat.batchFirstSequence(bytes, at) > nextSequence
                    || !neverWritten(bytes, bad, at)) {
                throw corrupt(
                        bad,
                        "damaged, but valid record "
                                + WalFormat.sequence(bytes, at)
                                + " follows at offset "
                                + at);
            }
            at += sizeBytes;
        }
    }

    /**
     * Whether a sector between {@code from} and the valid record at {@code to} was not written: it
     * is zero from {@code from} or its start up to its end. What was written is never zero for so
     * long, see {@link WalFormat}.
     */
    private static boolean neverWritten(ByteBuffer bytes, int from, int to) {
        int start = from;
        while (true) {
            int end = (start / SECTOR_BYTES + 1) * SECTOR_BYTES;
            if (end > to) {
                return false;
            }
            if (firstNonZero(bytes, start) >= end) {
                return true;
            }
            start = end;
        }
    }

    private static int firstNonZero(ByteBuffer bytes, int from) {
        int at = from;
        while (at + 8 <= bytes.limit() && bytes.getLong(at) == 0) {
            at += 8;
        }
        while (at < bytes.limit() && bytes.get(at) == 0) {
            at++;
        }
        return at;
    }

    private CorruptLogException corrupt(int offset, String reason) {
        return new CorruptLogException(file, offset, "record " + nextSequence, reason);
    }
}
