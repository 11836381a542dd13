package raft.harness.nemesis;

import raft.harness.nemesis.FaultKind.Family;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a person asked to be broken: families and single kinds.
 *
 * @param requests in the order of the command line
 */
public record FaultChoice(List<Request> requests) {
    public static final FaultChoice NONE = new FaultChoice(List.of());
    public static final FaultChoice USUAL = of(Family.USUAL);

    /**
     * A family, or one kind.
     *
     * @param label as asked: "partition", "clock-jump"
     * @param kinds that a plan may draw for it
     * @param insisted whether a run in which it was not proven is not enough evidence. "all" does
     *     not insist: it means all that the cluster can do
     */
    public record Request(String label, Set<FaultKind> kinds, boolean insisted) {
        public Request {
            kinds =
                    kinds.isEmpty()
                            ? Set.of()
                            : java.util.Collections.unmodifiableSet(EnumSet.copyOf(kinds));
        }

        /** How many turns of a plan it gets, against others. */
        int weight() {
            return kinds.stream().mapToInt(kind -> kind.family().weight).max().orElse(1);
        }
    }

    public FaultChoice {
        requests = List.copyOf(requests);
    }

    public static FaultChoice of(Collection<Family> families) {
        return new FaultChoice(
                families.stream().distinct().sorted().map(f -> request(f, true)).toList());
    }

    private static Request request(Family family, boolean insisted) {
        return new Request(family.label(), Set.copyOf(FaultKind.drawnOf(family)), insisted);
    }

    /**
     * Reads what the command line takes: families and kinds with commas between them, {@code none},
     * {@code all}.
     *
     * @throws IllegalArgumentException in one sentence that names what there is
     */
    public static FaultChoice parse(String text) {
        Map<String, Request> requests = new LinkedHashMap<>();
        for (String part : text.split(",", -1)) {
            String word = part.strip();
            for (Request request : requested(word)) {
                requests.merge(request.label(), request, (a, b) -> a.insisted() ? a : b);
            }
        }
        return new FaultChoice(new ArrayList<>(requests.values()));
    }

    private static List<Request> requested(String word) {
        if (word.equals("none")) {
            return List.of();
        }
        if (word.equals("all")) {
            return Stream.of(Family.values()).map(family -> request(family, false)).toList();
        }
        for (Family family : Family.values()) {
            if (family.label().equals(word)) {
                return List.of(request(family, true));
            }
        }
        for (FaultKind kind : FaultKind.values()) {
            if (kind.label().equals(word)) {
                return List.of(new Request(word, EnumSet.of(kind), true));
            }
        }
        throw new IllegalArgumentException(unknown(word));
    }

    /** Names the kinds of the family that was probably meant, else only the families. */
    private static String unknown(String word) {
        String families =
                Stream.of(Family.values()).map(Family::label).collect(Collectors.joining(", "));
        String first = word.split("-", -1)[0];
        String near =
                Arrays.stream(FaultKind.values())
                        .filter(kind -> kind.label().startsWith(first + "-"))
                        .map(FaultKind::label)
                        .collect(Collectors.joining(", "));
        return "no fault is called '"
                + word
                + "'; there are "
                + (near.isEmpty() || first.isEmpty() ? families + ", all, none" : near);
    }

    /** What a plan's faults ask for: each family that is in it, with the kinds that are. */
    public static FaultChoice ofPlan(FaultPlan plan) {
        Map<Family, Set<FaultKind>> kinds = new EnumMap<>(Family.class);
        for (PlannedFault fault : plan.faults()) {
            kinds.computeIfAbsent(fault.kind().family(), f -> EnumSet.noneOf(FaultKind.class))
                    .add(fault.kind());
        }
        List<Request> requests = new ArrayList<>();
        kinds.forEach((family, drawn) -> requests.add(new Request(family.label(), drawn, true)));
        return new FaultChoice(requests);
    }

    /** Every kind that may come of it. */
    public Set<FaultKind> kinds() {
        Set<FaultKind> kinds = EnumSet.noneOf(FaultKind.class);
        requests.forEach(request -> kinds.addAll(request.kinds()));
        return kinds;
    }

    /** Without what a single node cannot have done to it, also where it was insisted on. */
    FaultChoice ofOneNode() {
        List<Request> left = new ArrayList<>();
        for (Request request : requests) {
            Set<FaultKind> possible = EnumSet.noneOf(FaultKind.class);
            request.kinds().stream().filter(k -> !k.needsSeveralNodes()).forEach(possible::add);
            if (!possible.isEmpty()) {
                left.add(new Request(request.label(), possible, request.insisted()));
            }
        }
        return new FaultChoice(left);
    }

    /**
     * Without what a cluster cannot do. A request of which nothing is left stays whole where it was
     * insisted on, so that the run shows that it was skipped, and goes where it was not.
     */
    public FaultChoice within(Collection<FaultKind> impossible) {
        List<Request> left = new ArrayList<>();
        for (Request request : requests) {
            Set<FaultKind> possible = EnumSet.noneOf(FaultKind.class);
            request.kinds().stream().filter(k -> !impossible.contains(k)).forEach(possible::add);
            if (!possible.isEmpty()) {
                left.add(new Request(request.label(), possible, request.insisted()));
            } else if (request.insisted()) {
                left.add(request);
            }
        }
        return new FaultChoice(left);
    }
}
