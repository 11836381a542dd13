package raft.storage;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/**
 * The state machine's state in a snapshot's file. Read in pieces, since a second copy of it as
 * bytes may be more than memory has room for.
 */
public final class SavedState {
    static final int PIECE_BYTES = 256 << 10;

    private final Disk disk;
    private final String file;
    private final long beginBytes;
    private final long endBytes;

    SavedState(Disk disk, String file, long beginBytes, long endBytes) {
        this.disk = disk;
        this.file = file;
        this.beginBytes = beginBytes;
        this.endBytes = endBytes;
    }

    /** As many bytes as {@link #open} gives. */
    public long sizeBytes() {
        return endBytes - beginBytes;
    }

    /** From the beginning; the file must still have the name under which it was found. */
    public InputStream open() {
        return new Pieces();
    }

    private final class Pieces extends InputStream {
        private long atBytes = beginBytes;
        private ByteBuffer piece = ByteBuffer.allocate(0);

        @Override
        public int read() throws IOException {
            return fill() ? Byte.toUnsignedInt(piece.get()) : -1;
        }

        @Override
        public int read(byte[] into, int offset, int count) throws IOException {
            if (count == 0) {
                return 0;
            }
            if (!fill()) {
                return -1;
            }
            int got = Math.min(count, piece.remaining());
            piece.get(into, offset, got);
            return got;
        }

        private boolean fill() throws IOException {
            if (!piece.hasRemaining() && atBytes < endBytes) {
                piece = disk.read(file, atBytes, (int) Math.min(PIECE_BYTES, endBytes - atBytes));
                if (!piece.hasRemaining()) {
                    throw new EOFException(file + " ends at byte " + atBytes + " of " + endBytes);
                }
                atBytes += piece.remaining();
            }
            return piece.hasRemaining();
        }
    }
}
