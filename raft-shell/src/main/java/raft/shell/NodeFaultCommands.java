package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import raft.harness.nemesis.FaultAction;
import raft.shell.live.FaultInForce;
import raft.shell.live.UsageException;

import java.util.ArrayList;
import java.util.List;

/** Breaking single nodes by hand: their processes, clocks and disks. */
final class NodeFaultCommands {
    private NodeFaultCommands() {}

    /** Does the same to each of the nodes that are named. */
    abstract static class OnEach extends FaultCommand {
        @Parameters(index = "0", paramLabel = "NODE", description = "which, or leader")
        String word = "";

        abstract FaultAction action(List<String> node);

        @Override
        public Integer call() throws InterruptedException {
            int status = 0;
            for (String node : nodes(word)) {
                FaultAction action = action(List.of(node));
                int one = inject(name() + " " + node, name(), action);
                status = Math.max(status, one);
            }
            return status;
        }
    }

    @Command(
            name = "kill",
            description = "Kills nodes (SIGKILL); their disks stay.",
            footer = {"", "Examples:", "  kill n3", "  kill leader", "  kill n1,n2"})
    static final class Kill extends OnEach {
        @Override
        FaultAction action(List<String> node) {
            return new FaultAction.Kill(node);
        }
    }

    @Command(
            name = "stop",
            description = "Stops nodes gently (SIGTERM); their disks stay.",
            footer = {"", "Examples:", "  stop n3", "  start n3"})
    static final class Stop extends OnEach {
        @Override
        FaultAction action(List<String> node) {
            return new FaultAction.Stop(node);
        }
    }

    @Command(
            name = "pause",
            description = "Freezes nodes: they keep their connections and do nothing.",
            footer = {"", "Examples:", "  pause n1", "  pause leader"})
    static final class Pause extends OnEach {
        @Override
        FaultAction action(List<String> node) {
            return new FaultAction.Pause(node);
        }
    }

    /** Takes back what was done to nodes of this kind. */
    abstract static class Undo extends MendingCommand {
        @Parameters(index = "0", paramLabel = "NODE|all", description = "which, or all")
        String word = "";

        abstract boolean isMeant(FaultAction action);

        abstract String nothing(String node);

        @Override
        public Integer call() throws InterruptedException {
            List<FaultInForce> meant = new ArrayList<>();
            for (String node : word.equals("all") ? cluster().nodes() : nodes(word)) {
                List<FaultInForce> mine = of(node, this::isMeant);
                if (mine.isEmpty() && !word.equals("all")) {
                    throw new UsageException(nothing(node));
                }
                mine.stream().filter(fault -> !meant.contains(fault)).forEach(meant::add);
            }
            return heal(meant);
        }
    }

    @Command(
            name = "start",
            description = "Starts a killed or stopped node again, with the disk it had.",
            footer = {"", "Examples:", "  start n3", "  start all"})
    static final class Start extends Undo {
        @Override
        boolean isMeant(FaultAction action) {
            return isDown(action);
        }

        @Override
        String nothing(String node) {
            return node + " was not killed from here; 'faults' lists what was done";
        }
    }

    @Command(
            name = "resume",
            description = "Lets a paused node go on.",
            footer = {"", "Examples:", "  resume n1", "  resume all"})
    static final class Resume extends Undo {
        @Override
        boolean isMeant(FaultAction action) {
            return action instanceof FaultAction.Pause;
        }

        @Override
        String nothing(String node) {
            return node + " was not paused from here; 'faults' lists what was done";
        }
    }

    private static boolean isDown(FaultAction action) {
        return action instanceof FaultAction.Kill
                || action instanceof FaultAction.Stop
                || action instanceof FaultAction.LostWrites
                || action instanceof FaultAction.Truncation
                || action instanceof FaultAction.BitFlip;
    }

