package raft.node;

import org.jspecify.annotations.Nullable;

import raft.client.Blob;
import raft.client.Consistency;
import raft.client.Member;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.core.Change;
import raft.core.Configuration;
import raft.core.Effect;
import raft.core.Effect.RoleName;
import raft.core.Entry;
import raft.core.Event;
import raft.core.Message;
import raft.core.NodeId;
import raft.core.Raft;
import raft.core.Snapshot;
import raft.kv.Image;
import raft.kv.KeyValueStore;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The one thread that owns the algorithm and the state machine: takes all that has arrived, lets it
 * happen in one step, carries out the effects in order. It never waits for a disk or a socket.
 *
 * <p>Taking everything at once is what makes batches grow with the load: all writes of a turn share
 * an fsync, all entries a message, all answers a wake-up.
 */
final class EventLoop {
    private static final int TRANSITION_COUNT_MAX = 100;

    private final Raft raft;
    private final KeyValueStore store;
    private final Mailbox<Input> inbox;
    private final NodeClock clock;
    private final Counters counters;
    private final Log log;
    private final Fatal fatal;
    private final Outputs outputs;
    private final Trace trace;
    private final Stopwatch stopwatch;

    private final Map<Long, ClientCall> pending = new HashMap<>();
    private final ArrayDeque<Status.Change> transitions = new ArrayDeque<>();
    private List<ClientServer.Answered> answers = new ArrayList<>();
    private long lastRequestId;

    /** The request that must be answered before this node stops; 0 while it does not. */
    private long handOverId;

    private boolean stopped;

    /** Arrived from leaders with the present turn's events; the algorithm may ask for each. */
    private final List<Input.SnapshotLoaded> received = new ArrayList<>();

    /** Where effects go; none of these may wait. */
    interface Outputs {
        void persist(Effect.Persist persist);

        void send(NodeId to, Message message);

        /**
         * @param state the state machine's as it stands now
         */
        void save(Effect.CaptureState capture, Image state);

        void send(Effect.SendChunk chunk);

        void keep(Effect.KeepChunk chunk);

        void deleteSnapshot(long index);

        /** The members changed. */
        void configured(Configuration members);

        /**
         * The members changed for good.
         *
         * @throws IOException when that cannot be remembered
         */
        void committed(Configuration members) throws IOException;

        void answer(List<ClientServer.Answered> answers);

        /** Completes the loop's part of a status with what others know. */
        Status describe(Raft raft, KeyValueStore store, int pending, List<Status.Change> changes);
    }

    /**
     * @param store as the newest snapshot says, or empty
     */
    EventLoop(
            Raft raft,
            KeyValueStore store,
            Mailbox<Input> inbox,
            NodeClock clock,
            Counters counters,
            Log log,
            Fatal fatal,
            Trace trace,
            Stopwatch stopwatch,
            Outputs outputs) {
        this.raft = raft;
        this.store = store;
        this.inbox = inbox;
        this.clock = clock;
        this.counters = counters;
        this.log = log;
        this.fatal = fatal;
        this.trace = trace;
        this.stopwatch = stopwatch;
        this.outputs = outputs;
    }

