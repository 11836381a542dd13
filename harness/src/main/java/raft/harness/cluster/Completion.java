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
            implements Completion {
        /**
         * As it ended; {@link Outcomes} decides what that is.
         *
         * @param learnt null where nothing was
         * @param detail of an error, "" where there is none
         */
        public static Operation of(
                Invocation invocation,
                Outcomes.Ending ending,
                @Nullable Value learnt,
                String detail,
                @Nullable String node,
                long term,
                long logIndex) {
            HistoryEvent.Type type = Outcomes.type(invocation.f(), ending);
            return new Operation(
                    invocation,
                    type,
                    learnt == null ? invocation.value() : learnt,
                    node,
                    type == HistoryEvent.Type.OK ? null : ending.error(detail),
                    term,
                    logIndex);
        }
    }

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
