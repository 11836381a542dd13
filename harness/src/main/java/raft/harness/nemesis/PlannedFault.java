package raft.harness.nemesis;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One fault of a plan.
 *
 * @param id unique in the plan, ≥ 1
 * @param trigger on what it begins
 * @param startMillis since the workload began; with a trigger the earliest begin
 * @param endMillis when it is taken back, greater than startMillis; a fault that its trigger made
 *     begin later ends later by as much
 * @param order all members, and the spare node where there is one, in the order that the seed drew;
 *     see {@link FaultKind}
 * @param parameters every parameter of the kind, by name
 */
public record PlannedFault(
        long id,
        FaultKind kind,
        Trigger trigger,
        long startMillis,
        long endMillis,
        List<String> order,
        SortedMap<String, Long> parameters) {
    public PlannedFault {
        order = List.copyOf(order);
        parameters = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(parameters));
        if (id < 1 || startMillis < 0 || endMillis <= startMillis) {
            throw new IllegalArgumentException(
                    "a fault needs an id of at least 1 and must end after it starts, got id "
                            + id
                            + ", "
                            + startMillis
                            + " ms to "
                            + endMillis
                            + " ms");
        }
        if (!kind.complete(parameters).equals(parameters)) {
            throw new IllegalArgumentException(
                    kind.label() + " needs " + kind.parameters() + ", got " + parameters);
        }
    }

    /** At its time and with the kind's usual parameters. */
    public PlannedFault(
            long id, FaultKind kind, long startMillis, long endMillis, List<String> order) {
        this(id, kind, Trigger.TIME, startMillis, endMillis, order, kind.complete(new TreeMap<>()));
    }

    /** The same at another time. */
    public PlannedFault at(long newStartMillis, long newEndMillis) {
        return new PlannedFault(id, kind, trigger, newStartMillis, newEndMillis, order, parameters);
    }

    /** The same for other members. */
    public PlannedFault among(List<String> newOrder) {
        return new PlannedFault(id, kind, trigger, startMillis, endMillis, newOrder, parameters);
    }

    public long durationMillis() {
        return endMillis - startMillis;
    }

    /** What it means here and now. */
    public FaultAction resolve(View view) {
        return kind.resolve(order, view, parameters);
    }

    /**
     * As files hold it; what is left out has its usual value.
     *
     * @param trigger see {@link Trigger#parse}
     */
    public record Line(
            long id,
            String kind,
            @org.jspecify.annotations.Nullable String trigger,
            long startMillis,
            long endMillis,
            List<String> order,
            @org.jspecify.annotations.Nullable Map<String, Long> parameters) {

        public static Line of(PlannedFault fault) {
            return new Line(
                    fault.id,
                    fault.kind.label(),
                    fault.trigger instanceof Trigger.Time ? null : fault.trigger.toString(),
                    fault.startMillis,
                    fault.endMillis,
                    fault.order,
                    fault.parameters.isEmpty() ? null : fault.parameters);
        }

        /**
         * @throws IllegalArgumentException with what is wrong in it
         */
        public PlannedFault fault() {
            FaultKind known = FaultKind.ofLabel(kind);
            return new PlannedFault(
                    id,
                    known,
                    trigger == null ? Trigger.TIME : Trigger.parse(trigger),
                    startMillis,
                    endMillis,
                    order,
                    known.complete(new TreeMap<>(parameters == null ? Map.of() : parameters)));
        }
    }
}
