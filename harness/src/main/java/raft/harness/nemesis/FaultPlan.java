package raft.harness.nemesis;

import raft.harness.nemesis.FaultKind.Family;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * Which faults a run injects and when: data, made from the seed before the run, saved with it, and
 * good to be replayed or edited.
 *
 * <p>A generated plan cuts the run into slots. Each slot has one fault, now and then a second one
 * of another family that overlaps it, and ends with a time in which nothing is broken. The slots go
 * through all requested families in turn, so that each comes up even in a short run; within a
 * family kinds that aim at the leader are drawn most often.
 */
public record FaultPlan(List<PlannedFault> faults) {
    public static final FaultPlan NONE = new FaultPlan(List.of());

    private static final long SLOT_MILLIS = 9_000;
    private static final long WARM_UP_MILLIS = 2_000;

    public FaultPlan {
        faults =
                faults.stream()
                        .sorted(
                                Comparator.comparingLong(PlannedFault::startMillis)
                                        .thenComparingLong(PlannedFault::id))
                        .toList();
        long distinctIds = faults.stream().mapToLong(PlannedFault::id).distinct().count();
        if (distinctIds != faults.size()) {
            throw new IllegalArgumentException("the plan gives the same id to several faults");
        }
    }

    /**
     * Draws a plan.
     *
     * @param nodes all members
     * @param families what may be injected; none gives {@link #NONE}
     * @param runMillis how long clients will work; the last fault ends before
     */
    public static FaultPlan generate(
            long seed, List<String> nodes, Collection<Family> families, long runMillis) {
        if (families.isEmpty() || nodes.size() < 2) {
            return NONE;
        }
        Random random = new Random(seed);
        List<Family> turn = new ArrayList<>(families.stream().distinct().sorted().toList());
        Collections.shuffle(turn, random);
        long warmUpMillis = Math.min(WARM_UP_MILLIS, runMillis / 8);
        long usableMillis = runMillis - warmUpMillis;
        int slotCount = Math.toIntExact(Math.max(turn.size(), usableMillis / SLOT_MILLIS));
        long slotMillis = usableMillis / slotCount;
        List<PlannedFault> faults = new ArrayList<>();
        for (int slot = 0; slot < slotCount; slot++) {
            long start = warmUpMillis + slot * slotMillis;
            long duration = slotMillis * (50 + random.nextInt(16)) / 100;
            Family family = turn.get(slot % turn.size());
            faults.add(draw(random, faults.size() + 1, family, start, start + duration, nodes));
            if (turn.size() > 1 && random.nextInt(3) == 0) {
                Family other = turn.get((slot + 1 + random.nextInt(turn.size() - 1)) % turn.size());
                long overlapStart = start + duration * (20 + random.nextInt(50)) / 100;
                faults.add(
                        draw(
                                random,
                                faults.size() + 1,
                                other,
                                overlapStart,
                                start + duration,
                                nodes));
            }
        }
        return new FaultPlan(faults);
    }

    private static PlannedFault draw(
            Random random,
            long id,
            Family family,
            long startMillis,
            long endMillis,
            List<String> nodes) {
        List<FaultKind> kinds = new ArrayList<>();
        for (FaultKind kind : FaultKind.values()) {
            if (kind.family() == family) {
                int weight = kind.aimsAtLeader() ? 3 : 1;
                kinds.addAll(Collections.nCopies(weight, kind));
            }
        }
        List<String> order = new ArrayList<>(nodes);
        Collections.shuffle(order, random);
        return new PlannedFault(
                id,
                kinds.get(random.nextInt(kinds.size())),
                startMillis,
                Math.max(endMillis, startMillis + 1),
                order);
    }
}
