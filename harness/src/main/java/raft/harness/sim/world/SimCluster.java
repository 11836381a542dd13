package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.core.Configuration;
import raft.core.Effect;
import raft.core.Effect.RoleName;
import raft.core.Entry;
import raft.core.Message;
import raft.core.NodeId;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.LogWindow;
import raft.harness.cluster.NodeStatus;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultKind;
import raft.harness.sim.Coverage;
import raft.harness.sim.Keyed;
import raft.harness.sim.Keyed.Purpose;
import raft.harness.sim.SimOptions;
import raft.harness.sim.SimulatedFaults;
import raft.harness.sim.Sometimes;
import raft.harness.sim.Steppable;
import raft.harness.sim.world.Happening.Kind;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * A whole cluster in one thread: the node's algorithm, log and state machine under virtual time,
 * with network, disks, processes and clients made up here.
 *
 * <p>Guarantees: the same options and the same calls give the same events in the same order, on any
 * JVM. Everything that happens passes {@link #happen}, where it enters the digest.
 */
public final class SimCluster implements Steppable {
    private static final long OBSERVE_NANOS = 1_000_000;
    private static final long FAULT_NANOS = 5_000_000;

    /** Most election timeouts that a healthy cluster may need to serve again. */
    private static final int RECOVERY_TIMEOUTS = 20;

    private static final int STEADY_TIMEOUTS = 12;

    final SimOptions options;
    final Watch watch;
    final Census census = new Census();
    final SimClients clients;

    private final List<SimNode> nodes = new ArrayList<>();
    private final List<NodeId> nodeIds;
    private final List<NodeId> initialVoters;
    private final SimUpkeep upkeep = new SimUpkeep(this);
    private final List<String> names;
    private final TreeMap<String, SimNode> nodesByName = new TreeMap<>();
    private final Agenda agenda = new Agenda();
    private final ArrayDeque<Completion> completions = new ArrayDeque<>();

    private final long[][] sentCount;
    private long nowNanos;
    private long nextSequence;
    private long eventCount;
    private long digest;
    private long crashCount;
    private long livenessOperationCount;
    private boolean quiet;
    private @Nullable Trace trace;
    private @Nullable NodeLog nodeLog;

    /** Number of the event that is happening, 0 between two. */
    private long happeningNow;

    private final Meddling meddling;
    private final SimFaults faults;

    /** Starts all nodes, with empty disks, at time 0. */
    public SimCluster(SimOptions options) {
        this.options = options;
        this.names = IntStream.rangeClosed(1, options.nodeCount()).mapToObj(i -> "n" + i).toList();
        // One machine more than there are nodes waits unused, for a plan that grows the cluster.
        int total = options.nodeCount() + options.upkeep().spareCount() + 1;
        this.initialVoters = names.stream().map(NodeId::new).toList();
        this.watch = new Watch(this);
        this.clients = new SimClients(this);
        this.meddling = new Meddling(this, agenda);
        this.nodeIds = IntStream.rangeClosed(1, total).mapToObj(i -> new NodeId("n" + i)).toList();
        this.sentCount = new long[total][total];
        this.digest = Keyed.mix(options.seed());
        for (int i = 0; i < total; i++) {
            SimNode node = new SimNode(this, i, nodeIds.get(i));
            nodes.add(node);
            nodesByName.put(node.id.name(), node);
        }
        this.faults = new SimFaults(this, nodes);
        nodes.getLast().waitUnused();
        for (SimNode node : nodes) {
            if (!node.isUnused()) {
                node.boot();
            }
        }
        upkeep.begin();
        census.started(nodes);
    }

    // ---- What the harness asks ----

    @Override
    public String kind() {
        return "sim";
    }

    @Override
    public List<String> nodes() {
        return names;
    }

    @Override
    public long nowNanos() {
        return nowNanos;
    }

    @Override
    public void invoke(Invocation invocation) {
        clients.invoke(invocation);
    }

    @Override
    public void inject(ActiveFault fault) {
        plan(
                nowNanos + FAULT_NANOS,
                Kind.FAULT_CHANGE,
                null,
                null,
                new SimFaults.Change(fault, true, 0),
                -1);
    }

    @Override
    public void heal(ActiveFault fault) {
        plan(
                nowNanos + FAULT_NANOS,
                Kind.FAULT_CHANGE,
                null,
                null,
                new SimFaults.Change(fault, false, 0),
                -1);
    }

    @Override
    public void observe() {
        plan(nowNanos + OBSERVE_NANOS, Kind.OBSERVE, null, null, null, -1);
    }

    @Override
    public @Nullable Completion poll(long deadlineNanos) {
        while (completions.isEmpty() && watch.holds() && agenda.nextNanos() <= deadlineNanos) {
            happen(agenda.remove());
        }
        Completion completion = completions.pollFirst();
        if (completion == null) {
            nowNanos = Math.max(nowNanos, deadlineNanos);
        }
        return completion;
    }

    @Override
    public void healAll() {
        faults.clear();
        for (SimNode node : nodes) {
            node.killCount = 0;
            if (!node.isUnused()) {
                start(node);
            }
            boolean frozen = node.isPaused();
            node.pauseCount = 0;
            if (frozen) {
                node.resume();
            }
        }
        quiet = true;
    }

    @Override
    public void close() {
        trace = null;
    }

    @Override
    public List<String> brokenInvariants() {
        return watch.broken();
    }

    @Override
    public long digest() {
        return digest;
    }

    @Override
    public long eventCount() {
        return eventCount;
    }

    @Override
    public Coverage coverage() {
        return census.coverage();
    }

    @Override
    public void trace(@Nullable Trace newTrace) {
        trace = newTrace;
    }

    // ---- What a person who travels in time asks ----

    @Override
    public long nextNanos() {
        // What belongs to a process that is gone would not happen, so nobody need wait for it.
        for (Happening next = agenda.first();
                next != null && next.life() != null && present(next.node()).life != next.life();
                next = agenda.first()) {
            agenda.remove();
        }
        return agenda.nextNanos();
    }

    @Override
    public @Nullable Occurrence step(long deadlineNanos) {
        while (watch.holds() && agenda.nextNanos() <= deadlineNanos) {
            Happening next = agenda.remove();
            long before = eventCount;
            Occurrence words = meddling.occurrence(next);
            happen(next);
            if (eventCount > before) {
                return words;
            }
        }
        return null;
    }

    @Override
    public boolean runTo(long number) {
        while (eventCount < number && watch.holds() && !agenda.isEmpty()) {
            happen(agenda.remove());
        }
        return eventCount == number;
    }

    @Override
    public List<Occurrence> pending() {
        return meddling.pending();
    }

    @Override
    public NodeView view(String node) {
        return meddling.view(nodeNamed(node));
    }

    @Override
    public LogWindow log(String node, long fromIndex, int count) {
        return Meddling.log(nodeNamed(node), fromIndex, count);
    }

    @Override
    public boolean hasten(long sequence) {
        Happening found = agenda.remove(sequence);
        if (found == null) {
            return false;
        }
        Happening now = found.at(nowNanos, found.sequence());
        if (found.kind() == Kind.TIMER && found.node() != null && found.life() != null) {
            found.node().jumpToDeadline(found.life());
        }
        happen(now);
        return true;
    }

    @Override
    public boolean drop(long sequence) {
        return meddling.isMessage(sequence) && agenda.remove(sequence) != null;
    }

    @Override
    public boolean duplicate(long sequence) {
        return meddling.isMessage(sequence)
                && meddling.again(sequence, options.network().minNanos(), nextSequence++);
    }

    @Override
    public boolean delay(long sequence, long nanos) {
        return meddling.later(sequence, nanos);
    }

    @Override
    public boolean failSync(long sequence, long faultId) {
        Happening found = meddling.find(sequence);
        SimNode node = found == null ? null : found.node();
        if (found == null || found.kind() != Kind.FSYNC || node == null || node.life == null) {
            return false;
        }
        agenda.remove(sequence);
        faults.adopt(
                new ActiveFault(
                        faultId,
                        FaultKind.KILL_ONE.label(),
                        new FaultAction.Kill(List.of(node.id.name()))));
        node.killCount++;
        node.die(true, Keyed.key(options.seed(), Purpose.CRASH, node.number, 1, ++crashCount));
        return true;
    }

    // ---- What the parts ask ----

    boolean leasesAreOn() {
        return options.upkeep().leaseDriftPercent() >= 0;
    }

    /** Of the members at the start, the one whose clock is the slowest where leases are on. */
    int slowestNumber() {
        return Keyed.below(Keyed.key(options.seed(), Purpose.DRIFT, -1, 0, 0), options.nodeCount());
    }

    List<SimNode> nodeList() {
        return nodes;
    }

    List<NodeId> nodeIds() {
        return nodeIds;
    }

    List<NodeId> initialVoters() {
        return initialVoters;
    }

    /**
     * What a node knows of the members before its log says more; spare nodes wait to be added, and
     * so do those that have lost all that they had: as who they were, nobody obeys them any more.
     */
    Configuration initialConfiguration(SimNode node) {
        return initialVoters.contains(node.id) && !node.isReplaced()
                ? Configuration.ofVoters(initialVoters)
                : Configuration.NONE;
    }

    /** Whom a client asks that comes so many after another, round and round. */
    SimNode memberAfter(String name, int steps) {
        List<String> names = nodes();
        return memberFor(names.get((names.indexOf(name) + steps) % names.size()));
    }

    /** Null where no machine has this name. */
    @Nullable SimNode machineNamed(String name) {
        return nodesByName.get(name);
    }

    SimNode nodeNamed(String name) {
        SimNode node = nodesByName.get(name);
        if (node == null) {
            throw new IllegalStateException("no node is called " + name);
        }
        return node;
    }

    /** All trouble but the plan's is over. */
    boolean quiet() {
        return quiet;
    }

    /** What is planned from now on has this sequence number or a later one. */
    long nextSequence() {
        return nextSequence;
    }

    void complete(Completion completion) {
        completions.addLast(completion);
    }

    void plan(
            long atNanos,
            Kind kind,
            @Nullable SimNode node,
            SimNode.@Nullable Life life,
            @Nullable Object payload,
            int from) {
        agenda.add(
                new Happening(
                        Math.max(atNanos, nowNanos),
                        nextSequence++,
                        kind,
                        node,
                        life,
                        payload,
                        from,
                        happeningNow));
    }

    /** A message leaves: lost, late, twice or as it should. */
    void send(SimNode from, NodeId to, Message message) {
        SimNode receiver = nodeNamed(to.name());
        var model = options.network();
        long nth = sentCount[from.number][receiver.number]++;
        long draw = Keyed.key(options.seed(), Purpose.NETWORK, from.number, receiver.number, nth);
        if (quiet) {
            if (faults.passage(from.number, receiver.number, message, draw).lateNanos() < 0) {
                return; // Only what a person has put in force since.
            }
            long delay = Keyed.between(draw, model.minNanos(), 4 * model.minNanos());
            plan(nowNanos + delay, Kind.MESSAGE, receiver, null, message, from.number);
            return;
        }
        if (Keyed.permille(Keyed.part(draw, 1), model.lossPermille())) {
            return;
        }
        SimFaults.Passage passage = faults.passage(from.number, receiver.number, message, draw);
        if (passage.lateNanos() < 0) {
            return;
        }
        deliver(from, receiver, message, draw, passage.lateNanos());
        if (passage.twice() || Keyed.permille(Keyed.part(draw, 2), model.duplicatePermille())) {
            deliver(from, receiver, message, Keyed.part(draw, 3), passage.lateNanos());
        }
    }

    private void deliver(
            SimNode from, SimNode receiver, Message message, long draw, long lateNanos) {
        var model = options.network();
        boolean slow = Keyed.permille(Keyed.part(draw, 4), model.slowPermille());
        long most = slow ? model.slowMaxNanos() : model.maxNanos();
        long delay = Keyed.between(draw, model.minNanos(), most);
        plan(nowNanos + lateNanos + delay, Kind.MESSAGE, receiver, null, message, from.number);
    }

    // ---- Time ----

    private void happen(Happening happening) {
        nowNanos = happening.timeNanos();
        SimNode node = happening.node();
        SimNode.Life life = happening.life();
        if (life != null && node != null && node.life != life) {
            return; // Of a process that is gone.
        }
        eventCount++;
        digest =
                Keyed.mix(
                        digest
                                ^ nowNanos
                                ^ ((long) happening.kind().ordinal() << 56)
                                ^ (node == null ? 0 : node.number + 1L) << 48);
        if (happening.payload() instanceof Message message) {
            digest = Keyed.mix(digest + fingerprint(message));
        }
        if (trace != null) {
            trace.event(eventCount, nowNanos, digest, Words.of(this, happening));
        }
        happeningNow = eventCount;
        dispatch(happening);
        happeningNow = 0;
        SimNode.Life after = node == null ? null : node.life;
        if (after != null) {
            var raft = after.raft;
            digest ^=
                    Keyed.mix(
                            raft.term() << 40
                                    ^ raft.commitIndex() << 20
                                    ^ raft.lastIndex()
                                    ^ (long) raft.role().ordinal() << 60);
        }
    }

    private void dispatch(Happening happening) {
        SimNode node = happening.node();
        SimNode.Life life = happening.life();
        Object payload = happening.payload();
        switch (happening.kind()) {
            case MESSAGE ->
                    present(node)
                            .receive(
                                    nodes.get(happening.from()),
                                    (Message) present(payload),
                                    happening.sequence());
            case TURN -> present(node).turnCame(present(life));
            case TIMER -> present(node).timerCame(present(life), happening.timeNanos());
            case FSYNC -> present(node).fsyncEnded(present(life));
            case REQUEST -> clients.requestCame((SimClients.Asked) present(payload));
            case REPLY -> clients.replyCame(present(payload));
            case CLIENT_TIMEOUT -> clients.timedOut(present(payload));
            case FAULT_CHANGE -> faults.change((SimFaults.Change) present(payload));
            case OBSERVE -> complete(new Completion.Observation(statuses()));
            case SNAPSHOT -> present(node).snapshotCame(present(life), present(payload));
            case UPKEEP -> upkeep.act((SimUpkeep.Act) present(payload));
        }
    }

    private static <T> T present(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("an event lacks what it is about");
        }
        return value;
    }

    /** By value, never by identity: hash codes of enums differ from JVM to JVM. */
    private static long fingerprint(Message message) {
        return switch (message) {
            case Message.PreVoteRequest m -> hash(1, m.prospectiveTerm(), m.lastLogIndex());
            case Message.PreVoteReply m -> hash(2, m.prospectiveTerm(), m.granted() ? 1 : 0);
            case Message.VoteRequest m -> hash(3, m.term(), m.lastLogIndex());
            case Message.VoteReply m -> hash(4, m.term(), m.granted() ? 1 : 0);
            case Message.AppendEntries m -> {
                Entry last = m.entries().isEmpty() ? null : m.entries().getLast();
                yield hash(5, m.term(), m.prevLogIndex())
                        + hash(
                                m.entries().size(),
                                m.leaderCommit(),
                                last == null ? 0 : last.payload().hashCode());
            }
            case Message.AppendAccepted m -> hash(6, m.term(), m.matchIndex());
            case Message.AppendRejected m -> hash(7, m.term(), m.prevLogIndex());
            case Message.Heartbeat m -> hash(8, m.term(), m.round());
            case Message.HeartbeatReply m -> hash(9, m.term(), m.round());
            case Message.InstallSnapshot m -> hash(10, m.index(), m.offsetBytes());
            case Message.SnapshotReply m -> hash(11, m.index(), m.wantedOffsetBytes());
            case Message.TimeoutNow m -> hash(12, m.term(), 0);
            case Message.ReadIndexRequest m -> hash(13, m.term(), m.token());
            case Message.ReadIndexReply m -> hash(14, m.token(), m.readIndex());
        };
    }

    private static long hash(long a, long b, long c) {
        return Keyed.mix(a + (b << 20) + (c << 40));
    }

    @Override
    public void nodeLog(NodeLog log) {
        nodeLog = log;
        for (SimNode node : nodes) {
            node.sayStarted();
        }
    }

    @Override
    public long utcMillis() {
        return nowNanos / 1_000_000;
    }

    /** Whether anybody wants lines of nodes' logs; otherwise none is made. */
    boolean isLogged() {
        return nodeLog != null;
    }

    /** A line of a node's log. */
    void log(SimNode node, NodeLog.Level level, String text) {
        if (nodeLog != null) {
            nodeLog.line(node.id.name(), nowNanos, level, text);
        }
    }

    /** A node's role, term or leader changed. */
    void note(SimNode node, Effect.Transition transition) {
        if (isLogged()) {
            NodeId leader = transition.leader();
            log(
                    node,
                    NodeLog.Level.INFO,
                    "role "
                            + word(transition.from())
                            + " -> "
                            + word(transition.to())
                            + ", term "
                            + transition.term()
                            + ", leader "
                            + (leader == null ? "none" : leader.name())
                            + ": "
                            + transition.reason());
        }
        if (trace != null) {
            trace.event(
                    eventCount,
                    nowNanos,
                    digest,
                    "  "
                            + node.id
                            + " "
                            + transition.from()
                            + " -> "
                            + transition.to()
                            + ", term "
                            + transition.term()
                            + ": "
                            + transition.reason());
        }
    }

    // ---- Faults ----

    @Override
    public Map<FaultKind, String> impossible() {
        return SimulatedFaults.impossible();
    }

    /** Its process ends, perhaps with the whole machine; returns what was seen. */
    String kill(SimNode node) {
        long draw = Keyed.key(options.seed(), Purpose.CRASH, node.number, 0, ++crashCount);
        boolean losesPower = Keyed.below(draw, 100) < options.disk().powerLossPercent();
        return kill(node, losesPower, Keyed.part(draw, 1));
    }

    /** Its process ends, and nothing is lost but what was in memory. */
    String killProcess(SimNode node) {
        return kill(node, false, 0);
    }

    private String kill(SimNode node, boolean losesPower, long key) {
        node.killCount++;
        node.die(losesPower, key);
        if (nodes.stream().noneMatch(SimNode::isUp)) {
            census.reached(Sometimes.ALL_DOWN);
        }
        return node.id
                + (losesPower
                        ? " lost its power and what was not synced"
                        : " has no process any more");
    }

    /** Starts a node that nothing holds down; perhaps its disk has rotted meanwhile. */
    String start(SimNode node) {
        if (node.isUp() || node.killCount > 0) {
            return node.id + (node.isUp() ? " runs" : " is still held down by another fault");
        }
        if (node.disk.isFaulty()) {
            return node.id
                    + (node.boot() ? " runs again" : " does not start: " + node.refusedToStart);
        }
        long draw = Keyed.key(options.seed(), Purpose.ROT, node.number, 0, ++crashCount);
        SimDisk.Rot rot =
                Keyed.below(draw, 100) < options.disk().rotPercent()
                        ? node.disk.chooseRot(Keyed.part(draw, 1))
                        : null;
        String words = node.id + " runs again";
        if (rot != null) {
            node.disk.flip(rot);
            if (node.boot()) {
                return words + ", on a disk with " + rot;
            }
            census.reached(Sometimes.ROT_REFUSED);
            words += ", after it refused to start with " + rot;
            node.disk.flip(rot);
        }
        if (!node.boot()) {
            watch.broken(
                    "recovery: "
                            + node.id
                            + " refuses to start on an undamaged disk: "
                            + node.refusedToStart);
        }
        return words;
    }

    static String pause(SimNode node, int step) {
        boolean frozen = node.isPaused();
        node.pauseCount += step;
        if (frozen && !node.isPaused()) {
            node.resume();
        }
        return node.id + (node.isPaused() ? " is frozen" : " goes on");
    }

    // ---- Looking ----

    private List<NodeStatus> statuses() {
        return nodes.stream().filter(node -> !node.isUnused()).map(SimCluster::status).toList();
    }

    private static NodeStatus status(SimNode node) {
        SimNode.Life life = node.life;
        if (life == null || node.isPaused()) {
            return NodeStatus.unreachable(node.id.name());
        }
        var raft = life.raft;
        NodeId leader = raft.leader();
        String role = word(raft.role());
        return new NodeStatus(
                node.id.name(),
                true,
                role,
                raft.term(),
                leader == null ? null : leader.name(),
                raft.commitIndex(),
                raft.appliedIndex(),
                raft.lastIndex(),
                raft.committedConfiguration().voters().stream().map(NodeId::name).toList(),
                null,
                "{\"id\":\""
                        + node.id.name()
                        + "\",\"role\":\""
                        + role
                        + "\",\"term\":"
                        + raft.term()
                        + ",\"commitIndex\":"
                        + raft.commitIndex()
                        + ",\"durableIndex\":"
                        + raft.durableIndex()
                        + ",\"wallClockErrorMillis\":"
                        + node.wallErrorMillis()
                        + ",\"lastIndex\":"
                        + raft.lastIndex()
                        + "}");
    }

    static String word(RoleName role) {
        return switch (role) {
            case FOLLOWER -> "follower";
            case PRE_CANDIDATE -> "pre-candidate";
            case CANDIDATE -> "candidate";
            case LEADER -> "leader";
        };
    }

    // ---- Liveness ----

    @Override
    public void demandLiveness() {
        long timeout = options.electionTimeoutNanos();
        healAll();
        // An fsync under way may yet be so slow that its leader steps down.
        long settling = options.disk().slowMaxNanos();
        if (options.upkeep().pauseNanos() > 0) {
            // What operators asked for may still be on its way, and move the leadership.
            settling += options.network().slowMaxNanos() + 4 * timeout;
        }
        waitFor(settling, () -> false);
        if (!waitFor(RECOVERY_TIMEOUTS * timeout, this::isConverged)) {
            liveness("no leader that all nodes follow with equal state", RECOVERY_TIMEOUTS);
            return;
        }
        long term = highestTerm();
        waitFor(STEADY_TIMEOUTS * timeout, () -> highestTerm() > term);
        if (highestTerm() > term) {
            watch.broken(
                    "liveness: nothing is broken, yet the term went from "
                            + term
                            + " to "
                            + highestTerm());
            return;
        }
        if (!serves()) {
            return;
        }
        killMinorityForGood();
        if (!waitFor(RECOVERY_TIMEOUTS * timeout, this::isConverged)) {
            liveness("a majority alone does not come together", RECOVERY_TIMEOUTS);
            return;
        }
        serves();
    }

    private void liveness(String what, int timeoutCount) {
        if (watch.holds()) {
            watch.broken("liveness: " + what + " within " + timeoutCount + " election timeouts");
        }
    }

    private boolean serves() {
        for (String f : List.of("write", "read", "cas")) {
            if (watch.holds() && !serves(f)) {
                liveness("no " + f + " is served", RECOVERY_TIMEOUTS);
            }
        }
        return watch.holds();
    }

    private boolean serves(String f) {
        long deadline = nowNanos + RECOVERY_TIMEOUTS * options.electionTimeoutNanos();
        String node =
                members().stream()
                        .filter(SimNode::isUp)
                        .map(up -> up.id.name())
                        .findFirst()
                        .orElse("");
        while (watch.holds() && nowNanos < deadline) {
            long number = --livenessOperationCount;
            Value value =
                    switch (f) {
                        case "write" -> Value.of(number);
                        case "cas" -> Value.of(Value.NIL, Value.of(number));
                        default -> Value.NIL;
                    };
            // A key of its own each time: a cas then expects nothing and finds nothing.
            Invocation invocation =
                    new Invocation(
                            number,
                            node,
                            f,
                            Value.of(number),
                            value,
                            options.electionTimeoutNanos());
            invoke(invocation);
            while (watch.holds() && nowNanos < deadline) {
                Completion completion = poll(deadline);
                if (completion instanceof Completion.Operation ended
                        && ended.invocation().equals(invocation)) {
                    if (ended.type() == HistoryEvent.Type.OK) {
                        return true;
                    }
                    break;
                }
            }
        }
        return false;
    }

    private void killMinorityForGood() {
        List<SimNode> voters = members();
        int count = (voters.size() - 1) / 2;
        long draw = Keyed.key(options.seed(), Purpose.LIVENESS, 0, 0, 0);
        int first = Keyed.below(draw, voters.size());
        for (int i = 0; i < count; i++) {
            kill(voters.get((first + i) % voters.size()));
        }
    }

    private List<SimNode> votersAndLearners() {
        List<SimNode> all = new ArrayList<>(members());
        for (SimNode node : nodes) {
            SimNode.Life life = node.life;
            if (life != null && life.raft.role() == RoleName.LEADER) {
                life.raft.configuration().learners().forEach(id -> all.add(nodeNamed(id.name())));
            }
        }
        return all;
    }

    /** The node of this name, or another where it is none of the members that clients know. */
    SimNode memberFor(String name) {
        SimNode node = nodeNamed(name);
        List<SimNode> voters = members();
        return voters.contains(node) ? node : voters.get(node.number % voters.size());
    }

    /** What was asked for last: every client's every request asks who the members are. */
    private @Nullable Configuration membersOf;

    private List<SimNode> members = List.of();

    /** The voters by the leader's configuration; those at the start while nobody leads. */
    @SuppressWarnings("ReferenceEquality") // Asks whether it is the same object, which is cheap.
    private List<SimNode> members() {
        for (SimNode node : nodes) {
            SimNode.Life life = node.life;
            if (life != null && life.raft.role() == RoleName.LEADER) {
                Configuration now = life.raft.configuration();
                if (now != membersOf) {
                    membersOf = now;
                    members = now.voters().stream().map(id -> nodeNamed(id.name())).toList();
                }
                return members;
            }
        }
        return initialVoters.stream().map(id -> nodeNamed(id.name())).toList();
    }

    /** Lets time pass until something holds; false when it did not within {@code nanos}. */
    private boolean waitFor(long nanos, BooleanSupplier condition) {
        long deadline = nowNanos + nanos;
        while (watch.holds() && nowNanos < deadline) {
            if (condition.getAsBoolean()) {
                return true;
            }
            poll(Math.min(deadline, nowNanos + 10_000_000));
        }
        return watch.holds() && condition.getAsBoolean();
    }

    private boolean isConverged() {
        SimNode.Life first = null;
        int leaders = 0;
        for (SimNode node : votersAndLearners()) {
            SimNode.Life life = node.life;
            if (life == null) {
                continue;
            }
            leaders += life.raft.role() == RoleName.LEADER ? 1 : 0;
            if (first == null) {
                first = life;
            } else if (life.raft.term() != first.raft.term()
                    || life.raft.appliedIndex() != first.raft.appliedIndex()
                    || life.raft.lastIndex() != life.raft.appliedIndex()
                    || life.store.stateHash() != first.store.stateHash()) {
                return false;
            }
        }
        return leaders == 1;
    }

    private long highestTerm() {
        return nodes.stream()
                .map(node -> node.life)
                .filter(java.util.Objects::nonNull)
                .mapToLong(life -> life.raft.term())
                .max()
                .orElse(0);
    }
}
