package raft.harness.sim;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Everything that decides how a simulated cluster behaves beside its fault plan; the same options
 * give the same run, event by event. Times are nanoseconds of virtual time.
 *
 * @param seed of every draw
 * @param nodeCount members, 1 to 9
 * @param electionTimeoutNanos as in the node's configuration
 * @param heartbeatNanos as in the node's configuration
 * @param appendBytesMax as in the node's configuration
 * @param inflightAppendsMax as in the node's configuration
 * @param upkeep what operators do meanwhile
 */
public record SimOptions(
        long seed,
        int nodeCount,
        long electionTimeoutNanos,
        long heartbeatNanos,
        int appendBytesMax,
        int inflightAppendsMax,
        Network network,
        Disk disk,
        Process process,
        Upkeep upkeep) {

    /**
     * Links between nodes. A delay is drawn evenly from [min, max); now and then from [min,
     * slowMax) instead, which is also what reorders messages.
     *
     * @param slowPermille share of messages with a large delay
     * @param lossPermille share of messages that never arrive
     * @param duplicatePermille share of messages that arrive twice
     */
    public record Network(
            long minNanos,
            long maxNanos,
            int slowPermille,
            long slowMaxNanos,
            int lossPermille,
            int duplicatePermille) {}

    /**
     * A node's disk.
     *
     * @param fsyncMinNanos least time of an fsync
     * @param fsyncMaxNanos greatest ordinary time
     * @param slowPermille share of slow ones
     * @param slowMaxNanos greatest time of a slow one
     * @param powerLossPercent share of kills that also lose what was not synced
     * @param rotPercent share of restarts that find one bit of an old, synced record flipped; at
     *     most a minority of nodes at a time, and taken back once the node has refused to start
     * @param segmentBytes size of the log's segments
     */
    public record Disk(
            long fsyncMinNanos,
            long fsyncMaxNanos,
            int slowPermille,
            long slowMaxNanos,
            int powerLossPercent,
            int rotPercent,
            int segmentBytes) {}

    /**
     * A node's process and clock.
     *
     * @param hiccupPermille share of turns after which the process does nothing for a while
     * @param hiccupMaxNanos longest such while
     * @param driftPpmMax how far a node's clock may run fast or slow, in millionths
     */
    public record Process(int hiccupPermille, long hiccupMaxNanos, int driftPpmMax) {}

    /**
     * Snapshots, and what operators do to the cluster while it works.
     *
     * @param spareCount nodes beside the members at the start, which can be added
     * @param pauseNanos mean time between two acts of operators: changes of the membership,
     *     transfers, elections, snapshots; 0 for none
     * @param bulkNanos mean time between two entries that are larger than a segment of the log may
     *     be; 0 for none
     * @param snapshotLogBytes as in the node's configuration
     * @param chunkBytes as in the node's configuration
     * @param leaseDriftPercent as in the node's configuration; where leases are on, some reads use
     *     them
     */
    public record Upkeep(
            int spareCount,
            long pauseNanos,
            long bulkNanos,
            long snapshotLogBytes,
            int chunkBytes,
            int leaseDriftPercent) {
        /** Nothing; snapshots as on a real node. */
        public static final Upkeep NONE = new Upkeep(0, 0, 0, 64L << 20, 1 << 20, -1);

        /** Without operators; snapshots and leases as they are. */
        Upkeep unattended() {
            return new Upkeep(spareCount, 0, 0, snapshotLogBytes, chunkBytes, leaseDriftPercent);
        }
    }

    private static final long MICRO = 1_000;
    private static final long MILLI = 1_000_000;

    /** An ordinary local network and disk: what {@code ./raft test} simulates. */
    public static SimOptions defaults(long seed, int nodeCount) {
        return new SimOptions(
                seed,
                nodeCount,
                500 * MILLI,
                100 * MILLI,
                1 << 20,
                64,
                new Network(100 * MICRO, 400 * MICRO, 5, 30 * MILLI, 1, 1),
                new Disk(200 * MICRO, 2 * MILLI, 10, 50 * MILLI, 50, 5, 64 << 10),
                new Process(2, 20 * MILLI, 200),
                new Upkeep(0, 0, 0, 64 << 10, 16 << 10, -1));
    }

    /**
     * Draws which trouble is on and how strong, so that seeds differ in kind: a run in which
     * everything is broken a little finds other bugs than one in which one thing is broken badly.
     */
    public static SimOptions swarm(long seed) {
        Draw draw = new Draw(seed);
        int nodes = draw.in(10) < 5 ? 3 : draw.in(10) < 8 ? 5 : 4;
        long slowNetwork = draw.in(3) > 0 ? (1_000 + draw.in(4_000)) * MILLI : 50 * MILLI;
        long slowDisk = draw.in(3) == 0 ? 1_500 * MILLI : draw.in(2) == 0 ? 100 * MILLI : 5 * MILLI;
        SimOptions drawn =
                new SimOptions(
                        seed,
                        nodes,
                        500 * MILLI,
                        100 * MILLI,
                        draw.in(2) == 0 ? 1 << 20 : 200 + draw.in(800),
                        draw.in(2) == 0 ? 64 : 1 + draw.in(4),
                        new Network(
                                100 * MICRO,
                                switch (draw.in(6)) {
                                    case 0 -> (100 + draw.in(600)) * MILLI;
                                    case 1, 2 -> (5 + draw.in(20)) * MILLI;
                                    default -> 400 * MICRO;
                                },
                                draw.onOff(200),
                                slowNetwork,
                                draw.onOff(80),
                                draw.onOff(60)),
                        new Disk(
                                200 * MICRO,
                                draw.in(2) == 0 ? 2 * MILLI : 5 * MILLI + draw.in(30) * MILLI,
                                draw.onOff(60),
                                slowDisk,
                                draw.in(2) == 0 ? 0 : 20 + draw.in(80),
                                draw.in(2) == 0 ? 0 : 10 + draw.in(60),
                                4 << 10 << (draw.in(3) * 5 / 2)),
                        new Process(
                                draw.onOff(20),
                                draw.in(2) == 0 ? 20 * MILLI : 800 * MILLI,
                                draw.in(2) == 0 ? 0 : 20_000),
                        new Upkeep(
                                draw.in(3),
                                draw.in(2) == 0 ? 0 : (100 + draw.in(2_000)) * MILLI,
                                0,
                                draw.in(3) == 0 ? 64L << 20 : 400 + rather(draw.in(20_000), 20_000),
                                draw.in(2) == 0 ? 100 + draw.in(500) : 16 << 10,
                                draw.in(3) == 0 ? 10 : -1));
        SimOptions leasing = drawn.testingLeases(draw.in(4) == 0 ? 10 : 30);
        SimOptions hasty = draw.in(3) == 0 ? leasing.hasty() : leasing;
        return draw.in(4) == 0 ? hasty.withBulk((200 + draw.in(1_000)) * MILLI) : hasty;
    }

    private SimOptions withBulk(long pauseNanos) {
        return withUpkeep(
                new Upkeep(
                        upkeep.spareCount,
                        upkeep.pauseNanos,
                        pauseNanos,
                        upkeep.snapshotLogBytes,
                        upkeep.chunkBytes,
                        upkeep.leaseDriftPercent));
    }

    /**
     * Where leases are on, clocks drift nearly as far apart as the leases promise to bear, and
     * operators ask often: what a lease lacks by less is hardly ever seen, and it is lost most
     * easily where leadership is handed over.
     */
    private SimOptions testingLeases(int driftPercent) {
        if (upkeep.leaseDriftPercent < 0) {
            return this;
        }
        // (1 + d) / (1 - d) stays below 1 + driftPercent / 100.
        int driftPpm = driftPercent * 950_000 / (200 + driftPercent);
        return with(
                network,
                disk,
                new Process(process.hiccupPermille, process.hiccupMaxNanos, driftPpm),
                new Upkeep(
                        upkeep.spareCount,
                        upkeep.pauseNanos == 0
                                ? 400 * MILLI
                                : Math.min(upkeep.pauseNanos, 400 * MILLI),
                        upkeep.bulkNanos,
                        upkeep.snapshotLogBytes,
                        upkeep.chunkBytes,
                        driftPercent));
    }

    /**
     * Where nothing fails but the power of single nodes: entries are large and segments of the log
     * small, so that one entry may be too large for a segment, and a follower that was away finds
     * much in one message. Snapshots come often enough that segments go again.
     */
    SimOptions testingLogs() {
        return new SimOptions(
                seed,
                nodeCount,
                electionTimeoutNanos,
                heartbeatNanos,
                1 << 20,
                inflightAppendsMax,
                network,
                new Disk(
                        disk.fsyncMinNanos,
                        disk.fsyncMaxNanos,
                        disk.slowPermille,
                        disk.slowMaxNanos,
                        disk.powerLossPercent,
                        disk.rotPercent,
                        4 << 10),
                process,
                new Upkeep(
                        upkeep.spareCount,
                        upkeep.pauseNanos,
                        400 * MILLI,
                        16 << 10,
                        upkeep.chunkBytes,
                        upkeep.leaseDriftPercent));
    }

    /**
     * Rather small: of the numbers below {@code bound} a fifth of the draws are in the lowest
     * hundredth.
     */
    private static long rather(long even, long bound) {
        return even * even / bound * even / bound;
    }

    /** The troubles that are on, in one line. */
    public String words() {
        return nodeCount
                + " nodes, election timeout "
                + electionTimeoutNanos / MILLI
                + " ms; network up to "
                + network.maxNanos / MICRO
                + " us, slow "
                + network.slowPermille
                + "/1000 up to "
                + network.slowMaxNanos / MILLI
                + " ms, loss "
                + network.lossPermille
                + "/1000, twice "
                + network.duplicatePermille
                + "/1000; fsync up to "
                + disk.fsyncMaxNanos / MILLI
                + " ms, slow "
                + disk.slowPermille
                + "/1000 up to "
                + disk.slowMaxNanos / MILLI
                + " ms, power loss "
                + disk.powerLossPercent
                + " %, rot "
                + disk.rotPercent
                + " %; hiccups "
                + process.hiccupPermille
                + "/1000 up to "
                + process.hiccupMaxNanos / MILLI
                + " ms, drift "
                + process.driftPpmMax
                + " ppm; "
                + upkeep.spareCount
                + " spare nodes, operators every "
                + upkeep.pauseNanos / MILLI
                + " ms, large entries every "
                + upkeep.bulkNanos / MILLI
                + " ms, snapshots every "
                + upkeep.snapshotLogBytes
                + " B"
                + (upkeep.leaseDriftPercent < 0 ? "" : ", leases");
    }

    /**
     * The same network and disks under nodes that are quicker to elect: messages are then often
     * older than the term in which they arrive.
     */
    private SimOptions hasty() {
        long timeout = 200 * MILLI;
        return new SimOptions(
                seed,
                nodeCount,
                timeout,
                timeout / 4,
                appendBytesMax,
                inflightAppendsMax,
                network,
                disk,
                new Process(
                        process.hiccupPermille,
                        Math.min(process.hiccupMaxNanos, timeout * 3 / 2),
                        process.driftPpmMax),
                upkeep);
    }

    /** These options with fewer members. */
    public SimOptions withNodes(int count) {
        return with(count, electionTimeoutNanos);
    }

    /** These options with nodes that are quicker or slower to elect. */
    public SimOptions withElectionTimeout(long nanos) {
        return with(nodeCount, nanos);
    }

    private SimOptions with(int nodes, long timeoutNanos) {
        return new SimOptions(
                seed,
                nodes,
                timeoutNanos,
                heartbeatNanos,
                appendBytesMax,
                inflightAppendsMax,
                network,
                disk,
                process,
                upkeep);
    }

    /**
     * These options with an undisturbed network, disk and process, and nobody who looks after it.
     */
    public SimOptions calm() {
        return with(calmNetwork(), calmDisk(), calmProcess(), Upkeep.NONE);
    }

    /** These options with other snapshots, spare nodes, leases. */
    public SimOptions withUpkeep(Upkeep other) {
        return with(network, disk, process, other);
    }

    /** Ways to calm one thing and leave the rest, for whoever makes a run smaller. */
    static List<UnaryOperator<SimOptions>> calmings() {
        return List.of(
                o -> o.with(calmNetwork(), o.disk, o.process, o.upkeep),
                o -> o.with(o.network, o.calmDisk(), o.process, o.upkeep),
                o -> o.with(o.network, o.disk, calmProcess(), o.upkeep),
                o -> o.withUpkeep(o.upkeep.unattended()),
                o -> o.withUpkeep(Upkeep.NONE));
    }

    private static Network calmNetwork() {
        return new Network(100 * MICRO, 400 * MICRO, 0, MILLI, 0, 0);
    }

    private Disk calmDisk() {
        return new Disk(200 * MICRO, 2 * MILLI, 0, MILLI, disk.powerLossPercent, 0, 64 << 10);
    }

    private static Process calmProcess() {
        return new Process(0, MILLI, 0);
    }

    private SimOptions with(
            Network otherNetwork, Disk otherDisk, Process otherProcess, Upkeep otherUpkeep) {
        return new SimOptions(
                seed,
                nodeCount,
                electionTimeoutNanos,
                heartbeatNanos,
                appendBytesMax,
                inflightAppendsMax,
                otherNetwork,
                otherDisk,
                otherProcess,
                otherUpkeep);
    }

    /** Draws in a fixed order; adding one at the end changes no earlier one. */
    private static final class Draw {
        private final long seed;
        private long count;

        Draw(long seed) {
            this.seed = seed;
        }

        int in(int bound) {
            return Keyed.below(Keyed.key(seed, Keyed.Purpose.SWARM, count++, 0, 0), bound);
        }

        /** 0 half of the time, else something up to {@code max}. */
        int onOff(int max) {
            int strength = 1 + in(max);
            return in(2) == 0 ? 0 : strength;
        }
    }
}
