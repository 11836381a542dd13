package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.cluster.LogLine;
import raft.harness.cluster.LogWindow;
import raft.harness.history.History;
import raft.harness.sim.travel.Moment;
import raft.harness.sim.travel.Travel;
import raft.shell.live.LiveCluster;
import raft.shell.live.UsageException;
import raft.shell.view.TextLines;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Looking for what went wrong, and for what brought it about. */
final class WhyCommands {
    private WhyCommands() {}

    @Command(
            name = "why",
            description = "Who wrote a field last, and what brought that about, backwards.",
            footer = {
                "",
                "Fields: role, term, votedFor, leader, commit, last, snapshot, members, state.",
                "",
                "Examples:",
                "  why n2.votedFor",
                "  why n1.role",
                "  why violation"
            })
    static final class Why extends TravelCommand {
        @Parameters(
                index = "0",
                arity = "0..1",
                defaultValue = "violation",
                paramLabel = "FIELD",
                description = "NODE.FIELD, or violation")
        String field = "violation";

        @Option(
                names = "--count",
                paramLabel = "N",
                defaultValue = "12",
                description = "most events to tell (default: 12)")
        int count;

        @Override
        int go() throws InterruptedException {
            List<Moment> chain;
            if (field.equals("violation")) {
                List<String> broken = cluster().travel(Travel::brokenInvariants);
                if (broken.isEmpty()) {
                    throw new UsageException(
                            "no invariant is broken here; 'first violation' goes where one is");
                }
                boolean told = tellBroken();
                assert told;
                chain =
                        cluster()
                                .travel(
                                        travel -> {
                                            Moment last = travel.moment(travel.eventCount());
                                            return last == null
                                                    ? List.of()
                                                    : travel.causes(last, count);
                                        });
            } else {
                int dot = field.lastIndexOf('.');
                if (dot < 1) {
                    throw new UsageException("write 'why n2.votedFor', a node and a field of it");
                }
                String node = node(field.substring(0, dot));
                String what = field.substring(dot + 1);
                if (!Travel.FIELDS.contains(what)) {
                    throw new UsageException(
                            "a node has "
                                    + String.join(", ", Travel.FIELDS)
                                    + ", no '"
                                    + what
                                    + "'");
                }
                String value =
                        cluster().travel(travel -> Travel.value(travel.world().view(node), what));
                chain = cluster().travel(travel -> travel.why(node, what, count));
                if (isJson()) {
                    json(Map.of("field", field, "value", value));
                }
                sayToPeople(node + "." + what + " is " + value);
                if (chain.isEmpty()) {
                    sayToPeople("it has been so from the beginning");
                }
            }
            boolean first = true;
            for (Moment moment : chain) {
                tell(first ? "because  " : "   after ", moment);
                first = false;
            }
            if (!chain.isEmpty() && chain.getLast().occurrence().cause() == 0) {
                sayToPeople(paint().dim("   which came from outside, or from the beginning"));
            }
            return 0;
        }
    }

    @Command(
            name = "first",
            description = "Goes to the first violation: a broken invariant, or what clients saw.",
            footer = {"", "Example:  first violation"})
    static final class First extends TravelCommand {
        @Parameters(
                index = "0",
                defaultValue = "violation",
                arity = "0..1",
                paramLabel = "violation",
                description = "what to look for")
        String what = "violation";

