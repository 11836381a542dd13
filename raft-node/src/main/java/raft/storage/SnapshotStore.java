package raft.storage;

import org.jspecify.annotations.Nullable;

import raft.core.Bytes;
import raft.core.Configuration;
import raft.core.Snapshot;
import raft.storage.Disk.DiskFile;
import raft.storage.SnapshotFormat.Loaded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * The snapshot files (§7). One gets its name only when all of it is durable, so a file with the
 * name of a snapshot that is not one was damaged later, and the node must not start.
 *
 * <p>Used by one thread, which must never be interrupted.
 */
public final class SnapshotStore {
    private static final String NEW_SNAPSHOT = "new-snapshot.tmp";
    private static final String INCOMING_SNAPSHOT = "incoming-snapshot.tmp";

    private final Disk disk;
    private @Nullable DiskFile incoming;

    public SnapshotStore(Disk disk) {
        this.disk = disk;
    }

    /**
     * The newest snapshot; null where there is none. Removes what a crash left unfinished, and
     * older ones.
     *
     * @throws CorruptLogException if it is damaged
     * @throws DiskFailedException if files could not be removed
     */
    public @Nullable Loaded recover() throws IOException {
        List<String> names = disk.list().stream().filter(SnapshotFormat::isFileName).toList();
        Loaded newest = null;
        if (!names.isEmpty()) {
            String name = names.getLast();
            newest = load(name);
            if (newest == null
                    || !name.equals(SnapshotFormat.fileName(newest.snapshot().index()))) {
                throw new CorruptLogException(name, 0, "snapshot", "damaged");
            }
        }
        try {
            disk.delete(NEW_SNAPSHOT);
            disk.delete(INCOMING_SNAPSHOT);
            for (String older : names.subList(0, Math.max(0, names.size() - 1))) {
                disk.delete(older);
            }
        } catch (IOException e) {
            throw new DiskFailedException("cannot remove old snapshots", e);
        }
        return newest;
    }

    /**
     * What a file holds, of which no more than a piece is in memory at a time; null where it is not
     * one whole, undamaged snapshot.
     */
    private @Nullable Loaded load(String file) throws IOException {
        ByteBuffer head = disk.read(file, 0, SnapshotFormat.HEADER_BYTES);
        if (!SnapshotFormat.isHead(head)) {
            return null;
        }
        // First of all, so that no length is believed that a damaged file names.
        CRC32C crc = SnapshotFormat.checksumOf(head);
        long sizeBytes = head.limit();
        ByteBuffer piece = disk.read(file, sizeBytes, SavedState.PIECE_BYTES);
        while (piece.hasRemaining()) {
            sizeBytes += piece.remaining();
            crc.update(piece);
            piece = disk.read(file, sizeBytes, SavedState.PIECE_BYTES);
        }
        if (!SnapshotFormat.isWhole(head, sizeBytes, crc)) {
            return null;
        }
        int configurationBytes = SnapshotFormat.configurationBytes(head);
        Snapshot snapshot =
                SnapshotFormat.decode(
                        head, disk.read(file, SnapshotFormat.HEADER_BYTES, configurationBytes));
        long stateAt = SnapshotFormat.HEADER_BYTES + (long) configurationBytes;
        return snapshot == null
                ? null
                : new Loaded(snapshot, new SavedState(disk, file, stateAt, sizeBytes));
    }

    /** A state machine's state, which need not be in memory as bytes. */
    @FunctionalInterface
    public interface State {
        /**
         * Gives its bytes away in pieces; the same ones whenever it is called.
         *
         * @param sink is done with each piece when it returns
         */
        void writeTo(Consumer<ByteBuffer> sink);
    }

