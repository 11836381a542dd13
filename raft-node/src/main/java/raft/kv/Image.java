package raft.kv;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.ProtocolException;
import raft.client.Refusal;
import raft.client.Result;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
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

    static Image read(InputStream bytes, long sizeBytes)
            throws IOException, UnreadableSnapshotException {
        Reader in = new Reader(bytes, sizeBytes);
        int format = in.u16();
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
    private static final class Reader {
        private final DataInputStream in;
        private final long sizeBytes;
        private long leftBytes;

        Reader(InputStream in, long sizeBytes) {
            this.in = new DataInputStream(in);
            this.sizeBytes = sizeBytes;
            this.leftBytes = sizeBytes;
        }

        private long position() {
            return sizeBytes - leftBytes;
        }

        /** To be read next. */
        private DataInputStream need(int wantedBytes) throws UnreadableSnapshotException {
            if (wantedBytes < 0 || leftBytes < wantedBytes) {
                throw new UnreadableSnapshotException(
                        "the snapshot is cut short at byte " + position());
            }
            leftBytes -= wantedBytes;
            return in;
        }

        long u64() throws IOException, UnreadableSnapshotException {
            return need(Long.BYTES).readLong();
        }

        int u16() throws IOException, UnreadableSnapshotException {
            return need(Short.BYTES).readUnsignedShort();
        }

        int u8() throws IOException, UnreadableSnapshotException {
            return need(1).readUnsignedByte();
        }

        int count(int bytesMin) throws IOException, UnreadableSnapshotException {
            int count = need(Integer.BYTES).readInt();
            if (count < 0 || count > leftBytes / bytesMin) {
                throw new UnreadableSnapshotException(
                        "the snapshot has no room for "
                                + Integer.toUnsignedString(count)
                                + " things at byte "
                                + position());
            }
            return count;
        }

        Blob blob(int wantedBytes) throws IOException, UnreadableSnapshotException {
            need(wantedBytes);
            byte[] bytes = new byte[wantedBytes];
            in.readFully(bytes);
            return Blob.wrap(bytes);
        }

        Blob blob() throws IOException, UnreadableSnapshotException {
            return blob(need(Integer.BYTES).readInt());
        }

        Held held() throws IOException, UnreadableSnapshotException {
            int kind = u8();
            Blob key = blob(u16());
            return new Held(key, item(kind));
        }

        private Item item(int code) throws IOException, UnreadableSnapshotException {
            for (Item.Kind kind : Item.Kind.values()) {
                if (kind.code == code) {
                    return item(kind);
                }
            }
            throw new UnreadableSnapshotException(
                    "the snapshot has a thing of kind " + code + " at byte " + position());
        }

        private Item item(Item.Kind kind) throws IOException, UnreadableSnapshotException {
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

        Sessions.Session session() throws IOException, UnreadableSnapshotException {
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

        private Applied answer() throws IOException, UnreadableSnapshotException {
            if (u8() == 1) {
                Refusal reason = Refusal.ofCode(u8());
                return new Applied.Rejected(reason, blob().text());
            }
            Blob result = blob();
            try {
                return new Applied.Answered(ClientCodec.decodeResult(result));
            } catch (ProtocolException e) {
                throw new UnreadableSnapshotException(
                        "the snapshot has an answer that is none at byte " + position());
            }
        }

        void end() throws UnreadableSnapshotException {
            if (leftBytes > 0) {
                throw new UnreadableSnapshotException(
                        leftBytes + " bytes are left over after the snapshot");
            }
        }
    }
}
