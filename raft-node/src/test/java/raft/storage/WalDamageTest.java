package raft.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static raft.storage.WalSamples.append;
import static raft.storage.WalSamples.entry;
import static raft.storage.WalSamples.hardState;
import static raft.storage.WalSamples.meaning;
import static raft.storage.WalSamples.open;
import static raft.storage.WalSamples.recordBytes;
import static raft.storage.WalSamples.singles;

import org.junit.jupiter.api.Test;

import raft.core.Bytes;
import raft.core.Entry;
import raft.core.LogWrite;
import raft.core.Recovered;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * What recovery makes of damage at every place of a small log. The log has two segments; the last
 * one ends with a batch of several records.
 */
final class WalDamageTest {
    private static final List<List<LogWrite>> BATCHES =
            List.of(
                    List.of(hardState(1, "n1"), append(entry(1, 1, 30), entry(2, 1, 3850))),
                    List.of(hardState(2, "node-2"), append(entry(3, 2, 100))),
                    List.of(new LogWrite.Truncate(3), append(entry(3, 2, 0))),
                    List.of(append(entry(4, 2, 9), entry(5, 2, 700), entry(6, 2, 15))));

    private final MemoryDisk disk = new MemoryDisk();
    private final List<LogWrite> records = new ArrayList<>();

    /** File and first byte of each record. */
    private final List<Place> places = new ArrayList<>();

    private record Place(String file, int offset, int sizeBytes) {}

    private static final String FIRST = WalFormat.segmentName(1);
    private static final String LAST = WalFormat.segmentName(4);

    WalDamageTest() throws Exception {
        Wal wal = open(disk).wal();
        for (List<LogWrite> batch : BATCHES) {
            wal.append(batch);
            wal.sync();
            records.addAll(singles(batch));
        }
        wal.close();
        String file = FIRST;
        int offset = WalFormat.SEGMENT_HEADER_BYTES;
        for (int i = 0; i < records.size(); i++) {
            if (i == 3) {
                file = LAST;
                offset = WalFormat.SEGMENT_HEADER_BYTES;
            }
            places.add(new Place(file, offset, recordBytes(records.get(i))));
            offset += recordBytes(records.get(i));
        }
        assertThat(disk.files.keySet()).containsExactly(FIRST, LAST);
        assertThat(open(disk.copy()).recovered()).isEqualTo(meaning(records));
    }

    @Test
    void aFlippedByteAnywhereIsCutAtTheVeryEndAndRefusedElsewhere() throws Exception {
        for (int pattern : new int[] {0x01, 0x80, 0xFF}) {
            for (String file : List.of(FIRST, LAST)) {
                for (int at = 0; at < WalSamples.SEGMENT_BYTES; at++) {
                    MemoryDisk damaged = disk.copy();
                    bytes(damaged, file)[at] ^= (byte) pattern;
                    checkFlip(damaged, file, at);
                }
            }
        }
    }

    private void checkFlip(MemoryDisk damaged, String file, int at) throws Exception {
        int hit = recordAt(file, at);
        int last = records.size() - 1;
        boolean inHeader = at < WalFormat.SEGMENT_HEADER_BYTES;
        boolean behindSealedSegment = hit < 0 && file.equals(FIRST);
        if (hit == last) {
            assertGoesOn(damaged, records.subList(0, last));
        } else if (inHeader || behindSealedSegment || hit >= 0) {
            CorruptLogException refusal =
                    catchThrowableOfType(CorruptLogException.class, () -> open(damaged));
            assertThat(refusal).as("%s byte %d", file, at).isNotNull();
            assertThat(refusal.file()).isEqualTo(file);
            long expected = inHeader ? 0 : hit >= 0 ? places.get(hit).offset : endOf(FIRST);
            assertThat(refusal.offsetBytes()).isEqualTo(expected);
            if (hit >= 0) {
                assertThat(refusal).hasMessageContaining("record " + (hit + 1));
            }
        } else {
            assertGoesOn(damaged, records);
        }
    }

