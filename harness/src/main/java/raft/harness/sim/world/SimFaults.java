package raft.harness.sim.world;

import raft.core.Message;
import raft.harness.cluster.Completion;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.Link;
import raft.harness.sim.Keyed;
import raft.harness.sim.Keyed.Purpose;
import raft.harness.sim.SimulatedFaults;
import raft.harness.sim.Sometimes;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * The plan's faults in the simulated world: which are in force, what they do to links, nodes and
 * disks, and what was seen of them. Several may hold the same node or link; each is lifted alone.
 */
final class SimFaults {
    /** From one restart of a rolling one to the next look whether the node answers. */
    private static final long ROLLING_STEP_NANOS = 300_000_000;

    /** How long a node that is to lose its power in the middle of writing is waited for. */
    private static final long WRITE_PATIENCE_NANOS = 200_000_000;

    /** Segments that are begun within the patience for one. */
    private static final int SMALL_SEGMENT_BYTES = 16 << 10;

    private static final long SEGMENT_PATIENCE_NANOS = 1_000_000_000;

    /** What a message costs on the wire beside its entries. */
    private static final int MESSAGE_BYTES = 64;

    /** Beyond this time in a slow link's queue a message is dropped, as the real link does. */
    private static final long QUEUE_NANOS_MAX = 2_000_000_000L;

    private final SimCluster world;
    private final List<SimNode> nodes;
    private final SimAdministration administration;
    private final TreeMap<Long, Active> inForce = new TreeMap<>();

    /** How many faults cut each link, by sender and receiver. */
    private final int[][] cutCount;

    /** What is done to messages, by sender and receiver. */
    private final List<List<List<Active>>> onLinks = new ArrayList<>();

    /** Until when a link of limited rate is busy. */
    private final long[][] linkBusyUntilNanos;

    private long drawCount;

    /** A fault in force, and what it has done so far. */
    static final class Active {
        final ActiveFault fault;
        final long sinceNanos;

        /** Messages that it could have concerned, and that it did. */
        long passedCount;

        long concernedCount;

        /** What is to be undone, by node. */
        final TreeMap<String, SimDisk.Rot> rot = new TreeMap<>();

        Active(ActiveFault fault, long sinceNanos) {
            this.fault = fault;
            this.sinceNanos = sinceNanos;
        }
    }

    /**
     * A fault comes or goes.
     *
     * @param step of a fault that takes several, from 0
     */
    record Change(ActiveFault fault, boolean injected, int step) {}

    SimFaults(SimCluster world, List<SimNode> nodes) {
        this.world = world;
        this.nodes = nodes;
        this.administration = new SimAdministration(world);
        this.cutCount = new int[nodes.size()][nodes.size()];
        this.linkBusyUntilNanos = new long[nodes.size()][nodes.size()];
        for (int from = 0; from < nodes.size(); from++) {
            List<List<Active>> ofSender = new ArrayList<>();
            nodes.forEach(ignored -> ofSender.add(new ArrayList<>()));
            onLinks.add(ofSender);
        }
    }

    /** All are lifted at once, without looking. */
    void clear() {
        for (int[] row : cutCount) {
            java.util.Arrays.fill(row, 0);
        }
        onLinks.forEach(ofSender -> ofSender.forEach(List::clear));
        for (Active active : inForce.values()) {
            active.rot.forEach((name, rot) -> world.nodeNamed(name).disk.flip(rot));
        }
        inForce.clear();
        administration.clear();
        for (SimNode node : nodes) {
            node.trueTime();
            node.disk.works();
            node.extraSyncNanos = 0;
            node.powerLostKeepingPercent = -1;
        }
    }

    /** A fault that a hand has put in force and that {@link #change} will lift. */
    void adopt(ActiveFault fault) {
        inForce.put(fault.id(), new Active(fault, world.nowNanos()));
    }

    // ---- Coming and going ----

