package raft.harness.docker;

import raft.harness.docker.PacketRules.Statistics;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultAction.Packets;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Makes packets late, double, overtaking or wrong on their way out of a pod: they are handed to a
 * small program there (docker/faults/packets.c) and go on when and how that decides. The kernel's
 * own netem, which many kernels are built without, is not needed.
 *
 * <p>As with {@link Cuts} everything follows from the set of active faults: whatever overlaps on a
 * link is done one after the other, and ends each by itself. Called in the network's lane only.
 */
final class PacketQueues {
    static final String NO_QUEUE =
            "not supported by this kernel or the pods' image (no NFQUEUE; modprobe"
                    + " nfnetlink_queue xt_NFQUEUE where they are modules)";

    private static final long COMMAND_MILLIS = 20_000;
    private static final int PROBES_MIN = 50;
    private static final int PROBES_MAX = 2_500;

    /** Packets that are later than this are not waited for: that they do not come is the proof. */
    private static final int WAIT_MILLIS_MAX = 2_000;

    /** What a loaded machine may need beyond a delay until everything was counted. */
    private static final int SLACK_MILLIS = 3_000;

    private static final long LOOK_EVERY_MILLIS = 40;

    private final SortedMap<String, Pod> pods = new TreeMap<>();
    private final EveryPod everyPod;
    private final SortedMap<Long, Packets> active = new TreeMap<>();

    /** What each pod's program does now, by queue. */
    private final Map<String, SortedMap<Integer, String>> running = new ConcurrentHashMap<>();

    PacketQueues(Collection<Pod> pods, ExecutorService workers) {
        pods.forEach(pod -> this.pods.put(pod.node(), pod));
        this.everyPod = new EveryPod(pods, workers);
    }

    static boolean isPossible(PodShell shell) throws IOException {
        return shell.run(PacketRules.trial(), COMMAND_MILLIS).ok();
    }

    FaultOutcome treat(long fault, Packets packets) {
        active.put(fault, packets);
        try {
            applyAll();
            return prove(packets);
        } catch (IOException e) {
            return Findings.of(Status.INDETERMINATE, String.valueOf(e.getMessage()));
        }
    }

    FaultOutcome heal(long fault) {
        Packets packets = active.remove(fault);
        if (packets == null) {
            return Findings.of(Status.SKIPPED, "nothing of this fault is to be taken back");
        }
        try {
            applyAll();
            FaultOutcome outcome = proveGone(packets);
            if (active.isEmpty()) {
                everyPod.check(this::remove);
            }
            return outcome;
        } catch (IOException e) {
            return Findings.of(Status.INDETERMINATE, String.valueOf(e.getMessage()));
        }
    }

    /** Returns what went wrong, one sentence each. */
    List<String> removeAll() {
        active.clear();
        return List.copyOf(everyPod.failures(this::remove).values());
    }

    private void remove(Pod pod) throws IOException {
        // Rules first: without them nothing is handed to a program that ends.
        for (String tool : tools(pod)) {
            pod.shell().check(PacketRules.removeSending(tool), COMMAND_MILLIS);
            pod.shell().check(PacketRules.removeArrivals(tool), COMMAND_MILLIS);
        }
        pod.shell().check(PacketRules.stopProgram(), COMMAND_MILLIS);
        running.remove(pod.node());
    }

    // ---- What follows from the active faults ----

    private void applyAll() throws IOException {
        everyPod.check(this::apply);
        // Only now: what a program that ended has let go is not to be counted.
        everyPod.check(this::countArrivals);
    }

    private void apply(Pod sender) throws IOException {
        SortedMap<Integer, String> wanted = stages(sender.node());
        if (wanted.equals(running.getOrDefault(sender.node(), new TreeMap<>()))) {
            return;
        }
        // Should one of the commands fail, it is not known what runs.
        running.remove(sender.node());
        if (wanted.isEmpty()) {
            for (String tool : tools(sender)) {
                sender.shell().check(PacketRules.removeSending(tool), COMMAND_MILLIS);
            }
            sender.shell().check(PacketRules.stopProgram(), COMMAND_MILLIS);
            return;
        }
        sender.shell().check(PacketRules.startProgram(wanted), COMMAND_MILLIS);
        for (String tool : tools(sender)) {
            Map<String, Integer> queues = new TreeMap<>();
            for (Pod receiver : pods.values()) {
                int queue = queue(receiver.node());
                if (wanted.containsKey(queue)) {
                    queues.put(address(receiver, tool), queue);
                }
            }
            String rules = PacketRules.sendingRules(queues);
            sender.shell().check(PacketRules.applySending(tool, rules), COMMAND_MILLIS);
        }
        running.put(sender.node(), wanted);
    }

    private void countArrivals(Pod receiver) throws IOException {
        for (String tool : tools(receiver)) {
            SortedMap<String, String> peers = new TreeMap<>();
            for (Pod peer : pods.values()) {
                if (!peer.node().equals(receiver.node())) {
                    peers.put(peer.node(), address(peer, tool));
                }
            }
            String rules = PacketRules.arrivalRules(peers);
            receiver.shell().check(PacketRules.applyArrivals(tool, rules), COMMAND_MILLIS);
        }
    }

