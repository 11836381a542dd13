package raft.storage;

import org.jspecify.annotations.Nullable;

import raft.core.Entry;
import raft.core.LogWrite;
import raft.core.Recovered;
import raft.storage.Disk.DiskFile;
import raft.storage.SnapshotFormat.Loaded;
import raft.storage.WalFormat.Before;
import raft.storage.WalFormat.SegmentHeader;
import raft.storage.WalRecovery.Sealed;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/**
 * The write-ahead log: hard state, entries and truncations in one append-only stream, so that one
 * fsync covers a term, a vote and entries in the order in which they were decided.
 *
 * <p>{@link #append} collects a batch, {@link #sync} makes it durable with one write and one fsync.
 * After a {@link DiskFailedException} the log refuses everything: the owner must halt the process
 * and must not retry. A segment is preallocated with zeros and synced before it gets its name, so
 * an fsync in it changes no metadata, and a batch never spans two segments.
 *
 * <p>Segments whose entries a snapshot stands for are dropped ({@link #dropUnneeded}), oldest
 * first; the header of each segment tells what came before it.
 *
 * <p>Used by one thread, save {@link #prepareSpare}, which another one may call; that thread must
 * never be interrupted. Read on: {@link WalFormat} for the bytes, {@link WalRecovery} for the
 * start.
 */
public final class Wal implements Closeable {
    public static final int DEFAULT_SEGMENT_BYTES = 16 << 20;

    private static final int HARD_STATE_PAYLOAD_BYTES_MAX = 64;
    private static final String NEW_SEGMENT = "new-segment.tmp";
    private static final String SPARE_SEGMENT = "spare-segment.tmp";
    private static final int BUFFER_BYTES_INITIAL = 64 << 10;
    private static final int BUFFER_BYTES_KEPT = 4 << 20;
    private static final int ZEROS_BYTES = 256 << 10;

    private final Disk disk;
    private final int segmentBytes;
    private final LongSupplier salts;
    private final AtomicReference<@Nullable DiskFile> spare = new AtomicReference<>();

    private ByteBuffer batch = ByteBuffer.allocateDirect(BUFFER_BYTES_INITIAL);
    private int batchRecordCount;
    private long nextSequence;
    private DiskFile segment;
    private SegmentHeader header;
    private int offsetBytes;
    private boolean failed;

    /** Segments before the present one, oldest first. */
    private final ArrayDeque<Sealed> sealed = new ArrayDeque<>();

    /** Greatest index of any entry in the present segment. */
    private long segmentLastIndex;

    /** What all appended records add up to, and what those that are synced do. */
    private Before appended;

    private Before synced;

    /** Greatest index of any entry in the batch. */
    private long batchLastIndex;

    /**
     * A log ready for writing, and what it held.
     *
     * @param state the state machine's, in the snapshot; null where there is no snapshot
     */
    public record Opened(
            Wal wal, SnapshotStore snapshots, Recovered recovered, @Nullable SavedState state) {}

    /**
     * Recovers what {@code disk} holds, or starts a new log there. Removes unfinished segments and
     * wipes a torn tail.
     *
     * @param segmentBytes size of new segments; a multiple of 8, at least 4096
     * @param salts gives numbers that do not repeat, also across restarts
     * @throws CorruptLogException if the node must not start
     * @throws DiskFailedException if writing failed
     */
    public static Opened open(Disk disk, int segmentBytes, LongSupplier salts) throws IOException {
        if (segmentBytes < 4096 || segmentBytes % 8 != 0) {
            throw new IllegalArgumentException("not a segment size: " + segmentBytes);
        }
        SnapshotStore snapshots = new SnapshotStore(disk);
        Loaded loaded = snapshots.recover();
        List<String> names = disk.list().stream().filter(WalFormat::isSegmentName).toList();
        WalRecovery recovery = new WalRecovery();
        for (String name : names) {
            recovery.segment(name, disk.read(name), name.equals(names.getLast()));
        }
        try {
            for (String unfinished : List.of(NEW_SEGMENT, SPARE_SEGMENT)) {
                disk.delete(unfinished);
            }
            WalRecovery.Tail tail = recovery.tail();
            if (tail == null && loaded != null) {
                throw new CorruptLogException(
                        SnapshotFormat.fileName(loaded.snapshot().index()),
                        0,
                        "snapshot",
                        "there is no log beside it");
            }
            Recovered recovered = recovery.recovered(loaded == null ? null : loaded.snapshot());
            Wal wal =
                    tail == null
                            ? new Wal(disk, segmentBytes, salts)
                            : new Wal(disk, segmentBytes, salts, tail, recovery);
            if (recovered.baseIndex() != wal.synced.baseIndex()) {
                // The node ended between a snapshot and the record that says it: said now.
                wal.append(
                        List.of(
                                new LogWrite.StartAfter(
                                        recovered.baseIndex(), recovered.baseTerm(), false)));
                wal.sync();
            }
            return new Opened(wal, snapshots, recovered, loaded == null ? null : loaded.state());
        } catch (CorruptLogException | DiskFailedException e) {
            throw e;
        } catch (IOException e) {
            throw new DiskFailedException("cannot prepare the log for writing", e);
        }
    }

