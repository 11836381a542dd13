package raft.client;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * An immutable run of bytes with value equality and unsigned lexicographic order: a key, a value, a
 * command.
 *
 * <p>{@link #wrap} does not copy: the caller hands the array over and must not write to it again.
 */
public final class Blob implements Comparable<Blob> {
    public static final Blob EMPTY = new Blob(new byte[0]);

    private final byte[] array;

    private Blob(byte[] array) {
        this.array = array;
    }

    /** Takes ownership of {@code array}. */
    public static Blob wrap(byte[] array) {
        return array.length == 0 ? EMPTY : new Blob(array);
    }

    /** The UTF-8 bytes of {@code text}. */
    public static Blob ofText(String text) {
        return wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The content itself, not a copy; must not be written to. */
    public byte[] unsafeArray() {
        return array;
    }

    /** The content read as UTF-8; malformed bytes become U+FFFD. */
    public String text() {
        return new String(array, StandardCharsets.UTF_8);
    }

    /** Number of bytes, ≥ 0. */
    public int sizeBytes() {
        return array.length;
    }

    /** Whether the first bytes are those of {@code prefix}; the empty one begins everything. */
    public boolean startsWith(Blob prefix) {
        int length = prefix.array.length;
        return length <= array.length && Arrays.equals(array, 0, length, prefix.array, 0, length);
    }

    @Override
    public int compareTo(Blob other) {
        return Arrays.compareUnsigned(array, other.array);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Blob blob && Arrays.equals(array, blob.array);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(array);
    }

    /** Hexadecimal, shortened; bytes of clients do not belong in logs as text. */
    @Override
    public String toString() {
        return array.length <= 16
                ? HexFormat.of().formatHex(array)
                : HexFormat.of().formatHex(array, 0, 16) + "…(" + array.length + " bytes)";
    }
}
