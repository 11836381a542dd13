package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.Answer;
import raft.client.ClientCodec;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.Outcomes;
import raft.harness.cluster.Outcomes.Ending;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.protocol.Translation;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.Selector;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * One process: at most one operation under way, connections of its own. Owned by the thread of
 * {@link ProtocolClients}.
 *
 * <p>Every operation starts at its own node, also after a hint led elsewhere before: a client that
 * is bound to a leader which was cut off must go on asking that leader, or stale reads would go
 * unseen. A refusal certainly had no effect, so the same operation may be asked again where the
 * hint points; nothing else is ever repeated.
 */
final class ClientLane implements NodeLink.Owner {
    /** A hint leads to a leader at once or, while leadership moves, in one or two steps more. */
    private static final int HOPS_MAX = 3;

    private final Map<String, InetSocketAddress> nodes;
    private final Selector selector;
    private final Consumer<Completion.Operation> ended;
    private final Map<String, NodeLink> links = new HashMap<>();
    private @Nullable Pending pending;
    private long lastRequestId;

    /** The operation under way. */
    private static final class Pending {
        final Invocation invocation;
        final Request request;
        final long deadlineNanos;
        String node;
        long requestId;
        boolean sent;
        int hopCount;

        Pending(Invocation invocation, Request request, long deadlineNanos) {
            this.invocation = invocation;
            this.request = request;
            this.deadlineNanos = deadlineNanos;
            this.node = invocation.node();
        }
    }

    /** How an operation ended, with all that is known about it. */
    private record Outcome(
            Translation.Learnt learnt,
            String detail,
            @Nullable String node,
            long term,
            long logIndex) {

        static Outcome without(Ending ending, String detail) {
            return new Outcome(new Translation.Learnt(ending, null), detail, null, 0, 0);
        }

        static Outcome by(String node, Ending ending, String detail) {
            return new Outcome(new Translation.Learnt(ending, null), detail, node, 0, 0);
        }

        Completion.Operation of(Invocation invocation) {
            HistoryEvent.Type type = Outcomes.type(invocation.f(), learnt.ending());
            Value value = learnt.value();
            return new Completion.Operation(
                    invocation,
                    type,
                    value == null ? invocation.value() : value,
                    node,
                    type == HistoryEvent.Type.OK ? null : learnt.ending().error(detail),
                    term,
                    logIndex);
        }
    }

    ClientLane(
            Map<String, InetSocketAddress> nodes,
            Selector selector,
            Consumer<Completion.Operation> ended) {
        this.nodes = nodes;
        this.selector = selector;
        this.ended = ended;
    }

    /** Starts an operation; none may be under way. */
    void start(Invocation invocation, long deadlineNanos) {
        Request request;
        try {
            request = Translation.request(invocation);
        } catch (IllegalArgumentException e) {
            Outcome outcome = Outcome.without(Ending.NOT_SUPPORTED, String.valueOf(e.getMessage()));
            ended.accept(outcome.of(invocation));
            return;
        }
        pending = new Pending(invocation, request, deadlineNanos);
        ask(pending);
    }

    /** When the operation under way is given up; Long.MAX_VALUE where there is none. */
    long deadlineNanos() {
        return pending == null ? Long.MAX_VALUE : pending.deadlineNanos;
    }

    /** Ends the operation under way, whose time is up. */
    void expire() {
        Pending op = Objects.requireNonNull(pending);
        dropLink(op.node);
        end(op, Outcome.without(op.sent ? Ending.TIMED_OUT : Ending.TIMED_OUT_UNSENT, ""));
    }

    /** Ends the operation under way, if there is one, and all connections. */
    void close() {
        closeLinks();
        Pending op = pending;
        if (op != null) {
            end(op, Outcome.without(op.sent ? Ending.CLOSED : Ending.CLOSED_UNSENT, ""));
        }
    }

    @Override
    public void ready(NodeLink link) throws IOException {
        Pending op = pending;
        if (op != null && !op.sent && op.node.equals(link.node())) {
            send(op, link);
        }
    }

    @Override
    public void answered(NodeLink link, Answer answer) throws IOException {
        Pending op = pending;
        if (op == null || !op.sent || !op.node.equals(link.node()) || op.requestId != answer.id()) {
            // Also a refusal of the whole connection (id 0): the link is lost, and says why.
            throw new IOException(
                    "a reply to no open request, number " + answer.id() + ": " + answer.reply());
        }
        switch (answer.reply()) {
            case Reply.Ok(Result result, long term, long logIndex) -> {
                Translation.Learnt learnt = Translation.learnt(op.request, result);
                if (learnt.ending() == Ending.UNINTELLIGIBLE) {
                    dropLink(op.node);
                }
                end(op, new Outcome(learnt, "", op.node, term, logIndex));
            }
            case Reply.Refused refused -> refused(op, refused);
            case Reply.Unknown(String message) ->
                    end(op, Outcome.by(op.node, Ending.UNKNOWN, message));
        }
    }

    @Override
    public void lost(NodeLink link, String reason) {
        boolean mine = links.remove(link.node(), link);
        Pending op = pending;
        if (mine && op != null && op.node.equals(link.node())) {
            Ending ending = op.sent ? Ending.CONNECTION_LOST : Ending.NOT_CONNECTED;
            end(op, Outcome.without(ending, reason));
        }
    }

    private void ask(Pending op) {
        op.sent = false;
        try {
            NodeLink link = links.get(op.node);
            if (link != null && !link.isUsable()) {
                dropLink(op.node);
                link = null;
            }
            if (link == null) {
                link =
                        NodeLink.open(
                                op.node,
                                Objects.requireNonNull(nodes.get(op.node)),
                                this,
                                selector);
                links.put(op.node, link);
            }
            if (link.isReady()) {
                send(op, link);
            }
        } catch (IOException e) {
            dropLink(op.node);
            end(op, Outcome.without(Ending.NOT_CONNECTED, String.valueOf(e.getMessage())));
        }
    }

    private void send(Pending op, NodeLink link) throws IOException {
        op.requestId = ++lastRequestId;
        link.send(ClientCodec.encodeCall(op.requestId, op.request));
        // Only now: where send throws, not a byte of the request left this machine.
        op.sent = true;
    }

    private void refused(Pending op, Reply.Refused refused) {
        String leader = refused.leader();
        if (refused.reason() == Refusal.NOT_LEADER
                && leader != null
                && nodes.containsKey(leader)
                && op.hopCount < HOPS_MAX) {
            op.hopCount++;
            op.node = leader;
            ask(op);
        } else {
            String reason = refused.reason().name().toLowerCase(Locale.ROOT).replace('_', '-');
            end(op, Outcome.by(op.node, Ending.REFUSED, reason));
        }
    }

    private void end(Pending op, Outcome outcome) {
        Completion.Operation completion = outcome.of(op.invocation);
        if (completion.type() == HistoryEvent.Type.INFO) {
            // The process is dead; a successor comes with a number and connections of its own.
            closeLinks();
        }
        pending = null;
        ended.accept(completion);
    }

    private void dropLink(String node) {
        NodeLink link = links.remove(node);
        if (link != null) {
            link.close();
        }
    }

    private void closeLinks() {
        links.values().forEach(NodeLink::close);
        links.clear();
    }
}
