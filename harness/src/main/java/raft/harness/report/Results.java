package raft.harness.report;

import com.fasterxml.jackson.annotation.JsonInclude;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/**
 * What results.json holds and the summary prints. Times are in the unit that the name says, counted
 * from the workload's begin.
 *
 * @param verdict {@link Outcome#label}
 * @param operations client operations that were begun
 * @param seconds from the first operation to the end of the final reads
 * @param secondsToFirstOperation from the start of this process; -1 where there was none
 * @param run the run's folder
 * @param explanation on violation, which operations contradict each other; absent else
 * @param counterexample on violation, the smallest impossible sub-history found, as history lines;
 *     absent else
 * @param reasons why the verdict is no better: failed gates, what failed, where the check stopped
 * @param linearizability the checker's own verdict, whatever the gates say: "valid", "violation",
 *     "unknown" or "not-checked"
 * @param counts by operation, then by outcome (invoke, ok, fail, info)
 * @param errors how often each error came
 * @param repeat the command that repeats the run
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Results(
        String verdict,
        long operations,
        double seconds,
        double secondsToFirstOperation,
        String run,
        @Nullable String explanation,
        @Nullable List<String> counterexample,
        List<String> reasons,
        String linearizability,
        double checkSeconds,
        List<GateResult> gates,
        Map<String, Map<String, Long>> counts,
        Map<String, Long> errors,
        double overlappedShare,
        List<FaultResult> faults,
        List<LeaderResult> leaders,
        Availability availability,
        String repeat) {

    public record GateResult(String name, boolean passed, String words) {}

    /**
     * @param injected "installed", "skipped", "indeterminate" or "never" (the run ended first)
     * @param healed the same for its end
     * @param longestUnavailableMillis longest time between two successes, from its begin to the
     *     first success after its end; -1 where it was not recorded
     * @param recoveryMillis from its end to the first success of an operation begun after it, -1
     *     for none
     */
    public record FaultResult(
            long id,
            String kind,
            String action,
            @Nullable String leaderBefore,
            long askedMillis,
            long installedMillis,
            long healAskedMillis,
            long healedMillis,
            String injected,
            List<String> injectEvidence,
            String healed,
            List<String> healEvidence,
            long longestUnavailableMillis,
            long recoveryMillis) {}

    public record LeaderResult(long seenMillis, String leader, long term) {}

    /**
     * @param longestUnavailableMillis longest time between two successes
     * @param recoveryMillis from the last heal to the first success of an operation begun after it,
     *     -1 for none
     */
    public record Availability(
            long firstSuccessMillis, long longestUnavailableMillis, long recoveryMillis) {}
}
