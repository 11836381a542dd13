package raft.harness.nemesis;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Every kind of fault, as a pure function from the members, the leader, the committed voters and
 * some numbers to a {@link FaultAction}.
 *
 * <p>The members come in an order that the plan drew from its seed, so that "a random minority" is
 * the same nodes whenever the plan is replayed. Kinds that aim at the leader take the one that
 * leads when the fault's time comes; where none is known, the first of the order. Minorities and
 * majorities are those of the committed voters where these are known; members that do not vote go
 * with the last side.
 */
// Decisions are pure functions without state, which a functional interface cannot say.
@SuppressWarnings("ImmutableEnumChecker")
public enum FaultKind {
    // ---- Partitions. Sides are cut from each other both ways unless the kind says otherwise. ----

    /** One node against everybody else. */
    PARTITION_ONE(Family.PARTITION, Aim.ANY, among -> among.split(1)),
    /** The largest minority against a majority. */
    PARTITION_MINORITY(Family.PARTITION, Aim.ANY, among -> among.split(among.minority())),
    /** A majority of nodes, each alone: nobody has a quorum. */
    PARTITION_MAJORITY(Family.PARTITION, Aim.ANY, Among::majorityEachAlone),
    /** Two sides as equal as can be. */
    PARTITION_HALVES(Family.PARTITION, Aim.ANY, among -> among.split(among.voterCount() / 2)),
    /** Fewer than a third, as many as can be, against the others. */
    PARTITION_MINORITY_THIRD(
            Family.PARTITION,
            Aim.ANY,
            among -> among.split(Math.max(1, (among.voterCount() - 1) / 3))),
    /** Everybody hears a majority, and no two hear the same. */
    PARTITION_MAJORITIES_RING(Family.PARTITION, Aim.ANY, Among::ring),
    /** Two halves that hear of each other only through one node between them. */
    PARTITION_BRIDGE(Family.PARTITION, Aim.ANY, Among::bridge),
    /** The leader against everybody else: the fault that found most real bugs. */
    PARTITION_LEADER_ALONE(Family.PARTITION, Aim.LEADER, among -> among.split(1)),
    /** The leader together with a minority; the others can elect another. */
    PARTITION_LEADER_MINORITY(Family.PARTITION, Aim.LEADER, among -> among.split(among.minority())),
    /** The leader keeps a bare majority; the others must not elect anybody. */
    PARTITION_LEADER_MAJORITY(
            Family.PARTITION, Aim.LEADER_STAYS, among -> among.split(among.majority())),
    /** What the first half sends never reaches the other; the other direction works. */
    PARTITION_ONE_WAY(Family.PARTITION, Aim.ANY, Among::oneWay),
    /** The leader hears everybody and nobody hears the leader. */
    PARTITION_LEADER_MUTE(
            Family.PARTITION, Aim.LEADER, among -> among.cut(among.first(), among.rest())),
    /** Everybody hears the leader, the leader hears nobody. */
    PARTITION_LEADER_DEAF(
            Family.PARTITION, Aim.LEADER, among -> among.cut(among.rest(), among.first())),
    /** One link between two nodes, both ways. */
    PARTITION_LINK(Family.PARTITION, Aim.ANY, Among::oneLink),
    /** The leader against everybody else, cut and whole in turn. */
    PARTITION_FLAPPING(
            Family.PARTITION,
            Aim.LEADER_STAYS,
            Parameter.of("periodMillis", 100, 60_000, 1_000, 400, 2_000),
            Among::flapping),

    // ---- Processes. ----

    KILL_ONE(Family.KILL, Aim.ANY, among -> new FaultAction.Kill(among.first())),
    KILL_LEADER(Family.KILL, Aim.LEADER, among -> new FaultAction.Kill(among.first())),
    KILL_MINORITY(
            Family.KILL, Aim.ANY, among -> new FaultAction.Kill(among.some(among.minority()))),
    KILL_MAJORITY(
            Family.KILL, Aim.ANY, among -> new FaultAction.Kill(among.some(among.majority()))),
    KILL_ALL(Family.KILL, Aim.ANY, among -> new FaultAction.Kill(among.order())),
    /** Asked to end, as an operator would. */
    STOP_ONE(Family.KILL, Aim.ANY, among -> new FaultAction.Stop(among.first())),
    STOP_LEADER(Family.KILL, Aim.LEADER, among -> new FaultAction.Stop(among.first())),
    /** All ended gently at the same time and started together. */
    RESTART_ALL(Family.KILL, Aim.ANY, among -> new FaultAction.Stop(among.order())),
    /** As an upgrade does it: one after the other, the leader first. */
    RESTART_ROLLING(
            Family.KILL, Aim.LEADER_STAYS, among -> new FaultAction.RollingRestart(among.order())),

