package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import raft.harness.run.PlantedBug;
import raft.harness.sim.Minimiser;
import raft.harness.sim.NodeCode;
import raft.harness.sim.Scenario;
import raft.harness.sim.ScenarioFile;
import raft.harness.sim.Score;
import raft.harness.sim.SelfCheck;
import raft.harness.sim.SimRun;
import raft.harness.sim.travel.Journey;
import raft.harness.sim.travel.JourneyFile;
import raft.harness.sim.travel.Moment;
import raft.harness.workload.Workloads;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/** {@code ./raft sim}: many simulated runs, one again, one made smaller, and what they catch. */
@Command(
        name = "sim",
        mixinStandardHelpOptions = true,
        description = "Runs simulated clusters: fast, and every run repeatable from its seed.",
        subcommands = {
            SimSeedsCommand.class,
            SimCommand.Replay.class,
            SimCommand.Minimise.class,
            SimCommand.ScoreBugs.class,
            SimMutantsCommand.class
        })
final class SimCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "say what to do: seeds, replay, minimise or score");
    }

    static NodeCode code(CommandSpec spec, @Nullable String plant) throws IOException {
        if (plant == null) {
            return NodeCode.right();
        }
        try {
            return NodeCode.planted(PlantedBug.named(plant), Home.nodeSources());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    /** A seed's number or a scenario file. */
    private static Scenario scenario(
            CommandSpec spec, String word, long timeMillis, @Nullable String workload) {
        checkWorkload(spec, workload);
        if (word.matches("-?[0-9]{1,18}")) {
            return scenario(Long.parseLong(word), timeMillis, workload);
        }
        if (workload != null) {
            throw new ParameterException(
                    spec.commandLine(), "a scenario file has its workload; leave --workload out");
        }
        try {
            return ScenarioFile.read(Path.of(word));
        } catch (IOException e) {
            throw new ParameterException(
                    spec.commandLine(),
                    Files.exists(Path.of(word))
                            ? String.valueOf(e.getMessage())
                            : word + " is neither a seed nor a file",
                    e);
        }
    }

    /**
     * @param workload null for the one that the seed draws
     */
    static Scenario scenario(long seed, long timeMillis, @Nullable String workload) {
        return workload == null
                ? Scenario.ofSeed(seed, timeMillis)
                : Scenario.ofSeed(seed, timeMillis, workload);
    }

    static void checkWorkload(CommandSpec spec, @Nullable String workload) {
        try {
            if (workload != null) {
                Workloads.parse(workload);
            }
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    static String plantWords(@Nullable String plant) {
        return plant == null ? "" : " --plant " + plant;
    }

    static void print(PrintWriter out, String line) {
        out.println(line);
        out.flush();
    }

    /** Which run: a seed, with what differs from what it draws, or a scenario file. */
    static final class Chosen {
        @Parameters(paramLabel = "SEED|FILE")
        String what = "";

        @Option(
                names = "--time",
                paramLabel = "DURATION",
                converter = SecondsOption.class,
                defaultValue = "60",
                description = "simulated seconds of a seed")
        int seconds;

        @Option(
                names = "--plant",
                paramLabel = "BUG",
                description = "with a planted bug: L1, or a file that describes one")
        @Nullable String plant;

        @Option(
                names = "--workload",
                paramLabel = "WORKLOAD",
                description = "another than the seed draws")
        @Nullable String workload;

        Scenario scenario(CommandSpec spec) throws IOException {
            return SimCommand.scenario(spec, what, seconds * 1000L, workload);
        }

        NodeCode code(CommandSpec spec) throws IOException {
            return SimCommand.code(spec, plant);
        }
    }

    @Command(
            name = "replay",
            mixinStandardHelpOptions = true,
            description = "Runs a seed or a scenario file again, with every event.")
    static final class Replay implements Callable<Integer> {
        @Mixin Chosen chosen = new Chosen();

        @Option(names = "--quiet", description = "only the verdict")
        boolean quiet;

        @Option(
                names = "--check",
                description = "run it twice here and once in another JVM, and compare every event")
        boolean check;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        public Integer call() throws IOException, InterruptedException {
            PrintWriter out = spec.commandLine().getOut();
            if (JourneyFile.isOne(Path.of(chosen.what))) {
                return journey(JourneyFile.read(Path.of(chosen.what)), out);
            }
            Scenario scenario = chosen.scenario(spec);
            print(out, scenario.words());
            if (check) {
                String difference = SelfCheck.check(scenario, chosen.code(spec));
                print(out, difference.isEmpty() ? "the same, event by event" : difference);
                return difference.isEmpty() ? 0 : 1;
            }
            SimRun.Result result =
                    SimRun.run(
                            scenario,
                            chosen.code(spec),
                            quiet
                                    ? null
                                    : (number, nanos, digest, words) ->
                                            out.printf(
                                                    Locale.ROOT,
                                                    "%7d %11.6f %016x %s%n",
                                                    number,
                                                    nanos / 1e9,
                                                    digest,
                                                    words));
            print(
                    out,
                    String.format(
                            Locale.ROOT,
                            "%s after %d events, %.3f simulated seconds, digest %016x",
                            result.failed() ? "FAILED" : result.finder().label() + " found fault",
                            result.eventCount(),
                            result.simulatedNanos() / 1e9,
                            result.digest()));
            if (!result.what().isEmpty()) {
                print(out, result.rule());
                print(out, result.what());
            }
            return result.failed() ? 1 : result.finder() == SimRun.Finder.UNKNOWN ? 2 : 0;
        }

        /** What a person did in the shell's time travel. */
        private int journey(Journey journey, PrintWriter out) throws IOException {
            NodeCode code = code(spec, chosen.plant != null ? chosen.plant : journey.plant());
            Journey.Result result = journey.replay(code, quiet ? moment -> {} : told(out));
            if (check) {
                Journey.Result again = journey.replay(code, moment -> {});
                boolean same = again.equals(result);
                print(out, same ? "the same, event by event" : "NOT the same when repeated");
                if (!same) {
                    return 1;
                }
            }
            boolean failed =
                    result.finder() == SimRun.Finder.INVARIANT
                            || result.finder() == SimRun.Finder.CHECKER;
            print(
                    out,
                    String.format(
                            Locale.ROOT,
                            "%s after %d events, %.3f simulated seconds, digest %016x",
                            failed ? "FAILED" : result.finder().label() + " found fault",
                            result.eventCount(),
                            result.nanos() / 1e9,
                            result.digest()));
            print(
                    out,
                    result.same()
                            ? "up to #" + journey.eventCount() + " as it was recorded"
                            : "up to #"
                                    + journey.eventCount()
                                    + " NOT as it was recorded: another version of the node or of"
                                    + " the simulation");
            if (!result.what().isEmpty()) {
                print(out, result.what());
            }
            return failed ? 1 : result.same() ? 0 : 2;
        }

        private static Consumer<Moment> told(PrintWriter out) {
            return moment -> {
                out.printf(
                        Locale.ROOT,
                        "%7d %11.6f %s%n",
                        moment.number(),
                        moment.occurrence().timeNanos() / 1e9,
                        moment.occurrence().what());
                moment.changes().forEach(change -> out.println("                    " + change));
            };
        }
    }

    @Command(
            name = "minimise",
            mixinStandardHelpOptions = true,
            description = "Makes a failing run smaller and saves it as a scenario file.")
    static final class Minimise implements Callable<Integer> {
        @Mixin Chosen chosen = new Chosen();

        @Option(
                names = "--seconds",
                paramLabel = "DURATION",
                converter = SecondsOption.class,
                defaultValue = "60",
                description = "real time to spend")
        int budget;

        @Option(
                names = "--out",
                paramLabel = "OUTFILE",
                defaultValue = "scenario.json",
                description = "the file to write")
        Path file = Path.of("scenario.json");

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        public Integer call() throws IOException, InterruptedException {
            PrintWriter out = spec.commandLine().getOut();
            NodeCode code = chosen.code(spec);
            Scenario scenario = chosen.scenario(spec);
            SimRun.Result first = SimRun.run(scenario, code, null);
            if (!first.failed()) {
                print(out, "nothing fails here, so there is nothing to make smaller");
                return 0;
            }
            Minimiser minimiser =
                    new Minimiser(
                            code, first, budget, line -> print(spec.commandLine().getErr(), line));
            Scenario small = minimiser.minimise(scenario);
            ScenarioFile.write(file, small);
            String difference = SelfCheck.check(ScenarioFile.read(file), code);
            SimRun.Result last = SimRun.run(small, code, null);
            print(
                    out,
                    first.rule()
                            + ", in events: "
                            + first.eventCount()
                            + " -> "
                            + last.eventCount());
            print(out, Minimiser.size(scenario) + " -> " + Minimiser.size(small));
            print(out, last.what());
            print(
                    out,
                    difference.isEmpty()
                            ? "verified in a second JVM"
                            : "NOT the same in a second JVM: " + difference);
            print(out, "again: ./raft sim replay " + file + plantWords(chosen.plant));
            return 1;
        }
    }

    @Command(
            name = "score",
            mixinStandardHelpOptions = true,
            description = "How many planted bugs are caught, and whether benign edits are not.")
    static final class ScoreBugs implements Callable<Integer> {
        @Option(names = "--jobs", defaultValue = "2", description = "threads (default: 2)")
        int jobs;

        @Option(names = "--seeds", defaultValue = "1200", description = "most seeds for each")
        int seeds;

        @Option(
                names = "--seconds",
                paramLabel = "DURATION",
                converter = SecondsOption.class,
                defaultValue = "60",
                description = "most processor time for each")
        int seconds;

        @Option(
                names = "--minimise",
                paramLabel = "DURATION",
                converter = SecondsOption.class,
                defaultValue = "3",
                description = "to make the failing run of each smaller, 0 for none (default: 3)")
        int minimiseSeconds;

        @Option(
                names = "--budget",
                paramLabel = "DURATION",
                defaultValue = "0s",
                converter = DurationOption.class,
                description = "after which no further one is begun (default: none, all are run)")
        Duration budget = Duration.ZERO;

        @Option(
                names = "--output",
                defaultValue = "text",
                paramLabel = "text|json",
                description = "(default: text)")
        String output = "text";

        @Option(
                names = "--bugs",
                split = ",",
                paramLabel = "ID|FILE.json",
                description = "only these; files describe bugs of your own")
        @Nullable List<String> bugs;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        public Integer call() throws IOException, InterruptedException {
            PrintWriter out = spec.commandLine().getOut();
            if (!output.equals("text") && !output.equals("json")) {
                throw new ParameterException(
                        spec.commandLine(), "--output must be text or json, not " + output);
            }
            List<String> ids = bugs == null ? PlantedBug.ids() : bugs;
            try {
                ids.forEach(PlantedBug::named);
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
            }
            List<Score.Line> lines =
                    Score.run(
                            ids,
                            Home.nodeSources(),
                            seeds,
                            seconds,
                            minimiseSeconds,
                            (int) Math.min(Integer.MAX_VALUE, (budget.toMillis() + 999) / 1000),
                            jobs,
                            line ->
                                    print(
                                            spec.commandLine().getErr(),
                                            line.bug() + " " + line.finder()));
            if (output.equals("json")) {
                lines.forEach(line -> print(out, JsonMapper.shared().writeValueAsString(line)));
                return lines.stream().allMatch(Score.Line::right) ? 0 : 1;
            }
            print(out, "bug  caught by   seeds  sim s   cpu s  ops faults  what");
            for (Score.Line line : lines) {
                print(
                        out,
                        String.format(
                                Locale.ROOT,
                                "%-4s %-10s %6d %6.0f %7.1f %4s %6s  %s%s%s",
                                line.bug(),
                                line.finder(),
                                line.seedCount(),
                                line.simulatedSeconds(),
                                line.seconds(),
                                line.operationCount() < 0 ? "-" : line.operationCount(),
                                line.faultCount() < 0 ? "-" : line.faultCount(),
                                line.right() ? "" : "WRONG: ",
                                line.title(),
                                line.rule().isEmpty() ? "" : " | " + brief(line.rule())));
            }
            long planted = lines.stream().filter(line -> !line.benign()).count();
            long caught = lines.stream().filter(l -> !l.benign() && l.right()).count();
            long alarms = lines.stream().filter(l -> l.benign() && !l.right()).count();
            print(
                    out,
                    String.format(
                                    "detection score: %d of %d bugs caught, %d of %d benign edits"
                                            + " reported",
                                    caught, planted, alarms, lines.size() - planted)
                            + (lines.size() == ids.size()
                                    ? ""
                                    : "; for "
                                            + (ids.size() - lines.size())
                                            + " there was no time"));
            return caught == planted && alarms == 0 ? 0 : 1;
        }

        private static String brief(String words) {
            return words.length() <= 110 ? words : words.substring(0, 110) + "…";
        }
    }
}
