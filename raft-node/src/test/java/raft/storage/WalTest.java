package raft.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static raft.storage.WalSamples.append;
import static raft.storage.WalSamples.entry;
import static raft.storage.WalSamples.hardState;
import static raft.storage.WalSamples.meaning;
import static raft.storage.WalSamples.open;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.core.LogWrite;
import raft.core.Recovered;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

final class WalTest {
    private final MemoryDisk disk = new MemoryDisk();

    @Test
    void anEmptyDiskHoldsAnEmptyLog() throws Exception {
        assertThat(open(disk).recovered()).isEqualTo(Recovered.EMPTY);
        assertThat(open(disk).recovered()).isEqualTo(Recovered.EMPTY);
    }

    @Test
    void whatWasSyncedIsRecovered() throws Exception {
        List<LogWrite> first = List.of(hardState(1, "n1"), append(entry(1, 1, 0), entry(2, 1, 17)));
        List<LogWrite> second =
                List.of(
                        new LogWrite.HardState(2, null),
                        new LogWrite.Truncate(2),
                        append(entry(2, 2, 300)));
        Wal wal = open(disk).wal();
        wal.append(first);
        wal.sync();
        wal.close();

        Wal.Opened reopened = open(disk);
        assertThat(reopened.recovered()).isEqualTo(meaning(first));
        reopened.wal().append(second);
        reopened.wal().sync();

        List<LogWrite> all = new ArrayList<>(first);
        all.addAll(second);
        assertThat(open(disk).recovered()).isEqualTo(meaning(all));
    }

    @Test
    void whatWasNotSyncedIsNotWritten() throws Exception {
        Wal wal = open(disk).wal();
        disk.operations.clear();
        wal.append(List.of(hardState(1, "n1")));
        assertThat(disk.operations).isEmpty();
        assertThat(wal.pendingBytes()).isEqualTo(48);
    }

    @Test
    void oneBatchIsOneWriteAndOneSync() throws Exception {
        Wal wal = open(disk).wal();
        disk.operations.clear();
        wal.append(List.of(hardState(1, "n1"), append(entry(1, 1, 10), entry(2, 1, 10))));
        wal.append(List.of(append(entry(3, 1, 10))));
        assertThat(wal.sync()).isEqualTo(48 + 3 * 56);
        assertThat(wal.sync()).isZero();
        String name = WalFormat.segmentName(1);
        assertThat(disk.operations).containsExactly("write " + name, "sync " + name);
    }

    @Test
    void aNewSegmentIsDurableBeforeItIsNamedAndNamedBeforeItIsUsed() throws Exception {
        open(disk);
        String name = WalFormat.segmentName(1);
        assertThat(disk.operations)
                .containsExactly(
                        "create new-segment.tmp",
                        "write new-segment.tmp",
                        "sync with size new-segment.tmp",
                        "write new-segment.tmp",
                        "sync with size new-segment.tmp",
                        "rename new-segment.tmp " + name,
                        "sync directory");
        assertThat(disk.files.get(name)).hasSize(WalSamples.SEGMENT_BYTES);
    }

    @Test
    void segmentsRollOverAndKeepTheirOrder() throws Exception {
        List<LogWrite> all = writeManySegments();
        assertThat(disk.files).hasSizeGreaterThan(5);
        assertThat(open(disk).recovered()).isEqualTo(meaning(all));
    }

    @Test
    void aBatchLargerThanASegmentGetsALargeSegment() throws Exception {
        List<LogWrite> large = List.of(append(entry(1, 1, 10_000), entry(2, 1, 10_000)));
        Wal wal = open(disk).wal();
        wal.append(List.of(hardState(1, "n1")));
        wal.sync();
        wal.append(large);
        wal.sync();
        wal.append(List.of(append(entry(3, 1, 5))));
        wal.sync();
        assertThat(open(disk).recovered().entries()).hasSize(3);
    }

    @Test
    void aSegmentThatReplacesAnEmptyOneOutlivesIt() throws Exception {
        Wal wal = open(disk).wal();
        // Too large for the first segment, which holds nothing yet: both begin with record 1.
        List<LogWrite> large = List.of(append(entry(1, 1, 3_000), entry(2, 1, 3_000)));
        wal.append(large);
        wal.sync();
        assertThat(wal.dropUnneeded()).isZero();
        assertThat(open(disk).recovered()).isEqualTo(meaning(large));
    }

