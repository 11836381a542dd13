package raft.harness.cluster;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.nemesis.FaultOutcome;

import java.util.List;

/** What came of something the harness asked a cluster to do. */
public sealed interface Completion {
    /**
     * A client operation ended.
     *
     * @param type OK, FAIL or INFO as {@link Outcomes} decides, never INVOKE
     * @param value what was learnt; the invocation's where nothing was
     * @param node the node that answered, null where none did
     * @param term 0 where unknown
     * @param logIndex 0 where unknown
     */
    record Operation(
            Invocation invocation,
            HistoryEvent.Type type,
            Value value,
            @Nullable String node,
            @Nullable String error,
            long term,
            long logIndex)
            implements Completion {}

    /** A fault was put into effect, or taken back, and looked at. */
    record FaultChange(long faultId, boolean injected, FaultOutcome outcome)
            implements Completion {}

    /** A fresh look at the nodes, asked for by {@link Cluster#observe}. */
    record Observation(List<NodeStatus> nodes) implements Completion {
        public Observation {
            nodes = List.copyOf(nodes);
        }
    }
}