    @Test
    void aWriteCutShortAtAnyByteLosesOnlyWhatWasNotSynced() throws Exception {
        int batchStart = places.get(7).offset;
        int end = endOf(LAST);
        for (int cut = batchStart; cut < end; cut++) {
            MemoryDisk torn = disk.copy();
            Arrays.fill(bytes(torn, LAST), cut, end, (byte) 0);
            int survivors = 0;
            while (survivors < records.size() && endsBefore(survivors, cut)) {
                survivors++;
            }
            assertThat(survivors).isGreaterThanOrEqualTo(7);
            assertGoesOn(torn, records.subList(0, survivors));
        }
    }

    @Test
    void aFileShorterThanItWasPreallocatedIsRefused() {
        for (String file : List.of(FIRST, LAST)) {
            for (int cut = 0; cut < WalSamples.SEGMENT_BYTES; cut++) {
                MemoryDisk truncated = disk.copy();
                truncated.files.put(file, Arrays.copyOf(bytes(disk, file), cut));
                CorruptLogException refusal =
                        catchThrowableOfType(CorruptLogException.class, () -> open(truncated));
                assertThat(refusal).isNotNull();
                assertThat(refusal.file()).isEqualTo(file);
            }
        }
    }

    @Test
    void anySectorsOfTheLastWriteMayBeMissing() throws Exception {
        // A batch over eight sectors: which of them a loss of power left behind is anybody's guess.
        List<LogWrite> before = List.of(hardState(1, "n1"), append(entry(1, 1, 200)));
        List<LogWrite> batch = new ArrayList<>();
        for (int index = 2; index < 14; index++) {
            Entry entry = index % 3 == 0 ? zeros(index, 700) : entry(index, 1, 40 * (index % 5));
            batch.add(append(entry));
        }
        MemoryDisk whole = new MemoryDisk();
        Wal wal = Wal.open(whole, 8192, () -> 0x5EED).wal();
        wal.append(before);
        wal.sync();
        byte[] old = bytes(whole, FIRST).clone();
        wal.append(batch);
        int batchBytes = wal.sync();
        byte[] written = bytes(whole, FIRST);
        int start = WalFormat.SEGMENT_HEADER_BYTES + 48 + WalFormat.recordBytes(200);
        int sectors = (start + batchBytes + 511) / 512;
        assertThat(sectors).isBetween(8, 12);
        for (int mask = 0; mask < 1 << sectors; mask++) {
            MemoryDisk torn = new MemoryDisk();
            byte[] mixed = old.clone();
            for (int sector = 0; sector < sectors; sector++) {
                if ((mask >> sector & 1) == 1) {
                    System.arraycopy(written, 512 * sector, mixed, 512 * sector, 512);
                }
            }
            torn.files.put(FIRST, mixed);
            List<LogWrite> kept = new ArrayList<>(before);
            int offset = start;
            for (LogWrite write : batch) {
                int next = offset + recordBytes(write);
                if (!Arrays.equals(mixed, offset, next, written, offset, next)) {
                    break;
                }
                kept.add(write);
                offset = next;
            }
            assertGoesOn(torn, kept);
        }
    }

    @Test
    void bytesBehindATornTailNeverComeBack() throws Exception {
        // Record 2 lost a sector, 3 and 4 of the same batch reached the disk. The new record has
        // the size of the old one, so old ones would fit on behind it.
        MemoryDisk torn = new MemoryDisk();
        Wal wal = open(torn).wal();
        wal.append(List.of(hardState(1, "n1")));
        wal.sync();
        wal.append(List.of(append(entry(1, 1, 1500), entry(2, 1, 20), entry(3, 1, 20))));
        wal.sync();
        wal.close();
        Arrays.fill(bytes(torn, FIRST), 512, 1024, (byte) 0);

        Wal.Opened opened = open(torn);
        assertThat(opened.recovered().entries()).isEmpty();
        LogWrite replacement = append(zeros(1, 1500));
        opened.wal().append(List.of(replacement));
        opened.wal().sync();
        assertThat(open(torn).recovered())
                .isEqualTo(meaning(List.of(hardState(1, "n1"), replacement)));
    }

    @Test
    void aDamagedRecordBeforeAnotherBatchIsRefusedEvenIfItLooksUnwritten() {
        MemoryDisk damaged = disk.copy();
        // Record 4 starts the second batch's segment; everything of it is gone.
        Place place = places.get(3);
        Arrays.fill(bytes(damaged, LAST), place.offset, place.offset + place.sizeBytes, (byte) 0);
        assertThatThrownBy(() -> open(damaged))
                .isInstanceOf(CorruptLogException.class)
                .hasMessageContaining("valid record 5 follows");
    }

