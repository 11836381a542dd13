package raft.node;

import org.jspecify.annotations.Nullable;

import raft.client.ClientCodec;
import raft.client.ServerHello;
import raft.core.Configuration;
import raft.core.Effect;
import raft.core.Event;
import raft.core.Message;
import raft.core.NodeId;
import raft.core.Raft;
import raft.core.RaftConfig;
import raft.core.Snapshot;
import raft.core.Tally;
import raft.kv.Image;
import raft.kv.KeyValueStore;
import raft.kv.UnreadableSnapshotException;
import raft.peer.Handshake;
import raft.storage.DataDirectory;
import raft.storage.SavedState;
import raft.storage.Wal;

import java.io.Closeable;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One running node: recovers its log, listens, and joins the threads that make it up.
 *
 * <p>Threads: the event loop ({@link EventLoop}), the writer of the log ({@link StorageThread}) and
 * its helper, one sender and one listener per link to a peer ({@link PeerLink}), one receiver per
 * connection from a peer ({@link PeerServer}), one for all clients ({@link ClientServer}), and
 * HTTP's. They share nothing but mailboxes and counters.
 */
public final class Node implements Closeable {
    private static final long STATUS_MILLIS_MAX = 1000;
    static final String MEMBERS = "members";

    /** Above this, peers' connections are no longer read until the loop has caught up. */
    private static final int INBOX_COUNT_MAX = 8192;

    private static final long PENDING_BYTES_MAX = 64 << 20;
    private static final long INBOX_BYTES_MAX = 32 << 20;

    private final NodeConfig config;
    private final NodeClock clock = NodeClock.SYSTEM;
    private final long startedNanos = clock.nanoTime();
    private final long bootId;
    private final Log log;
    private final Counters counters = new Counters();
    private final Timings timings = new Timings();
    private final Trace trace;
    private final @Nullable OutputStream traceFile;
    private final Mailbox<Input> inbox = new Mailbox<>(INBOX_COUNT_MAX, INBOX_BYTES_MAX);
    private final Peers links;

    private final DataDirectory data;
    private final StorageThread storage;
    private final SpareThread spare;
    private final SnapshotThread snapshots;
    private final PeerServer peers;
    private final ClientServer clients;
    private final @Nullable HttpStatus http;
    private final InetSocketAddress clientAddress;

    private final Thread loopThread;
    private final List<Thread> diskThreads;
    private final Thread clientThread;
    private boolean closed;

    /** Written by the event loop once it runs. */
    private volatile Status.Standing standing = Status.Standing.WAITING;

    /**
     * Starts a node.
     *
     * @param fatal what to do when the node must not go on
     * @throws IOException with one sentence for people, when an address is taken, the data
     *     directory is in use or belongs to another node, or the log is damaged; nothing is left
     *     open then
     */
    public static Node start(NodeConfig config, Log log, Fatal fatal) throws IOException {
        List<Closeable> opened = new ArrayList<>();
        try {
            return new Node(config, log, fatal, opened);
        } catch (IOException | RuntimeException e) {
            for (Closeable closeable : opened.reversed()) {
                closeable.close();
            }
            throw e;
        }
    }

