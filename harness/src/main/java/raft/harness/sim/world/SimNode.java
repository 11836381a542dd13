package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.client.Blob;
import raft.client.Consistency;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.core.Bytes;
import raft.core.Configuration;
import raft.core.Effect;
import raft.core.Entry;
import raft.core.Event;
import raft.core.LogWrite;
import raft.core.Message;
import raft.core.NodeId;
import raft.core.Raft;
import raft.core.RaftConfig;
import raft.core.Recovered;
import raft.core.Snapshot;
import raft.harness.nemesis.FaultAction;
import raft.harness.sim.Keyed;
import raft.harness.sim.Keyed.Purpose;
import raft.harness.sim.SimulatedCluster.NodeLog;
import raft.harness.sim.Sometimes;
import raft.kv.Image;
import raft.kv.KeyValueStore;
import raft.kv.UnreadableSnapshotException;
import raft.storage.CorruptLogException;
import raft.storage.DiskFailedException;
import raft.storage.SavedState;
import raft.storage.SnapshotFormat;
import raft.storage.SnapshotStore;
import raft.storage.Wal;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.LongFunction;

/**
 * One simulated machine: its disk lasts, its process comes and goes. Does with the node's
 * algorithm, log and state machine what the node's own event loop and storage thread do, in virtual
 * time.
 */
final class SimNode {
    /** How long a turn takes; what arrives meanwhile is taken together by the next. */
    private static final long TURN_NANOS = 10_000;

    private static final long SPIN_NANOS = 1_000_000;

    /** How many times as long as a batch of the log a snapshot may take to write. */
    private static final int SNAPSHOT_SLOWNESS_MAX = 60;

    private static final long SNAPSHOT_NANOS_MAX = 1_000_000_000;

    /** Writes behind what a crash left: the first ones decide what becomes of it. */
    private static final int DOUBTFUL_SYNCS = 6;

    /** Segments that go after one took another's place. */
    private static final int DOUBTFUL_DROPS = 4;

    final int number;
    final NodeId id;
    final SimDisk disk = new SimDisk();
    final Shadow shadow;

    private final SimCluster world;
    private final Survival survival;
    private final int driftPpm;

    /** The rate at which its clocks run now, and the moment since when, on both clocks. */
    private long ratePpm;

    private long rateSinceNanos;
    private long rateSinceLocalNanos;

    /** How far the wall clock is wrong; the algorithm has none. */
    long wallOffsetMillis;

    final List<FaultAction.ClockStrobe> strobes = new ArrayList<>();

    /** What every sync takes longer. */
    long extraSyncNanos;

    /**
     * A loss of power waits for the next write, to hit it in the middle, and leaves this share of
     * it; -1 where none does.
     */
    int powerLostKeepingPercent = -1;

    /** It waits for the first write to a new segment: the segment is left, and nothing in it. */
    boolean powerLossAwaitsSegment;

    private SimDisk.@Nullable Loss loss;

    /** The newest loss of power left a part of a write. */
    private boolean torn;

    @Nullable Life life;

    /** Faults in force that keep the process down, and that freeze it. */
    int killCount;

    int pauseCount;

    /** Why it would not start although nothing holds it down; null otherwise. */
    @Nullable String refusedToStart;

    /** How far a person has put the clock ahead. */
    private long aheadNanos;

    private long awakeSinceNanos;
    private int bootCount;

    /** What was planned before the process started has a lesser sequence number. */
    private long bootSequence;

    private long turnCount;
    private long fsyncCount;

    private boolean unused;
    private boolean spare;
    private boolean replaced;

    /** What was sent to or by who it was before is lost with its connections. */
    private long wipedSequence;

    /** What was committed when its disk was replaced: whoever knows less takes it for another. */
    private long replacedAtIndex;

    /** The most that it ever knew to be committed; what it learnt of others is kept on its disk. */
    private long knownCommitIndex;

    /** A fault of the plan changes its membership; nobody else does meanwhile. */
    boolean claimed;

    /** From its start to its end; everything here dies with the process. */
    static final class Life {
        final Raft raft;
        final Wal wal;
        final SnapshotStore snapshots;
        final KeyValueStore store = new KeyValueStore();

        /** Arrived from leaders, and the algorithm was not told yet; it may ask for each. */
        final List<Received> received = new ArrayList<>();

        long snapshotsBusyUntilNanos;

        /** Of the newest snapshot that it has begun to take itself. */
        long capturedIndex;

        final List<Event> inbox = new ArrayList<>();
        final TreeMap<Long, Waiting> pending = new TreeMap<>();
        final ArrayDeque<Effect.Persist> diskQueue = new ArrayDeque<>();
        final List<LogWrite> syncing = new ArrayList<>();
        long syncingTicket;
        long syncingTerm;
        long syncMark;

        /** So many syncs are still to be looked at closely. */
        int doubtfulSyncs;

        /** The same of segments that go. */
        int doubtfulDrops;

        boolean turnPlanned;
        long busyUntilNanos;

        /** Until then not even its timers are looked at. */
        boolean dozes;

