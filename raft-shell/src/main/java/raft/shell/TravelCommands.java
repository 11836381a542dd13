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
import raft.harness.cluster.NodeStatus;
import raft.harness.history.History;
import raft.harness.model.Models;
import raft.harness.run.PlantedBug;
import raft.harness.sim.NodeCode;
import raft.harness.sim.Scenario;
import raft.harness.sim.ScenarioFile;
import raft.harness.sim.SimRun;
import raft.harness.sim.Steppable.Occurrence;
import raft.harness.sim.Steppable.Sort;
import raft.harness.sim.travel.Decision;
import raft.harness.sim.travel.Decision.Act;
import raft.harness.sim.travel.Moment;
import raft.harness.sim.travel.Recorded;
import raft.harness.sim.travel.Travel;
import raft.shell.live.DataText;
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
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** Going to and fro in a simulated cluster's time, and changing one thing there. */
final class TravelCommands {
    private TravelCommands() {}

    /** What all of them have in common. */
    abstract static class Journey extends Verb {
        /** Where we are, in one line. */
        final void here() throws InterruptedException {
            say(cluster().travel(TravelCommands::place));
        }

        final String event(Moment moment) {
            StringBuilder line = new StringBuilder();
            line.append(
                    String.format(
                            Locale.ROOT,
                            "#%-6d %s  %s",
                            moment.number(),
                            seconds(moment.occurrence().timeNanos()),
                            moment.occurrence().what()));
            return fit(line.toString());
        }

        final String fit(String line) {
            int most = Math.max(40, width());
            return line.length() <= most ? line : line.substring(0, most - 1) + "…";
        }

        final void changes(Moment moment) {
            for (Moment.Change change : moment.changes()) {
                String line = "         " + change;
                say(
                        change.field().equals("role")
                                ? paint().role(change.after(), line)
                                : paint().dim(line));
            }
        }

        /** Time stands still while one looks around. */
        final void stop() throws InterruptedException {
            if (cluster().isSimulated() && cluster().speed() != 0) {
                cluster().setSpeed(0);
            }
        }

        @Override
        public Integer call() throws IOException, InterruptedException {
            stop();
            return go();
        }

        abstract int go() throws IOException, InterruptedException;
    }

    static String place(Travel travel) {
        List<String> broken = travel.brokenInvariants();
        return String.format(
                Locale.ROOT,
                "at #%d, %s%s",
                travel.eventCount(),
                Verb.seconds(travel.nowNanos()),
                broken.isEmpty() ? "" : "; BROKEN: " + broken.getFirst());
    }

    @Command(
            name = "load",
            description = "Loads a simulated run to travel in: a seed, a run's folder or a file.",
            footer = {
                "",
                "The run is carried out once, so that what its clients and faults do is known; then"
                        + " time is at 0.",
                "",
                "Examples:",
                "  load 42",
                "  load 7 --plant C6 --time 10s",
                "  load --plant L1 --find      the first seed at which this bug shows",
                "  load failing.json           a scenario of 'sim minimise'"
            })
    static final class Load extends Verb {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "RUN",
                description = "a seed, a scenario file, or the folder of a run")
        @Nullable String what;

        @Option(names = "--plant", paramLabel = "BUG", description = "with a bug in the node")
        @Nullable String plant;

        @Option(names = "--find", description = "tries seeds from 1 on until one fails")
        boolean find;

        @Option(
                names = "--time",
                paramLabel = "DURATION",
                defaultValue = "10s",
                converter = DurationOption.class,
                description = "how long a seed's clients work (default: 10s)")
        Duration time = Duration.ofSeconds(10);