    @Test
    void leftoversOfAnotherLifeOfTheDiskBlocksAreNoRecords() throws Exception {
        // The whole last segment, with its own salt, as garbage behind a short log.
        MemoryDisk recycled = new MemoryDisk();
        Wal wal = open(recycled).wal();
        wal.append(List.of(hardState(1, "n1")));
        wal.sync();
        wal.close();
        byte[] segment = bytes(recycled, FIRST);
        int end = WalFormat.SEGMENT_HEADER_BYTES + 48;
        byte[] stale = bytes(disk, FIRST);
        // Aligned as it was, so that the record with the next sequence number comes right behind.
        System.arraycopy(stale, end, segment, end, segment.length - end);
        assertGoesOn(recycled, List.of(hardState(1, "n1")));
    }

    @Test
    void aMissingSegmentIsRefused() {
        MemoryDisk incomplete = disk.copy();
        incomplete.files.remove(FIRST);
        assertThatThrownBy(() -> open(incomplete))
                .isInstanceOf(CorruptLogException.class)
                .hasMessageContaining(LAST)
                .hasMessageContaining("entries 1 to 2 are missing");
    }

    @Test
    void aSegmentOfAnotherNameIsRefused() {
        MemoryDisk renamed = disk.copy();
        renamed.files.put(WalFormat.segmentName(9), renamed.files.remove(LAST));
        assertThatThrownBy(() -> open(renamed))
                .isInstanceOf(CorruptLogException.class)
                .hasMessageContaining("names first record 4");
    }

    @Test
    void aValueThatContainsALogIsNotMistakenForOne() throws Exception {
        // A client stores this very file as a value, and the record with it is torn.
        MemoryDisk outer = new MemoryDisk();
        Wal wal = Wal.open(outer, 16_384, () -> 77).wal();
        byte[] inner = bytes(disk, LAST).clone();
        wal.append(List.of(hardState(1, "n1")));
        wal.sync();
        wal.append(List.of(append(new Entry(1, 1, Entry.Kind.COMMAND, Bytes.wrap(inner)))));
        wal.sync();
        bytes(outer, FIRST)[WalFormat.SEGMENT_HEADER_BYTES + 48] ^= 1;
        assertGoesOn(outer, List.of(hardState(1, "n1")));
    }

    /** Recovers exactly these records, takes new ones, and recovers those as well. */
    private static void assertGoesOn(MemoryDisk survivor, List<LogWrite> kept) throws Exception {
        Recovered expected = meaning(kept);
        Wal.Opened opened = open(survivor);
        assertThat(opened.recovered()).isEqualTo(expected);
        List<LogWrite> more = new ArrayList<>(kept);
        long term = expected.hardState().term() + 1;
        more.add(hardState(term, "n3"));
        more.add(append(entry(expected.entries().size() + 1, term, 9)));
        opened.wal().append(more.subList(kept.size(), more.size()));
        opened.wal().sync();
        opened.wal().close();
        assertThat(open(survivor).recovered()).isEqualTo(meaning(more));
    }

    private static Entry zeros(long index, int payloadBytes) {
        return new Entry(index, 1, Entry.Kind.COMMAND, Bytes.wrap(new byte[payloadBytes]));
    }

    private static byte[] bytes(MemoryDisk disk, String file) {
        return Objects.requireNonNull(disk.files.get(file), file);
    }

    private int recordAt(String file, int at) {
        for (int i = 0; i < places.size(); i++) {
            Place place = places.get(i);
            if (place.file.equals(file)
                    && at >= place.offset
                    && at < place.offset + place.sizeBytes) {
                return i;
            }
        }
        return -1;
    }

    private boolean endsBefore(int record, int cut) {
        Place place = places.get(record);
        return place.file.equals(FIRST) || place.offset + place.sizeBytes <= cut;
    }

    private int endOf(String file) {
        return places.stream()
                .filter(place -> place.file.equals(file))
                .mapToInt(place -> place.offset + place.sizeBytes)
                .max()
                .orElseThrow();
    }
}
