package raft.shell;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.report.RunList;
import raft.harness.run.PlantedBug;
import raft.harness.sim.Steppable.Sort;
import raft.harness.sim.travel.Travel;
import raft.shell.history.HistoryCommand;
import raft.shell.live.DataText;
import raft.shell.live.LiveCluster;
import raft.shell.live.Session;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The names behind the labels of arguments, for completion. */
final class Names {
    private static final int RUNS_MAX = 50;

    private Names() {}

    static Map<String, Supplier<List<String>>> byLabel(Session session) {
        Map<String, Supplier<List<String>>> names = new HashMap<>();
        names.put("NODE", () -> nodes(session));
        names.put("KEY", () -> keys(session));
        names.put("PARTITION", NetworkCommands::partitions);
        names.put("FAULT", () -> faults(session));
        names.put("KIND", FaultCommands::kinds);
        names.put("SCENARIO", ScenarioCommand::names);
        names.put("WORKLOAD", WorkloadCommand::names);
        names.put("COMMAND", () -> List.copyOf(Main.commandLine().getSubcommands().keySet()));
        names.put("TOPIC", LookCommands.TraceCommand::topics);
        names.put("CLUSTER", () -> ClusterCommand.others().stream().map(one -> one.run()).toList());
        names.put("BRANCH", () -> List.copyOf(session.branches().keySet()));
        names.put("MESSAGE", () -> pending(session, Sort.MESSAGE));
        names.put("TIMER", () -> pending(session, Sort.TIMER));
        names.put("FSYNC", () -> pending(session, Sort.DISK));
        names.put("FIELD", () -> fields(session));
        names.put("BUG", PlantedBug::ids);
        names.put("ID", PlantedBug::ids);
        names.put("FILE", () -> folders(session));
        names.put("RUN", () -> runs(session));
        names.put("NAME", CheckCommand::modelNames);
        names.put("M", CheckCommand::modelNames);
        names.put("FORMAT", HistoryCommand::formats);
        names.put("VERDICT", HistoryCommand::verdicts);
        names.put("WHAT", () -> List.of("leader", "no-leader", "2s", "term>=2"));
        return names;
    }

    private static List<String> nodes(Session session) {
        LiveCluster up = session.clusterOrNull();
        List<String> names = new ArrayList<>();
        if (up != null) {
            names.addAll(up.nodes());
            names.add("leader");
        }
        return names;
    }

    private static List<String> keys(Session session) {
        LiveCluster up = session.clusterOrNull();
        TreeSet<String> keys = new TreeSet<>();
        if (up != null) {
            try {
                for (HistoryEvent event : up.history().events()) {
                    if (!(event.key() instanceof Value.Nil)
                            && event.process() != HistoryEvent.NEMESIS) {
                        keys.add(DataText.of(event.key()));
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return List.copyOf(keys);
    }

    private static List<String> faults(Session session) {
        LiveCluster up = session.clusterOrNull();
        List<String> names = new ArrayList<>(nodes(session));
        if (up != null) {
            up.faults().forEach(fault -> names.add("#" + fault.fault().id()));
        }
        return names;
    }

    private static List<String> pending(Session session, Sort sort) {
        LiveCluster up = session.clusterOrNull();
        if (up == null || !up.isSimulated()) {
            return List.of();
        }
        try {
            return up.travel(
                    travel ->
                            Stream.concat(
                                            Stream.of(MeddleCommands.NEXT),
                                            travel.world().pending().stream()
                                                    .filter(one -> one.sort() == sort)
                                                    .map(MeddleCommands::label)
                                                    .limit(100))
                                    .toList());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        }
    }

    private static List<String> fields(Session session) {
        List<String> names = new ArrayList<>();
        names.add("violation");
        for (String node : nodes(session)) {
            Travel.FIELDS.forEach(field -> names.add(node + "." + field));
        }
        return names;
    }

    /** Recorded runs as 'history list' names them, the newest first. */
    private static List<String> runs(Session session) {
        List<String> names = new ArrayList<>();
        try {
            names.add("latest");
            new RunList(session.histories())
                    .newest(RUNS_MAX)
                    .runs()
                    .forEach(run -> names.add(run.name()));
        } catch (IOException e) {
            // A folder that cannot be listed has nothing to complete.
            return List.of();
        }
        return names;
    }

    /** Where they are, from here, for commands that take any file. */
    private static List<String> folders(Session session) {
        Path here = Path.of("").toAbsolutePath();
        Path histories = session.histories().toAbsolutePath().normalize();
        Path shown = histories.startsWith(here) ? here.relativize(histories) : histories;
        return runs(session).stream().map(name -> shown.resolve(name).toString()).toList();
    }
}
