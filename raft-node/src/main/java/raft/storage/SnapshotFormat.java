package raft.storage;

import org.jspecify.annotations.Nullable;

import raft.core.Bytes;
import raft.core.Configuration;
import raft.core.Snapshot;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The bytes of a snapshot file, apart from any file. All numbers are big-endian. The same bytes are
 * on the disk and, in pieces, on the wire.
 *
 * <pre>
 *  0 magic "RAFTSNAP"                40 long size of the whole file
 *  8 int  format version             48 int  bytes of the configuration
 * 12 int  CRC32C of all the rest     52 int  zero
 * 16 long index of the last entry    56 the configuration, then the state machine's state
 * 24 long its term
 * 32 long index of the configuration
 * </pre>
 */
public final class SnapshotFormat {
    public static final int HEADER_BYTES = 56;

    private static final long MAGIC = 0x52414654534E4150L;
    private static final int FORMAT_VERSION = 1;

    private static final String PREFIX = "snapshot-";
    private static final String SUFFIX = ".snap";
    private static final int INDEX_DIGITS = 20;

    private SnapshotFormat() {}

    /** A whole, undamaged snapshot on the disk. */
    public record Loaded(Snapshot snapshot, SavedState state) {}

    /** Sorts like the index, which is zero-padded. */
    public static String fileName(long index) {
        String digits = Long.toString(index);
        return PREFIX + "0".repeat(INDEX_DIGITS - digits.length()) + digits + SUFFIX;
    }

    public static boolean isFileName(String name) {
        return name.length() == PREFIX.length() + INDEX_DIGITS + SUFFIX.length()
                && name.startsWith(PREFIX)
                && name.endsWith(SUFFIX);
    }

    /** The head of the file, which the state follows; its checksum is missing. */
    static ByteBuffer encodeHead(
            long index,
            long term,
            long configurationIndex,
            Configuration members,
            long stateBytes) {
        byte[] configuration = members.encode().unsafeArray();
        ByteBuffer head = ByteBuffer.allocate(HEADER_BYTES + configuration.length);
        head.putLong(0, MAGIC).putInt(8, FORMAT_VERSION);
        head.putLong(16, index).putLong(24, term).putLong(32, configurationIndex);
        head.putLong(40, head.capacity() + stateBytes);
        return head.putInt(48, configuration.length).put(HEADER_BYTES, configuration);
    }

    /** Of a head; the state's bytes are to be added. */
    static CRC32C checksumOf(ByteBuffer head) {
        CRC32C crc = new CRC32C();
        crc.update(head.slice(0, 12));
        crc.update(head.slice(16, head.limit() - 16));
        return crc;
    }

    /** Completes a head. */
    static void setChecksum(ByteBuffer head, CRC32C crc) {
        head.putInt(12, (int) crc.getValue());
    }

    /** Whether a file may be a snapshot of this format that begins like this. */
    static boolean isHead(ByteBuffer head) {
        return head.limit() >= HEADER_BYTES
                && head.getLong(0) == MAGIC
                && head.getInt(8) == FORMAT_VERSION;
    }

    /**
     * Whether nothing is missing and nothing damaged.
     *
     * @param sizeBytes of the whole file
     * @param crc of the head and all that follows it
     */
    static boolean isWhole(ByteBuffer head, long sizeBytes, CRC32C crc) {
        return head.getLong(40) == sizeBytes
                && head.getInt(12) == (int) crc.getValue()
                && head.getInt(48) >= 0
                && head.getInt(48) <= sizeBytes - HEADER_BYTES;
    }

    /** Of the configuration, which lies between the head and the state. */
    static int configurationBytes(ByteBuffer head) {
        return head.getInt(48);
    }

    /** Null where the configuration is none. */
    static @Nullable Snapshot decode(ByteBuffer head, ByteBuffer configuration) {
        byte[] members = new byte[configuration.remaining()];
        configuration.get(members);
        try {
            return new Snapshot(
                    head.getLong(16),
                    head.getLong(24),
                    head.getLong(40),
                    head.getLong(32),
                    Configuration.decode(Bytes.wrap(members)));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
