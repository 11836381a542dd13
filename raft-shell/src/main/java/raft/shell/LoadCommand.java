package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.report.RunList;
import raft.harness.run.PlantedBug;
import raft.harness.sim.NodeCode;
import raft.harness.sim.Scenario;
import raft.harness.sim.ScenarioFile;
import raft.harness.sim.SimOptions;
import raft.harness.sim.SimRun;
import raft.harness.sim.travel.Decision;
import raft.harness.sim.travel.Decision.Act;
import raft.harness.sim.travel.Journey;
import raft.harness.sim.travel.JourneyFile;
import raft.harness.sim.travel.Recorded;
import raft.harness.sim.travel.Travel;
import raft.shell.live.LiveCluster;
import raft.shell.live.Session;
import raft.shell.live.UsageException;
import raft.shell.view.Paint;
import raft.shell.view.TextLines;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code load}: a simulated run to travel in. */
@Command(
        name = "load",
        description = "Loads a simulated run to travel in: a seed, a run's folder or a file.",
        footer = {
            "",
            "The run is carried out once, so that what its clients and faults do is known; then"
                    + " time is at 0. A seed is the run that './raft sim replay SEED' repeats.",
            "",
            "Examples:",
            "  load 42",
            "  load 7 --plant C6 --time 10s",
            "  load --plant L1 --find      the first seed at which this bug shows",
            "  load failing.json           a scenario of 'sim minimise', or what 'export' wrote"
        })
