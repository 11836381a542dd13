package raft.core;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Nodes that move only when a transcript says so: messages wait until they are delivered, writes
 * until they are synced, time until somebody's deadline is named. Each command answers with what
 * happened, a line each.
 */
final class GoldenWorld {
    private static final int DELIVERIES_MAX = 5_000;

    private final TreeMap<NodeId, Peer> peers = new TreeMap<>();
    private final List<Envelope> network = new ArrayList<>();

    /** Copies that arrive later. */
    private final List<Envelope> held = new ArrayList<>();

    private final TreeSet<NodeId> cut = new TreeSet<>();
    private final List<String> out = new ArrayList<>();
    private long nowNanos;
    private long lastRequestId;
    private RaftConfig.Limits limits = RaftConfig.Limits.DEFAULT;
    private int leaseDriftPercent = RaftConfig.NO_LEASE;
    private List<Configuration.Member> initial = List.of();

    /** All that were taken, by index: what arrives somewhere is one of these. */
    private final Map<Long, Snapshot> snapshots = new HashMap<>();

    private record Envelope(NodeId from, NodeId to, Message message) {}

    /** One node and its disk. */
    private static final class Peer {
        final NodeId id;
        final List<LogWrite> durable = new ArrayList<>();
        final ArrayDeque<Effect.Persist> unsynced = new ArrayDeque<>();
        final TreeMap<Long, Snapshot> files = new TreeMap<>();
        boolean slowDisk;
        @Nullable Raft raft;

        Peer(NodeId id) {
            this.id = id;
        }

        Raft up() {
            return Objects.requireNonNull(raft, id + " is down");
        }
    }

    /** Carries out one line; the answer is what it made happen. */
    List<String> run(String line) {
        out.clear();
        String[] words = line.strip().split("\\s+", -1);
        List<String> args = List.of(words).subList(1, words.length);
        switch (words[0]) {
            case "nodes" -> nodes(args);
            case "start" -> start(args);
            case "crash" -> crash(peer(args.getFirst()));
            case "wipe" -> wipe(peer(args.getFirst()));
            case "timeout" -> timeout(peer(args.getFirst()));
            case "advance" -> nowNanos += Long.parseLong(args.getFirst()) * 1_000_000L;
            case "run" -> runFor(Long.parseLong(args.getFirst()));
            case "deliver" -> deliver(args);
            case "duplicate" -> held.addAll(matching(args));
            case "release" -> {
                network.addAll(held);
                held.clear();
            }
            case "drop" -> drop(args);
            case "cut" -> args.forEach(id -> cut.add(new NodeId(id)));
            case "heal" -> cut.clear();
            case "slow-disk" -> peer(args.getFirst()).slowDisk = true;
            case "sync" -> sync(peer(args.getFirst()));
            case "propose" -> propose(peer(args.get(0)), args.get(1));
            case "read" -> feed(peer(args.getFirst()), new Event.Read(request("read"), false));
            case "lease-read" -> feed(peer(args.getFirst()), new Event.Read(request("read"), true));
            case "add-learner" -> change(args, new Change.AddLearner(id(args, 1), args.get(1)));
            case "promote" -> change(args, new Change.Promote(id(args, 1)));
            case "remove" -> change(args, new Change.Remove(id(args, 1)));
            case "transfer" ->
                    feed(
                            peer(args.get(0)),
                            new Event.TransferLeadership(request("transfer"), id(args, 1)));
            case "campaign" ->
                    feed(peer(args.getFirst()), new Event.StartElection(request("campaign")));
            case "snapshot" ->
                    feed(peer(args.getFirst()), new Event.TakeSnapshot(request("snapshot")));
            case "inject-snapshot" -> injectSnapshot(args);
            case "messages" -> network.forEach(e -> out.add(show(e)));
            case "status" -> peers.values().forEach(this::status);
            case "expect" -> expect(args);
            default -> throw new IllegalArgumentException("no command " + words[0]);
        }
        return List.copyOf(out);
    }

    // ---- Commands ----