        long timerNanos = Long.MAX_VALUE;
        long lastRequestId;

        Life(Raft raft, Wal.Opened opened) throws IOException, UnreadableSnapshotException {
            this.raft = raft;
            this.wal = opened.wal();
            this.snapshots = opened.snapshots();
            SavedState state = opened.state();
            if (state != null) {
                store.restore(state.open(), state.sizeBytes());
            }
        }
    }

    /** A snapshot that has arrived, and what is in it. */
    record Received(Snapshot snapshot, KeyValueStore state) {}

    /**
     * A request inside the node.
     *
     * @param asked the client's; null for an operator's
     * @param committedBefore what the whole cluster had committed when it arrived
     */
    record Waiting(SimClients.@Nullable Asked asked, long committedBefore) {
        SimClients.Asked client() {
            if (asked == null) {
                throw new IllegalStateException("an operator's request is answered as a client's");
            }
            return asked;
        }
    }

    /** Whether the request has come and the algorithm knows nothing of it yet. */
    static boolean isUnread(Life life, long requestId) {
        return life.inbox.stream()
                .anyMatch(
                        event ->
                                event instanceof Event.Propose(long id, Bytes _)
                                        && id == requestId);
    }

    SimNode(SimCluster world, int number, NodeId id) {
        this.world = world;
        this.shadow =
                new Shadow(world.watch.committed(), Configuration.ofVoters(world.initialVoters()));
        this.number = number;
        this.id = id;
        this.survival = new Survival(world, this);
        int most = world.options.process().driftPpmMax();
        long draw = Keyed.key(world.options.seed(), Purpose.DRIFT, number, 0, 0);
        // Often as fast or as slow as any may be: what lacks a little allowance for clocks shows
        // only where two of them are as far apart as they can get. A lease is in danger where its
        // leader is slow and all others are fast.
        this.driftPpm =
                world.leasesAreOn() && number < world.options.nodeCount()
                        ? number == world.slowestNumber() ? -most : most
                        : switch (Keyed.below(Keyed.part(draw, 1), 4)) {
                            case 0 -> -most;
                            case 1, 2 -> most;
                            default -> (int) Keyed.between(draw, -most, most + 1L);
                        };
        this.ratePpm = driftPpm;
    }

    /** Its machine was never used, or is not any more. */
    boolean isUnused() {
        return unused;
    }

    /** Whether it exists only for plans that grow the cluster. */
    boolean isSpare() {
        return spare;
    }

    /** Whether it has lost all that it had, and is another node under an old name. */
    boolean isReplaced() {
        return replaced;
    }

    void waitUnused() {
        unused = true;
        spare = true;
    }

    /** Starts as a node that waits to be added. */
    void switchOn() {
        unused = false;
        boot();
    }

    /** Back to an empty machine. */
    void switchOff() {
        die(false, 0);
        forgetAll();
        unused = true;
    }

    /** The process ends and the disk is another one; whoever was connected must begin anew. */
    void lostEverything() {
        die(false, 0);
        forgetAll();
        replaced = true;
    }

    private void forgetAll() {
        disk.wipe();
        shadow.wiped();
        wipedSequence = world.nextSequence();
        replacedAtIndex = world.watch.committedCount();
        knownCommitIndex = 0;
    }

    /**
     * Whoever comes with another disk than before has forgotten what it promised, so it is not
     * listened to by a node that does not know yet that it was removed. As a leader it was elected
     * by such as do.
     */
    private boolean objectsTo(SimNode other, Message message) {
        return other.replacedAtIndex > knownCommitIndex && !isOfLeader(message);
    }

    /**
     * Nor is it led by a node that does not know yet that it was removed: a leader's heartbeat
     * speaks of what it once acknowledged, so that it would have to stop.
     */
    private boolean withholds(SimNode to, Message message) {
        return to.replacedAtIndex > knownCommitIndex && isOfLeader(message);
    }

    /** Only who leads sends it. */
    static boolean isOfLeader(Message message) {
        return message instanceof Message.AppendEntries
                || message instanceof Message.Heartbeat
                || message instanceof Message.InstallSnapshot;
    }

    boolean isUp() {
        return life != null;
    }

    int driftPpm() {
        return driftPpm;
    }

    boolean isPaused() {
        return pauseCount > 0;
    }

    // ---- The clock of this machine, which may run fast or slow ----

    long localNanos(long nanos) {
        long since = nanos - rateSinceNanos;
        long millions = since / 1_000_000;
        return rateSinceLocalNanos
                + since
                + millions * ratePpm
                + since % 1_000_000 * ratePpm / 1_000_000
                + aheadNanos;
    }

    /** A moment at which the local clock certainly shows at least {@code local}. */
    private long globalNanos(long local) {
        long since = local - aheadNanos - rateSinceLocalNanos;
        if (ratePpm == 0) {
            return rateSinceNanos + since;
        }
        long micros = since / (1_000_000 + ratePpm) + 1;
        return rateSinceNanos + micros * 1_000_000;
    }

