package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.client.ClientCodec;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.core.Bytes;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.Outcomes.Ending;
import raft.harness.history.Value;
import raft.harness.protocol.ClientSession;
import raft.harness.protocol.Conversation;
import raft.harness.protocol.Translation;
import raft.harness.sim.Keyed;
import raft.harness.sim.Keyed.Purpose;
import raft.harness.sim.Sometimes;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The clients: each operation starts at its own node and follows hints from there, by the same
 * rules as clients over real connections. Their links to nodes are never cut; a node that is down
 * refuses the connection, one that is frozen lets them wait.
 */
final class SimClients {
    private static final long DELAY_MIN_NANOS = 50_000;
    private static final long DELAY_MAX_NANOS = 300_000;

    /**
     * Of the writes that are repeated, those whose request comes after its client gave up on it.
     */
    private static final int LATE_PERMILLE = 20;

    private static final long LATE_MAX_NANOS = 3_000_000_000L;

    private final SimCluster world;
    private final Map<Long, ClientSession> sessions = new HashMap<>();

    /** An operation under way. */
    static final class Op {
        final Invocation invocation;
        final Conversation conversation;
        Request request;
        private @Nullable Bytes command;
        private int hopCount;
        private int attempt;
        private int triedCount;
        private boolean sent;
        private boolean ended;
        private final long startNanos;
        private long stepCount;

        /** It is only what was sent once and comes when nobody waits for it any more. */
        private final boolean late;

        Op(Invocation invocation, Conversation conversation, long startNanos) {
            this.startNanos = startNanos;
            this.invocation = invocation;
            this.conversation = conversation;
            this.request = conversation.request();
            this.late = false;
        }

        /** What {@code sent} asks for now, whatever it goes on to ask for. */
        private Op(Op sent) {
            this.startNanos = sent.startNanos;
            this.invocation = sent.invocation;
            this.conversation = sent.conversation;
            this.request = sent.request;
            this.command = sent.command;
            this.ended = true;
            this.late = true;
        }

        /** Asks for what comes next: the same again, or the write once there is a session. */
        void next() {
            Request next = conversation.request();
            if (!next.equals(request)) {
                request = next;
                command = null;
            }
            hopCount = 0;
        }

        /** As it stands in the log. */
        Bytes command() {
            Bytes known = command;
            if (known == null) {
                known = Bytes.wrap(ClientCodec.encodeCommand(request).unsafeArray());
                command = known;
            }
            return known;
        }
    }

    /** An operation at one node; what belongs to an earlier attempt is ignored. */
    record Asked(Op op, SimNode node, int attempt) {
        boolean isOpen() {
            return !op.ended && op.attempt == attempt;
        }
    }

    /**
     * What comes back.
     *
     * @param ending null where {@code reply} says it
     * @param pauseOver nothing came back: it is time for another attempt
     */
    private record Back(
            Asked asked,
            @Nullable String node,
            @Nullable Reply reply,
            @Nullable Ending ending,
            boolean pauseOver) {}

    SimClients(SimCluster world) {
        this.world = world;
    }

    void invoke(Invocation invocation) {
        Op op;
        try {
            op =
                    new Op(
                            invocation,
                            new Conversation(invocation, session(invocation)),
                            world.nowNanos());
        } catch (IllegalArgumentException e) {
            world.complete(
                    Completion.Operation.of(
                            invocation,
                            Ending.NOT_SUPPORTED,
                            null,
                            String.valueOf(e.getMessage()),
                            null,
                            0,
                            0));
            return;
        }
        world.plan(
                world.nowNanos() + invocation.timeoutNanos(),
                Happening.Kind.CLIENT_TIMEOUT,
                null,
                null,
                op,
                -1);
        ask(op, world.memberFor(invocation.node()));
    }

    /** Of the process; most never open one. */
    private ClientSession session(Invocation invocation) {
        return invocation.retry() == Invocation.Retry.IN_SESSION
                ? sessions.computeIfAbsent(invocation.process(), _ -> new ClientSession())
                : new ClientSession();
    }

    private void ask(Op op, SimNode node) {
        op.sent = false;
        op.attempt++;
        if (op.conversation.retries()) {
            world.plan(
                    world.nowNanos() + op.invocation.attemptNanos(),
                    Happening.Kind.CLIENT_TIMEOUT,
                    null,
                    null,
                    new Asked(op, node, op.attempt),
                    -1);
        }
        if (!op.request.isRead()) {
            world.watch.asked(op.command());
        }
        long draw = Keyed.key(world.options.seed(), Purpose.LATE, 0, op.attempt, op.startNanos);
        if (op.request instanceof Request.InSession && Keyed.permille(draw, LATE_PERMILLE)) {
            // It lies somewhere on its way while its client tries elsewhere and goes on.
            op.sent = true;
            long delay = Keyed.between(Keyed.part(draw, 1), 0, LATE_MAX_NANOS);
            Asked late = new Asked(new Op(op), node, op.attempt);
            world.plan(
                    world.nowNanos() + op.invocation.attemptNanos() + delay,
                    Happening.Kind.REQUEST,
                    node,
                    null,
                    late,
                    -1);
        } else {
            plan(Happening.Kind.REQUEST, node, op, new Asked(op, node, op.attempt));
        }
    }

