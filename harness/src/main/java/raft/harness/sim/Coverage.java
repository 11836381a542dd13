package raft.harness.sim;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What runs have reached: for every message that was delivered, the cell of (receiver's role ×
 * message × its term against the receiver's × the logs of the two × the receiver's disk), and every
 * {@link Sometimes}. Not thread-safe.
 *
 * <p>Not every cell can be reached: a leader gets no vote request of its own term that it did not
 * outvote, say. The figure is for comparing one set of faults with another, and the list of what
 * was never seen for finding what is missing.
 */
public final class Coverage {
    /** How the message's term compares with the receiver's. */
    public enum Term {
        EARLIER,
        SAME,
        LATER
    }

    /** How the receiver's log compares with the sender's at that moment. */
    public enum Logs {
        EQUAL,
        BEHIND,
        AHEAD,
        DIVERGED,
        /** The sender is down by now. */
        UNKNOWN
    }

    /** What the receiver's disk does. */
    public enum DiskState {
        IDLE,
        SYNCING,
        SYNCING_AND_MORE_WAITING
    }

    private static final int INNER =
            Term.values().length * Logs.values().length * DiskState.values().length;

    private final List<String> roles;
    private final List<String> messages;
    private final long[] cells;
    private final long[] sometimes = new long[Sometimes.values().length];

    /**
     * @param roles names of the roles
     * @param messages names of the kinds of message
     */
    public Coverage(List<String> roles, List<String> messages) {
        this.roles = List.copyOf(roles);
        this.messages = List.copyOf(messages);
        this.cells = new long[roles.size() * messages.size() * INNER];
    }

    /** A message was delivered; role and message by their place in the lists given. */
    public void delivered(int role, int message, Term term, Logs logs, DiskState disk) {
        int outer = role * messages.size() + message;
        int inner =
                (term.ordinal() * Logs.values().length + logs.ordinal()) * DiskState.values().length
                        + disk.ordinal();
        cells[outer * INNER + inner]++;
    }

    /** A situation came up. */
    public void reached(Sometimes situation) {
        sometimes[situation.ordinal()]++;
    }

    /** Adds what another run reached; its lists must be the same. */
    public void add(Coverage other) {
        if (!roles.equals(other.roles) || !messages.equals(other.messages)) {
            throw new IllegalArgumentException("coverage of another kind of node");
        }
        for (int i = 0; i < cells.length; i++) {
            cells[i] += other.cells[i];
        }
        for (int i = 0; i < sometimes.length; i++) {
            sometimes[i] += other.sometimes[i];
        }
    }

    /** Nothing reached, with the same lists. */
    public Coverage empty() {
        return new Coverage(roles, messages);
    }

    public int cellCount() {
        return cells.length;
    }

    public int reachedCellCount() {
        int count = 0;
        for (long cell : cells) {
            count += cell > 0 ? 1 : 0;
        }
        return count;
    }

    /** How often a situation came up. */
    public long count(Sometimes situation) {
        return sometimes[situation.ordinal()];
    }

    /** Situations that never came up. */
    public List<Sometimes> never() {
        List<Sometimes> never = new ArrayList<>();
        for (Sometimes situation : Sometimes.values()) {
            if (count(situation) == 0) {
                never.add(situation);
            }
        }
        return never;
    }

    /** Two lines at least: cells, situations, and which of these are missing. */
    public List<String> words() {
        List<String> lines = counts();
        never().forEach(situation -> lines.add("  never: " + situation.words()));
        return lines;
    }

    /** The first two of {@link #words}: of one run, most situations are missing. */
    public List<String> counts() {
        List<Sometimes> never = never();
        List<String> lines = new ArrayList<>();
        lines.add(
                String.format(
                        Locale.ROOT,
                        "coverage: %d of %d cells (role, message, term, logs, disk)",
                        reachedCellCount(),
                        cellCount()));
        lines.add(
                String.format(
                        Locale.ROOT,
                        "sometimes: %d of %d situations came up",
                        sometimes.length - never.size(),
                        sometimes.length));
        return lines;
    }

    /** For coverage.json: situations with their counts, and reached cells by name. */
    public Map<String, Object> document() {
        Map<String, Object> situations = new LinkedHashMap<>();
        for (Sometimes situation : Sometimes.values()) {
            situations.put(situation.words(), count(situation));
        }
        Map<String, Object> reached = new LinkedHashMap<>();
        for (int i = 0; i < cells.length; i++) {
            if (cells[i] > 0) {
                reached.put(cellName(i), cells[i]);
            }
        }
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("sometimes", situations);
        document.put("cellCount", cellCount());
        document.put("reachedCellCount", reachedCellCount());
        document.put("cells", reached);
        return document;
    }

    private String cellName(int cell) {
        int disks = DiskState.values().length;
        int logs = Logs.values().length;
        int inner = cell % INNER;
        int outer = cell / INNER;
        return String.join(
                        " ",
                        roles.get(outer / messages.size()),
                        messages.get(outer % messages.size()),
                        "term-" + Term.values()[inner / (disks * logs)].name(),
                        "logs-" + Logs.values()[inner / disks % logs].name(),
                        "disk-" + DiskState.values()[inner % disks].name())
                .toLowerCase(Locale.ROOT);
    }
}