    /**
     * The clocks run at another rate from now on.
     *
     * @param percent of their own rate
     */
    void run(int percent) {
        rateSinceLocalNanos = localNanos(world.nowNanos()) - aheadNanos;
        rateSinceNanos = world.nowNanos();
        ratePpm = (1_000_000L + driftPpm) * percent / 100 - 1_000_000;
        Life current = life;
        if (current != null && !isPaused()) {
            planTimer(current);
        }
    }

    /** Its clocks are as they were at the start. */
    void trueTime() {
        if (ratePpm != driftPpm) {
            run(100);
        }
        wallOffsetMillis = 0;
        strobes.clear();
    }

    /** How far the wall clock is wrong at this moment, jumps and strobes together. */
    long wallErrorMillis() {
        long millis = wallOffsetMillis;
        for (FaultAction.ClockStrobe strobe : strobes) {
            boolean forth =
                    world.nowNanos() / 1_000_000 % strobe.periodMillis()
                            < strobe.periodMillis() / 2;
            millis += forth ? strobe.offsetMillis() : 0;
        }
        return millis;
    }

    /** The clock jumps ahead, so that what the process waits for is due now. */
    void jumpToDeadline(Life current) {
        aheadNanos += Math.max(0, current.raft.deadlineNanos() - localNanos(world.nowNanos()));
        current.timerNanos = world.nowNanos();
    }

    // ---- Process ----

    /**
     * Starts the process on what the disk holds.
     *
     * @return whether it runs; otherwise {@link #refusedToStart} says why not
     */
    boolean boot() {
        refusedToStart = null;
        LoopGuard.reset();
        long boot = ++bootCount;
        long seed = world.options.seed();
        long[] salts = {0};
        Wal.Opened opened;
        disk.forgetSyncs();
        try {
            opened =
                    Wal.open(
                            disk,
                            world.options.disk().segmentBytes(),
                            () -> Keyed.key(seed, Purpose.SALT, number, boot, salts[0]++));
        } catch (CorruptLogException e) {
            refusedToStart = String.valueOf(e.getMessage());
            world.log(this, NodeLog.Level.ERROR, "cannot start: " + refusedToStart);
            return false;
        } catch (DiskFailedException e) {
            if (!disk.isFaulty()) {
                world.watch.broken(id + " says that its disk fails, and it does not: " + e);
            }
            refusedToStart = String.valueOf(e.getMessage());
            world.log(this, NodeLog.Level.ERROR, "cannot start: " + refusedToStart);
            return false;
        } catch (IOException | RuntimeException e) {
            world.watch.broken(id + " failed to recover its log: " + e);
            refusedToStart = String.valueOf(e.getMessage());
            return false;
        }
        // It waits for each sync before it goes on.
        disk.completeSync(disk.syncMark());
        Recovered recovered = opened.recovered();
        world.watch.recovered(this, recovered);
        try {
            Raft raft =
                    new Raft(
                            new RaftConfig(
                                    id,
                                    world.initialConfiguration(this),
                                    world.options.electionTimeoutNanos(),
                                    world.options.heartbeatNanos(),
                                    world.options.upkeep().leaseDriftPercent(),
                                    RaftConfig.Limits.DEFAULT
                                            .withAppends(
                                                    world.options.appendBytesMax(),
                                                    world.options.inflightAppendsMax())
                                            .withSnapshots(
                                                    world.options.upkeep().snapshotLogBytes(),
                                                    world.options.upkeep().chunkBytes()),
                                    Keyed.key(seed, Purpose.ELECTION, number, boot, 0)),
                            recovered,
                            localNanos(world.nowNanos()));
            Life started = new Life(raft, opened);
            started.doubtfulSyncs = isMended(recovered) ? DOUBTFUL_SYNCS : 0;
            torn = false;
            if (recovered.snapshot() != null) {
                if (!recovered.entries().isEmpty()) {
                    world.census.reached(Sometimes.RECOVERED_FROM_SNAPSHOT);
                }
                world.watch.restored(this, recovered.snapshot(), started.store.stateHash());
            }
            life = started;
            awakeSinceNanos = world.nowNanos();
            bootSequence = world.nextSequence();
            shadow.started(recovered, world.nowNanos(), world.nodeList().size());
            planTimer(started);
            sayStarted();
            return true;
        } catch (IOException | UnreadableSnapshotException | RuntimeException e) {
            world.watch.broken(id + " cannot start from its own log: " + e);
            refusedToStart = String.valueOf(e.getMessage());
            return false;
        }
    }

    /** What it found was not all that it needs as it stood there: something was put right. */
    private boolean isMended(Recovered recovered) {
        return torn || (recovered.snapshot() != null && recovered.entries().isEmpty());
    }

    /** The first line of a process's log, where it runs. */
    void sayStarted() {
        Life started = life;
        if (started != null && world.isLogged()) {
            Raft raft = started.raft;
            world.log(
                    this,
                    NodeLog.Level.INFO,
                    "starting with "
                            + (raft.lastIndex() - raft.firstIndex() + 1)
                            + " entries from index "
                            + raft.firstIndex()
                            + " on and term "
                            + raft.term());
        }
    }