    /** nodes n1 n2 n3 [learner=n4] [append-bytes=1] [snapshot-bytes=200] [chunk=10] [lease=10] */
    private void nodes(List<String> args) {
        List<Configuration.Member> members = new ArrayList<>();
        for (String arg : args) {
            int equals = arg.indexOf('=');
            String value = arg.substring(equals + 1);
            switch (equals < 0 ? "voter" : arg.substring(0, equals)) {
                case "voter" -> members.add(new Configuration.Member(new NodeId(arg), arg, true));
                case "learner" ->
                        members.add(new Configuration.Member(new NodeId(value), value, false));
                case "append-bytes" -> limits = limits.withAppends(Integer.parseInt(value), 64);
                case "snapshot-bytes" ->
                        limits = limits.withSnapshots(Long.parseLong(value), limits.chunkBytes());
                case "chunk" ->
                        limits =
                                limits.withSnapshots(
                                        limits.snapshotLogBytes(), Integer.parseInt(value));
                case "lease" -> leaseDriftPercent = Integer.parseInt(value);
                default -> throw new IllegalArgumentException("no option " + arg);
            }
        }
        initial = members;
        for (Configuration.Member member : members) {
            peers.put(member.id(), new Peer(member.id()));
            boot(peer(member.id().name()));
        }
    }

    /** start n1 [term=8] [log=1,1,2] [waiting]: from its disk, or with another one. */
    private void start(List<String> args) {
        Peer peer = peers.computeIfAbsent(new NodeId(args.getFirst()), Peer::new);
        long term = -1;
        List<Entry> entries = null;
        boolean waiting = false;
        for (String arg : args.subList(1, args.size())) {
            if (arg.startsWith("term=")) {
                term = Long.parseLong(arg.substring(5));
            } else if (arg.startsWith("log=")) {
                entries = new ArrayList<>();
                for (String entryTerm : arg.substring(4).split(",", -1)) {
                    long index = entries.size() + 1;
                    entries.add(
                            new Entry(
                                    index,
                                    Long.parseLong(entryTerm),
                                    Entry.Kind.COMMAND,
                                    bytes("e" + index + "t" + entryTerm)));
                }
            } else if (arg.equals("waiting")) {
                waiting = true;
            } else {
                throw new IllegalArgumentException("no option " + arg);
            }
        }
        if (entries != null) {
            long last = entries.getLast().term();
            peer.durable.clear();
            peer.durable.add(new LogWrite.HardState(Math.max(term, last), null));
            peer.durable.add(new LogWrite.Append(entries));
        }
        List<Configuration.Member> before = initial;
        initial = waiting ? List.of() : initial;
        boot(peer);
        initial = before;
    }

    private void boot(Peer peer) {
        RaftConfig defaults = RaftConfig.defaults(peer.id, List.of(), 1);
        RaftConfig config =
                new RaftConfig(
                        peer.id,
                        new Configuration(initial),
                        defaults.electionTimeoutNanos(),
                        defaults.heartbeatNanos(),
                        leaseDriftPercent,
                        limits,
                        1);
        peer.raft = new Raft(config, TestCluster.recover(peer.durable, peer.files), nowNanos);
        out.add(line(peer));
    }

    private void crash(Peer peer) {
        peer.raft = null;
        peer.unsynced.clear();
        network.removeIf(e -> e.from.equals(peer.id) || e.to.equals(peer.id));
    }

    /** A crash after which the disk is empty. */
    private void wipe(Peer peer) {
        crash(peer);
        peer.durable.clear();
        peer.files.clear();
    }

    private void timeout(Peer peer) {
        nowNanos = Math.max(nowNanos, peer.up().deadlineNanos());
        feed(peer, new Event.Timer());
    }

    /** Time passes: timers fire when due, messages arrive at once. Tells what nodes do alone. */
    private void runFor(long millis) {
        long end = nowNanos + millis * 1_000_000L;
        Peer next = nextDue();
        while (next.up().deadlineNanos() <= end) {
            timeout(next);
            deliver(List.of());
            next = nextDue();
        }
        nowNanos = end;
        out.removeIf(line -> line.contains(">"));
    }

    private Peer nextDue() {
        return peers.values().stream()
                .filter(peer -> peer.raft != null)
                .min(java.util.Comparator.comparingLong(peer -> peer.up().deadlineNanos()))
                .orElseThrow();
    }

    /**
     * deliver [n1>n2] [Type]: everything that waits and matches; without words: until all rests.
     */
    private void deliver(List<String> args) {
        int delivered = 0;
        List<Envelope> round = matching(args);
        while (!round.isEmpty()) {
            for (Envelope envelope : round) {
                network.remove(envelope);
                boolean lost = cut.contains(envelope.from) || cut.contains(envelope.to);
                Peer to = peers.get(envelope.to);
                if (lost || to == null || to.raft == null) {
                    out.add(show(envelope) + " is lost");
                } else {
                    out.add(show(envelope));
                    feed(to, new Event.Receive(envelope.from, envelope.message));
                }
                if (++delivered > DELIVERIES_MAX) {
                    throw new IllegalStateException("the nodes never rest");
                }
            }
            round = args.isEmpty() ? List.copyOf(network) : List.of();
        }
    }

