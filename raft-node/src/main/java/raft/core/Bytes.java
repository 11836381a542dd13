package raft.core;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * An immutable run of bytes with value equality, so that records that carry payloads compare by
 * content.
 *
 * <p>{@link #wrap} does not copy: the caller hands the array over and must not write to it again.
 */
public final class Bytes {
    public static final Bytes EMPTY = new Bytes(new byte[0]);

    private final byte[] array;

    private Bytes(byte[] array) {
        this.array = array;
    }

    /** Takes ownership of {@code array}. */
    public static Bytes wrap(byte[] array) {
        return array.length == 0 ? EMPTY : new Bytes(array);
    }

    /** The content itself, not a copy; must not be written to. */
    public byte[] unsafeArray() {
        return array;
    }

    /** Number of bytes, ≥ 0. */
    public int sizeBytes() {
        return array.length;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes bytes && Arrays.equals(array, bytes.array);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(array);
    }

    @Override
    public String toString() {
        return array.length <= 16
                ? HexFormat.of().formatHex(array)
                : HexFormat.of().formatHex(array, 0, 16) + "…(" + array.length + " bytes)";
    }
}
