package raft.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static raft.storage.WalSamples.append;
import static raft.storage.WalSamples.entry;
import static raft.storage.WalSamples.hardState;
import static raft.storage.WalSamples.meaning;
import static raft.storage.WalSamples.open;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import raft.core.Bytes;
import raft.core.Configuration;
import raft.core.LogWrite;
import raft.core.NodeId;
import raft.core.Snapshot;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Snapshots beside the log: what remains of both after a crash or damage at every place. */
final class SnapshotStoreTest {
    private static final Configuration MEMBERS =
            Configuration.ofVoters(List.of(new NodeId("n1"), new NodeId("n2")));
    private static final long SEED = 20261124;
    private static final Bytes STATE = Bytes.wrap("the state".getBytes());

    private final MemoryDisk disk = new MemoryDisk();

    private static SnapshotStore.State inPieces(Bytes state) {
        ByteBuffer all = ByteBuffer.wrap(state.unsafeArray());
        int half = all.limit() / 2;
        return sink -> {
            sink.accept(all.slice(0, half));
            sink.accept(all.slice(half, all.limit() - half));
        };
    }

    private static Bytes bytes(@Nullable SavedState state) throws Exception {
        assertThat(state).isNotNull();
        try (InputStream in = state.open()) {
            byte[] all = in.readAllBytes();
            assertThat(state.sizeBytes()).isEqualTo(all.length);
            return Bytes.wrap(all);
        }
    }

    private static Snapshot save(Wal.Opened opened, long index, long term) throws Exception {
        return opened.snapshots().save(index, term, 0, MEMBERS, inPieces(STATE));
    }

    private static List<String> segments(MemoryDisk disk) {
        return disk.files.keySet().stream().filter(WalFormat::isSegmentName).toList();
    }

    /** Four segments, entries 1 to 12 of term 1. */
    private List<LogWrite> fill(Wal wal) throws Exception {
        List<LogWrite> writes = new ArrayList<>(List.of(hardState(1, "n1")));
        wal.append(writes);
        wal.sync();
        for (int index = 1; index <= 12; index++) {
            LogWrite write = append(entry(index, 1, 1100));
            writes.add(write);
            wal.append(List.of(write));
            wal.sync();
        }
        return writes;
    }

    @Test
    void segmentsThatASnapshotStandsForAreDroppedAndTheRestIsRecoveredAtEveryPointOfACrash()
            throws Exception {
        Wal.Opened opened = open(disk);
        List<LogWrite> writes = fill(opened.wal());
        int before = segments(disk).size();
        assertThat(before).isGreaterThanOrEqualTo(4);

        Snapshot snapshot = save(opened, 8, 1);
        assertThat(open(disk.copy()).recovered()).isEqualTo(meaning(writes, snapshot));

        LogWrite start = new LogWrite.StartAfter(8, 1, true);
        opened.wal().append(List.of(start));
        assertThat(open(disk.copy()).recovered()).isEqualTo(meaning(writes, snapshot));
        writes.add(start);
        opened.wal().sync();
        assertThat(open(disk.copy()).recovered()).isEqualTo(meaning(writes, snapshot));

        MemoryDisk partly = disk.copy();
        int dropped = opened.wal().dropUnneeded();
        assertThat(dropped).isPositive();
        assertThat(segments(disk)).hasSize(before - dropped);
        assertThat(open(disk.copy()).recovered()).isEqualTo(meaning(writes, snapshot));
        for (String gone : segments(partly).subList(0, dropped)) {
            partly.files.remove(gone);
            assertThat(open(partly.copy()).recovered()).isEqualTo(meaning(writes, snapshot));
        }

        // And the log goes on where it was.
        Wal.Opened again = open(disk);
        LogWrite more = append(entry(13, 1, 9));
        writes.add(more);
        again.wal().append(List.of(more));
        again.wal().sync();
        assertThat(open(disk).recovered()).isEqualTo(meaning(writes, snapshot));
        assertThat(bytes(open(disk).state())).isEqualTo(STATE);
    }

    @Test
    void snapshotAheadOfTheLogIsTakenAndTheLogIsVoid() throws Exception {
        Wal.Opened opened = open(disk);
        List<LogWrite> writes = new ArrayList<>(fill(opened.wal()));
        Snapshot snapshot = save(opened, 40, 1);
        writes.add(new LogWrite.StartAfter(40, 1, false));
        // Twice: the first start writes what the second must find.
        assertThat(open(disk).recovered()).isEqualTo(meaning(writes, snapshot));
        assertThat(open(disk).recovered()).isEqualTo(meaning(writes, snapshot));
    }

