package raft.harness.report;

import raft.harness.checker.Verdict;
import raft.harness.history.HistoryEvent;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** An explanation as text for a terminal: the sentences, the events, what was possible. */
public final class ExplanationText {
    /** Wide enough for a line of events, narrow enough for a terminal of 80 columns. */
    private static final int COLUMNS = 78;

    private static final int EVENTS_SHOWN = 40;
    private static final int ORDER_SHOWN = 12;

    private ExplanationText() {}

    /** Lines without their ends, at most 80 columns where the values are short. */
    public static List<String> lines(Verdict.Explanation explanation) {
        List<String> lines = new ArrayList<>(wrapped(explanation.summary(), COLUMNS));
        List<HistoryEvent> events = explanation.events();
        if (!events.isEmpty()) {
            lines.add("");
            lines.add("The smallest part found that is still impossible:");
            for (HistoryEvent event : events.subList(0, Math.min(EVENTS_SHOWN, events.size()))) {
                lines.add(EventLine.of(event));
            }
            if (events.size() > EVENTS_SHOWN) {
                lines.add("… and " + (events.size() - EVENTS_SHOWN) + " more events");
            }
        }
        Verdict.DeadEnd end = explanation.deadEnd();
        if (end != null) {
            lines.add("");
            lines.add(
                    "Until event "
                            + end.at().index()
                            + (end.possibleCount() == 1
                                    ? " only this was possible:"
                                    : " only these were possible:"));
            for (Verdict.Possible possible : end.possible()) {
                lines.addAll(hanging(possible.state() + "  ", way(possible.order())));
            }
            int more = end.possibleCount() - end.possible().size();
            if (more > 0) {
                lines.add("  … and " + more + " more");
            }
        }
        return lines;
    }

    private static String way(List<HistoryEvent> order) {
        if (order.isEmpty()) {
            return "at the beginning";
        }
        int from = Math.max(0, order.size() - ORDER_SHOWN);
        return (from > 0 ? "after " + from + " others and then " : "after ")
                + order.subList(from, order.size()).stream()
                        .map(e -> e.f() + " " + e.index())
                        .collect(Collectors.joining(", "));
    }

    private static List<String> hanging(String first, String text) {
        List<String> lines = new ArrayList<>();
        String indent = " ".repeat(Math.min(first.length(), 20) + 2);
        List<String> words = wrapped(text, COLUMNS - indent.length());
        lines.add("  " + first + words.getFirst());
        words.subList(1, words.size()).forEach(line -> lines.add(indent + line));
        return lines;
    }

    /** Breaks at spaces only: a long value stays in one piece. */
    static List<String> wrapped(String text, int columns) {
        List<String> lines = new ArrayList<>();
        var line = new StringBuilder();
        for (String word : text.split(" ", -1)) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > columns) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }
}
