package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import raft.harness.checker.Budget;
import raft.harness.docker.DockerCluster;
import raft.harness.docker.DockerOptions;
import raft.harness.docker.Engine;
import raft.harness.docker.EngineException;
import raft.harness.docker.RunAuthority;
import raft.harness.nemesis.FaultChoice;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultPlan;
import raft.harness.report.Outcome;
import raft.harness.report.Results;
import raft.harness.report.Summary;
import raft.harness.run.Parameters;
import raft.harness.run.PlanFile;
import raft.harness.run.PlantedBug;
import raft.harness.run.TestRun;
import raft.harness.sim.CampaignFolder;
import raft.harness.sim.NodeCode;
import raft.harness.sim.NodeLogFiles;
import raft.harness.sim.SimOptions;
import raft.harness.sim.SimulatedCluster;
import raft.harness.system.SystemUnderTest;
import raft.harness.workload.Workloads;
import raft.shell.live.Session;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** {@code ./raft test}: the main job. */
@Command(
        name = "test",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Brings up a cluster, runs a workload under faults, records the history, checks it and"
                    + " reports.",
            ""
        },
        footer = {
            "",
            "Workloads:",
            "  register            reads, writes, compare-and-sets of many registers",
            "  cas-register        only reads and compare-and-sets, of few registers",
            "  list-append         appends to lists, and reads of whole lists",
            "  counter             increments that answer with the total, and reads",
            "  set                 unique elements; at the end every node is asked for all",
            "  queue               first in, first out; at the end all queues are emptied",
            "  lock                with fencing tokens: one holder at a time",
            "  versioned-register  writes and compare-and-sets by version",
            "  retries             appends tried again without an answer: none twice",
            "",
            "Their options, as in --workload counter:keys=1,hot=80:",
            "  keys=N       keys in use at a time",
            "  per-key=N    operations after which a key is replaced by a new one",
            "  reads=N      percent of reads of the processes that do not only read",
            "  hot=N        percent of operations that go to one and the same key",
            "  burst=MS     work that many ms at twice the rate, then rest as long",
            "  sessions=on  (retries) whether what is tried again has a session: on, off",
            "",
            "Examples:",
            "  ./raft test                                    five nodes, one minute, the usual"
                    + " faults",
            "  ./raft test --faults all --time 3m             all that can be broken",
            "  ./raft test --faults partition --time 30s      only partitions",
            "  ./raft test --plant L1                         a node with a planted bug: must end"
                    + " with status 1",
            "  ./raft test --image my-raft:latest             your own node, see"
                    + " raft-node/PROTOCOL.md",
            "  ./raft test --system etcd --nodes 3            etcd"
        })
final class TestCommand implements Callable<Integer>, InSession {
    private static final String USUAL_FAULTS = "partition,kill,pause";

    @Option(
            names = "--cluster",
            defaultValue = "auto",
            paramLabel = "auto|docker|sim",
            description = "where the nodes run (default: auto)")
    String cluster = "auto";

    @Option(
            names = "--nodes",
            defaultValue = "5",
            paramLabel = "N",
            description = "members, 1 to 9 (default: 5)")
    int nodes;

    @Option(
            names = "--workload",
            defaultValue = "register",
            paramLabel = "NAME[:OPTION=VALUE,…]",
            description = "what clients do (default: register); see below")
    String workload = "register";

    @Option(
            names = "--faults",
            defaultValue = USUAL_FAULTS,
            paramLabel = "LIST",
            description = {
                "families and kinds, with commas between them; all is all that can be done here"
                        + " (default: "
                        + USUAL_FAULTS
                        + "); the kinds are listed below"
            })
    String faults = USUAL_FAULTS;

    @Option(
            names = "--time",
            defaultValue = "60s",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "how long clients work (default: 60s)")
    Duration time = Duration.ofSeconds(60);

    @Option(
            names = "--rate",
            defaultValue = "200",
            paramLabel = "HZ",
            description = "operations started per second (default: 200)")
    double rate;

