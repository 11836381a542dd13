package raft.harness.docker;

import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Puts together what was found on several nodes for one fault. */
final class Findings {
    private Findings() {}

    static FaultOutcome of(Status status, String... evidence) {
        return new FaultOutcome(status, List.of(evidence));
    }

    /**
     * Proven only where it is proven on every node; a fault that came about on some nodes and was
     * not possible on others is not the fault that was asked for.
     */
    static FaultOutcome all(List<FaultOutcome> parts) {
        Set<Status> seen = EnumSet.noneOf(Status.class);
        List<String> evidence = new ArrayList<>();
        // What is not proven comes last: there a reader looks for why the whole is not.
        for (boolean proven : new boolean[] {true, false}) {
            for (FaultOutcome part : parts) {
                if (proven == (part.status() == Status.INSTALLED)) {
                    seen.add(part.status());
                    evidence.addAll(part.evidence());
                }
            }
        }
        Status status = seen.size() == 1 ? seen.iterator().next() : Status.INDETERMINATE;
        return new FaultOutcome(status, evidence);
    }
}
