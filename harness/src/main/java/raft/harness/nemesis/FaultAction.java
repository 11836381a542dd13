package raft.harness.nemesis;

import java.util.List;

/**
 * A fault with everything decided: which links, which nodes, how much. The only thing a cluster
 * needs to understand. What a cluster cannot do it answers with {@link FaultOutcome.Status#SKIPPED}
 * and the reason.
 *
 * <p>Every action lasts until it is healed; each says what healing it means. Actions of several
 * faults may hold at the same time, also on the same node or link: healing one leaves the others in
 * force.
 */
public sealed interface FaultAction {

    // ---- Links ----

    /** All packets on these links are dropped; healed by letting them pass. */
    record Cut(List<Link> links) implements FaultAction {
        public Cut {
            links = sorted(links);
        }

        @Override
        public String toString() {
            return "cut " + links;
        }
    }

    /**
     * The links are cut and open in turn, beginning with cut.
     *
     * @param periodMillis from one cut to the next; half of it the links are cut
     */
    record Flap(List<Link> links, long periodMillis) implements FaultAction {
        public Flap {
            links = sorted(links);
        }

        @Override
        public String toString() {
            return "cut and open every " + periodMillis + " ms " + links;
        }
    }

    /** What happens to single packets; healed by handling them as before. */
    sealed interface Packets extends FaultAction {
        /** Packets on these links are concerned. */
        List<Link> links();
    }

    /**
     * @param percent of packets that are dropped at random, 1 to 100
     */
    record PacketLoss(List<Link> links, int percent) implements Packets {
        public PacketLoss {
            links = sorted(links);
        }

        @Override
        public String toString() {
            return "lose " + percent + " % of packets on " + links;
        }
    }

    /** Each packet is late by {@code delayMillis} ± {@code jitterMillis}. */
    record PacketDelay(List<Link> links, int delayMillis, int jitterMillis) implements Packets {
        public PacketDelay {
            links = sorted(links);
        }

        @Override
        public String toString() {
            return "delay packets by " + delayMillis + " ± " + jitterMillis + " ms on " + links;
        }
    }

    /**
     * @param percent of packets that arrive twice
     */
    record PacketDuplication(List<Link> links, int percent) implements Packets {
        public PacketDuplication {
            links = sorted(links);
        }

        @Override
        public String toString() {
            return "duplicate " + percent + " % of packets on " + links;
        }
    }

    /**
     * @param percent of packets that are overtaken by those behind them
     * @param delayMillis by which the overtaken ones are late
     */
    record PacketReordering(List<Link> links, int percent, int delayMillis) implements Packets {
        public PacketReordering {
            links = sorted(links);
        }

        @Override
        public String toString() {
            return "reorder " + percent + " % of packets on " + links;
        }
    }

    /**
     * @param percent of packets with one bit flipped
     */
    record PacketCorruption(List<Link> links, int percent) implements Packets {
        public PacketCorruption {
            links = sorted(links);
        }

        @Override
        public String toString() {
            return "corrupt " + percent + " % of packets on " + links;
        }
    }

    /**
     * @param kbitPerSecond that pass on each link
     */
    record PacketRate(List<Link> links, int kbitPerSecond) implements Packets {
        public PacketRate {
            links = sorted(links);
        }

        @Override
        public String toString() {
            return "at most " + kbitPerSecond + " kbit/s on " + links;
        }
    }

    // ---- Processes ----

    /** SIGKILL; taken back by starting the nodes again with the data they had. */
    record Kill(List<String> nodes) implements FaultAction {
        public Kill {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "kill " + nodes;
        }
    }

    /** SIGTERM, and time to end well; taken back by starting the nodes again. */
    record Stop(List<String> nodes) implements FaultAction {
        public Stop {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "stop " + nodes;
        }
    }

    /** The processes are frozen; taken back by resuming them. */
    record Pause(List<String> nodes) implements FaultAction {
        public Pause {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "pause " + nodes;
        }
    }

    /**
     * One after the other in this order: stopped gently, started, and waited for until it answers.
     * In effect when the last answers again; nothing is left to be taken back.
     */
    record RollingRestart(List<String> nodes) implements FaultAction {
        public RollingRestart {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "restart one after the other " + nodes;
        }
    }

    // ---- Clocks ----

    /** What is done to the clocks of nodes, never to the host's; healed by the true time. */
    sealed interface Clock extends FaultAction {
        List<String> nodes();
    }

    /**
     * The wall clock is wrong by this much; what measures durations stays true. Several jumps on
     * one node add up.
     *
     * @param offsetMillis into the future, or negative into the past
     */
    record ClockJump(List<String> nodes, long offsetMillis) implements Clock {
        public ClockJump {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "wall clock wrong by " + offsetMillis + " ms on " + nodes;
        }
    }

    /**
     * The wall clock jumps to and fro.
     *
     * @param offsetMillis of the one half of each period, 0 in the other
     * @param periodMillis from one jump forth to the next
     */
    record ClockStrobe(List<String> nodes, long offsetMillis, long periodMillis) implements Clock {
        public ClockStrobe {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "wall clock to and fro by "
                    + offsetMillis
                    + " ms every "
                    + periodMillis
                    + " ms on "
                    + nodes;
        }
    }