    private Node(NodeConfig config, Log log, Fatal fatal, List<Closeable> opened)
            throws IOException {
        this.config = config;
        this.log = log;
        SplittableRandom random = new SplittableRandom();
        this.bootId = random.nextLong();
        this.data =
                DataDirectory.open(config.dataDir(), config.clusterId(), config.nodeId().name());
        opened.add(data);
        Wal.Opened wal = Wal.open(data.disk(), Wal.DEFAULT_SEGMENT_BYTES, random::nextLong);
        opened.add(wal.wal());
        NodeConfig.Tls tls = config.tls();
        Certificates certificates = tls == null ? null : Certificates.load(tls, config.nodeId());
        Certificates forPeers = tls != null && tls.peers() ? certificates : null;
        Certificates forClients = tls != null && tls.clients() ? certificates : null;
        this.traceFile = openTrace(config.trace(), opened);
        this.trace = new Trace(config.nodeId().name(), clock, traceFile, log);
        ServerSocketChannel peerListener = listen(config.peerListen(), "peers", opened);
        ServerSocketChannel clientListener = listen(config.clientListen(), "clients", opened);
        this.clientAddress = (InetSocketAddress) clientListener.getLocalAddress();
        Configuration initial = initialMembers();
        Raft raft =
                new Raft(raftConfig(random.nextLong(), initial), wal.recovered(), clock.nanoTime());
        KeyValueStore store = new KeyValueStore();
        SavedState state = wal.state();
        if (state != null) {
            try (InputStream bytes = state.open()) {
                store.restore(bytes, state.sizeBytes());
            } catch (UnreadableSnapshotException e) {
                throw new IOException("the newest snapshot: " + e.getMessage(), e);
            }
        }

        Handshake.Hello hello =
                new Handshake.Hello(
                        Handshake.PROTOCOL_VERSION,
                        config.clusterId(),
                        config.nodeId(),
                        bootId,
                        data.dataId(random::nextLong),
                        ownAddress(raft.configuration()));
        PeerIdentities identities = new PeerIdentities(data);
        this.links =
                new Peers(
                        config.nodeId(),
                        config.members(),
                        initial,
                        identities,
                        (id, address) -> {
                            PeerLink link =
                                    new PeerLink(
                                            id,
                                            address,
                                            hello,
                                            identities,
                                            forPeers,
                                            clock,
                                            counters,
                                            log,
                                            id.name().hashCode() ^ bootId);
                            vital("peer-" + id, link::run, fatal);
                            return link;
                        });
        this.spare = new SpareThread(wal.wal(), fatal);
        this.storage =
                new StorageThread(
                        wal.wal(), clock, counters, timings, this::persisted, spare::wish, fatal);
        this.snapshots =
                new SnapshotThread(wal.snapshots(), inbox::put, links::send, counters, log, fatal);
        this.peers =
                new PeerServer(peerListener, hello, links, forPeers, inbox, clock, counters, log);
        ServerHello.Accepted welcome =
                new ServerHello.Accepted(
                        ClientCodec.VERSION, config.nodeId().name(), config.clusterId());
        this.clients =
                new ClientServer(
                        clientListener,
                        welcome,
                        pendingBytesMax(),
                        config.limits(),
                        forClients,
                        inbox,
                        clock,
                        counters,
                        timings,
                        log);
        opened.add(clients);
        NodeConfig.Address httpListen = config.httpListen();
        this.http =
                httpListen == null
                        ? null
                        : listenForHttp(
                                httpListen,
                                tls != null && tls.http() ? certificates : null,
                                opened);
        EventLoop loop =
                new EventLoop(
                        raft,
                        store,
                        inbox,
                        clock,
                        counters,
                        log,
                        fatal,
                        trace,
                        new Stopwatch(timings, clock),
                        new Wiring());

        log.info(
                "starting in cluster "
                        + config.clusterId()
                        + " with "
                        + wal.recovered().entries().size()
                        + " entries behind index "
                        + wal.recovered().baseIndex()
                        + " and term "
                        + wal.recovered().hardState().term()
                        + " from "
                        + config.dataDir());
        this.diskThreads =
                List.of(
                        Threads.start("storage", storage),
                        Threads.start("spare", spare),
                        Threads.start("snapshots", snapshots));
        this.loopThread = Threads.start("loop", loop::run);
        links.configured(raft.configuration());
        committed(raft.committedConfiguration());
        vital("peers", peers::run, fatal);
        this.clientThread = vital("clients", clients::run, fatal);
        if (http != null) {
            http.start();
        }
        log.info(
                "listening for peers on "
                        + config.peerListen()
                        + ", for clients on "
                        + config.clientListen()
                        + (httpListen == null ? "" : ", for HTTP on " + httpListen));
    }

    /** Where clients connect. */
    public InetSocketAddress clientAddress() {
        return clientAddress;
    }

    /** Where HTTP is served; null: nowhere. */
    public @Nullable InetSocketAddress httpAddress() {
        return http == null ? null : http.address();
    }