    private Wal(Disk disk, int segmentBytes, LongSupplier salts) throws IOException {
        this.disk = disk;
        this.segmentBytes = segmentBytes;
        this.salts = salts;
        this.nextSequence = 1;
        this.appended = Before.NOTHING;
        this.synced = appended;
        this.header = new SegmentHeader(1, drawSalt(salts), segmentBytes, synced);
        this.segment = createSegment(header);
        this.offsetBytes = WalFormat.SEGMENT_HEADER_BYTES;
    }

    private Wal(
            Disk disk,
            int segmentBytes,
            LongSupplier salts,
            WalRecovery.Tail tail,
            WalRecovery recovery)
            throws IOException {
        this.disk = disk;
        this.segmentBytes = segmentBytes;
        this.salts = salts;
        this.nextSequence = tail.nextSequence();
        this.header = tail.header();
        this.segment = disk.open(tail.file());
        this.offsetBytes = tail.offsetBytes();
        this.sealed.addAll(recovery.segments());
        this.segmentLastIndex = sealed.removeLast().lastIndex();
        this.appended = recovery.sum();
        this.synced = appended;
        if (tail.garbage()) {
            // Must be durable before the first new record: the same sequence numbers are used
            // again,
            // so a leftover behind a new record of the same size would fit.
            writeZeros(segment, tail.offsetBytes(), header.sizeBytes());
        }
        // What was read may have been in the page cache only, left by a process that was killed
        // between write and fsync. Raft will build promises on it, so it must be durable first.
        segment.sync(true);
    }

    /** Not 0, or whitening would change nothing. */
    private static long drawSalt(LongSupplier salts) {
        return salts.getAsLong() | 1;
    }

    /** Adds to the batch; nothing is written yet. */
    public void append(List<LogWrite> writes) {
        for (LogWrite write : writes) {
            switch (write) {
                case LogWrite.HardState state -> {
                    reserve(WalFormat.recordBytes(HARD_STATE_PAYLOAD_BYTES_MAX));
                    WalFormat.putHardState(batch, state, nextSequence++, batchRecordCount++);
                    appended = appended.with(state);
                }
                case LogWrite.Append append -> {
                    for (Entry entry : append.entries()) {
                        reserve(WalFormat.recordBytes(entry.payload().sizeBytes()));
                        WalFormat.putEntry(batch, entry, nextSequence++, batchRecordCount++);
                        batchLastIndex = Math.max(batchLastIndex, entry.index());
                    }
                    if (!append.entries().isEmpty()) {
                        appended = appended.withLast(append.entries().getLast().index());
                    }
                }
                case LogWrite.Truncate truncate -> {
                    reserve(WalFormat.recordBytes(0));
                    long from = truncate.fromIndex();
                    WalFormat.putTruncate(batch, from, nextSequence++, batchRecordCount++);
                    appended = appended.withLast(from - 1);
                }
                case LogWrite.StartAfter start -> {
                    reserve(WalFormat.recordBytes(0));
                    WalFormat.putStart(batch, start, nextSequence++, batchRecordCount++);
                    appended = appended.with(start);
                }
            }
        }
    }

    /**
     * Makes everything appended so far durable. Returns the bytes written, 0 where there was
     * nothing to do.
     *
     * @throws DiskFailedException after which the process must halt
     */
    public int sync() throws DiskFailedException {
        if (failed) {
            throw new IllegalStateException("the log is used after its disk failed");
        }
        if (batchRecordCount == 0) {
            return 0;
        }
        try {
            batch.flip();
            int batchBytes = batch.limit();
            if (batchBytes > header.sizeBytes() - offsetBytes) {
                roll(batchBytes);
            }
            WalFormat.seal(batch, header.salt());
            segment.write(offsetBytes, batch);
            segment.sync(false);
            offsetBytes += batchBytes;
            batchRecordCount = 0;
            synced = appended;
            segmentLastIndex = Math.max(segmentLastIndex, batchLastIndex);
            batchLastIndex = 0;
            batch =
                    batch.capacity() > BUFFER_BYTES_KEPT
                            ? ByteBuffer.allocateDirect(BUFFER_BYTES_INITIAL)
                            : batch.clear();
            return batchBytes;
        } catch (IOException e) {
            failed = true;
            throw new DiskFailedException("cannot write the log", e);
        }
    }

