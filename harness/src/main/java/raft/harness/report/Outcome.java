package raft.harness.report;

/** How a run ended, each with its own words and exit status; Jepsen's, as its users know them. */
public enum Outcome {
    /** Linearizable, and there is enough evidence to say so. */
    VALID("valid", 0),
    /** The system under test is wrong. Wins over everything else. */
    VIOLATION("violation", 1),
    /** The check's budget ended first. */
    UNKNOWN("unknown", 2),
    /** Nothing was found wrong, but too little was tried. */
    INSUFFICIENT_EVIDENCE("insufficient-evidence", 2),
    /** The harness or its environment failed. */
    ERROR("error", 255);

    private final String label;
    private final int exitStatus;

    Outcome(String label, int exitStatus) {
        this.label = label;
        this.exitStatus = exitStatus;
    }

    /** As written in results and printed. */
    public String label() {
        return label;
    }

    public int exitStatus() {
        return exitStatus;
    }
}
