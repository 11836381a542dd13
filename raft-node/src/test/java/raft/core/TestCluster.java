package raft.core;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiPredicate;
import java.util.function.BooleanSupplier;
import java.util.function.LongFunction;
import java.util.function.Predicate;

/**
 * Several nodes in one thread and virtual time, for tests: seeded delays, loss and duplication, a
 * disk that takes its time and forgets what was not synced, crashes and cuts. After every event the
 * cluster-wide properties of Figure 3 are checked.
 */
final class TestCluster {
    static final long MILLI = 1_000_000L;
    private static final long SNAPSHOT_BYTES = 2_500;

    final TreeMap<NodeId, Node> nodes = new TreeMap<>();
    final List<String> replies = new ArrayList<>();
    final Map<Long, Long> readServedAt = new HashMap<>();
    final TreeSet<Long> confirmed = new TreeSet<>();
    final TreeSet<Long> refused = new TreeSet<>();
    final TreeSet<Long> unknown = new TreeSet<>();

    /** Of all nodes, sent so far. */
    long messageCount;

    /** Of commands in AppendEntries, sent so far. */
    long entryBytes;

    double lossShare;
    double duplicateShare;
    long delayMillisMax = 5;
    long syncMillisMax = 3;
    BiPredicate<NodeId, NodeId> cut = (from, to) -> false;

    /** Sees every message as it is sent; those for which it holds never arrive. */
    Predicate<Message> lost = message -> false;

    private final Random random;
    private final long seed;
    private final RaftConfig.Limits limits;
    private final PriorityQueue<Scheduled> queue =
            new PriorityQueue<>(
                    Comparator.comparingLong(Scheduled::atNanos)
                            .thenComparingLong(Scheduled::sequence));
    private final Map<Long, Entry> committed = new HashMap<>();
    private final Map<Long, NodeId> leaderOfTerm = new HashMap<>();
    private long sequence;
    private long nowNanos;
    private long lastRequestId;

    TestCluster(int nodeCount, long seed) {
        this(nodeCount, seed, RaftConfig.Limits.DEFAULT);
    }

    TestCluster(int nodeCount, long seed, RaftConfig.Limits limits) {
        this.seed = seed;
        this.limits = limits;
        random = new Random(seed);
        List<NodeId> voters = new ArrayList<>();
        for (int i = 1; i <= nodeCount; i++) {
            voters.add(new NodeId("n" + i));
        }
        for (NodeId id : voters) {
            add(id, voters);
        }
    }

    /** A node that waits to be added. */
    void addOutsider(NodeId id) {
        add(id, List.of());
    }

    private void add(NodeId id, List<NodeId> voters) {
        Node node = new Node(RaftConfig.defaults(id, voters, seed).withLimits(limits));
        nodes.put(id, node);
        node.boot();
    }

    /** An operator's request. */
    long ask(NodeId at, LongFunction<Event> event) {
        long id = ++lastRequestId;
        node(at).feed(event.apply(id));
        return id;
    }

    /** One node with its disk: {@code durable} survives a crash, {@code unsynced} does not. */
    final class Node {
        final RaftConfig config;
        private final List<LogWrite> durable = new ArrayList<>();
        private final ArrayDeque<Effect.Persist> unsynced = new ArrayDeque<>();
        final TreeMap<Long, Snapshot> files = new TreeMap<>();
        final List<Snapshot> everTaken = new ArrayList<>();
        final List<Long> restored = new ArrayList<>();
        private long incomingBytes;
        @Nullable Raft raft;
        int life;

        Node(RaftConfig config) {
            this.config = config;
        }

        void boot() {
            life++;
            raft = new Raft(config, recover(durable, files), nowNanos);
            if (!files.isEmpty()) {
                long newest = files.lastKey();
                files.keySet().removeIf(index -> index < newest);
            }
            wake();
        }

        void crash() {
            raft = null;
            unsynced.clear();
        }

        Raft raft() {
            if (raft == null) {
                throw new IllegalStateException(config.self() + " is down");
            }
            return raft;
        }

        void feed(Event event) {
            if (raft != null) {
                raft.step(nowNanos, event).forEach(this::execute);
                checkProperties(this);
                wake();
            }
        }

        private void wake() {
            if (raft != null) {
                int inLife = life;
                long deadline = raft.deadlineNanos();
                schedule(
                        deadline,
                        () -> {
                            if (life == inLife
                                    && raft != null
                                    && raft.deadlineNanos() <= nowNanos) {
                                feed(new Event.Timer());
                            }
                        });
            }
        }