    @Test
    void droppedSegmentsWithoutTheirSnapshotAreNoticed() throws Exception {
        Wal.Opened opened = open(disk);
        fill(opened.wal());
        save(opened, 8, 1);
        opened.wal().append(List.of(new LogWrite.StartAfter(8, 1, true)));
        opened.wal().sync();
        opened.wal().dropUnneeded();
        disk.files.remove(SnapshotFormat.fileName(8));
        assertThatThrownBy(() -> open(disk))
                .isInstanceOf(CorruptLogException.class)
                .hasMessageContaining("there is no snapshot");
    }

    @Test
    void everyFlippedByteOfACompactedLogIsCutAtTheVeryEndAndRefusedElsewhere() throws Exception {
        Wal.Opened opened = open(disk);
        List<LogWrite> writes = fill(opened.wal());
        Snapshot snapshot = save(opened, 8, 1);
        LogWrite start = new LogWrite.StartAfter(8, 1, true);
        writes.add(start);
        opened.wal().append(List.of(start));
        opened.wal().sync();
        assertThat(opened.wal().dropUnneeded()).isPositive();
        LogWrite last = append(entry(13, 1, 40));
        opened.wal().append(List.of(last));
        opened.wal().sync();
        var without = meaning(writes, snapshot);
        writes.add(last);
        var with = meaning(writes, snapshot);
        List<String> files = segments(disk);
        assertThat(files).hasSizeGreaterThanOrEqualTo(2);
        int cut = 0;
        for (String file : files) {
            int sizeBytes = disk.files.get(file).length;
            for (int at = 0; at < sizeBytes; at++) {
                MemoryDisk damaged = disk.copy();
                damaged.files.get(file)[at] ^= 0x20;
                try {
                    var recovered = open(damaged).recovered();
                    if (!recovered.equals(with)) {
                        // Only what the last write had not finished for certain may be missing.
                        assertThat(recovered).as("%s byte %d", file, at).isEqualTo(without);
                        assertThat(file).isEqualTo(files.getLast());
                        cut++;
                    }
                } catch (CorruptLogException refusal) {
                    assertThat(refusal.file()).as("byte %d", at).isEqualTo(file);
                    assertThat(refusal.offsetBytes()).isLessThanOrEqualTo(at);
                }
            }
        }
        assertThat(cut).as("bytes of the last record").isBetween(1, WalSamples.recordBytes(last));
    }

    @Test
    void everyFlippedOrMissingByteOfASnapshotIsNoticed() throws Exception {
        Wal.Opened opened = open(disk);
        fill(opened.wal());
        save(opened, 8, 1);
        String name = SnapshotFormat.fileName(8);
        byte[] whole = disk.files.get(name);
        for (int at = 0; at < whole.length; at++) {
            MemoryDisk flipped = disk.copy();
            flipped.files.get(name)[at] ^= 0x10;
            assertThatThrownBy(() -> open(flipped))
                    .as("byte %d", at)
                    .isInstanceOf(CorruptLogException.class)
                    .hasMessageContaining(name);
            MemoryDisk cut = disk.copy();
            cut.files.put(name, Arrays.copyOf(whole, at));
            assertThatThrownBy(() -> open(cut)).isInstanceOf(CorruptLogException.class);
        }
    }

    @Test
    void unfinishedSnapshotsAreRemovedAndReceivedOnesMustBeWhole() throws Exception {
        Wal.Opened opened = open(disk);
        fill(opened.wal());
        save(opened, 8, 1);
        byte[] whole = disk.files.get(SnapshotFormat.fileName(8));
        MemoryDisk other = new MemoryDisk();
        SnapshotStore store = open(other).snapshots();
        store.keep(0, Bytes.wrap(Arrays.copyOfRange(whole, 0, 50)));
        store.keep(50, Bytes.wrap(Arrays.copyOfRange(whole, 50, whole.length)));
        MemoryDisk crashed = other.copy();
        assertThat(open(crashed).recovered().snapshot()).isNull();
        assertThat(crashed.files.keySet()).noneMatch(file -> file.endsWith(".tmp"));
        assertThat(store.complete(9, 1)).as("another one than was promised").isNull();
        store.keep(0, Bytes.wrap(whole.clone()));
        SnapshotFormat.Loaded loaded = store.complete(8, 1);
        assertThat(loaded).isNotNull();
        assertThat(bytes(loaded.state())).isEqualTo(STATE);
        assertThat(loaded.snapshot().configuration()).isEqualTo(MEMBERS);
    }

