package raft.shell;

import raft.harness.sim.travel.Moment;
import raft.harness.sim.travel.Travel;
import raft.shell.view.TextLines;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Travels in a simulated cluster: time stands still, and where one is is said. */
abstract class TravelCommand extends Verb {
    private static final String BROKEN = "BROKEN: ";

    /** Where we are, in one line. */
    final void here() throws InterruptedException {
        if (isJson()) {
            json(cluster().travel(TravelCommand::placeObject));
        } else {
            say(cluster().travel(TravelCommand::place));
        }
    }

    /** Says something only to people: programs are given objects. */
    final void sayToPeople(String line) {
        if (!isJson()) {
            say(line);
        }
    }

    /**
     * An event and what it changed.
     *
     * @param before in front of its line, for people
     */
    final void tell(String before, Moment moment) {
        if (isJson()) {
            json(object(moment));
            return;
        }
        say(fit(before + event(moment)));
        changes(moment);
    }

    /**
     * What a person needs of a finding: where a node stopped itself, without the state that it
     * wrote down, which 'status' and 'log' show better.
     */
    static String brief(String finding) {
        int state = finding.indexOf("; role ");
        return state < 0 ? finding : finding.substring(0, state);
    }

    /** What is broken here; whether anything is. */
    final boolean tellBroken() throws InterruptedException {
        List<String> broken = cluster().travel(Travel::brokenInvariants);
        for (String line : broken) {
            if (isJson()) {
                json(Map.of("broken", line));
            } else {
                List<String> lines = TextLines.wrap("", BROKEN + brief(line), width());
                say(paint().bad(BROKEN) + lines.getFirst().substring(BROKEN.length()));
                say(lines.subList(1, lines.size()));
            }
        }
        return !broken.isEmpty();
    }

    private static Map<String, Object> object(Moment moment) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("event", moment.number());
        object.put("seconds", moment.occurrence().timeNanos() / 1e9);
        object.put("sort", moment.occurrence().sort().name().toLowerCase(Locale.ROOT));
        object.put("node", moment.occurrence().node());
        object.put("from", moment.occurrence().from());
        object.put("cause", moment.occurrence().cause());
        object.put("what", moment.occurrence().what());
        object.put("changes", moment.changes());
        return object;
    }

    private String event(Moment moment) {
        StringBuilder line = new StringBuilder();
        line.append(
                String.format(
                        Locale.ROOT,
                        "#%-6d %s  %s",
                        moment.number(),
                        seconds(moment.occurrence().timeNanos()),
                        moment.occurrence().what()));
        return line.toString();
    }

    final String fit(String line) {
        return TextLines.fit(line, width());
    }

    private void changes(Moment moment) {
        for (Moment.Change change : moment.changes()) {
            String line = fit("         " + change);
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

    private static Map<String, Object> placeObject(Travel travel) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("event", travel.eventCount());
        object.put("seconds", travel.nowNanos() / 1e9);
        object.put("broken", travel.brokenInvariants());
        return object;
    }

    private static String place(Travel travel) {
        List<String> broken = travel.brokenInvariants();
        return String.format(
                Locale.ROOT,
                "at #%d, %s%s",
                travel.eventCount(),
                Verb.seconds(travel.nowNanos()),
                broken.isEmpty() ? "" : ", where an invariant is broken");
    }
}