    /** SIGKILL, or the whole machine without power. */
    void die(boolean losesPower, long key) {
        Life ended = life;
        if (ended == null) {
            return;
        }
        life = null;
        shadow.died(ended.syncing);
        if (losesPower) {
            lost(disk.losePower(key));
        }
        endConnections(ended);
    }

    /**
     * The machine is without power.
     *
     * @param keptPercent of what was not synced that reached the disk all the same
     * @return null where it was down
     */
    SimDisk.@Nullable Loss lostPower(int keptPercent) {
        SimDisk.Loss before = loss;
        loss = null;
        Life ended = life;
        if (ended == null) {
            return before;
        }
        life = null;
        shadow.died(ended.syncing);
        SimDisk.Loss now = disk.losePowerKeeping(keptPercent);
        lost(now);
        endConnections(ended);
        return now;
    }

    /** SIGTERM: what is handed over is written and synced before the process ends. */
    void endWell() {
        Life ending = life;
        if (ending == null || isPaused()) {
            return;
        }
        try {
            for (Effect.Persist persist : ending.diskQueue) {
                ending.wal.append(persist.writes());
                ending.syncing.addAll(persist.writes());
            }
            ending.diskQueue.clear();
            ending.wal.sync();
            disk.completeSync(disk.syncMark());
            shadow.durable(ending.syncing);
            ending.syncing.clear();
            world.log(this, NodeLog.Level.INFO, "stopped");
        } catch (IOException e) {
            halt(ending, e);
        }
    }

    /** A disk that fails ends the process; what of the unsynced is there nobody knows. */
    private void halt(Life current, IOException cause) {
        if (!disk.isFaulty()) {
            world.watch.broken(id + " says that its disk fails, and it does not: " + cause);
            return;
        }
        refusedToStart = String.valueOf(cause.getMessage());
        world.log(this, NodeLog.Level.ERROR, "stopped, the disk failed: " + refusedToStart);
        if (life == current) {
            die(true, Keyed.key(world.options.seed(), Purpose.CRASH, number, 3, ++fsyncCount));
        }
    }

    private void lost(SimDisk.Loss loss) {
        if (loss.writeCount() > 0) {
            world.census.reached(Sometimes.POWER_LOST_UNSYNCED);
        }
        if (loss.torn()) {
            torn = true;
            world.census.reached(Sometimes.WRITE_TORN);
        }
    }

    private void endConnections(Life ended) {
        for (Waiting waiting : ended.pending.values()) {
            if (waiting.asked != null) {
                world.clients.connectionLost(waiting.asked);
            }
        }
    }

    /** Since when the process runs without having been frozen. */
    long awakeSinceNanos() {
        return awakeSinceNanos;
    }

    void resume() {
        awakeSinceNanos = world.nowNanos();
        Life current = life;
        if (current != null && !isPaused()) {
            writeNextGroup(current);
            wake(current);
        }
    }

    /**
     * Takes what came meanwhile. Each connection keeps its order, but which is read first is
     * chance: some are heard only a turn later, a client's read before the news that another node
     * leads.
     */
    private void wake(Life current) {
        long draw = Keyed.key(world.options.seed(), Purpose.WAKING, number, 0, ++turnCount);
        List<Event> early = new ArrayList<>();
        List<Event> late = new ArrayList<>();
        boolean readEarly = false;
        boolean newsLate = false;
        for (Event event : current.inbox) {
            int connection =
                    switch (event) {
                        case Event.Receive(NodeId from, Message ignored) ->
                                world.nodeNamed(from.name()).number;
                        case Event.Propose ignored -> world.nodeList().size();
                        case Event.Read ignored -> world.nodeList().size();
                        default -> -1;
                    };
            boolean heard = connection < 0 || (draw >> connection & 1) == 0;
            (heard ? early : late).add(event);
            readEarly |= heard && event instanceof Event.Read;
            newsLate |=
                    !heard
                            && event instanceof Event.Receive(NodeId _, Message message)
                            && message.term() > current.raft.term();
        }
        if (readEarly && newsLate && current.raft.role() == Effect.RoleName.LEADER) {
            world.census.reached(Sometimes.READ_TAKEN_BEFORE_OLDER_NEWS);
        }
        current.inbox.clear();
        current.inbox.addAll(late);
        turn(current, early);
        if (life == current && !current.inbox.isEmpty()) {
            planTurn(current);
        }
    }

    // ---- What arrives ----

    /**
     * @param sequence of the message's arrival
     */
    void receive(SimNode from, Message message, long sequence) {
        Life current = life;
        if (current != null
                && sequence >= wipedSequence
                && sequence >= from.wipedSequence
                && !objectsTo(from, message)
                && !from.withholds(this, message)) {
            if (sequence < bootSequence) {
                world.census.reached(Sometimes.MESSAGE_FOR_A_LATER_LIFE);
            }
            world.census.delivered(from, this, current, message);
            if (message instanceof Message.TimeoutNow && from.gaveUpHandingOver(message.term())) {
                world.census.reached(Sometimes.TAKEOVER_ASKED_LATE);
            }
            shadow.heard(from.number, world.nowNanos());
            world.watch.received(this, message);
            arrived(current, new Event.Receive(from.id, message));
        }
    }

