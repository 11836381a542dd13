package raft.client;

import org.jspecify.annotations.Nullable;

import raft.client.CallException.Fate;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A client of a whole cluster that tries again until it has an answer or its time is up: follows
 * hints to the leader, goes on to other nodes, makes connections anew. Writes go through a session,
 * so that each is carried out at most once however often it was sent (thesis §6.3).
 *
 * <p>What it returns is certain: {@link Reply.Ok} took effect once, {@link Reply.Refused} did not
 * and never will, {@link Reply.Unknown} is all that can be known in the time given. One call at a
 * time; calls of several threads take turns. Callers that want to see every attempt use {@link
 * ClientConnection}.
 */
public final class SessionClient implements AutoCloseable {
    private static final long ATTEMPT_MILLIS_MAX = 2_000;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** An unresolved session: there is none, or not any more. */
    private static final long NONE = 0;

    private final List<String> ids;
    private final Map<String, InetSocketAddress> nodes;
    private final @Nullable Credentials credentials;

    private @Nullable ClientConnection connection;
    private String node;
    private long session = NONE;
    private long lastSequence;

    /**
     * Connects to nobody yet.
     *
     * @param nodes where each node listens for clients, by its id; at least one. A node that a hint
     *     names and that is not among them is not asked
     * @param credentials null: in plain text
     */
    public SessionClient(Map<String, InetSocketAddress> nodes, @Nullable Credentials credentials) {
        if (nodes.isEmpty()) {
            throw new IllegalArgumentException("a client needs the address of one node at least");
        }
        this.nodes = new LinkedHashMap<>(nodes);
        this.ids = new ArrayList<>(this.nodes.keySet());
        this.credentials = credentials;
        this.node = ids.getFirst();
    }

    /**
     * Asks until there is an answer that is certain.
     *
     * @param request of the store or of the cluster; sessions are this object's own business
     * @param timeoutMillis for all attempts together, > 0
     */
    public synchronized Reply call(Request request, long timeoutMillis) {
        Attempts attempts = new Attempts(request, timeoutMillis);
        return switch (request) {
            case Request.Session _, Request.InSession _ ->
                    throw new IllegalArgumentException("this client has its own session");
            case Request.Read _ -> attempts.untilCertain(true);
            case Request.Admin _ -> attempts.untilCertain(false);
            case Request.Write write -> write(write, attempts);
        };
    }

    private Reply write(Request.Write write, Attempts attempts) {
        while (true) {
            Reply registered = register(attempts);
            if (!(registered instanceof Reply.Ok)) {
                return registered;
            }
            // Nothing else is open: an earlier write that ended as unknown is given up by this, and
            // if it arrives after all, it is not carried out.
            long sequence = ++lastSequence;
            attempts.request = new Request.InSession(session, sequence, sequence, write);
            Reply reply = attempts.untilCertain(true);
            boolean expired =
                    reply instanceof Reply.Refused refused
                            && refused.reason() == Refusal.SESSION_EXPIRED;
            if (!expired) {
                return reply;
            }
            session = NONE;
        }
    }

    /** Makes sure that there is a session. */
    private Reply register(Attempts attempts) {
        if (session != NONE) {
            return new Reply.Ok(new Result.Number(session), 0, 0);
        }
        attempts.request = new Request.Session.Register();
        // One that was registered twice is one that nobody uses: the store forgets it some day.
        Reply reply = attempts.untilCertain(true);
        if (reply instanceof Reply.Ok(Result.Number(long id), _, _)) {
            session = id;
            lastSequence = 0;
        } else if (reply instanceof Reply.Unknown(String message)) {
            return new Reply.Refused(Refusal.OTHER, null, message);
        }
        attempts.mayHaveArrived = false;
        return reply;
    }

    /**
     * Uses the session without a write, so that it is not the first that the store forgets.
     *
     * @return refused as {@link Refusal#SESSION_EXPIRED} where it was forgotten, and then the next
     *     write begins another
     */
    public synchronized Reply keepAlive(long timeoutMillis) {
        Attempts attempts = new Attempts(new Request.Session.KeepAlive(session), timeoutMillis);
        if (session == NONE) {
            return register(attempts);
        }
        Reply reply = attempts.untilCertain(true);
        if (reply instanceof Reply.Refused(Refusal reason, _, _)
                && reason == Refusal.SESSION_EXPIRED) {
            session = NONE;
        }
        return reply;
    }

    /** The session's id; 0 while there is none. */
    public synchronized long session() {
        return session;
    }