        @Override
        public Integer call() throws IOException, InterruptedException {
            if ((what == null) != find) {
                throw new UsageException("say which run: a seed, a file, a folder, or --find");
            }
            String bugId = plant;
            Scenario scenario = null;
            if (what != null && !what.matches("-?[0-9]{1,18}")) {
                Path path = Path.of(what);
                if (Files.isDirectory(path)) {
                    path = path.resolve("scenario.json");
                }
                if (!Files.exists(path)) {
                    throw new UsageException(
                            what
                                    + " is neither a seed nor a scenario, nor the folder of a"
                                    + " simulated run");
                }
                scenario = ScenarioFile.read(path);
            }
            PlantedBug bug = ClusterCommand.bug(bugId);
            NodeCode code =
                    bug == null ? NodeCode.right() : NodeCode.planted(bug, Home.nodeSources());
            Recorded recorded;
            String seedWords = String.valueOf(what);
            if (find) {
                long seed = 0;
                do {
                    if (Thread.currentThread().isInterrupted()) {
                        throw new InterruptedException();
                    }
                    seed++;
                    if (seed > 500) {
                        say("500 seeds ran without a failure");
                        return 2;
                    }
                    recorded = Recorded.of(Scenario.ofSeed(seed, time.toMillis()), code);
                } while (!recorded.isSeenToFail());
                seedWords = Long.toString(seed);
            } else {
                recorded =
                        Recorded.of(
                                scenario != null
                                        ? scenario
                                        : Scenario.ofSeed(
                                                Long.parseLong(seedWords), time.toMillis()),
                                code);
            }
            Recorded run = recorded;
            LiveCluster up =
                    session()
                            .take(
                                    "sim",
                                    Scenario.members(run.options()),
                                    run.options().seed(),
                                    new Session.Origin(
                                            "load "
                                                    + seedWords
                                                    + (plant == null ? "" : " --plant " + plant)
                                                    + " --time "
                                                    + time.toMillis()
                                                    + "ms",
                                            plant),
                                    0,
                                    true,
                                    (folder, header) ->
                                            new LiveCluster(
                                                    ear ->
                                                            new Travel(
                                                                    code,
                                                                    run.options(),
                                                                    run.decisions(),
                                                                    ear),
                                                    folder,
                                                    header,
                                                    session()::announce,
                                                    0,
                                                    true));
            long operations =
                    run.decisions().stream()
                            .filter(decision -> decision.act() instanceof Act.Invoke)
                            .count();
            long faults =
                    run.decisions().stream()
                            .filter(decision -> decision.act() instanceof Act.Inject)
                            .count();
            if (isJson()) {
                Map<String, Object> object = new LinkedHashMap<>();
                object.put("seed", run.options().seed());
                object.put("nodes", up.nodes());
                object.put("events", run.eventCount());
                object.put("finder", run.result().finder().label());
                object.put("what", run.result().what());
                json(object);
                return 0;
            }
            say(
                    "loaded seed "
                            + run.options().seed()
                            + (bug == null ? "" : " with " + bug.id() + " (" + bug.title() + ")")
                            + ": "
                            + up.nodes().size()
                            + " nodes, "
                            + run.eventCount()
                            + " events in "
                            + seconds(run.endNanos())
                            + ", "
                            + operations
                            + " operations, "
                            + faults
                            + " faults");
            say(
                    run.result().finder() == SimRun.Finder.NOBODY
                            ? paint().good("nobody found anything wrong in it")
                            : paint().bad(run.result().finder().label() + ": ")
                                    + run.result().what());
            if (run.result().failed() && !run.isSeenToFail()) {
                say(
                        paint().unsure(
                                        "that came in the phase after the run, which cannot be"
                                                + " visited; './raft sim replay' tells it"));
            }
            say("time is at 0; 'first violation' goes there, 'run', 'step' and 'flight' look on");
            return 0;
        }
    }

    @Command(
            name = "step",
            description = "Lets the next event happen, or some.",
            footer = {"", "Examples:", "  step", "  step 10"})
    static final class Step extends Journey {
        @Parameters(
                index = "0",
                arity = "0..1",
                defaultValue = "1",
                paramLabel = "N",
                description = "how many (default: 1)")
        int count;

        @Override
        int go() throws InterruptedException {
            for (int i = 0; i < count; i++) {
                Moment moment = cluster().travel(Travel::step);
                if (moment == null) {
                    say("nothing more happens");
                    break;
                }
                say(event(moment));
                changes(moment);
            }
            List<String> broken = cluster().travel(Travel::brokenInvariants);
            broken.forEach(line -> say(paint().bad("BROKEN: ") + line));
            return broken.isEmpty() ? 0 : 1;
        }
    }

    @Command(
            name = "run",
            description = "Goes on until something holds.",
            footer = {
                "",
                "Examples:",
                "  run until leader",
                "  run until term>=3",
                "  run until n2.commit>=10",
                "  run until violation",
                "  run 200ms",
                "  run                       to the end of a loaded run"
            })
    static final class Run extends Journey {
        @Parameters(
                arity = "0..*",
                paramLabel = "WHAT",
                description = "a time, or 'until' and a condition")
        List<String> words = List.of();

        @Override
        int go() throws InterruptedException {
            List<String> given = new ArrayList<>(words);
            boolean until = !given.isEmpty() && given.getFirst().equals("until");
            if (until) {
                given.removeFirst();
            }
            String what = String.join("", given);
            if (until && what.isEmpty()) {
                throw new UsageException("until what? leader, term>=3, n2.commit>=10 or violation");
            }
            LiveCluster up = cluster();
            long limit =
                    up.travel(
                            travel ->
                                    Math.max(
                                            travel.scriptEndNanos() + 1_000_000_000L,
                                            travel.nowNanos() + 60_000_000_000L));
            boolean held;
            if (what.isEmpty()) {
                long end = up.travel(Travel::scriptEndNanos);
                if (end == 0) {
                    throw new UsageException(
                            "this cluster has no end; write 'run 2s' or 'run until leader'");
                }
                // To a moment, which always comes: nothing was waited for that could fail to hold.
                held = !up.travel(travel -> travel.run(() -> false, end));
            } else if (what.equals("violation")) {
                held =
                        up.travel(
                                travel ->
                                        travel.run(
                                                () -> !travel.brokenInvariants().isEmpty(), limit));
            } else if (Character.isDigit(what.charAt(0))) {
                long nanos = new DurationOption().convert(what).toNanos();
                held = !up.travel(travel -> travel.run(() -> false, travel.nowNanos() + nanos));
            } else {
                Predicate<List<NodeStatus>> holds = Conditions.parse(what, up.nodes());
                held =
                        up.travel(
                                travel ->
                                        travel.run(
                                                () -> holds.test(travel.statuses(1).join()),
                                                limit));
            }
            here();
            boolean broken = !up.travel(Travel::brokenInvariants).isEmpty();
            if (!held) {
                say(
                        broken
                                ? "an invariant broke before '" + what + "' held"
                                : what.equals("violation")
                                        ? paint().good("no invariant is broken up to here")
                                        : "'" + what + "' did not come to hold");
            }
            return broken ? 1 : held || what.equals("violation") ? 0 : 2;
        }
    }

    @Command(
            name = "back",
            description = "Goes back in time, or by a number of events.",
            footer = {"", "Examples:", "  back             one event", "  back 200ms", "  back 5"})
    static final class Back extends Journey {
        @Parameters(
                index = "0",
                arity = "0..1",
                defaultValue = "1",
                paramLabel = "DURATION|N",
                description = "how far (default: one event)")
        String far = "1";

        @Override
        int go() throws InterruptedException {
            boolean reached =
                    cluster()
                            .travel(
                                    travel -> {
                                        if (far.matches("[0-9]{1,9}")) {
                                            return travel.goTo(
                                                    Math.max(
                                                            0,
                                                            travel.eventCount()
                                                                    - Long.parseLong(far)));
                                        }
                                        long nanos = new DurationOption().convert(far).toNanos();
                                        travel.goToTime(Math.max(0, travel.nowNanos() - nanos));
                                        return true;
                                    });
            here();
            return reached ? 0 : 2;
        }
    }

    @Command(
            name = "goto",
            description = "Goes to an event or a moment, forwards or back.",
            footer = {"", "Examples:", "  goto #41", "  goto 1.5s", "  goto 0"})
    static final class Goto extends Journey {
        @Parameters(index = "0", paramLabel = "PLACE", description = "#event or a time")
        String place = "";

        @Override
        int go() throws InterruptedException {
            boolean reached =
                    cluster()
                            .travel(
                                    travel -> {
                                        if (place.matches("#[0-9]{1,12}")) {
                                            return travel.goTo(Long.parseLong(place.substring(1)));
                                        }
                                        travel.goToTime(
                                                new DurationOption().convert(place).toNanos());
                                        return true;
                                    });
            here();
            if (!reached) {
                say("the run ends before");
            }
            return reached ? 0 : 2;
        }
    }

    @Command(
            name = "flight",
            description = "What could happen next: messages, timers, disks, numbered.",
            footer = {
                "",
                "m… is a message under way, t… a timer, d… an fsync, c… a client's doing.",
                "",
                "Examples:",
                "  flight",
                "  flight n2            what concerns n2"
            })
    static final class Flight extends Journey {
        @Parameters(index = "0", arity = "0..1", paramLabel = "NODE", description = "only this one")
        @Nullable String node;

        @Option(
                names = "--count",
                paramLabel = "N",
                defaultValue = "20",
                description = "how many (default: 20)")
        int count;

        @Override
        int go() throws InterruptedException {
            String only = node == null ? null : node(node);
            List<Occurrence> pending =
                    cluster().travel(travel -> travel.world().pending()).stream()
                            .filter(
                                    occurrence ->
                                            only == null
                                                    || only.equals(occurrence.node())
                                                    || only.equals(occurrence.from()))
                            .toList();
            long now = cluster().travel(Travel::nowNanos);
            for (Occurrence occurrence : pending.subList(0, Math.min(count, pending.size()))) {
                say(
                        fit(
                                String.format(
                                        Locale.ROOT,
                                        "%-8s +%-9s %s",
                                        label(occurrence),
                                        millis(occurrence.timeNanos() - now),
                                        occurrence.what())));
            }
            if (pending.size() > count) {
                say(paint().dim("… and " + (pending.size() - count) + " more"));
            }
            return 0;
        }
    }

    static String label(Occurrence occurrence) {
        return letter(occurrence.sort()) + occurrence.sequence();
    }

    private static String letter(Sort sort) {
        return switch (sort) {
            case MESSAGE -> "m";
            case TIMER -> "t";
            case DISK -> "d";
            case CLIENT -> "c";
            case FAULT -> "f";
            case OTHER -> "o";
        };
    }

    /** Does something else with one pending occurrence than what would happen. */
    abstract static class Meddle extends Journey {
        abstract String label();

        abstract Sort sort();

        abstract Act act(long sequence, Occurrence occurrence);

        abstract String done();

        @Override
        int go() throws InterruptedException {
            String letter = letter(sort());
            if (!label().matches("[a-z]?[0-9]{1,12}")) {
                throw new UsageException(
                        "'"
                                + label()
                                + "' is none of what 'flight' lists; write "
                                + letter
                                + "57, say");
            }
            long sequence = Long.parseLong(label().replaceAll("[a-z]", ""));
            String words = typed();
            Occurrence[] found = new Occurrence[1];
            boolean done =
                    cluster()
                            .travel(
                                    travel -> {
                                        for (Occurrence pending : travel.world().pending()) {
                                            if (pending.sequence() == sequence) {
                                                found[0] = pending;
                                            }
                                        }
                                        Occurrence occurrence = found[0];
                                        return occurrence != null
                                                && occurrence.sort() == sort()
                                                && travel.decide(words, act(sequence, occurrence));
                                    });
            if (!done) {
                throw new UsageException(
                        found[0] == null
                                ? label() + " is not pending; 'flight' lists what is"
                                : label() + " is no " + sort().name().toLowerCase(Locale.ROOT));
            }
            say(done() + ": " + found[0].what());
            List<String> broken = cluster().travel(Travel::brokenInvariants);
            broken.forEach(line -> say(paint().bad("BROKEN: ") + line));
            return broken.isEmpty() ? 0 : 1;
        }
    }

    /** With the label as the only argument. */
    abstract static class MeddleWithOne extends Meddle {
        @Parameters(index = "0", paramLabel = "PENDING", description = "as 'flight' lists it")
        String which = "";

        @Override
        String label() {
            return which;
        }
    }

    @Command(
            name = "deliver",
            description = "Lets a pending message arrive now.",
            footer = {"", "Example:  deliver m57"})
    static final class Deliver extends MeddleWithOne {
        @Override
        Sort sort() {
            return Sort.MESSAGE;
        }

        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.Hasten(sequence);
        }

        @Override
        String done() {
            return "delivered";
        }
    }

    @Command(
            name = "drop",
            description = "Loses a pending message.",
            footer = {"", "Example:  drop m57"})
    static final class Drop extends MeddleWithOne {
        @Override
        Sort sort() {
            return Sort.MESSAGE;
        }

        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.Drop(sequence);
        }

        @Override
        String done() {
            return "dropped";
        }
    }

    @Command(
            name = "dup",
            description = "Lets a pending message arrive twice.",
            footer = {"", "Example:  dup m57"})
    static final class Dup extends MeddleWithOne {
        @Override
        Sort sort() {
            return Sort.MESSAGE;
        }

        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.Duplicate(sequence);
        }

        @Override
        String done() {
            return "arrives twice";
        }
    }

    @Command(
            name = "fire",
            description = "Lets a timer end now: the node's clock jumps ahead to it.",
            footer = {"", "Example:  fire t9"})
    static final class Fire extends MeddleWithOne {
        @Override
        Sort sort() {
            return Sort.TIMER;
        }

        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.Hasten(sequence);
        }

        @Override
        String done() {
            return "fired";
        }
    }

    @Command(
            name = "fail",
            description =
                    "Lets a pending fsync fail: the node halts and loses what was not synced.",
            footer = {"", "Examples:", "  fail d12 EIO", "  start n2       brings it up again"})
    static final class Fail extends MeddleWithOne {
        @Parameters(
                index = "1",
                arity = "0..1",
                defaultValue = "EIO",
                paramLabel = "EIO",
                description = "the error; a node treats all alike")
        String error = "EIO";

        @Override
        Sort sort() {
            return Sort.DISK;
        }

        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.FailSync(
                    sequence,
                    Travel.halted(1_000_000 + sequence, String.valueOf(occurrence.node())));
        }

        @Override
        String done() {
            return "failed with " + error;
        }
    }

    @Command(
            name = "why",
            description = "Who wrote a field last, and what brought that about, backwards.",
            footer = {
                "",
                "Fields: role, term, votedFor, leader, commit, last, state.",
                "",
                "Examples:",
                "  why n2.votedFor",
                "  why n1.role",
                "  why violation"
            })
    static final class Why extends Journey {
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
                say(paint().bad("BROKEN: ") + broken.getFirst());
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
                say(node + "." + what + " is " + value);
                if (chain.isEmpty()) {
                    say("it has been so from the beginning");
                }
            }
            boolean first = true;
            for (Moment moment : chain) {
                say((first ? "because  " : "   after ") + event(moment));
                changes(moment);
                first = false;
            }
            if (!chain.isEmpty() && chain.getLast().occurrence().cause() == 0) {
                say(paint().dim("   which came from outside, or from the beginning"));
            }
            return 0;
        }
    }

    @Command(
            name = "first",
            description = "Goes to the first violation: a broken invariant, or what clients saw.",
            footer = {"", "Example:  first violation"})
    static final class First extends Journey {
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
                Moment moment = up.travel(travel -> travel.moment(travel.eventCount()));
                if (moment != null) {
                    say(event(moment));
                    changes(moment);
                }
                say("'why violation' goes backwards from here, 'back' one event");
                return 1;
            }
            History history = up.history();
            Verdict verdict =
                    Checker.check(
                            history,
                            Models.CAS_REGISTER,
                            new Budget(Duration.ofSeconds(20), 256L << 20));
            if (verdict instanceof Verdict.Violation violation) {
                say(paint().bad("clients saw what is impossible: "));
                say(violation.explanation().summary());
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
            say(paint().good("no invariant is broken, and what clients saw is linearizable"));
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
            int shown = 0;
            for (long index = 1; index <= last && shown < 40; index++) {
                LogLine a = mine.get(index);
                LogLine b = theirs.get(index);
                if (a == null ? b != null : b == null || a.term() != b.term()) {
                    say(String.format("%6d  %-34s %s", index, words(left, a), words(right, b)));
                    shown++;
                }
            }
            if (shown == 0) {
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

    @Command(
            name = "branch",
            description = "Keeps the present under a name, or goes to one that was kept.",
            footer = {
                "",
                "Examples:",
                "  branch before        keeps the present, or goes there where the name is taken",
                "  branch               lists what was kept"
            })
    static final class Branch extends Journey {
        @Parameters(index = "0", arity = "0..1", paramLabel = "BRANCH", description = "its name")
        @Nullable String name;

        @Option(names = "--again", description = "keeps the present although the name is taken")
        boolean again;

        @Override
        int go() throws InterruptedException {
            Map<String, Session.Kept> kept = session().branches();
            if (name == null) {
                kept.forEach(
                        (label, present) ->
                                say(
                                        label
                                                + "  #"
                                                + present.event()
                                                + ", "
                                                + present.decisions().stream()
                                                        .filter(Decision::byHand)
                                                        .count()
                                                + " decisions by hand"));
                if (kept.isEmpty()) {
                    say("nothing was kept; 'branch NAME' keeps the present");
                }
                return 0;
            }
            Session.Kept there = kept.get(name);
            if (there == null || again) {
                kept.put(
                        name,
                        cluster()
                                .travel(
                                        travel ->
                                                new Session.Kept(
                                                        travel.decisions(), travel.eventCount())));
                say("kept as " + name);
                return 0;
            }
            boolean reached =
                    cluster()
                            .travel(
                                    travel -> {
                                        travel.restore(there.decisions());
                                        return travel.goTo(there.event());
                                    });
            here();
            return reached ? 0 : 2;
        }
    }

    @Command(
            name = "export",
            description = "Writes what was done here as a script that repeats it.",
            footer = {
                "",
                "Examples:",
                "  export found.raft          then: ./raft shell -f found.raft",
                "  export                     on the screen"
            })
    static final class Export extends Journey {
        @Parameters(index = "0", arity = "0..1", paramLabel = "SCRIPT", description = "where to")
        @Nullable Path file;

        @Override
        int go() throws IOException, InterruptedException {
            List<Decision> decisions = cluster().travel(Travel::byHand);
            long event = cluster().travel(Travel::eventCount);
            List<String> lines = new ArrayList<>();
            Session.Origin origin = session().origin();
            lines.add("# Repeats what was done by hand, event by event.");
            lines.add(origin == null ? "# of unknown origin" : origin.command());
            for (Decision decision : decisions) {
                lines.add("goto #" + decision.afterEvent());
                lines.add(words(decision));
            }
            lines.add("goto #" + event);
            Path target = file;
            if (target == null) {
                say(lines);
            } else {
                Files.write(target, lines);
                say("written to " + target + "; './raft shell -f " + target + "' repeats it");
            }
            return 0;
        }

        private static String words(Decision decision) {
            if (!decision.words().isEmpty()) {
                return decision.words();
            }
            return switch (decision.act()) {
                case Act.Invoke(var asked) -> {
                    String key = DataText.of(asked.key());
                    yield switch (asked.f()) {
                        case "read" -> "try get " + key + " --from " + asked.node();
                        case "write" ->
                                "try put "
                                        + key
                                        + " '"
                                        + DataText.of(asked.value())
                                        + "' --from "
                                        + asked.node();
                        default -> "# " + asked.f() + " " + key + " " + asked.value();
                    };
                }
                case Act.Inject(var fault) -> "# fault " + fault.kind() + " " + fault.action();
                case Act.Heal(var fault) -> "try heal #" + fault.id();
                default -> "# " + decision.act();
            };
        }
    }

    @Command(
            name = "speed",
            description = "How fast simulated time goes: 1 like ours, 0 stands still.",
            footer = {"", "Examples:", "  sim speed 0.1", "  sim speed 0", "  sim speed 10"})
    static final class Speed extends Verb {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "FACTOR",
                description = "virtual seconds a second")
        @Nullable Double factor;

        @Override
        public Integer call() throws InterruptedException {
            LiveCluster up = cluster();
            if (!up.isSimulated()) {
                throw new UsageException("the time of containers cannot be changed");
            }
            if (factor != null) {
                if (!(factor >= 0 && factor <= 1000)) {
                    throw new UsageException("a speed is between 0 and 1000, not " + factor);
                }
                up.setSpeed(factor);
            }
            say(
                    up.speed() == 0
                            ? "time stands still between commands"
                            : "virtual time goes at " + up.speed() + " of ours");
            return 0;
        }
    }
}