    @Option(
            names = "--concurrency",
            defaultValue = "10",
            paramLabel = "N",
            description = "client processes (default: 10)")
    int concurrency;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "of workload and faults (default: a new one)")
    @Nullable Long seed;

    @Option(
            names = "--plan",
            paramLabel = "FILE",
            description = "faults from a saved plan.json instead of the seed")
    @Nullable Path plan;

    @Option(
            names = "--system",
            defaultValue = "raft",
            paramLabel = "NAME",
            description = "what is tested: raft, etcd (default: raft)")
    String system = "raft";

    @Option(
            names = "--system-option",
            paramLabel = "NAME=VALUE",
            description = "of the system; etcd: reads=linearizable|serializable")
    Map<String, String> systemOptions = new LinkedHashMap<>();

    @Option(
            names = "--system-path",
            defaultValue = "",
            paramLabel = "JAR",
            description = "where a system of your own is")
    String systemPath = "";

    @Option(
            names = "--data-megabytes",
            defaultValue = "0",
            paramLabel = "N",
            description =
                    "each node's data on a volume of so many MB in memory, 8 to 1024, which"
                            + " disk-full fills for real, for any system (default: on disk)")
    int dataMegabytes;

    @Option(
            names = "--tls",
            description =
                    "TLS between the nodes, for clients and for status, with an authority and"
                            + " certificates made for this run")
    boolean tls;

    @Option(names = "--image", paramLabel = "IMAGE", description = "a node's image of your own")
    @Nullable String image;

    @Option(
            names = "--plant",
            paramLabel = "ID",
            description = "build the node with a planted bug: L1, C6, or a file that describes one")
    @Nullable String plant;

    // Short on purpose. Writes that reached a leader which is then cut off hang; only clients that
    // give up before it steps
    // down are free to write through its successor while it may still answer, which is when stale
    // reads show.
    @Option(
            names = "--operation-timeout",
            defaultValue = "500ms",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "how long a client waits for an answer (default: 500ms)")
    Duration operationTimeout = Duration.ofMillis(500);

    @Option(
            names = "--check-time",
            defaultValue = "60s",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "budget of the check (default: 60s)")
    Duration checkTime = Duration.ofSeconds(60);

    @Option(
            names = "--histories",
            paramLabel = "FOLDER",
            description = "where runs are saved (default: histories)")
    @Nullable Path histories;

    @Option(
            names = "--output",
            defaultValue = "text",
            paramLabel = "text|json",
            description = "(default: text)")
    OutputForm output = OutputForm.TEXT;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private @Nullable Session session;
    private final AtomicBoolean stop = new AtomicBoolean();
    private @Nullable SimulatedCluster simulated;
    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile int status = Main.EXIT_FAILURE;

    @Override
    public void enter(Session entered) {
        session = entered;
    }

    @Override
    public Integer call() throws InterruptedException {
        validate();
        PrintWriter err = spec.commandLine().getErr();
        List<String> members = IntStream.rangeClosed(1, nodes).mapToObj(i -> "n" + i).toList();
        long chosenSeed = seed == null ? new SplittableRandom().nextLong(1, 1_000_000_000) : seed;
        String runId =
                "r"
                        + Long.toString(System.currentTimeMillis(), 36)
                        + Long.toString(ProcessHandle.current().pid(), 36);
        String kind = kind(err);
        FaultPlan saved = savedPlan(members, kind);
        FaultChoice choice = saved == null ? choice() : FaultChoice.ofPlan(saved);
        Parameters parameters = parameters(runId, kind, chosenSeed, members);
        // Ctrl-C ends the run, not the record: the hook asks the loop to stop and gives it time to
        // save and to clean up.
        Thread hook = new Thread(this::stopAndWait, "stop");
        Runtime.getRuntime().addShutdownHook(hook);
        Session shell = session;
        if (shell != null) {
            // At the prompt Ctrl-C ends the run and not the shell.
            shell.onInterrupt(() -> stop.set(true));
        }
        try {
            Results results =
                    TestRun.run(
                            parameters,
                            choice,
                            saved,
                            root(),
                            (folder, progress) ->
                                    kind.equals("sim")
                                            ? startSimulated(chosenSeed, members, folder, progress)
                                            : start(
                                                    runId,
                                                    members,
                                                    grows(choice, saved, members),
                                                    folder,
                                                    progress),
                            new Budget(checkTime, Runtime.getRuntime().maxMemory() / 2),
                            line -> {
                                err.println(line);
                                err.flush();
                            },
                            stop::get);
            keepCoverage(Path.of(results.run()), err);
            print(results);
            status = exitStatus(results.verdict());
            return status;
        } catch (IOException e) {
            err.println(
                    "raft: the run's folder cannot be written: "
                            + e.getMessage()
                            + "; make room, or choose another with --histories");
            return Main.EXIT_FAILURE;
        } finally {
            if (shell != null) {
                shell.onInterrupt(null);
            }
            finished.countDown();
            ShutdownHook.remove(hook);
        }
    }

    private void stopAndWait() {
        stop.set(true);
        try {
            boolean saved = finished.await(30, TimeUnit.SECONDS);
            if (!saved) {
                System.err.println(
                        "raft: gave up waiting for the run to end; './raft clean' removes what is"
                                + " left");
            }
            // The JVM would end with the signal's status and so hide a violation that was found.
            Runtime.getRuntime().halt(status);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Says first where the nodes will run: everything that follows depends on it. */
    private String kind(PrintWriter err) {
        String kind = cluster;
        String reason = "";
        if (cluster.equals("auto")) {
            boolean engine = image != null || tls || !isOurs() || engineAnswers();
            kind = engine ? "docker" : "sim";
            reason = engine ? "" : " (no container engine answers)";
        }
        err.println(
                kind.equals("sim")
                        ? "simulated cluster" + reason + ": one process, virtual time"
                        : "cluster of containers");
        err.flush();
        return kind;
    }

    private static boolean engineAnswers() {
        try (Engine engine = Engine.connect()) {
            return !engine.version().isEmpty();
        } catch (EngineException e) {
            return false;
        }
    }

    private SimulatedCluster startSimulated(
            long chosenSeed, List<String> members, Path folder, Consumer<String> progress)
            throws TestRun.ClusterException {
        SimOptions options = SimOptions.defaults(chosenSeed, members.size());
        PlantedBug bug = plantedBug(progress);
        try {
            NodeCode code =
                    bug == null ? NodeCode.right() : NodeCode.planted(bug, Home.nodeSources());
            SimulatedCluster started = code.start(options);
            started.nodeLog(new NodeLogFiles(folder));
            simulated = started;
            return started;
        } catch (IOException e) {
            throw new TestRun.ClusterException(String.valueOf(e.getMessage()), e);
        }
    }

    /** What a simulated run has reached. */
    private void keepCoverage(Path folder, PrintWriter err) throws IOException {
        SimulatedCluster ran = simulated;
        if (ran != null) {
            CampaignFolder.keep(ran.coverage(), folder);
            ran.coverage().counts().forEach(err::println);
            err.flush();
        }
    }

    /** Only our own protocol has requests that change the members. */
    private boolean grows(FaultChoice choice, @Nullable FaultPlan saved, List<String> members) {
        return isOurs()
                && (saved == null
                        ? choice.kinds().contains(FaultKind.MEMBERSHIP_GROW)
                        : saved.needsSpare(members));
    }

    private DockerCluster start(
            String runId,
            List<String> members,
            boolean withSpare,
            Path folder,
            Consumer<String> progress)
            throws TestRun.ClusterException {
        try {
            SystemUnderTest other = otherSystem();
            if (other != null) {
                return DockerCluster.start(
                        DockerOptions.ofSystem(runId, members.size(), other)
                                .withSmallVolumes((long) dataMegabytes << 20),
                        folder,
                        progress);
            }
            Path jar = Home.nodeJar();
            PlantedBug bug = plantedBug(progress);
            if (bug != null) {
                jar =
                        bug.build(
                                Home.nodeSources(),
                                Home.folder().resolve("raft-node/target/planted/" + bug.id()));
            }
            DockerOptions options =
                    image == null
                            ? DockerOptions.ofJar(runId, members.size(), jar)
                            : DockerOptions.ofImage(runId, members.size(), image);
            options =
                    options.withSpares(withSpare ? 1 : 0)
                            .withSmallVolumes((long) dataMegabytes << 20);
            if (!tls) {
                return DockerCluster.start(options, folder, progress);
            }
            progress.accept("making an authority and certificates for this run");
            try (RunAuthority authority = RunAuthority.make()) {
                return DockerCluster.start(options.withTls(authority), folder, progress);
            }
        } catch (IOException e) {
            throw new TestRun.ClusterException(String.valueOf(e.getMessage()), e);
        }
    }

    private @Nullable PlantedBug plantedBug(Consumer<String> progress) {
        if (plant == null) {
            return null;
        }
        PlantedBug bug = PlantedBug.named(plant);
        progress.accept("planting " + bug.id() + ": " + bug.title());
        return bug;
    }

    private void validate() {
        require(
                List.of("auto", "docker", "sim").contains(cluster),
                "--cluster must be auto, docker or sim");
        require(
                image == null || !cluster.equals("sim"),
                "--image needs containers; the simulation runs our own node only");
        require(nodes >= 1 && nodes <= 9, "--nodes must be between 1 and 9, got " + nodes);
        try {
            Workloads.parse(workload);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        require(
                isOurs() || !cluster.equals("sim"),
                "--system " + system + " needs containers; the simulation runs our own node only");
        require(
                isOurs() || (image == null && plant == null),
                "--image and --plant are about our own protocol and node, so they cannot go with"
                        + " --system");
        otherSystem();
        require(
                !time.isZero() && time.compareTo(Duration.ofHours(24)) <= 0,
                "--time must be more than 0 and at most 24h");
        require(rate > 0 && rate <= 1_000_000, "--rate must be positive, got " + rate);
        require(
                concurrency >= 1 && concurrency <= 1000,
                "--concurrency must be between 1 and 1000, got " + concurrency);
        require(
                dataMegabytes == 0 || (dataMegabytes >= 8 && dataMegabytes <= 1024),
                "--data-megabytes must be between 8 and 1024, got " + dataMegabytes);
        require(
                dataMegabytes == 0 || !cluster.equals("sim"),
                "--data-megabytes is about volumes of containers; simulated disks can be full"
                        + " anyway");
        require(
                !tls || (isOurs() && image == null && !cluster.equals("sim")),
                "--tls is about our own node in containers, so it cannot go with --system, --image"
                        + " or --cluster sim");
        require(!operationTimeout.isZero(), "--operation-timeout must be more than 0");
        require(!checkTime.isZero(), "--check-time must be more than 0");
        require(
                plant == null || image == null,
                "--plant builds our own node, so it cannot go with --image");
        if (plant != null) {
            try {
                PlantedBug.named(plant);
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
            }
        }
        choice();
    }

    private boolean isOurs() {
        return system.equals("raft");
    }

    /** What is tested where it is not our own node, and whether it fits the workload. */
    private @Nullable SystemUnderTest otherSystem() {
        if (isOurs()) {
            require(systemOptions.isEmpty(), "the system raft has no --system-option");
            return null;
        }
        try {
            return SystemLoader.load(system, systemPath, systemOptions);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private void require(boolean holds, String words) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), words);
        }
    }

    /** Puts every kind of fault into the help, taken from where they are defined. */
    static void listFaults(CommandLine test) {
        List<String> lines = new ArrayList<>(List.of("", "Faults:"));
        for (FaultKind.Family family : FaultKind.Family.values()) {
            StringBuilder line = new StringBuilder(String.format("  %-11s", family.label()));
            for (FaultKind kind : FaultKind.values()) {
                if (kind.family() != family) {
                    continue;
                }
                if (line.length() + kind.label().length() > 77) {
                    lines.add(line.toString());
                    line = new StringBuilder(" ".repeat(13));
                }
                line.append(' ').append(kind.label()).append(kind.byNameOnly() ? "*" : "");
            }
            lines.add(line.toString());
        }
        lines.add("  * only where it is asked for by this name");
        lines.addAll(List.of(test.getCommandSpec().usageMessage().footer()));
        test.getCommandSpec().usageMessage().footer(lines.toArray(String[]::new));
    }

    private FaultChoice choice() {
        try {
            return FaultChoice.parse(faults);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    /** Null where the plan is to be drawn from the seed. */
    private @Nullable FaultPlan savedPlan(List<String> members, String kind) {
        if (plan == null) {
            return null;
        }
        try {
            FaultPlan read = PlanFile.read(plan, members);
            // No spare nodes are simulated.
            return kind.equals("sim") ? read.without(FaultPlan.spareBeside(members)) : read;
        } catch (IOException e) {
            throw new ParameterException(
                    spec.commandLine(),
                    e instanceof java.nio.file.NoSuchFileException
                            ? plan + " does not exist"
                            : String.valueOf(e.getMessage()),
                    e);
        }
    }

    private Parameters parameters(
            String runId, String kind, long chosenSeed, List<String> members) {
        return new Parameters(
                runId,
                kind,
                system,
                image,
                plant,
                members.size(),
                workload,
                choice().requests().stream().map(FaultChoice.Request::label).toList(),
                plan == null ? null : plan.toString(),
                time.toMillis(),
                rate,
                concurrency,
                operationTimeout.toMillis(),
                chosenSeed,
                repeat(kind, chosenSeed),
                List.of(
                        "raft lab 0.1.0",
                        "java " + Runtime.version(),
                        System.getProperty("os.name") + " " + System.getProperty("os.version")));
    }

    private String repeat(String kind, long chosenSeed) {
        List<String> words = new ArrayList<>(List.of("./raft", "test", "--cluster", kind));
        words.addAll(
                List.of(
                        "--nodes",
                        Integer.toString(nodes),
                        "--workload",
                        workload,
                        "--faults",
                        faults));
        words.addAll(
                List.of(
                        "--time",
                        time.toMillis() + "ms",
                        "--rate",
                        String.format(Locale.ROOT, "%s", rate)));
        words.addAll(
                List.of(
                        "--concurrency",
                        Integer.toString(concurrency),
                        "--seed",
                        Long.toString(chosenSeed)));
        words.addAll(List.of("--operation-timeout", operationTimeout.toMillis() + "ms"));
        if (dataMegabytes > 0) {
            words.addAll(List.of("--data-megabytes", Integer.toString(dataMegabytes)));
        }
        if (tls) {
            words.add("--tls");
        }
        if (plan != null) {
            words.addAll(List.of("--plan", plan.toString()));
        }
        if (image != null) {
            words.addAll(List.of("--image", image));
        }
        if (!isOurs()) {
            words.addAll(List.of("--system", system));
        }
        systemOptions.forEach(
                (name, value) -> words.addAll(List.of("--system-option", name + "=" + value)));
        if (!systemPath.isEmpty()) {
            words.addAll(List.of("--system-path", systemPath));
        }
        if (plant != null) {
            words.addAll(List.of("--plant", plant));
        }
        return String.join(" ", words);
    }

    private Path root() {
        return histories == null ? Home.folder().resolve("histories") : histories;
    }

    private void print(Results results) {
        PrintWriter out = spec.commandLine().getOut();
        if (output == OutputForm.JSON) {
            out.println(JsonMapper.shared().writeValueAsString(results));
        } else {
            Summary.lines(results).forEach(out::println);
        }
        out.flush();
    }

    private static int exitStatus(String verdict) {
        return Stream.of(Outcome.values())
                .filter(outcome -> outcome.label().equals(verdict))
                .mapToInt(Outcome::exitStatus)
                .findFirst()
                .orElse(Main.EXIT_FAILURE);
    }
}
