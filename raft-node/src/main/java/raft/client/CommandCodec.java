package raft.client;

import org.jspecify.annotations.Nullable;

/**
 * Requests as bytes: operation, flags, session, fields. Codes are in clients and in logs: never
 * reuse one.
 */
final class CommandCodec {
    private static final int GET = 1;
    private static final int PUT = 2;
    private static final int CAS = 3;
    private static final int DELETE = 4;
    private static final int APPEND = 5;
    private static final int INCREMENT = 6;
    private static final int ADD_TO_SET = 7;
    private static final int ENQUEUE = 8;
    private static final int DEQUEUE = 9;
    private static final int ACQUIRE = 10;
    private static final int RELEASE = 11;
    private static final int PUT_IF_VERSION = 12;
    private static final int GET_VERSIONED = 13;
    private static final int LIST_KEYS = 32;
    private static final int REGISTER_SESSION = 48;
    private static final int KEEP_SESSION_ALIVE = 49;
    private static final int CLOSE_SESSION = 50;
    private static final int ADD_LEARNER = 64;
    private static final int PROMOTE = 65;
    private static final int REMOVE = 66;
    private static final int TRANSFER_LEADERSHIP = 67;
    private static final int TAKE_SNAPSHOT = 68;
    private static final int START_ELECTION = 69;
    private static final int READ_CONFIGURATION = 70;

    private static final int CONSISTENCY_MASK = 0b0000_0011;
    private static final int IN_SESSION = 0b0001_0000;

    private CommandCodec() {}

    static void write(Output out, Request request) {
        switch (request) {
            case Request.InSession(long session, long sequence, long lowestOpen, var write) -> {
                out.u8(code(write)).u8(IN_SESSION).u64(session).u64(sequence).u64(lowestOpen);
                writeFields(out, write);
            }
            case Request.Read read -> {
                out.u8(code(read)).u8(read.consistency().code());
                writeFields(out, read);
            }
            case Request.Write _, Request.Session _, Request.Admin _ -> {
                out.u8(code(request)).u8(0);
                writeFields(out, request);
            }
        }
    }

    /**
     * @throws ProtocolException whose message depends on the bytes alone
     */
    static Request read(Fields in) throws ProtocolException {
        int code = in.u8("operation code");
        if (!isKnown(code)) {
            throw in.unsupported("This server has no operation " + code + ".");
        }
        int flags = in.u8("flags");
        Request request =
                switch (flags) {
                    case 0 -> readFields(in, code, Consistency.LINEARIZABLE);
                    case 1 -> readFields(in, readOnly(in, code, flags), Consistency.LEASE);
                    case 2 -> readFields(in, readOnly(in, code, flags), Consistency.STALE);
                    case IN_SESSION -> readInSession(in, code);
                    default -> throw unknownFlags(in, flags);
                };
        in.end("operation");
        return request;
    }

    private static Request readInSession(Fields in, int code) throws ProtocolException {
        if (code < PUT || code > PUT_IF_VERSION) {
            throw in.invalid("Operation " + code + " has no place in a session.");
        }
        long session = in.u64("the session");
        long sequence = in.u64("the sequence number");
        long lowestOpen = in.u64("the lowest open sequence number");
        if (session == 0) {
            throw in.invalid("No session has id 0.");
        }
        if (lowestOpen < 1 || sequence < lowestOpen) {
            throw in.invalid(
                    "Sequence numbers begin at 1 and none is below the lowest open one, not "
                            + sequence
                            + " with "
                            + lowestOpen
                            + ".");
        }
        Request write = readFields(in, code, Consistency.LINEARIZABLE);
        return new Request.InSession(session, sequence, lowestOpen, (Request.Write) write);
    }

    private static int readOnly(Fields in, int code, int flags) throws ProtocolException {
        if (code != GET && code != GET_VERSIONED && code != LIST_KEYS) {
            throw unknownFlags(in, flags);
        }
        return code;
    }

    private static ProtocolException unknownFlags(Fields in, int flags) {
        return (flags & CONSISTENCY_MASK) == flags
                ? in.unsupported("This server does not know the flags " + flags + " there.")
                : in.unsupported("This server does not know the flags " + flags + ".");
    }

    private static boolean isKnown(int code) {
        return (code >= GET && code <= GET_VERSIONED)
                || code == LIST_KEYS
                || (code >= REGISTER_SESSION && code <= CLOSE_SESSION)
                || (code >= ADD_LEARNER && code <= READ_CONFIGURATION);
    }

    private static int code(Request request) {
        return switch (request) {
            case Request.Get _ -> GET;
            case Request.Put _ -> PUT;
            case Request.Cas _ -> CAS;
            case Request.Delete _ -> DELETE;
            case Request.Append _ -> APPEND;
            case Request.Increment _ -> INCREMENT;
            case Request.AddToSet _ -> ADD_TO_SET;
            case Request.Enqueue _ -> ENQUEUE;
            case Request.Dequeue _ -> DEQUEUE;
            case Request.Acquire _ -> ACQUIRE;
            case Request.Release _ -> RELEASE;
            case Request.PutIfVersion _ -> PUT_IF_VERSION;
            case Request.GetVersioned _ -> GET_VERSIONED;
            case Request.ListKeys _ -> LIST_KEYS;
            case Request.InSession inSession -> code(inSession.write());
            case Request.Session.Register _ -> REGISTER_SESSION;
            case Request.Session.KeepAlive _ -> KEEP_SESSION_ALIVE;
            case Request.Session.Close _ -> CLOSE_SESSION;
            case Request.Admin.AddLearner _ -> ADD_LEARNER;
            case Request.Admin.Promote _ -> PROMOTE;
            case Request.Admin.Remove _ -> REMOVE;
            case Request.Admin.TransferLeadership _ -> TRANSFER_LEADERSHIP;
            case Request.Admin.TakeSnapshot _ -> TAKE_SNAPSHOT;
            case Request.Admin.StartElection _ -> START_ELECTION;
            case Request.Admin.ReadConfiguration _ -> READ_CONFIGURATION;
        };
    }

