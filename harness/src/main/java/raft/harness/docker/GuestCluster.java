package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Cluster;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Inspection;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.LogWindow;
import raft.harness.cluster.NodeStatus;
import raft.harness.cluster.Transition;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultOutcome.Status;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Somebody else's cluster of containers, to read, write and look at. Faults are its holder's: who
 * put one in force is the only one who knows what to take back. Closing it leaves it as it is.
 */
public final class GuestCluster implements Cluster, Inspection {
    private static final long OBSERVE_MILLIS = 800;

    private final long originNanos = System.nanoTime();
    private final RunningCluster host;
    private final StatusProbe statuses;
    private final ProtocolClients clients;
    private final BlockingQueue<Completion> completions = new LinkedBlockingQueue<>();

    public GuestCluster(RunningCluster host) {
        this.host = host;
        this.statuses = new StatusProbe(ProtocolSystem.ofImage("attached"), host.http());
        this.clients = new ProtocolClients(host.clients(), this::nowNanos, completions::add);
    }

    private String reason() {
        return "process "
                + host.pid()
                + " started this cluster and holds its faults; make them there";
    }

    @Override
    public String kind() {
        return "docker";
    }

    @Override
    public List<String> nodes() {
        return host.nodes();
    }

    @Override
    public long nowNanos() {
        return System.nanoTime() - originNanos;
    }

    @Override
    public void invoke(Invocation invocation) {
        clients.invoke(invocation);
    }

    @Override
    public void inject(ActiveFault fault) {
        completions.add(
                new Completion.FaultChange(
                        fault.id(), true, Findings.of(Status.SKIPPED, reason())));
    }

    @Override
    public void heal(ActiveFault fault) {
        completions.add(
                new Completion.FaultChange(
                        fault.id(), false, Findings.of(Status.SKIPPED, reason())));
    }

    @Override
    public Map<FaultKind, String> impossible() {
        Map<FaultKind, String> all = new EnumMap<>(FaultKind.class);
        for (FaultKind kind : FaultKind.values()) {
            all.put(kind, reason());
        }
        return all;
    }

    @Override
    public void observe() {
        var reported =
                statuses.askAll(OBSERVE_MILLIS)
                        .thenAccept(seen -> completions.add(new Completion.Observation(seen)));
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

    @Override
    public @Nullable Completion poll(long deadlineNanos) throws InterruptedException {
        return completions.poll(Math.max(0, deadlineNanos - nowNanos()), TimeUnit.NANOSECONDS);
    }

    @Override
    public void healAll() {
        // Nothing of it is ours.
    }

    @Override
    public void close() {
        clients.close();
        statuses.close();
    }
}