    private SortedMap<Integer, String> stages(String sender) {
        SortedMap<Integer, String> stages = new TreeMap<>();
        for (String receiver : pods.keySet()) {
            String words =
                    on(new Link(sender, receiver)).stream()
                            .map(PacketRules::stage)
                            .collect(Collectors.joining(","));
            if (!words.isEmpty()) {
                stages.put(queue(receiver), words);
            }
        }
        return stages;
    }

    private List<Packets> on(Link link) {
        return active.values().stream().filter(packets -> packets.links().contains(link)).toList();
    }

    /** The same in every pod. */
    private int queue(String receiver) {
        return 1 + pods.headMap(receiver).size();
    }

    private static List<String> tools(Pod pod) {
        return pod.address6().isEmpty() ? List.of("iptables") : List.of("iptables", "ip6tables");
    }

    private static String address(Pod pod, String tool) {
        return tool.equals("iptables") ? pod.address() : pod.address6();
    }

    // ---- Proofs ----

    /** What came of the probes on one link. */
    private record Seen(int sent, long arrived, Statistics before, Statistics after) {
        long seen() {
            return after.seen() - before.seen();
        }

        long held() {
            return after.held() - before.held();
        }

        double meanMillis() {
            return held() == 0 ? 0 : (after.allMicros() - before.allMicros()) / 1e3 / held();
        }
    }

    private FaultOutcome prove(Packets packets) throws IOException {
        List<String> evidence = new ArrayList<>();
        List<Link> links = between(packets);
        boolean proven = !links.isEmpty();
        for (String tool : tools(pod(pods.firstKey()))) {
            Map<Link, Seen> seen = probe(tool, links, probes(packets), heldMillisMax(links));
            for (Link link : links) {
                Seen there = seen.get(link);
                proven &= there != null && shows(there, packets, on(link).size() == 1);
                evidence.add(
                        (tool.equals("iptables") ? "IPv4" : "IPv6")
                                + " probes on "
                                + link
                                + ": "
                                + (there == null ? "not sent" : words(there, packets)));
            }
        }
        return new FaultOutcome(proven ? Status.INSTALLED : Status.INDETERMINATE, evidence);
    }

    private List<Link> between(Packets packets) {
        return packets.links().stream()
                .filter(link -> pods.containsKey(link.from()) && pods.containsKey(link.to()))
                .toList();
    }

    /** So many that a share that small would hardly ever spare all of them. */
    private static int probes(Packets packets) {
        int percent = percent(packets);
        return Math.clamp(2_500 / percent, PROBES_MIN, PROBES_MAX);
    }

    private static int percent(Packets packets) {
        return switch (packets) {
            case FaultAction.PacketReordering reordering -> reordering.percent();
            case FaultAction.PacketDuplication duplication -> duplication.percent();
            case FaultAction.PacketCorruption corruption -> corruption.percent();
            case FaultAction.PacketDelay ignored -> 100;
            case FaultAction.PacketRate ignored -> 100;
            case FaultAction.PacketLoss ignored -> 100;
        };
    }

    private int heldMillisMax(List<Link> links) {
        return links.stream()
                .mapToInt(
                        link ->
                                on(link).stream()
                                        .mapToInt(
                                                packets ->
                                                        switch (packets) {
                                                            case FaultAction.PacketDelay delay ->
                                                                    delay.delayMillis()
                                                                            + delay.jitterMillis();
                                                            case FaultAction.PacketReordering
                                                                            reordering ->
                                                                    reordering.delayMillis();
                                                            default -> 0;
                                                        })
                                        .sum())
                .max()
                .orElse(0);
    }

    /**
     * @param alone whether no other fault treats the link's packets, which then may be held or
     *     doubled by that
     */
    private static boolean shows(Seen seen, Packets packets, boolean alone) {
        if (seen.seen() < seen.sent) {
            return false;
        }
        return switch (packets) {
            case FaultAction.PacketDelay(var links, int delay, int jitter) ->
                    delay > WAIT_MILLIS_MAX
                            ? seen.arrived == 0
                            : seen.arrived > 0
                                    && seen.held() > 0
                                    && seen.after.leastMicros() >= 1_000L * (delay - jitter)
                                    && seen.meanMillis() >= delay - jitter / 2.0;
            case FaultAction.PacketReordering(var links, int percent, int delay) ->
                    isShare(seen.held(), seen, percent, alone) && seen.meanMillis() >= delay;
            case FaultAction.PacketDuplication(var links, int percent) ->
                    isShare(seen.after.doubled() - seen.before.doubled(), seen, percent, alone);
            case FaultAction.PacketCorruption(var links, int percent) ->
                    isShare(seen.after.corrupted() - seen.before.corrupted(), seen, percent, alone);
            case FaultAction.PacketRate ignored -> false;
            case FaultAction.PacketLoss ignored -> false;
        };
    }

    /** Within four standard deviations of what chance gives, and not nothing. */
    private static boolean isShare(long count, Seen seen, int percent, boolean alone) {
        double share = percent / 100.0;
        double expected = share * seen.seen();
        double tolerance = 4 * Math.sqrt(seen.seen() * share * (1 - share)) + 2;
        return count > 0
                && count >= expected - tolerance
                && (!alone || count <= expected + tolerance);
    }