    PAUSE_ONE(Family.PAUSE, Aim.ANY, among -> new FaultAction.Pause(among.first())),
    PAUSE_LEADER(Family.PAUSE, Aim.LEADER, among -> new FaultAction.Pause(among.first())),
    PAUSE_MINORITY(
            Family.PAUSE, Aim.ANY, among -> new FaultAction.Pause(among.some(among.minority()))),
    PAUSE_MAJORITY(
            Family.PAUSE, Aim.ANY, among -> new FaultAction.Pause(among.some(among.majority()))),
    PAUSE_ALL(Family.PAUSE, Aim.ANY, among -> new FaultAction.Pause(among.order())),

    // ---- Clocks. A jump is anything between a scheduler's hiccup and minutes. ----

    CLOCK_JUMP(
            Family.CLOCK,
            Aim.ANY,
            Among.JUMP,
            (among, number) -> new FaultAction.ClockJump(among.some(among.minority()), number)),
    CLOCK_JUMP_LEADER(
            Family.CLOCK,
            Aim.LEADER_STAYS,
            Among.JUMP,
            (among, number) -> new FaultAction.ClockJump(among.first(), number)),
    CLOCK_STROBE(Family.CLOCK, Aim.LEADER_STAYS, Among.STROBE, Among::strobe),
    /** Set when the node starts, so it is restarted for it and for its end. */
    CLOCK_DRIFT(
            Family.CLOCK,
            Aim.LEADER_STAYS,
            Parameter.of("ratePercent", 50, 200, 50, 80, 120, 150, 200),
            (among, number) -> new FaultAction.ClockDrift(among.first(), Math.toIntExact(number))),
    CLOCK_RESET(Family.CLOCK, Aim.ANY, true, among -> new FaultAction.ClockReset(among.order())),

    // ---- Packets: on all links, on the leader's, on one. ----

    PACKETS_LOSS(Family.PACKETS, Aim.ANY, Among.LOSS, Among.lossOn(Among::allLinks)),
    PACKETS_LOSS_LEADER(
            Family.PACKETS, Aim.LEADER_STAYS, Among.LOSS, Among.lossOn(Among::linksOfFirst)),
    PACKETS_LOSS_LINK(Family.PACKETS, Aim.LEADER_STAYS, Among.LOSS, Among.lossOn(Among::firstLink)),
    PACKETS_RATE(Family.PACKETS, Aim.ANY, Among.RATE, Among.rateOn(Among::allLinks)),
    PACKETS_RATE_LEADER(
            Family.PACKETS, Aim.LEADER_STAYS, Among.RATE, Among.rateOn(Among::linksOfFirst)),
    PACKETS_RATE_LINK(Family.PACKETS, Aim.LEADER_STAYS, Among.RATE, Among.rateOn(Among::firstLink)),
    PACKETS_DELAY(Family.PACKETS, Aim.ANY, Among.DELAY, Among.delayOn(Among::allLinks)),
    PACKETS_DELAY_LEADER(
            Family.PACKETS, Aim.LEADER_STAYS, Among.DELAY, Among.delayOn(Among::linksOfFirst)),
    PACKETS_DELAY_LINK(
            Family.PACKETS, Aim.LEADER_STAYS, Among.DELAY, Among.delayOn(Among::firstLink)),
    PACKETS_DUPLICATE(
            Family.PACKETS,
            Aim.ANY,
            Among.SHARE,
            (among, number) ->
                    new FaultAction.PacketDuplication(among.allLinks(), Math.toIntExact(number))),
    PACKETS_REORDER(
            Family.PACKETS,
            Aim.ANY,
            Among.SHARE,
            (among, number) ->
                    new FaultAction.PacketReordering(
                            among.allLinks(), Math.toIntExact(number), 20)),
    PACKETS_CORRUPT(
            Family.PACKETS,
            Aim.ANY,
            Parameter.of("percent", 1, 100, 2, 5, 10),
            (among, number) ->
                    new FaultAction.PacketCorruption(among.allLinks(), Math.toIntExact(number))),

    // ---- Disks. Never more nodes than may be lost. ----