    void change(Change change) {
        ActiveFault fault = change.fault;
        String impossible = impossible(fault.action());
        if (!impossible.isEmpty()) {
            done(change, FaultOutcome.Status.SKIPPED, List.of(impossible));
            return;
        }
        if (fault.action() instanceof FaultAction.Membership
                || fault.action() instanceof FaultAction.RaftCommand) {
            administration.turn(change, nanos -> again(change, nanos, change.step + 1));
            return;
        }
        List<String> evidence = new ArrayList<>();
        if (change.injected) {
            Active active =
                    inForce.computeIfAbsent(
                            fault.id(), ignored -> new Active(fault, world.nowNanos()));
            if (!install(active, change, evidence)) {
                return; // More steps are to come.
            }
        } else {
            Active active = inForce.remove(fault.id());
            if (active != null) {
                lift(active, evidence);
            }
        }
        done(change, FaultOutcome.Status.INSTALLED, evidence);
    }

    private String impossible(FaultAction action) {
        int bound = world.options.upkeep().leaseDriftPercent();
        return action instanceof FaultAction.ClockDrift && bound >= 0
                ? "leases are on, which bear clocks at most " + bound + " % apart"
                : SimulatedFaults.reason(action);
    }

    private void done(Change change, FaultOutcome.Status status, List<String> evidence) {
        world.complete(
                new Completion.FaultChange(
                        change.fault.id(), change.injected, new FaultOutcome(status, evidence)));
    }

    private void again(Change change, long nanos, int step) {
        world.plan(
                world.nowNanos() + nanos,
                Happening.Kind.FAULT_CHANGE,
                null,
                null,
                new Change(change.fault, change.injected, step),
                -1);
    }

    /** Puts it in force; false where a later step will end it. */
    private boolean install(Active active, Change change, List<String> evidence) {
        switch (active.fault.action()) {
            case FaultAction.Cut(List<Link> links) -> {
                cut(links, 1);
                evidence.add(links.size() + " links drop every message");
            }
            case FaultAction.Flap(List<Link> links, long periodMillis) -> {
                onLinks(links, active, true);
                evidence.add(
                        links.size()
                                + " links drop every message, every other "
                                + periodMillis / 2
                                + " ms");
            }
            case FaultAction.Packets packets -> {
                onLinks(packets.links(), active, true);
                evidence.add("from now on: " + packets);
            }
            case FaultAction.Kill(List<String> names) ->
                    named(names).forEach(node -> evidence.add(world.kill(node)));
            case FaultAction.Stop(List<String> names) ->
                    named(names).forEach(node -> evidence.add(stop(node)));
            case FaultAction.Pause(List<String> names) ->
                    named(names).forEach(node -> evidence.add(SimCluster.pause(node, 1)));
            case FaultAction.RollingRestart(List<String> names) -> {
                return roll(change, named(names), evidence);
            }
            case FaultAction.ClockJump jump -> clockJump(jump, jump.offsetMillis(), evidence);
            case FaultAction.ClockStrobe strobe -> {
                for (SimNode node : named(strobe.nodes())) {
                    node.strobes.add(strobe);
                    evidence.add(
                            node.id
                                    + "'s wall clock jumps to and fro by "
                                    + strobe.offsetMillis()
                                    + " ms");
                }
            }
            case FaultAction.ClockDrift(List<String> names, int percent) -> {
                for (SimNode node : named(names)) {
                    node.run(percent);
                    evidence.add(node.id + "'s clocks run at " + percent + " % of the true rate");
                }
            }
            case FaultAction.ClockReset(List<String> names) -> {
                for (SimNode node : named(names)) {
                    node.wallOffsetMillis = 0;
                    node.strobes.clear();
                    evidence.add(node.id + "'s wall clock is right");
                }
            }
            case FaultAction.BitFlip(List<String> names) ->
                    named(names).forEach(node -> evidence.add(flip(active, node)));
            case FaultAction.Truncation(List<String> names, int bytes) -> {
                for (SimNode node : named(names)) {
                    world.kill(node);
                    String file = node.disk.cutTail(bytes);
                    node.shadow.forgetDisk();
                    node.killCount--;
                    evidence.add(
                            node.id
                                    + " lost "
                                    + bytes
                                    + " bytes at the end of "
                                    + file
                                    + "; "
                                    + world.start(node));
                }
            }
            case FaultAction.LostWrites(List<String> names, int keptPercent) -> {
                return losePower(change, named(names), keptPercent, evidence);
            }
            case FaultAction.FullDisk(List<String> names) -> {
                for (SimNode node : named(names)) {
                    node.disk.fullCount++;
                    evidence.add(node.id + "'s disk takes no new file and lets none grow");
                }
            }
            case FaultAction.SlowDisk(List<String> names, int syncMillis) -> {
                for (SimNode node : named(names)) {
                    node.extraSyncNanos += syncMillis * 1_000_000L;
                    evidence.add(node.id + "'s syncs take " + syncMillis + " ms longer");
                }
            }
            case FaultAction.DiskErrors(List<String> names) -> {
                for (SimNode node : named(names)) {
                    node.disk.errorCount++;
                    evidence.add(node.id + "'s writes and syncs fail");
                }
            }
            default -> throw new IllegalStateException("not simulated: " + active.fault.action());
        }
        return true;
    }

