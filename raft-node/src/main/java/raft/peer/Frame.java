package raft.peer;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * What stands around every body between nodes. All numbers are big-endian.
 *
 * <pre>
 *  0 int  bytes of the body           8 int CRC32C of bytes 0 to 7 and the body
 *  4 byte type                       12 body
 *  5 three zero bytes
 * </pre>
 *
 * @param type one of {@link PeerCodec}'s
 * @param body position 0, limit its size; a view, valid as long as {@link FrameBuffer} says
 */
public record Frame(int type, ByteBuffer body) {
    public static final int HEADER_BYTES = 12;

    /**
     * Most bytes of a body: one AppendEntries holds 1 MiB of entries, or a single entry of any size
     * that a client may send.
     */
    public static final int BODY_BYTES_MAX = 4 << 20;

    /** The first frame of either side is small: nobody is trusted with memory before it. */
    public static final int HANDSHAKE_BYTES_MAX = 1024;

    /**
     * Fills in the header in front of a body.
     *
     * @param bytes where the frame starts at {@code start} and its body ends at the position
     */
    static void seal(ByteBuffer bytes, int start, int type) {
        int bodyBytes = bytes.position() - start - HEADER_BYTES;
        bytes.putInt(start, bodyBytes).putInt(start + 4, type << 24);
        bytes.putInt(start + 8, checksum(bytes, start, bodyBytes));
    }

    /** Of the header without the checksum itself, and the body behind it. */
    static int checksum(ByteBuffer bytes, int start, int bodyBytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.slice(start, 8));
        crc.update(bytes.slice(start + HEADER_BYTES, bodyBytes));
        return (int) crc.getValue();
    }
}
