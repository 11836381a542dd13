package raft.harness.cluster;

import java.util.List;

/**
 * A part of one node's log.
 *
 * @param problem why there is nothing to see, "" where there is
 * @param firstIndex the first index that the node still has; 1 before any compaction
 * @param commitIndex what it takes for committed
 * @param entries ascending by index
 */
public record LogWindow(
        String node, String problem, long firstIndex, long commitIndex, List<LogLine> entries) {
    public LogWindow {
        entries = List.copyOf(entries);
    }

    /** Of a node that does not show its log. */
    public static LogWindow missing(String node, String problem) {
        return new LogWindow(node, problem, 1, 0, List.of());
    }
}
