package raft.harness.report;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryIndex;
import raft.harness.history.Value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A stretch of a history for a terminal: faults as bars, then either each process's operations one
 * by one, or, where they are too many for that, how many there were in each column.
 */
public final class TextTimeline {
    private static final int LABEL = 17;
    private static final int LANES_MAX = 40;
    private static final String SHADES = "▁▂▃▄▅▆▇█";

    private final HistoryIndex history;
    private final long fromNanos;
    private final long toNanos;
    private final int columns;
    private final List<String> lines = new ArrayList<>();

    private TextTimeline(HistoryIndex history, long fromNanos, long toNanos, int width) {
        this.history = history;
        this.fromNanos = fromNanos;
        this.toNanos = Math.max(toNanos, fromNanos + 1);
        this.columns = Math.max(20, width - LABEL - 1);
    }

    /**
     * Draws it.
     *
     * @param events numbers of the events to show, whole operations, in order
     * @param width columns of the terminal
     */
    public static List<String> draw(
            HistoryIndex history, int[] events, long fromNanos, long toNanos, int width) {
        var timeline = new TextTimeline(history, fromNanos, toNanos, width);
        timeline.axis();
        timeline.faults();
        Map<Long, List<Integer>> lanes = new LinkedHashMap<>();
        int operations = 0;
        for (int number : events) {
            if (history.isOperation(number)) {
                operations++;
                lanes.computeIfAbsent(history.process(number), p -> new ArrayList<>()).add(number);
            }
        }
        boolean oneByOne =
                lanes.size() <= LANES_MAX && operations <= lanes.size() * timeline.columns / 4;
        if (oneByOne) {
            lanes.entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(lane -> timeline.lane(lane.getKey(), lane.getValue()));
            timeline.lines.add("");
            timeline.lines.add(
                    "  [w 3] from invocation to ok   [w 3! failed   [w 3? unknown, may happen yet");
        } else {
            timeline.density(events);
        }
        return timeline.lines;
    }

    private void axis() {
        char[] row = blank();
        StringBuilder labels = new StringBuilder(" ".repeat(columns));
        int marks = Math.max(2, columns / 15);
        for (int i = 0; i <= marks; i++) {
            int at = Math.min(columns - 1, i * (columns - 1) / marks);
            row[at] = '┬';
            String label = time(fromNanos + (toNanos - fromNanos) * i / marks);
            int from = Math.clamp(at - label.length() / 2, 0, columns - label.length());
            labels.replace(from, from + label.length(), label);
        }
        for (int i = 0; i < columns; i++) {
            row[i] = row[i] == ' ' ? '─' : row[i];
        }
        lines.add(label("") + labels);
        lines.add(label("") + new String(row));
    }

    private String time(long nanos) {
        long span = toNanos - fromNanos;
        return span < 2_000_000_000L
                ? String.format(Locale.ROOT, "%.1f ms", nanos / 1e6)
                : String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }

    private char[] blank() {
        char[] row = new char[columns];
        Arrays.fill(row, ' ');
        return row;
    }

    private int column(long nanos) {
        double share = (double) (nanos - fromNanos) / (toNanos - fromNanos);
        return Math.clamp((long) (share * columns), 0, columns - 1);
    }

    private static String label(String text) {
        String cut = text.length() > LABEL ? text.substring(0, LABEL - 1) + "…" : text;
        return cut + " ".repeat(LABEL - cut.length() + 1);
    }

    private void faults() {
        long end = history.size() == 0 ? 0 : history.timeNanos(history.size() - 1);
        boolean any = false;
        for (FaultSpan fault : FaultSpan.of(history)) {
            long from = fault.installedNanos() >= 0 ? fault.installedNanos() : fault.askedNanos();
            long to = fault.endNanos(end);
            if (to < fromNanos || from > toNanos) {
                continue;
            }
            any = true;
            char[] row = blank();
            Arrays.fill(row, column(from), column(to) + 1, fault.isProven() ? '▒' : '·');
            lines.add(label(fault.kind()) + new String(row).stripTrailing());
        }
        if (any) {
            lines.add("");
        }
    }

    private void lane(long process, List<Integer> operations) {
        char[] row = blank();
        for (int number : operations) {
            HistoryEvent asked = history.event(number);
            int partner = history.partner(number);
            HistoryEvent ended = partner < 0 ? null : history.event(partner);
            int from = column(asked.timeNanos());
            int to = ended == null ? columns - 1 : column(ended.timeNanos());
            char close = close(ended);
            for (int i = from; i <= to; i++) {
                row[i] = i == from ? '[' : i == to ? close : '─';
            }
            if (to == from) {
                row[from] = close == ']' ? '|' : close;
            }
            String words = brief(asked, ended);
            if (words.length() <= to - from - 1) {
                int at = from + 1 + (to - from - 1 - words.length()) / 2;
                words.getChars(0, words.length(), row, at);
            }
        }
        lines.add(label("process " + process) + new String(row).stripTrailing());
    }

    private static char close(@org.jspecify.annotations.Nullable HistoryEvent ended) {
        if (ended == null || ended.type() == Type.INFO) {
            return '?';
        }
        return ended.type() == Type.OK ? ']' : '!';
    }

    private static String brief(
            HistoryEvent asked, @org.jspecify.annotations.Nullable HistoryEvent ended) {
        HistoryEvent learnt = ended != null && ended.type() == Type.OK ? ended : null;
        Value value = (learnt == null ? asked : learnt).value();
        String key = asked.key() instanceof Value.Nil ? "" : HistoryIndex.plain(asked.key()) + "=";
        return asked.f().charAt(0)
                + " "
                + key
                + (value instanceof Value.Nil ? (learnt == null ? "" : "nil") : value.toString());
    }

    private void density(int[] events) {
        int[][] counts = new int[4][columns];
        for (int number : events) {
            if (history.process(number) >= 0) {
                counts[history.type(number).ordinal()][column(history.timeNanos(number))]++;
            }
        }
        bars("ok", counts[Type.OK.ordinal()]);
        bars("failed", counts[Type.FAIL.ordinal()]);
        bars("unknown", counts[Type.INFO.ordinal()]);
        lines.add("");
        lines.add(
                String.format(
                        Locale.ROOT,
                        "  a column is %s; a full bar is the number on the left",
                        time((toNanos - fromNanos) / columns)));
        lines.add("  to see operations one by one: --from, --to, --key or --process");
    }

    private void bars(String name, int[] counts) {
        int most = Arrays.stream(counts).max().orElse(0);
        char[] row = blank();
        for (int i = 0; i < columns; i++) {
            if (counts[i] > 0) {
                int height = (int) ((long) counts[i] * (SHADES.length() - 1) / Math.max(1, most));
                row[i] = SHADES.charAt(height);
            }
        }
        lines.add(
                label(String.format(Locale.ROOT, "%-8s%8d", name, most))
                        + new String(row).stripTrailing());
    }
}
