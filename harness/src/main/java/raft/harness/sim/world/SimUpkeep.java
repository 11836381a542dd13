package raft.harness.sim.world;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.Request;
import raft.core.Bytes;
import raft.core.Change;
import raft.core.Configuration;
import raft.core.Effect.RoleName;
import raft.core.Event;
import raft.core.NodeId;
import raft.harness.sim.Keyed;
import raft.harness.sim.Keyed.Purpose;

import java.util.Arrays;
import java.util.List;

/**
 * Operators who change the membership, hand leadership over, ask for elections and snapshots, and
 * write what is large, at moments that suit nobody. Each asks whoever leads, or thinks so, and does
 * not wait for an answer.
 */
final class SimUpkeep {
    /** As few voters are left as can still lose one. */
    private static final int VOTERS_MIN = 3;

    private static final int VOTERS_MAX = 7;

    private static final int BULK_BYTES_MIN = 3 << 10;
    private static final int BULK_BYTES_MAX = 9 << 10;

    /** What is planned. */
    enum Act {
        /** Any of the wishes that operators have. */
        ANY,
        BULK
    }

    private final SimCluster world;
    private long actCount;
    private long bulkCount;

    SimUpkeep(SimCluster world) {
        this.world = world;
    }

    void begin() {
        if (world.options.upkeep().pauseNanos() > 0) {
            planNext();
        }
        if (world.options.upkeep().bulkNanos() > 0) {
            planBulk();
        }
    }

    private long bulkDraw() {
        return Keyed.key(world.options.seed(), Purpose.UPKEEP, 1, 0, bulkCount);
    }

    private void planBulk() {
        bulkCount++;
        long mean = world.options.upkeep().bulkNanos();
        long pause = Keyed.between(bulkDraw(), mean / 4, 2 * mean);
        world.plan(world.nowNanos() + pause, Happening.Kind.UPKEEP, null, null, Act.BULK, -1);
    }

    private void planNext() {
        long mean = world.options.upkeep().pauseNanos();
        long pause = Keyed.between(Keyed.part(draw(), 1), mean / 4, 2 * mean);
        world.plan(world.nowNanos() + pause, Happening.Kind.UPKEEP, null, null, Act.ANY, -1);
    }

    private long draw() {
        return Keyed.key(world.options.seed(), Purpose.UPKEEP, 0, 0, actCount);
    }

    /** One act, and the next one of its sort is planned. */
    void act(Act act) {
        if (world.quiet()) {
            return;
        }
        List<SimNode> up = world.nodeList().stream().filter(SimNode::isUp).toList();
        List<SimNode> leaders =
                up.stream()
                        .filter(
                                node ->
                                        node.life != null
                                                && node.life.raft.role() == RoleName.LEADER)
                        .toList();
        if (act == Act.BULK) {
            leaders.forEach(leader -> writeBulk(leader, Keyed.part(bulkDraw(), 1)));
            planBulk();
            return;
        }
        actCount++;
        long draw = draw();
        if (!up.isEmpty()) {
            SimNode anyone = pick(up, Keyed.part(draw, 2));
            SimNode asked = leaders.isEmpty() ? anyone : pick(leaders, Keyed.part(draw, 3));
            act(asked, anyone, draw);
        }
        planNext();
    }

    private void act(SimNode leader, SimNode anyone, long draw) {
        switch (Keyed.below(draw, 10)) {
            case 0 -> anyone.operate(Event.TakeSnapshot::new);
            case 1 -> anyone.operate(Event.StartElection::new);
            case 2 -> leader.operate(id -> new Event.TransferLeadership(id, null));
            case 3 -> {
                // The slowest clock is the last to stand by itself, and a danger to leases.
                SimNode to =
                        world.leasesAreOn() ? world.nodeList().get(world.slowestNumber()) : anyone;
                leader.operate(id -> new Event.TransferLeadership(id, to.id));
            }
            default -> {
                if (!anyone.claimed) {
                    change(leader, anyone.id, draw);
                }
            }
        }
    }

    /**
     * One entry that is larger than a segment of the log may be, or than a message. It compares
     * with something large that is not there, so it changes nothing that a client or a snapshot
     * sees.
     */
    private void writeBulk(SimNode leader, long draw) {
        byte[] absent =
                new byte[BULK_BYTES_MIN + Keyed.below(draw, BULK_BYTES_MAX - BULK_BYTES_MIN)];
        Arrays.fill(absent, (byte) 'x');
        Bytes command =
                Bytes.wrap(
                        ClientCodec.encodeCommand(
                                        new Request.Cas(
                                                Blob.ofText("bulk"),
                                                Blob.wrap(absent),
                                                Blob.ofText("none")))
                                .unsafeArray());
        world.watch.asked(command);
        leader.operate(id -> new Event.Propose(id, command));
    }

    /** Adds, promotes or removes {@code about}, as its standing suggests. */
    private static void change(SimNode leader, NodeId about, long draw) {
        SimNode.Life life = leader.life;
        if (life == null) {
            return;
        }
        Configuration now = life.raft.configuration();
        boolean remove = Keyed.below(Keyed.part(draw, 4), 3) == 0;
        Change change =
                !now.contains(about)
                        ? new Change.AddLearner(about, "")
                        : now.isVoter(about) || remove
                                ? new Change.Remove(about)
                                : new Change.Promote(about);
        int voters = now.voters().size();
        boolean tooFew =
                change instanceof Change.Remove && now.isVoter(about) && voters <= VOTERS_MIN;
        boolean tooMany = change instanceof Change.Promote && voters >= VOTERS_MAX;
        if (!tooFew && !tooMany) {
            leader.operate(id -> new Event.ChangeMembership(id, change));
        }
    }

    private static SimNode pick(List<SimNode> from, long draw) {
        return from.get(Keyed.below(draw, from.size()));
    }
}
