package raft.harness.protocol;

import org.jspecify.annotations.Nullable;

import raft.client.Refusal;
import raft.client.Request;
import raft.client.Result;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.Invocation.Retry;
import raft.harness.cluster.Outcomes.Ending;

/**
 * One operation as a series of attempts: which request to send next, and what is known in the end.
 * The same for every kind of cluster; knows no connection and no clock.
 *
 * <p>The rule that matters: once an attempt at the write ended without an answer, only an answer
 * from its session can say what became of it. A refusal of a later attempt speaks of that attempt
 * alone.
 */
public final class Conversation {
    /** A hint leads to a leader at once or, while leadership moves, in one or two steps more. */
    public static final int HOPS_MAX = 3;

    /** Before another attempt at another node. */
    public static final long RETRY_PAUSE_NANOS = 20_000_000;

    private final ClientSession session;
    private final Request request;
    private final Retry retry;
    private Request.@Nullable InSession inSession;
    private boolean uncertain;

    /** What to do after an attempt. */
    public sealed interface Next {
        /**
         * Send {@link #request} (again).
         *
         * @param pause whether to wait a little first, and ask another node
         */
        record Again(boolean pause) implements Next {}

        /** The operation is over. */
        record End(Translation.Learnt learnt) implements Next {}
    }

    /**
     * @param session the process' own
     * @throws IllegalArgumentException with one clause that says why there is no such operation
     */
    public Conversation(Invocation invocation, ClientSession session) {
        this.session = session;
        this.request = Translation.request(invocation);
        this.retry = request instanceof Request.Write ? invocation.retry() : Retry.NEVER;
    }

    /** Whether it may take several attempts. */
    public boolean retries() {
        return retry != Retry.NEVER;
    }

    /** What is asked in the end, without its session. */
    public Request operation() {
        return request;
    }

    /** What to send now. */
    public Request request() {
        if (retry != Retry.IN_SESSION || !(request instanceof Request.Write write)) {
            return request;
        }
        if (!session.isOpen()) {
            return new Request.Session.Register();
        }
        if (inSession == null) {
            long sequence = session.nextSequence();
            inSession = new Request.InSession(session.id(), sequence, sequence, write);
        }
        return inSession;
    }

    /** An attempt was carried out. */
    public Next answered(Result result) {
        if (request() instanceof Request.Session.Register) {
            if (result instanceof Result.Number(long id)) {
                session.opened(id);
                return new Next.Again(false);
            }
            return end(Ending.UNINTELLIGIBLE);
        }
        return new Next.End(Translation.learnt(request, result));
    }

    /** An attempt was refused. */
    public Next refused(Refusal reason) {
        boolean registering = request() instanceof Request.Session.Register;
        return switch (reason) {
            // The session's answer to whichever attempt came first, so it is the last word.
            case WRONG_TYPE ->
                    end(retry == Retry.BLINDLY && uncertain ? Ending.UNKNOWN : Ending.REFUSED);
            case SESSION_EXPIRED -> {
                session.lost();
                inSession = null;
                yield uncertain || !retries()
                        ? end(uncertain ? Ending.UNKNOWN : Ending.REFUSED)
                        : new Next.Again(true);
            }
            case INVALID, TOO_LARGE, UNSUPPORTED ->
                    end(uncertain && !registering ? Ending.UNKNOWN : Ending.REFUSED);
            default -> retries() ? new Next.Again(true) : end(Ending.REFUSED);
        };
    }

    /** An attempt ended without an answer. */
    public Next failed(Ending ending) {
        boolean mayHaveArrived =
                switch (ending) {
                    case UNKNOWN, TIMED_OUT, CONNECTION_LOST, UNINTELLIGIBLE, CLOSED -> true;
                    default -> false;
                };
        if (mayHaveArrived && !(request() instanceof Request.Session.Register)) {
            uncertain = true;
        }
        return retries() ? new Next.Again(true) : end(ending);
    }

    /**
     * Time is up for the whole operation.
     *
     * @param sent whether the attempt under way was handed to the network
     */
    public Ending timeUp(boolean sent) {
        boolean write = !(request() instanceof Request.Session.Register);
        return uncertain || (sent && write) ? Ending.TIMED_OUT : Ending.TIMED_OUT_UNSENT;
    }

    private static Next end(Ending ending) {
        return new Next.End(new Translation.Learnt(ending, null));
    }
}
