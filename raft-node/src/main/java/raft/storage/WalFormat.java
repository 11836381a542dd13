package raft.storage;

import org.jspecify.annotations.Nullable;

import raft.core.Bytes;
import raft.core.Entry;
import raft.core.LogWrite;
import raft.core.LogWrite.HardState;
import raft.core.NodeId;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * The bytes of segments and records, apart from any file. All numbers are big-endian.
 *
 * <pre>
 * segment header, 192 bytes         record, padded with zeros to a multiple of 8
 *   0 magic "RAFTWAL" 0               0 int  CRC32C of the segment's salt, then of byte 4 to the end
 *   8 int  format version             4 int  payload bytes, without padding
 *  12 int  CRC32C of all the rest     8 byte type: 1 hard state, 2 entry, 3 truncation, 4 start
 *  16 long first sequence number      9 byte kind of entry; of a start, whether the suffix stays
 *  24 long salt                      12 int  how many records of the same batch come before
 *  32 long size of the file          16 long sequence number
 *  40 long term                      24 long index      32 long term      40 payload
 *  48 long base index
 *  56 long base term
 *  64 long last index
 *  72 byte length of the vote, then the vote
 * </pre>
 *
 * <p>From byte 40 on the header says what all records before this segment add up to, so that
 * recovery can begin with any segment once those before it were dropped (§7).
 *
 * <p>The salt is drawn anew for every segment and enters every checksum, so bytes that another
 * segment left on the disk, or that a client put into a value, do not parse as records here. The
 * batch tells which records one fsync covered, which is what recovery needs to tell a write that a
 * crash cut short from damage to something promised. For the same reason payloads are stored XORed
 * with the salt: a sector of zeros then means a sector never written, even if a client's value is
 * nothing but zeros.
 */
public final class WalFormat {
    public static final int SEGMENT_HEADER_BYTES = 192;
    public static final int RECORD_HEADER_BYTES = 40;

    /** Greater than any entry a node accepts; keeps a damaged length from being believed. */
    public static final int PAYLOAD_BYTES_MAX = 64 << 20;

    static final int FORMAT_VERSION = 2;
    static final byte HARD_STATE = 1;
    static final byte ENTRY = 2;
    static final byte TRUNCATE = 3;
    static final byte START = 4;

    private static final long MAGIC = 0x524146545741_4C00L;
    private static final int ALIGNMENT_BYTES = 8;
    private static final String SEGMENT_PREFIX = "wal-";
    private static final String SEGMENT_SUFFIX = ".log";
    private static final int SEQUENCE_DIGITS = 20;

    private WalFormat() {}

    /**
     * What a segment says of itself.
     *
     * @param before what the records before it add up to
     */
    public record SegmentHeader(long firstSequence, long salt, long sizeBytes, Before before) {}

    /**
     * The log at one place of the stream, without its entries.
     *
     * @param baseIndex the log begins behind it
     * @param lastIndex its last entry, or the base where it is empty
     */
    public record Before(HardState hardState, long baseIndex, long baseTerm, long lastIndex) {
        static final Before NOTHING = new Before(HardState.INITIAL, 0, 0, 0);

        Before with(HardState next) {
            return new Before(next, baseIndex, baseTerm, lastIndex);
        }

        Before withLast(long index) {
            return new Before(hardState, baseIndex, baseTerm, index);
        }

        Before with(LogWrite.StartAfter start) {
            long last = start.keepsSuffix() ? lastIndex : start.index();
            return new Before(hardState, start.index(), start.term(), last);
        }
    }

    /** Sorts like the sequence number, which is zero-padded. */
    public static String segmentName(long firstSequence) {
        String digits = Long.toString(firstSequence);
        return SEGMENT_PREFIX
                + "0".repeat(SEQUENCE_DIGITS - digits.length())
                + digits
                + SEGMENT_SUFFIX;
    }

    public static boolean isSegmentName(String name) {
        return name.length() == SEGMENT_PREFIX.length() + SEQUENCE_DIGITS + SEGMENT_SUFFIX.length()
                && name.startsWith(SEGMENT_PREFIX)
                && name.endsWith(SEGMENT_SUFFIX);
    }

