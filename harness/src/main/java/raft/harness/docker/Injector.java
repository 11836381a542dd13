package raft.harness.docker;

import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultKind.Family;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;
import raft.harness.nemesis.View;
import raft.harness.system.Placement;
import raft.harness.system.SystemUnderTest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Carries faults out on the pods of one cluster and takes them back: which action is whose work.
 *
 * <p>Faults run in lanes: one for what concerns the network, one for clocks, one for requests to
 * the system itself, one for each node. What overlaps on one of these is done one after the other,
 * and what does not overlap is not delayed.
 */
final class Injector implements AutoCloseable {
    private static final FaultOutcome NOTHING_LEFT =
            Findings.of(Status.INSTALLED, "nothing is left to be taken back");
    private static final long COMMAND_MILLIS = 20_000;

    private final SystemUnderTest system;
    private final List<String> members;
    private final Cuts cuts;
    private final Shaping shaping;
    private final PacketQueues packetQueues;
    private final Clocks clocks;
    private final Administration administration;
    private final boolean rateIsPossible;
    private final boolean queuesArePossible;
    private final boolean controlled;
    private final boolean smallVolumes;
    private final boolean administrable;
    private final Lane network = new Lane("faults-network");
    private final Lane time = new Lane("faults-clocks");
    private final Lane requests = new Lane("faults-requests");
    private final SortedMap<String, Node> nodes = new TreeMap<>();

    /** Nodes whose end some fault may have to answer for. */
    private final Set<String> endangered = ConcurrentHashMap.newKeySet();

    private final List<String> crashes = new CopyOnWriteArrayList<>();