        @Override
        int go() throws InterruptedException {
            if (!what.equals("violation")) {
                throw new UsageException("only 'first violation' can be looked for");
            }
            LiveCluster up = cluster();
            String invariant =
                    up.travel(
                            travel -> {
                                travel.goTo(0);
                                travel.run(
                                        () -> !travel.brokenInvariants().isEmpty(),
                                        Math.max(travel.scriptEndNanos(), travel.nowNanos())
                                                + 1_000_000_000L);
                                return travel.brokenInvariants().isEmpty()
                                        ? ""
                                        : travel.brokenInvariants().getFirst();
                            });
            if (!invariant.isEmpty()) {
                here();
                boolean told = tellBroken();
                assert told;
                Moment moment = up.travel(travel -> travel.moment(travel.eventCount()));
                if (moment != null) {
                    tell("", moment);
                }
                sayToPeople("'why violation' goes backwards from here, 'back' one event");
                return 1;
            }
            History history = up.history();
            Verdict verdict =
                    Checker.check(
                            history,
                            HistoryCheck.model(history),
                            new Budget(Duration.ofSeconds(20), 256L << 20));
            if (verdict instanceof Verdict.Violation violation) {
                if (isJson()) {
                    json(Map.of("impossible", violation.explanation().summary()));
                }
                sayToPeople(paint().bad("clients saw what is impossible: "));
                for (String line :
                        TextLines.wrap("  ", violation.explanation().summary(), width())) {
                    sayToPeople(line);
                }
                long nanos =
                        violation.explanation().events().stream()
                                .mapToLong(raft.harness.history.HistoryEvent::timeNanos)
                                .max()
                                .orElse(0);
                up.travel(
                        travel -> {
                            travel.goToTime(nanos);
                            return nanos;
                        });
                here();
                return 1;
            }
            here();
            sayToPeople(
                    verdict instanceof Verdict.Unknown unknown
                            ? paint().unsure("no invariant is broken; of what clients saw: ")
                                    + unknown.reason()
                            : paint().good(
                                            "no invariant is broken, and what clients saw is"
                                                    + " linearizable"));
            return 0;
        }
    }

    @Command(
            name = "diff",
            description = "Where two nodes' logs differ.",
            footer = {"", "Example:  diff n1 n3 log"})
    static final class Diff extends Verb {
        @Parameters(index = "0", paramLabel = "NODE", description = "one")
        String one = "";

        @Parameters(index = "1", paramLabel = "NODE", description = "the other")
        String other = "";

        @Parameters(index = "2", arity = "0..1", paramLabel = "log", description = "what")
        String what = "log";

        @Override
        public Integer call() throws InterruptedException {
            if (!what.equals("log")) {
                throw new UsageException("only logs can be compared");
            }
            String left = node(one);
            String right = node(other);
            List<LogWindow> logs = cluster().logs(1, 10_000);
            Map<Long, LogLine> mine = new LinkedHashMap<>();
            Map<Long, LogLine> theirs = new LinkedHashMap<>();
            for (LogWindow log : logs) {
                for (LogLine line : log.entries()) {
                    if (log.node().equals(left)) {
                        mine.put(line.index(), line);
                    }
                    if (log.node().equals(right)) {
                        theirs.put(line.index(), line);
                    }
                }
            }
            long last = 0;
            for (long index : mine.keySet()) {
                last = Math.max(last, index);
            }
            for (long index : theirs.keySet()) {
                last = Math.max(last, index);
            }
            List<Map<String, Object>> different = new ArrayList<>();
            for (long index = 1; index <= last && different.size() < 40; index++) {
                LogLine a = mine.get(index);
                LogLine b = theirs.get(index);
                if (a == null ? b != null : b == null || a.term() != b.term()) {
                    Map<String, Object> object = new LinkedHashMap<>();
                    object.put("index", index);
                    object.put(left, a);
                    object.put(right, b);
                    different.add(object);
                    if (isJson()) {
                        continue;
                    }
                    int half = Math.max(20, (width() - 9) / 2);
                    String one = TextLines.fit(words(left, a), half);
                    say(
                            TextLines.fit(
                                    String.format(
                                            "%6d  %-" + half + "s %s", index, one, words(right, b)),
                                    width()));
                }
            }
            if (isJson()) {
                json(different);
            } else if (different.isEmpty()) {
                say("the logs of " + left + " and " + right + " are the same");
            }
            return 0;
        }

        private static String words(String node, @Nullable LogLine line) {
            return node
                    + ": "
                    + (line == null
                            ? "nothing"
                            : "term "
                                    + line.term()
                                    + " "
                                    + (line.summary().isEmpty() ? line.kind() : line.summary()));
        }
    }
}
