package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import raft.harness.nemesis.FaultPlan;
import raft.harness.sim.Campaign;
import raft.harness.sim.NodeCode;
import raft.harness.sim.Scenario;
import raft.harness.sim.SimOptions;
import raft.harness.sim.SimRun;
import raft.harness.sim.SimulatedFaults;

import tools.jackson.databind.json.JsonMapper;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;

/** {@code ./raft bench sim}: how fast simulated time goes, and seeds. */
@Command(
        name = "sim",
        mixinStandardHelpOptions = true,
        description =
                "Simulated seconds a second on one core (five nodes, 100 operations a second,"
                        + " default faults, checked), and swarm seeds a second.")
final class SimBench implements Callable<Integer> {
    @Option(names = "--quick", description = "within half a minute")
    boolean quick;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        NodeCode code = NodeCode.right();
        int rounds = quick ? 5 : 15;
        int runs = quick ? 30 : 100;
        double best = 0;
        double worst = Double.MAX_VALUE;
        double[] speeds = new double[rounds];
        // The first round is warm-up and not counted.
        for (int round = -1; round < rounds; round++) {
            double speed = simulatedSecondsPerSecond(code, runs);
            out.printf(
                    Locale.ROOT,
                    "%s %.0f simulated seconds a second%n",
                    round < 0 ? "warm-up:" : "round " + (round + 1) + ":",
                    speed);
            out.flush();
            if (round >= 0) {
                speeds[round] = speed;
                best = Math.max(best, speed);
                worst = Math.min(worst, speed);
            }
        }
        java.util.Arrays.sort(speeds);
        Campaign.Totals one = campaign(code, 1, quick ? 300 : 2_000);
        Campaign.Totals two = campaign(code, 2, quick ? 600 : 4_000);
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("benchmark", "sim");
        figures.put("simulatedSecondsPerSecondMedian", Math.round(speeds[rounds / 2]));
        figures.put("simulatedSecondsPerSecondMin", Math.round(worst));
        figures.put("simulatedSecondsPerSecondMax", Math.round(best));
        figures.put("seedsPerSecondOneThread", Math.round(one.seedCount() / one.seconds()));
        figures.put("seedsPerSecondTwoThreads", Math.round(two.seedCount() / two.seconds()));
        figures.put("java", Runtime.version().toString());
        out.println(JsonMapper.shared().writeValueAsString(figures));
        out.flush();
        return 0;
    }

    private static Campaign.Totals campaign(NodeCode code, int jobs, int count)
            throws InterruptedException {
        return Campaign.run(
                code,
                1,
                count,
                jobs,
                seed -> Scenario.ofSeed(seed, 60_000),
                (seed, result) -> {},
                line -> {});
    }

    private static double simulatedSecondsPerSecond(NodeCode code, int runs) {
        long start = System.nanoTime();
        double simulated = 0;
        for (int seed = 1; seed <= runs; seed++) {
            SimOptions options = SimOptions.defaults(seed, 5);
            FaultPlan plan =
                    FaultPlan.generate(
                            seed, Scenario.members(options), SimulatedFaults.USUAL, 60_000);
            Scenario scenario = new Scenario(options, plan, 60_000_000_000L, 100, 10);
            SimRun.Result result = SimRun.run(scenario, code, null);
            if (result.failed()) {
                throw new IllegalStateException("seed " + seed + ": " + result.what());
            }
            simulated += result.simulatedNanos() / 1e9;
        }
        return simulated / ((System.nanoTime() - start) / 1e9);
    }
}
