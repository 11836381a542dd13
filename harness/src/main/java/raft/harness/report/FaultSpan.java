package raft.harness.report;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryIndex;
import raft.harness.history.Value;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A fault from its injection to its end, as the history tells it. Times are nanoseconds since the
 * run began, -1 where it did not come so far.
 *
 * @param name its kind and number, "kill-leader #3"
 * @param action what was asked for, "kill n2"
 * @param status "installed" (proven), "skipped", "indeterminate", or "asked" where no answer came
 * @param evidence of its having been in force
 * @param healed whether its end was proven too
 * @param healEvidence of its having gone
 */
public record FaultSpan(
        String name,
        String action,
        String status,
        long askedNanos,
        long installedNanos,
        long healAskedNanos,
        long healedNanos,
        List<String> evidence,
        boolean healed,
        List<String> healEvidence) {
    public FaultSpan {
        evidence = List.copyOf(evidence);
        healEvidence = List.copyOf(healEvidence);
    }

    /** Proven to have been in force. */
    public boolean isProven() {
        return status.equals("installed");
    }

    /**
     * Its kind without its number.
     *
     * @return "kill-leader"
     */
    public String kind() {
        return name.replaceFirst(" #\\d+$", "");
    }

    /** When it stopped being in force for certain: its end, or the end of the run. */
    public long endNanos(long runEndNanos) {
        return healedNanos >= 0 ? healedNanos : runEndNanos;
    }

    /** The faults of a history, in the order in which they were asked for. */
    public static List<FaultSpan> of(HistoryIndex history) {
        Map<String, FaultSpan> spans = new LinkedHashMap<>();
        HistoryIndex.Filter nemesis =
                new HistoryIndex.Filter(
                        null,
                        HistoryEvent.NEMESIS,
                        null,
                        0,
                        Long.MAX_VALUE,
                        null,
                        null,
                        null,
                        null);
        history.find(
                nemesis,
                number -> {
                    add(spans, history.event(number));
                    return true;
                });
        return List.copyOf(spans.values());
    }

    private static void add(Map<String, FaultSpan> spans, HistoryEvent event) {
        long at = event.timeNanos();
        List<String> words = words(event.value());
        boolean inject = event.f().equals("inject");
        if (!inject && !event.f().equals("heal")) {
            // Another tool's nemesis: all that is known is that it did something then.
            String name = event.f() + " @" + event.index();
            spans.put(
                    name,
                    new FaultSpan(
                            name, event.f(), "asked", at, -1, -1, at, words, false, List.of()));
            return;
        }
        String name = HistoryIndex.plain(event.key());
        FaultSpan old = spans.get(name);
        if (inject && event.type() == Type.INVOKE) {
            spans.put(
                    name,
                    new FaultSpan(
                            name,
                            String.join(", ", words),
                            "asked",
                            at,
                            -1,
                            -1,
                            -1,
                            List.of(),
                            false,
                            List.of()));
        } else if (old != null) {
            spans.put(name, changed(old, event, inject, at, words));
        }
    }

    private static FaultSpan changed(
            FaultSpan old, HistoryEvent event, boolean inject, long at, List<String> words) {
        if (inject) {
            String status =
                    switch (event.type()) {
                        case OK -> "installed";
                        case FAIL -> "skipped";
                        case INFO, INVOKE -> "indeterminate";
                    };
            return new FaultSpan(
                    old.name,
                    old.action,
                    status,
                    old.askedNanos,
                    at,
                    -1,
                    -1,
                    words,
                    false,
                    List.of());
        }
        boolean asked = event.type() == Type.INVOKE;
        return new FaultSpan(
                old.name,
                old.action,
                old.status,
                old.askedNanos,
                old.installedNanos,
                asked ? at : old.healAskedNanos,
                asked ? old.healedNanos : at,
                old.evidence,
                event.type() == Type.OK,
                asked ? old.healEvidence : words);
    }

    private static List<String> words(Value value) {
        List<String> words = new ArrayList<>();
        if (value instanceof Value.Seq(List<Value> values)) {
            values.forEach(word -> words.add(HistoryIndex.plain(word)));
        } else if (!(value instanceof Value.Nil)) {
            words.add(HistoryIndex.plain(value));
        }
        return words;
    }
}
