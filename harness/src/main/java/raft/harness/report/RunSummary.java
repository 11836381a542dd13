package raft.harness.report;

import com.fasterxml.jackson.annotation.JsonInclude;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * One run in a list of runs: what its files say, "" and -1 where they do not.
 *
 * @param name its folder below the folder of all runs, "register/20261124T021912-5"
 * @param stamp sizes and times of its files, by which a kept summary is known to be fresh
 * @param verdict {@link Outcome#label}, or "unfinished" where there are no results, or "unreadable"
 * @param started "2026-11-24 02:19:12", UTC
 * @param cluster "docker" or "sim"
 * @param operations that clients began, -1 where unknown
 * @param seconds that clients worked
 * @param bytes of the history, -1 where there is none
 * @param longestUnavailableMillis longest time between two successes
 * @param succeeded operations that ended ok, -1 where unknown
 * @param why on anything but valid, the first sentence that says why
 * @param repeat the command that repeats the run
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RunSummary(
        String name,
        String stamp,
        String verdict,
        String started,
        String cluster,
        int nodes,
        String workload,
        List<String> faults,
        @Nullable String plantedBug,
        @Nullable String image,
        long seed,
        long operations,
        double seconds,
        long bytes,
        long longestUnavailableMillis,
        long succeeded,
        String why,
        String repeat) {

    /** There are no results: still running, or the harness was killed. */
    public static final String UNFINISHED = "unfinished";

    /** The files that there are say nothing. */
    public static final String UNREADABLE = "unreadable";

    public RunSummary {
        faults = List.copyOf(faults);
    }

    /** The faults as a column of a table shows them. */
    public String faultWords() {
        return faults.isEmpty() ? "none" : String.join(",", faults);
    }

    /** Operations that succeeded in each second of work, 0 where unknown. */
    public double throughput() {
        return seconds > 0 && succeeded >= 0 ? succeeded / seconds : 0;
    }
}
