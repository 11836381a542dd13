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
        parts.forEach(part -> seen.add(part.status()));
        return new FaultOutcome(
                seen.size() == 1 ? seen.iterator().next() : Status.INDETERMINATE, evidence(parts));
    }

    /**
     * For the end of a fault: it is gone where each node either took it back or had nothing of it
     * to take back, as one that was dead when the others were frozen.
     */
    static FaultOutcome gone(List<FaultOutcome> parts) {
        Set<Status> seen = EnumSet.noneOf(Status.class);
        parts.forEach(part -> seen.add(part.status()));
        return seen.equals(EnumSet.of(Status.INSTALLED, Status.SKIPPED))
                ? new FaultOutcome(Status.INSTALLED, evidence(parts))
                : all(parts);
    }

    /** What is not proven comes last: there a reader looks for why the whole is not. */
    private static List<String> evidence(List<FaultOutcome> parts) {
        List<String> evidence = new ArrayList<>();
        for (boolean proven : new boolean[] {true, false}) {
            for (FaultOutcome part : parts) {
                if (proven == (part.status() == Status.INSTALLED)) {
                    evidence.addAll(part.evidence());
                }
            }
        }
        return evidence;
    }
}
