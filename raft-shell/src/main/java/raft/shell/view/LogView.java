package raft.shell.view;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.LogLine;
import raft.harness.cluster.LogWindow;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * All nodes' logs side by side, one column a node and one line an index, like Figure 7 turned by a
 * quarter: each cell is an entry's term, marked where the node takes it for committed; the first
 * index at which two logs differ is pointed at.
 */
public final class LogView {
    private LogView() {}

    /**
     * At most {@code most} indices, the newest; older ones that are equal everywhere are folded.
     */
    public static List<String> lines(List<LogWindow> logs, int most, int width, Paint paint) {
        SortedSet<Long> indices = new TreeSet<>();
        List<SortedMap<Long, LogLine>> columns = new ArrayList<>();
        for (LogWindow log : logs) {
            SortedMap<Long, LogLine> column = new TreeMap<>();
            log.entries().forEach(entry -> column.put(entry.index(), entry));
            columns.add(column);
            indices.addAll(column.keySet());
        }
        List<String> lines = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        for (LogWindow log : logs) {
            if (!log.problem().isEmpty()) {
                problems.add(log.node() + ": " + log.problem());
            }
        }
        if (indices.isEmpty()) {
            lines.add("no log has an entry");
            lines.addAll(problems);
            return lines;
        }
        long divergence = firstDivergence(logs, columns, indices);
        List<Long> shown = new ArrayList<>(indices);
        int from = Math.max(0, shown.size() - most);
        if (divergence > 0) {
            // What differs must be seen, with one line before it.
            from = Math.min(from, Math.max(0, shown.indexOf(divergence) - 1));
        }
        int cell = 4;
        for (LogWindow log : logs) {
            cell = Math.max(cell, log.node().length());
        }
        for (SortedMap<Long, LogLine> column : columns) {
            for (LogLine entry : column.values()) {
                cell = Math.max(cell, Long.toString(entry.term()).length() + 1);
            }
        }
        StringBuilder head = new StringBuilder(String.format("%7s", "index"));
        for (LogWindow log : logs) {
            head.append("  ").append(pad(log.node(), cell));
        }
        head.append("  what");
        lines.add(paint.strong(head.toString()));
        if (from > 0) {
            lines.add(
                    paint.dim(
                            String.format(
                                    "%7s  %d before, the same in all logs that have them",
                                    "…", from)));
        }
        for (long index : shown.subList(from, Math.min(shown.size(), from + most))) {
            lines.add(line(index, logs, columns, cell, width, index == divergence, paint));
        }
        if (from + most < shown.size()) {
            lines.add(paint.dim(String.format("%7s  %d more", "…", shown.size() - from - most)));
        }
        StringBuilder foot = new StringBuilder(String.format("%7s", "commit"));
        for (LogWindow log : logs) {
            foot.append("  ").append(pad(Long.toString(log.commitIndex()), cell));
        }
        lines.add(paint.dim(foot.toString().stripTrailing()));
        if (divergence > 0) {
            TextLines.wrap(
                            "",
                            "the logs differ from index "
                                    + divergence
                                    + " on; 'log --from "
                                    + Math.max(1, divergence - 1)
                                    + "' looks here again",
                            width)
                    .forEach(line -> lines.add(paint.unsure(line)));
        } else {
            lines.add("the logs agree as far as they reach");
        }
        TextLines.wrap("", "a cell is an entry's term; * the node takes it for committed", width)
                .forEach(line -> lines.add(paint.dim(line)));
        lines.addAll(problems);
        return lines;
    }

    /** The first index at which two nodes hold different terms; 0 where there is none. */
    private static long firstDivergence(
            List<LogWindow> logs, List<SortedMap<Long, LogLine>> columns, SortedSet<Long> indices) {
        for (long index : indices) {
            long term = 0;
            for (int i = 0; i < columns.size(); i++) {
                LogLine entry = columns.get(i).get(index);
                if (entry != null && index >= logs.get(i).firstIndex()) {
                    if (term != 0 && term != entry.term()) {
                        return index;
                    }
                    term = entry.term();
                }
            }
        }
        return 0;
    }

    private static String line(
            long index,
            List<LogWindow> logs,
            List<SortedMap<Long, LogLine>> columns,
            int cell,
            int width,
            boolean diverges,
            Paint paint) {
        StringBuilder line = new StringBuilder(String.format("%s%6d", diverges ? ">" : " ", index));
        int plain = line.length();
        List<String> what = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            LogLine entry = columns.get(i).get(index);
            boolean committed = entry != null && index <= logs.get(i).commitIndex();
            String text =
                    entry == null
                            ? index < logs.get(i).firstIndex() ? "snap" : ""
                            : entry.term() + (committed ? "*" : "");
            String padded = pad(text, cell);
            line.append("  ")
                    .append(
                            committed
                                    ? paint.good(padded)
                                    : entry == null ? padded : paint.unsure(padded));
            plain += 2 + cell;
            String summary = summary(entry);
            if (summary != null && !what.contains(summary)) {
                what.add(summary);
            }
        }
        String words = String.join(" | ", what);
        int room = width - plain - 2;
        if (room > 3) {
            line.append("  ")
                    .append(words.length() <= room ? words : words.substring(0, room - 1) + "…");
        }
        return line.toString().stripTrailing();
    }

    private static @Nullable String summary(@Nullable LogLine entry) {
        if (entry == null) {
            return null;
        }
        return entry.summary().isEmpty() ? entry.kind() : entry.summary();
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }
}