    private void lift(Active active, List<String> evidence) {
        switch (active.fault.action()) {
            case FaultAction.Cut(List<Link> links) -> {
                cut(links, -1);
                evidence.add(links.size() + " links are whole again");
            }
            case FaultAction.Flap(List<Link> links, long periodMillis) -> {
                onLinks(links, active, false);
                evidence.add(seen(active, "dropped") + "; the links are whole again");
            }
            case FaultAction.Packets packets -> {
                onLinks(packets.links(), active, false);
                evidence.add(seen(active, "concerned") + "; no more from now on");
            }
            case FaultAction.Kill(List<String> names) -> release(names, evidence);
            case FaultAction.Stop(List<String> names) -> release(names, evidence);
            case FaultAction.LostWrites(List<String> names, int keptPercent) ->
                    release(names, evidence);
            case FaultAction.Pause(List<String> names) ->
                    named(names).forEach(node -> evidence.add(SimCluster.pause(node, -1)));
            case FaultAction.ClockJump jump -> clockJump(jump, -jump.offsetMillis(), evidence);
            case FaultAction.ClockStrobe strobe -> {
                for (SimNode node : named(strobe.nodes())) {
                    node.strobes.remove(strobe);
                    evidence.add(node.id + "'s wall clock stands still no more");
                }
            }
            case FaultAction.ClockDrift(List<String> names, int percent) -> {
                for (SimNode node : named(names)) {
                    node.run(100);
                    evidence.add(node.id + "'s clocks run at their own rate again");
                }
            }
            case FaultAction.BitFlip(List<String> names) -> {
                for (SimNode node : named(names)) {
                    SimDisk.Rot rot = active.rot.get(node.id.name());
                    if (rot == null) {
                        evidence.add(node.id + " was not held down by a flipped bit");
                    } else {
                        node.disk.flip(rot);
                        node.killCount--;
                        evidence.add(node.id + "'s bit is restored; " + world.start(node));
                    }
                }
            }
            case FaultAction.FullDisk(List<String> names) -> {
                for (SimNode node : named(names)) {
                    node.disk.fullCount = Math.max(0, node.disk.fullCount - 1);
                    evidence.add(node.id + "'s disk has room again; " + world.start(node));
                }
            }
            case FaultAction.SlowDisk(List<String> names, int syncMillis) -> {
                for (SimNode node : named(names)) {
                    node.extraSyncNanos -= syncMillis * 1_000_000L;
                    evidence.add(node.id + "'s disk is as fast as before");
                }
            }
            case FaultAction.DiskErrors(List<String> names) -> {
                for (SimNode node : named(names)) {
                    node.disk.errorCount = Math.max(0, node.disk.errorCount - 1);
                    evidence.add(node.id + "'s disk works again; " + world.start(node));
                }
            }
            case FaultAction.RollingRestart(List<String> names) -> evidence.add("all was done");
            case FaultAction.ClockReset(List<String> names) -> evidence.add("all was done");
            case FaultAction.Truncation(List<String> names, int bytes) -> {
                for (SimNode node : named(names)) {
                    evidence.add(world.start(node));
                }
            }
            default -> throw new IllegalStateException("not simulated: " + active.fault.action());
        }
    }