    @Test
    void aPreparedSegmentIsUsed() throws Exception {
        Wal wal = open(disk).wal();
        assertThat(wal.spareWanted()).isFalse();
        wal.append(List.of(append(entry(1, 1, 3000))));
        wal.sync();
        assertThat(wal.spareWanted()).isTrue();
        wal.prepareSpare();
        assertThat(wal.spareWanted()).isFalse();
        disk.operations.clear();
        wal.append(List.of(append(entry(2, 1, 3000))));
        wal.sync();
        assertThat(disk.operations).doesNotContain("create new-segment.tmp");
        assertThat(open(disk).recovered().entries()).hasSize(2);
    }

    @Test
    void unfinishedSegmentsAreRemoved() throws Exception {
        disk.create("spare-segment.tmp");
        disk.create("new-segment.tmp");
        open(disk);
        assertThat(disk.files.keySet()).containsExactly(WalFormat.segmentName(1));
    }

    @Test
    void afterAFailedSyncNothingIsTriedAgain() throws Exception {
        Wal wal = open(disk).wal();
        wal.append(List.of(hardState(1, "n1")));
        disk.failSyncs = true;
        assertThatThrownBy(wal::sync)
                .isInstanceOf(DiskFailedException.class)
                .hasMessageContaining("input/output error");
        disk.failSyncs = false;
        disk.operations.clear();
        assertThatThrownBy(wal::sync).isInstanceOf(IllegalStateException.class);
        assertThat(disk.operations).isEmpty();
    }

    @Test
    void afterAFailedWriteNothingIsTriedAgain() throws Exception {
        Wal wal = open(disk).wal();
        wal.append(List.of(hardState(1, "n1")));
        disk.failWrites = true;
        assertThatThrownBy(wal::sync).isInstanceOf(DiskFailedException.class);
        disk.failWrites = false;
        assertThatThrownBy(wal::sync).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatWasReadIsMadeDurableBeforeItIsBuiltOn() throws Exception {
        open(disk).wal().close();
        disk.operations.clear();
        open(disk);
        assertThat(disk.operations)
                .containsExactly(
                        "open " + WalFormat.segmentName(1),
                        "sync with size " + WalFormat.segmentName(1));
    }

    @Test
    void realFilesHoldTheSame(@TempDir Path folder) throws Exception {
        List<LogWrite> writes = List.of(hardState(7, "n2"), append(entry(1, 7, 5000)));
        try (DataDirectory data = DataDirectory.open(folder, "lab", "n1")) {
            Wal wal = Wal.open(data.disk(), 8192, () -> 5).wal();
            wal.append(writes);
            wal.sync();
            wal.prepareSpare();
            wal.append(List.of(append(entry(2, 7, 6000))));
            wal.sync();
            wal.close();
        }
        try (DataDirectory data = DataDirectory.open(folder, "lab", "n1")) {
            Wal.Opened opened = Wal.open(data.disk(), 8192, () -> 6);
            assertThat(opened.recovered().entries())
                    .containsExactly(entry(1, 7, 5000), entry(2, 7, 6000));
            opened.wal().close();
        }
    }

    @Test
    void aDataDirectoryIsHeldByOneAndBelongsToOneNode(@TempDir Path folder) throws Exception {
        try (DataDirectory data = DataDirectory.open(folder, "lab", "n1")) {
            assertThat(data.disk().list()).containsExactly("identity", "lock");
            assertThatThrownBy(() -> DataDirectory.open(folder, "lab", "n1"))
                    .hasMessageContaining("is open in this process");
        }
        assertThatThrownBy(() -> DataDirectory.open(folder, "lab", "n2"))
                .hasMessageEndingWith(
                        "belongs to cluster lab, node n1, not to cluster lab, node n2");
    }

    private List<LogWrite> writeManySegments() throws Exception {
        List<LogWrite> all = new ArrayList<>();
        Wal wal = open(disk).wal();
        for (int index = 1; index <= 40; index++) {
            List<LogWrite> batch =
                    List.of(hardState(index, "n1"), append(entry(index, index, 20 * index)));
            wal.append(batch);
            wal.sync();
            all.addAll(batch);
        }
        return all;
    }
}