    private boolean gaveUpHandingOver(long term) {
        Life current = life;
        return current != null
                && current.raft.role() == Effect.RoleName.LEADER
                && current.raft.term() == term
                && world.nowNanos() - shadow.askedToTakeOverNanos
                        > world.options.electionTimeoutNanos();
    }

    /** A request on its connection; the process is up. */
    void request(Life current, SimClients.Asked asked) {
        if (asked.op().request.isRead()
                && current.raft.role() == Effect.RoleName.LEADER
                && shadow.memory.termAt(current.raft.commitIndex()) != current.raft.term()) {
            world.census.reached(Sometimes.READ_BEFORE_OWN_COMMIT);
        }
        long requestId = ++current.lastRequestId;
        Waiting waiting = new Waiting(asked, world.watch.committedCount());
        switch (asked.op().request) {
            case Request.Read read when read.consistency() == Consistency.STALE ->
                    reply(waiting, answer(current, read));
            case Request.Read read -> {
                current.pending.put(requestId, waiting);
                boolean lease =
                        read.consistency() == Consistency.LEASE
                                ? world.leasesAreOn()
                                : usesLease(requestId);
                if (lease && current.raft.holdsLease(localNanos(world.nowNanos()))) {
                    world.watch.leaseUsed(this);
                }
                arrived(current, new Event.Read(requestId, lease));
            }
            case Request.Write _, Request.InSession _, Request.Session _ -> {
                current.pending.put(requestId, waiting);
                arrived(current, new Event.Propose(requestId, asked.op().command()));
            }
            case Request.Admin _ ->
                    reply(
                            waiting,
                            new Reply.Refused(
                                    Refusal.UNSUPPORTED,
                                    null,
                                    "This node cannot be administered by its clients yet."));
        }
    }

    private boolean usesLease(long requestId) {
        long seed = world.options.seed();
        return world.leasesAreOn()
                && Keyed.below(Keyed.key(seed, Purpose.LEASE, number, bootCount, requestId), 2)
                        == 0;
    }

    /** An operator's wish; nobody waits for the answer. */
    void operate(LongFunction<Event> event) {
        Life current = life;
        if (current != null) {
            long requestId = ++current.lastRequestId;
            current.pending.put(requestId, new Waiting(null, 0));
            arrived(current, event.apply(requestId));
        }
    }

    private void arrived(Life current, Event event) {
        if (life != current) {
            return; // What it had to do before has ended it.
        }
        if (isPaused() || world.nowNanos() < current.busyUntilNanos) {
            current.inbox.add(event);
            planTurn(current);
        } else if (current.inbox.isEmpty()) {
            turn(current, List.of(event));
        } else {
            current.inbox.add(event);
            turn(current);
        }
    }

    private void planTurn(Life current) {
        if (!isPaused() && !current.turnPlanned) {
            current.turnPlanned = true;
            world.plan(current.busyUntilNanos, Happening.Kind.TURN, this, current, null, -1);
        }
    }

    void turnCame(Life current) {
        current.turnPlanned = false;
        if (isPaused()) {
            return;
        }
        if (current.dozes && world.nowNanos() >= current.busyUntilNanos) {
            current.dozes = false;
            wake(current);
        } else {
            turn(current);
        }
    }

    void timerCame(Life current, long plannedNanos) {
        if (plannedNanos != current.timerNanos) {
            return;
        }
        current.timerNanos = Long.MAX_VALUE;
        if (isPaused()) {
            return;
        }
        if (current.dozes && world.nowNanos() < current.busyUntilNanos) {
            planTurn(current);
        } else if (localNanos(world.nowNanos()) >= current.raft.deadlineNanos()) {
            turn(current);
        } else {
            planTimer(current);
        }
    }

    // ---- The event loop's turn ----

    private void turn(Life current) {
        if (life != current) {
            return;
        }
        List<Event> events = List.copyOf(current.inbox);
        current.inbox.clear();
        turn(current, events);
    }

    private void turn(Life current, List<Event> arrived) {
        long local = localNanos(world.nowNanos());
        List<Event> events = arrived;
        if (local >= current.raft.deadlineNanos()) {
            // Last, so that after a pause the leader's waiting messages count before the timeout.
            events = new ArrayList<>(arrived);
            events.add(new Event.Timer());
        }
        if (events.isEmpty()) {
            planTimer(current);
            return;
        }
        List<Effect> effects;
        long deadline = current.raft.deadlineNanos();
        LoopGuard.reset();
        Effect.RoleName role = current.raft.role();
        long term = current.raft.term();
        shadow.votersBefore = shadow.voters();
        world.watch.stepBegins(this, current.raft, local, events);
        try {
            effects = current.raft.step(local, events);
            for (Effect effect : effects) {
                carryOut(current, effect);
            }
            for (Event event : events) {
                if (event instanceof Event.SnapshotReceived(Snapshot snapshot)) {
                    current.received.removeIf(one -> one.snapshot().equals(snapshot));
                }
            }
            world.watch.stepped(this, current, local, events);
            knownCommitIndex = Math.max(knownCommitIndex, current.raft.commitIndex());
            if (role == Effect.RoleName.LEADER && current.raft.role() != role) {
                world.watch.deposed(this, current);
            }
            if (role == current.raft.role()
                    && term == current.raft.term()
                    && deadline != current.raft.deadlineNanos()) {
                world.watch.deadlineMoved(this, current.raft, events);
            }
        } catch (RuntimeException | StackOverflowError e) {
            world.watch.broken(
                    id
                            + " stopped by a bug: "
                            + (e instanceof IllegalStateException ? e.getMessage() : e));
            return;
        }
        writeNextGroup(current);
        planTimer(current);
        rest(current);
    }