    private List<SimNode> named(List<String> names) {
        return names.stream().map(world::nodeNamed).toList();
    }

    private static String seen(Active active, String verb) {
        return active.concernedCount + " of " + active.passedCount + " messages were " + verb;
    }

    // ---- Links ----

    private void cut(List<Link> links, int step) {
        for (Link link : links) {
            cutCount[world.nodeNamed(link.from()).number][world.nodeNamed(link.to()).number] +=
                    step;
        }
    }

    private void onLinks(List<Link> links, Active active, boolean add) {
        for (Link link : links) {
            List<Active> there =
                    onLinks.get(world.nodeNamed(link.from()).number)
                            .get(world.nodeNamed(link.to()).number);
            if (add) {
                there.add(active);
            } else {
                there.remove(active);
            }
        }
    }

    /** What becomes of a message: how late it is, -1 where it is lost; and whether it doubles. */
    record Passage(long lateNanos, boolean twice) {
        static final Passage FREE = new Passage(0, false);
        static final Passage LOST = new Passage(-1, false);
    }

    /**
     * @param draw of this message
     */
    Passage passage(int from, int to, Message message, long draw) {
        if (cutCount[from][to] > 0) {
            return Passage.LOST;
        }
        List<Active> there = onLinks.get(from).get(to);
        if (there.isEmpty()) {
            return Passage.FREE;
        }
        long late = 0;
        boolean twice = false;
        for (Active active : there) {
            active.passedCount++;
            long part = Keyed.part(draw, 100 + (int) active.fault.id());
            int share = Keyed.below(part, 100);
            long more = 0;
            boolean concerned = true;
            switch (active.fault.action()) {
                case FaultAction.Flap(List<Link> links, long periodMillis) -> {
                    long since = world.nowNanos() - active.sinceNanos;
                    concerned = since / (periodMillis * 500_000L) % 2 == 0;
                    more = concerned ? -1 : 0;
                }
                case FaultAction.PacketLoss loss -> {
                    concerned = share < loss.percent();
                    more = concerned ? -1 : 0;
                }
                case FaultAction.PacketDelay delay -> {
                    long jitter = delay.jitterMillis() * 1_000_000L;
                    long middle = delay.delayMillis() * 1_000_000L;
                    more = Math.max(0, Keyed.between(part, middle - jitter, middle + jitter + 1));
                }
                case FaultAction.PacketDuplication duplication -> {
                    concerned = share < duplication.percent();
                    twice |= concerned;
                }
                case FaultAction.PacketReordering reordering -> {
                    concerned = share < reordering.percent();
                    more = concerned ? reordering.delayMillis() * 1_000_000L : 0;
                }
                case FaultAction.PacketCorruption corruption -> {
                    concerned = share < corruption.percent();
                    more = concerned ? -1 : 0;
                    if (concerned) {
                        String accepted = Corruption.accepted(message, Keyed.part(part, 1));
                        if (!accepted.isEmpty()) {
                            world.watch.broken("corruption: " + accepted);
                        }
                    }
                }
                case FaultAction.PacketRate rate -> more = queued(from, to, message, rate);
                default -> throw new IllegalStateException("not of links: " + active.fault);
            }
            if (concerned) {
                active.concernedCount++;
            }
            if (more < 0) {
                return Passage.LOST;
            }
            late += more;
        }
        return new Passage(late, twice);
    }

    /** A link of limited rate passes one message after the other; a full queue drops. */
    private long queued(int from, int to, Message message, FaultAction.PacketRate rate) {
        long bytes = MESSAGE_BYTES;
        if (message instanceof Message.AppendEntries append) {
            for (var entry : append.entries()) {
                bytes += entry.sizeBytes();
            }
        }
        long start = Math.max(world.nowNanos(), linkBusyUntilNanos[from][to]);
        if (start - world.nowNanos() > QUEUE_NANOS_MAX) {
            return -1;
        }
        linkBusyUntilNanos[from][to] = start + bytes * 8 * 1_000_000 / rate.kbitPerSecond();
        return linkBusyUntilNanos[from][to] - world.nowNanos();
    }