    /**
     * A consistent snapshot.
     *
     * @throws TimeoutException if the event loop does not answer within a second
     */
    public Status status() throws TimeoutException, InterruptedException {
        CompletableFuture<Status> answer = new CompletableFuture<>();
        inbox.put(new Input.StatusQuery(answer));
        try {
            return answer.get(STATUS_MILLIS_MAX, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * A piece of the log.
     *
     * @param fromIndex of the first entry wanted; earlier ones than there are count as the first
     * @throws TimeoutException if the event loop does not answer within a second
     */
    LogView log(long fromIndex, int countMax) throws TimeoutException, InterruptedException {
        CompletableFuture<LogView> answer = new CompletableFuture<>();
        inbox.put(new Input.LogQuery(fromIndex, countMax, answer));
        try {
            return answer.get(STATUS_MILLIS_MAX, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Stops in order: clients get an answer each, what was to be written is written. Idempotent.
     */
    @Override
    public void close() {
        stop(true);
    }

    /** Stops like a killed process: nobody is answered, what waits is lost. For tests. */
    void kill() {
        stop(false);
    }

    private synchronized void stop(boolean graceful) {
        if (closed) {
            return;
        }
        closed = true;
        log.info("stopping");
        clients.refuseNew();
        if (graceful) {
            inbox.put(new Input.Stop());
        } else {
            inbox.close(true);
        }
        Threads.join(loopThread);
        inbox.close(true);
        clients.stop();
        Threads.join(clientThread);
        peers.stop();
        links.stop();
        if (http != null) {
            http.stop();
        }
        storage.close(!graceful);
        spare.close();
        snapshots.close();
        diskThreads.forEach(Threads::join);
        try {
            data.close();
            if (traceFile != null) {
                traceFile.close();
            }
        } catch (IOException e) {
            log.warn("cannot unlock the data directory or close the trace: " + e);
        }
        log.info("stopped");
    }

    /**
     * Whom the cluster began with, by the settings of this node's first start: it must not forget
     * them when somebody edits the settings later. Nobody, where the settings did not name this
     * node then: it waits to be added.
     */
    private Configuration initialMembers() throws IOException {
        String text = data.text(MEMBERS);
        if (text == null) {
            boolean founder = config.members().containsKey(config.nodeId());
            text = founder ? config.membersText() : "";
            data.putText(MEMBERS, text);
        }
        return membersOf(text);
    }

    /** Who the file {@link #MEMBERS} says that the cluster began with. */
    static Configuration membersOf(String text) {
        List<Configuration.Member> members = new ArrayList<>();
        for (String part : text.isEmpty() ? List.<String>of() : List.of(text.split(","))) {
            int equals = part.indexOf('=');
            NodeId id = new NodeId(part.substring(0, equals));
            members.add(new Configuration.Member(id, part.substring(equals + 1), true));
        }
        return new Configuration(members);
    }

    /** Where others reach this node, as far as it knows; empty where it does not. */
    private String ownAddress(Configuration members) {
        NodeConfig.Address told = config.members().get(config.nodeId());
        if (told != null) {
            return told.toString();
        }
        return members.members().stream()
                .filter(member -> member.id().equals(config.nodeId()))
                .map(Configuration.Member::address)
                .findFirst()
                .orElse("");
    }

    private RaftConfig raftConfig(long seed, Configuration initial) {
        RaftConfig defaults = RaftConfig.defaults(config.nodeId(), List.of(), seed);
        return new RaftConfig(
                defaults.self(),
                initial,
                TimeUnit.MILLISECONDS.toNanos(config.electionTimeoutMillis()),
                TimeUnit.MILLISECONDS.toNanos(config.heartbeatMillis()),
                config.leaseDriftPercent(),
                defaults.limits()
                        .withUncommittedBytes(pendingBytesMax())
                        .withSnapshots(
                                (long) config.snapshotLogMebibytes() << 20,
                                defaults.limits().chunkBytes()),
                defaults.seed());
    }

    /** What waits to be replicated may take a sixth of the heap, 64 MiB at most. */
    private static long pendingBytesMax() {
        return Math.min(PENDING_BYTES_MAX, Runtime.getRuntime().maxMemory() / 6);
    }

    /** A node without one of these threads would look alive and not be. */
    private static Thread vital(String name, Runnable work, Fatal fatal) {
        return Threads.start(
                name,
                () -> {
                    try {
                        work.run();
                    } catch (RuntimeException | Error e) {
                        fatal.stop(Fatal.BUG, "the thread " + name + " failed", e);
                    }
                });
    }

    /** These are the members for good. */
    private void committed(Configuration members) throws IOException {
        links.committed(members);
        Configuration.Member self = members.member(config.nodeId());
        if (self != null) {
            standing = self.voter() ? Status.Standing.VOTER : Status.Standing.LEARNER;
        } else if (standing == Status.Standing.VOTER || standing == Status.Standing.LEARNER) {
            standing = Status.Standing.REMOVED;
            log.warn(
                    "removed from the cluster, whose members are "
                            + members
                            + ": this node keeps quiet and can be stopped; to come back it must be"
                            + " added again");
        }
    }

    private void persisted(long ticket) {
        inbox.put(new Input.Core(new Event.Persisted(ticket)));
    }

    private static ServerSocketChannel listen(
            NodeConfig.Address address, String forWhom, List<Closeable> opened) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open();
        opened.add(listener);
        try {
            listener.bind(resolve(address, forWhom), 1024);
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen for " + forWhom + " on " + address + ": " + e.getMessage(), e);
        }
        return listener;
    }

    private HttpStatus listenForHttp(
            NodeConfig.Address address, @Nullable Certificates certificates, List<Closeable> opened)
            throws IOException {
        try {
            HttpStatus listener =
                    new HttpStatus(resolve(address, "HTTP"), certificates, new Telling());
            opened.add(listener::stop);
            return listener;
        } catch (BindException e) {
            throw new IOException(
                    "cannot listen for HTTP on " + address + ": " + e.getMessage(), e);
        }
    }

    private static InetSocketAddress resolve(NodeConfig.Address address, String forWhom)
            throws IOException {
        InetSocketAddress resolved = new InetSocketAddress(address.host(), address.port());
        if (resolved.isUnresolved()) {
            throw new IOException(
                    "cannot listen for " + forWhom + " on " + address + ": unknown host");
        }
        return resolved;
    }

    private static @Nullable OutputStream openTrace(@Nullable Path path, List<Closeable> opened)
            throws IOException {
        if (path == null) {
            return null;
        }
        OutputStream out =
                path.equals(NodeConfig.STDOUT)
                        ? new FileOutputStream(FileDescriptor.out)
                        : Files.newOutputStream(
                                path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        opened.add(out);
        return out;
    }

    /** What HTTP may ask. */
    private final class Telling implements HttpStatus.Source {
        @Override
        public Status status() throws TimeoutException, InterruptedException {
            return Node.this.status();
        }

        @Override
        public LogView log(long fromIndex, int countMax)
                throws TimeoutException, InterruptedException {
            return Node.this.log(fromIndex, countMax);
        }

        @Override
        public String trace(long after, int countMax) {
            return trace.after(after, countMax);
        }

        @Override
        public Timings timings() {
            return timings;
        }
    }

    /** Joins the event loop to the rest. */
    private final class Wiring implements EventLoop.Outputs {
        @Override
        public void persist(Effect.Persist persist) {
            storage.persist(persist);
        }

        @Override
        public void send(NodeId to, Message message) {
            links.send(to, message);
        }

        @Override
        public void save(Effect.CaptureState capture, Image state) {
            snapshots.save(capture, state::writeTo);
        }

        @Override
        public void send(Effect.SendChunk chunk) {
            snapshots.send(chunk);
        }

        @Override
        public void keep(Effect.KeepChunk chunk) {
            snapshots.keep(chunk);
        }

        @Override
        public void deleteSnapshot(long index) {
            snapshots.delete(index);
        }

        @Override
        public void configured(Configuration members) {
            links.configured(members);
        }

        @Override
        public void committed(Configuration members) throws IOException {
            Node.this.committed(members);
        }

        @Override
        public void answer(List<ClientServer.Answered> answers) {
            clients.answer(answers);
        }

        @Override
        public Status describe(
                Raft raft, KeyValueStore store, int pending, List<Status.Change> changes) {
            List<Raft.PeerView> views = raft.peerViews();
            return new Status(
                    config.nodeId().name(),
                    config.clusterId(),
                    HexFormat.of().toHexDigits(bootId),
                    TimeUnit.NANOSECONDS.toMillis(clock.nanoTime() - startedNanos),
                    raft.role(),
                    raft.term(),
                    Status.name(raft.votedFor()),
                    Status.name(raft.leader()),
                    standing,
                    raft.firstIndex(),
                    raft.lastIndex(),
                    raft.lastTerm(),
                    raft.durableIndex(),
                    raft.commitIndex(),
                    raft.appliedIndex(),
                    store.keyCount(),
                    HexFormat.of().toHexDigits(store.stateHash()),
                    snapshot(raft.snapshot()),
                    members(
                            raft.configurationIndex(),
                            raft.configurationIndex() <= raft.commitIndex(),
                            raft.configuration()),
                    members(
                            raft.committedConfigurationIndex(),
                            true,
                            raft.committedConfiguration()),
                    raft.leader() == null ? -1 : millisSince(raft.leaderContactNanos()),
                    -millisSince(raft.deadlineNanos()),
                    new Status.Queues(inbox.itemCount(), pending, storage.queuedCount()),
                    links.values().stream().map(link -> peer(link, views, raft)).toList(),
                    counters(raft),
                    reasons(raft.tally()),
                    timings.all().stream().map(Node::timing).toList(),
                    changes);
        }

        private List<Status.Count> counters(Raft raft) {
            List<Status.Count> all = new ArrayList<>(counters.snapshot());
            long truncated = raft.tally().of(Tally.Kind.TRUNCATED_ENTRIES);
            all.add(new Status.Count("truncatedEntries", truncated));
            return all;
        }

        private Status.Peer peer(PeerLink link, List<Raft.PeerView> views, Raft raft) {
            Status.Progress progress =
                    views.stream()
                            .filter(view -> view.id().equals(link.peer()))
                            .map(view -> progress(view, raft))
                            .findFirst()
                            .orElse(null);
            return new Status.Peer(
                    link.peer().name(),
                    link.isConnected(),
                    link.queuedCount(),
                    link.rttMicros(),
                    progress);
        }

        private Status.Progress progress(Raft.PeerView view, Raft raft) {
            return new Status.Progress(
                    view.state(),
                    view.matchIndex(),
                    view.nextIndex(),
                    view.inflightCount(),
                    view.inflightBytes(),
                    view.lastSendNanos() == 0 ? -1 : millisSince(view.lastSendNanos()),
                    millisSince(view.lastAckNanos()),
                    raft.lastIndex() - view.matchIndex(),
                    raft.bytesBehind(view.matchIndex()));
        }

        private long millisSince(long nanos) {
            return TimeUnit.NANOSECONDS.toMillis(clock.nanoTime() - nanos);
        }
    }

    private static Status.@Nullable Snapshot snapshot(@Nullable Snapshot newest) {
        return newest == null
                ? null
                : new Status.Snapshot(newest.index(), newest.term(), newest.sizeBytes());
    }

    private static Status.Members members(long index, boolean committed, Configuration members) {
        return new Status.Members(
                index,
                committed,
                members.members().stream()
                        .map(
                                member ->
                                        new Status.Member(
                                                member.id().name(),
                                                member.address(),
                                                member.voter()))
                        .toList());
    }

    private static List<Status.ByReason> reasons(Tally tally) {
        return List.of(
                byReason(
                        "votesRefused",
                        "Requests for votes, and for pre-votes, that were refused.",
                        "VOTE_REFUSED_",
                        tally),
                byReason(
                        "stepDownsByReason",
                        "Leaderships that this node gave up.",
                        "STEP_DOWN_",
                        tally));
    }

    private static Status.ByReason byReason(String name, String help, String prefix, Tally tally) {
        return new Status.ByReason(
                name,
                help,
                tally.counts().entrySet().stream()
                        .filter(count -> count.getKey().name().startsWith(prefix))
                        .map(
                                count ->
                                        new Status.Count(
                                                camel(count.getKey().name(), prefix.length()),
                                                count.getValue()))
                        .toList());
    }

    /** "VOTE_REFUSED_OLD_TERM" from the 13th letter on becomes "oldTerm". */
    private static String camel(String name, int from) {
        StringBuilder camel = new StringBuilder();
        for (int i = from; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c != '_') {
                boolean first = i > from && name.charAt(i - 1) == '_';
                camel.append(first ? c : (char) (c - 'A' + 'a'));
            }
        }
        return camel.toString();
    }

    private static Status.Timing timing(Timings.Named named) {
        Histogram.Summary summary = named.histogram().summary();
        return new Status.Timing(
                named.name(),
                named.unit(),
                summary.count(),
                summary.p50(),
                summary.p99(),
                summary.max());
    }
}
