package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.core.Recovered;
import raft.harness.sim.Keyed;
import raft.harness.sim.Keyed.Purpose;
import raft.storage.CorruptLogException;
import raft.storage.Wal;

import java.io.IOException;

/**
 * Whether a node would come up again with all that it has promised, were its process killed or its
 * power lost at this moment. Asked of a copy of its disk, so that nothing has to happen to it: a
 * file that goes too early is missed for moments only, and hardly ever does a crash fall into them.
 */
final class Survival {
    /** At first each time, then ever less often: so many times seldom is often enough. */
    private static final int ALWAYS = 12;

    private final SimCluster world;
    private final SimNode node;
    private long occasionCount;
    private long draws;

    Survival(SimCluster world, SimNode node) {
        this.world = world;
        this.node = node;
    }

    /** Something came about of which there are many; some are looked at. */
    void perhapsLook(SimNode.Life life) {
        long draw = draw();
        occasionCount++;
        if (Keyed.below(draw, (int) Math.max(1, occasionCount / ALWAYS)) == 0) {
            look(life);
        }
    }

    private long draw() {
        return Keyed.key(world.options.seed(), Purpose.SURVIVAL, node.number, 0, ++draws);
    }

    /** Looks. */
    void look(SimNode.Life life) {
        if (node.disk.isFaulty() || !world.watch.holds()) {
            return;
        }
        long draw = draw();
        SimDisk disk = node.disk.copy();
        String end = "its process was killed";
        if (Keyed.below(draw, 3) > 0) {
            disk.losePower(Keyed.part(draw, 1));
            end = "its power was lost";
        }
        String why = objection(life, disk);
        if (why != null) {
            world.watch.broken(
                    "durability: were it so that " + end + " now, " + node.id + " " + why);
        }
    }

    private @Nullable String objection(SimNode.Life life, SimDisk disk) {
        LoopGuard.reset();
        long[] salt = {1};
        try {
            Wal.Opened opened =
                    Wal.open(disk, world.options.disk().segmentBytes(), () -> salt[0]++);
            Recovered recovered = opened.recovered();
            return node.shadow.explains(recovered, life.syncing)
                    ? null
                    : "would come up with term "
                            + recovered.hardState().term()
                            + ", a log from "
                            + (recovered.baseIndex() + 1)
                            + " on and "
                            + recovered.entries().size()
                            + " entries, which is not what it promised";
        } catch (CorruptLogException e) {
            return "would refuse to start: " + e.getMessage();
        } catch (IOException | RuntimeException e) {
            return "would fail to start: " + e;
        } finally {
            LoopGuard.reset();
        }
    }
}