    private static void writeFields(Output out, Request request) {
        if (request instanceof Request.Keyed keyed) {
            out.key(keyed.key());
        }
        switch (request) {
            case Request.Get _,
                    Request.GetVersioned _,
                    Request.Delete _,
                    Request.Dequeue _,
                    Request.Session.Register _,
                    Request.Admin.TakeSnapshot _,
                    Request.Admin.StartElection _,
                    Request.Admin.ReadConfiguration _ -> {}
            case Request.Put put -> out.value(put.value());
            case Request.Cas cas -> {
                Blob expected = cas.expected();
                out.u8(expected == null ? 0 : 1);
                (expected == null ? out : out.value(expected)).value(cas.value());
            }
            case Request.Append append -> out.value(append.element());
            case Request.Increment increment -> out.u64(increment.delta());
            case Request.AddToSet add -> out.value(add.element());
            case Request.Enqueue enqueue -> out.value(enqueue.element());
            case Request.Acquire acquire -> out.value(acquire.owner());
            case Request.Release release -> out.value(release.owner()).u64(release.token());
            case Request.PutIfVersion put -> out.u64(put.version()).value(put.value());
            case Request.ListKeys list ->
                    out.key(list.prefix()).key(list.startAfter()).u32(list.limit());
            case Request.Session.KeepAlive(long session) -> out.u64(session);
            case Request.Session.Close(long session) -> out.u64(session);
            case Request.Admin.AddLearner(String id, String address) -> out.id(id).id(address);
            case Request.Admin.Promote(String id) -> out.id(id);
            case Request.Admin.Remove(String id) -> out.id(id);
            case Request.Admin.TransferLeadership(String to) -> out.id(to == null ? "" : to);
            case Request.InSession inSession -> writeFields(out, inSession.write());
        }
    }

    private static Request readFields(Fields in, int code, Consistency consistency)
            throws ProtocolException {
        try {
            return readKnown(in, code, consistency);
        } catch (IllegalArgumentException e) {
            // The records know their own bounds; a sentence ends as sentences do.
            throw in.invalid("That cannot be asked: " + e.getMessage() + ".");
        }
    }

    private static Request readKnown(Fields in, int code, Consistency consistency)
            throws ProtocolException {
        return switch (code) {
            case GET -> new Request.Get(in.key(), consistency);
            case PUT -> new Request.Put(in.key(), in.value());
            case CAS -> new Request.Cas(in.key(), optionalValue(in), in.value());
            case DELETE -> new Request.Delete(in.key());
            case APPEND -> new Request.Append(in.key(), in.value());
            case INCREMENT -> new Request.Increment(in.key(), in.u64("the delta"));
            case ADD_TO_SET -> new Request.AddToSet(in.key(), in.value());
            case ENQUEUE -> new Request.Enqueue(in.key(), in.value());
            case DEQUEUE -> new Request.Dequeue(in.key());
            case ACQUIRE -> new Request.Acquire(in.key(), in.value());
            case RELEASE -> new Request.Release(in.key(), in.value(), in.u64("the token"));
            case PUT_IF_VERSION ->
                    new Request.PutIfVersion(in.key(), in.u64("the version"), in.value());
            case GET_VERSIONED -> new Request.GetVersioned(in.key(), consistency);
            case LIST_KEYS ->
                    new Request.ListKeys(
                            in.prefix("the prefix"),
                            in.prefix("the key to start after"),
                            in.u32("the limit"),
                            consistency);
            case REGISTER_SESSION -> new Request.Session.Register();
            case KEEP_SESSION_ALIVE -> new Request.Session.KeepAlive(in.u64("the session"));
            case CLOSE_SESSION -> new Request.Session.Close(in.u64("the session"));
            case ADD_LEARNER -> new Request.Admin.AddLearner(in.id(), in.id());
            case PROMOTE -> new Request.Admin.Promote(in.id());
            case REMOVE -> new Request.Admin.Remove(in.id());
            case TRANSFER_LEADERSHIP -> new Request.Admin.TransferLeadership(optionalId(in));
            case TAKE_SNAPSHOT -> new Request.Admin.TakeSnapshot();
            case START_ELECTION -> new Request.Admin.StartElection();
            case READ_CONFIGURATION -> new Request.Admin.ReadConfiguration();
            default -> throw new IllegalStateException("operation " + code + " has no fields");
        };
    }

    private static @Nullable Blob optionalValue(Fields in) throws ProtocolException {
        return in.bool("whether a value is expected") ? in.value() : null;
    }

    private static @Nullable String optionalId(Fields in) throws ProtocolException {
        String id = in.id();
        return id.isEmpty() ? null : id;
    }
}
