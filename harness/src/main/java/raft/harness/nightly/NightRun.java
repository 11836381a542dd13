package raft.harness.nightly;

import com.fasterxml.jackson.annotation.JsonInclude;

import org.jspecify.annotations.Nullable;

import raft.harness.report.Outcome;

import java.util.List;

/**
 * One test of a night, as it is printed and kept in progress.jsonl.
 *
 * @param verdict {@link Outcome#label}
 * @param operations that clients began
 * @param seconds that clients worked
 * @param run the run's folder, "" where there is none
 * @param cell the matrix' cell; "canary, docker" for the planted bug's there
 * @param plantedBug what the canary had planted, absent else
 * @param wallSeconds that the whole took
 * @param throughput successes a second
 * @param longestUnavailableMillis longest time between two successes, -1 where unknown
 * @param explanation on violation
 * @param reasons why it is no better
 * @param repeat the exact command
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NightRun(
        String verdict,
        long operations,
        double seconds,
        String run,
        String cell,
        String workload,
        String faults,
        String cluster,
        int nodes,
        int round,
        long seed,
        @Nullable String plantedBug,
        double wallSeconds,
        double throughput,
        long longestUnavailableMillis,
        @Nullable String explanation,
        List<String> reasons,
        String repeat) {
    public NightRun {
        reasons = List.copyOf(reasons);
    }

    /** Whether this is the planted bug that must be found, not a test of the system. */
    public boolean isCanary() {
        return plantedBug != null;
    }

    public boolean isValid() {
        return verdict.equals(Outcome.VALID.label());
    }

    public boolean isViolation() {
        return verdict.equals(Outcome.VIOLATION.label());
    }

    /** In one sentence, why it is not valid. */
    public String why() {
        if (explanation != null) {
            return explanation.lines().findFirst().orElse("");
        }
        return reasons.isEmpty() ? "" : reasons.getFirst();
    }
}
