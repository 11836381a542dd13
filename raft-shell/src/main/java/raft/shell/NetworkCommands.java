package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.Link;
import raft.harness.sim.Steppable.Occurrence;
import raft.harness.sim.Steppable.Sort;
import raft.harness.sim.travel.Decision;
import raft.shell.live.UsageException;
import raft.shell.view.TextLines;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Breaking the network between the nodes by hand. */
final class NetworkCommands {
    private NetworkCommands() {}

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
    static final class Partition extends FaultCommand {
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
            if (partitions().contains(joined)) {
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
    static final class Cut extends FaultCommand {
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
    static final class Isolate extends FaultCommand {
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

    /** Faults of packets: on the links of some nodes, or on all. */
    abstract static class PacketFault extends FaultCommand {
        @Option(
                names = "--on",
                paramLabel = "NODE",
                description = "only links from and to these nodes (default: all links)")
        String on = "";

        final List<Link> concerned() {
            List<String> all = cluster().nodes();
            List<String> named = on.isEmpty() ? all : nodes(on);
            List<Link> links = new ArrayList<>();
            for (String from : all) {
                for (String to : all) {
                    if (!from.equals(to) && (named.contains(from) || named.contains(to))) {
                        links.add(new Link(from, to));
                    }
                }
            }
            return links;
        }
    }

    @Command(
            name = "loss",
            description = "Loses a share of all packets at random.",
            footer = {"", "Examples:", "  loss 10%%", "  loss 30%% --on n2"})
    static final class Loss extends PacketFault {
        @Parameters(index = "0", paramLabel = "PERCENT", description = "1%% to 100%%")
        String share = "";

        @Override
        public Integer call() throws InterruptedException {
            Matcher matcher = Pattern.compile("([0-9]{1,3})%?").matcher(share);
            int percent = matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
            if (percent < 1 || percent > 100) {
                throw new UsageException("'" + share + "' is no share; write 1% to 100%");
            }
            return inject(
                    "loss " + percent + "%",
                    "packets-loss",
                    new FaultAction.PacketLoss(concerned(), percent));
        }
    }

    @Command(
            name = "delay",
            description = "Makes packets late; or, travelling in time, one pending message.",
            footer = {
                "",
                "Examples:",
                "  delay 50ms±10ms",
                "  delay 50ms --on n2",
                "  delay m57 200ms        one message that 'flight' lists",
                "  delay next 20ms        the message that would arrive next"
            })
    static final class Delay extends PacketFault {
        private static final Pattern FORM =
                Pattern.compile("([0-9]{1,5})(?:ms)?(?:(?:±|\\+-|\\+/-)([0-9]{1,5})(?:ms)?)?");

        @Parameters(
                index = "0",
                paramLabel = "MESSAGE|DELAY",
                description = "how late, ± how much; or a pending message")
        String what = "";

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "DURATION",
                description = "how much later a pending message arrives")
        String later = "";

        @Override
        public Integer call() throws InterruptedException {
            if (MeddleCommands.isLabel(what) && !what.matches("[0-9]+")) {
                return delayPending();
            }
            Matcher matcher = FORM.matcher(what);
            if (!matcher.matches() || !later.isEmpty()) {
                throw new UsageException(
                        "write 'delay 50ms', 'delay 50ms±10ms' or 'delay m57 5ms'");
            }
            int jitter = matcher.group(2) == null ? 0 : Integer.parseInt(matcher.group(2));
            return inject(
                    "delay " + what,
                    "packets-delay",
                    new FaultAction.PacketDelay(
                            concerned(), Integer.parseInt(matcher.group(1)), jitter));
        }

        private int delayPending() throws InterruptedException {
            if (later.isEmpty()) {
                throw new UsageException("how much later? 'delay " + what + " 200ms'");
            }
            long nanos = new DurationOption().convert(later).toNanos();
            String words = typed();
            Occurrence[] found = new Occurrence[1];
            boolean done =
                    cluster()
                            .travel(
                                    travel -> {
                                        Occurrence pending =
                                                MeddleCommands.pending(travel, what, Sort.MESSAGE);
                                        found[0] = pending;
                                        return pending != null
                                                && travel.decide(
                                                        words,
                                                        new Decision.Act.Delay(
                                                                pending.sequence(), nanos));
                                    });
            Occurrence delayed = found[0];
            if (!done || delayed == null) {
                throw new UsageException(what + " is not pending; 'flight' lists what is");
            }
            if (isJson()) {
                json(Map.of("done", "delayed", "what", delayed.what()));
            } else {
                say(TextLines.fit(later + " later: " + delayed.what(), width()));
            }
            return 0;
        }
    }
}