    private void rest(Life current) {
        long now = world.nowNanos();
        current.busyUntilNanos = now + TURN_NANOS;
        current.dozes = false;
        int permille = world.quiet() ? 0 : world.options.process().hiccupPermille();
        if (permille > 0) {
            long draw = Keyed.key(world.options.seed(), Purpose.HICCUP, number, 0, ++turnCount);
            if (Keyed.permille(draw, permille)) {
                // Most pauses of a process are short; a few are as long as they can be.
                long most = world.options.process().hiccupMaxNanos();
                long bound = Keyed.below(Keyed.part(draw, 1), 20) == 0 ? most : most / 20;
                current.busyUntilNanos =
                        now + Keyed.between(Keyed.part(draw, 2), TURN_NANOS, bound);
                current.dozes = true;
            }
        }
    }

    private void planTimer(Life current) {
        long due = globalNanos(current.raft.deadlineNanos());
        if (due <= world.nowNanos()) {
            // Such a node would spin; here time must go on.
            due = world.nowNanos() + SPIN_NANOS;
        }
        // A deadline that moved away is looked at again when the earlier timer comes.
        if (due < current.timerNanos) {
            current.timerNanos = due;
            world.plan(due, Happening.Kind.TIMER, this, current, null, -1);
        }
    }

    private void carryOut(Life current, Effect effect) {
        switch (effect) {
            case Effect.Persist persist -> {
                shadow.handedOver(persist.writes(), world.watch, this);
                current.diskQueue.addLast(persist);
            }
            case Effect.Send(NodeId to, Message message) -> {
                if (message instanceof Message.TimeoutNow) {
                    shadow.askedToTakeOverNanos = world.nowNanos();
                }
                world.watch.sent(this, to, message);
                world.send(this, to, message);
            }
            case Effect.Apply(Entry entry, long requestId) -> apply(current, entry, requestId);
            case Effect.ServeRead(long requestId, long readIndex) ->
                    read(current, requestId, readIndex);
            case Effect.Refuse refuse -> refuse(current, refuse);
            case Effect.GiveUp(long requestId, String reason) -> {
                world.census.reached(Sometimes.LEADER_DEPOSED_WHILE_CLIENTS_WAIT);
                reply(take(current, requestId), new Reply.Unknown(reason));
            }
            case Effect.Done(long requestId) -> take(current, requestId);
            case Effect.CaptureState capture -> {
                current.capturedIndex = capture.index();
                later(current, new Save(capture, current.store.image()));
            }
            case Effect.SendChunk chunk -> later(current, chunk);
            case Effect.KeepChunk chunk -> later(current, chunk);
            case Effect.DeleteSnapshot delete -> later(current, delete);
            case Effect.Restore(Snapshot snapshot) -> restore(current, snapshot);
            case Effect.Configured(long index, Configuration members) -> {
                if (world.isLogged()) {
                    world.log(
                            this, NodeLog.Level.INFO, "members by entry " + index + ": " + members);
                }
            }
            case Effect.Truncated ignored -> {}
            case Effect.Transition transition -> world.watch.transition(this, transition);
        }
    }

    private void apply(Life current, Entry entry, long requestId) {
        Reply reply = null;
        if (entry.kind() == Entry.Kind.COMMAND) {
            Blob command = Blob.wrap(entry.payload().unsafeArray());
            reply = current.store.apply(entry.index(), command).reply(entry.term(), entry.index());
        }
        world.watch.applied(this, entry, current.store.stateHash());
        if (requestId != 0) {
            Waiting waiting = take(current, requestId);
            if (waiting.asked != null) {
                world.watch.answered(this, entry, waiting.client().op());
            }
            if (reply != null) {
                reply(waiting, reply);
            }
        }
    }

    private void restore(Life current, Snapshot snapshot) {
        Received loaded =
                current.received.stream()
                        .filter(one -> one.snapshot().equals(snapshot))
                        .findAny()
                        .orElseThrow(
                                () ->
                                        new IllegalStateException(
                                                "nothing was received of " + snapshot));
        current.store.takeOver(loaded.state());
        world.watch.restored(this, snapshot, current.store.stateHash());
        if (world.isLogged()) {
            world.log(
                    this,
                    NodeLog.Level.INFO,
                    "restored the state of index "
                            + snapshot.index()
                            + " from the leader's snapshot, "
                            + snapshot.sizeBytes()
                            + " bytes");
        }
        world.census.reached(Sometimes.SNAPSHOT_INSTALLED);
        if (current.store.sessionCount() > 0) {
            world.census.reached(Sometimes.SESSION_CAME_WITH_SNAPSHOT);
        }
    }

