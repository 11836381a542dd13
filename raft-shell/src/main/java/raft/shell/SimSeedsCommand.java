package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import raft.harness.sim.Campaign;
import raft.harness.sim.CampaignFolder;
import raft.harness.sim.Coverage;
import raft.harness.sim.Minimiser;
import raft.harness.sim.NodeCode;
import raft.harness.sim.Scenario;
import raft.harness.sim.ScenarioFile;
import raft.harness.sim.SelfCheck;
import raft.harness.sim.SimRun;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;

/**
 * {@code ./raft sim seeds}: many runs, what failed in them and how to see it again, and what they
 * reached. A failure of each rule is made smaller and verified in a second JVM.
 *
 * <p>Exit status 1 when something failed, 2 when a check ended without a verdict or the runs, being
 * enough to expect it, did not reach what they must.
 */
@Command(
        name = "seeds",
        mixinStandardHelpOptions = true,
        description = "Runs many seeds; each draws its own cluster and troubles.")
final class SimSeedsCommand implements Callable<Integer> {
    /** So many seeds of a minute reach every situation many times over. */
    private static final int ENOUGH_SEEDS = 2_000;

    private static final int FULL_SECONDS = 60;
    private static final int MINIMISED_MAX = 3;

    @Option(names = "--count", defaultValue = "1000", description = "seeds (default: 1000)")
    int count;

    @Option(names = "--from", defaultValue = "1", description = "first seed (default: 1)")
    long from;

    @Option(names = "--jobs", defaultValue = "2", description = "threads (default: 2)")
    int jobs;

    @Option(
            names = "--time",
            paramLabel = "DURATION",
            converter = SecondsOption.class,
            defaultValue = "60",
            description = "simulated seconds of work each (default: 60)")
    int seconds;

    @Option(
            names = "--minimise",
            paramLabel = "DURATION",
            converter = SecondsOption.class,
            defaultValue = "20",
            description =
                    "real time to make a failure of each rule smaller, 0 for none (default: 20)")
    int minimiseSeconds;

    @Option(
            names = "--histories",
            paramLabel = "DIR",
            description = "where runs are kept (default: histories/)")
    @Nullable Path histories;

    @Option(
            names = "--plant",
            paramLabel = "BUG",
            description = "with a planted bug: L1, or a file that describes one")
    @Nullable String plant;

    @Option(
            names = "--workload",
            paramLabel = "WORKLOAD",
            description = "the same for all, as of ./raft test (default: each seed draws one)")
    @Nullable String workload;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private final TreeMap<String, Long> firstSeedOfRule = new TreeMap<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (count < 1
                || jobs < 1
                || jobs > 256
                || seconds < 5
                || seconds > 3600
                || minimiseSeconds < 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--count and --jobs must be at least 1, --time between 5 and 3600, --minimise"
                            + " at least 0");
        }
        SimCommand.checkWorkload(spec, workload);
        NodeCode code = SimCommand.code(spec, plant);
        CampaignFolder folder =
                CampaignFolder.create(
                        histories == null ? Home.folder().resolve("histories") : histories,
                        from,
                        Instant.now());
        Campaign.Totals totals =
                Campaign.run(
                        code,
                        from,
                        count,
                        jobs,
                        this::scenario,
                        (seed, result) -> failed(folder, seed, result),
                        line -> SimCommand.print(spec.commandLine().getErr(), line));
        minimise(code, folder);
        folder.ended(parameters(), totals);
        return sum(folder, totals);
    }

    private Scenario scenario(long seed) {
        return SimCommand.scenario(seed, seconds * 1000L, workload);
    }

    private Map<String, Object> parameters() {
        Map<String, Object> parameters = new LinkedHashMap<>();
        parameters.put("fromSeed", from);
        parameters.put("count", count);
        parameters.put("workSeconds", seconds);
        parameters.put("plant", plant);
        parameters.put("workload", workload == null ? "drawn" : workload);
        parameters.put("commit", Home.commit());
        parameters.put("java", Runtime.version().toString());
        return parameters;
    }

    private void failed(CampaignFolder folder, long seed, SimRun.Result result) {
        PrintWriter out = spec.commandLine().getOut();
        String run =
                seed
                        + (seconds == FULL_SECONDS ? "" : " --time " + seconds + "s")
                        + (workload == null ? "" : " --workload " + workload)
                        + SimCommand.plantWords(plant);
        String repeat = "./raft sim replay " + run;
        SimCommand.print(out, "seed " + seed + ": " + scenario(seed).words());
        SimCommand.print(out, "  " + result.rule());
        SimCommand.print(out, "  " + result.what());
        SimCommand.print(
                out,
                "  again: "
                        + repeat
                        + "   (commit "
                        + Home.commit()
                        + ", java "
                        + Runtime.version()
                        + ")");
        SimCommand.print(out, "  to look into it: ./raft shell, then  load " + run);
        firstSeedOfRule.merge(result.rule(), seed, Math::min);
        try {
            folder.failed(seed, result, repeat);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void minimise(NodeCode code, CampaignFolder folder)
            throws IOException, InterruptedException {
        if (minimiseSeconds == 0) {
            return;
        }
        PrintWriter out = spec.commandLine().getOut();
        for (var first : firstSeedOfRule.entrySet().stream().limit(MINIMISED_MAX).toList()) {
            long seed = first.getValue();
            Scenario scenario = scenario(seed);
            SimRun.Result failure = SimRun.run(scenario, code, null);
            Scenario small =
                    new Minimiser(
                                    code,
                                    failure,
                                    minimiseSeconds,
                                    line -> SimCommand.print(spec.commandLine().getErr(), line))
                            .minimise(scenario);
            Path file = folder.scenario(seed);
            ScenarioFile.write(file, small);
            String difference = SelfCheck.check(ScenarioFile.read(file), code);
            SimCommand.print(
                    out,
                    "seed "
                            + seed
                            + " minimised: "
                            + Minimiser.size(scenario)
                            + " -> "
                            + Minimiser.size(small));
            SimCommand.print(
                    out,
                    "  ./raft sim replay "
                            + file
                            + SimCommand.plantWords(plant)
                            + (difference.isEmpty()
                                    ? "   (verified in a second JVM)"
                                    : "   NOT the same in a second JVM: " + difference));
        }
    }

    private int sum(CampaignFolder folder, Campaign.Totals totals) {
        PrintWriter out = spec.commandLine().getOut();
        Coverage coverage = totals.coverage();
        boolean incomplete = false;
        if (coverage != null) {
            coverage.words().forEach(line -> SimCommand.print(out, line));
            incomplete =
                    plant == null
                            && count >= ENOUGH_SEEDS
                            && seconds >= FULL_SECONDS
                            && !coverage.never().isEmpty();
            if (incomplete) {
                SimCommand.print(out, "so many seeds should have reached every situation");
            }
        }
        SimCommand.print(out, totals.words());
        SimCommand.print(out, "kept in " + folder.path());
        return totals.failureCount() > 0
                ? 1
                : !totals.unknownSeeds().isEmpty() || incomplete ? 2 : 0;
    }
}
