package raft.kv;

import org.jspecify.annotations.Nullable;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.ProtocolException;
import raft.client.Refusal;
import raft.client.Request;
import raft.client.Result;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/**
 * The replicated state machine (§2): keys with values.
 *
 * <p>Guarantees: the state, the answers and {@link #stateHash} depend on the sequence of applied
 * commands alone; no bytes whatsoever make {@link #apply} throw, since an entry that is committed
 * must be got past by every node in the same way. Not thread-safe: owned by the thread that
 * applies.
 */
public final class KeyValueStore {
    private static final Result DONE = new Result.Done();
    private static final Result ABSENT = new Result.Absent();
    private static final Result COMPARE_FAILED = new Result.CompareFailed();

    /** The hash is kept beside the value so that replacing one need not read the old one again. */
    private record Item(Blob value, long hash) {}

    private final Map<Blob, Item> items = new HashMap<>();
    private long lastIndex;
    private long stateHash;

    /**
     * Carries out one committed command.
     *
     * @param index of its entry; greater than that of the one before (entries that are no commands
     *     leave gaps)
     * @param command as {@link ClientCodec#encodeCommand} writes it
     * @throws IllegalStateException when an entry is applied again or out of order
     */
    public Applied apply(long index, Blob command) {
        if (index <= lastIndex) {
            throw new IllegalStateException("entry " + index + " applied after entry " + lastIndex);
        }
        lastIndex = index;
        Request request;
        try {
            request = ClientCodec.decodeCommand(command);
        } catch (ProtocolException e) {
            return new Applied.Rejected(e.reason(), String.valueOf(e.getMessage()));
        }
        return switch (request) {
            case Request.Get _, Request.Put _, Request.Cas _, Request.Delete _ ->
                    new Applied.Answered(carryOut(request));
            default ->
                    new Applied.Rejected(
                            Refusal.UNSUPPORTED, "This server does not have that operation yet.");
        };
    }

    /** The answer to a read, from the state as it stands. Changes nothing. */
    public Applied read(Request.Read read) {
        return read instanceof Request.Get get
                ? new Applied.Answered(get(get))
                : new Applied.Rejected(
                        Refusal.UNSUPPORTED, "This server does not have that operation yet.");
    }

    private Result get(Request.Get get) {
        Item item = items.get(get.key());
        return item == null ? ABSENT : new Result.Found(item.value());
    }

    /**
     * A fingerprint of keys and values: equal states have equal hashes, whatever path led to them,
     * so nodes that applied the same index can be compared. 0 when empty. Not cryptographic.
     */
    public long stateHash() {
        return stateHash;
    }

    /** Number of keys. */
    public int keyCount() {
        return items.size();
    }

    private Result carryOut(Request request) {
        return switch (request) {
            case Request.Get get -> get(get);
            case Request.Put(Blob key, Blob value) -> {
                put(key, value);
                yield DONE;
            }
            case Request.Cas cas -> {
                if (!matches(items.get(cas.key()), cas.expected())) {
                    yield COMPARE_FAILED;
                }
                put(cas.key(), cas.value());
                yield DONE;
            }
            case Request.Delete(Blob key) -> {
                Item removed = items.remove(key);
                if (removed == null) {
                    yield ABSENT;
                }
                stateHash -= removed.hash();
                yield DONE;
            }
            default -> throw new IllegalStateException("not carried out here: " + request);
        };
    }

    private static boolean matches(@Nullable Item present, @Nullable Blob expected) {
        return present == null ? expected == null : present.value().equals(expected);
    }

    private void put(Blob key, Blob value) {
        Item item = new Item(value, hash(key, value));
        Item replaced = items.put(key, item);
        // A sum over the items does not depend on their order, which a hash map does not keep.
        stateHash += item.hash() - (replaced == null ? 0 : replaced.hash());
    }

    private static long hash(Blob key, Blob value) {
        return mixAll(mixAll(0x9E3779B97F4A7C15L, key), value);
    }

    /** Eight bytes at a time; the length goes in first, so that ("ab", "c") is not ("a", "bc"). */
    private static long mixAll(long seed, Blob blob) {
        ByteBuffer in = ByteBuffer.wrap(blob.unsafeArray()).order(ByteOrder.LITTLE_ENDIAN);
        long hash = mix(seed ^ blob.sizeBytes());
        while (in.remaining() >= Long.BYTES) {
            hash = mix(hash ^ in.getLong());
        }
        long tail = 0;
        while (in.hasRemaining()) {
            tail = tail << 8 | Byte.toUnsignedLong(in.get());
        }
        return mix(hash ^ tail);
    }

    /** The finaliser of MurmurHash3: every input bit reaches every output bit. */
    private static long mix(long x) {
        long h = (x ^ x >>> 33) * 0xFF51AFD7ED558CCDL;
        h = (h ^ h >>> 33) * 0xC4CEB9FE1A85EC53L;
        return h ^ h >>> 33;
    }
}