    private void read(Life current, long requestId, long readIndex) {
        Waiting waiting = take(current, requestId);
        if (!(waiting.client().op().request instanceof Request.Read read)) {
            throw new IllegalStateException("request " + requestId + " is no read");
        }
        if (current.raft.appliedIndex() < readIndex) {
            throw new IllegalStateException(
                    "read at " + readIndex + " served at " + current.raft.appliedIndex());
        }
        world.watch.readServed(this, current.raft.appliedIndex(), waiting.committedBefore);
        if (current.raft.role() == Effect.RoleName.FOLLOWER) {
            world.census.reached(Sometimes.READ_BY_FOLLOWER);
        }
        reply(waiting, answer(current, read));
    }

    private static Reply answer(Life current, Request.Read read) {
        return current.store.read(read).reply(current.raft.term(), current.raft.appliedIndex());
    }

    private void refuse(Life current, Effect.Refuse refuse) {
        NodeId hint = refuse.leaderHint();
        Refusal reason =
                switch (refuse.reason()) {
                    case NOT_LEADER -> Refusal.NOT_LEADER;
                    case BUSY -> Refusal.BUSY;
                    case CHANGE_IN_PROGRESS -> Refusal.CHANGE_IN_PROGRESS;
                    case NO_SUCH_MEMBER -> Refusal.NO_SUCH_MEMBER;
                    case NOT_POSSIBLE_NOW -> Refusal.NOT_POSSIBLE_NOW;
                };
        reply(
                take(current, refuse.requestId()),
                new Reply.Refused(reason, hint == null ? null : hint.name(), "refused"));
    }

    private static Waiting take(Life current, long requestId) {
        Waiting waiting = current.pending.remove(requestId);
        if (waiting == null) {
            throw new IllegalStateException(
                    "request " + requestId + " is answered twice or was never asked");
        }
        return waiting;
    }

    private void reply(Waiting waiting, Reply reply) {
        if (waiting.asked != null) {
            world.clients.replied(waiting.asked, id.name(), reply);
        }
    }

    // ---- The snapshot thread ----

    /** The state as it was taken between two steps, on its way to the disk. */
    private record Save(Effect.CaptureState capture, Image state) {
        @Override
        public String toString() {
            return "save index " + capture.index();
        }
    }

    /** Work on snapshots is done in order, beside the log. */
    private void later(Life current, Object job) {
        long start = Math.max(world.nowNanos(), current.snapshotsBusyUntilNanos);
        boolean writes =
                job instanceof Save || (job instanceof Effect.KeepChunk chunk && chunk.last());
        current.snapshotsBusyUntilNanos = start + (writes ? snapshotNanos() : TURN_NANOS);
        world.plan(
                current.snapshotsBusyUntilNanos, Happening.Kind.SNAPSHOT, this, current, job, -1);
    }

    /** A snapshot is much more than a batch of the log, so its write may take much longer. */
    private long snapshotNanos() {
        long nanos = 2 * fsyncNanos();
        long draw = Keyed.key(world.options.seed(), Purpose.DISK, number, 1, fsyncCount);
        if (world.quiet() || Keyed.below(draw, 2) == 0) {
            return nanos;
        }
        long slow = nanos * (1 + Keyed.below(Keyed.part(draw, 1), SNAPSHOT_SLOWNESS_MAX));
        return Math.max(nanos, Math.min(slow, SNAPSHOT_NANOS_MAX));
    }

    void snapshotCame(Life current, Object job) {
        try {
            switch (job) {
                case Save(Effect.CaptureState capture, Image state) -> {
                    Snapshot saved =
                            current.snapshots.save(
                                    capture.index(),
                                    capture.term(),
                                    capture.configurationIndex(),
                                    capture.configuration(),
                                    state::writeTo);
                    shadow.saved(saved);
                    world.watch.saved(this, saved);
                    survival.perhapsLook(current);
                    arrived(current, new Event.SnapshotSaved(saved));
                }
                case Effect.SendChunk chunk -> sendChunk(current, chunk);
                case Effect.KeepChunk chunk -> keepChunk(current, chunk);
                case Effect.DeleteSnapshot(long index) -> {
                    world.watch.deletes(this, current.raft, index);
                    current.snapshots.delete(index);
                }
                default -> throw new IllegalStateException("no work on snapshots: " + job);
            }
        } catch (DiskFailedException e) {
            halt(current, e);
        } catch (IOException | RuntimeException e) {
            world.watch.broken(id + " fails to handle a snapshot: " + e);
        }
    }

    /** Whether a snapshot of its own of this index is on the disk or on its way there. */
    private static boolean isTaken(Life current, long index) {
        Snapshot newest = current.raft.snapshot();
        return current.capturedIndex == index || (newest != null && newest.index() == index);
    }

