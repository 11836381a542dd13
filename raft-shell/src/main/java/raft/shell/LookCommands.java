package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.cluster.LogLine;
import raft.harness.cluster.LogWindow;
import raft.harness.cluster.NodeStatus;
import raft.harness.cluster.Transition;
import raft.shell.live.LiveCluster;
import raft.shell.live.UsageException;
import raft.shell.view.ConfigView;
import raft.shell.view.LogView;
import raft.shell.view.StatusView;
import raft.shell.view.TextLines;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** Looking at the cluster: {@code status}, {@code log}, {@code logs}, {@code wait}. */
final class LookCommands {
    private static final DateTimeFormatter CLOCK =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneOffset.UTC);

    private LookCommands() {}

    @Command(
            name = "status",
            description = "All nodes in one table: role, term, vote, leader, log, commit, …",
            footer = {
                "",
                "Nodes that hang do not hold it up: they show as 'no answer'.",
                "",
                "Examples:",
                "  status",
                "  status --watch          again and again, until Ctrl-C",
                "  status --output json"
            })
    static final class StatusCommand extends Verb {
        @Option(names = "--watch", description = "again and again, until Ctrl-C")
        boolean watch;

        @Option(
                names = "--every",
                paramLabel = "DURATION",
                defaultValue = "500ms",
                converter = DurationOption.class,
                description = "how often with --watch (default: 500ms)")
        Duration every = Duration.ofMillis(500);

        @Override
        public Integer call() throws InterruptedException {
            LiveCluster up = cluster();
            int drawn = 0;
            while (true) {
                List<NodeStatus> nodes = up.statuses();
                if (isJson()) {
                    json(StatusView.objects(nodes));
                } else {
                    List<String> lines = StatusView.lines(nodes, width(), paint());
                    if (drawn > 0 && session().isInteractive()) {
                        out().print("\u001b[" + drawn + "A\u001b[J");
                    }
                    say(lines);
                    drawn = lines.size();
                }
                if (!watch) {
                    return 0;
                }
                try {
                    Thread.sleep(every.toMillis());
                } catch (InterruptedException e) {
                    return 0;
                }
            }
        }
    }

    @Command(
            name = "log",
            description =
                    "All nodes' logs side by side: terms, what is committed, where they differ.",
            footer = {
                "",
                "Each cell is an entry's term; * marks what the node takes for committed; > points"
                        + " at the first",
                "index at which two logs differ.",
                "",
                "Examples:",
                "  log                 the newest 15 entries",
                "  log --from 1 --count 40",
                "  log n1              one node's log in full"
            })
    static final class LogCommand extends Verb {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "NODE",
                description = "one node in full instead of all")
        @Nullable String node;

        @Option(names = "--from", paramLabel = "INDEX", description = "first index")
        @Nullable Long from;

        @Option(
                names = "--count",
                paramLabel = "N",
                defaultValue = "15",
                description = "how many indices (default: 15)")
        int count;

        @Override
        public Integer call() throws InterruptedException {
            if (count < 1 || count > 10_000) {
                throw new UsageException("--count must be between 1 and 10000, got " + count);
            }
            long first =
                    from != null
                            ? from
                            : Math.max(
                                    1,
                                    cluster().latest().stream()
                                                    .mapToLong(NodeStatus::commitIndex)
                                                    .filter(index -> index > 0)
                                                    .min()
                                                    .orElse(1)
                                            - 50);
            if (first < 1) {
                throw new UsageException("--from must be at least 1, got " + first);
            }
            // Without a first index it is the newest that are shown.
            List<LogWindow> logs = cluster().logs(first, from != null ? count : count + 200);
            if (node != null) {
                String one = node(node);
                logs = logs.stream().filter(log -> log.node().equals(one)).toList();
            }
            if (isJson()) {
                json(logs);
            } else if (node != null) {
                whole(logs.getFirst());
            } else {
                say(LogView.lines(logs, count, width(), paint()));
            }
            return logs.stream().allMatch(log -> log.problem().isEmpty()) ? 0 : 2;
        }

        private void whole(LogWindow log) {
            List<LogLine> entries = log.entries();
            say(paint().strong(" index  term  kind           bytes  what"));
            for (LogLine entry :
                    entries.subList(Math.max(0, entries.size() - count), entries.size())) {
                boolean committed = entry.index() <= log.commitIndex();
                String line =
                        String.format(
                                "%6d%s %5d  %-13s %6d  %s",
                                entry.index(),
                                committed ? "*" : " ",
                                entry.term(),
                                entry.kind(),
                                entry.sizeBytes(),
                                entry.summary());
                say(committed ? line : paint().unsure(line));
            }
            say(log.problem().isEmpty() ? "commit index " + log.commitIndex() : log.problem());
        }
    }

    @Command(
            name = "logs",
            description = "What a node has written to its log file.",
            footer = {
                "",
                "Examples:",
                "  logs n2             the last 20 lines",
                "  logs n2 -f          and what comes, until Ctrl-C"
            })
    static final class LogsCommand extends Verb {
        @Parameters(index = "0", paramLabel = "NODE", description = "whose, or leader")
        String node = "";

        @Option(names = "-f", description = "go on with what comes, until Ctrl-C")
        boolean follow;

        @Option(
                names = {"-n", "--lines"},
                paramLabel = "N",
                defaultValue = "20",
                description = "how many (default: 20)")
        int count;

        @Override
        public Integer call() throws IOException, InterruptedException {
            String name = node(node);
            if (cluster().isSimulated()) {
                throw new UsageException(
                        "simulated nodes write no files; 'trace' tells what they did");
            }
            Path file = cluster().folder().resolve("nodes").resolve(name).resolve("node.log");
            if (!Files.exists(file)) {
                throw new UsageException(name + " has not written anything yet");
            }
            List<String> lines = Files.readAllLines(file);
            long at = Files.size(file);
            say(lines.subList(Math.max(0, lines.size() - count), lines.size()));
            try {
                while (follow) {
                    at = copy(file, at);
                    Thread.sleep(200);
                }
            } catch (InterruptedException e) {
                return 0;
            }
            return 0;
        }

        private long copy(Path file, long from) throws IOException {
            try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
                long size = in.length();
                if (size <= from) {
                    return from;
                }
                byte[] fresh = new byte[(int) Math.min(1 << 20, size - from)];
                in.seek(from);
                in.readFully(fresh);
                out().print(new String(fresh, StandardCharsets.UTF_8));
                out().flush();
                return from + fresh.length;
            }
        }
    }

    @Command(
            name = "wait",
            description = "Waits for a time to pass, or for something to hold.",
            footer = {
                "",
                "Examples:",
                "  wait 2s",
                "  wait leader",
                "  wait term>=3",
                "  wait n2.commit>=10 --timeout 30s"
            })
    static final class WaitCommand extends Verb {
        @Parameters(
                index = "0",
                paramLabel = "WHAT",
                description =
                        "a time, or leader, no-leader, term>=3, n2.commit>=10, n1.role==leader")
        String what = "";

        @Option(
                names = "--timeout",
                paramLabel = "DURATION",
                defaultValue = "10s",
                converter = DurationOption.class,
                description = "of the cluster's time (default: 10s)")
        Duration timeout = Duration.ofSeconds(10);

        @Override
        public Integer call() throws InterruptedException {
            if (Character.isDigit(what.charAt(0))) {
                cluster().pass(new DurationOption().convert(what));
                return 0;
            }
            Predicate<List<NodeStatus>> holds = Conditions.parse(what, cluster().nodes());
            boolean held = cluster().await(holds, timeout);
            List<NodeStatus> seen = cluster().latest();
            NodeStatus leader = LiveCluster.leaderOf(seen);
            if (isJson()) {
                Map<String, Object> object = new LinkedHashMap<>();
                object.put("held", held);
                object.put("leader", leader == null ? null : leader.node());
                json(object);
            } else {
                List<String> words = new ArrayList<>();
                words.add(
                        held
                                ? what + " holds"
                                : what + " did not hold within " + timeout.toMillis() + " ms");
                words.add(
                        leader == null
                                ? "nobody leads"
                                : leader.node() + " leads term " + leader.term());
                long newest = seen.stream().mapToLong(NodeStatus::term).max().orElse(0);
                if (leader != null && leader.term() < newest) {
                    words.add("nobody leads term " + newest + " yet");
                }
                say(String.join("; ", words));
            }
            return held ? 0 : 2;
        }
    }

    @Command(
            name = "config",
            description = "Who votes and who learns, as each node takes it.",
            footer = {"", "Example:  config"})
    static final class ConfigCommand extends Verb {
        @Override
        public Integer call() throws InterruptedException {
            List<NodeStatus> nodes = cluster().statuses();
            if (isJson()) {
                json(ConfigView.objects(nodes));
            } else {
                say(ConfigView.lines(nodes, width(), paint()));
            }
            return 0;
        }
    }

    @Command(
            name = "trace",
            description = "What changed in the nodes: roles, terms, votes, commits, …",
            footer = {
                "",
                "Topics: role, term, vote, commit, config, truncate, snapshot; simulated nodes also"
                        + " tell log,",
                "leader and state.",
                "",
                "Examples:",
                "  trace                               the last 20 changes",
                "  trace -f                            and what comes, until Ctrl-C",
                "  trace -f --topics vote,term,commit --from n2"
            })
    static final class TraceCommand extends Verb {
        private static final List<String> TOPICS =
                List.of(
                        "role",
                        "term",
                        "vote",
                        "commit",
                        "config",
                        "truncate",
                        "snapshot",
                        "log",
                        "leader",
                        "state");

        @Option(names = "-f", description = "go on with what comes, until Ctrl-C")
        boolean follow;

        @Option(
                names = "--topics",
                paramLabel = "TOPIC",
                split = ",",
                description = "only these, parted by commas (default: all but log and leader)")
        List<String> topics = List.of();

        @Option(names = "--from", paramLabel = "NODE", description = "only these nodes")
        String from = "";

        @Option(
                names = {"-n", "--lines"},
                paramLabel = "N",
                defaultValue = "20",
                description = "how many of those that were (default: 20)")
        int count;

        static List<String> topics() {
            return TOPICS;
        }

        @Override
        public Integer call() throws InterruptedException {
            for (String topic : topics) {
                if (!TOPICS.contains(topic)) {
                    throw new UsageException(
                            "no topic is called '"
                                    + topic
                                    + "'; there are "
                                    + String.join(", ", TOPICS));
                }
            }
            List<String> whose = from.isEmpty() ? cluster().nodes() : nodes(from);
            Map<String, Transition> last = new HashMap<>();
            List<Transition> before = fresh(last, whose);
            before.subList(Math.max(0, before.size() - count), before.size()).forEach(this::show);
            if (before.isEmpty() && !follow) {
                say("nothing has changed yet, or the nodes do not tell");
            }
            try {
                while (follow) {
                    Thread.sleep(150);
                    fresh(last, whose).forEach(this::show);
                }
            } catch (InterruptedException e) {
                return 0;
            }
            return 0;
        }

        private List<Transition> fresh(Map<String, Transition> last, List<String> whose)
                throws InterruptedException {
            List<Transition> all = cluster().transitions(last);
            all.forEach(one -> last.put(one.node(), one));
            return all.stream()
                    .filter(one -> whose.contains(one.node()) && isMeant(one.topic()))
                    .sorted(Comparator.comparingLong(Transition::millis))
                    .toList();
        }

        private boolean isMeant(String topic) {
            return topics.isEmpty()
                    ? !topic.equals("log") && !topic.equals("leader")
                    : topics.contains(topic);
        }

        private void show(Transition one) {
            if (isJson()) {
                json(one);
                return;
            }
            String when =
                    cluster().isSimulated()
                            ? String.format(Locale.ROOT, "%9.3f s", one.millis() / 1e3)
                            : CLOCK.format(Instant.ofEpochMilli(one.millis()));
            String line =
                    String.format(
                            "%s  %s  %-8s %s%s",
                            when,
                            one.node(),
                            one.topic(),
                            one.topic().equals("role") && one.term() > 0
                                    ? "term " + one.term() + ": "
                                    : "",
                            one.words());
            String fitted = TextLines.fit(line, width());
            say(
                    one.topic().equals("role")
                            ? paint().role(
                                            one.words()
                                                    .replaceFirst(".* -> ", "")
                                                    .replaceFirst(":.*", ""),
                                            fitted)
                            : fitted);
        }
    }
}
