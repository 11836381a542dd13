package raft.shell.history;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import raft.harness.docker.Engine;
import raft.harness.docker.EngineException;
import raft.harness.nemesis.FaultChoice;
import raft.harness.nightly.Cell;
import raft.harness.nightly.Night;
import raft.harness.nightly.NightOptions;
import raft.harness.nightly.NightRun;
import raft.harness.nightly.NightSummary;
import raft.harness.nightly.Retention;
import raft.harness.report.Outcome;
import raft.harness.run.PlantedBug;
import raft.harness.workload.Workloads;
import raft.shell.DurationOption;
import raft.shell.OwnProcess;
import raft.shell.ShutdownHook;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** {@code ./raft nightly}: a matrix of tests within a budget. */
@Command(
        name = "nightly",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Runs a matrix of tests, round after round with new seeds, until the budget is spent,"
                    + " whatever fails.",
            "A night that was stopped or killed goes on where it was: give the same command again"
                    + " within its budget and a day.",
            ""
        },
        footer = {
            "",
            "Lists are separated by commas; families of faults that belong together by +.",
            "",
            "Examples:",
            "  ./raft nightly --budget 8h",
            "  ./raft nightly --clusters sim --faults none,all --nodes 3,5 --budget 20m",
            "  ./raft nightly --workloads counter:keys=1,hot=80,queue --rounds 1",
            "  ./raft nightly --faults partition+kill --shard 1/3     one of three machines"
        })
public final class NightlyCommand implements Callable<Integer> {
    @Mixin private Histories histories = new Histories();

    @Option(
            names = "--budget",
            defaultValue = "8h",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "for all tests together (default: 8h)")
    private Duration budget = Duration.ofHours(8);

    @Option(
            names = "--workloads",
            paramLabel = "LIST",
            description = "as in ./raft test --workload, also with options (default: all)")
    private String workloadList = String.join(",", Workloads.names());

    @Option(
            names = "--faults",
            split = ",",
            defaultValue = "none,partition,kill,pause,all",
            paramLabel = "LIST",
            description = "(default: none,partition,kill,pause,all)")
    private List<String> faults = List.of();

    @Option(
            names = "--clusters",
            split = ",",
            defaultValue = "auto",
            paramLabel = "LIST",
            description = "docker,sim; auto is sim, and docker where an engine answers")
    private List<String> clusters = List.of("auto");

    @Option(
            names = "--nodes",
            split = ",",
            defaultValue = "3,5",
            paramLabel = "LIST",
            description = "(default: 3,5)")
    private List<Integer> nodes = List.of(3, 5);

    @Option(
            names = "--time",
            defaultValue = "60s",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "that clients work in each test (default: 60s)")
    private Duration time = Duration.ofSeconds(60);

