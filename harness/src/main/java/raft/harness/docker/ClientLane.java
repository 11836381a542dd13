package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.Answer;
import raft.client.ClientCodec;
import raft.client.Credentials;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Result;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.Outcomes.Ending;
import raft.harness.history.HistoryEvent;
import raft.harness.protocol.ClientSession;
import raft.harness.protocol.Conversation;
import raft.harness.protocol.Translation;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.Selector;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * One process: at most one operation under way, connections of its own. Owned by the thread of
 * {@link ProtocolClients}.
 *
 * <p>Every operation starts at its own node, also after a hint led elsewhere before: a client that
 * is bound to a leader which was cut off must go on asking that leader, or stale reads would go
 * unseen. A refusal certainly had no effect, so the same operation may be asked again where the
 * hint points; nothing else is repeated, unless the invocation says so: then {@link Conversation}
 * decides.
 */
final class ClientLane implements NodeLink.Owner {
    private final Map<String, InetSocketAddress> nodes;
    private final @Nullable Credentials credentials;
    private final Selector selector;
    private final Consumer<Completion.Operation> ended;
    private final LongSupplier nowNanos;
    private final LongConsumer wakeAt;
    private final ClientSession session = new ClientSession();
    private final Map<String, NodeLink> links = new HashMap<>();
    private @Nullable Pending pending;
    private long lastRequestId;

    /** The operation under way. */
    private static final class Pending {
        final Invocation invocation;
        final Conversation conversation;
        final long deadlineNanos;
        String node;
        long requestId;
        boolean sent;
        int hopCount;
        int attemptCount;
        long attemptEndNanos;

        /** When to ask again; Long.MAX_VALUE while an attempt is under way. */
        long againNanos = Long.MAX_VALUE;

        Pending(Invocation invocation, Conversation conversation, long deadlineNanos) {
            this.invocation = invocation;
            this.conversation = conversation;
            this.deadlineNanos = deadlineNanos;
            this.node = invocation.node();
        }

        boolean isUnderWay() {
            return againNanos == Long.MAX_VALUE;
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

        Completion.Operation of(Invocation invocation) {
            return Completion.Operation.of(
                    invocation, learnt.ending(), learnt.value(), detail, node, term, logIndex);
        }
    }

    /**
     * @param credentials null: in plain text
     * @param wakeAt is told times at which {@link #expire} may have something to do
     */
    ClientLane(
            Map<String, InetSocketAddress> nodes,
            @Nullable Credentials credentials,
            Selector selector,
            LongSupplier nowNanos,
            LongConsumer wakeAt,
            Consumer<Completion.Operation> ended) {
        this.nodes = nodes;
        this.credentials = credentials;
        this.selector = selector;
        this.nowNanos = nowNanos;
        this.wakeAt = wakeAt;
        this.ended = ended;
    }

    /** Starts an operation; none may be under way. */
    void start(Invocation invocation, long deadlineNanos) {
        Conversation conversation;
        try {
            conversation = new Conversation(invocation, session);
        } catch (IllegalArgumentException e) {
            Outcome outcome = Outcome.without(Ending.NOT_SUPPORTED, String.valueOf(e.getMessage()));
            ended.accept(outcome.of(invocation));
            return;
        }
        pending = new Pending(invocation, conversation, deadlineNanos);
        ask(pending);
    }

    /** When {@link #expire} has something to do; Long.MAX_VALUE where no operation is under way. */
    long deadlineNanos() {
        Pending op = pending;
        return op == null
                ? Long.MAX_VALUE
                : Math.min(op.deadlineNanos, Math.min(op.attemptEndNanos, op.againNanos));
    }

    /** Ends the operation under way, or its attempt, whose time is up, or begins the next one. */
    void expire() {
        Pending op = Objects.requireNonNull(pending);
        long now = nowNanos.getAsLong();
        if (now >= op.deadlineNanos) {
            dropLink(op.node);
            end(op, Outcome.without(op.conversation.timeUp(op.isUnderWay() && op.sent), ""));
        } else if (op.isUnderWay()) {
            dropLink(op.node);
            failed(op, op.sent ? Ending.TIMED_OUT : Ending.TIMED_OUT_UNSENT, "", null);
        } else if (now >= op.againNanos) {
            ask(op);
        }
    }

    /** Ends the operation under way, if there is one, and all connections. */
    void close() {
        closeLinks();
        Pending op = pending;
        if (op != null) {
            boolean maybe = op.conversation.timeUp(op.isUnderWay() && op.sent) == Ending.TIMED_OUT;
            end(op, Outcome.without(maybe ? Ending.CLOSED : Ending.CLOSED_UNSENT, ""));
        }
    }

