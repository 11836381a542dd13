package raft.shell;

import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;
import raft.shell.live.FaultInForce;
import raft.shell.view.EvidenceView;
import raft.shell.view.Paint;
import raft.shell.view.TextLines;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Puts a fault into effect and says what is known of it. */
abstract class FaultCommand extends Verb {
    final int inject(String typed, String kind, FaultAction action) throws InterruptedException {
        FaultInForce fault = cluster().inject(typed, kind, action);
        if (isJson()) {
            json(object(fault));
        } else {
            say(
                    "fault #"
                            + fault.fault().id()
                            + " "
                            + EvidenceView.links(action.toString())
                            + ": "
                            + status(fault.outcome()));
            evidence(fault.outcome());
        }
        return fault.outcome().status() == Status.INSTALLED ? 0 : 2;
    }

    /** What is known of it, in lines that a person can read. */
    final void evidence(FaultOutcome outcome) {
        Paint paint = paint();
        for (String line : EvidenceView.brief(outcome.evidence())) {
            say(TextLines.wrap("  ", line, width()).stream().map(paint::dim).toList());
        }
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
