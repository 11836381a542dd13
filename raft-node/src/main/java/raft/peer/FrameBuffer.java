package raft.peer;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * Collects bytes from a connection and cuts them into frames.
 *
 * <p>Memory follows what has arrived, at most twice of it, never what was announced: a length above
 * the limit is refused as soon as it is seen. Not thread-safe.
 */
public final class FrameBuffer {
    private static final int START_BYTES = 64 << 10;
    private static final int CAPACITY_BYTES_MAX = Frame.HEADER_BYTES + Frame.BODY_BYTES_MAX;

    /** Bytes [start, data.position()) have arrived and are not handed out yet. */
    private ByteBuffer data = ByteBuffer.allocate(START_BYTES);

    private int start;

    /**
     * Where the next bytes go: read into it, then call {@link #next} until it returns null. Backed
     * by an array, never without room. Ends the life of the frame last returned.
     */
    public ByteBuffer space() {
        int pendingBytes = data.position() - start;
        if (pendingBytes == 0) {
            if (data.capacity() > START_BYTES) {
                data = ByteBuffer.allocate(START_BYTES);
            }
            data.clear();
        } else if (start > 0) {
            data.flip().position(start);
            data.compact();
        }
        start = 0;
        if (!data.hasRemaining()) {
            int capacityBytes = Math.min(2 * pendingBytes, CAPACITY_BYTES_MAX);
            if (capacityBytes == pendingBytes) {
                throw new IllegalStateException("whole frames are waiting, take them first");
            }
            data = ByteBuffer.allocate(capacityBytes).put(data.flip());
        }
        return data;
    }

    /**
     * The next whole frame, or null when more bytes are needed. Its body is a view, valid until
     * {@link #space} is called.
     *
     * @param bodyBytesMax most bytes the body may have, ≤ {@link Frame#BODY_BYTES_MAX}
     * @throws PeerProtocolException if the bytes cannot be a frame; the stream is lost
     */
    public @Nullable Frame next(int bodyBytesMax) throws PeerProtocolException {
        int pendingBytes = data.position() - start;
        if (pendingBytes < Frame.HEADER_BYTES) {
            return null;
        }
        int bodyBytes = data.getInt(start);
        if (bodyBytes < 0 || bodyBytes > bodyBytesMax) {
            throw new PeerProtocolException(
                    "a frame of "
                            + Integer.toUnsignedString(bodyBytes)
                            + " bytes was announced, at most "
                            + bodyBytesMax
                            + " are allowed");
        }
        if ((data.getInt(start + 4) & 0xFFFFFF) != 0) {
            throw new PeerProtocolException("reserved bytes of a frame's header are not zero");
        }
        if (pendingBytes < Frame.HEADER_BYTES + bodyBytes) {
            return null;
        }
        if (data.getInt(start + 8) != Frame.checksum(data, start, bodyBytes)) {
            throw new PeerProtocolException("a frame's checksum does not match", true);
        }
        int type = data.get(start + 4) & 0xFF;
        ByteBuffer body = data.slice(start + Frame.HEADER_BYTES, bodyBytes);
        start += Frame.HEADER_BYTES + bodyBytes;
        return new Frame(type, body);
    }
}
