package raft.harness.cluster;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A cluster that shows a person the inside of its nodes. Nothing here is part of a history.
 *
 * <p>Called by the thread that owns the cluster; nothing blocks, nothing fails: what cannot be had
 * within its time comes as an answer that says so.
 */
public interface Inspection {
    /**
     * All nodes' status, sorted by name; those that hang are unreachable.
     *
     * @param timeoutMillis after which a node counts as hanging, > 0
     */
    CompletableFuture<List<NodeStatus>> statuses(long timeoutMillis);

    /**
     * A part of every node's log, sorted by name.
     *
     * @param fromIndex first index wanted, ≥ 1
     * @param count most entries, ≥ 1
     */
    CompletableFuture<List<LogWindow>> logs(long fromIndex, int count, long timeoutMillis);

    /**
     * What changed in the nodes since a moment, each node's changes in its order; nothing of nodes
     * that do not tell.
     *
     * @param after by node, the last change that is known; nodes that are not named tell all they
     *     have kept
     */
    CompletableFuture<List<Transition>> transitions(
            Map<String, Transition> after, long timeoutMillis);
}
