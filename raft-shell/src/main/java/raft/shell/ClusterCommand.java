package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.cluster.NodeStatus;
import raft.harness.docker.DockerCluster;
import raft.harness.docker.DockerOptions;
import raft.harness.docker.Engine;
import raft.harness.docker.EngineException;
import raft.harness.docker.GuestCluster;
import raft.harness.docker.RunningCluster;
import raft.harness.history.History;
import raft.harness.history.HistoryIndex;
import raft.harness.history.HistoryReader;
import raft.harness.report.FaultSpan;
import raft.harness.run.PlantedBug;
import raft.harness.sim.NodeCode;
import raft.harness.sim.SimOptions;
import raft.harness.sim.travel.Travel;
import raft.shell.live.LiveCluster;
import raft.shell.live.Session;
import raft.shell.live.UsageException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** {@code cluster}: brings a cluster up for a person, and down again. */
@Command(
        name = "cluster",
        description = "Brings up a cluster to drive by hand, and takes it down.",
        footer = {
            "",
            "Examples:",
            "  cluster up                   five nodes, in containers where an engine answers",
            "  cluster up sim --seed 7      simulated ones: repeatable, with a past to go back to",
            "  cluster up sim --plant L1    with a bug planted in the node",
            "  cluster list",
            "  cluster down"
        },
        subcommands = {
            ClusterCommand.Up.class,
            ClusterCommand.Down.class,
            ClusterCommand.ListUp.class,
            ClusterCommand.Attach.class
        })
final class ClusterCommand extends Verb {
    @Override
    public Integer call() {
        throw new UsageException("say what to do: up, down, list or attach");
    }

    @Command(
            name = "up",
            description = "Starts a cluster, in place of the one that is up.",
            footer = {
                "",
                "At the prompt simulated time goes on as you type; 'sim speed' changes that. In"
                        + " scripts it",
                "stands still between commands, so that they can be repeated.",
                "",
                "Examples:",
                "  cluster up --nodes 3",
                "  cluster up --election-timeout 3s       elections that can be followed by eye",
                "  cluster up sim --seed 7 --speed 0.1"
            })
    static final class Up extends Verb {
        /** A node refuses less than three of its heartbeats, which come every 100 ms. */
        private static final Duration ELECTION_TIMEOUT_MIN = Duration.ofMillis(300);

        private static final Duration ELECTION_TIMEOUT_MAX = Duration.ofSeconds(60);

        private static final Duration FIRST_LEADER_WITHIN = Duration.ofSeconds(15);

        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "auto|docker|sim",
                defaultValue = "auto",
                description = "where the nodes run (default: auto)")
        String kind = "auto";

        @Option(
                names = "--nodes",
                paramLabel = "N",
                defaultValue = "5",
                description = "members, 1 to 9 (default: 5)")
        int count;

        @Option(names = "--seed", paramLabel = "N", description = "of a simulated cluster")
        @Nullable Long seed;

        @Option(
                names = "--rough",
                description = "a simulated network and disk with loss, delays and hiccups")
        boolean rough;

        @Option(
                names = "--speed",
                paramLabel = "FACTOR",
                description = "virtual seconds a second (default: 1 at the prompt, else 0)")
        @Nullable Double speed;

        @Option(names = "--plant", paramLabel = "BUG", description = "build the node with a bug")
        @Nullable String plant;

        @Option(names = "--image", paramLabel = "IMAGE", description = "your own node's image")
        @Nullable String image;

        @Option(
                names = "--spare",
                paramLabel = "N",
                defaultValue = "0",
                description = "nodes beside the members, for 'members add' (default: 0)")
        int spareCount;

        @Option(
                names = "--lease",
                paramLabel = "PERCENT",
                description =
                        "leaders may answer reads by their clock alone, which bears clocks so far"
                                + " apart (default: no leases)")
        @Nullable Integer leasePercent;

        @Option(
                names = "--election-timeout",
                paramLabel = "DURATION",
                converter = DurationOption.class,
                description =
                        "of the nodes: followers wait once to twice as long, a leader that hears no"
                                + " majority steps down after twice as long; 3s can be followed by"
                                + " eye (default: 500ms)")
        @Nullable Duration electionTimeout;

