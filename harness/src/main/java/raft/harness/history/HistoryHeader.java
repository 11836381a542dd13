package raft.harness.history;

import java.util.List;

/**
 * The first line of a history file.
 *
 * @param schema version of the file format, now {@link #SCHEMA}
 * @param run the run's id
 * @param workload its name, "register" say
 * @param model the sequential specification to check against, "cas-register" say
 * @param nodes the members' names
 * @param seed of the run
 */
public record HistoryHeader(
        int schema, String run, String workload, String model, List<String> nodes, long seed) {
    public static final int SCHEMA = 1;

    public HistoryHeader {
        nodes = List.copyOf(nodes);
    }
}
