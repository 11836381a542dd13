package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;
import raft.shell.live.FaultInForce;
import raft.shell.live.UsageException;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Clocks, packets, disks, members; and every kind of fault by its name in the plans. */
final class MoreFaultCommands {
    private MoreFaultCommands() {}

    /** Faults of packets: on the links of some nodes, or on all. */
    abstract static class PacketFault extends FaultCommands.Fault {
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
            footer = {"", "Examples:", "  loss 10%", "  loss 30% --on n2"})
    static final class Loss extends PacketFault {
        @Parameters(index = "0", paramLabel = "PERCENT", description = "1% to 100%")
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
                "  delay m57 200ms        one message that 'flight' lists"
            })
    static final class Delay extends PacketFault {
        private static final Pattern FORM =
                Pattern.compile("([0-9]{1,5})(?:ms)?(?:(?:±|\\+-|\\+/-)([0-9]{1,5})(?:ms)?)?");

        @Parameters(
                index = "0",
                paramLabel = "PENDING|DELAY",
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
            if (what.matches("[mtdc][0-9]{1,12}")) {
                if (later.isEmpty()) {
                    throw new UsageException("how much later? 'delay " + what + " 200ms'");
                }
                long sequence = Long.parseLong(what.substring(1));
                long nanos = new DurationOption().convert(later).toNanos();
                String words = typed();
                boolean done =
                        cluster()
                                .travel(
                                        travel ->
                                                travel.decide(
                                                        words,
                                                        new raft.harness.sim.travel.Decision.Act
                                                                .Delay(sequence, nanos)));
                if (!done) {
                    throw new UsageException(what + " is not pending; 'flight' lists what is");
                }
                say(what + " happens " + later + " later");
                return 0;
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
    }

    @Command(
            name = "clock",
            description = "Makes a node's clock wrong: a jump, or another rate.",
            footer = {
                "",
                "Only the node's own clock, never the machine's.",
                "",
                "Examples:",
                "  clock n2 +5s",
                "  clock leader -200ms",
                "  clock n2 rate 1.5",
                "  clock n2 reset"
            })
    static final class Clock extends FaultCommands.Fault {
        @Parameters(index = "0", paramLabel = "NODE", description = "whose")
        String word = "";

        @Parameters(
                index = "1",
                paramLabel = "OFFSET|rate|reset",
                description = "+5s, -200ms, rate")
        String how = "";

        @Parameters(index = "2", arity = "0..1", paramLabel = "RATE", description = "0.5 to 2")
        String rate = "";

        @Override
        public Integer call() throws InterruptedException {
            List<String> whose = nodes(word);
            if (how.equals("reset")) {
                return inject(
                        "clock " + word + " reset",
                        "clock-reset",
                        new FaultAction.ClockReset(whose));
            }
            if (how.equals("rate")) {
                int percent = percent(rate);
                return inject(
                        "clock " + word + " rate " + rate,
                        "clock-drift",
                        new FaultAction.ClockDrift(whose, percent));
            }
            if (!how.matches("[+-].+") || !rate.isEmpty()) {
                throw new UsageException("write 'clock n2 +5s', 'clock n2 rate 1.5' or 'reset'");
            }
            long millis = new DurationOption().convert(how.substring(1)).toMillis();
            return inject(
                    "clock " + word + " " + how,
                    "clock-jump",
                    new FaultAction.ClockJump(whose, how.startsWith("-") ? -millis : millis));
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
    static final class Disk extends FaultCommands.Fault {
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

    @Command(
            name = "inject",
            description = "Injects any kind of fault that the plans know, by its name.",
            footer = {
                "",
                "Examples:",
                "  inject partition-majorities-ring",
                "  inject kill-minority"
            })
    static final class Inject extends FaultCommands.Fault {
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

    /** What an operator asks of Raft; nothing stays in force. */
    abstract static class Request extends FaultCommands.Fault {
        final int ask(String typed, String kind, FaultAction action) throws InterruptedException {
            FaultInForce asked = cluster().inject(typed, kind, action);
            boolean done = asked.outcome().status() == Status.INSTALLED;
            if (isJson()) {
                json(object(asked));
            } else {
                say(typed + ": " + (done ? paint().good("done") : status(asked.outcome())));
                asked.outcome().evidence().forEach(line -> say(paint().dim("  " + line)));
            }
            return done ? 0 : 2;
        }
    }

    @Command(
            name = "transfer",
            description = "Hands leadership to another node.",
            footer = {"", "Example:  transfer n3"})
    static final class Transfer extends Request {
        @Parameters(index = "0", paramLabel = "NODE", description = "who is to lead")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            String to = node(word);
            return ask(
                    "transfer " + to,
                    "raft-transfer-leadership",
                    new FaultAction.TransferLeadership(to));
        }
    }

    @Command(
            name = "members",
            description = "Changes who votes.",
            footer = {
                "",
                "One change at a time; a new node joins as learner first.",
                "",
                "Examples:",
                "  members remove n2",
                "  members add n2"
            })
    static final class Members extends Request {
        @Parameters(index = "0", paramLabel = "add|remove|replace", description = "what to do")
        String what = "";

        @Parameters(index = "1", paramLabel = "NODE", description = "with whom")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            String node = what.equals("add") ? word : node(word);
            FaultAction action =
                    switch (what) {
                        case "add" -> new FaultAction.AddVoter(node);
                        case "remove" -> new FaultAction.RemoveVoter(node);
                        case "replace" -> new FaultAction.ReplaceVoter(node);
                        default ->
                                throw new UsageException(
                                        "members can be added, removed or replaced, not '"
                                                + what
                                                + "'");
                    };
            return ask("members " + what + " " + node, "membership-" + what, action);
        }
    }
}