    /**
     * Removes the segments in which there is nothing but entries that a snapshot stands for.
     *
     * @return how many went
     * @throws DiskFailedException after which the process must halt
     */
    public int dropUnneeded() throws DiskFailedException {
        int droppedCount = 0;
        try {
            // Only from the front, so that what remains is one stream.
            while (!sealed.isEmpty() && sealed.peekFirst().lastIndex() <= synced.baseIndex()) {
                disk.delete(sealed.removeFirst().file());
                // One by one: a crash must not bring back an older one without those behind it.
                disk.syncDirectory();
                droppedCount++;
            }
        } catch (IOException e) {
            failed = true;
            throw new DiskFailedException("cannot remove a segment", e);
        }
        return droppedCount;
    }

    /** Bytes appended and not yet synced. */
    public int pendingBytes() {
        return batchRecordCount == 0 ? 0 : batch.position();
    }

    /**
     * Whether the segment is half full and no next one is prepared. Of the writing thread, like
     * {@link #sync}.
     */
    public boolean spareWanted() {
        return offsetBytes > header.sizeBytes() / 2 && spare.get() == null;
    }

    /**
     * Preallocates the next segment ahead of time, so that {@link #sync} does not have to wait for
     * megabytes of zeros. May be called by a second thread, one at a time.
     */
    public void prepareSpare() throws DiskFailedException {
        try {
            if (spare.get() == null) {
                spare.set(preallocate(SPARE_SEGMENT, segmentBytes));
            }
        } catch (IOException e) {
            throw new DiskFailedException("cannot preallocate a segment", e);
        }
    }

    /** Closes the files; what was not synced is lost. */
    @Override
    public void close() throws IOException {
        segment.close();
        DiskFile unused = spare.getAndSet(null);
        if (unused != null) {
            unused.close();
        }
    }

    private void reserve(int moreBytes) {
        if (batch.remaining() < moreBytes) {
            int neededBytes = Math.addExact(batch.position(), moreBytes);
            ByteBuffer larger = ByteBuffer.allocateDirect(Math.max(neededBytes, neededBytes * 2));
            batch = larger.put(batch.flip());
        }
    }

    /** The old segment is synced to its last record: {@link #sync} ends with an fsync. */
    private void roll(int batchBytes) throws IOException {
        segment.close();
        int neededBytes = Math.addExact(WalFormat.SEGMENT_HEADER_BYTES, batchBytes);
        long first = nextSequence - batchRecordCount;
        if (first > header.firstSequence()) {
            sealed.addLast(
                    new Sealed(WalFormat.segmentName(header.firstSequence()), segmentLastIndex));
        }
        // Else it holds no record, the new one takes its name and so its place; remembered as
        // sealed, its name would be dropped later, and the new one with it.
        segmentLastIndex = 0;
        header =
                new SegmentHeader(
                        first, drawSalt(salts), Math.max(segmentBytes, neededBytes), synced);
        segment = createSegment(header);
        offsetBytes = WalFormat.SEGMENT_HEADER_BYTES;
    }

    private DiskFile createSegment(SegmentHeader newHeader) throws IOException {
        String temporary = NEW_SEGMENT;
        DiskFile file = null;
        if (newHeader.sizeBytes() == segmentBytes) {
            file = spare.getAndSet(null);
            temporary = file == null ? NEW_SEGMENT : SPARE_SEGMENT;
        }
        if (file == null) {
            file = preallocate(temporary, newHeader.sizeBytes());
        }
        file.write(0, WalFormat.encodeHeader(newHeader));
        file.sync(true);
        disk.rename(temporary, WalFormat.segmentName(newHeader.firstSequence()));
        disk.syncDirectory();
        return file;
    }

    private DiskFile preallocate(String name, long sizeBytes) throws IOException {
        DiskFile file = disk.create(name);
        writeZeros(file, 0, sizeBytes);
        file.sync(true);
        return file;
    }

    private static void writeZeros(DiskFile file, long from, long to) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocate(Math.clamp(to - from, 0, ZEROS_BYTES));
        for (long at = from; at < to; at += zeros.limit()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), to - at));
            file.write(at, zeros);
        }
    }
}