    private void drop(List<String> args) {
        for (Envelope envelope : matching(args)) {
            network.remove(envelope);
            out.add(show(envelope) + " is lost");
        }
    }

    private List<Envelope> matching(List<String> args) {
        Predicate<Envelope> wanted = envelope -> true;
        for (String arg : args) {
            int arrow = arg.indexOf('>');
            if (arrow < 0) {
                wanted = wanted.and(e -> e.message.getClass().getSimpleName().equals(arg));
            } else {
                String from = arg.substring(0, arrow);
                String to = arg.substring(arrow + 1);
                wanted =
                        wanted.and(
                                e ->
                                        (from.isEmpty() || e.from.name().equals(from))
                                                && (to.isEmpty() || e.to.name().equals(to)));
            }
        }
        return network.stream().filter(wanted).toList();
    }

    private void sync(Peer peer) {
        Effect.Persist first = peer.unsynced.peekFirst();
        if (first == null) {
            throw new IllegalStateException("nothing waits for the disk of " + peer.id);
        }
        persisted(peer, first);
    }

    private void persisted(Peer peer, Effect.Persist persist) {
        peer.unsynced.remove(persist);
        peer.durable.addAll(persist.writes());
        feed(peer, new Event.Persisted(persist.ticket()));
    }

    private void propose(Peer peer, String command) {
        feed(peer, new Event.Propose(request("write " + command), bytes(command)));
    }

    private void change(List<String> args, Change change) {
        feed(peer(args.getFirst()), new Event.ChangeMembership(request("change"), change));
    }

    /** inject-snapshot n1>n3 term=2 index=3 entry-term=1: one that n1 once took, in one piece. */
    private void injectSnapshot(List<String> args) {
        int arrow = args.getFirst().indexOf('>');
        long term = number(args, "term=");
        long index = number(args, "index=");
        long entryTerm = number(args, "entry-term=");
        network.add(
                new Envelope(
                        new NodeId(args.getFirst().substring(0, arrow)),
                        new NodeId(args.getFirst().substring(arrow + 1)),
                        new Message.InstallSnapshot(
                                term, index, entryTerm, 10, 0, Bytes.wrap(new byte[10]))));
    }

    private static long number(List<String> args, String name) {
        return args.stream()
                .filter(arg -> arg.startsWith(name))
                .mapToLong(arg -> Long.parseLong(arg.substring(name.length())))
                .findFirst()
                .orElseThrow();
    }

    /**
     * expect n1 role=leader term=2 commit=3 log=1,1,2 …: fails whatever the transcript says, so
     * that rewriting cannot bless what is wrong.
     */
    private void expect(List<String> args) {
        Peer peer = peer(args.getFirst());
        for (String arg : args.subList(1, args.size())) {
            int equals = arg.indexOf('=');
            String wanted = arg.substring(equals + 1);
            Raft raft = peer.up();
            String found =
                    switch (arg.substring(0, equals)) {
                        case "role" -> raft.role().name().toLowerCase(java.util.Locale.ROOT);
                        case "term" -> "" + raft.term();
                        case "leader" -> "" + raft.leader();
                        case "vote" -> "" + raft.votedFor();
                        case "commit" -> "" + raft.commitIndex();
                        case "applied" -> "" + raft.appliedIndex();
                        case "first" -> "" + raft.firstIndex();
                        case "last" -> "" + raft.lastIndex();
                        case "durable" -> "" + raft.durableIndex();
                        case "log" -> log(raft);
                        case "voters" -> names(raft.configuration().voters());
                        case "learners" -> names(raft.configuration().learners());
                        default -> throw new IllegalArgumentException("no property " + arg);
                    };
            if (!found.equals(wanted)) {
                throw new AssertionError(peer.id + ": expected " + arg + ", found " + found);
            }
        }
    }

    // ---- Steps ----