    DISK_BIT_FLIP(Family.DISK, Aim.ANY, among -> new FaultAction.BitFlip(among.first())),
    /** Loses what was acknowledged, which no Raft survives: only where it is asked for by name. */
    DISK_TRUNCATE(
            Family.DISK,
            Aim.ANY,
            true,
            Parameter.of("bytes", 1, 1 << 30, 64, 4_096),
            (among, number) -> new FaultAction.Truncation(among.first(), Math.toIntExact(number))),
    DISK_LOST_WRITES(Family.DISK, Aim.ANY, among -> new FaultAction.LostWrites(among.first(), 0)),
    DISK_LOST_WRITES_LEADER(
            Family.DISK, Aim.LEADER, among -> new FaultAction.LostWrites(among.first(), 0)),
    /** All at once, as when a rack loses power: whatever was acknowledged must be on disks. */
    DISK_LOST_WRITES_ALL(
            Family.DISK, Aim.ANY, among -> new FaultAction.LostWrites(among.order(), 0)),
    /** As a power loss, but a part of the last write reached the disk. */
    DISK_TORN_WRITE(
            Family.DISK,
            Aim.LEADER,
            Parameter.of("keptPercent", 1, 99, 50, 10, 90),
            (among, number) -> new FaultAction.LostWrites(among.first(), Math.toIntExact(number))),
    DISK_FULL(Family.DISK, Aim.ANY, among -> new FaultAction.FullDisk(among.first())),
    DISK_FULL_LEADER(
            Family.DISK, Aim.LEADER_STAYS, among -> new FaultAction.FullDisk(among.first())),
    DISK_SLOW(
            Family.DISK,
            Aim.ANY,
            Among.SYNC,
            (among, number) ->
                    new FaultAction.SlowDisk(
                            among.some(among.minority()), Math.toIntExact(number))),
    DISK_SLOW_LEADER(
            Family.DISK,
            Aim.LEADER_STAYS,
            Among.SYNC,
            (among, number) -> new FaultAction.SlowDisk(among.first(), Math.toIntExact(number))),
    DISK_ERROR(Family.DISK, Aim.ANY, among -> new FaultAction.DiskErrors(among.first())),
    DISK_ERROR_LEADER(
            Family.DISK, Aim.LEADER_STAYS, among -> new FaultAction.DiskErrors(among.first())),

    // ---- Resources. ----

    RESOURCES_CPU(
            Family.RESOURCES,
            Aim.ANY,
            Among.CPU,
            (among, number) ->
                    new FaultAction.CpuQuota(
                            among.some(among.minority()), Math.toIntExact(number))),
    RESOURCES_CPU_LEADER(
            Family.RESOURCES,
            Aim.LEADER_STAYS,
            Among.CPU,
            (among, number) -> new FaultAction.CpuQuota(among.first(), Math.toIntExact(number))),
    RESOURCES_MEMORY(
            Family.RESOURCES,
            Aim.LEADER_STAYS,
            Parameter.of("headroomMegabytes", 0, 4_096, 8, 2, 32),
            (among, number) -> new FaultAction.MemoryLimit(among.first(), number << 20)),

    // ---- Membership. One voter at a time, so that a quorum survives wherever it did before. ----

    MEMBERSHIP_GROW(Family.MEMBERSHIP, Aim.ANY, Among::grow),
    MEMBERSHIP_SHRINK(
            Family.MEMBERSHIP, Aim.ANY, among -> new FaultAction.RemoveVoter(among.one())),
    MEMBERSHIP_REMOVE_LEADER(
            Family.MEMBERSHIP, Aim.LEADER, among -> new FaultAction.RemoveVoter(among.one())),
    MEMBERSHIP_REPLACE(
            Family.MEMBERSHIP, Aim.ANY, among -> new FaultAction.ReplaceVoter(among.one())),

    // ---- Raft. ----

    RAFT_TRANSFER(
            Family.RAFT, Aim.LEADER, among -> new FaultAction.TransferLeadership(among.second())),
    RAFT_SNAPSHOT(Family.RAFT, Aim.ANY, among -> new FaultAction.TakeSnapshot(among.voters())),
    RAFT_ELECTION(Family.RAFT, Aim.LEADER, among -> new FaultAction.StartElection(among.second()));

    /** What people ask for on the command line. */
    public enum Family {
        PARTITION(3),
        KILL(2),
        PAUSE(3),
        CLOCK(1),
        PACKETS(1),
        DISK(1),
        RESOURCES(1),
        MEMBERSHIP(1),
        RAFT(1);

        /** The families that every cluster has always known and that found most bugs. */
        public static final List<Family> USUAL = List.of(PARTITION, KILL, PAUSE);

        /** Turns of a generated plan beyond the first go to families by this weight. */
        final int weight;

        Family(int weight) {
            this.weight = weight;
        }

        /** As written on the command line and in results. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Whom a kind takes first. */
    enum Aim {
        /** Whoever the seed says. */
        ANY,
        /** The leader, and a working cluster must elect another one while it lasts. */
        LEADER,
        /** The leader, who may well stay it. */
        LEADER_STAYS
    }

    private final Family family;
    private final Aim aim;
    private final boolean byNameOnly;
    private final @Nullable Parameter parameter;
    private final BiFunction<Among, Long, FaultAction> decision;

    FaultKind(Family family, Aim aim, Function<Among, FaultAction> decision) {
        this(family, aim, false, decision);
    }

