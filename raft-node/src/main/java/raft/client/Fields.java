package raft.client;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes fields out of a frame. Whatever the bytes, it returns a value within {@link Limits} or
 * throws {@link ProtocolException}, and allocates no more than a small multiple of the frame.
 */
final class Fields {
    private final ByteBuffer in;
    private final long requestId;

    /**
     * @param requestId of which exceptions speak, 0 for the connection
     */
    Fields(ByteBuffer in, long requestId) {
        this.in = in;
        this.requestId = requestId;
    }

    int u8(String what) throws ProtocolException {
        need(Byte.BYTES, what);
        return Byte.toUnsignedInt(in.get());
    }

    int u16(String what) throws ProtocolException {
        need(Short.BYTES, what);
        return Short.toUnsignedInt(in.getShort());
    }

    /** As a signed int: the caller refuses what is negative. */
    int u32(String what) throws ProtocolException {
        need(Integer.BYTES, what);
        return in.getInt();
    }

    long u64(String what) throws ProtocolException {
        need(Long.BYTES, what);
        return in.getLong();
    }

    boolean bool(String what) throws ProtocolException {
        int value = u8(what);
        if (value > 1) {
            throw invalid(capital(what) + " is 0 or 1, not " + value + ".");
        }
        return value == 1;
    }

    /** Of 1 byte and more. */
    Blob key() throws ProtocolException {
        Blob key = prefix("the key");
        if (key.sizeBytes() == 0) {
            throw invalid("A key has at least one byte.");
        }
        return key;
    }

    /** A key that may be empty. */
    Blob prefix(String what) throws ProtocolException {
        int sizeBytes = u16(what + "'s length");
        if (sizeBytes > Limits.KEY_BYTES_MAX) {
            throw new ProtocolException(
                    requestId,
                    Refusal.TOO_LARGE,
                    "A key has at most "
                            + Limits.KEY_BYTES_MAX
                            + " bytes, this one has "
                            + sizeBytes
                            + ".");
        }
        return take(sizeBytes, what);
    }

    Blob value() throws ProtocolException {
        int sizeBytes = u32("the value's length");
        if (sizeBytes < 0 || sizeBytes > Limits.VALUE_BYTES_MAX) {
            throw new ProtocolException(
                    requestId,
                    Refusal.TOO_LARGE,
                    "A value has at most "
                            + Limits.VALUE_BYTES_MAX
                            + " bytes, this one has "
                            + Integer.toUnsignedString(sizeBytes)
                            + ".");
        }
        return take(sizeBytes, "the value");
    }

    List<Blob> values() throws ProtocolException {
        int count = count("elements", Integer.BYTES);
        List<Blob> values = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            values.add(value());
        }
        return values;
    }

    List<Blob> keys() throws ProtocolException {
        int count = count("keys", Short.BYTES);
        List<Blob> keys = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            keys.add(key());
        }
        return keys;
    }

    /**
     * How many things follow; no more than the frame has room for.
     *
     * @param bytesMin that one of them needs
     */
    int count(String what, int bytesMin) throws ProtocolException {
        int count = u32("the number of " + what);
        if (count < 0 || count > in.remaining() / bytesMin) {
            throw invalid(
                    "The frame has no room for "
                            + Integer.toUnsignedString(count)
                            + " "
                            + what
                            + ".");
        }
        return count;
    }

    String id() throws ProtocolException {
        return take(u8("an id's length"), "an id").text();
    }

    String message() throws ProtocolException {
        return take(u16("a message's length"), "a message").text();
    }

    /** Refuses bytes behind the last field. */
    void end(String what) throws ProtocolException {
        if (in.hasRemaining()) {
            throw invalid(in.remaining() + " bytes are left over after the " + what + ".");
        }
    }

    ProtocolException invalid(String sentence) {
        return new ProtocolException(requestId, Refusal.INVALID, sentence);
    }

    ProtocolException unsupported(String sentence) {
        return new ProtocolException(requestId, Refusal.UNSUPPORTED, sentence);
    }

    private Blob take(int sizeBytes, String what) throws ProtocolException {
        // Checked before the array exists: a length that lies costs nothing.
        need(sizeBytes, what);
        byte[] bytes = new byte[sizeBytes];
        in.get(bytes);
        return Blob.wrap(bytes);
    }

    private void need(int sizeBytes, String what) throws ProtocolException {
        if (in.remaining() < sizeBytes) {
            throw invalid(
                    "The frame ends inside "
                            + what
                            + ": "
                            + sizeBytes
                            + " bytes needed, "
                            + in.remaining()
                            + " left.");
        }
    }

    private static String capital(String what) {
        return Character.toUpperCase(what.charAt(0)) + what.substring(1);
    }
}