        @Override
        public Integer call() throws IOException, InterruptedException {
            if (spareCount < 0 || count + spareCount > 9) {
                throw new UsageException("members and spare nodes are at most 9 together");
            }
            if (leasePercent != null && (leasePercent < 0 || leasePercent > 100)) {
                throw new UsageException("--lease is 0 to 100, got " + leasePercent);
            }
            if (electionTimeout != null
                    && (electionTimeout.compareTo(ELECTION_TIMEOUT_MIN) < 0
                            || electionTimeout.compareTo(ELECTION_TIMEOUT_MAX) > 0)) {
                throw new UsageException("--election-timeout is 300ms to 60s");
            }
            if (!List.of("auto", "docker", "sim").contains(kind)) {
                throw new UsageException("a cluster is auto, docker or sim, not '" + kind + "'");
            }
            if (count < 1 || count > 9) {
                throw new UsageException("--nodes must be between 1 and 9, got " + count);
            }
            if (image != null && (plant != null || kind.equals("sim"))) {
                throw new UsageException(
                        "--image brings your own node, in containers: it goes neither with --plant"
                                + " nor with sim");
            }
            PlantedBug bug = bug(plant);
            String where = kind;
            if (kind.equals("auto")) {
                boolean engine = image != null || engineAnswers();
                where = engine ? "docker" : "sim";
                if (!engine) {
                    say("no container engine answers, so the cluster is simulated");
                }
            }
            long chosen = seed != null ? seed : new SplittableRandom().nextLong(1, 1_000_000);
            List<String> names = IntStream.rangeClosed(1, count).mapToObj(i -> "n" + i).toList();
            Session.Origin origin =
                    new Session.Origin(
                            "cluster up "
                                    + where
                                    + " --nodes "
                                    + count
                                    + (where.equals("sim") ? " --seed " + chosen : "")
                                    + (rough ? " --rough" : "")
                                    + (spareCount == 0 ? "" : " --spare " + spareCount)
                                    + (leasePercent == null ? "" : " --lease " + leasePercent)
                                    + (electionTimeout == null
                                            ? ""
                                            : " --election-timeout "
                                                    + electionTimeout.toMillis()
                                                    + "ms")
                                    + (plant == null ? "" : " --plant " + plant)
                                    + (image == null ? "" : " --image " + image),
                            plant);
            long startNanos = System.nanoTime();
            LiveCluster up =
                    where.equals("sim")
                            ? simulated(names, chosen, origin, bug)
                            : containers(names, chosen, origin, bug);
            boolean elected =
                    up.await(
                            nodes -> LiveCluster.leaderOf(nodes) != null,
                            FIRST_LEADER_WITHIN.plus(
                                    electionTimeout == null
                                            ? Duration.ZERO
                                            : electionTimeout.multipliedBy(4)));
            NodeStatus leader = up.leader();
            if (isJson()) {
                Map<String, Object> object = new LinkedHashMap<>();
                object.put("cluster", up.kind());
                object.put("nodes", names);
                object.put("seed", chosen);
                object.put("leader", leader == null ? null : leader.node());
                object.put("run", up.folder().toString());
                json(object);
            } else {
                say(
                        count
                                + (up.isSimulated()
                                        ? " simulated nodes, seed " + chosen
                                        : String.format(
                                                " nodes in containers after %.1f s",
                                                (System.nanoTime() - startNanos) / 1e9))
                                + "; "
                                + (leader == null
                                        ? "no leader yet"
                                        : leader.node() + " leads term " + leader.term()));
                if (session().isInteractive()) {
                    say("recorded in " + up.folder());
                }
            }
            return elected ? 0 : 2;
        }

        private LiveCluster simulated(
                List<String> names, long chosen, Session.Origin origin, @Nullable PlantedBug bug)
                throws IOException {
            NodeCode code =
                    bug == null ? NodeCode.right() : NodeCode.planted(bug, Home.nodeSources());
            SimOptions usualTimeout = SimOptions.defaults(chosen, names.size());
            SimOptions drawn =
                    electionTimeout == null
                            ? usualTimeout
                            : usualTimeout.withElectionTimeout(electionTimeout.toNanos());
            SimOptions.Upkeep usual = SimOptions.Upkeep.NONE;
            SimOptions options =
                    (rough ? drawn : drawn.calm())
                            .withUpkeep(
                                    new SimOptions.Upkeep(
                                            spareCount,
                                            0,
                                            0,
                                            usual.snapshotLogBytes(),
                                            usual.chunkBytes(),
                                            leasePercent == null ? -1 : leasePercent));
            double pace = speed != null ? speed : session().isInteractive() ? 1 : 0;
            return session()
                    .take(
                            "sim",
                            names,
                            chosen,
                            origin,
                            pace,
                            false,
                            (folder, header) ->
                                    new LiveCluster(
                                            ear -> new Travel(code, options, List.of(), ear),
                                            folder,
                                            header,
                                            session()::announce,
                                            pace,
                                            false));
        }

