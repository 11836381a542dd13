package raft.kv;

import org.jspecify.annotations.Nullable;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.Limits;
import raft.client.ProtocolException;
import raft.client.Refusal;
import raft.client.Request;
import raft.client.Result;
import raft.kv.Item.Kind;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The replicated state machine (§2): keys with what they hold, and the sessions of clients (thesis
 * §6.3).
 *
 * <p>Guarantees: the state, the answers and {@link #stateHash} depend on the sequence of applied
 * commands alone; no bytes whatsoever make {@link #apply} throw, since an entry that is committed
 * must be got past by every node in the same way; in a session a write is carried out at most once.
 * Not thread-safe: owned by the thread that applies.
 */
public final class KeyValueStore {
    private static final Result DONE = new Result.Done();
    private static final Result ABSENT = new Result.Absent();
    private static final Result COMPARE_FAILED = new Result.CompareFailed();

    /** Sorted, for listings and so that equal states give equal snapshots. */
    private TreeMap<Blob, Item> items = new TreeMap<>();

    private Sessions sessions = new Sessions();
    private long lastIndex;
    private long itemsHash;
    private long duplicateCount;

    /** A write that the state does not allow; nothing was changed. */
    private static final class Rejection extends Exception {
        private static final long serialVersionUID = 1;
        final Refusal reason;

        Rejection(Refusal reason, String message) {
            super(message, null, false, false);
            this.reason = reason;
        }
    }

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
            case Request.Read read -> read(read);
            case Request.Write write -> carryOut(index, write);
            case Request.InSession inSession -> once(index, inSession);
            case Request.Session.Register() ->
                    new Applied.Answered(new Result.Number(sessions.register(index)));
            case Request.Session.KeepAlive(long id) ->
                    sessions.use(id, index) ? new Applied.Answered(DONE) : Sessions.expired(id);
            case Request.Session.Close(long id) ->
                    sessions.close(id) ? new Applied.Answered(DONE) : Sessions.expired(id);
            case Request.Admin _ ->
                    new Applied.Rejected(
                            Refusal.UNSUPPORTED, "Administration is no command of the store.");
        };
    }

    /** The answer to a read, from the state as it stands. Changes nothing. */
    public Applied read(Request.Read read) {
        try {
            return new Applied.Answered(
                    switch (read) {
                        case Request.Get get -> get(items.get(get.key()));
                        case Request.GetVersioned get -> versioned(get.key());
                        case Request.ListKeys list -> list(list);
                    });
        } catch (Rejection e) {
            return new Applied.Rejected(e.reason, String.valueOf(e.getMessage()));
        }
    }

    /**
     * A fingerprint of keys, what they hold, and sessions: equal states have equal hashes, whatever
     * path led to them, so nodes that applied the same index can be compared. 0 when empty. Not
     * cryptographic.
     */
    public long stateHash() {
        return itemsHash + sessions.hash();
    }

    /** Number of keys. */
    public int keyCount() {
        return items.size();
    }

    /** Number of clients' sessions. */
    public int sessionCount() {
        return sessions.count();
    }

    /** Repetitions answered from sessions since this object was made; no part of the state. */
    public long duplicateCount() {
        return duplicateCount;
    }

    // ---- snapshots

    /**
     * The state as it stands. Costs a reference for each key and each element; {@link Image#bytes}
     * does the rest, on any thread.
     */
    public Image image() {
        List<Image.Held> held = new ArrayList<>(items.size());
        items.forEach((key, item) -> held.add(new Image.Held(key, item.copy())));
        List<Sessions.Session> copies = new ArrayList<>(sessions.count());
        sessions.all().forEach(session -> copies.add(session.copy()));
        return new Image(lastIndex, stateHash(), held, copies);
    }

    /** The state as bytes: equal states give equal bytes. */
    public Blob snapshot() {
        return image().bytes();
    }

    /**
     * Replaces the whole state by that of a snapshot, which is read piece by piece.
     *
     * @param snapshot what {@link Image#writeTo} gave, on whichever node
     * @throws IOException when it cannot be read to its end; nothing was changed then
     * @throws UnreadableSnapshotException when it is none of this version; nothing was changed then
     */
    public void restore(InputStream snapshot, long sizeBytes)
            throws IOException, UnreadableSnapshotException {
        Image image = Image.read(snapshot, sizeBytes);
        TreeMap<Blob, Item> newItems = new TreeMap<>();
        long newHash = 0;
        for (Image.Held held : image.items()) {
            newItems.put(held.key(), held.item());
            newHash += hash(held.key(), held.item());
        }
        Sessions newSessions = new Sessions();
        image.sessions().forEach(newSessions::restore);
        if (newHash + newSessions.hash() != image.stateHash()) {
            throw new UnreadableSnapshotException(
                    "the snapshot's content does not have the hash that it names");
        }
        items = newItems;
        sessions = newSessions;
        itemsHash = newHash;
        lastIndex = image.lastIndex();
    }

    /**
     * Replaces the whole state by that of another store, which nobody may use any more: so one can
     * be restored by another thread, and taken over in no time.
     */
    public void takeOver(KeyValueStore restored) {
        items = restored.items;
        sessions = restored.sessions;
        itemsHash = restored.itemsHash;
        lastIndex = restored.lastIndex;
    }

    // ---- reads

    private static Result get(@Nullable Item item) {
        return switch (item) {
            case null -> ABSENT;
            case Item.Plain plain -> new Result.Found(plain.value());
            case Item.Counter counter -> new Result.Number(counter.total());
            case Item.Lock lock -> new Result.Held(lock.token(), lock.owner());
            case Item.Sequence sequence -> new Result.Elements(sequence.elements());
            case Item.Members members -> new Result.Elements(members.elements());
        };
    }

    private Result versioned(Blob key) throws Rejection {
        Item.Plain plain = plain(key);
        return plain == null ? ABSENT : new Result.Versioned(plain.version(), plain.value());
    }

    private Result list(Request.ListKeys list) {
        boolean inside = list.startAfter().compareTo(list.prefix()) >= 0;
        NavigableMap<Blob, Item> rest =
                inside
                        ? items.tailMap(list.startAfter(), list.startAfter().sizeBytes() == 0)
                        : items.tailMap(list.prefix(), true);
        List<Blob> keys = new ArrayList<>();
        for (Blob key : rest.keySet()) {
            if (!key.startsWith(list.prefix())) {
                break;
            }
            if (keys.size() == list.limit()) {
                return new Result.Keys(keys, true);
            }
            keys.add(key);
        }
        return new Result.Keys(keys, false);
    }

    // ---- writes

    private Applied once(long index, Request.InSession request) {
        boolean[] carriedOut = {false};
        Applied answer =
                sessions.once(
                        index,
                        request,
                        () -> {
                            carriedOut[0] = true;
                            return carryOut(index, request.write());
                        });
        if (!carriedOut[0] && answer instanceof Applied.Answered) {
            duplicateCount++;
        }
        return answer;
    }

    private Applied carryOut(long index, Request.Write write) {
        try {
            return new Applied.Answered(change(index, write));
        } catch (Rejection e) {
            return new Applied.Rejected(e.reason, String.valueOf(e.getMessage()));
        }
    }

    private Result change(long index, Request.Write write) throws Rejection {
        Blob key = write.key();
        return switch (write) {
            case Request.Put put -> {
                Item.Plain present = plain(key);
                set(key, Item.Plain.of(put.value(), present == null ? 1 : present.version() + 1));
                yield DONE;
            }
            case Request.Cas cas -> {
                Item.Plain present = plain(key);
                Blob expected = cas.expected();
                boolean same =
                        present == null ? expected == null : present.value().equals(expected);
                if (!same) {
                    yield COMPARE_FAILED;
                }
                set(key, Item.Plain.of(cas.value(), present == null ? 1 : present.version() + 1));
                yield DONE;
            }
            case Request.PutIfVersion put -> {
                Item.Plain present = plain(key);
                long version = present == null ? 0 : present.version();
                if (put.version() != version && put.version() != Request.PutIfVersion.ANY_VERSION) {
                    yield COMPARE_FAILED;
                }
                set(key, Item.Plain.of(put.value(), version + 1));
                yield new Result.Number(version + 1);
            }
            case Request.Delete _ -> delete(key);
            case Request.Append append -> add(key, Kind.LIST, append.element());
            case Request.Enqueue enqueue -> add(key, Kind.QUEUE, enqueue.element());
            case Request.Increment increment -> increment(key, increment.delta());
            case Request.AddToSet add -> addToSet(key, add.element());
            case Request.Dequeue _ -> dequeue(key);
            case Request.Acquire acquire -> acquire(key, acquire.owner(), index);
            case Request.Release release -> release(key, release);
        };
    }

    private Result delete(Blob key) {
        Item removed = items.remove(key);
        if (removed == null) {
            return ABSENT;
        }
        itemsHash -= hash(key, removed);
        return DONE;
    }

    private Result add(Blob key, Kind kind, Blob element) throws Rejection {
        Item.Sequence present = sequence(key, kind);
        Item.Sequence sequence = present == null ? new Item.Sequence(kind) : present;
        if (!sequence.hasRoomFor(element)) {
            throw full(kind);
        }
        beforeChange(key, present);
        sequence.add(element);
        afterChange(key, sequence);
        return new Result.Number(sequence.count());
    }

    private Result addToSet(Blob key, Blob element) throws Rejection {
        Item.Members present =
                switch (items.get(key)) {
                    case null -> null;
                    case Item.Members members -> members;
                    case Item other -> throw clash(other, Kind.SET);
                };
        Item.Members members = present == null ? new Item.Members() : present;
        if (!members.hasRoomFor(element)) {
            throw full(Kind.SET);
        }
        beforeChange(key, present);
        members.add(element);
        afterChange(key, members);
        return new Result.Number(members.count());
    }

    private Result dequeue(Blob key) throws Rejection {
        Item.Sequence queue = sequence(key, Kind.QUEUE);
        if (queue == null || queue.count() == 0) {
            return ABSENT;
        }
        beforeChange(key, queue);
        Blob taken = queue.take();
        afterChange(key, queue);
        return new Result.Found(taken);
    }

    private Result increment(Blob key, long delta) throws Rejection {
        long total =
                switch (items.get(key)) {
                    case null -> 0;
                    case Item.Counter counter -> counter.total();
                    case Item other -> throw clash(other, Kind.COUNTER);
                };
        long after = total + delta;
        if (((total ^ after) & (delta ^ after)) < 0) {
            throw new Rejection(Refusal.TOO_LARGE, "The counter would leave the range of 64 bits.");
        }
        set(key, new Item.Counter(after));
        return new Result.Number(after);
    }

    /**
     * The token is the entry's index: greater than all before it, for every lock, whatever was
     * released, deleted or restored in between.
     */
    private Result acquire(Blob key, Blob owner, long index) throws Rejection {
        Item.Lock held = lock(key);
        if (held != null) {
            return held.owner().equals(owner) ? new Result.Number(held.token()) : COMPARE_FAILED;
        }
        set(key, new Item.Lock(owner, index));
        return new Result.Number(index);
    }

    private Result release(Blob key, Request.Release release) throws Rejection {
        Item.Lock held = lock(key);
        boolean holds =
                held != null
                        && held.owner().equals(release.owner())
                        && (release.token() == 0 || release.token() == held.token());
        return holds ? delete(key) : COMPARE_FAILED;
    }

    // ---- what a key holds

    private Item.@Nullable Plain plain(Blob key) throws Rejection {
        return switch (items.get(key)) {
            case null -> null;
            case Item.Plain plain -> plain;
            case Item other -> throw clash(other, Kind.PLAIN);
        };
    }

    private Item.@Nullable Sequence sequence(Blob key, Kind kind) throws Rejection {
        return switch (items.get(key)) {
            case null -> null;
            case Item.Sequence sequence when sequence.kind() == kind -> sequence;
            case Item other -> throw clash(other, kind);
        };
    }

    private Item.@Nullable Lock lock(Blob key) throws Rejection {
        return switch (items.get(key)) {
            case null -> null;
            case Item.Lock lock -> lock;
            case Item other -> throw clash(other, Kind.LOCK);
        };
    }

    private static Rejection clash(Item present, Kind wanted) {
        return new Rejection(
                Refusal.WRONG_TYPE,
                "The key holds " + present.kind().words + ", not " + wanted.words + ".");
    }

    private static Rejection full(Kind kind) {
        return new Rejection(
                Refusal.TOO_LARGE,
                "The key holds "
                        + kind.words
                        + ", which would have more than "
                        + Limits.COLLECTION_BYTES_MAX
                        + " bytes.");
    }

    private void set(Blob key, Item item) {
        Item replaced = items.put(key, item);
        // A sum over the items does not depend on the order in which they came.
        itemsHash += hash(key, item) - (replaced == null ? 0 : hash(key, replaced));
    }

    private void beforeChange(Blob key, @Nullable Item present) {
        itemsHash -= present == null ? 0 : hash(key, present);
    }

    private void afterChange(Blob key, Item changed) {
        items.put(key, changed);
        itemsHash += hash(key, changed);
    }

    private static long hash(Blob key, Item item) {
        return Hash.mix(Hash.mix(item.kind().code, key), item.contentHash());
    }
}