    /** The header as it stands at the start of a segment. */
    public static ByteBuffer encodeHeader(SegmentHeader header) {
        ByteBuffer bytes = ByteBuffer.allocate(SEGMENT_HEADER_BYTES);
        bytes.putLong(0, MAGIC).putInt(8, FORMAT_VERSION);
        bytes.putLong(16, header.firstSequence).putLong(24, header.salt);
        bytes.putLong(32, header.sizeBytes);
        Before before = header.before;
        bytes.putLong(40, before.hardState.term()).putLong(48, before.baseIndex);
        bytes.putLong(56, before.baseTerm).putLong(64, before.lastIndex);
        byte[] vote = vote(before.hardState);
        bytes.put(72, (byte) vote.length).put(73, vote);
        bytes.putInt(12, headerChecksum(bytes));
        return bytes;
    }

    /**
     * Null where the bytes are not a segment header of this format.
     *
     * @param bytes a segment from its first byte; its position does not matter
     */
    public static @Nullable SegmentHeader decodeHeader(ByteBuffer bytes) {
        if (bytes.limit() < SEGMENT_HEADER_BYTES
                || bytes.getLong(0) != MAGIC
                || bytes.getInt(8) != FORMAT_VERSION
                || bytes.getInt(12) != headerChecksum(bytes)) {
            return null;
        }
        byte[] vote = new byte[Math.min(bytes.get(72) & 0xFF, SEGMENT_HEADER_BYTES - 73)];
        bytes.get(73, vote);
        HardState hardState;
        try {
            hardState = hardState(bytes.getLong(40), vote);
        } catch (IllegalArgumentException e) {
            return null;
        }
        return new SegmentHeader(
                bytes.getLong(16),
                bytes.getLong(24),
                bytes.getLong(32),
                new Before(hardState, bytes.getLong(48), bytes.getLong(56), bytes.getLong(64)));
    }