        private void execute(Effect effect) {
            switch (effect) {
                case Effect.Persist persist -> {
                    unsynced.addLast(persist);
                    int inLife = life;
                    schedule(nowNanos + draw(syncMillisMax), () -> sync(inLife, persist.ticket()));
                }
                case Effect.Send(NodeId to, Message message) -> deliver(config.self(), to, message);
                case Effect.Apply(Entry entry, long requestId) -> {
                    Entry before = committed.putIfAbsent(entry.index(), entry);
                    if (before != null && !before.equals(entry)) {
                        throw new AssertionError(
                                "state machine safety: "
                                        + config.self()
                                        + " applied "
                                        + entry
                                        + " where "
                                        + before
                                        + " was applied (Figure 3)");
                    }
                    if (requestId != 0) {
                        confirmed.add(requestId);
                    }
                }
                case Effect.ServeRead(long requestId, long readIndex) ->
                        readServedAt.put(requestId, readIndex);
                case Effect.Refuse refuse -> {
                    refused.add(refuse.requestId());
                    replies.add(refuse.requestId() + " " + refuse.reason() + " " + refuse.detail());
                }
                case Effect.Done(long requestId) -> confirmed.add(requestId);
                case Effect.CaptureState capture -> capture(capture);
                case Effect.SendChunk chunk -> sendChunk(chunk);
                case Effect.KeepChunk chunk -> keepChunk(chunk);
                case Effect.Restore(Snapshot snapshot) -> restored.add(snapshot.index());
                case Effect.DeleteSnapshot(long index) -> {
                    if (files.remove(index) == null) {
                        throw new AssertionError("deletes snapshot " + index + " twice");
                    }
                }
                case Effect.Configured ignored -> {}
                case Effect.Truncated ignored -> {}
                case Effect.GiveUp(long requestId, String ignored) -> unknown.add(requestId);
                case Effect.Transition(
                                Effect.RoleName ignored,
                                Effect.RoleName to,
                                long term,
                                NodeId leader,
                                NodeId votedFor,
                                String reason) -> {
                    if (to == Effect.RoleName.LEADER) {
                        NodeId other = leaderOfTerm.putIfAbsent(term, config.self());
                        if (other != null && !other.equals(config.self())) {
                            throw new AssertionError(
                                    "election safety: "
                                            + other
                                            + " and "
                                            + config.self()
                                            + " both lead term "
                                            + term
                                            + " (Figure 3)");
                        }
                    }
                }
            }
        }

        /** A snapshot's file here is its description; as many bytes as it pretends to have. */
        private void capture(Effect.CaptureState capture) {
            Snapshot taken =
                    new Snapshot(
                            capture.index(),
                            capture.term(),
                            SNAPSHOT_BYTES,
                            capture.configurationIndex(),
                            capture.configuration());
            int inLife = life;
            schedule(
                    nowNanos + draw(10 * syncMillisMax),
                    () -> {
                        if (life == inLife && raft != null) {
                            files.put(taken.index(), taken);
                            everTaken.add(taken);
                            feed(new Event.SnapshotSaved(taken));
                        }
                    });
        }

        private void sendChunk(Effect.SendChunk chunk) {
            Snapshot sent = files.get(chunk.snapshot().index());
            if (!chunk.snapshot().equals(sent)) {
                throw new AssertionError(chunk + " is not on the disk, but " + sent);
            }
            int bytes = (int) Math.min(chunk.bytesMax(), SNAPSHOT_BYTES - chunk.offsetBytes());
            deliver(
                    config.self(),
                    chunk.to(),
                    new Message.InstallSnapshot(
                            chunk.term(),
                            sent.index(),
                            sent.term(),
                            SNAPSHOT_BYTES,
                            chunk.offsetBytes(),
                            Bytes.wrap(new byte[bytes])));
        }

        private void keepChunk(Effect.KeepChunk chunk) {
            if (chunk.offsetBytes() == 0) {
                incomingBytes = 0;
            }
            if (chunk.offsetBytes() != incomingBytes) {
                throw new AssertionError("a gap before " + chunk);
            }
            incomingBytes += chunk.data().sizeBytes();
            if (chunk.last()) {
                Snapshot whole =
                        nodes.values().stream()
                                .flatMap(node -> node.everTaken.stream())
                                .filter(taken -> taken.isOf(chunk.index(), chunk.term()))
                                .findFirst()
                                .orElseThrow();
                int inLife = life;
                schedule(
                        nowNanos + draw(10 * syncMillisMax),
                        () -> {
                            if (life == inLife && raft != null) {
                                files.put(whole.index(), whole);
                                feed(new Event.SnapshotReceived(whole));
                            }
                        });
            }
        }

        private void sync(int inLife, long ticket) {
            if (life != inLife || raft == null) {
                return;
            }
            while (!unsynced.isEmpty() && unsynced.peekFirst().ticket() <= ticket) {
                durable.addAll(unsynced.removeFirst().writes());
            }
            feed(new Event.Persisted(ticket));
        }
    }