    private void feed(Peer peer, Event event) {
        List<Effect> effects;
        try {
            effects = peer.up().step(nowNanos, event);
        } catch (IllegalStateException e) {
            out.add("  " + peer.id + " STOPS: " + e.getMessage());
            crash(peer);
            return;
        }
        for (Effect effect : effects) {
            execute(peer, effect);
        }
        if (!peer.slowDisk) {
            while (peer.raft != null && !peer.unsynced.isEmpty()) {
                persisted(peer, peer.unsynced.getFirst());
            }
        }
    }

    private void execute(Peer peer, Effect effect) {
        String node = "  " + peer.id + " ";
        switch (effect) {
            case Effect.Persist persist -> {
                peer.unsynced.addLast(persist);
                persist.writes().forEach(write -> out.add(node + "writes " + show(write)));
            }
            case Effect.Send(NodeId to, Message message) -> {
                network.add(new Envelope(peer.id, to, message));
            }
            case Effect.Apply(Entry entry, long requestId) ->
                    out.add(
                            node
                                    + "applies "
                                    + show(entry)
                                    + (requestId == 0 ? "" : ", answers r" + requestId));
            case Effect.ServeRead(long requestId, long readIndex) ->
                    out.add(
                            node
                                    + "serves read r"
                                    + requestId
                                    + " at index "
                                    + readIndex
                                    + ", applied "
                                    + peer.up().appliedIndex());
            case Effect.Refuse refuse ->
                    out.add(
                            node
                                    + "refuses r"
                                    + refuse.requestId()
                                    + ": "
                                    + refuse.reason()
                                    + (refuse.detail().isEmpty() ? "" : " " + refuse.detail()));
            case Effect.Done(long requestId) -> out.add(node + "has done r" + requestId);
            case Effect.GiveUp(long requestId, String reason) ->
                    out.add(node + "answers r" + requestId + " unknown: " + reason);
            case Effect.CaptureState capture -> {
                Snapshot taken =
                        new Snapshot(
                                capture.index(),
                                capture.term(),
                                10,
                                capture.configurationIndex(),
                                capture.configuration());
                peer.files.put(taken.index(), taken);
                snapshots.put(taken.index(), taken);
                out.add(node + "takes a snapshot at " + taken.index() + "/" + taken.term());
                feed(peer, new Event.SnapshotSaved(taken));
            }
            case Effect.SendChunk chunk -> {
                Snapshot sent = chunk.snapshot();
                int bytes = (int) Math.min(chunk.bytesMax(), 10 - chunk.offsetBytes());
                network.add(
                        new Envelope(
                                peer.id,
                                chunk.to(),
                                new Message.InstallSnapshot(
                                        chunk.term(),
                                        sent.index(),
                                        sent.term(),
                                        10,
                                        chunk.offsetBytes(),
                                        Bytes.wrap(new byte[bytes]))));
            }
            case Effect.KeepChunk chunk -> {
                if (chunk.last()) {
                    // One that a transcript made up holds the members that all began with.
                    Snapshot whole =
                            snapshots.getOrDefault(
                                    chunk.index(),
                                    new Snapshot(
                                            chunk.index(),
                                            chunk.term(),
                                            10,
                                            0,
                                            new Configuration(initial)));
                    peer.files.put(whole.index(), whole);
                    feed(peer, new Event.SnapshotReceived(whole));
                }
            }
            case Effect.Restore(Snapshot snapshot) ->
                    out.add(node + "restores the snapshot of " + snapshot.index());
            case Effect.DeleteSnapshot(long index) -> peer.files.remove(index);
            case Effect.Configured(long index, Configuration configuration) ->
                    out.add(node + "has members " + configuration + " by index " + index);
            case Effect.Truncated(long fromIndex) ->
                    out.add(node + "TRUNCATES its log from " + fromIndex);
            case Effect.Transition transition ->
                    out.add(
                            node
                                    + "is "
                                    + word(transition.to().name())
                                    + " in term "
                                    + transition.term()
                                    + ": "
                                    + transition.reason());
        }
    }

    // ---- Words ----

    private void status(Peer peer) {
        out.add(line(peer));
    }

    private static String line(Peer peer) {
        Raft raft = peer.raft;
        return raft == null
                ? peer.id + " is down"
                : peer.id
                        + " "
                        + word(raft.role().name())
                        + " term="
                        + raft.term()
                        + " vote="
                        + Objects.requireNonNullElse(raft.votedFor(), "-")
                        + " leader="
                        + Objects.requireNonNullElse(raft.leader(), "-")
                        + " commit="
                        + raft.commitIndex()
                        + (raft.firstIndex() == 1 ? "" : " first=" + raft.firstIndex())
                        + " log="
                        + log(raft);
    }