    FaultKind(Family family, Aim aim, boolean byNameOnly, Function<Among, FaultAction> decision) {
        this(family, aim, byNameOnly, null, (among, number) -> decision.apply(among));
    }

    FaultKind(
            Family family,
            Aim aim,
            Parameter parameter,
            BiFunction<Among, Long, FaultAction> decision) {
        this(family, aim, false, parameter, decision);
    }

    FaultKind(
            Family family,
            Aim aim,
            boolean byNameOnly,
            @Nullable Parameter parameter,
            BiFunction<Among, Long, FaultAction> decision) {
        this.family = family;
        this.aim = aim;
        this.byNameOnly = byNameOnly;
        this.parameter = parameter;
        this.decision = decision;
    }

    /**
     * What this kind means here and now.
     *
     * @param order all members, in the order that the plan drew
     * @param view what is known of the cluster
     * @param parameters as {@link #complete} gives them
     */
    public FaultAction resolve(List<String> order, View view, Map<String, Long> parameters) {
        Among among = Among.of(order, view, aim != Aim.ANY);
        if (parameter == null) {
            return decision.apply(among, 0L);
        }
        Long number = parameters.get(parameter.name());
        return decision.apply(among, number == null ? parameter.usual() : number);
    }

    /** Whether it is about links between nodes, or about one node taking another's place. */
    public boolean needsSeveralNodes() {
        return family == Family.PARTITION
                || family == Family.PACKETS
                || family == Family.MEMBERSHIP
                || this == RAFT_TRANSFER;
    }

    /**
     * Whether one of the two keeps the other from its effect: a frozen process cannot end gently.
     */
    boolean defeats(FaultKind other) {
        return (isGentleEnd() && other.family == Family.PAUSE)
                || (other.isGentleEnd() && family == Family.PAUSE);
    }

    private boolean isGentleEnd() {
        return this == STOP_ONE
                || this == STOP_LEADER
                || this == RESTART_ALL
                || this == RESTART_ROLLING;
    }

    /** As {@link #resolve(List, View, Map)} with the usual parameters. */
    public FaultAction resolve(List<String> order, @Nullable String leader) {
        return resolve(order, View.ledBy(leader), Map.of());
    }

    /**
     * Fills in usual values.
     *
     * @throws IllegalArgumentException when a parameter is unknown to this kind or out of range
     */
    public SortedMap<String, Long> complete(SortedMap<String, Long> given) {
        SortedMap<String, Long> all = new TreeMap<>();
        if (parameter != null) {
            all.put(parameter.name(), parameter.usual());
        }
        given.forEach(
                (name, value) -> {
                    if (parameter == null || !parameter.name().equals(name)) {
                        throw new IllegalArgumentException(
                                label()
                                        + " has no parameter '"
                                        + name
                                        + "'"
                                        + (parameter == null
                                                ? ""
                                                : "; it has " + parameter.name()));
                    }
                    if (value < parameter.min() || value > parameter.max()) {
                        throw new IllegalArgumentException(
                                name
                                        + " must be "
                                        + parameter.min()
                                        + " to "
                                        + parameter.max()
                                        + ", got "
                                        + value);
                    }
                    all.put(name, value);
                });
        return all;
    }

    /** Values for a generated plan. */
    SortedMap<String, Long> drawParameters(Random random) {
        SortedMap<String, Long> all = new TreeMap<>();
        if (parameter != null) {
            all.put(parameter.name(), parameter.draw(random));
        }
        return all;
    }

    /** What a plan may say beside the times; empty for most kinds. */
    public List<Parameter> parameters() {
        return parameter == null ? List.of() : List.of(parameter);
    }

    public Family family() {
        return family;
    }

    /** Whether a working cluster must elect another leader while this lasts. */
    public boolean aimsAtLeader() {
        return aim == Aim.LEADER;
    }

    /** Whether the leader is concerned before others. */
    boolean prefersLeader() {
        return aim != Aim.ANY;
    }

    /** Whether a plan has this kind only where it is asked for by its own name. */
    public boolean byNameOnly() {
        return byNameOnly;
    }

    /** As written in plans and histories, "partition-leader-alone" say. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** All kinds of a family that a generated plan draws from. */
    public static List<FaultKind> drawnOf(Family family) {
        return Stream.of(values())
                .filter(kind -> kind.family == family && !kind.byNameOnly)
                .toList();
    }

    /**
     * @throws IllegalArgumentException naming all kinds
     */
    public static FaultKind ofLabel(String label) {
        return Stream.of(values())
                .filter(kind -> kind.label().equals(label))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "no fault is called '"
                                                + label
                                                + "'; there are "
                                                + Stream.of(values())
                                                        .map(FaultKind::label)
                                                        .toList()));
    }
}