    @Test
    void receivedSnapshotIsReadAndKeptAPieceAtATime() throws Exception {
        Wal.Opened opened = open(disk);
        byte[] large = new byte[20 * SavedState.PIECE_BYTES + 17];
        new Random(SEED).nextBytes(large);
        opened.snapshots().save(8, 1, 0, MEMBERS, inPieces(Bytes.wrap(large)));
        byte[] whole = disk.files.get(SnapshotFormat.fileName(8));
        MemoryDisk other = new MemoryDisk();
        Wal.Opened receiver = open(other);
        other.largestReadBytes = 0;
        for (int at = 0; at < whole.length; at += 100_000) {
            int end = Math.min(whole.length, at + 100_000);
            receiver.snapshots().keep(at, Bytes.wrap(Arrays.copyOfRange(whole, at, end)));
        }
        SnapshotFormat.Loaded loaded = receiver.snapshots().complete(8, 1);
        assertThat(loaded).isNotNull();
        assertThat(bytes(loaded.state())).isEqualTo(Bytes.wrap(large));
        receiver.snapshots().install(loaded.snapshot());
        // And a start, which finds it.
        Wal.Opened again = open(other);
        assertThat(bytes(again.state())).isEqualTo(Bytes.wrap(large));
        assertThat(other.largestReadBytes).isLessThanOrEqualTo(SavedState.PIECE_BYTES);
        assertThat(other.files.get(SnapshotFormat.fileName(8))).isEqualTo(whole);
    }

    @Test
    void crashBeforeOrAfterInstallingAReceivedSnapshotLosesAllOrNothingOfIt() throws Exception {
        Wal.Opened opened = open(disk);
        save(opened, 8, 1);
        byte[] whole = disk.files.get(SnapshotFormat.fileName(8));
        MemoryDisk other = new MemoryDisk();
        SnapshotStore store = open(other).snapshots();
        store.keep(0, Bytes.wrap(whole));
        SnapshotFormat.Loaded loaded = store.complete(8, 1);
        MemoryDisk before = other.copy();
        assertThat(open(before).recovered().snapshot()).isNull();
        assertThat(before.files.keySet()).noneMatch(file -> file.endsWith(".tmp"));
        store.install(loaded.snapshot());
        Wal.Opened after = open(other.copy());
        assertThat(after.recovered().snapshot()).isEqualTo(loaded.snapshot());
        assertThat(bytes(after.state())).isEqualTo(STATE);
    }

    @Test
    void snapshotThatOvertakesAnUnfinishedOneIsKeptAlone() throws Exception {
        Wal.Opened opened = open(disk);
        opened.snapshots().save(8, 1, 0, MEMBERS, inPieces(Bytes.wrap(new byte[5000])));
        save(opened, 9, 1);
        byte[] longer = disk.files.get(SnapshotFormat.fileName(8));
        byte[] newer = disk.files.get(SnapshotFormat.fileName(9));
        SnapshotStore store = open(new MemoryDisk()).snapshots();
        store.keep(0, Bytes.wrap(Arrays.copyOf(longer, 4000)));
        store.keep(0, Bytes.wrap(newer));
        SnapshotFormat.Loaded loaded = store.complete(9, 1);
        assertThat(loaded).as("nothing of the longer one is left behind it").isNotNull();
        assertThat(bytes(loaded.state())).isEqualTo(STATE);
    }

    @Test
    void theFirstSnapshotOfAnIndexStays() throws Exception {
        Wal.Opened opened = open(disk);
        save(opened, 8, 1);
        byte[] first = disk.files.get(SnapshotFormat.fileName(8));
        opened.snapshots().keep(0, Bytes.wrap(first));
        SnapshotFormat.Loaded loaded = opened.snapshots().complete(8, 1);
        assertThat(loaded).isNotNull();
        opened.snapshots().install(loaded.snapshot());
        Bytes other = Bytes.wrap("the same state in other bytes".getBytes());
        opened.snapshots().save(8, 1, 0, MEMBERS, inPieces(other));
        assertThat(disk.files)
                .containsOnlyKeys(WalFormat.segmentName(1), SnapshotFormat.fileName(8));
        assertThat(disk.files.get(SnapshotFormat.fileName(8))).isEqualTo(first);
    }
}
