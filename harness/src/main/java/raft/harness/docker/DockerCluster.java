package raft.harness.docker;

import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.system.SystemClients;
import raft.harness.system.SystemUnderTest;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Five (or one to nine) nodes as pods of two containers in a network of their own.
 *
 * <p>Nothing that takes time happens in the caller's thread; what came of it arrives through {@link
 * #poll}.
 *
 * <p>{@link #close} may be called by any thread, a shutdown hook's say, and at any moment.
 */
public final class DockerCluster extends ContainerCluster {
    private final Containers containers;
    private final StatusProbe statuses;
    private final SystemClients clients;
    private final List<String> names;
    private final List<String> spares;
    private final Injector injector;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * Starts a cluster and waits until every node answers.
     *
     * @param runFolder where the nodes' logs go, in {@code nodes/<id>/node.log}
     * @param progress told one sentence about everything that takes time
     * @throws EngineException when it does not come up; what had been made is gone again, the logs
     *     are kept
     */
    public static DockerCluster start(
            DockerOptions options, Path runFolder, Consumer<String> progress)
            throws EngineException {
        Engine engine = Engine.connect();
        Containers containers = null;
        try {
            Cleaner.cleanStale(engine).forEach(progress);
            Images.Ready images = Images.ensure(engine, options.system().image(), progress);
            containers = new Containers(engine, options, images, runFolder);
            containers.start();
            DockerCluster cluster =
                    new DockerCluster(
                            containers,
                            options,
                            new StatusProbe(
                                    options.system(),
                                    containers.addresses(Pod::http),
                                    options.credentials()));
            cluster.awaitNodes(options.startupTimeoutMillis());
            return cluster;
        } catch (EngineException | RuntimeException e) {
            // Whoever was interrupted would else break off the removal as well.
            boolean interrupted = Thread.interrupted();
            if (containers != null) {
                containers.close();
            } else {
                engine.close();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
                throw new EngineException("interrupted before the cluster was up", e);
            }
            throw e instanceof EngineException known
                    ? known
                    : new EngineException("the Docker engine failed: " + Engine.rootMessage(e), e);
        }
    }

    private DockerCluster(Containers containers, DockerOptions options, StatusProbe statuses)
            throws EngineException {
        super(statuses);
        this.containers = containers;
        SystemUnderTest system = options.system();
        this.statuses = statuses;
        this.clients =
                system.clients(containers.addresses(Pod::client), this::nowNanos, this::complete);
        List<String> all = containers.pods().stream().map(Pod::node).sorted().toList();
        this.names = all.stream().filter(node -> !containers.isSpare(node)).toList();
        this.spares = all.stream().filter(containers::isSpare).toList();
        try {
            this.injector = new Injector(containers, names, statuses, options);
        } catch (IOException e) {
            throw new EngineException("a pod's shell does not work: " + e.getMessage(), e);
        }
    }

    private void awaitNodes(long timeoutMillis) throws EngineException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        while (true) {
            List<String> silent =
                    statuses.askAll(OBSERVE_MILLIS).join().stream()
                            .filter(status -> !status.reachable())
                            .map(NodeStatus::node)
                            .toList();
            if (silent.isEmpty()) {
                return;
            }
            String ended = containers.firstEnded(silent);
            if (ended != null || System.nanoTime() - deadline > 0) {
                String node = ended != null ? ended : silent.getFirst();
                String message =
                        ended != null
                                ? "the node " + node + " ended while it started"
                                : "the node "
                                        + node
                                        + " did not answer within "
                                        + timeoutMillis
                                        + " ms";
                throw new EngineException(message + containers.whatItSaid(node));
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new EngineException("interrupted while the nodes started", e);
            }
        }
    }

    @Override
    public List<String> nodes() {
        return names;
    }

    @Override
    public List<String> spares() {
        return spares;
    }

    @Override
    public void invoke(Invocation invocation) {
        clients.invoke(invocation);
    }

    @Override
    public void inject(ActiveFault fault) {
        report(fault.id(), true, injector.inject(fault));
    }

    @Override
    public void heal(ActiveFault fault) {
        report(fault.id(), false, injector.heal(fault));
    }

    private void report(long fault, boolean injected, CompletableFuture<FaultOutcome> outcome) {
        var reported =
                outcome.exceptionally(
                                failure ->
                                        Findings.of(
                                                Status.INDETERMINATE,
                                                "the harness failed: "
                                                        + Engine.rootMessage(failure)))
                        .thenAccept(
                                found ->
                                        complete(
                                                new Completion.FaultChange(
                                                        fault, injected, found)));
        assert reported != null;
    }

    @Override
    public Map<FaultKind, String> impossible() {
        return injector.impossible();
    }

    /** Where a person's tools reach a node: the client port and the HTTP port on this machine. */
    public Map<String, InetSocketAddress> clientAddresses() {
        return containers.addresses(Pod::client);
    }

    public Map<String, InetSocketAddress> httpAddresses() {
        return containers.addresses(Pod::http);
    }

    /** A node's two containers, for tests that look behind the harness. */
    Pod pod(String node) {
        return containers.pods().stream()
                .filter(pod -> pod.node().equals(node))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no such node: " + node));
    }

    @Override
    public List<String> crashes() {
        return injector.crashes();
    }

    @Override
    public void healAll() {
        injector.healAll();
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        clients.close();
        injector.close();
        statuses.close();
        containers.close();
    }
}
