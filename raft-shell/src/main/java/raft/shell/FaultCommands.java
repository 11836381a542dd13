package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.FaultKind;
import raft.shell.live.FaultInForce;
import raft.shell.live.LiveCluster;
import raft.shell.live.UsageException;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What is in force, how it is taken back, and every kind of fault by its name in the plans. */
final class FaultCommands {
    private FaultCommands() {}

    @Command(
            name = "inject",
            description = "Injects any kind of fault that the plans know, by its name.",
            footer = {
                "",
                "Examples:",
                "  inject partition-majorities-ring",
                "  inject kill-minority"
            })
    static final class Inject extends FaultCommand {
        @Parameters(index = "0", paramLabel = "KIND", description = "as plans name it")
        String name = "";

        @Override
        public Integer call() throws InterruptedException {
            FaultKind kind;
            try {
                kind = FaultKind.ofLabel(name);
            } catch (IllegalArgumentException e) {
                throw new UsageException(
                        "no fault is called '"
                                + name
                                + "'; there are "
                                + String.join(", ", kinds()));
            }
            NodeStatus leader = cluster().leader();
            return inject(
                    "inject " + name,
                    kind.label(),
                    kind.resolve(cluster().nodes(), leader == null ? null : leader.node()));
        }
    }

    static List<String> kinds() {
        return Stream.of(FaultKind.values()).map(FaultKind::label).toList();
    }

    @Command(
            name = "heal",
            description = "Takes faults back: all, or some.",
            footer = {
                "",
                "Examples:",
                "  heal                 everything",
                "  heal #3              one fault, by its number in 'faults'",
                "  heal n2              what concerns n2",
                "  heal partition       all cuts"
            })
    static final class Heal extends MendingCommand {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "FAULT",
                description = "#number, a node, or a kind")
        String which = "";

        @Override
        public Integer call() throws InterruptedException {
            List<FaultInForce> faults = cluster().faults();
            List<FaultInForce> chosen =
                    faults.stream()
                            .filter(fault -> which.isEmpty() || isMeant(which, fault))
                            .toList();
            if (chosen.isEmpty()) {
                if (!which.isEmpty() && !faults.isEmpty()) {
                    throw new UsageException(
                            "no fault in force is meant by '" + which + "'; 'faults' lists them");
                }
                say("no fault is in force");
                return 0;
            }
            return heal(chosen);
        }
    }

    @Command(
            name = "faults",
            description = "What is in force, and how that is known.",
            footer = {
                "",
                "Examples:",
                "  faults",
                "  faults #3        one of them with all that is known"
            })
    static final class Faults extends FaultCommand {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "FAULT",
                description = "one, with all evidence")
        String which = "";

        @Override
        public Integer call() {
            LiveCluster up = cluster();
            List<FaultInForce> faults =
                    up.faults().stream()
                            .filter(fault -> which.isEmpty() || isMeant(which, fault))
                            .toList();
            if (isJson()) {
                json(faults.stream().map(FaultCommand::object).toList());
                return 0;
            }
            if (faults.isEmpty()) {
                say(
                        which.isEmpty()
                                ? "no fault is in force"
                                : "no fault in force is meant by '" + which + "'");
            }
            for (FaultInForce fault : faults) {
                say(
                        "#"
                                + fault.fault().id()
                                + "  "
                                + fault.words()
                                + "  since "
                                + seconds(fault.sinceNanos())
                                + ": "
                                + status(fault.outcome()));
                if (which.isEmpty()) {
                    evidence(fault.outcome());
                } else {
                    fault.outcome().evidence().forEach(line -> say(paint().dim("  " + line)));
                }
            }
            return 0;
        }
    }

    /** By number, by node, or by kind. */
    private static boolean isMeant(String which, FaultInForce fault) {
        String number = "#" + fault.fault().id();
        Pattern word = Pattern.compile("\\b" + Pattern.quote(which) + "\\b");
        return which.equals(number)
                || which.equals(number.substring(1))
                || fault.fault().kind().startsWith(which)
                || word.matcher(fault.words()).find()
                || word.matcher(fault.fault().action().toString()).find();
    }
}
