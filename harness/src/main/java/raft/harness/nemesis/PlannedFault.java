package raft.harness.nemesis;

import java.util.List;

/**
 * One fault of a plan.
 *
 * @param id unique in the plan, ≥ 1
 * @param startMillis since the workload began
 * @param endMillis when it is taken back, greater than startMillis
 * @param order all members in the order that the seed drew; see {@link FaultKind}
 */
public record PlannedFault(
        long id, FaultKind kind, long startMillis, long endMillis, List<String> order) {
    public PlannedFault {
        order = List.copyOf(order);
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
    }
}
