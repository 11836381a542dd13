package raft.harness.nightly;

import raft.harness.report.Outcome;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a night came to; kept in summary.json and compared with later nights.
 *
 * @param verdict the worst: violation, then error, then unknown, then too little evidence
 * @param night its folder's name
 * @param runs tests of the system, the canary apart
 * @param counts how many ended with each verdict
 * @param flakeRate share of tests whose verdict is not their cell's most frequent
 * @param canary "found" where every one was, "missed", or "none" where none was planted
 * @param score planted bugs caught in the simulation, of {@code scoreOf}; both 0 where not run
 * @param throughput median of successes a second, by cluster
 * @param unavailableMillis median of the longest time without a success, by cluster
 * @param problems of the night itself
 */
public record NightSummary(
        String verdict,
        String night,
        int runs,
        long operations,
        double seconds,
        double wallSeconds,
        Map<String, Integer> counts,
        double flakeRate,
        String canary,
        int score,
        int scoreOf,
        Map<String, Double> throughput,
        Map<String, Double> unavailableMillis,
        List<String> problems) {

    /** Sums up. */
    static NightSummary of(String night, List<NightRun> all, int[] score, List<String> problems) {
        List<NightRun> tests = all.stream().filter(run -> !run.isCanary()).toList();
        List<NightRun> canaries = all.stream().filter(NightRun::isCanary).toList();
        Set<String> planted = names(canaries);
        Set<String> found = names(canaries.stream().filter(NightRun::isViolation).toList());
        String canary = planted.isEmpty() ? "none" : planted.equals(found) ? "found" : "missed";
        Map<String, Integer> counts = new LinkedHashMap<>();
        tests.forEach(run -> counts.merge(run.verdict(), 1, Integer::sum));
        boolean failed = canary.equals("missed") || !problems.isEmpty();
        return new NightSummary(
                worst(tests, failed).label(),
                night,
                tests.size(),
                tests.stream().mapToLong(NightRun::operations).sum(),
                tests.stream().mapToDouble(NightRun::seconds).sum(),
                all.stream().mapToDouble(NightRun::wallSeconds).sum(),
                counts,
                flakeRate(tests),
                canary,
                score[0],
                score[1],
                medians(tests, true),
                medians(tests, false),
                List.copyOf(problems));
    }

    private static Set<String> names(List<NightRun> canaries) {
        return canaries.stream().map(NightRun::cell).collect(Collectors.toSet());
    }

    private static Outcome worst(List<NightRun> tests, boolean failed) {
        // As for one run: a violation is a fact whatever else went wrong.
        for (Outcome outcome : List.of(Outcome.VIOLATION, Outcome.ERROR, Outcome.UNKNOWN)) {
            if (tests.stream().anyMatch(run -> run.verdict().equals(outcome.label()))
                    || (outcome == Outcome.ERROR && failed)) {
                return outcome;
            }
        }
        return !tests.isEmpty() && tests.stream().allMatch(NightRun::isValid)
                ? Outcome.VALID
                : Outcome.INSUFFICIENT_EVIDENCE;
    }

    /** Of a night that is not done: without a finding there is not enough evidence. */
    static int exitStatusWhenStopped(List<NightRun> all, boolean failed) {
        Outcome worst = worst(all.stream().filter(run -> !run.isCanary()).toList(), failed);
        return (worst == Outcome.VALID ? Outcome.INSUFFICIENT_EVIDENCE : worst).exitStatus();
    }

    private static double flakeRate(List<NightRun> tests) {
        Map<String, Map<String, Integer>> byCell = new LinkedHashMap<>();
        for (NightRun run : tests) {
            byCell.computeIfAbsent(run.cell(), cell -> new LinkedHashMap<>())
                    .merge(run.verdict(), 1, Integer::sum);
        }
        int odd = 0;
        for (Map<String, Integer> verdicts : byCell.values()) {
            int all = verdicts.values().stream().mapToInt(Integer::intValue).sum();
            odd += all - verdicts.values().stream().mapToInt(Integer::intValue).max().orElse(0);
        }
        return tests.isEmpty() ? 0 : (double) odd / tests.size();
    }

    private static Map<String, Double> medians(List<NightRun> tests, boolean throughput) {
        Map<String, List<Double>> byCluster = new LinkedHashMap<>();
        for (NightRun run : tests) {
            double value = throughput ? run.throughput() : run.longestUnavailableMillis();
            if (value >= 0 && run.operations() > 0) {
                byCluster.computeIfAbsent(run.cluster(), c -> new ArrayList<>()).add(value);
            }
        }
        Map<String, Double> medians = new LinkedHashMap<>();
        byCluster.forEach(
                (cluster, values) -> {
                    double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
                    Arrays.sort(sorted);
                    medians.put(cluster, sorted[(sorted.length - 1) / 2]);
                });
        return medians;
    }

    /** The exit status of the night. */
    public int exitStatus() {
        for (Outcome outcome : Outcome.values()) {
            if (outcome.label().equals(verdict)) {
                return outcome.exitStatus();
            }
        }
        throw new IllegalStateException("no outcome is called " + verdict);
    }
}