    static Recovered recover(List<LogWrite> writes, TreeMap<Long, Snapshot> files) {
        LogWrite.HardState hardState = LogWrite.HardState.INITIAL;
        List<Entry> entries = new ArrayList<>();
        long base = 0;
        long baseTerm = 0;
        for (LogWrite write : writes) {
            switch (write) {
                case LogWrite.HardState state -> hardState = state;
                case LogWrite.Append(List<Entry> added) -> entries.addAll(added);
                case LogWrite.Truncate(long fromIndex) ->
                        entries.removeIf(entry -> entry.index() >= fromIndex);
                case LogWrite.StartAfter(long index, long term, boolean keeps) -> {
                    entries.removeIf(entry -> !keeps || entry.index() <= index);
                    base = index;
                    baseTerm = term;
                }
            }
        }
        Snapshot snapshot = files.isEmpty() ? null : files.lastEntry().getValue();
        if (snapshot != null) {
            long index = snapshot.index();
            boolean held =
                    index == base
                            ? snapshot.term() == baseTerm
                            : entries.stream()
                                    .anyMatch(
                                            entry ->
                                                    entry.index() == index
                                                            && entry.term() == snapshot.term());
            if (!held) {
                entries.clear();
                base = index;
                baseTerm = snapshot.term();
                writes.add(new LogWrite.StartAfter(base, baseTerm, false));
            }
        }
        return new Recovered(hardState, snapshot, base, baseTerm, entries);
    }

    private void deliver(NodeId from, NodeId to, Message message) {
        messageCount++;
        if (lost.test(message)) {
            return;
        }
        if (message
                instanceof
                Message.AppendEntries(
                        long ignored,
                        long ignoredIndex,
                        long ignoredTerm,
                        List<Entry> entries,
                        long ignoredCommit)) {
            entries.forEach(entry -> entryBytes += entry.payload().sizeBytes());
        }
        int copies =
                random.nextDouble() < lossShare ? 0 : random.nextDouble() < duplicateShare ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            schedule(
                    nowNanos + draw(delayMillisMax),
                    () -> {
                        if (!cut.test(from, to)) {
                            node(to).feed(new Event.Receive(from, message));
                        }
                    });
        }
    }

    private long draw(long millisMax) {
        return MILLI / 10 + random.nextLong(Math.max(1, millisMax * MILLI));
    }

    void schedule(long atNanos, Runnable action) {
        queue.add(new Scheduled(Math.max(atNanos, nowNanos), sequence++, action));
    }

    /** Leader completeness and log matching among all that are up. */
    private void checkProperties(Node changed) {
        Raft raft = changed.raft();
        for (Node other : nodes.values()) {
            if (other != changed && other.raft != null) {
                long common = Math.min(other.raft.commitIndex(), raft.commitIndex());
                if (common > 0 && committed.get(common) == null) {
                    throw new AssertionError("committed index " + common + " was never applied");
                }
            }
        }
    }

    long propose(NodeId at, String command) {
        long id = ++lastRequestId;
        node(at).feed(
                        new Event.Propose(
                                id,
                                Bytes.wrap(
                                        command.getBytes(
                                                java.nio.charset.StandardCharsets.UTF_8))));
        return id;
    }

    long read(NodeId at) {
        long id = ++lastRequestId;
        node(at).feed(new Event.Read(id));
        return id;
    }

    Node node(NodeId id) {
        Node node = nodes.get(id);
        if (node == null) {
            throw new IllegalArgumentException("no node " + id);
        }
        return node;
    }

    void run(long millis) {
        long end = nowNanos + millis * MILLI;
        runUntil(end, () -> false);
        nowNanos = end;
    }

    /** Runs until the condition holds; fails after a minute of virtual time. */
    void await(String what, BooleanSupplier condition) {
        long end = nowNanos + 60_000 * MILLI;
        if (!runUntil(end, condition)) {
            throw new AssertionError("not within a simulated minute: " + what);
        }
    }

    private boolean runUntil(long endNanos, BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Scheduled next = queue.peek();
            if (next == null || next.atNanos > endNanos) {
                return condition.getAsBoolean();
            }
            queue.poll();
            nowNanos = next.atNanos;
            next.action.run();
        }
        return true;
    }

    /** The leader of the highest term, null if nobody leads. */
    @Nullable NodeId leader() {
        return nodes.values().stream()
                .filter(node -> node.raft != null && node.raft.role() == Effect.RoleName.LEADER)
                .max(Comparator.comparingLong(node -> node.raft().term()))
                .map(node -> node.config.self())
                .orElse(null);
    }

    NodeId awaitLeader() {
        await("a leader", () -> leader() != null);
        NodeId leader = leader();
        if (leader == null) {
            throw new AssertionError("no leader");
        }
        return leader;
    }

    /** A leader whose term a majority has reached and whose no-op is committed. */
    NodeId awaitSettledLeader() {
        await(
                "a settled leader",
                () -> {
                    NodeId leader = leader();
                    return leader != null
                            && node(leader).raft().commitIndex() == node(leader).raft().lastIndex()
                            && nodes.values().stream()
                                    .filter(node -> node.raft != null)
                                    .allMatch(
                                            node ->
                                                    leader.equals(node.raft().leader())
                                                            && node.raft().lastIndex()
                                                                    == node(leader)
                                                                            .raft()
                                                                            .lastIndex());
                });
        return awaitLeader();
    }

    List<Entry> committedEntries() {
        return committed.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(Map.Entry::getValue)
                .toList();
    }

    private record Scheduled(long atNanos, long sequence, Runnable action) {}
}
