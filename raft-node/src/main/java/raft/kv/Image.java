package raft.kv;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.ProtocolException;
import raft.client.Refusal;
import raft.client.Result;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The whole state at one index, which later changes do not reach: taken quickly by the thread that
 * owns the store, made into bytes by any other.
 *
 * <p>Layout, integers big-endian: u16 format, u64 last index, u64 state hash; u32 count and for
 * each key, in order: u8 kind, u16 length and key, fields by kind; u32 count and for each session,
 * the longest unused first: u64 id, u64 last use, u64 lowest open, u32 count and for each answer:
 * u64 sequence, u8 refused, reason and message or the result as on the wire. Equal states give
 * equal bytes. Protected by whoever keeps it: there is no checksum of the bytes here, only the
 * state's own hash, which must come out again.
 */
public final class Image {
    private static final int FORMAT = 1;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int SESSION_BYTES_MIN = 28;
    private static final int ANSWER_BYTES_MIN = 13;

    /**
     * A key and what it holds.
     *
     * @param item a copy of its own
     */
    record Held(Blob key, Item item) {}

    private final long lastIndex;
    private final long stateHash;
    private final List<Held> items;
    private final List<Sessions.Session> sessions;

    /**
     * @param sessions copies, the longest unused first
     */
    Image(long lastIndex, long stateHash, List<Held> items, List<Sessions.Session> sessions) {
        this.lastIndex = lastIndex;
        this.stateHash = stateHash;
        this.items = items;
        this.sessions = sessions;
    }

    /** The index of the last command in it, 0 where there was none. */
    public long lastIndex() {
        return lastIndex;
    }

    long stateHash() {
        return stateHash;
    }

    List<Held> items() {
        return items;
    }

    List<Sessions.Session> sessions() {
        return sessions;
    }

    /**
     * Gives the state away in pieces, the same whenever it is asked to, of which together {@link
     * KeyValueStore#restore} makes the state again.
     *
     * @param sink must be done with each piece when it returns
     */
    public void writeTo(Consumer<ByteBuffer> sink) {
        Writer out = new Writer(sink);
        out.u16(FORMAT).u64(lastIndex).u64(stateHash);
        out.u32(items.size());
        items.forEach(out::held);
        out.u32(sessions.size());
        sessions.forEach(out::session);
        out.flush();
    }

