package raft.shell.live;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Cluster;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Inspection;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.LogWindow;
import raft.harness.cluster.NodeStatus;
import raft.harness.cluster.SelfChecking;
import raft.harness.cluster.Transition;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryHeader;
import raft.harness.history.Value;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.sim.travel.Decision;
import raft.harness.sim.travel.Moment;
import raft.harness.sim.travel.Travel;
import raft.harness.workload.Workload;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A cluster in a person's hands: the interactive counterpart of the interpreter. One thread owns
 * the cluster, polls it, records the history and announces what happens; everybody else asks that
 * thread.
 *
 * <p>Virtual time goes on by itself at {@link #speed}; at speed 0 it stands still and goes on only
 * while somebody waits for something, which makes scripts repeatable.
 */
public final class LiveCluster implements AutoCloseable {
    /** A node that has not answered by then counts as hanging. */
    private static final long STATUS_MILLIS = 150;

    private static final long LOOK_EVERY_NANOS = 250_000_000;
    private static final long SLICE_NANOS = 5_000_000;
    private static final long VIRTUAL_SLICE_NANOS = 1_000_000;

    /** Processes that a person's own operations use; a workload's come after. */
    public static final long TYPED_PROCESSES = 100;

    /** Where a person's processes begin beside those of a loaded run. */
    private static final long BESIDE_LOADED = 100_000;

    /** Each workload has as many process numbers for itself, from this number on. */
    private static final long WORKLOAD_PROCESSES = 1_000_000_000;

    private final Cluster cluster;
    private final @Nullable Travel travel;
    private final Path folder;
    private final Consumer<String> announce;
    private final Recorder recorder;
    private final long typedFrom;
    private final LinkedBlockingQueue<Runnable> todo = new LinkedBlockingQueue<>();
    private final Thread thread;
    private volatile boolean ended;
    private volatile List<NodeStatus> latest = List.of();
    private volatile double speed;
    private volatile List<FaultInForce> faultsInForce = List.of();
    private volatile @Nullable Tally tally;
    private volatile long seenNanos;

    // ---- the owner thread's own
    private final Map<Long, CompletableFuture<Completion.Operation>> awaited = new HashMap<>();
    private final Map<Long, CompletableFuture<FaultOutcome>> awaitedFaults = new HashMap<>();
    private final Map<Long, FaultInForce> faults = new TreeMap<>();
    private final Map<Long, ActiveFault> known = new HashMap<>();
    private final Map<Long, String> words = new HashMap<>();
    private final List<Waiter> waiters = new ArrayList<>();
    private final TreeSet<Long> freeTyped = new TreeSet<>();
    private long nextFaultId = 1;
    private long realBaseNanos;
    private long virtualBaseNanos;
    private long nextLookNanos;
    private boolean looking;
    private boolean brokenAnnounced;
    private @Nullable Background running;

    /** The last one, until what it had under way has ended. */
    private @Nullable Background ending;

    private int workloadCount;
    private final Observer observer = new Observer();

    private record Waiter(
            Predicate<List<NodeStatus>> holds,
            long deadlineNanos,
            CompletableFuture<Boolean> answer) {}

    /** How to make a cluster whose events this will hear. */
    @FunctionalInterface
    public interface Maker {
        Cluster make(Travel.Listener listener);
    }

    /**
     * Takes a cluster over; {@link #close} ends it.
     *
     * @param maker makes it; the listener is for simulated ones
     * @param folder of the run, where the history goes
     * @param announce is told in one line what happens in the cluster; called by the owner thread
     * @param speed virtual seconds a second, 0 for standing still; without meaning for containers
     * @param loaded whether it is a loaded run, with clients of its own
     */
    public LiveCluster(
            Maker maker,
            Path folder,
            HistoryHeader header,
            Consumer<String> announce,
            double speed,
            boolean loaded) {
        this.typedFrom = loaded ? BESIDE_LOADED : 0;
        this.folder = folder;
        this.announce = announce;
        this.speed = speed;
        this.recorder = new Recorder(folder.resolve("history.jsonl"), header, announce);
        freeAllTyped();
        this.cluster = maker.make(new Ear());
        this.travel = cluster instanceof Travel traveller ? traveller : null;
        rebase();
        this.latest = cluster.nodes().stream().map(NodeStatus::unreachable).toList();
        this.thread = Thread.ofPlatform().daemon().name("cluster").unstarted(this::work);
        thread.start();
    }

    // ---- What others may ask at any time ----

    public String kind() {
        return cluster.kind();
    }

    public List<String> nodes() {
        return cluster.nodes();
    }

    public Path folder() {
        return folder;
    }

    /** The newest look at the nodes, at most half a second old. */
    public List<NodeStatus> latest() {
        return latest;
    }

    public List<FaultInForce> faults() {
        return faultsInForce;
    }

    /** Of the workload that runs or ran last; null where there was none. */
    public @Nullable Tally tally() {
        return tally;
    }

    public double speed() {
        return speed;
    }

    /** The cluster's clock at the last look, in nanoseconds. */
    public long seenNanos() {
        return seenNanos;
    }

    public Path historyFile() {
        return recorder.file();
    }

    public long seed() {
        return recorder.header().seed();
    }

    /** Whether it is a loaded run, with clients of its own. */
    public boolean isLoaded() {
        return typedFrom > 0;
    }

    /** Whether its past can be visited. */
    public boolean isSimulated() {
        return travel != null;
    }

    /** The one that leads the highest term, null where nobody does. */
    public @Nullable NodeStatus leader() {
        return leaderOf(latest);
    }

    public static @Nullable NodeStatus leaderOf(List<NodeStatus> nodes) {
        NodeStatus best = null;
        for (NodeStatus node : nodes) {
            if (node.isLeader() && (best == null || node.term() > best.term())) {
                best = node;
            }
        }
        return best;
    }

    // ---- Asking the owner ----

    /** Does something with the cluster in its owner's thread and waits for the answer. */
    public <T> T ask(Function<Cluster, T> work) throws InterruptedException {
        CompletableFuture<T> answer = new CompletableFuture<>();
        enqueue(
                answer,
                () -> {
                    try {
                        answer.complete(work.apply(cluster));
                    } catch (RuntimeException e) {
                        answer.completeExceptionally(e);
                    }
                });
        return result(answer);
    }

    /** The same for what only simulated clusters can. */
    public <T> T travel(Function<Travel, T> work) throws InterruptedException {
        Travel traveller = travel;
        if (traveller == null) {
            throw new UsageException(
                    "time runs one way in containers; 'cluster up sim' or 'load' brings up a"
                            + " cluster whose past can be visited");
        }
        return ask(
                ignored -> {
                    T answer = work.apply(traveller);
                    rebase();
                    // Whoever travels says himself what is broken where he is.
                    brokenAnnounced = !traveller.brokenInvariants().isEmpty();
                    looked(traveller.statuses(STATUS_MILLIS).join(), false);
                    return answer;
                });
    }

    private void enqueue(CompletableFuture<?> answer, Runnable work) {
        if (ended) {
            answer.completeExceptionally(new UsageException("the cluster is down"));
            return;
        }
        todo.add(work);
    }

    private static <T> T result(CompletableFuture<T> answer) throws InterruptedException {
        try {
            return answer.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException known) {
                throw known;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** A fresh look at all nodes; hanging ones cost no more than 150 ms. */
    public List<NodeStatus> statuses() throws InterruptedException {
        CompletableFuture<List<NodeStatus>> answer =
                ask(
                        owned ->
                                owned instanceof Inspection inspected
                                        ? inspected.statuses(STATUS_MILLIS)
                                        : CompletableFuture.completedFuture(latest));
        return result(answer);
    }

    /** A part of every node's log. */
    public List<LogWindow> logs(long fromIndex, int count) throws InterruptedException {
        CompletableFuture<List<LogWindow>> answer =
                ask(
                        owned ->
                                owned instanceof Inspection inspected
                                        ? inspected.logs(fromIndex, count, 4 * STATUS_MILLIS)
                                        : CompletableFuture.completedFuture(
                                                owned.nodes().stream()
                                                        .map(
                                                                node ->
                                                                        LogWindow.missing(
                                                                                node,
                                                                                "not shown by this"
                                                                                    + " cluster"))
                                                        .toList()));
        return result(answer);
    }

    /** What changed in the nodes, as {@link Inspection#transitions} tells it. */
    public List<Transition> transitions(Map<String, Transition> after) throws InterruptedException {
        CompletableFuture<List<Transition>> answer =
                ask(
                        owned ->
                                owned instanceof Inspection inspected
                                        ? inspected.transitions(after, 4 * STATUS_MILLIS)
                                        : CompletableFuture.completedFuture(List.of()));
        return result(answer);
    }

    /**
     * Carries an operation out and waits for its end. An interrupt ends the waiting; the operation
     * goes on and its end is recorded.
     *
     * @param client as which of the person's clients, null for the first that is free
     */
    public Completion.Operation operate(
            @Nullable Integer client,
            String node,
            String f,
            Value key,
            Value value,
            Duration timeout)
            throws InterruptedException {
        CompletableFuture<Completion.Operation> answer = new CompletableFuture<>();
        enqueue(
                answer,
                () -> {
                    Long process = freeProcess(client);
                    if (process == null) {
                        answer.completeExceptionally(
                                new UsageException(
                                        client == null
                                                ? "too many operations are under way"
                                                : "client "
                                                        + client
                                                        + " still waits for an answer"));
                        return;
                    }
                    freeTyped.remove(process);
                    awaited.put(process, answer);
                    invoke(new Invocation(process, node, f, key, value, timeout.toNanos()));
                });
        return result(answer);
    }

    /** Puts a fault into effect and waits for what can be proven. */
    public FaultInForce inject(String typed, String kind, FaultAction action)
            throws InterruptedException {
        CompletableFuture<FaultOutcome> answer = new CompletableFuture<>();
        long[] id = new long[1];
        enqueue(
                answer,
                () -> {
                    ActiveFault fault = new ActiveFault(nextFaultId++, kind, action);
                    id[0] = fault.id();
                    known.put(fault.id(), fault);
                    words.put(fault.id(), typed);
                    awaitedFaults.put(fault.id(), answer);
                    if (travel == null) {
                        recorder.faultAsked(fault, true, cluster.nowNanos());
                        cluster.inject(fault);
                    } else {
                        boolean begun = travel.decide(typed, new Decision.Act.Inject(fault));
                        assert begun;
                    }
                });
        FaultOutcome outcome = result(answer);
        return ask(
                ignored -> {
                    ActiveFault fault = known.get(id[0]);
                    if (fault == null) {
                        throw new UsageException("time was turned back before the fault began");
                    }
                    return new FaultInForce(typed, fault, outcome, cluster.nowNanos());
                });
    }

    /** Takes a fault back and waits until it is proven to be gone. */
    public FaultOutcome heal(ActiveFault fault) throws InterruptedException {
        CompletableFuture<FaultOutcome> answer = new CompletableFuture<>();
        enqueue(
                answer,
                () -> {
                    if (!faults.containsKey(fault.id())) {
                        answer.completeExceptionally(
                                new UsageException("fault #" + fault.id() + " is not in force"));
                        return;
                    }
                    awaitedFaults.put(fault.id(), answer);
                    if (travel == null) {
                        recorder.faultAsked(fault, false, cluster.nowNanos());
                        cluster.heal(fault);
                    } else {
                        boolean begun =
                                travel.decide("heal #" + fault.id(), new Decision.Act.Heal(fault));
                        assert begun;
                    }
                });
        return result(answer);
    }

    /** Waits until the nodes' status fulfils something; false when the time was up before. */
    public boolean await(Predicate<List<NodeStatus>> holds, Duration atMost)
            throws InterruptedException {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        enqueue(
                answer,
                () -> {
                    waiters.add(new Waiter(holds, cluster.nowNanos() + atMost.toNanos(), answer));
                });
        return result(answer);
    }

    /** Lets time pass, the cluster's. */
    public void pass(Duration time) throws InterruptedException {
        boolean held = await(ignored -> false, time);
        assert !held;
    }

    /** Virtual seconds a second; 0 stands still. */
    public void setSpeed(double factor) throws InterruptedException {
        Double set =
                ask(
                        ignored -> {
                            speed = factor;
                            rebase();
                            return factor;
                        });
        assert set != null;
    }

    /** Starts a workload in the background, in place of the one before. */
    public void startWorkload(Workload workload, int concurrency, Duration timeout)
            throws InterruptedException {
        Boolean started =
                ask(
                        owned -> {
                            workloadCount++;
                            String number = workloadCount == 1 ? "" : "" + workloadCount;
                            Background fresh =
                                    new Background(
                                            workload,
                                            concurrency,
                                            workload.name() + number + "/",
                                            typedFrom + workloadCount * WORKLOAD_PROCESSES,
                                            owned.nowNanos(),
                                            timeout.toNanos());
                            running = fresh;
                            tally = fresh.tally();
                            return true;
                        });
        assert started;
    }

    /** Ends the workload; what is under way is still recorded. Null where none ran. */
    public @Nullable Tally stopWorkload() throws InterruptedException {
        Tally[] last = new Tally[1];
        Boolean stopped =
                ask(
                        ignored -> {
                            Background current = running;
                            ending = current;
                            last[0] = current == null ? null : current.tally();
                            running = null;
                            return true;
                        });
        assert stopped;
        return last[0];
    }

    public boolean isWorkloadRunning() throws InterruptedException {
        return ask(ignored -> running != null);
    }

    /** What has been recorded so far. */
    public History history() throws InterruptedException {
        return ask(ignored -> new History(recorder.header(), recorder.events()));
    }

    // ---- The owner ----

    private void work() {
        try {
            while (!ended) {
                Runnable next = todo.poll();
                if (next != null) {
                    next.run();
                    continue;
                }
                turn();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            announce.accept("the cluster cannot be driven any longer: " + e);
        } finally {
            ended = true;
            recorder.close();
            failAll(new UsageException("the cluster is down"));
        }
    }

    private void turn() throws InterruptedException {
        long now = cluster.nowNanos();
        // Where time stands still a workload stands still too, so that scripts can be repeated.
        boolean goesOn = travel == null || speed > 0 || isHurried();
        long wakeNanos = goesOn ? work(now) : Long.MAX_VALUE;
        if (travel != null) {
            virtualTurn(now, wakeNanos);
        } else {
            Completion completion = cluster.poll(Math.min(now + SLICE_NANOS, wakeNanos));
            if (completion != null) {
                take(completion, cluster.nowNanos());
            }
        }
        look();
        settleWaiters();
    }

    private void virtualTurn(long now, long wakeNanos) throws InterruptedException {
        boolean hurry = isHurried();
        long target;
        if (speed > 0) {
            long due = virtualBaseNanos + (long) ((System.nanoTime() - realBaseNanos) * speed);
            target = Math.min(due, now + (long) (4 * SLICE_NANOS * Math.max(1, speed)));
            if (due - now > 1_000_000_000L * Math.max(1, speed)) {
                rebase();
            }
        } else {
            target = hurry ? now + VIRTUAL_SLICE_NANOS : now;
            for (Waiter waiter : waiters) {
                target = Math.min(target, Math.max(now, waiter.deadlineNanos));
            }
        }
        if (target > now) {
            // What completes is told to the listener.
            Completion told = cluster.poll(Math.max(now, Math.min(target, wakeNanos)));
            assert told == null || awaited.isEmpty() || told != null;
        }
        if (speed > 0 || !hurry || cluster.nowNanos() == now) {
            Runnable next = todo.poll(SLICE_NANOS / 2, TimeUnit.NANOSECONDS);
            if (next != null) {
                next.run();
            }
        }
        announceBroken();
    }

    private boolean isHurried() {
        return !awaited.isEmpty() || !awaitedFaults.isEmpty() || !waiters.isEmpty();
    }

    private void rebase() {
        realBaseNanos = System.nanoTime();
        virtualBaseNanos = cluster.nowNanos();
    }

    /** Starts what the workload wants; returns when it wants to be asked again. */
    private long work(long now) {
        Background current = running;
        while (current != null) {
            switch (current.next(now, cluster.nodes())) {
                case Background.Wish.Do(Invocation invocation) -> {
                    invoke(invocation);
                    tally = current.tally();
                }
                case Background.Wish.Wait(long untilNanos) -> {
                    return untilNanos;
                }
            }
        }
        return Long.MAX_VALUE;
    }

    private void invoke(Invocation invocation) {
        if (travel == null) {
            recorder.invoked(invocation, cluster.nowNanos());
        }
        cluster.invoke(invocation);
    }

    private void take(Completion completion, long nanos) {
        switch (completion) {
            case Completion.Operation ended -> operationEnded(ended, nanos);
            case Completion.FaultChange change -> faultChanged(change, nanos);
            case Completion.Observation ignored -> {}
        }
    }

    private void operationEnded(Completion.Operation ended, long nanos) {
        HistoryEvent event = recorder.completed(ended, nanos);
        long process = ended.invocation().process();
        CompletableFuture<Completion.Operation> waiting = awaited.remove(process);
        if (isTyped(process)) {
            // After "unknown" the process may still be at it for ever.
            freeTyped.add(ended.type() == Type.INFO ? process + 1_000_000 : process);
        } else if (event != null) {
            workloadEnded(event);
        }
        if (waiting != null) {
            waiting.complete(ended);
        }
    }

    private void freeAllTyped() {
        freeTyped.clear();
        for (long process = 0; process < TYPED_PROCESSES; process++) {
            freeTyped.add(typedFrom + process);
        }
    }

    /** Null where there is none. After an unknown outcome a client goes on under another number. */
    private @Nullable Long freeProcess(@Nullable Integer client) {
        Long best = null;
        for (Long process : freeTyped) {
            long number = clientOf(process);
            boolean meant = client == null || number == client;
            if (meant && (best == null || number < clientOf(best))) {
                best = process;
            }
        }
        return best;
    }

    private long clientOf(long process) {
        return (process - typedFrom) % 1_000_000;
    }

    private boolean isTyped(long process) {
        return process >= typedFrom
                && process < typedFrom + WORKLOAD_PROCESSES
                && clientOf(process) < TYPED_PROCESSES;
    }

    private void workloadEnded(HistoryEvent event) {
        Background current = running != null ? running : ending;
        if (current != null && current.owns(event.process())) {
            current.ended(event);
            tally = current.tally();
        }
    }

    private void faultChanged(Completion.FaultChange change, long nanos) {
        ActiveFault fault = known.get(change.faultId());
        if (fault == null) {
            return;
        }
        recorder.faultChanged(fault, change.injected(), change.outcome(), nanos);
        if (change.injected()) {
            boolean lasts =
                    !(fault.action() instanceof FaultAction.RaftCommand
                            // Whoever changes the membership by hand means it to stay.
                            || fault.action() instanceof FaultAction.Membership
                            || fault.action() instanceof FaultAction.ClockReset);
            if (lasts && change.outcome().status() != FaultOutcome.Status.SKIPPED) {
                faults.put(
                        fault.id(),
                        new FaultInForce(
                                words.getOrDefault(fault.id(), fault.kind()),
                                fault,
                                change.outcome(),
                                nanos));
            }
        } else {
            faults.remove(fault.id());
        }
        faultsInForce = List.copyOf(faults.values());
        CompletableFuture<FaultOutcome> waiting = awaitedFaults.remove(change.faultId());
        if (waiting != null) {
            waiting.complete(change.outcome());
        }
    }

    // ---- Looking ----

    private void look() {
        seenNanos = cluster.nowNanos();
        if (travel != null) {
            looked(travel.statuses(STATUS_MILLIS).join(), false);
            return;
        }
        if (!looking
                && System.nanoTime() - nextLookNanos >= 0
                && cluster instanceof Inspection inspected) {
            looking = true;
            nextLookNanos = System.nanoTime() + LOOK_EVERY_NANOS;
            var handed =
                    inspected
                            .statuses(STATUS_MILLIS)
                            .thenAccept(seen -> todo.add(() -> looked(seen, true)));
            assert handed != null;
        }
    }

    private void looked(List<NodeStatus> seen, boolean say) {
        looking = false;
        latest = seen;
        if (say) {
            observer.news(seen).forEach(announce);
        }
    }

    private void announceBroken() {
        if (isHurried()
                && cluster instanceof SelfChecking checked
                && !checked.brokenInvariants().isEmpty()) {
            // Nothing more will happen here, so nobody need wait for it.
            failWaiting(
                    new BrokenInvariantException(
                            "INVARIANT BROKEN: " + checked.brokenInvariants().getFirst()));
        }
        if (!brokenAnnounced
                && cluster instanceof SelfChecking checked
                && !checked.brokenInvariants().isEmpty()) {
            brokenAnnounced = true;
            announce.accept("INVARIANT BROKEN: " + checked.brokenInvariants().getFirst());
            announce.accept("time stands still; 'why', 'back' and 'goto' show how it came");
        }
    }

    private void settleWaiters() {
        if (waiters.isEmpty()) {
            return;
        }
        boolean stuck =
                cluster instanceof SelfChecking checked && !checked.brokenInvariants().isEmpty();
        waiters.removeIf(
                waiter -> {
                    if (waiter.holds.test(latest)) {
                        waiter.answer.complete(true);
                        return true;
                    }
                    if (stuck || cluster.nowNanos() >= waiter.deadlineNanos) {
                        waiter.answer.complete(false);
                        return true;
                    }
                    return false;
                });
    }

    private void failAll(RuntimeException problem) {
        failWaiting(problem);
        for (Runnable late = todo.poll(); late != null; late = todo.poll()) {
            late.run();
        }
    }

    private void failWaiting(RuntimeException problem) {
        List<CompletableFuture<?>> all = new ArrayList<>(awaited.values());
        all.addAll(awaitedFaults.values());
        waiters.forEach(waiter -> all.add(waiter.answer));
        awaited.clear();
        awaitedFaults.clear();
        waiters.clear();
        all.forEach(waiting -> waiting.completeExceptionally(problem));
    }

    /** Takes back every fault, one by one, and says what could not be. */
    public List<String> healAll() throws InterruptedException {
        List<String> left = new ArrayList<>();
        for (FaultInForce fault : faults()) {
            try {
                FaultOutcome outcome = heal(fault.fault());
                if (outcome.status() != FaultOutcome.Status.INSTALLED) {
                    left.add(fault.words() + ": " + String.join("; ", outcome.evidence()));
                }
            } catch (UsageException e) {
                // Somebody else took it back meanwhile.
            }
        }
        return left;
    }

    @Override
    public void close() {
        ended = true;
        try {
            thread.join(TimeUnit.SECONDS.toMillis(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        cluster.close();
    }

    /** Waits for the owner to be idle; for tests. */
    void settle() throws InterruptedException, TimeoutException, ExecutionException {
        Boolean idle = CompletableFuture.supplyAsync(() -> true).get(1, TimeUnit.SECONDS);
        assert idle;
        Boolean answered = ask(ignored -> true);
        assert answered;
    }

    /** What a simulated cluster tells, also while its past is run anew. */
    private final class Ear implements Travel.Listener {
        @Override
        public void restarted() {
            recorder.restart();
            faults.clear();
            faultsInForce = List.of();
            brokenAnnounced = false;
            freeAllTyped();
            UsageException turned = new UsageException("time was turned back meanwhile");
            awaited.values().forEach(waiting -> waiting.completeExceptionally(turned));
            awaited.clear();
            awaitedFaults.values().forEach(waiting -> waiting.completeExceptionally(turned));
            awaitedFaults.clear();
            running = null;
            ending = null;
        }

        @Override
        public void decided(Decision decision) {
            long now = decision.timeNanos();
            switch (decision.act()) {
                case Decision.Act.Invoke(Invocation asked) -> {
                    freeTyped.remove(asked.process());
                    recorder.invoked(asked, now);
                }
                case Decision.Act.Inject(ActiveFault fault) -> {
                    known.put(fault.id(), fault);
                    nextFaultId = Math.max(nextFaultId, fault.id() + 1);
                    recorder.faultAsked(fault, true, now);
                }
                case Decision.Act.Heal(ActiveFault fault) -> recorder.faultAsked(fault, false, now);
                case Decision.Act.FailSync(long sequence, ActiveFault fault) -> {
                    known.put(fault.id(), fault);
                    nextFaultId = Math.max(nextFaultId, fault.id() + 1);
                    faults.put(
                            fault.id(),
                            new FaultInForce(
                                    decision.words(),
                                    fault,
                                    new FaultOutcome(
                                            FaultOutcome.Status.INSTALLED,
                                            List.of("the node halted at a failed fsync")),
                                    now));
                    faultsInForce = List.copyOf(faults.values());
                }
                case Decision.Act.HealAll() -> {
                    faults.clear();
                    faultsInForce = List.of();
                }
                case Decision.Act.Observe(),
                        Decision.Act.Hasten(_),
                        Decision.Act.Drop(_),
                        Decision.Act.Duplicate(_),
                        Decision.Act.Delay(_, _) -> {}
            }
        }

        @Override
        public void completed(Completion completion, long nowNanos) {
            take(completion, nowNanos);
        }

        private Map<String, Long> leaders(Travel traveller) {
            Map<String, Long> leaders = new TreeMap<>();
            for (String node : traveller.nodes()) {
                var view = traveller.world().view(node);
                if (view.role().equals("leader")) {
                    leaders.put(node, view.term());
                }
            }
            return leaders;
        }

        @Override
        public void changed(Moment moment) {
            Travel traveller = travel;
            if (traveller == null || traveller.isRepeating()) {
                return;
            }
            for (Moment.Change change : moment.changes()) {
                if (change.field().equals("role")
                        && !change.after().equals("none")
                        && !change.before().equals("none")) {
                    long term = traveller.world().view(change.node()).term();
                    Observer.role(change.node(), change.before(), change.after(), term)
                            .forEach(announce);
                    observer.rivals(leaders(traveller)).forEach(announce);
                } else if (change.field().equals("state")) {
                    announce.accept(change.node() + " is " + change.after());
                }
            }
        }
    }
}