    @Option(
            names = "--rate",
            defaultValue = "200",
            paramLabel = "HZ",
            description = "operations started a second (default: 200)")
    private double rate;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "of the night (default: drawn from its begin)")
    private long seed;

    @Option(
            names = "--rounds",
            defaultValue = "1000000",
            paramLabel = "N",
            description = "run each cell at most so often (default: as the budget allows)")
    private int rounds;

    @Option(
            names = "--shard",
            defaultValue = "1/1",
            paramLabel = "I/N",
            description = "the part of the matrix for machine I of N (default: 1/1)")
    private String shard = "1/1";

    @Option(
            names = "--canary",
            defaultValue = "auto",
            paramLabel = "ID",
            description =
                    "planted bug that must be found first on each kind of cluster, or none"
                            + " (default: L1 on containers, C6 simulated)")
    private String canary = "auto";

    @Option(
            names = "--score",
            defaultValue = "0s",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "for the detection score in the simulation (default: none)")
    private Duration score = Duration.ZERO;

    @Option(names = "--fresh", description = "begin anew even where a night was cut short")
    private boolean fresh;

    @Option(
            names = "--keep-nights",
            defaultValue = "30",
            paramLabel = "N",
            description = "older nights keep only what was not valid (default: 30)")
    private int keepNights;

    private final AtomicBoolean stop = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable Process running;
    private volatile int status = Outcome.ERROR.exitStatus();

    @Override
    public Integer call() throws IOException, InterruptedException {
        NightOptions options = options();
        // Ctrl-C ends the test that is running as its own Ctrl-C would, and keeps what is done.
        Thread hook = new Thread(this::stopAndWait, "stop");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            NightSummary summary =
                    Night.run(
                            histories.root(),
                            options,
                            fresh,
                            this::launch,
                            this::print,
                            standing -> status = standing,
                            line -> {
                                histories.err().println(line);
                                histories.err().flush();
                            },
                            stop::get);
            if (summary == null) {
                return status;
            }
            status = summary.exitStatus();
            int removed = Retention.thinOldNights(histories.root(), keepNights);
            if (removed > 0) {
                histories.err().println(removed + " valid runs of old nights were removed");
            }
            print(summary);
            return status;
        } finally {
            histories.out().flush();
            histories.err().flush();
            ended.countDown();
            ShutdownHook.remove(hook);
        }
    }

    private NightOptions options() {
        require(!budget.isZero(), "--budget must be more than 0");
        require(!time.isZero(), "--time must be more than 0");
        require(rounds >= 1, "--rounds must be at least 1, got " + rounds);
        require(keepNights >= 1, "--keep-nights must be at least 1, got " + keepNights);
        require(rate > 0, "--rate must be positive, got " + rate);
        List<String> workloads = workloads(workloadList);
        for (String workload : workloads) {
            try {
                Workloads.parse(workload);
            } catch (IllegalArgumentException e) {
                throw histories.usage("--workloads: " + e.getMessage());
            }
        }
        for (String choice : faults) {
            try {
                FaultChoice.parse(choice.replace('+', ','));
            } catch (IllegalArgumentException e) {
                throw histories.usage("--faults: " + e.getMessage());
            }
        }
        for (int count : nodes) {
            require(count >= 1 && count <= 9, "--nodes must be between 1 and 9, got " + count);
        }
        List<String> kinds = new ArrayList<>();
        for (String word : clusters) {
            require(
                    List.of("auto", "docker", "sim").contains(word),
                    "--clusters must be of auto, docker and sim, got '" + word + "'");
            if (!word.equals("auto")) {
                kinds.add(word);
            } else {
                kinds.addAll(engineAnswers() ? List.of("sim", "docker") : List.of("sim"));
            }
        }
        require(
                shard.matches("[1-9]\\d{0,3}/[1-9]\\d{0,3}"),
                "--shard must be I/N, 1/3 say, got '" + shard + "'");
        int slash = shard.indexOf('/');
        int number = Integer.parseInt(shard.substring(0, slash));
        int of = Integer.parseInt(shard.substring(slash + 1));
        require(number <= of, "--shard I/N needs I of at most N, got '" + shard + "'");
        List<Cell> cells =
                Cell.shard(
                        Cell.matrix(workloads, faults, kinds.stream().distinct().toList(), nodes),
                        number,
                        of);
        require(!cells.isEmpty(), "shard " + shard + " of this matrix has nothing to do");
        return new NightOptions(
                cells,
                budget.toMillis(),
                time.toMillis(),
                rate,
                seed,
                rounds,
                kinds.stream().distinct().flatMap(kind -> canary(kind).stream()).toList(),
                score.toMillis(),
                number,
                of);
    }

    /** Commas stand between workloads and between a workload's options. */
    private static List<String> workloads(String list) {
        List<String> found = new ArrayList<>();
        for (String word : list.split(",", -1)) {
            boolean option = word.contains("=") && !word.contains(":") && !found.isEmpty();
            if (option) {
                found.add(found.removeLast() + "," + word);
            } else {
                found.add(word.strip());
            }
        }
        return found;
    }

    /** On each kind of cluster one that a right harness finds within seconds. */
    private List<NightOptions.Canary> canary(String cluster) {
        if (canary.equals("none")) {
            return List.of();
        }
        if (canary.equals("auto")) {
            return List.of(
                    new NightOptions.Canary(cluster.equals("docker") ? "L1" : "C6", cluster));
        }
        try {
            return List.of(new NightOptions.Canary(PlantedBug.named(canary).id(), cluster));
        } catch (IllegalArgumentException e) {
            throw histories.usage(String.valueOf(e.getMessage()));
        }
    }

    private void require(boolean holds, String words) {
        if (!holds) {
            throw histories.usage(words);
        }
    }

    private static boolean engineAnswers() {
        try (Engine engine = Engine.connect()) {
            return !engine.version().isEmpty();
        } catch (EngineException e) {
            return false;
        }
    }

    private Night.Finished launch(List<String> arguments, Path log, Duration limit)
            throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(OwnProcess.command(arguments))
                        .redirectError(log.toFile())
                        .start();
        running = process;
        if (stop.get()) {
            // The stop came between its start and now, so nobody else ends it.
            process.destroy();
        }
        try (var out = process.inputReader()) {
            // Read on a thread of its own: a hanging test must not hang the night.
            StringBuilder text = new StringBuilder();
            Thread reader =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            out.lines()
                                                    .forEach(
                                                            line -> text.append(line).append('\n'));
                                        } catch (java.io.UncheckedIOException e) {
                                            // It was ended by force.
                                        }
                                    });
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroy();
                if (!process.waitFor(60, TimeUnit.SECONDS)) {
                    process.destroyForcibly().waitFor();
                }
                reader.join(Duration.ofSeconds(5));
                return new Night.Finished(text.toString(), -1);
            }
            reader.join(Duration.ofSeconds(30));
            return new Night.Finished(text.toString(), process.exitValue());
        } finally {
            running = null;
        }
    }

    private void stopAndWait() {
        stop.set(true);
        Process process = running;
        if (process != null) {
            process.destroy();
        }
        try {
            boolean saved = ended.await(45, TimeUnit.SECONDS);
            if (!saved) {
                System.err.println("raft: gave up waiting for the night to end");
            }
            // The JVM would end with the signal's status and so hide a violation that was found.
            Runtime.getRuntime().halt(status);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void print(NightRun run) {
        if (histories.json()) {
            histories.out().println(JsonMapper.shared().writeValueAsString(run));
        } else {
            histories
                    .out()
                    .println(
                            ListCommand.cut(
                                    String.format(
                                            Locale.ROOT,
                                            "%-10s %6d ops %4.0f s  %s, seed %d",
                                            run.verdict().equals("insufficient-evidence")
                                                    ? "too-little"
                                                    : run.verdict(),
                                            run.operations(),
                                            run.wallSeconds(),
                                            run.isCanary()
                                                    ? run.cell() + ", " + run.plantedBug()
                                                    : run.cell(),
                                            run.seed()),
                                    histories.width()));
            boolean fine = run.isCanary() ? run.isViolation() : run.isValid();
            if (!fine) {
                histories.out().println(ListCommand.cut("  " + run.why(), histories.width()));
                histories.out().println("  " + run.repeat());
            }
        }
        histories.out().flush();
    }

    private void print(NightSummary summary) {
        Path page =
                histories.root().resolve("nightly").resolve(summary.night()).resolve("index.html");
        if (histories.json()) {
            histories.out().println(JsonMapper.shared().writeValueAsString(summary));
            return;
        }
        summary.problems().forEach(problem -> histories.out().println("  " + problem));
        histories
                .out()
                .printf(
                        Locale.ROOT,
                        "%s: %d tests, %d operations, canary %s, %.1f %% flaky%n",
                        summary.verdict().toUpperCase(Locale.ROOT),
                        summary.runs(),
                        summary.operations(),
                        summary.canary(),
                        100 * summary.flakeRate());
        if (summary.scoreOf() > 0) {
            histories
                    .out()
                    .println(
                            "detection score: "
                                    + summary.score()
                                    + " of "
                                    + summary.scoreOf()
                                    + " planted bugs caught");
        }
        histories.out().println(page);
    }
}