    /**
     * All clocks of the node run at another rate, also those that timeouts and leases are measured
     * by. A cluster may have to restart a node for it.
     *
     * @param ratePercent of the true rate, 50 to 200
     */
    record ClockDrift(List<String> nodes, int ratePercent) implements Clock {
        public ClockDrift {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "clocks at " + ratePercent + " % of the true rate on " + nodes;
        }
    }

    /** Every other fault of the nodes' wall clocks ends at once; nothing is left to be healed. */
    record ClockReset(List<String> nodes) implements Clock {
        public ClockReset {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "reset the clocks of " + nodes;
        }
    }

    // ---- Disks ----

    /** What is done to the nodes' disks and files. */
    sealed interface Disk extends FaultAction {
        List<String> nodes();
    }

    /**
     * Each node is killed, one bit of its stored log is flipped where it was written long ago, and
     * it is started. A right node notices and does not serve. Healed by restoring the bit, where
     * the node did not start with it, and starting it.
     */
    record BitFlip(List<String> nodes) implements Disk {
        public BitFlip {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "flip a bit in the files of " + nodes;
        }
    }

    /**
     * Each node is killed, the end of its newest log file is cut off although it was synced, and it
     * is started. Beyond what Raft can bear: acknowledged operations may be lost with it. Healed by
     * starting what does not run.
     *
     * @param bytes that are cut off
     */
    record Truncation(List<String> nodes, int bytes) implements Disk {
        public Truncation {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "cut " + bytes + " bytes off the log of " + nodes;
        }
    }

    /**
     * Power loss: each node is killed in the middle of writing, and what it had written but not
     * synced is gone. Healed by starting it.
     *
     * @param keptPercent of the unsynced bytes that reached the disk before, 0 for none; else the
     *     last write is torn
     */
    record LostWrites(List<String> nodes, int keptPercent) implements Disk {
        public LostWrites {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "power loss on "
                    + nodes
                    + (keptPercent == 0 ? "" : ", " + keptPercent + " % of the unsynced kept");
        }
    }

    /** No space is left; healed by giving it back, and starting nodes that ended. */
    record FullDisk(List<String> nodes) implements Disk {
        public FullDisk {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "disk full on " + nodes;
        }
    }

    /**
     * @param syncMillis that every sync takes longer
     */
    record SlowDisk(List<String> nodes, int syncMillis) implements Disk {
        public SlowDisk {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "every sync " + syncMillis + " ms slower on " + nodes;
        }
    }

    /** Writes and syncs fail with EIO; healed by a working disk, and starting nodes that ended. */
    record DiskErrors(List<String> nodes) implements Disk {
        public DiskErrors {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "I/O errors on " + nodes;
        }
    }

    // ---- Resources ----

    /**
     * @param percent of one processor
     */
    record CpuQuota(List<String> nodes, int percent) implements FaultAction {
        public CpuQuota {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "at most " + percent + " % of a processor for " + nodes;
        }
    }

    /**
     * The nodes may use no more memory than they use now and a little.
     *
     * @param headroomBytes that they may use beyond
     */
    record MemoryLimit(List<String> nodes, long headroomBytes) implements FaultAction {
        public MemoryLimit {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "no more memory than now and " + (headroomBytes >> 20) + " MB for " + nodes;
        }
    }

    // ---- Membership ----

    /** Changes of who may vote, by the system's own administrative requests. */
    sealed interface Membership extends FaultAction {}

    /**
     * A new, empty node joins as learner and becomes a voter; healed by removing it.
     *
     * @param node that is not a voter yet
     */
    record AddVoter(String node) implements Membership {
        @Override
        public String toString() {
            return "add " + node;
        }
    }

    /** A voter is removed, its process goes on; healed by adding it again. */
    record RemoveVoter(String node) implements Membership {
        @Override
        public String toString() {
            return "remove " + node;
        }
    }

    /**
     * A voter is removed, loses all that it has, and joins again as a new one. In effect when it is
     * removed; healed when it votes again.
     */
    record ReplaceVoter(String node) implements Membership {
        @Override
        public String toString() {
            return "replace " + node;
        }
    }

    // ---- Raft ----

    /** What an operator asks of a Raft system; nothing is left to be healed. */
    sealed interface RaftCommand extends FaultAction {}

    /**
     * @param to who is to lead
     */
    record TransferLeadership(String to) implements RaftCommand {
        @Override
        public String toString() {
            return "hand leadership to " + to;
        }
    }

    /** Each node takes a snapshot now and drops the log before it. */
    record TakeSnapshot(List<String> nodes) implements RaftCommand {
        public TakeSnapshot {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "snapshot now on " + nodes;
        }
    }

    /**
     * @param node that starts an election although it hears from a leader
     */
    record StartElection(String node) implements RaftCommand {
        @Override
        public String toString() {
            return "election started by " + node;
        }
    }

    private static List<Link> sorted(List<Link> links) {
        return links.stream().sorted().distinct().toList();
    }
}