    // ---- Nodes ----

    /** SIGTERM: what was handed to the disk still gets there. */
    private String stop(SimNode node) {
        node.endWell();
        return world.killProcess(node);
    }

    private void release(List<String> names, List<String> evidence) {
        for (SimNode node : named(names)) {
            node.killCount = Math.max(0, node.killCount - 1);
            node.powerLostKeepingPercent = -1;
            evidence.add(world.start(node));
        }
    }

    /** Even steps stop a node, odd ones start it and wait until it has caught up. */
    private boolean roll(Change change, List<SimNode> order, List<String> evidence) {
        int step = change.step;
        SimNode node = order.get(step / 2);
        if (step % 2 == 0) {
            stop(node);
            again(change, ROLLING_STEP_NANOS, step + 1);
            return false;
        }
        node.killCount = Math.max(0, node.killCount - 1);
        world.start(node);
        if (step / 2 + 1 < order.size()) {
            again(change, ROLLING_STEP_NANOS, step + 1);
            return false;
        }
        evidence.add(order.size() + " nodes were stopped and started, one after the other");
        return true;
    }

    private void clockJump(FaultAction.ClockJump jump, long millis, List<String> evidence) {
        for (SimNode node : named(jump.nodes())) {
            node.wallOffsetMillis += millis;
            evidence.add(
                    node.id
                            + "'s wall clock is wrong by "
                            + node.wallOffsetMillis
                            + " ms; what measures durations is not");
        }
    }

    /** Never more than a minority at once: beyond that Raft promises nothing. */
    private String flip(Active active, SimNode node) {
        long held = inForce.values().stream().mapToLong(other -> other.rot.size()).sum();
        if (held >= (world.options.nodeCount() - 1) / 2) {
            return node.id + " keeps its bits: as many disks as may be are damaged already";
        }
        SimDisk.Rot rot =
                node.disk.chooseRot(Keyed.key(seed(), Purpose.ROT, node.number, 1, ++drawCount));
        if (rot == null) {
            return node.id + " has written too little to be damaged";
        }
        world.killProcess(node);
        node.disk.flip(rot);
        node.killCount--;
        if (node.killCount > 0) {
            node.disk.flip(rot);
            return node.id + " is held down by another fault; its bits are left alone";
        }
        if (node.boot()) {
            return node.id + " runs on a disk with " + rot;
        }
        world.census.reached(Sometimes.ROT_REFUSED);
        node.killCount++;
        active.rot.put(node.id.name(), rot);
        return node.id + " refuses to start: " + node.refusedToStart;
    }

    /** In the middle of writing, if it writes at all within a while. */
    private boolean losePower(
            Change change, List<SimNode> concerned, int keptPercent, List<String> evidence) {
        if (change.step == 0) {
            long draw = Keyed.key(world.options.seed(), Purpose.CRASH, 0, 4, change.fault.id());
            boolean awaitsSegment =
                    world.options.disk().segmentBytes() <= SMALL_SEGMENT_BYTES
                            && Keyed.below(draw, 2) == 0;
            for (SimNode node : concerned) {
                node.killCount++;
                node.powerLostKeepingPercent = keptPercent;
                node.powerLossAwaitsSegment = awaitsSegment;
            }
            again(change, awaitsSegment ? SEGMENT_PATIENCE_NANOS : WRITE_PATIENCE_NANOS, 1);
            return false;
        }
        for (SimNode node : concerned) {
            SimDisk.Loss loss = node.lostPower(keptPercent);
            node.powerLostKeepingPercent = -1;
            evidence.add(
                    loss == null
                            ? node.id + " is down already"
                            : node.id
                                    + " lost its power and "
                                    + loss.writeCount()
                                    + " writes that were not synced"
                                    + (loss.torn() ? ", one of them in part" : ""));
        }
        return true;
    }

    private long seed() {
        return world.options.seed();
    }
}