    @Command(
            name = "restart",
            description = "Kills a node and starts it again.",
            footer = {"", "Example:  restart leader"})
    static final class Restart extends MendingCommand {
        @Parameters(index = "0", paramLabel = "NODE", description = "which, or leader")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            int status = 0;
            for (String node : nodes(word)) {
                int killed = inject("kill " + node, "kill", new FaultAction.Kill(List.of(node)));
                status =
                        Math.max(
                                status,
                                Math.max(killed, heal(of(node, NodeFaultCommands::isDown))));
            }
            return status;
        }
    }

    @Command(
            name = "clock",
            description = "Makes a node's clock wrong: a jump, another rate, or both.",
            footer = {
                "",
                "Only the node's own clock, never the machine's. In containers another rate"
                        + " restarts the node.",
                "",
                "Examples:",
                "  clock n2 +5s",
                "  clock leader -200ms",
                "  clock n2 rate 1.5",
                "  clock n2 +5s rate 1.5",
                "  clock n2 reset"
            })
    static final class Clock extends MendingCommand {
        @Parameters(index = "0", paramLabel = "NODE", description = "whose")
        String word = "";

        @Parameters(
                index = "1..*",
                arity = "1..*",
                paramLabel = "OFFSET|RATE|reset",
                description = "+5s or -200ms; rate 0.5 to 2; or reset")
        List<String> how = List.of();

        @Override
        public Integer call() throws InterruptedException {
            List<String> whose = nodes(word);
            String words = String.join(" ", how);
            if (words.equals("reset")) {
                return reset(whose);
            }
            boolean jumps = how.getFirst().matches("[+-].+");
            List<String> rest = jumps ? how.subList(1, how.size()) : how;
            boolean drifts = rest.size() == 2 && rest.getFirst().equals("rate");
            if (!(drifts || (jumps && rest.isEmpty()))) {
                throw new UsageException(
                        "write 'clock n2 +5s', 'clock n2 rate 1.5', both, or 'clock n2 reset'");
            }
            int percent = drifts ? percent(rest.get(1)) : 100;
            long millis =
                    jumps
                            ? new DurationOption().convert(how.getFirst().substring(1)).toMillis()
                            : 0;
            int status = 0;
            if (drifts) {
                status =
                        inject(
                                "clock " + word + " rate " + rest.get(1),
                                "clock-drift",
                                new FaultAction.ClockDrift(whose, percent));
            }
            if (jumps) {
                long offset = how.getFirst().startsWith("-") ? -millis : millis;
                int jumped =
                        inject(
                                "clock " + word + " " + how.getFirst(),
                                "clock-jump",
                                new FaultAction.ClockJump(whose, offset));
                status = Math.max(status, jumped);
            }
            return status;
        }

        private int reset(List<String> whose) throws InterruptedException {
            List<FaultInForce> wrong =
                    cluster().faults().stream()
                            .filter(
                                    fault ->
                                            fault.fault().action()
                                                            instanceof FaultAction.Clock clock
                                                    && clock.nodes().stream()
                                                            .anyMatch(whose::contains))
                            .toList();
            if (wrong.isEmpty()) {
                say("nothing was done to the clock of " + String.join(", ", whose));
                return 0;
            }
            return heal(wrong);
        }

        private static int percent(String rate) {
            try {
                int percent = (int) Math.round(Double.parseDouble(rate) * 100);
                if (percent >= 50 && percent <= 200) {
                    return percent;
                }
            } catch (NumberFormatException e) {
                // Said below.
            }
            throw new UsageException("a rate is between 0.5 and 2, not '" + rate + "'");
        }
    }

    @Command(
            name = "disk",
            description = "Breaks a node's disk.",
            footer = {
                "",
                "full, slow, errors, flip (one bit), truncate, power (what was not synced is lost)",
                "",
                "Examples:",
                "  disk n1 full",
                "  disk n1 slow 200",
                "  disk n1 power"
            })
    static final class Disk extends FaultCommand {
        @Parameters(index = "0", paramLabel = "NODE", description = "whose")
        String word = "";

        @Parameters(
                index = "1",
                paramLabel = "full|slow|errors|flip|truncate|power",
                description = "how")
        String how = "";

        @Parameters(
                index = "2",
                arity = "0..1",
                defaultValue = "100",
                paramLabel = "NUMBER",
                description = "ms of a slow sync, bytes that are cut off (default: 100)")
        int number;

        @Override
        public Integer call() throws InterruptedException {
            List<String> whose = nodes(word);
            FaultAction action =
                    switch (how) {
                        case "full" -> new FaultAction.FullDisk(whose);
                        case "slow" -> new FaultAction.SlowDisk(whose, number);
                        case "errors" -> new FaultAction.DiskErrors(whose);
                        case "flip" -> new FaultAction.BitFlip(whose);
                        case "truncate" -> new FaultAction.Truncation(whose, number);
                        case "power" -> new FaultAction.LostWrites(whose, 0);
                        default ->
                                throw new UsageException(
                                        "a disk can be full, slow, errors, flip, truncate or power,"
                                                + " not '"
                                                + how
                                                + "'");
                    };
            return inject("disk " + word + " " + how, "disk-" + how, action);
        }
    }
}