    @Override
    public void ready(NodeLink link) throws IOException {
        Pending op = pending;
        if (op != null && op.isUnderWay() && !op.sent && op.node.equals(link.node())) {
            send(op, link);
        }
    }

    @Override
    public void answered(NodeLink link, Answer answer) throws IOException {
        Pending op = pending;
        if (op == null
                || !op.isUnderWay()
                || !op.sent
                || !op.node.equals(link.node())
                || op.requestId != answer.id()) {
            // Also a refusal of the whole connection (id 0): the link is lost, and says why.
            throw new IOException(
                    "a reply to no open request, number " + answer.id() + ": " + answer.reply());
        }
        switch (answer.reply()) {
            case Reply.Ok(Result result, long term, long logIndex) ->
                    done(op, result, term, logIndex);
            case Reply.Refused refused -> refused(op, refused);
            case Reply.Unknown(String message) -> failed(op, Ending.UNKNOWN, message, op.node);
        }
    }

    @Override
    public void lost(NodeLink link, String reason) {
        boolean mine = links.remove(link.node(), link);
        Pending op = pending;
        if (mine && op != null && op.isUnderWay() && op.node.equals(link.node())) {
            failed(op, op.sent ? Ending.CONNECTION_LOST : Ending.NOT_CONNECTED, reason, null);
        }
    }

    private void ask(Pending op) {
        op.sent = false;
        op.againNanos = Long.MAX_VALUE;
        op.attemptEndNanos = nowNanos.getAsLong() + op.invocation.attemptNanos();
        wakeAt.accept(deadlineNanos());
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
                                credentials,
                                this,
                                selector);
                links.put(op.node, link);
            }
            if (link.isReady()) {
                send(op, link);
            }
        } catch (IOException e) {
            dropLink(op.node);
            failed(op, Ending.NOT_CONNECTED, String.valueOf(e.getMessage()), null);
        }
    }

    private void send(Pending op, NodeLink link) throws IOException {
        op.requestId = ++lastRequestId;
        link.send(ClientCodec.encodeCall(op.requestId, op.conversation.request()));
        // Only now: where send throws, the request did not leave this machine as a whole.
        op.sent = true;
    }

    private void refused(Pending op, Reply.Refused refused) {
        String leader = refused.leader();
        if (refused.reason() == Refusal.NOT_LEADER
                && leader != null
                && nodes.containsKey(leader)
                && op.hopCount < Conversation.HOPS_MAX) {
            op.hopCount++;
            op.node = leader;
            ask(op);
        } else {
            String reason = refused.reason().name().toLowerCase(Locale.ROOT).replace('_', '-');
            follow(op, op.conversation.refused(refused.reason()), reason, op.node, 0, 0);
        }
    }

    private void done(Pending op, Result result, long term, long logIndex) {
        Conversation.Next next = op.conversation.answered(result);
        if (next instanceof Conversation.Next.End(Translation.Learnt learnt)
                && learnt.ending() == Ending.UNINTELLIGIBLE) {
            dropLink(op.node);
        }
        follow(op, next, "", op.node, term, logIndex);
    }

    /** An attempt ended without an answer to it. */
    private void failed(Pending op, Ending ending, String detail, @Nullable String node) {
        follow(op, op.conversation.failed(ending), detail, node, 0, 0);
    }

    private void follow(
            Pending op,
            Conversation.Next next,
            String detail,
            @Nullable String node,
            long term,
            long logIndex) {
        switch (next) {
            case Conversation.Next.End(Translation.Learnt learnt) ->
                    end(op, new Outcome(learnt, detail, node, term, logIndex));
            case Conversation.Next.Again(boolean pause) -> {
                op.hopCount = 0;
                if (pause) {
                    // Not at once: a node that is down refuses a connection in no time.
                    op.node = after(op.invocation.node(), ++op.attemptCount);
                    op.againNanos = nowNanos.getAsLong() + Conversation.RETRY_PAUSE_NANOS;
                    op.attemptEndNanos = Long.MAX_VALUE;
                    wakeAt.accept(deadlineNanos());
                } else {
                    ask(op);
                }
            }
        }
    }

    /** The node that comes so many after another, round and round. */
    private String after(String node, int steps) {
        List<String> sorted = nodes.keySet().stream().sorted().toList();
        return sorted.get((sorted.indexOf(node) + steps) % sorted.size());
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
