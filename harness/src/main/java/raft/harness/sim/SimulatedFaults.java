package raft.harness.sim;

import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultChoice;
import raft.harness.nemesis.FaultKind;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Which faults the simulated world knows. The one place that decides it. */
public final class SimulatedFaults {
    private static final List<String> ANY_NODES = List.of("n1", "n2", "n3", "n4", "n5");

    /** The families that campaigns draw from, without the kinds that are not simulated. */
    public static final FaultChoice USUAL = FaultChoice.USUAL.within(impossible().keySet());

    /** All that is simulated, of every family. */
    public static final FaultChoice ALL = FaultChoice.parse("all").within(impossible().keySet());

    private SimulatedFaults() {}

    /** Why the simulated world cannot carry this out, in one clause; "" where it can. */
    public static String reason(FaultAction action) {
        return switch (action) {
            case FaultAction.Cut ignored -> "";
            case FaultAction.Flap ignored -> "";
            case FaultAction.Packets ignored -> "";
            case FaultAction.Kill ignored -> "";
            case FaultAction.Stop ignored -> "";
            case FaultAction.Pause ignored -> "";
            case FaultAction.RollingRestart ignored -> "";
            case FaultAction.Clock ignored -> "";
            case FaultAction.Disk ignored -> "";
            case FaultAction.CpuQuota ignored ->
                    "simulated nodes share no processor; a pause or a slow disk is nearest to it";
            case FaultAction.MemoryLimit ignored ->
                    "simulated nodes share the memory of one process";
            case FaultAction.Membership ignored -> "";
            case FaultAction.RaftCommand ignored -> "";
        };
    }

    /** As {@link raft.harness.cluster.Cluster#impossible}. */
    public static Map<FaultKind, String> impossible() {
        Map<FaultKind, String> impossible = new EnumMap<>(FaultKind.class);
        for (FaultKind kind : FaultKind.values()) {
            String reason = reason(kind.resolve(ANY_NODES, null));
            if (!reason.isEmpty()) {
                impossible.put(kind, reason);
            }
        }
        return impossible;
    }
}