    private static int headerChecksum(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.slice(0, 12));
        crc.update(bytes.slice(16, SEGMENT_HEADER_BYTES - 16));
        return (int) crc.getValue();
    }

    /** Bytes a record with this payload takes in the file. */
    public static int recordBytes(int payloadBytes) {
        return (RECORD_HEADER_BYTES + payloadBytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
    }

    /** Appends a record without its checksum, which {@link #seal} adds. */
    static void putHardState(ByteBuffer out, HardState state, long sequence, int batchOffset) {
        put(out, HARD_STATE, 0, sequence, batchOffset, 0, state.term(), vote(state));
    }

    private static byte[] vote(HardState state) {
        NodeId votedFor = state.votedFor();
        return votedFor == null ? new byte[0] : votedFor.name().getBytes(StandardCharsets.US_ASCII);
    }

    /** Appends a record without its checksum, which {@link #seal} adds. */
    static void putEntry(ByteBuffer out, Entry entry, long sequence, int batchOffset) {
        byte[] payload = entry.payload().unsafeArray();
        int kind = entry.kind().code();
        put(out, ENTRY, kind, sequence, batchOffset, entry.index(), entry.term(), payload);
    }

    /** Appends a record without its checksum, which {@link #seal} adds. */
    static void putTruncate(ByteBuffer out, long fromIndex, long sequence, int batchOffset) {
        put(out, TRUNCATE, 0, sequence, batchOffset, fromIndex, 0, new byte[0]);
    }

    /** Appends a record without its checksum, which {@link #seal} adds. */
    static void putStart(
            ByteBuffer out, LogWrite.StartAfter start, long sequence, int batchOffset) {
        int keeps = start.keepsSuffix() ? 1 : 0;
        put(out, START, keeps, sequence, batchOffset, start.index(), start.term(), new byte[0]);
    }

    private static void put(
            ByteBuffer out,
            byte type,
            int kind,
            long sequence,
            int batchOffset,
            long index,
            long term,
            byte[] payload) {
        out.putInt(0).putInt(payload.length);
        out.put(type).put((byte) kind).putShort((short) 0).putInt(batchOffset);
        out.putLong(sequence).putLong(index).putLong(term).put(payload);
        for (int padding = recordBytes(payload.length) - RECORD_HEADER_BYTES - payload.length;
                padding > 0;
                padding--) {
            out.put((byte) 0);
        }
    }

    /** Finishes all records between 0 and the limit for the segment they go to. */
    static void seal(ByteBuffer records, long salt) {
        for (int at = 0; at < records.limit(); ) {
            int sizeBytes = recordBytes(records.getInt(at + 4));
            whiten(records, at + RECORD_HEADER_BYTES, at + sizeBytes, salt);
            records.putInt(at, checksum(records, at, sizeBytes, salt));
            at += sizeBytes;
        }
    }

    /** Padding included; records are padded to whole longs. */
    private static void whiten(ByteBuffer bytes, int from, int to, long salt) {
        for (int at = from; at < to; at += Long.BYTES) {
            bytes.putLong(at, bytes.getLong(at) ^ salt);
        }
    }

    /** Size of the valid record at {@code offset}, or -1 where there is none. */
    static int validRecordBytes(ByteBuffer segment, int offset, long salt) {
        if (segment.limit() - offset < RECORD_HEADER_BYTES) {
            return -1;
        }
        byte type = type(segment, offset);
        int payloadBytes = segment.getInt(offset + 4);
        if (type < HARD_STATE || type > START) {
            return -1;
        }
        if (payloadBytes < 0 || payloadBytes > PAYLOAD_BYTES_MAX) {
            return -1;
        }
        int sizeBytes = recordBytes(payloadBytes);
        if (sizeBytes > segment.limit() - offset
                || segment.getInt(offset) != checksum(segment, offset, sizeBytes, salt)) {
            return -1;
        }
        return sizeBytes;
    }

    private static int checksum(ByteBuffer bytes, int offset, int sizeBytes, long salt) {
        CRC32C crc = new CRC32C();
        for (int shift = 56; shift >= 0; shift -= 8) {
            crc.update((int) (salt >>> shift));
        }
        crc.update(bytes.slice(offset + 4, sizeBytes - 4));
        return (int) crc.getValue();
    }

    static byte type(ByteBuffer segment, int offset) {
        return segment.get(offset + 8);
    }

    static long sequence(ByteBuffer segment, int offset) {
        return segment.getLong(offset + 16);
    }

    /** Sequence number of the first record that was written and synced together with this one. */
    static long batchFirstSequence(ByteBuffer segment, int offset) {
        return sequence(segment, offset) - segment.getInt(offset + 12);
    }

    static long index(ByteBuffer segment, int offset) {
        return segment.getLong(offset + 24);
    }

    /**
     * @throws IllegalArgumentException if the record's values are none an entry can have
     */
    static Entry entry(ByteBuffer segment, int offset, long salt) {
        Entry.Kind kind = Entry.Kind.ofCode(segment.get(offset + 9));
        long term = segment.getLong(offset + 32);
        Bytes payload = Bytes.wrap(payload(segment, offset, salt));
        return new Entry(index(segment, offset), term, kind, payload);
    }

    /**
     * @throws IllegalArgumentException if the vote is not a node id
     */
    static HardState hardState(ByteBuffer segment, int offset, long salt) {
        return hardState(segment.getLong(offset + 32), payload(segment, offset, salt));
    }

    private static HardState hardState(long term, byte[] vote) {
        return new HardState(
                term,
                vote.length == 0 ? null : new NodeId(new String(vote, StandardCharsets.US_ASCII)));
    }

    static LogWrite.StartAfter start(ByteBuffer segment, int offset) {
        return new LogWrite.StartAfter(
                index(segment, offset), segment.getLong(offset + 32), segment.get(offset + 9) == 1);
    }

    private static byte[] payload(ByteBuffer segment, int offset, long salt) {
        byte[] payload = new byte[segment.getInt(offset + 4)];
        int from = offset + RECORD_HEADER_BYTES;
        ByteBuffer plain = ByteBuffer.wrap(payload);
        while (plain.remaining() >= Long.BYTES) {
            plain.putLong(segment.getLong(from + plain.position()) ^ salt);
        }
        int rest = plain.position();
        for (int i = rest; i < payload.length; i++) {
            payload[i] = (byte) (segment.get(from + i) ^ salt >>> (56 - 8 * (i - rest)));
        }
        return payload;
    }
}
