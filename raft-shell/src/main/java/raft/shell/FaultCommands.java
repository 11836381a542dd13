package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;
import raft.shell.live.FaultInForce;
import raft.shell.live.LiveCluster;
import raft.shell.live.UsageException;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Breaking things by hand, with proof that they are broken, and mending them. */
final class FaultCommands {
    private FaultCommands() {}

    /** Puts a fault into effect and says what is known of it. */
    abstract static class Fault extends Verb {
        final int inject(String typed, String kind, FaultAction action)
                throws InterruptedException {
            FaultInForce fault = cluster().inject(typed, kind, action);
            if (isJson()) {
                json(object(fault));
            } else {
                say("fault #" + fault.fault().id() + " " + action + ": " + status(fault.outcome()));
                fault.outcome().evidence().forEach(line -> say(paint().dim("  " + line)));
            }
            return fault.outcome().status() == Status.INSTALLED ? 0 : 2;
        }

        final String status(FaultOutcome outcome) {
            return switch (outcome.status()) {
                case INSTALLED -> paint().good("in force");
                case SKIPPED -> paint().unsure("not possible here");
                case INDETERMINATE -> paint().unsure("asked for, not proven");
            };
        }

        static Map<String, Object> object(FaultInForce fault) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("fault", fault.fault().id());
            object.put("kind", fault.fault().kind());
            object.put("action", fault.fault().action().toString());
            object.put("status", fault.outcome().status().name().toLowerCase(Locale.ROOT));
            object.put("evidence", fault.outcome().evidence());
            return object;
        }

        static List<Link> links(List<String> from, List<String> to) {
            return from.stream()
                    .flatMap(sender -> to.stream().map(receiver -> new Link(sender, receiver)))
                    .toList();
        }