    /** The terms of its entries. */
    private static String log(Raft raft) {
        return raft.entries(1, Integer.MAX_VALUE).stream()
                .map(entry -> "" + entry.term())
                .collect(Collectors.joining(","));
    }

    private static String names(List<NodeId> ids) {
        return ids.stream().map(NodeId::name).collect(Collectors.joining(","));
    }

    private static String show(Envelope envelope) {
        return envelope.from + ">" + envelope.to + " " + show(envelope.message);
    }

    private static String show(Message message) {
        String name = message.getClass().getSimpleName() + " term=" + message.term();
        return name
                + switch (message) {
                    case Message.PreVoteRequest m ->
                            " for=" + m.prospectiveTerm() + last(m.lastLogIndex(), m.lastLogTerm());
                    case Message.PreVoteReply m -> m.granted() ? " granted" : " denied";
                    case Message.VoteRequest m ->
                            last(m.lastLogIndex(), m.lastLogTerm())
                                    + (m.handedOver() ? " handed-over" : "");
                    case Message.VoteReply m -> m.granted() ? " granted" : " denied";
                    case Message.AppendEntries m ->
                            " prev="
                                    + m.prevLogIndex()
                                    + "/"
                                    + m.prevLogTerm()
                                    + " commit="
                                    + m.leaderCommit()
                                    + " entries="
                                    + m.entries().stream()
                                            .map(e -> e.index() + "/" + e.term())
                                            .toList();
                    case Message.AppendAccepted m -> " match=" + m.matchIndex();
                    case Message.AppendRejected m ->
                            " prev="
                                    + m.prevLogIndex()
                                    + " hint="
                                    + m.hintIndex()
                                    + "/"
                                    + m.hintTerm();
                    case Message.Heartbeat m -> " commit=" + m.commit() + " round=" + m.round();
                    case Message.HeartbeatReply m -> " round=" + m.round();
                    case Message.InstallSnapshot m ->
                            " last="
                                    + m.index()
                                    + "/"
                                    + m.snapshotTerm()
                                    + " bytes "
                                    + m.offsetBytes()
                                    + "-"
                                    + (m.offsetBytes() + m.data().sizeBytes())
                                    + " of "
                                    + m.sizeBytes();
                    case Message.SnapshotReply m -> " wants=" + m.wantedOffsetBytes();
                    case Message.TimeoutNow ignored -> "";
                    case Message.ReadIndexRequest ignored -> "";
                    case Message.ReadIndexReply m -> " index=" + m.readIndex();
                };
    }

    private static String last(long index, long term) {
        return " last=" + index + "/" + term;
    }

    private static String show(LogWrite write) {
        return switch (write) {
            case LogWrite.HardState(long term, NodeId vote) ->
                    "term " + term + (vote == null ? "" : ", vote for " + vote);
            case LogWrite.Append(List<Entry> entries) ->
                    entries.stream().map(GoldenWorld::show).collect(Collectors.joining(", "));
            case LogWrite.Truncate(long from) -> "truncation from " + from;
            case LogWrite.StartAfter(long index, long term, boolean keeps) ->
                    "start behind "
                            + index
                            + "/"
                            + term
                            + (keeps ? ", keeping what follows" : ", nothing follows");
        };
    }

    private static String show(Entry entry) {
        String what =
                entry.kind() == Entry.Kind.COMMAND
                        ? new String(entry.payload().unsafeArray(), StandardCharsets.UTF_8)
                        : word(entry.kind().name());
        return entry.index() + "/" + entry.term() + " " + what;
    }

    private static String word(String name) {
        return name.toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }

    private Peer peer(String id) {
        return Objects.requireNonNull(peers.get(new NodeId(id)), "no node " + id);
    }

    private static NodeId id(List<String> args, int at) {
        return new NodeId(args.get(at));
    }

    private long request(String what) {
        lastRequestId++;
        out.add("r" + lastRequestId + " " + what);
        return lastRequestId;
    }

    private static Bytes bytes(String text) {
        return Bytes.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Everybody's names, for the test's message. */
    Map<NodeId, String> state() {
        TreeMap<NodeId, String> lines = new TreeMap<>();
        peers.forEach((id, peer) -> lines.put(id, line(peer)));
        return lines;
    }
}
