package raft.harness.run;

import com.fasterxml.jackson.annotation.JsonInclude;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * Everything that decides what a run does; saved as test.json before anything else happens.
 *
 * @param run the run's id, unique on this machine
 * @param cluster "docker" or "sim"
 * @param system what is tested: "raft", our node
 * @param image the node's image where it is not our own, absent else
 * @param plantedBug the id of the source edit that the node was built with, absent for the right
 *     node
 * @param faults families, in the order of the command line
 * @param planFile where the plan came from, absent when it was drawn from the seed
 * @param repeat the exact command that repeats the run
 * @param versions of Java, the operating system and this software
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Parameters(
        String run,
        String cluster,
        String system,
        @Nullable String image,
        @Nullable String plantedBug,
        int nodes,
        String workload,
        List<String> faults,
        @Nullable String planFile,
        long timeMillis,
        double rate,
        int concurrency,
        long operationTimeoutMillis,
        long seed,
        String repeat,
        List<String> versions) {
    public Parameters {
        faults = List.copyOf(faults);
        versions = List.copyOf(versions);
    }
}
