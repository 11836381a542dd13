package raft.harness.nightly;

import org.jspecify.annotations.Nullable;

import raft.harness.report.Outcome;

import tools.jackson.databind.JsonNode;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A test that is about to run, and what becomes of it.
 *
 * @param name the cell's id, or the canary's name
 * @param plantedBug the canary's, null in a test of the system
 * @param timeMillis that clients work
 */
record PlannedTest(
        Cell cell,
        String name,
        int round,
        long seed,
        @Nullable String plantedBug,
        long timeMillis) {

    /** Words for {@code ./raft}, complete but for where the run is kept. */
    List<String> arguments(double rate) {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "test",
                                "--cluster",
                                cell.cluster(),
                                "--nodes",
                                Integer.toString(cell.nodes()),
                                "--workload",
                                cell.workload(),
                                "--faults",
                                cell.faults().replace('+', ','),
                                "--time",
                                timeMillis + "ms",
                                "--rate",
                                String.format(Locale.ROOT, "%s", rate),
                                "--seed",
                                Long.toString(seed)));
        if (plantedBug != null) {
            arguments.addAll(List.of("--plant", plantedBug));
        }
        return arguments;
    }

    String logName() {
        return name.replaceAll("[^A-Za-z0-9]+", "-") + "-" + round + ".log";
    }

    /** It left no results. */
    NightRun failed(List<String> reasons, double wallSeconds, String repeat) {
        return ended(Outcome.ERROR.label(), 0, 0, "", wallSeconds, 0, -1, null, reasons, repeat);
    }

    /**
     * It left results.
     *
     * @param repeat the command, where the results do not say it
     */
    NightRun judged(JsonNode results, double wallSeconds, String repeat) {
        long succeeded = 0;
        for (JsonNode byOutcome : results.path("counts")) {
            succeeded += byOutcome.path("ok").asLong(0);
        }
        List<String> reasons = new ArrayList<>();
        results.path("reasons").forEach(reason -> reasons.add(reason.asString("")));
        for (JsonNode gate : results.path("gates")) {
            if (!gate.path("passed").asBoolean(true)) {
                reasons.add(gate.path("words").asString(""));
            }
        }
        double seconds = results.path("seconds").asDouble(0);
        JsonNode explanation = results.path("explanation");
        return ended(
                results.path("verdict").asString(""),
                results.path("operations").asLong(0),
                seconds,
                results.path("run").asString(""),
                wallSeconds,
                seconds > 0 ? succeeded / seconds : 0,
                results.path("availability").path("longestUnavailableMillis").asLong(-1),
                explanation.isString() ? explanation.asString() : null,
                reasons,
                results.path("repeat").asString(repeat));
    }

    private NightRun ended(
            String verdict,
            long operations,
            double seconds,
            String run,
            double wallSeconds,
            double throughput,
            long longestUnavailableMillis,
            @Nullable String explanation,
            List<String> reasons,
            String repeat) {
        return new NightRun(
                verdict,
                operations,
                seconds,
                run,
                name,
                cell.workload(),
                cell.faults(),
                cell.cluster(),
                cell.nodes(),
                round,
                seed,
                plantedBug,
                wallSeconds,
                throughput,
                longestUnavailableMillis,
                explanation,
                reasons,
                repeat);
    }
}