    /**
     * Writes a snapshot and makes it durable.
     *
     * @throws DiskFailedException after which the process must halt
     */
    public Snapshot save(
            long index, long term, long configurationIndex, Configuration members, State state)
            throws DiskFailedException {
        // Once for the size, which the head and so the checksum begin with, once for the file: a
        // copy of the state would need as much memory again.
        long[] stateBytes = {0};
        state.writeTo(piece -> stateBytes[0] += piece.remaining());
        ByteBuffer head =
                SnapshotFormat.encodeHead(index, term, configurationIndex, members, stateBytes[0]);
        int headBytes = head.limit();
        CRC32C crc = SnapshotFormat.checksumOf(head);
        try (DiskFile file = disk.create(NEW_SNAPSHOT)) {
            long[] atBytes = {headBytes};
            state.writeTo(
                    piece -> {
                        crc.update(piece.duplicate());
                        int pieceBytes = piece.remaining();
                        write(file, atBytes[0], piece);
                        atBytes[0] += pieceBytes;
                    });
            SnapshotFormat.setChecksum(head, crc);
            file.write(0, head);
            file.sync(true);
        } catch (UncheckedIOException e) {
            throw new DiskFailedException(
                    "cannot write a snapshot", Objects.requireNonNull(e.getCause()));
        } catch (IOException e) {
            throw new DiskFailedException("cannot write a snapshot", e);
        }
        publish(NEW_SNAPSHOT, index);
        return new Snapshot(index, term, headBytes + stateBytes[0], configurationIndex, members);
    }

    private static void write(DiskFile file, long atBytes, ByteBuffer piece) {
        try {
            file.write(atBytes, piece);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * A piece of a snapshot's file, to be sent.
     *
     * @return {@code bytesMax} bytes, fewer at the end
     * @throws IOException where it cannot be read; it may be gone
     */
    public Bytes read(Snapshot snapshot, long offsetBytes, int bytesMax) throws IOException {
        ByteBuffer bytes =
                disk.read(SnapshotFormat.fileName(snapshot.index()), offsetBytes, bytesMax);
        byte[] piece = new byte[bytes.remaining()];
        bytes.get(piece);
        return Bytes.wrap(piece);
    }

    /** Keeps a piece of an incoming snapshot; the one at offset 0 begins a new one. */
    public void keep(long offsetBytes, Bytes data) throws DiskFailedException {
        try {
            DiskFile file = incoming;
            if (offsetBytes == 0 || file == null) {
                if (file != null) {
                    file.close();
                }
                file = disk.create(INCOMING_SNAPSHOT);
                incoming = file;
            }
            file.write(offsetBytes, ByteBuffer.wrap(data.unsafeArray()));
        } catch (IOException e) {
            throw new DiskFailedException("cannot write a snapshot", e);
        }
    }

    /**
     * All pieces are there and made durable; {@link #install} gives it its name. Until then its
     * state can be read.
     *
     * @return null where it is damaged or another one than it should be; it is gone then
     */
    public @Nullable Loaded complete(long index, long term) throws DiskFailedException {
        try {
            DiskFile file = incoming;
            if (file != null) {
                file.sync(true);
                file.close();
                incoming = null;
            }
            Loaded loaded = load(INCOMING_SNAPSHOT);
            if (loaded == null || !loaded.snapshot().isOf(index, term)) {
                disk.delete(INCOMING_SNAPSHOT);
                return null;
            }
            return loaded;
        } catch (IOException e) {
            throw new DiskFailedException("cannot keep a snapshot", e);
        }
    }

    /** The one that is {@link #complete} counts from now on, also after a crash. */
    public void install(Snapshot snapshot) throws DiskFailedException {
        publish(INCOMING_SNAPSHOT, snapshot.index());
    }

    private void publish(String temporary, long index) throws DiskFailedException {
        try {
            String name = SnapshotFormat.fileName(index);
            if (disk.list().contains(name)) {
                // One of the same state, whose bytes may be on their way to a follower.
                disk.delete(temporary);
            } else {
                disk.rename(temporary, name);
            }
            disk.syncDirectory();
        } catch (IOException e) {
            throw new DiskFailedException("cannot name a snapshot", e);
        }
    }

    /** Removes one that nobody needs; after a crash it may be there again. */
    public void delete(long index) throws DiskFailedException {
        try {
            disk.delete(SnapshotFormat.fileName(index));
        } catch (IOException e) {
            throw new DiskFailedException("cannot remove a snapshot", e);
        }
    }
}