    /** All of it at once, which takes as much memory again. At most 2 GiB. */
    public Blob bytes() {
        long[] sizeBytes = {0};
        writeTo(piece -> sizeBytes[0] += piece.remaining());
        ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(sizeBytes[0]));
        writeTo(all::put);
        return Blob.wrap(all.array());
    }

    static Image read(Blob bytes) throws UnreadableSnapshotException {
        Reader in = new Reader(ByteBuffer.wrap(bytes.unsafeArray()));
        int format = Short.toUnsignedInt(in.need(Short.BYTES).getShort());
        if (format != FORMAT) {
            throw new UnreadableSnapshotException(
                    "the snapshot has format " + format + ", this software reads format " + FORMAT);
        }
        long lastIndex = in.u64();
        long stateHash = in.u64();
        List<Held> items = new ArrayList<>();
        for (int left = in.count(3); left > 0; left--) {
            items.add(in.held());
        }
        List<Sessions.Session> sessions = new ArrayList<>();
        for (int left = in.count(SESSION_BYTES_MIN); left > 0; left--) {
            sessions.add(in.session());
        }
        in.end();
        return new Image(lastIndex, stateHash, items, sessions);
    }

    /** Small things gather in a buffer; what is larger than that goes straight to the sink. */
    private static final class Writer {
        private final ByteBuffer out = ByteBuffer.allocate(BUFFER_BYTES);
        private final Consumer<ByteBuffer> sink;

        Writer(Consumer<ByteBuffer> sink) {
            this.sink = sink;
        }

        void flush() {
            if (out.position() > 0) {
                sink.accept(out.flip());
                out.clear();
            }
        }

        Writer u8(int value) {
            room(Byte.BYTES).put((byte) value);
            return this;
        }

        Writer u16(int value) {
            room(Short.BYTES).putShort((short) value);
            return this;
        }

        Writer u32(int value) {
            room(Integer.BYTES).putInt(value);
            return this;
        }

        Writer u64(long value) {
            room(Long.BYTES).putLong(value);
            return this;
        }

        Writer blob(Blob blob) {
            u32(blob.sizeBytes()).bytes(blob);
            return this;
        }

        void held(Held held) {
            u8(held.item.kind().code).u16(held.key.sizeBytes());
            bytes(held.key);
            switch (held.item) {
                case Item.Plain(Blob value, long version, _) -> u64(version).blob(value);
                case Item.Counter(long total) -> u64(total);
                case Item.Lock(Blob owner, long token) -> u64(token).blob(owner);
                case Item.Sequence sequence -> elements(sequence.elements());
                case Item.Members members -> elements(members.elements());
            }
        }

        private void elements(List<Blob> elements) {
            u32(elements.size());
            elements.forEach(this::blob);
        }

        void session(Sessions.Session session) {
            u64(session.id).u64(session.lastUsedIndex()).u64(session.lowestOpen());
            u32(session.answers().size());
            session.answers().forEach(this::answer);
        }

        private void answer(long sequence, Applied answer) {
            u64(sequence);
            switch (answer) {
                case Applied.Answered(Result result) ->
                        u8(0).blob(ClientCodec.encodeResult(result));
                case Applied.Rejected(Refusal reason, String message) ->
                        u8(1).u8(reason.code()).blob(Blob.ofText(message));
                case Applied.Forgotten() ->
                        throw new IllegalStateException("what is forgotten is not kept");
            }
        }

        private void bytes(Blob blob) {
            if (blob.sizeBytes() > BUFFER_BYTES) {
                flush();
                sink.accept(ByteBuffer.wrap(blob.unsafeArray()).asReadOnlyBuffer());
            } else {
                room(blob.sizeBytes()).put(blob.unsafeArray());
            }
        }

        private ByteBuffer room(int sizeBytes) {
            if (out.remaining() < sizeBytes) {
                flush();
            }
            return out;
        }
    }

    /** Refuses what is cut short, and allocates no more than there are bytes for. */
    private record Reader(ByteBuffer in) {
        ByteBuffer need(int sizeBytes) throws UnreadableSnapshotException {
            if (sizeBytes < 0 || in.remaining() < sizeBytes) {
                throw new UnreadableSnapshotException(
                        "the snapshot is cut short at byte " + in.position());
            }
            return in;
        }

        long u64() throws UnreadableSnapshotException {
            return need(Long.BYTES).getLong();
        }

        int u8() throws UnreadableSnapshotException {
            return Byte.toUnsignedInt(need(1).get());
        }

        int count(int bytesMin) throws UnreadableSnapshotException {
            int count = need(Integer.BYTES).getInt();
            if (count < 0 || count > in.remaining() / bytesMin) {
                throw new UnreadableSnapshotException(
                        "the snapshot has no room for "
                                + Integer.toUnsignedString(count)
                                + " things at byte "
                                + in.position());
            }
            return count;
        }

        Blob blob(int sizeBytes) throws UnreadableSnapshotException {
            need(sizeBytes);
            byte[] bytes = new byte[sizeBytes];
            in.get(bytes);
            return Blob.wrap(bytes);
        }

        Blob blob() throws UnreadableSnapshotException {
            return blob(need(Integer.BYTES).getInt());
        }

        Held held() throws UnreadableSnapshotException {
            int kind = u8();
            Blob key = blob(Short.toUnsignedInt(need(Short.BYTES).getShort()));
            return new Held(key, item(kind));
        }

        private Item item(int code) throws UnreadableSnapshotException {
            for (Item.Kind kind : Item.Kind.values()) {
                if (kind.code == code) {
                    return item(kind);
                }
            }
            throw new UnreadableSnapshotException(
                    "the snapshot has a thing of kind " + code + " at byte " + in.position());
        }

        private Item item(Item.Kind kind) throws UnreadableSnapshotException {
            return switch (kind) {
                case PLAIN -> {
                    long version = u64();
                    yield Item.Plain.of(blob(), version);
                }
                case COUNTER -> new Item.Counter(u64());
                case LOCK -> {
                    long token = u64();
                    yield new Item.Lock(blob(), token);
                }
                case LIST, QUEUE -> {
                    Item.Sequence sequence = new Item.Sequence(kind);
                    for (int left = count(Integer.BYTES); left > 0; left--) {
                        sequence.add(blob());
                    }
                    yield sequence;
                }
                case SET -> {
                    Item.Members members = new Item.Members();
                    for (int left = count(Integer.BYTES); left > 0; left--) {
                        members.add(blob());
                    }
                    yield members;
                }
            };
        }

        Sessions.Session session() throws UnreadableSnapshotException {
            long id = u64();
            Sessions.Session session = new Sessions.Session(id, u64());
            session.forgetBelow(u64());
            TreeMap<Long, Applied> answers = new TreeMap<>();
            for (int left = count(ANSWER_BYTES_MIN); left > 0; left--) {
                long sequence = u64();
                answers.put(sequence, answer());
            }
            answers.forEach(session::keep);
            return session;
        }

        private Applied answer() throws UnreadableSnapshotException {
            if (u8() == 1) {
                Refusal reason = Refusal.ofCode(u8());
                return new Applied.Rejected(reason, blob().text());
            }
            Blob result = blob();
            try {
                return new Applied.Answered(ClientCodec.decodeResult(result));
            } catch (ProtocolException e) {
                throw new UnreadableSnapshotException(
                        "the snapshot has an answer that is none at byte " + in.position());
            }
        }

        void end() throws UnreadableSnapshotException {
            if (in.hasRemaining()) {
                throw new UnreadableSnapshotException(
                        in.remaining() + " bytes are left over after the snapshot");
            }
        }
    }
}