final class LoadCommand extends Verb {
    private static final long SEEDS_MAX = 500;
    private static final long PROGRESS_NANOS = 2_000_000_000;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "RUN",
            description = "a seed, a scenario file, or the folder of a run")
    @Nullable String what;

    @Option(names = "--plant", paramLabel = "BUG", description = "with a bug in the node")
    @Nullable String plant;

    @Option(names = "--find", description = "tries seeds from 1 on until one fails")
    boolean find;

    @Option(
            names = "--time",
            paramLabel = "DURATION",
            defaultValue = "60s",
            converter = DurationOption.class,
            description = "how long a seed's clients work (default: 60s)")
    Duration time = Duration.ofSeconds(60);

    @Option(
            names = "--workload",
            paramLabel = "WORKLOAD",
            description = "what a seed's clients do (default: what the seed draws)")
    @Nullable String workload;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if ((what == null) != find) {
            throw new UsageException("say which run: a seed, a file, a folder, or --find");
        }
        if (what != null && !what.matches("-?[0-9]{1,18}")) {
            Path file = file(what);
            return JourneyFile.isOne(file)
                    ? journey(JourneyFile.read(file), file)
                    : recorded(judgeable(ScenarioFile.read(file)), what);
        }
        if (what != null) {
            return recorded(ofSeed(Long.parseLong(what)), what);
        }
        return found();
    }

    private Scenario ofSeed(long seed) {
        try {
            return judgeable(SimCommand.scenario(seed, time.toMillis(), workload));
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    /** What the model of the whole store can judge, which is what a journey is judged by. */
    private static Scenario judgeable(Scenario scenario) {
        if (!isJudged(scenario)) {
            throw new UsageException(
                    "what clients of "
                            + scenario.workload()
                            + " saw is not judged while one travels; './raft sim replay' does");
        }
        return scenario;
    }

    private static boolean isJudged(Scenario scenario) {
        return !scenario.workload().startsWith("versioned");
    }

    /** A file, a run's folder, or a run as 'history list' names it. */
    private Path file(String word) {
        Path path = Path.of(word);
        if (!Files.exists(path)) {
            try {
                path = new RunList(session().histories()).find(word);
            } catch (IOException e) {
                throw new UsageException(
                        word + " is no seed, no scenario's file and no run: " + e.getMessage());
            }
        }
        if (Files.isDirectory(path)) {
            Path journey = path.resolve(Session.JOURNEY);
            path = Files.exists(journey) ? journey : path.resolve("scenario.json");
        }
        if (!Files.exists(path)) {
            throw new UsageException(word + " is no simulated run: only those can be travelled in");
        }
        return path;
    }

    private NodeCode code(@Nullable String bugId) throws IOException {
        PlantedBug bug = ClusterCommand.bug(bugId);
        return bug == null ? NodeCode.right() : NodeCode.planted(bug, Home.nodeSources());
    }

    /** The first seed that fails, with what is said meanwhile. */
    private int found() throws IOException, InterruptedException {
        NodeCode code = code(plant);
        long saidNanos = System.nanoTime();
        for (long seed = 1; seed <= SEEDS_MAX; seed++) {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedException();
            }
            if (System.nanoTime() - saidNanos > PROGRESS_NANOS) {
                saidNanos = System.nanoTime();
                session().announce("seed " + seed + ": nothing failed yet …");
            }
            Scenario scenario = SimCommand.scenario(seed, time.toMillis(), workload);
            Recorded recorded = isJudged(scenario) ? Recorded.of(scenario, code) : null;
            if (recorded != null && recorded.isSeenToFail()) {
                return begin(recorded, code, Long.toString(seed));
            }
        }
        sayOrTell("none", SEEDS_MAX + " seeds ran without a failure");
        return 2;
    }

    private int recorded(Scenario scenario, String words) throws IOException {
        NodeCode code = code(plant);
        return begin(Recorded.of(scenario, code), code, words);
    }

    private int begin(Recorded run, NodeCode code, String words) throws IOException {
        LiveCluster up =
                take(
                        code,
                        run.options(),
                        run.decisions(),
                        new Session.Origin(
                                "load "
                                        + words
                                        + (plant == null ? "" : " --plant " + plant)
                                        + (workload == null ? "" : " --workload " + workload)
                                        + " --time "
                                        + time.toMillis()
                                        + "ms",
                                plant));
        if (isJson()) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("seed", run.options().seed());
            object.put("nodes", up.nodes());
            object.put("events", run.eventCount());
            object.put("finder", run.result().finder().label());
            object.put("what", run.result().what());
            json(object);
            return 0;
        }
        say(
                TextLines.wrap(
                        "",
                        loaded(run.options().seed(), run.decisions(), plant)
                                + ", "
                                + run.eventCount()
                                + " events in "
                                + seconds(run.endNanos()),
                        width()));
        if (run.result().finder() == SimRun.Finder.NOBODY) {
            say(paint().good("nobody found anything wrong in it"));
        } else {
            say(paint().bad(run.result().finder().label() + ":"));
            say(TextLines.wrap("  ", TravelCommand.brief(run.result().what()), width()));
        }
        if (run.result().failed() && !run.isSeenToFail()) {
            Paint paint = paint();
            say(
                    TextLines.wrap(
                                    "",
                                    "that came in the phase after the run, which cannot be"
                                            + " visited; './raft sim replay' tells it",
                                    width())
                            .stream()
                            .map(paint::unsure)
                            .toList());
        }
        say("time is at 0; 'first violation' goes there, 'run', 'step' and 'flight' look on");
        return 0;
    }

    private static String loaded(long seed, List<Decision> decisions, @Nullable String plant) {
        PlantedBug bug = ClusterCommand.bug(plant);
        return "loaded seed "
                + seed
                + (bug == null ? "" : " with " + bug.id() + " (" + bug.title() + ")")
                + ": "
                + decisions.stream().filter(one -> one.act() instanceof Act.Invoke).count()
                + " operations, "
                + decisions.stream().filter(one -> one.act() instanceof Act.Inject).count()
                + " faults, "
                + decisions.stream().filter(Decision::byHand).count()
                + " decisions by hand";
    }

    /** What a person exported: with all that was changed, at the place where it was left. */
    private int journey(Journey journey, Path file) throws IOException, InterruptedException {
        String bug = plant != null ? plant : journey.plant();
        LiveCluster up =
                take(
                        code(bug),
                        journey.options(),
                        journey.decisions(),
                        new Session.Origin("load " + file, bug));
        boolean same =
                up.travel(
                        travel ->
                                travel.goTo(journey.eventCount())
                                        && travel.digest() == journey.digest());
        sayOrTell(
                same ? "same" : "different",
                loaded(journey.options().seed(), journey.decisions(), bug)
                        + "; at #"
                        + journey.eventCount()
                        + (same ? ", as it was left" : ", but the events are not those of then"));
        return same ? 0 : 2;
    }

    private void sayOrTell(String key, String words) {
        if (isJson()) {
            json(Map.of("loaded", key, "what", words));
        } else {
            say(TextLines.wrap("", words, width()));
        }
    }

    private LiveCluster take(
            NodeCode code, SimOptions options, List<Decision> decisions, Session.Origin origin)
            throws IOException {
        return session()
                .take(
                        "sim",
                        Scenario.members(options),
                        options.seed(),
                        origin,
                        0,
                        true,
                        (folder, header) ->
                                new LiveCluster(
                                        ear -> new Travel(code, options, decisions, ear),
                                        folder,
                                        header,
                                        session()::announce,
                                        0,
                                        true));
    }
}