    private void sendChunk(Life current, Effect.SendChunk chunk) throws IOException {
        Snapshot snapshot = chunk.snapshot();
        if (current.raft.role() != Effect.RoleName.LEADER) {
            world.census.reached(Sometimes.SNAPSHOT_TRANSFER_BROKEN_OFF);
        }
        if (isPaused() || !disk.list().contains(SnapshotFormat.fileName(snapshot.index()))) {
            // Deleted when this node stopped leading, while the piece waited here.
            return;
        }
        Bytes data = current.snapshots.read(snapshot, chunk.offsetBytes(), chunk.bytesMax());
        Message piece =
                new Message.InstallSnapshot(
                        chunk.term(),
                        snapshot.index(),
                        snapshot.term(),
                        snapshot.sizeBytes(),
                        chunk.offsetBytes(),
                        data);
        world.watch.sent(this, chunk.to(), piece);
        world.send(this, chunk.to(), piece);
    }

    private void keepChunk(Life current, Effect.KeepChunk chunk) throws IOException {
        current.snapshots.keep(chunk.offsetBytes(), chunk.data());
        if (!chunk.last()) {
            return;
        }
        SnapshotFormat.Loaded loaded = current.snapshots.complete(chunk.index(), chunk.term());
        if (loaded == null) {
            world.watch.broken(id + " received a damaged snapshot of index " + chunk.index());
            return;
        }
        KeyValueStore state = new KeyValueStore();
        try {
            state.restore(loaded.state().open(), loaded.state().sizeBytes());
        } catch (UnreadableSnapshotException e) {
            throw new IllegalStateException("the leader's snapshot cannot be read", e);
        }
        current.snapshots.install(loaded.snapshot());
        shadow.saved(loaded.snapshot());
        if (chunk.index() <= current.raft.commitIndex()) {
            world.census.reached(Sometimes.SNAPSHOT_OVERTAKEN);
            if (isTaken(current, chunk.index())) {
                world.census.reached(Sometimes.SNAPSHOT_TAKEN_AND_RECEIVED);
            }
        }
        survival.perhapsLook(current);
        current.received.add(new Received(loaded.snapshot(), state));
        arrived(current, new Event.SnapshotReceived(loaded.snapshot()));
    }

    // ---- The storage thread ----

    /** All that waits goes out in one write and one fsync. */
    private void writeNextGroup(Life current) {
        if (!current.syncing.isEmpty() || current.diskQueue.isEmpty()) {
            return;
        }
        for (Effect.Persist persist : current.diskQueue) {
            current.wal.append(persist.writes());
            current.syncing.addAll(persist.writes());
            current.syncingTicket = persist.ticket();
        }
        current.diskQueue.clear();
        int renamedCount = disk.renamedCount;
        int replacedCount = disk.replacedCount;
        try {
            current.wal.sync();
        } catch (IOException e) {
            halt(current, e);
            return;
        }
        if (disk.replacedCount > replacedCount) {
            world.census.reached(Sometimes.SEGMENT_REPLACED);
            current.doubtfulDrops = DOUBTFUL_DROPS;
        }
        if (powerLostKeepingPercent >= 0
                && (!powerLossAwaitsSegment || disk.renamedCount > renamedCount)) {
            loss = lostPower(powerLostKeepingPercent);
            powerLostKeepingPercent = -1;
            return;
        }
        current.syncMark = disk.syncMark();
        current.syncingTerm = current.raft.term();
        world.plan(world.nowNanos() + fsyncNanos(), Happening.Kind.FSYNC, this, current, null, -1);
    }

    private long fsyncNanos() {
        var model = world.options.disk();
        long draw = Keyed.key(world.options.seed(), Purpose.DISK, number, 0, ++fsyncCount);
        boolean slow = !world.quiet() && Keyed.permille(draw, model.slowPermille());
        return extraSyncNanos
                + Keyed.between(
                        Keyed.part(draw, 1),
                        model.fsyncMinNanos(),
                        slow ? model.slowMaxNanos() : model.fsyncMaxNanos());
    }

    void fsyncEnded(Life current) {
        if (current.raft.term() > current.syncingTerm) {
            world.census.reached(Sometimes.FSYNC_OUTLIVED_TERM);
        }
        if (disk.errorCount > 0) {
            halt(current, new IOException("Input/output error"));
            return;
        }
        disk.completeSync(current.syncMark);
        int droppedCount;
        try {
            // Only now is it on the disk that they are not needed.
            droppedCount = current.wal.dropUnneeded();
        } catch (IOException e) {
            halt(current, e);
            return;
        }
        shadow.durable(current.syncing);
        current.syncing.clear();
        if (current.doubtfulSyncs > 0) {
            current.doubtfulSyncs--;
            survival.look(current);
        } else if (droppedCount > 0 && current.doubtfulDrops > 0) {
            current.doubtfulDrops--;
            survival.look(current);
        } else if (droppedCount > 0) {
            survival.perhapsLook(current);
        }
        long ticket = current.syncingTicket;
        if (!isPaused()) {
            writeNextGroup(current);
        }
        arrived(current, new Event.Persisted(ticket));
    }
}
