package raft.harness.sim;

import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultChoice;
import raft.harness.nemesis.FaultKind;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Which faults the simulated world knows. The one place that decides it. */
public final class SimulatedFaults {
    public static final String REASON = "not simulated yet";

    private static final List<String> ANY_NODES = List.of("n1", "n2", "n3", "n4", "n5");

    /** The families that campaigns draw from, without the kinds that are not simulated. */
    public static final FaultChoice USUAL = FaultChoice.USUAL.within(impossible().keySet());

    private SimulatedFaults() {}

    /** Whether the simulated world carries this out; other actions it answers as skipped. */
    public static boolean knows(FaultAction action) {
        return switch (action) {
            case FaultAction.Cut ignored -> true;
            case FaultAction.Kill ignored -> true;
            case FaultAction.Pause ignored -> true;
            default -> false;
        };
    }

    /** As {@link raft.harness.cluster.Cluster#impossible}. */
    public static Map<FaultKind, String> impossible() {
        Map<FaultKind, String> impossible = new EnumMap<>(FaultKind.class);
        for (FaultKind kind : FaultKind.values()) {
            if (!knows(kind.resolve(ANY_NODES, null))) {
                impossible.put(kind, REASON);
            }
        }
        return impossible;
    }
}