    /** What goes to and fro, by the fault's id. */
    private final Map<Long, Alternation> alternations = new ConcurrentHashMap<>();

    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().name("faults-timer").daemon(true).factory());

    private record Node(Pod pod, NodeProcess process, Disks disks, Quotas quotas, Lane lane) {}

    private record Alternation(ScheduledFuture<?> schedule, AtomicLong turns) {}

    /**
     * @param members whom the cluster begins with; the other pods are spare
     * @throws IOException when a pod's shell does not work
     */
    Injector(
            Containers containers,
            List<String> members,
            StatusProbe statuses,
            DockerOptions options)
            throws IOException {
        Collection<Pod> pods = containers.pods();
        this.system = options.system();
        this.members = List.copyOf(members);
        this.controlled = pods.stream().allMatch(Pod::controlled);
        this.smallVolumes = options.dataBytes() > 0;
        this.administrable = system instanceof ProtocolSystem;
        this.cuts = new Cuts(pods, containers.workers());
        PodShell anyShell = pods.iterator().next().shell();
        this.rateIsPossible = Shaping.isPossible(anyShell);
        this.shaping = new Shaping(pods);
        this.queuesArePossible = PacketQueues.isPossible(anyShell);
        this.packetQueues = new PacketQueues(pods, containers.workers());
        this.clocks = new Clocks(pods, statuses);
        Map<String, String> peers = new TreeMap<>();
        pods.forEach(pod -> peers.put(pod.node(), pod.address() + ":" + Placement.PEER_PORT));
        this.administration =
                new Administration(
                        containers.addresses(Pod::client),
                        options.credentials(),
                        peers,
                        members,
                        statuses);
        for (Pod pod : pods) {
            NodeProcess process =
                    new NodeProcess(
                            containers.engine(), pod, statuses, options.startupTimeoutMillis());
            nodes.put(
                    pod.node(),
                    new Node(
                            pod,
                            process,
                            new Disks(pod, process, smallVolumes),
                            new Quotas(
                                    containers.engine(),
                                    pod,
                                    options.nodeMemoryBytes() + options.dataBytes()),
                            new Lane("faults-" + pod.node())));
        }
        cuts.findSecondFamily();
    }

    CompletableFuture<FaultOutcome> inject(ActiveFault fault) {
        String impossible = impossible(fault.action());
        if (!impossible.isEmpty()) {
            return CompletableFuture.completedFuture(Findings.of(Status.SKIPPED, impossible));
        }
        long id = fault.id();
        endangered.addAll(mayEnd(fault.action()));
        return switch (fault.action()) {
            case FaultAction.Cut(var links) -> network.submit(() -> cuts.cut(id, links));
            case FaultAction.Flap(var links, long period) -> flap(id, links, period);
            case FaultAction.PacketLoss(var links, int percent) ->
                    network.submit(() -> cuts.lose(id, links, percent));
            case FaultAction.PacketRate rate -> network.submit(() -> shaping.limit(id, rate));
            case FaultAction.Packets packets ->
                    network.submit(() -> packetQueues.treat(id, packets));
            case FaultAction.Kill(var names) -> onEach(names, n -> n.process.kill(id));
            case FaultAction.Stop(var names) -> onEach(names, n -> n.process.stop(id));
            case FaultAction.Pause(var names) -> onEach(names, n -> n.process.pause(id));
            case FaultAction.RollingRestart(var names) -> roll(id, names);
            case FaultAction.ClockJump(var names, long offset) ->
                    time.submit(() -> clocks.jump(id, names, offset));
            case FaultAction.ClockStrobe(var names, long offset, long period) ->
                    strobe(id, names, offset, period);
            case FaultAction.ClockDrift(var names, int percent) -> drift(id, names, percent);
            case FaultAction.ClockReset(var names) -> time.submit(() -> clocks.reset(names));
            case FaultAction.BitFlip(var names) -> onEach(names, n -> n.disks.flipBit(id));
            case FaultAction.Truncation(var names, int bytes) ->
                    onEach(names, n -> n.disks.truncate(id, bytes));
            case FaultAction.LostWrites(var names, int kept) ->
                    onEach(names, n -> n.disks.losePower(id, kept));
            case FaultAction.FullDisk(var names) -> onEach(names, n -> n.disks.fill(id));
            case FaultAction.SlowDisk(var names, int millis) ->
                    onEach(names, n -> n.disks.slowDown(id, millis));
            case FaultAction.DiskErrors(var names) -> onEach(names, n -> n.disks.breakDown(id));
            case FaultAction.CpuQuota(var names, int percent) ->
                    onEach(names, n -> n.quotas.limitCpu(id, percent));
            case FaultAction.MemoryLimit(var names, long headroom) ->
                    onEach(names, n -> n.quotas.limitMemory(id, headroom));
            case FaultAction.AddVoter(String name) ->
                    requests.submit(() -> administration.grow(name));
            case FaultAction.RemoveVoter(String name) ->
                    requests.submit(() -> administration.removeVoter(id, name));
            case FaultAction.ReplaceVoter(String name) -> replace(id, name);
            case FaultAction.RaftCommand command ->
                    requests.submit(() -> administration.command(command));
        };
    }

    CompletableFuture<FaultOutcome> heal(ActiveFault fault) {
        String impossible = impossible(fault.action());
        if (!impossible.isEmpty()) {
            return CompletableFuture.completedFuture(Findings.of(Status.SKIPPED, impossible));
        }
        long id = fault.id();
        return switch (fault.action()) {
            case FaultAction.Cut ignored -> network.submit(() -> cuts.heal(id));
            case FaultAction.Flap ignored ->
                    calmed(id, network.submit(() -> cuts.heal(id)), "cut and opened");
            case FaultAction.PacketLoss ignored -> network.submit(() -> cuts.heal(id));
            case FaultAction.PacketRate ignored -> network.submit(() -> shaping.heal(id));
            case FaultAction.Packets ignored -> network.submit(() -> packetQueues.heal(id));
            case FaultAction.Kill(var names) -> takeBack(names, n -> n.process.restart(id));
            case FaultAction.Stop(var names) -> takeBack(names, n -> n.process.restart(id));
            case FaultAction.Pause(var names) -> takeBack(names, n -> n.process.resume(id));
            case FaultAction.RollingRestart ignored ->
                    CompletableFuture.completedFuture(NOTHING_LEFT);
            case FaultAction.ClockJump(var names, long offset) ->
                    time.submit(() -> clocks.heal(id, names));
            case FaultAction.ClockStrobe(var names, long offset, long period) ->
                    calmed(id, time.submit(() -> clocks.heal(id, names)), "jumped");
            case FaultAction.ClockDrift(var names, int percent) -> drift(id, names, 100);
            case FaultAction.ClockReset ignored -> CompletableFuture.completedFuture(NOTHING_LEFT);
            case FaultAction.BitFlip(var names) -> takeBack(names, n -> n.disks.restoreBit(id));
            case FaultAction.Truncation(var names, int bytes) ->
                    takeBack(names, n -> n.process.startIfEnded("runs on the shorter file"));
            case FaultAction.LostWrites(var names, int kept) ->
                    takeBack(names, n -> n.process.restart(id));
            case FaultAction.FullDisk(var names) -> takeBack(names, n -> n.disks.empty(id));
            case FaultAction.SlowDisk(var names, int millis) ->
                    takeBack(names, n -> n.disks.speedUp(id));
            case FaultAction.DiskErrors(var names) -> takeBack(names, n -> n.disks.mend(id));
            case FaultAction.CpuQuota(var names, int percent) ->
                    takeBack(names, n -> n.quotas.restoreCpu(id));
            case FaultAction.MemoryLimit(var names, long headroom) ->
                    takeBack(
                            names,
                            n -> {
                                FaultOutcome outcome = n.quotas.restoreMemory(id);
                                return outcome.status() == Status.INSTALLED
                                        ? Findings.all(
                                                List.of(outcome, n.process.startIfEnded("runs")))
                                        : outcome;
                            });
            case FaultAction.AddVoter(String name) ->
                    requests.submit(() -> administration.ungrow(name));
            case FaultAction.RemoveVoter(String name) ->
                    requests.submit(
                            () ->
                                    administration.hasRemoved(id)
                                            ? administration.restoreVoter(id, name)
                                            : notDone(name));
            case FaultAction.ReplaceVoter(String name) ->
                    requests.submit(
                            () ->
                                    administration.hasRemoved(id)
                                            ? administration.restoreVoter(id, name)
                                            : notDone(name));
            case FaultAction.RaftCommand ignored -> CompletableFuture.completedFuture(NOTHING_LEFT);
        };
    }

    /** The nodes that may end by it, at once or later. */
    private static List<String> mayEnd(FaultAction action) {
        return switch (action) {
            case FaultAction.Kill(var names) -> names;
            case FaultAction.Stop(var names) -> names;
            case FaultAction.RollingRestart(var names) -> names;
            case FaultAction.ClockDrift(var names, int percent) -> names;
            case FaultAction.BitFlip(var names) -> names;
            case FaultAction.Truncation(var names, int bytes) -> names;
            case FaultAction.LostWrites(var names, int kept) -> names;
            case FaultAction.FullDisk(var names) -> names;
            case FaultAction.DiskErrors(var names) -> names;
            case FaultAction.MemoryLimit(var names, long headroom) -> names;
            case FaultAction.ReplaceVoter(String name) -> List.of(name);
            default -> List.of();
        };
    }

    List<String> crashes() {
        return List.copyOf(crashes);
    }

    private static FaultOutcome notDone(String name) {
        return Findings.of(Status.SKIPPED, name + " was not removed by this fault");
    }

    /** Every kind that cannot be had on these pods, and why. */
    Map<FaultKind, String> impossible() {
        List<String> names = List.copyOf(nodes.keySet());
        Map<FaultKind, String> impossible = new EnumMap<>(FaultKind.class);
        for (FaultKind kind : FaultKind.values()) {
            if (names.size() == 1 && kind.needsSeveralNodes()) {
                impossible.put(kind, "there is only one node");
                continue;
            }
            String reason = impossible(kind.resolve(names, new View(null, members), Map.of()));
            if (!reason.isEmpty()) {
                impossible.put(kind, reason);
            }
        }
        return impossible;
    }

    /** "" where the action is possible. */
    private String impossible(FaultAction action) {
        String senseless = system.cannot().get(familyOf(action));
        if (senseless != null) {
            return senseless;
        }
        return switch (action) {
            case FaultAction.PacketLoss ignored -> "";
            case FaultAction.PacketRate ignored -> rateIsPossible ? "" : Shaping.NO_HTB;
            case FaultAction.Packets ignored -> queuesArePossible ? "" : PacketQueues.NO_QUEUE;
            case FaultAction.Clock ignored -> controlled ? "" : Clocks.NOT_OURS;
            case FaultAction.FullDisk ignored when smallVolumes -> "";
            case FaultAction.Disk ignored -> controlled ? "" : Disks.NOT_OURS;
            case FaultAction.AddVoter(String name) when !nodes.containsKey(name) ->
                    "every node is a voter already, and there is no pod for " + name;
            case FaultAction.Membership ignored -> administrable ? "" : notAdministrable();
            case FaultAction.RaftCommand ignored -> administrable ? "" : notAdministrable();
            default -> "";
        };
    }

    private String notAdministrable() {
        return "the system " + system.name() + " has no requests for it that the harness knows";
    }

    private static Family familyOf(FaultAction action) {
        return switch (action) {
            case FaultAction.Cut ignored -> Family.PARTITION;
            case FaultAction.Flap ignored -> Family.PARTITION;
            case FaultAction.Packets ignored -> Family.PACKETS;
            case FaultAction.Kill ignored -> Family.KILL;
            case FaultAction.Stop ignored -> Family.KILL;
            case FaultAction.RollingRestart ignored -> Family.KILL;
            case FaultAction.Pause ignored -> Family.PAUSE;
            case FaultAction.Clock ignored -> Family.CLOCK;
            case FaultAction.Disk ignored -> Family.DISK;
            case FaultAction.CpuQuota ignored -> Family.RESOURCES;
            case FaultAction.MemoryLimit ignored -> Family.RESOURCES;
            case FaultAction.Membership ignored -> Family.MEMBERSHIP;
            case FaultAction.RaftCommand ignored -> Family.RAFT;
        };
    }

    // ---- What takes more than one step ----

    private CompletableFuture<FaultOutcome> onEach(
            List<String> names, Function<Node, FaultOutcome> work) {
        return eachDone(names, work).thenApply(Findings::all);
    }

    private CompletableFuture<FaultOutcome> takeBack(
            List<String> names, Function<Node, FaultOutcome> work) {
        return eachDone(names, work).thenApply(Findings::gone);
    }

    private CompletableFuture<List<FaultOutcome>> eachDone(
            List<String> names, Function<Node, FaultOutcome> work) {
        List<CompletableFuture<FaultOutcome>> parts = new ArrayList<>();
        for (String name : names) {
            Node node = node(name);
            parts.add(node.lane.submit(() -> work.apply(node)));
        }
        return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
                .thenApply(done -> parts.stream().map(CompletableFuture::join).toList());
    }

    private Node node(String name) {
        Node node = nodes.get(name);
        if (node == null) {
            throw new IllegalArgumentException("no such node: " + name);
        }
        return node;
    }

    private CompletableFuture<FaultOutcome> roll(long id, List<String> names) {
        CompletableFuture<List<FaultOutcome>> done =
                CompletableFuture.completedFuture(new ArrayList<>());
        for (String name : names) {
            done =
                    done.thenCompose(
                            before ->
                                    onEach(List.of(name), n -> n.process.bounce(id, () -> {}))
                                            .thenApply(
                                                    outcome -> {
                                                        before.add(outcome);
                                                        return before;
                                                    }));
        }
        return done.thenApply(Findings::all);
    }

    private CompletableFuture<FaultOutcome> drift(long id, List<String> names, int percent) {
        return onEach(
                names,
                n -> {
                    FaultOutcome restarted =
                            n.process.bounce(id, () -> clocks.prepareRate(n.pod.node(), percent));
                    return restarted.status() == Status.INSTALLED
                            ? Findings.all(
                                    List.of(restarted, clocks.proveRate(n.pod.node(), percent)))
                            : restarted;
                });
    }

    /** Out, emptied while it is down, and started; healing adds it as a new one. */
    private CompletableFuture<FaultOutcome> replace(long id, String name) {
        return requests.submit(() -> administration.removeVoter(id, name))
                .thenCompose(
                        removed ->
                                removed.status() != Status.INSTALLED
                                        ? CompletableFuture.completedFuture(removed)
                                        : onEach(
                                                        List.of(name),
                                                        n ->
                                                                n.process.bounce(
                                                                        id,
                                                                        () ->
                                                                                n.pod.shell()
                                                                                        .check(
                                                                                                "find "
                                                                                                        + Disks
                                                                                                                .FILES
                                                                                                        + " -mindepth"
                                                                                                        + " 1 -delete",
                                                                                                COMMAND_MILLIS)))
                                                .thenApply(
                                                        wiped ->
                                                                Findings.all(
                                                                        List.of(removed, wiped))));
    }

    private CompletableFuture<FaultOutcome> flap(long id, List<Link> links, long periodMillis) {
        return network.submit(() -> cuts.cut(id, links))
                .thenApply(
                        outcome -> {
                            alternate(id, periodMillis, network, cut -> cuts.flip(id, links, cut));
                            return outcome;
                        });
    }

    private CompletableFuture<FaultOutcome> strobe(
            long id, List<String> names, long offsetMillis, long periodMillis) {
        return time.submit(() -> clocks.jump(id, names, offsetMillis))
                .thenApply(
                        outcome -> {
                            alternate(
                                    id,
                                    periodMillis,
                                    time,
                                    on -> clocks.set(id, names, on ? offsetMillis : 0));
                            return outcome;
                        });
    }

    /** Begins in the first state, and changes every half period. */
    private void alternate(long id, long periodMillis, Lane lane, Consumer<Boolean> change) {
        AtomicLong turns = new AtomicLong();
        long half = Math.max(1, periodMillis / 2);
        BooleanSupplier turn =
                () -> {
                    // A turn that was queued before the heal must not come after it.
                    if (alternations.containsKey(id)) {
                        change.accept(turns.incrementAndGet() % 2 == 0);
                    }
                    return true;
                };
        ScheduledFuture<?> schedule =
                timer.scheduleWithFixedDelay(
                        () -> lane.submit(turn::getAsBoolean).join(),
                        half,
                        half,
                        TimeUnit.MILLISECONDS);
        alternations.put(id, new Alternation(schedule, turns));
    }

    private CompletableFuture<FaultOutcome> calmed(
            long id, CompletableFuture<FaultOutcome> healed, String what) {
        Alternation alternation = alternations.remove(id);
        if (alternation == null) {
            return healed;
        }
        alternation.schedule.cancel(false);
        return healed.thenApply(
                outcome -> {
                    List<String> evidence = new ArrayList<>(outcome.evidence());
                    evidence.add(what + " " + alternation.turns + " times meanwhile");
                    return new FaultOutcome(outcome.status(), evidence);
                });
    }

    /** Removes every fault, whatever it was, and starts what does not run. Idempotent. */
    void healAll() {
        alternations.values().forEach(alternation -> alternation.schedule.cancel(false));
        alternations.clear();
        List<CompletableFuture<?>> parts = new ArrayList<>();
        parts.add(
                network.submit(
                        () -> {
                            shaping.removeAll();
                            List<String> problems = new ArrayList<>(packetQueues.removeAll());
                            problems.addAll(cuts.removeAll());
                            return problems;
                        }));
        for (Node node : nodes.values()) {
            parts.add(node.lane.submit(() -> recover(node)));
        }
        CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new)).join();
        boolean ended =
                time.submit(
                                () -> {
                                    if (controlled) {
                                        clocks.removeAll();
                                    }
                                    return true;
                                })
                        .thenCombine(
                                requests.submit(
                                        () -> {
                                            administration.restoreAll();
                                            return true;
                                        }),
                                Boolean::logicalAnd)
                        .join();
        assert ended;
    }

    private FaultOutcome recover(Node node) {
        String ended = endangered.contains(node.pod.node()) ? "" : node.process.endedByItself();
        if (!ended.isEmpty()) {
            crashes.add(ended);
        }
        if (smallVolumes) {
            node.disks.removeFiller();
        }
        if (controlled) {
            node.disks.removeAll();
        }
        FaultOutcome quotas = node.quotas.restoreAll();
        if (controlled && clocks.drifts(node.pod.node())) {
            try {
                clocks.prepareRate(node.pod.node(), 100);
                FaultOutcome killed = node.process.kill(-1);
                assert killed != null;
            } catch (IOException e) {
                return Findings.of(Status.INDETERMINATE, String.valueOf(e.getMessage()));
            }
        }
        return Findings.all(List.of(quotas, node.process.recover()));
    }

    @Override
    public void close() {
        timer.shutdownNow();
        network.close();
        time.close();
        requests.close();
        nodes.values().forEach(node -> node.lane.close());
    }
}
