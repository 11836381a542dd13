package raft.client;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * Collects bytes from a connection and cuts them into frames (u32 length, then that many bytes).
 *
 * <p>Memory follows what has arrived, never what was announced: a length above the limit is refused
 * as soon as it is seen, and a peer that announces 2 MiB and sends nothing costs nothing. Not
 * thread-safe.
 */
public final class FrameBuffer {
    private static final int START_BYTES = 8192;
    private static final int KEEP_BYTES_MAX = 1 << 16;
    private static final int LENGTH_BYTES = 4;
    private static final int CAPACITY_BYTES_MAX = LENGTH_BYTES + Limits.FRAME_BYTES_MAX;

    /** Bytes [start, data.position()) have arrived and are not handed out yet. */
    private ByteBuffer data = ByteBuffer.allocate(START_BYTES);

    private int start;

    /**
     * Where the next bytes go: read into it, then call {@link #next} until it returns null. Backed
     * by an array, never without room. Ends the life of the frame last returned.
     *
     * @throws IllegalStateException when frames are left that nobody took
     */
    public ByteBuffer space() {
        int pending = data.position() - start;
        if (pending == 0 && data.capacity() > KEEP_BYTES_MAX) {
            data = ByteBuffer.allocate(START_BYTES);
            start = 0;
        } else if (pending == 0 || !data.hasRemaining()) {
            makeRoom(pending);
        }
        return data;
    }

    /**
     * The next whole frame without its length, or null when more bytes are needed. The view is
     * valid until {@link #space} is called.
     *
     * @param frameBytesMax most bytes that a frame may have, ≤ {@link Limits#FRAME_BYTES_MAX}
     * @throws ProtocolException with request id 0 when the length announced exceeds it
     */
    public @Nullable ByteBuffer next(int frameBytesMax) throws ProtocolException {
        int pending = data.position() - start;
        if (pending < LENGTH_BYTES) {
            return null;
        }
        int length = data.getInt(start);
        if (length < 0 || length > frameBytesMax) {
            throw new ProtocolException(
                    0,
                    Refusal.TOO_LARGE,
                    "A frame of "
                            + Integer.toUnsignedString(length)
                            + " bytes was announced, at most "
                            + frameBytesMax
                            + " are allowed.");
        }
        if (pending < LENGTH_BYTES + length) {
            return null;
        }
        ByteBuffer frame = data.slice(start + LENGTH_BYTES, length);
        start += LENGTH_BYTES + length;
        return frame;
    }

    /** Whether what has arrived is an alert of TLS, from a server that speaks nothing else. */
    boolean holdsTlsAlert() {
        return data.position() - start >= 2 && data.get(start) == 0x15 && data.get(start + 1) == 3;
    }

    private void makeRoom(int pending) {
        if (pending == data.capacity()) {
            if (pending == CAPACITY_BYTES_MAX) {
                throw new IllegalStateException(
                        pending + " bytes are waiting, take the frames first");
            }
            ByteBuffer larger = ByteBuffer.allocate(Math.min(2 * pending, CAPACITY_BYTES_MAX));
            larger.put(data.flip());
            data = larger;
        } else {
            data.limit(data.position()).position(start);
            data.compact();
            start = 0;
        }
    }
}