    /** The thread. */
    void run() {
        List<Input> inputs = List.of();
        try {
            while (!stopped && !inbox.isClosed()) {
                inputs = inbox.take(Math.max(0, raft.deadlineNanos() - clock.nanoTime()));
                turn(inputs);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            fatal.stop(Fatal.BUG, dump(inputs), e);
        }
    }

    private void turn(List<Input> inputs) {
        List<Event> events = new ArrayList<>(inputs.size() + 1);
        stopwatch.turnStarts(inputs.size());
        for (Input input : inputs) {
            switch (input) {
                case Input.Core(Event event) -> {
                    if (event instanceof Event.Persisted(long ticket)) {
                        stopwatch.durable(ticket);
                    }
                    events.add(event);
                }
                case Input.SnapshotLoaded loaded -> {
                    received.add(loaded);
                    events.add(new Event.SnapshotReceived(loaded.snapshot()));
                }
                case ClientCall call -> accept(call, events);
                case Input.LogQuery query -> query.answer().complete(view(query));
                // A query sees the state before the events that came with it.
                case Input.StatusQuery query -> query.answer().complete(status());
                case Input.Stop() -> stop(events);
            }
        }
        long now = clock.nanoTime();
        if (now >= raft.deadlineNanos()) {
            // Last, so that after a pause the leader's waiting messages count before the timeout.
            events.add(new Event.Timer());
        }
        if (!events.isEmpty()) {
            for (Effect effect : raft.step(now, events)) {
                trace.observe(raft, effect);
                carryOut(effect);
            }
            trace.observe(raft);
        }
        received.clear();
        if (stopped) {
            abandon();
        }
        if (!answers.isEmpty()) {
            stopwatch.answered(answers);
            outputs.answer(answers);
            answers = new ArrayList<>();
        }
    }

    /** A leader hands over first, so that nobody has to wait for an election timeout. */
    private void stop(List<Event> events) {
        boolean others =
                raft.configuration().voters().stream().anyMatch(id -> !id.equals(raft.leader()));
        if (raft.role() == RoleName.LEADER && others) {
            handOverId = ++lastRequestId;
            events.add(new Event.TransferLeadership(handOverId, null));
        } else {
            stopped = true;
        }
    }

    private void accept(ClientCall call, List<Event> events) {
        long requestId = ++lastRequestId;
        pending.put(requestId, call);
        stopwatch.taken(call);
        switch (call.request()) {
            case Request.Read read -> {
                if (read.consistency() == Consistency.STALE) {
                    serve(requestId, read);
                } else {
                    boolean lease = read.consistency() == Consistency.LEASE;
                    events.add(new Event.Read(requestId, lease));
                }
            }
            case Request.Write _, Request.InSession _, Request.Session _ ->
                    events.add(new Event.Propose(requestId, call.command()));
            case Request.Admin.ReadConfiguration _ ->
                    reply(
                            requestId,
                            new Reply.Ok(configuration(), raft.term(), raft.appliedIndex()));
            case Request.Admin admin -> {
                log.info("a client asks: " + admin);
                events.add(event(requestId, admin));
            }
        }
    }

    private static Event event(long requestId, Request.Admin admin) {
        return switch (admin) {
            case Request.Admin.AddLearner(String id, String address) ->
                    change(requestId, new Change.AddLearner(new NodeId(id), address));
            case Request.Admin.Promote(String id) ->
                    change(requestId, new Change.Promote(new NodeId(id)));
            case Request.Admin.Remove(String id) ->
                    change(requestId, new Change.Remove(new NodeId(id)));
            case Request.Admin.TransferLeadership(String to) ->
                    new Event.TransferLeadership(requestId, to == null ? null : new NodeId(to));
            case Request.Admin.TakeSnapshot() -> new Event.TakeSnapshot(requestId);
            case Request.Admin.StartElection() -> new Event.StartElection(requestId);
            case Request.Admin.ReadConfiguration() ->
                    throw new IllegalStateException("the algorithm is not asked for its members");
        };
    }

    private static Event change(long requestId, Change change) {
        return new Event.ChangeMembership(requestId, change);
    }

    private Result configuration() {
        return new Result.Configuration(
                raft.configurationIndex(),
                raft.configurationIndex() <= raft.commitIndex(),
                raft.configuration().members().stream()
                        .map(
                                member ->
                                        new Member(
                                                member.id().name(),
                                                member.address(),
                                                member.voter()))
                        .toList());
    }

    private void carryOut(Effect effect) {
        switch (effect) {
            case Effect.Persist persist -> {
                stopwatch.handedToDisk(persist.ticket());
                outputs.persist(persist);
            }
            case Effect.Send(NodeId to, Message message) -> outputs.send(to, message);
            case Effect.Apply(Entry entry, long requestId) -> apply(entry, requestId);
            case Effect.ServeRead(long requestId, long readIndex) -> read(requestId, readIndex);
            case Effect.Refuse refuse -> refuse(refuse);
            case Effect.GiveUp(long requestId, String reason) ->
                    reply(requestId, new Reply.Unknown(reason));
            case Effect.Done(long requestId) -> done(requestId);
            case Effect.CaptureState capture -> outputs.save(capture, store.image());
            case Effect.SendChunk chunk -> outputs.send(chunk);
            case Effect.KeepChunk chunk -> outputs.keep(chunk);
            case Effect.Restore(Snapshot snapshot) -> restore(snapshot);
            case Effect.DeleteSnapshot(long index) -> outputs.deleteSnapshot(index);
            case Effect.Configured(long index, Configuration members) -> {
                log.info("members by entry " + index + ": " + members);
                outputs.configured(members);
            }
            case Effect.Truncated ignored -> counters.truncations.incrementAndGet();
            case Effect.Transition transition -> record(transition);
        }
    }

    private void done(long requestId) {
        ClientCall call = pending.get(requestId);
        Snapshot snapshot = raft.snapshot();
        Result result =
                call != null && call.request() instanceof Request.Admin.TakeSnapshot
                        ? new Result.Number(snapshot == null ? 0 : snapshot.index())
                        : new Result.Done();
        reply(requestId, new Reply.Ok(result, raft.term(), raft.appliedIndex()));
    }

    private void restore(Snapshot snapshot) {
        Input.SnapshotLoaded loaded =
                received.stream()
                        .filter(one -> one.snapshot().equals(snapshot))
                        .findAny()
                        .orElseThrow(
                                () ->
                                        new IllegalStateException(
                                                "nothing was received of " + snapshot));
        store.takeOver(loaded.state());
        rememberMembers(snapshot.configuration());
        log.info(
                "restored the state of index "
                        + snapshot.index()
                        + " from the leader's snapshot, "
                        + snapshot.sizeBytes()
                        + " bytes");
    }

    private void apply(Entry entry, long requestId) {
        switch (entry.kind()) {
            case NOOP -> {}
            case CONFIGURATION, RECOVERY -> {
                rememberMembers(Configuration.decode(entry.payload()));
                if (requestId != 0) {
                    reply(requestId, new Reply.Ok(new Result.Done(), entry.term(), entry.index()));
                }
            }
            case COMMAND -> {
                Blob command = Blob.wrap(entry.payload().unsafeArray());
                var applied = store.apply(entry.index(), command);
                if (requestId != 0) {
                    reply(requestId, applied.reply(entry.term(), entry.index()));
                }
            }
        }
    }

    private void rememberMembers(Configuration members) {
        try {
            outputs.committed(members);
        } catch (IOException e) {
            fatal.stop(Fatal.DISK, "cannot remember the members", e);
        }
    }

    private void read(long requestId, long readIndex) {
        ClientCall call = pending.get(requestId);
        if (call == null || !(call.request() instanceof Request.Read read)) {
            throw new IllegalStateException("no read is waiting as request " + requestId);
        }
        if (raft.appliedIndex() < readIndex) {
            throw new IllegalStateException(
                    "read at " + readIndex + " served at " + raft.appliedIndex());
        }
        serve(requestId, read);
    }

    private void serve(long requestId, Request.Read read) {
        reply(requestId, store.read(read).reply(raft.term(), raft.appliedIndex()));
    }

    private void refuse(Effect.Refuse refuse) {
        String hint = Status.name(refuse.leaderHint());
        Reply reply =
                switch (refuse.reason()) {
                    case NOT_LEADER ->
                            new Reply.Refused(
                                    Refusal.NOT_LEADER,
                                    hint,
                                    hint == null
                                            ? "This node is not the leader and knows of none."
                                            : "This node is not the leader.");
                    case BUSY ->
                            new Reply.Refused(
                                    Refusal.BUSY,
                                    hint,
                                    refuse.detail().isEmpty()
                                            ? "Too much waits to be replicated."
                                            : refuse.detail());
                    case CHANGE_IN_PROGRESS ->
                            new Reply.Refused(Refusal.CHANGE_IN_PROGRESS, hint, refuse.detail());
                    case NO_SUCH_MEMBER ->
                            new Reply.Refused(Refusal.NO_SUCH_MEMBER, hint, refuse.detail());
                    case NOT_POSSIBLE_NOW ->
                            new Reply.Refused(Refusal.NOT_POSSIBLE_NOW, hint, refuse.detail());
                };
        reply(refuse.requestId(), reply);
    }

    private void reply(long requestId, Reply reply) {
        if (requestId == handOverId) {
            log.info("handing over: " + reply);
            stopped = true;
            return;
        }
        ClientCall call = pending.remove(requestId);
        if (call == null) {
            throw new IllegalStateException("request " + requestId + " is answered twice");
        }
        if (reply instanceof Reply.Ok && !call.isRead()) {
            stopwatch.committed(call);
        }
        switch (reply) {
            case Reply.Ok ignored -> counters.repliesOk.incrementAndGet();
            case Reply.Refused ignored -> counters.repliesRefused.incrementAndGet();
            case Reply.Unknown ignored -> counters.repliesUnknown.incrementAndGet();
        }
        answers.add(new ClientServer.Answered(call, reply));
    }

    /** What was proposed may still be committed by others; what was only asked was not done. */
    private void abandon() {
        for (long requestId : List.copyOf(pending.keySet())) {
            ClientCall call = pending.get(requestId);
            boolean isRead = call != null && call.request().isRead();
            reply(
                    requestId,
                    isRead
                            ? new Reply.Refused(Refusal.STOPPING, null, "This node is stopping.")
                            : new Reply.Unknown("This node is stopping."));
        }
    }

    private void record(Effect.Transition transition) {
        if (transitions.size() == TRANSITION_COUNT_MAX) {
            transitions.removeFirst();
        }
        RoleName from = transition.from();
        RoleName to = transition.to();
        Status.Change change =
                new Status.Change(
                        clock.utcMillis(),
                        from,
                        to,
                        transition.term(),
                        Status.name(transition.leader()),
                        Status.name(transition.votedFor()),
                        transition.reason());
        transitions.addLast(change);
        if (to == RoleName.CANDIDATE) {
            counters.electionsStarted.incrementAndGet();
        } else if (to == RoleName.LEADER) {
            counters.electionsWon.incrementAndGet();
        } else if (from == RoleName.LEADER) {
            counters.stepDowns.incrementAndGet();
        }
        log.info(describe(change));
    }

    private static String describe(Status.Change change) {
        return "role "
                + Status.word(change.from())
                + " -> "
                + Status.word(change.to())
                + ", term "
                + change.term()
                + ", leader "
                + (change.leader() == null ? "none" : change.leader())
                + ": "
                + change.reason();
    }

    private LogView view(Input.LogQuery query) {
        return new LogView(
                raft.firstIndex(),
                raft.lastIndex(),
                raft.commitIndex(),
                raft.entries(query.fromIndex(), query.countMax()));
    }

    private Status status() {
        counters.sessionDuplicates.set(store.duplicateCount());
        return outputs.describe(raft, store, pending.size(), List.copyOf(transitions));
    }

    /** For whoever has to find the bug: where the node stood and what it was working on. */
    private String dump(List<Input> inputs) {
        StringBuilder text = new StringBuilder("an invariant broke; the node stops");
        text.append("\n  state: ").append(dumpState());
        for (Status.Change change : transitions) {
            text.append("\n  ").append(Log.utc(change.utcMillis())).append(' ');
            text.append(describe(change));
        }
        for (Input input : inputs) {
            text.append("\n  input: ").append(describe(input));
        }
        return text.toString();
    }

    private String dumpState() {
        try {
            return status().json();
        } catch (RuntimeException e) {
            return "unknown, " + e;
        }
    }

    private static @Nullable String describe(Input input) {
        return input instanceof ClientCall call
                ? call.request().getClass().getSimpleName() + " of a client"
                : input.toString();
    }
}