    /** Drawn by operation, so that leaving one out leaves the others as they were. */
    private void plan(Happening.Kind kind, @Nullable SimNode node, Op op, Object payload) {
        long draw =
                Keyed.key(world.options.seed(), Purpose.CLIENT, 0, op.stepCount++, op.startNanos);
        long delay = Keyed.between(draw, DELAY_MIN_NANOS, DELAY_MAX_NANOS);
        world.plan(world.nowNanos() + delay, kind, node, null, payload, -1);
    }

    /** A request reaches its node. */
    void requestCame(Asked asked) {
        if (!asked.isOpen() && !asked.op.late) {
            return;
        }
        SimNode.Life life = asked.node.life;
        if (asked.op.late) {
            if (life != null) {
                world.census.reached(Sometimes.REQUEST_LATE);
                asked.node.request(life, asked);
            }
        } else if (life == null) {
            plan(
                    Happening.Kind.REPLY,
                    null,
                    asked.op,
                    new Back(asked, null, null, Ending.NOT_CONNECTED, false));
        } else {
            asked.op.sent = true;
            asked.node.request(life, asked);
        }
    }

    void replied(Asked asked, String node, Reply reply) {
        plan(Happening.Kind.REPLY, null, asked.op, new Back(asked, node, reply, null, false));
    }

    void connectionLost(Asked asked) {
        plan(
                Happening.Kind.REPLY,
                null,
                asked.op,
                new Back(asked, null, null, Ending.CONNECTION_LOST, false));
    }

    /** Of an attempt, or of the whole operation. */
    void timedOut(Object payload) {
        if (payload instanceof Asked attempt) {
            if (attempt.isOpen()) {
                Op op = attempt.op;
                failed(op, op.sent ? Ending.TIMED_OUT : Ending.TIMED_OUT_UNSENT, "", null);
            }
            return;
        }
        Op op = (Op) payload;
        if (!op.ended) {
            end(op, op.conversation.timeUp(op.sent), null, "", null, 0, 0);
        }
    }

    /** The pause before another attempt is over. */
    private void again(Op op) {
        op.triedCount++;
        op.next();
        if (op.request instanceof Request.InSession) {
            world.census.reached(Sometimes.WRITE_REPEATED_IN_SESSION);
        }
        ask(op, world.memberAfter(op.invocation.node(), op.triedCount));
    }

    void replyCame(Object payload) {
        Back back = (Back) payload;
        if (!back.asked.isOpen()) {
            return;
        }
        Op op = back.asked.op;
        if (back.pauseOver) {
            again(op);
            return;
        }
        if (back.ending != null) {
            failed(op, back.ending, "", null);
            return;
        }
        switch (back.reply) {
            case Reply.Ok(Result result, long term, long logIndex) ->
                    follow(op, op.conversation.answered(result), "", back.node, term, logIndex);
            case Reply.Refused refused -> refused(op, back.node, refused);
            case Reply.Unknown(String message) -> failed(op, Ending.UNKNOWN, message, back.node);
            case null -> throw new IllegalStateException("neither a reply nor an ending");
        }
    }

    private void failed(Op op, Ending ending, String detail, @Nullable String node) {
        follow(op, op.conversation.failed(ending), detail, node, 0, 0);
    }

    private void follow(
            Op op,
            Conversation.Next next,
            String detail,
            @Nullable String node,
            long term,
            long logIndex) {
        switch (next) {
            case Conversation.Next.End(Translation.Learnt learnt) ->
                    end(op, learnt.ending(), learnt.value(), detail, node, term, logIndex);
            case Conversation.Next.Again(boolean pause) -> {
                SimNode last = world.nodeNamed(node == null ? op.invocation.node() : node);
                if (pause) {
                    op.sent = false;
                    op.attempt++;
                    world.plan(
                            world.nowNanos() + Conversation.RETRY_PAUSE_NANOS,
                            Happening.Kind.REPLY,
                            null,
                            null,
                            new Back(new Asked(op, last, op.attempt), null, null, null, true),
                            -1);
                } else {
                    op.next();
                    ask(op, last);
                }
            }
        }
    }

    private void refused(Op op, @Nullable String node, Reply.Refused refused) {
        String leader = refused.leader();
        if (!op.request.isRead() && !isOfTheStore(refused.reason())) {
            world.watch.refusedForGood(op.command());
        }
        if (refused.reason() == Refusal.NOT_LEADER
                && leader != null
                && op.hopCount < Conversation.HOPS_MAX) {
            op.hopCount++;
            ask(op, world.nodeNamed(leader));
            return;
        }
        String reason = refused.reason().name().toLowerCase(Locale.ROOT).replace('_', '-');
        follow(op, op.conversation.refused(refused.reason()), reason, node, 0, 0);
    }

    /** Refused by the state machine, so the command was applied, and changed nothing. */
    private static boolean isOfTheStore(Refusal reason) {
        return switch (reason) {
            case WRONG_TYPE, TOO_LARGE, SESSION_EXPIRED -> true;
            default -> false;
        };
    }

    private void end(
            Op op,
            Ending ending,
            @Nullable Value value,
            String detail,
            @Nullable String node,
            long term,
            long logIndex) {
        op.ended = true;
        world.complete(
                Completion.Operation.of(
                        op.invocation, ending, value, detail, node, term, logIndex));
    }

    /** A reply in words, for traces. */
    static String describe(@Nullable Object payload) {
        if (!(payload instanceof Back back)) {
            return "";
        }
        Invocation invocation = back.asked.op.invocation;
        return invocation.f()
                + " of process "
                + invocation.process()
                + ": "
                + (back.ending != null ? back.ending : back.reply);
    }
}