    /** Ends the connection; the session is left to be forgotten. */
    @Override
    public synchronized void close() {
        disconnect();
    }

    private void disconnect() {
        if (connection != null) {
            connection.close();
            connection = null;
        }
    }

    /** Of one request, until its time is up. */
    private final class Attempts {
        private final long timeoutMillis;
        private final long deadlineNanos;
        private Request request;

        /** Whether an attempt ended without an answer: it may be carried out, now or later. */
        private boolean mayHaveArrived;

        private Reply last = new Reply.Refused(Refusal.OTHER, null, "No node was asked.");

        Attempts(Request request, long timeoutMillis) {
            this.request = request;
            this.timeoutMillis = timeoutMillis;
            this.deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        }

        /**
         * @param repeatable whether it may be sent again after an attempt without an answer
         */
        Reply untilCertain(boolean repeatable) {
            int hintsInARow = 0;
            long leftMillis;
            while ((leftMillis = leftMillis()) > 0) {
                Reply reply = once(Math.min(leftMillis, ATTEMPT_MILLIS_MAX));
                last = reply;
                if (reply instanceof Reply.Ok) {
                    return reply;
                }
                if (reply instanceof Reply.Unknown && !repeatable) {
                    return reply;
                }
                if (reply instanceof Reply.Refused refused) {
                    if (isFinal(refused)) {
                        return mayHaveArrived && speaksOfThisAttempt(refused)
                                ? unknown(refused.message())
                                : refused;
                    }
                    String hint = refused.leader();
                    if (hint != null && nodes.containsKey(hint) && hintsInARow++ < ids.size()) {
                        moveTo(hint);
                        continue;
                    }
                }
                hintsInARow = 0;
                moveTo(ids.get((ids.indexOf(node) + 1) % ids.size()));
                LockSupport.parkNanos(PAUSE_NANOS);
                if (Thread.currentThread().isInterrupted()) {
                    break;
                }
            }
            String why =
                    "No answer within "
                            + timeoutMillis
                            + " ms"
                            + (last instanceof Reply.Refused refused
                                    ? "; the last attempt: " + refused.message()
                                    : last instanceof Reply.Unknown(String message)
                                            ? "; the last attempt: " + message
                                            : ".");
            boolean changesNothing = request.isRead() || request instanceof Request.Session;
            return mayHaveArrived && !changesNothing
                    ? unknown(why)
                    : new Reply.Refused(Refusal.OTHER, null, why);
        }

        private Reply unknown(String message) {
            return new Reply.Unknown(message);
        }

        /** What another attempt would not change. */
        private static boolean isFinal(Reply.Refused refused) {
            return switch (refused.reason()) {
                case INVALID,
                        TOO_LARGE,
                        UNSUPPORTED,
                        WRONG_TYPE,
                        SESSION_EXPIRED,
                        NO_SUCH_MEMBER,
                        NOT_POSSIBLE_NOW ->
                        true;
                case OTHER, NOT_LEADER, BUSY, STOPPING, NO_QUORUM, CHANGE_IN_PROGRESS -> false;
            };
        }

        /**
         * Whether it may be different from what became of an earlier attempt. A write of the wrong
         * type is an answer of the session, and so the answer to all of them.
         */
        private static boolean speaksOfThisAttempt(Reply.Refused refused) {
            return refused.reason() != Refusal.WRONG_TYPE;
        }

        private Reply once(long millis) {
            try {
                ClientConnection open = connection;
                if (open == null) {
                    InetSocketAddress address = nodes.get(node);
                    if (address == null) {
                        throw new CallException(Fate.NOT_SENT, "no address of " + node);
                    }
                    open =
                            ClientConnection.connect(
                                    address.getHostString(),
                                    address.getPort(),
                                    credentials,
                                    millis);
                    connection = open;
                }
                Reply reply = open.call(request, Math.max(1, Math.min(millis, leftMillis())));
                mayHaveArrived |= reply instanceof Reply.Unknown;
                return reply;
            } catch (CallException e) {
                disconnect();
                boolean arrived = e.fate() == Fate.MAYBE_RECEIVED;
                mayHaveArrived |= arrived;
                String message = String.valueOf(e.getMessage());
                return arrived ? unknown(message) : new Reply.Refused(Refusal.OTHER, null, message);
            }
        }

        private void moveTo(String next) {
            if (!next.equals(node)) {
                disconnect();
                node = next;
            }
        }

        private long leftMillis() {
            return TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
        }
    }
}
