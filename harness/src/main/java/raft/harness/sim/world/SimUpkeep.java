package raft.harness.sim.world;

import raft.core.Change;
import raft.core.Configuration;
import raft.core.Effect.RoleName;
import raft.core.Event;
import raft.core.NodeId;
import raft.harness.sim.Keyed;
import raft.harness.sim.Keyed.Purpose;

import java.util.List;

/**
 * Operators who change the membership, hand leadership over, ask for elections and snapshots, at
 * moments that suit nobody. Each asks whoever leads, or thinks so, and does not wait for an answer.
 */
final class SimUpkeep {
    /** As few voters are left as can still lose one. */
    private static final int VOTERS_MIN = 3;

    private static final int VOTERS_MAX = 7;

    private final SimCluster world;
    private long actCount;

    SimUpkeep(SimCluster world) {
        this.world = world;
    }

    void begin() {
        if (world.options.upkeep().pauseNanos() > 0) {
            planNext();
        }
    }

    private void planNext() {
        long mean = world.options.upkeep().pauseNanos();
        long pause = Keyed.between(Keyed.part(draw(), 1), mean / 4, 2 * mean);
        world.plan(world.nowNanos() + pause, Happening.Kind.UPKEEP, null, null, null, -1);
    }

    private long draw() {
        return Keyed.key(world.options.seed(), Purpose.UPKEEP, 0, 0, actCount);
    }

    /** One act, and the next one is planned. */
    void act() {
        if (world.quiet()) {
            return;
        }
        actCount++;
        long draw = draw();
        List<SimNode> up = world.nodeList().stream().filter(SimNode::isUp).toList();
        List<SimNode> leaders =
                up.stream()
                        .filter(
                                node ->
                                        node.life != null
                                                && node.life.raft.role() == RoleName.LEADER)
                        .toList();
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