    private static String words(Seen seen, Packets packets) {
        return String.format(
                Locale.ROOT,
                "%d sent, %d arrived; of %d packets of all sorts %d were held (for %.1f ms on"
                        + " average, at least %.1f), %d doubled, %d corrupted; meant is: %s",
                seen.sent,
                seen.arrived,
                seen.seen(),
                seen.held(),
                seen.meanMillis(),
                seen.after.leastMicros() / 1e3,
                seen.after.doubled() - seen.before.doubled(),
                seen.after.corrupted() - seen.before.corrupted(),
                PacketRules.stage(packets));
    }

    /** What was sent on the links of the fault passes as ever, but for what others do to it. */
    private FaultOutcome proveGone(Packets packets) throws IOException {
        List<String> evidence = new ArrayList<>();
        List<Link> links = between(packets);
        boolean gone = true;
        for (String tool : tools(pod(pods.firstKey()))) {
            List<Link> free = links.stream().filter(link -> on(link).isEmpty()).toList();
            Map<Link, Seen> seen = probe(tool, free, PROBES_MIN, 0);
            String family = tool.equals("iptables") ? "IPv4" : "IPv6";
            for (Link link : links) {
                Seen there = seen.get(link);
                if (there == null) {
                    evidence.add(link + " is still treated by another fault");
                    continue;
                }
                gone &= there.seen() == 0 && there.arrived > 0 && there.arrived <= there.sent;
                evidence.add(
                        String.format(
                                Locale.ROOT,
                                "%s probes on %s: %d sent, %d arrived, %d passed a queue",
                                family,
                                link,
                                there.sent,
                                there.arrived,
                                there.seen()));
            }
        }
        return new FaultOutcome(gone ? Status.INSTALLED : Status.INDETERMINATE, evidence);
    }

    /**
     * Sends {@code count} datagrams over each link and waits until they arrived, or a time.
     *
     * @param heldMillis for how long they may be held
     */
    private Map<Link, Seen> probe(String tool, List<Link> links, int count, int heldMillis)
            throws IOException {
        Map<Link, Statistics> before = statistics(links);
        everyPod.check(
                pod -> {
                    List<String> targets =
                            links.stream()
                                    .filter(link -> link.from().equals(pod.node()))
                                    .map(link -> address(pod(link.to()), tool))
                                    .toList();
                    if (!targets.isEmpty()) {
                        pod.shell()
                                .check(
                                        CutRules.probeCommand(
                                                targets, PacketRules.PROBE_PORT, count),
                                        COMMAND_MILLIS);
                    }
                });
        boolean waits = heldMillis <= WAIT_MILLIS_MAX;
        long deadline =
                System.nanoTime()
                        + TimeUnit.MILLISECONDS.toNanos(
                                waits ? heldMillis + SLACK_MILLIS : WAIT_MILLIS_MAX / 2);
        Map<Link, Long> arrived = arrivals(tool, links);
        while (System.nanoTime() - deadline < 0
                && !(waits && arrived.values().stream().allMatch(number -> number >= count))) {
            pause();
            arrived = arrivals(tool, links);
        }
        // The program writes a little later than it acts.
        pause();
        Map<Link, Statistics> after = statistics(links);
        Map<Link, Seen> seen = new TreeMap<>();
        for (Link link : links) {
            seen.put(
                    link,
                    new Seen(
                            count,
                            arrived.getOrDefault(link, 0L),
                            before.getOrDefault(link, Statistics.NONE),
                            after.getOrDefault(link, Statistics.NONE)));
        }
        return seen;
    }

    private Map<Link, Statistics> statistics(List<Link> links) throws IOException {
        Map<Link, Statistics> found = new ConcurrentHashMap<>();
        everyPod.check(
                pod -> {
                    String file = pod.shell().check(PacketRules.readStatistics(), COMMAND_MILLIS);
                    Map<Integer, Statistics> byQueue = PacketRules.statistics(file);
                    for (Link link : links) {
                        Statistics there = byQueue.get(queue(link.to()));
                        if (link.from().equals(pod.node()) && there != null) {
                            found.put(link, there);
                        }
                    }
                });
        return found;
    }

    private Map<Link, Long> arrivals(String tool, List<Link> links) throws IOException {
        Map<Link, Long> found = new ConcurrentHashMap<>();
        everyPod.check(
                pod -> {
                    String saved =
                            pod.shell().check(PacketRules.readArrivals(tool), COMMAND_MILLIS);
                    Map<String, Long> bySender = PacketRules.arrivals(saved);
                    for (Link link : links) {
                        if (link.to().equals(pod.node())) {
                            found.put(link, bySender.getOrDefault(link.from(), 0L));
                        }
                    }
                });
        return found;
    }

    private Pod pod(String node) {
        Pod pod = pods.get(node);
        if (pod == null) {
            throw new IllegalStateException("no pod for " + node);
        }
        return pod;
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(LOOK_EVERY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while probing", e);
        }
    }
}
