package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import raft.harness.cluster.NodeStatus;
import raft.harness.sim.travel.Moment;
import raft.harness.sim.travel.Travel;
import raft.shell.live.LiveCluster;
import raft.shell.live.UsageException;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Going to and fro in a simulated cluster's time. */
final class TravelCommands {
    private TravelCommands() {}

    @Command(
            name = "step",
            description = "Lets the next event happen, or some.",
            footer = {"", "Examples:", "  step", "  step 10"})
    static final class Step extends TravelCommand {
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
                    sayToPeople("nothing more happens");
                    break;
                }
                tell("", moment);
            }
            return tellBroken() ? 1 : 0;
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
    static final class Run extends TravelCommand {
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
                sayToPeople(
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
    static final class Back extends TravelCommand {
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
    static final class Goto extends TravelCommand {
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
                sayToPeople("the run ends before");
            }
            return reached ? 0 : 2;
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
            if (isJson()) {
                json(Map.of("speed", up.speed()));
                return 0;
            }
            say(
                    up.speed() == 0
                            ? "time stands still between commands"
                            : "virtual time goes at " + up.speed() + " of ours");
            return 0;
        }
    }
}