        static List<Link> both(List<String> one, List<String> other) {
            return Stream.concat(links(one, other).stream(), links(other, one).stream()).toList();
        }
    }

    @Command(
            name = "partition",
            description = "Cuts the network into sides that do not hear each other.",
            footer = {
                "",
                "Examples:",
                "  partition n1,n2 / n3,n4,n5",
                "  partition n1,n2               these against all others",
                "  partition leader              the leader alone",
                "  partition leader-minority     any kind that the fault plans know"
            })
    static final class Partition extends Fault {
        @Parameters(
                arity = "1..*",
                paramLabel = "NODE|PARTITION",
                description = "sides, parted by /; or leader; or a kind of partition")
        List<String> words = List.of();

        @Override
        public Integer call() throws InterruptedException {
            List<String> all = cluster().nodes();
            String joined = String.join(" ", words).strip();
            if (joined.equals("leader")) {
                String leader = leader();
                List<String> others = new ArrayList<>(all);
                others.remove(leader);
                return inject(
                        "partition leader",
                        "partition-leader-alone",
                        new FaultAction.Cut(both(List.of(leader), others)));
            }
            if (FaultCommands.partitions().contains(joined)) {
                FaultKind kind = FaultKind.ofLabel("partition-" + joined);
                NodeStatus leader = cluster().leader();
                return inject(
                        "partition " + joined,
                        kind.label(),
                        kind.resolve(all, leader == null ? null : leader.node()));
            }
            List<List<String>> sides = new ArrayList<>();
            for (String side : joined.split("/", -1)) {
                sides.add(nodes(side.strip().replaceAll("\\s+", "")));
            }
            List<String> named = sides.stream().flatMap(List::stream).toList();
            if (named.stream().distinct().count() != named.size()) {
                throw new UsageException("a node stands on one side only");
            }
            List<String> rest = new ArrayList<>(all);
            rest.removeAll(named);
            if (sides.size() == 1 && !rest.isEmpty()) {
                sides.add(rest);
            } else if (!rest.isEmpty()) {
                throw new UsageException(
                        String.join(", ", rest)
                                + " stands on no side; name every node, or one side only");
            }
            if (sides.size() < 2) {
                throw new UsageException("that leaves nobody to be parted from");
            }
            List<Link> cut = new ArrayList<>();
            for (int i = 0; i < sides.size(); i++) {
                for (int j = i + 1; j < sides.size(); j++) {
                    cut.addAll(both(sides.get(i), sides.get(j)));
                }
            }
            return inject("partition " + joined, "partition", new FaultAction.Cut(cut));
        }
    }

    /** The kinds of partition by name, without the word before. */
    static List<String> partitions() {
        return Stream.of(FaultKind.values())
                .map(FaultKind::label)
                .filter(label -> label.startsWith("partition-"))
                .map(label -> label.substring("partition-".length()))
                .toList();
    }

    @Command(
            name = "cut",
            description = "Cuts single links: one way with ->, both ways with --.",
            footer = {
                "",
                "Examples:",
                "  cut n1 -> n3            what n1 sends never reaches n3",
                "  cut n1,n2 -- n3         both ways"
            })
    static final class Cut extends Fault {
        @Parameters(arity = "1..*", paramLabel = "NODE", description = "A -> B, or A -- B")
        List<String> words = List.of();

        @Override
        public Integer call() throws InterruptedException {
            String joined = String.join(" ", words);
            boolean oneWay = joined.contains("->");
            String[] sides = joined.split(oneWay ? "->" : "--|<>", -1);
            if (sides.length != 2) {
                throw new UsageException("write 'cut n1 -> n3' or 'cut n1 -- n3'");
            }
            List<String> from = nodes(sides[0].strip());
            List<String> to = nodes(sides[1].strip());
            if (from.stream().anyMatch(to::contains)) {
                throw new UsageException("a node has no link to itself");
            }
            return inject(
                    "cut " + joined.replaceAll("\\s*(->|--|<>)\\s*", "$1"),
                    oneWay ? "partition-one-way" : "partition-link",
                    new FaultAction.Cut(oneWay ? links(from, to) : both(from, to)));
        }
    }

    @Command(
            name = "isolate",
            description = "Cuts a node off from all others.",
            footer = {"", "Examples:", "  isolate n2", "  isolate leader"})
    static final class Isolate extends Fault {
        @Parameters(index = "0", paramLabel = "NODE", description = "which, or leader")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            String node = node(word);
            List<String> others = new ArrayList<>(cluster().nodes());
            others.remove(node);
            return inject(
                    "isolate " + node,
                    "partition-isolated",
                    new FaultAction.Cut(both(List.of(node), others)));
        }
    }

    @Command(
            name = "kill",
            description = "Kills nodes (SIGKILL); their disks stay.",
            footer = {"", "Examples:", "  kill n3", "  kill leader", "  kill n1,n2"})
    static final class Kill extends Fault {
        @Parameters(index = "0", paramLabel = "NODE", description = "which, or leader")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            int status = 0;
            for (String node : nodes(word)) {
                status =
                        Math.max(
                                status,
                                inject(
                                        "kill " + node,
                                        "kill",
                                        new FaultAction.Kill(List.of(node))));
            }
            return status;
        }
    }

    @Command(
            name = "pause",
            description = "Freezes nodes: they keep their connections and do nothing.",
            footer = {"", "Examples:", "  pause n1", "  pause leader"})
    static final class Pause extends Fault {
        @Parameters(index = "0", paramLabel = "NODE", description = "which, or leader")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            int status = 0;
            for (String node : nodes(word)) {
                status =
                        Math.max(
                                status,
                                inject(
                                        "pause " + node,
                                        "pause",
                                        new FaultAction.Pause(List.of(node))));
            }
            return status;
        }
    }

    /** Takes faults back. */
    abstract static class Mending extends Fault {
        final int heal(List<FaultInForce> which) throws InterruptedException {
            int status = 0;
            for (FaultInForce fault : which) {
                FaultOutcome outcome = cluster().heal(fault.fault());
                boolean gone = outcome.status() == Status.INSTALLED;
                if (isJson()) {
                    json(object(new FaultInForce(fault.words(), fault.fault(), outcome, 0)));
                } else {
                    say(
                            "fault #"
                                    + fault.fault().id()
                                    + " "
                                    + fault.words()
                                    + ": "
                                    + (gone
                                            ? paint().good("gone")
                                            : paint().unsure("not proven to be gone")));
                    outcome.evidence().forEach(line -> say(paint().dim("  " + line)));
                }
                status = gone ? status : 2;
            }
            return status;
        }

        final List<FaultInForce> of(String node, boolean kills) {
            return cluster().faults().stream()
                    .filter(
                            fault ->
                                    switch (fault.fault().action()) {
                                        case FaultAction.Kill(List<String> nodes) ->
                                                kills && nodes.contains(node);
                                        case FaultAction.Stop(List<String> nodes) ->
                                                kills && nodes.contains(node);
                                        case FaultAction.Pause(List<String> nodes) ->
                                                !kills && nodes.contains(node);
                                        default -> false;
                                    })
                    .toList();
        }
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
    static final class Heal extends Mending {
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
                    faults.stream().filter(fault -> which.isEmpty() || isMeant(fault)).toList();
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

        private boolean isMeant(FaultInForce fault) {
            String number = "#" + fault.fault().id();
            return which.equals(number)
                    || which.equals(number.substring(1))
                    || fault.fault().kind().startsWith(which)
                    || fault.fault().action().toString().matches(".*\\b" + which + "\\b.*");
        }
    }

    @Command(
            name = "start",
            description = "Starts a killed node again, with the disk it had.",
            footer = {"", "Example:  start n3"})
    static final class Start extends Mending {
        @Parameters(index = "0", paramLabel = "NODE", description = "which, or all")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            List<FaultInForce> down = new ArrayList<>();
            for (String node : word.equals("all") ? cluster().nodes() : nodes(word)) {
                List<FaultInForce> mine = of(node, true);
                if (mine.isEmpty() && !word.equals("all")) {
                    throw new UsageException(node + " was not killed from here");
                }
                down.addAll(mine);
            }
            return heal(down);
        }
    }

    @Command(
            name = "resume",
            description = "Lets a paused node go on.",
            footer = {"", "Example:  resume n1"})
    static final class Resume extends Mending {
        @Parameters(index = "0", paramLabel = "NODE", description = "which, or all")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            List<FaultInForce> frozen = new ArrayList<>();
            for (String node : word.equals("all") ? cluster().nodes() : nodes(word)) {
                List<FaultInForce> mine = of(node, false);
                if (mine.isEmpty() && !word.equals("all")) {
                    throw new UsageException(node + " was not paused from here");
                }
                frozen.addAll(mine);
            }
            return heal(frozen);
        }
    }

    @Command(
            name = "restart",
            description = "Kills a node and starts it again.",
            footer = {"", "Example:  restart leader"})
    static final class Restart extends Mending {
        @Parameters(index = "0", paramLabel = "NODE", description = "which, or leader")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            int status = 0;
            for (String node : nodes(word)) {
                int killed = inject("kill " + node, "kill", new FaultAction.Kill(List.of(node)));
                status = Math.max(status, Math.max(killed, heal(of(node, true))));
            }
            return status;
        }
    }

    @Command(
            name = "faults",
            description = "What is in force, and how that is known.",
            footer = {"", "Example:  faults"})
    static final class Faults extends Fault {
        @Override
        public Integer call() {
            LiveCluster up = cluster();
            List<FaultInForce> faults = up.faults();
            if (isJson()) {
                json(faults.stream().map(Fault::object).toList());
                return 0;
            }
            if (faults.isEmpty()) {
                say("no fault is in force");
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
                fault.outcome().evidence().forEach(line -> say(paint().dim("    " + line)));
            }
            return 0;
        }
    }
}
