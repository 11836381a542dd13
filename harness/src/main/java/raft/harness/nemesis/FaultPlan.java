package raft.harness.nemesis;

import raft.harness.nemesis.FaultChoice.Request;
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
 * of another request that overlaps it, and ends with a time in which nothing is broken. Every
 * request has a slot, so that each comes up even in a short run; the slots beyond go to requests by
 * weight, and within a request the kinds that concern the leader are drawn most often: cut off and
 * paused leaders found most real bugs.
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
     * The name of the node that a cluster of these can grow by, where it is made ready for that.
     */
    public static String spareBeside(List<String> members) {
        return "n" + (members.size() + 1);
    }

    /** Whether a spare node has to be ready for it. */
    public boolean needsSpare(List<String> members) {
        String spare = spareBeside(members);
        return faults.stream()
                .anyMatch(
                        fault ->
                                fault.kind() == FaultKind.MEMBERSHIP_GROW
                                        || fault.order().contains(spare));
    }

    /** The same for a cluster that has no such node. */
    public FaultPlan without(String node) {
        return new FaultPlan(
                faults.stream()
                        .map(
                                fault ->
                                        fault.among(
                                                fault.order().stream()
                                                        .filter(name -> !name.equals(node))
                                                        .toList()))
                        .toList());
    }

    /** As {@link #generate(long, List, FaultChoice, long)}, for whole families. */
    public static FaultPlan generate(
            long seed, List<String> nodes, Collection<Family> families, long runMillis) {
        return generate(seed, nodes, FaultChoice.of(families), runMillis);
    }

    /**
     * Draws a plan.
     *
     * @param nodes all members, and the spare nodes beside them
     * @param choice what may be injected; none gives {@link #NONE}
     * @param runMillis how long clients will work; the last fault ends before
     */
    public static FaultPlan generate(
            long seed, List<String> nodes, FaultChoice choice, long runMillis) {
        if (nodes.size() == 1 && choice.kinds().stream().anyMatch(FaultKind::needsSeveralNodes)) {
            return generate(seed, nodes, choice.ofOneNode(), runMillis);
        }
        if (choice.requests().isEmpty() || nodes.isEmpty()) {
            return NONE;
        }
        Random random = new Random(seed);
        long warmUpMillis = Math.min(WARM_UP_MILLIS, runMillis / 8);
        long usableMillis = runMillis - warmUpMillis;
        int slotCount =
                Math.toIntExact(Math.max(choice.requests().size(), usableMillis / SLOT_MILLIS));
        long slotMillis = usableMillis / slotCount;
        List<Request> turns = turns(random, choice.requests(), slotCount);
        List<PlannedFault> faults = new ArrayList<>();
        for (int slot = 0; slot < slotCount; slot++) {
            long start = warmUpMillis + slot * slotMillis;
            long end = start + slotMillis * (50 + random.nextInt(16)) / 100;
            Request request = turns.get(slot);
            PlannedFault first = draw(random, faults.size() + 1, request, start, end, nodes);
            faults.add(first);
            List<Request> others = new ArrayList<>(choice.requests());
            others.remove(request);
            if (!others.isEmpty() && random.nextInt(3) == 0) {
                Request other = weighted(random, others);
                long overlapStart = start + (end - start) * (20 + random.nextInt(50)) / 100;
                PlannedFault second =
                        draw(random, faults.size() + 1, other, overlapStart, end, nodes);
                if (!first.kind().defeats(second.kind())) {
                    faults.add(second);
                }
            }
        }
        return new FaultPlan(faults);
    }

    /** Each request once, the rest by weight; then shuffled. */
    private static List<Request> turns(Random random, List<Request> requests, int count) {
        List<Request> turns = new ArrayList<>(requests);
        while (turns.size() < count) {
            turns.add(weighted(random, requests));
        }
        Collections.shuffle(turns, random);
        return turns;
    }

    private static Request weighted(Random random, List<Request> requests) {
        int sum = requests.stream().mapToInt(Request::weight).sum();
        int left = random.nextInt(sum);
        for (Request request : requests) {
            left -= request.weight();
            if (left < 0) {
                return request;
            }
        }
        throw new IllegalStateException("weights of " + requests + " do not sum up to " + sum);
    }

    private static PlannedFault draw(
            Random random,
            long id,
            Request request,
            long startMillis,
            long endMillis,
            List<String> nodes) {
        List<FaultKind> kinds = new ArrayList<>();
        for (FaultKind kind : request.kinds()) {
            kinds.addAll(Collections.nCopies(kind.prefersLeader() ? 3 : 1, kind));
        }
        List<String> order = new ArrayList<>(nodes);
        Collections.shuffle(order, random);
        FaultKind kind = kinds.get(random.nextInt(kinds.size()));
        return new PlannedFault(
                id,
                kind,
                Trigger.TIME,
                startMillis,
                Math.max(endMillis, startMillis + 1),
                order,
                kind.drawParameters(random));
    }
}
