package raft.client;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Takes the fields of a frame, twice: first it only counts their bytes, then it puts them into a
 * buffer of exactly that size. So each layout is written down once, and nothing is copied.
 */
final class Output {
    private static final int LENGTH_BYTES = 4;

    /** Null while counting. */
    private final @Nullable ByteBuffer buffer;

    private int sizeBytes;

    private Output(@Nullable ByteBuffer buffer) {
        this.buffer = buffer;
    }

    /** A whole frame, its length in front, ready to be read. */
    static ByteBuffer frame(Consumer<Output> fields) {
        int bodyBytes = count(fields);
        ByteBuffer frame = ByteBuffer.allocate(LENGTH_BYTES + bodyBytes).putInt(bodyBytes);
        fields.accept(new Output(frame));
        return frame.flip();
    }

    /** The fields alone. */
    static Blob blob(Consumer<Output> fields) {
        ByteBuffer bytes = ByteBuffer.allocate(count(fields));
        fields.accept(new Output(bytes));
        return Blob.wrap(bytes.array());
    }

    private static int count(Consumer<Output> fields) {
        Output counter = new Output(null);
        fields.accept(counter);
        return counter.sizeBytes;
    }

    Output u8(int value) {
        if (buffer == null) {
            sizeBytes += Byte.BYTES;
        } else {
            buffer.put((byte) value);
        }
        return this;
    }

    Output u16(int value) {
        if (buffer == null) {
            sizeBytes += Short.BYTES;
        } else {
            buffer.putShort((short) value);
        }
        return this;
    }

    Output u32(int value) {
        if (buffer == null) {
            sizeBytes += Integer.BYTES;
        } else {
            buffer.putInt(value);
        }
        return this;
    }

    Output u64(long value) {
        if (buffer == null) {
            sizeBytes += Long.BYTES;
        } else {
            buffer.putLong(value);
        }
        return this;
    }

    /** With a length of 16 bits. */
    Output key(Blob key) {
        return u16(key.sizeBytes()).bytes(key.unsafeArray());
    }

    /** With a length of 32 bits. */
    Output value(Blob value) {
        return u32(value.sizeBytes()).bytes(value.unsafeArray());
    }

    /**
     * With a length of 8 bits.
     *
     * @throws IllegalArgumentException above {@link Limits#ID_BYTES_MAX}
     */
    Output id(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > Limits.ID_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "an id has at most "
                            + Limits.ID_BYTES_MAX
                            + " bytes, this one has "
                            + bytes.length);
        }
        return u8(bytes.length).bytes(bytes);
    }

    /** With a length of 16 bits; cut where it is too long, between characters, never inside one. */
    Output message(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > Limits.MESSAGE_BYTES_MAX) {
            int end = Limits.MESSAGE_BYTES_MAX;
            while ((bytes[end] & 0xC0) == 0x80) {
                end--;
            }
            bytes = Arrays.copyOf(bytes, end);
        }
        return u16(bytes.length).bytes(bytes);
    }

    private Output bytes(byte[] bytes) {
        if (buffer == null) {
            sizeBytes += bytes.length;
        } else {
            buffer.put(bytes);
        }
        return this;
    }
}
