package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Cluster;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Inspection;
import raft.harness.cluster.LogWindow;
import raft.harness.cluster.NodeStatus;
import raft.harness.cluster.Transition;

import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What is alike in a cluster of containers of one's own and in somebody else's: looking at it. */
abstract class ContainerCluster implements Cluster, Inspection {
    /** A node that has not answered by then is not reachable. */
    static final long OBSERVE_MILLIS = 800;

    private final long originNanos = System.nanoTime();
    private final StatusProbe statuses;
    private final BlockingQueue<Completion> completions = new LinkedBlockingQueue<>();

    ContainerCluster(StatusProbe statuses) {
        this.statuses = statuses;
    }

    @Override
    public String kind() {
        return "docker";
    }

    @Override
    public long nowNanos() {
        return System.nanoTime() - originNanos;
    }

    /** Hands on what came of something; by any thread. */
    void complete(Completion completion) {
        completions.add(completion);
    }

    @Override
    public @Nullable Completion poll(long deadlineNanos) throws InterruptedException {
        return completions.poll(Math.max(0, deadlineNanos - nowNanos()), TimeUnit.NANOSECONDS);
    }

    @Override
    public void observe() {
        var reported =
                statuses.askAll(OBSERVE_MILLIS)
                        .thenAccept(seen -> complete(new Completion.Observation(seen)));
        assert reported != null;
    }

    @Override
    public CompletableFuture<List<NodeStatus>> statuses(long timeoutMillis) {
        return statuses.askAll(timeoutMillis);
    }

    @Override
    public CompletableFuture<List<LogWindow>> logs(long fromIndex, int count, long timeoutMillis) {
        return statuses.logsOfAll(fromIndex, count, timeoutMillis);
    }

    @Override
    public CompletableFuture<List<Transition>> transitions(
            Map<String, Transition> after, long timeoutMillis) {
        return statuses.transitionsOfAll(after, timeoutMillis);
    }
}