        private LiveCluster containers(
                List<String> names, long chosen, Session.Origin origin, @Nullable PlantedBug bug)
                throws IOException {
            Path jar =
                    bug == null
                            ? Home.nodeJar()
                            : bug.build(
                                    Home.nodeSources(),
                                    Home.folder().resolve("raft-node/target/planted/" + bug.id()));
            String runId =
                    "r"
                            + Long.toString(System.currentTimeMillis(), 36)
                            + Long.toString(ProcessHandle.current().pid(), 36);
            DockerOptions bare =
                    image == null
                            ? DockerOptions.ofJar(runId, names.size(), jar)
                            : DockerOptions.ofImage(runId, names.size(), image);
            Map<String, String> environment = new LinkedHashMap<>();
            if (leasePercent != null) {
                environment.put("RAFT_LEASE_DRIFT_PERCENT", Integer.toString(leasePercent));
            }
            if (electionTimeout != null) {
                environment.put(
                        "RAFT_ELECTION_TIMEOUT_MS", Long.toString(electionTimeout.toMillis()));
            }
            DockerOptions options = bare.withSpares(spareCount).withEnvironment(environment);
            return session()
                    .take(
                            "docker",
                            names,
                            chosen,
                            origin,
                            0,
                            false,
                            (folder, header) -> {
                                try {
                                    DockerCluster started =
                                            DockerCluster.start(options, folder, this::progress);
                                    return new LiveCluster(
                                            ear -> started,
                                            folder,
                                            header,
                                            session()::announce,
                                            0,
                                            false);
                                } catch (EngineException e) {
                                    throw new IOException(String.valueOf(e.getMessage()), e);
                                }
                            });
        }

