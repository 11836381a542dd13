package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.Credentials;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.Outcomes;
import raft.harness.cluster.Outcomes.Ending;
import raft.harness.history.HistoryEvent;
import raft.harness.system.SystemClients;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The clients of a run, over the client protocol: every process with its own connections, all of
 * them served by one thread that never blocks on any.
 *
 * <p>One thread rather than one per process, because it sees a connection end the moment it ends,
 * also while nobody uses it: a node that was killed between two operations costs a new connection
 * and not an operation of unknown outcome. It also needs two system calls an operation and no
 * hand-over between threads.
 *
 * <p>Every invocation ends as exactly one {@link Completion.Operation}, given to the sink by that
 * thread (or by the caller, after {@link #close}); {@link Outcomes} decides its type. The sink must
 * neither block nor throw.
 */
public final class ProtocolClients implements SystemClients {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Map<String, InetSocketAddress> nodes;
    private final @Nullable Credentials credentials;
    private final LongSupplier nowNanos;
    private final Consumer<Completion> sink;
    private final Selector selector;
    private final Thread thread;

    // ---- shared by callers and the thread
    private final Set<Long> busyProcesses = ConcurrentHashMap.newKeySet();
    private final Object gate = new Object();
    private List<Started> started = new ArrayList<>();
    private boolean closed;

    // ---- the thread's own
    private final Map<Long, ClientLane> lanes = new HashMap<>();

    /** No operation's time is up before this; early is harmless, it is computed again then. */
    private long nextDeadlineNanos = Long.MAX_VALUE;

    private record Started(Invocation invocation, long deadlineNanos) {}

    /** In plain text. */
    public ProtocolClients(
            Map<String, InetSocketAddress> nodes,
            LongSupplier nowNanos,
            Consumer<Completion> sink) {
        this(nodes, null, nowNanos, sink);
    }

    /**
     * Starts the thread; connections are made when first needed.
     *
     * @param nodes where each node listens for clients, by its name; resolved
     * @param credentials for TLS, in which a node's certificate must name it; null: in plain text
     * @param nowNanos the run's monotonic clock; called by any thread
     * @param sink takes the completions
     * @throws UncheckedIOException when the system has no selector to give
     */
    public ProtocolClients(
            Map<String, InetSocketAddress> nodes,
            @Nullable Credentials credentials,
            LongSupplier nowNanos,
            Consumer<Completion> sink) {
        nodes.forEach(
                (node, address) -> {
                    if (address.isUnresolved()) {
                        throw new IllegalArgumentException(
                                "the address of " + node + " is not resolved: " + address);
                    }
                });
        this.nodes = Map.copyOf(nodes);
        this.credentials = credentials;
        this.nowNanos = nowNanos;
        this.sink = sink;
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException("no selector for the clients", e);
        }
        thread = Thread.ofPlatform().daemon().name("protocol-clients").unstarted(this::run);
        thread.start();
    }

    /**
     * Starts an operation and returns at once. After {@link #close} it ends at once as a failure.
     *
     * @throws IllegalArgumentException for a node that is not among those given
     * @throws IllegalStateException when the process has an operation under way
     */
    @Override
    public void invoke(Invocation invocation) {
        if (!nodes.containsKey(invocation.node())) {
            throw new IllegalArgumentException(
                    "no node " + invocation.node() + " among " + nodes.keySet());
        }
        if (!busyProcesses.add(invocation.process())) {
            throw new IllegalStateException(
                    "process " + invocation.process() + " has an operation under way");
        }
        long deadlineNanos = nowNanos.getAsLong() + invocation.timeoutNanos();
        synchronized (gate) {
            if (!closed) {
                started.add(new Started(invocation, deadlineNanos));
                if (started.size() == 1) {
                    selector.wakeup();
                }
                return;
            }
        }
        refuse(invocation);
    }

    /** Ends what is under way, then all connections. Idempotent; waits for the thread to end. */
    @Override
    public void close() {
        synchronized (gate) {
            closed = true;
        }
        selector.wakeup();
        if (Thread.currentThread() == thread) {
            return;
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try (selector) {
            while (!isClosed()) {
                selector.select(this::selected, selectMillis());
                takeStarted().forEach(this::start);
                expire();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the clients cannot go on", e);
        } finally {
            // Whatever ended the loop, nobody waits for ever for a completion.
            endAll();
        }
    }

    private boolean isClosed() {
        synchronized (gate) {
            return closed;
        }
    }

    private List<Started> takeStarted() {
        synchronized (gate) {
            if (started.isEmpty()) {
                return List.of();
            }
            List<Started> taken = started;
            started = new ArrayList<>();
            return taken;
        }
    }

    private void selected(SelectionKey key) {
        ((NodeLink) key.attachment()).selected();
    }

    /** Time until the next deadline in whole milliseconds, at least 1; 0 waits without end. */
    private long selectMillis() {
        if (nextDeadlineNanos == Long.MAX_VALUE) {
            return 0;
        }
        long nanos = nextDeadlineNanos - nowNanos.getAsLong();
        return Math.max(1, (nanos + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI);
    }

    private void start(Started op) {
        lanes.computeIfAbsent(
                        op.invocation().process(),
                        _ ->
                                new ClientLane(
                                        nodes,
                                        credentials,
                                        selector,
                                        nowNanos,
                                        this::wakeAt,
                                        this::complete))
                .start(op.invocation(), op.deadlineNanos());
    }

    private void wakeAt(long nanos) {
        nextDeadlineNanos = Math.min(nextDeadlineNanos, nanos);
    }

    private void expire() {
        long now = nowNanos.getAsLong();
        if (now < nextDeadlineNanos) {
            return;
        }
        lanes.values().stream()
                .filter(lane -> lane.deadlineNanos() <= now)
                .toList()
                .forEach(ClientLane::expire);
        nextDeadlineNanos =
                lanes.values().stream()
                        .mapToLong(ClientLane::deadlineNanos)
                        .min()
                        .orElse(Long.MAX_VALUE);
    }

    private void complete(Completion.Operation completion) {
        long process = completion.invocation().process();
        if (completion.type() == HistoryEvent.Type.INFO) {
            lanes.remove(process);
        }
        busyProcesses.remove(process);
        sink.accept(completion);
    }

    private void endAll() {
        synchronized (gate) {
            closed = true;
        }
        for (ClientLane lane : List.copyOf(lanes.values())) {
            lane.close();
        }
        takeStarted().forEach(op -> refuse(op.invocation()));
    }

    private void refuse(Invocation invocation) {
        busyProcesses.remove(invocation.process());
        sink.accept(
                Completion.Operation.of(invocation, Ending.CLOSED_UNSENT, null, "", null, 0, 0));
    }
}
