package raft.harness.nemesis;

import java.util.List;

/**
 * Whether a fault, or its end, really came about, and how that is known.
 *
 * @param evidence what was looked at and seen, one whole statement an element
 */
public record FaultOutcome(Status status, List<String> evidence) {
    public FaultOutcome {
        evidence = List.copyOf(evidence);
    }

    /** Only INSTALLED counts for the evidence gates. */
    public enum Status {
        /** Proven: in effect after an inject, gone after a heal. */
        INSTALLED,
        /** Not possible here; the evidence says why. */
        SKIPPED,
        /** Asked for, but what was seen does not prove it. */
        INDETERMINATE
    }
}