        private void progress(String sentence) {
            err().println(sentence);
            err().flush();
        }
    }

    static @Nullable PlantedBug bug(@Nullable String id) {
        if (id == null) {
            return null;
        }
        try {
            return PlantedBug.named(id);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    static boolean engineAnswers() {
        try (Engine engine = Engine.connect()) {
            return !engine.version().isEmpty();
        } catch (EngineException e) {
            return false;
        }
    }

    @Command(
            name = "down",
            description = "Ends the cluster that is up; its record stays.",
            footer = {"", "Example:  cluster down"})
    static final class Down extends Verb {
        @Override
        public Integer call() {
            Path folder = cluster().folder();
            LiveCluster gone = session().down();
            if (isJson()) {
                json(Map.of("run", folder.toString()));
                return 0;
            }
            say(gone == null ? "no cluster was up" : "the cluster is down; recorded in " + folder);
            return 0;
        }
    }

    @Command(
            name = "list",
            description = "What is up, here and from other shells and tests on this engine.",
            footer = {"", "Example:  cluster list"})
    static final class ListUp extends Verb {
        @Override
        public Integer call() {
            LiveCluster up = session().clusterOrNull();
            List<Map<String, Object>> objects = new ArrayList<>();
            List<String> lines = new ArrayList<>();
            if (up != null) {
                Map<String, Object> here = new LinkedHashMap<>();
                here.put("cluster", up.kind());
                here.put("nodes", up.nodes());
                here.put("run", up.folder().toString());
                here.put("holder", "here");
                objects.add(here);
                lines.add("here: " + up.kind() + ", " + String.join(",", up.nodes()));
                lines.add("  recorded in " + up.folder());
            }
            for (RunningCluster other : others()) {
                Map<String, Object> there = new LinkedHashMap<>();
                there.put("cluster", "docker");
                there.put("nodes", other.nodes());
                there.put("id", other.run());
                there.put("pid", other.pid());
                there.put("holder", other.holder());
                objects.add(there);
                lines.add(other.run() + ": docker, " + String.join(",", other.nodes()));
                there.put("run", other.record());
                List<String> faults = inForce(other);
                there.put("faults", faults);
                lines.add(
                        other.isLeftBehind()
                                ? "  " + leftBehind(other)
                                : "  held by process "
                                        + other.pid()
                                        + "; 'cluster attach "
                                        + other.run()
                                        + "' reads and writes there");
                faults.forEach(fault -> lines.add("  in force: " + fault));
            }
            if (isJson()) {
                json(objects);
            } else if (lines.isEmpty()) {
                say("no cluster is up here, nor another one on this engine");
            } else {
                say(lines);
            }
            return 0;
        }
    }

    private static String leftBehind(RunningCluster cluster) {
        return "left behind by process "
                + cluster.pid()
                + ", which is dead; 'clean' or the next 'cluster up' removes it, and its faults";
    }

    /** What a shell that was killed left here, a line each; nothing where all is in order. */
    static List<String> leftBehind() {
        List<String> lines = new ArrayList<>();
        for (RunningCluster cluster : others()) {
            if (cluster.isLeftBehind()) {
                lines.add("the cluster " + cluster.run() + " was " + leftBehind(cluster));
                inForce(cluster).forEach(fault -> lines.add("  in force: " + fault));
            }
        }
        return lines;
    }

    /** The faults that were asked for and not proven to be gone, as its holder recorded them. */
    private static List<String> inForce(RunningCluster cluster) {
        Path record = Path.of(cluster.record(), "history.jsonl");
        if (cluster.record().isEmpty() || !Files.exists(record)) {
            return List.of();
        }
        try {
            // Whoever was killed may have left half a line at the end.
            History history = HistoryReader.read(record, warning -> {});
            return FaultSpan.of(HistoryIndex.of(history, List.of())).stream()
                    .filter(fault -> !fault.healed() && !fault.status().equals("skipped"))
                    .map(fault -> fault.name() + ": " + fault.action())
                    .toList();
        } catch (IOException e) {
            return List.of("unknown, " + record + " cannot be read");
        }
    }

    /** None where no engine answers. */
    static List<RunningCluster> others() {
        try (Engine engine = Engine.connect()) {
            return RunningCluster.ofOthers(engine);
        } catch (EngineException | RuntimeException e) {
            return List.of();
        }
    }

    @Command(
            name = "attach",
            description = "Reads, writes and looks at a cluster that another shell or test has up.",
            footer = {
                "",
                "Faults stay with whoever started it: that one knows what to take back.",
                "",
                "Examples:",
                "  cluster list",
                "  cluster attach                    where there is only one",
                "  cluster attach rmiab3k1"
            })
    static final class Attach extends Verb {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "CLUSTER",
                description = "as 'cluster list' names it (default: the only one)")
        @Nullable String which;

        @Override
        public Integer call() throws IOException, InterruptedException {
            List<RunningCluster> fit =
                    others().stream()
                            .filter(one -> which == null || one.run().equals(which))
                            .filter(one -> !one.isLeftBehind() && !one.nodes().isEmpty())
                            .toList();
            if (fit.size() != 1) {
                throw new UsageException(
                        fit.isEmpty()
                                ? "no other cluster "
                                        + (which == null ? "" : "called '" + which + "' ")
                                        + "is up on this engine; 'cluster list' shows what there is"
                                : "there are several; say which: "
                                        + String.join(
                                                ", ",
                                                fit.stream().map(RunningCluster::run).toList()));
            }
            RunningCluster host = fit.getFirst();
            LiveCluster up =
                    session()
                            .take(
                                    "docker",
                                    host.nodes(),
                                    0,
                                    new Session.Origin("cluster attach " + host.run(), null),
                                    0,
                                    false,
                                    (folder, header) ->
                                            new LiveCluster(
                                                    ear -> new GuestCluster(host),
                                                    folder,
                                                    header,
                                                    session()::announce,
                                                    0,
                                                    false));
            boolean seen =
                    up.await(
                            nodes -> nodes.stream().anyMatch(NodeStatus::reachable),
                            Duration.ofSeconds(5));
            NodeStatus leader = up.leader();
            if (isJson()) {
                Map<String, Object> object = new LinkedHashMap<>();
                object.put("attached", host.run());
                object.put("nodes", host.nodes());
                object.put("leader", leader == null ? null : leader.node());
                json(object);
            } else {
                say(
                        "attached to "
                                + host.run()
                                + ", held by process "
                                + host.pid()
                                + "; "
                                + (leader == null
                                        ? seen ? "nobody leads" : "no node answers"
                                        : leader.node() + " leads term " + leader.term()));
            }
            return seen ? 0 : 2;
        }
    }
}
