package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The clocks of the nodes' processes, made wrong from inside the process by libfaketime. No clock
 * of the machine is touched, and that is looked at each time: this machine's wall clock against its
 * monotonic one, and the clocks of all other nodes.
 *
 * <p>Two modes (see {@code docker/faults/run}): a wall clock that is wrong by an amount which can
 * change while the process runs, and all clocks at a constant rate from the process's start. The
 * offset in force is the sum of all jumps and strobes of a node. Called in the clocks' lane only.
 */
final class Clocks {
    static final String NOT_OURS =
            "only our own node is started with the library for it, other images are used unchanged";

    private static final long COMMAND_MILLIS = 10_000;
    private static final long STATUS_MILLIS = 1_000;

    /** The library looks at its file once a second at most. */
    private static final long EFFECT_MILLIS = 5_000;

    private static final long PAUSE_MILLIS = 50;

    /** A quiet machine answers in less; a busy one is asked again. */
    private static final long SAMPLE_TRIES = 30;

    private static final long HOST_DRIFT_MILLIS_MAX = 200;
    private static final long RATE_MILLIS = 1_000;
    private static final long RATE_PATIENCE_MILLIS = 15_000;

    /** How much longer than the shortest the time between two looks may have been. */
    private static final double RATE_SHARPNESS = 1.04;

    private final SortedMap<String, Pod> pods = new TreeMap<>();
    private final StatusProbe statuses;
    private final long hostUtcMillis = System.currentTimeMillis();
    private final long hostNanos = System.nanoTime();

    /** Node to fault to offset. */
    private final Map<String, Map<Long, Long>> offsets = new ConcurrentHashMap<>();

    private final Map<String, Integer> rates = new ConcurrentHashMap<>();

    Clocks(Collection<Pod> pods, StatusProbe statuses) {
        pods.forEach(pod -> this.pods.put(pod.node(), pod));
        this.statuses = statuses;
    }

    /** How far a node's wall clock is off, at most {@code errorMillis} more or less. */
    private record Sample(long offsetMillis, long errorMillis) {}

    FaultOutcome jump(long fault, List<String> nodes, long offsetMillis) {
        for (String node : nodes) {
            if (rates.containsKey(node)) {
                return Findings.of(
                        Status.SKIPPED,
                        "the clock of " + node + " drifts, and cannot jump at the same time");
            }
        }
        try {
            for (String node : nodes) {
                of(node).put(fault, offsetMillis);
                write(node);
            }
            return prove(nodes);
        } catch (IOException e) {
            return Findings.of(Status.INDETERMINATE, String.valueOf(e.getMessage()));
        }
    }

    /** As {@link #jump}, without a proof; for clocks that change faster than one takes. */
    void set(long fault, List<String> nodes, long offsetMillis) {
        for (String node : nodes) {
            of(node).put(fault, offsetMillis);
            try {
                write(node);
            } catch (IOException e) {
                // The next one tries again, and the heal's proof would say that it did not help.
                assert e.getMessage() != null;
            }
        }
    }

    FaultOutcome heal(long fault, List<String> nodes) {
        boolean known = false;
        try {
            for (String node : nodes) {
                known |= of(node).remove(fault) != null;
                write(node);
            }
            FaultOutcome outcome = prove(nodes);
            if (!known) {
                List<String> evidence = new ArrayList<>(outcome.evidence());
                evidence.add("it had been taken back before");
                return new FaultOutcome(outcome.status(), evidence);
            }
            return outcome;
        } catch (IOException e) {
            return Findings.of(Status.INDETERMINATE, String.valueOf(e.getMessage()));
        }
    }

    FaultOutcome reset(List<String> nodes) {
        try {
            for (String node : nodes) {
                of(node).clear();
                write(node);
            }
            return prove(nodes);
        } catch (IOException e) {
            return Findings.of(Status.INDETERMINATE, String.valueOf(e.getMessage()));
        }
    }

    /** What the next start of the node's process goes by. */
    void prepareRate(String node, int ratePercent) throws IOException {
        Pod pod = pod(node);
        if (ratePercent == 100) {
            rates.remove(node);
            pod.shell().check("rm -f /raftlab/rate", COMMAND_MILLIS);
        } else {
            rates.put(node, ratePercent);
            pod.shell()
                    .check(
                            String.format(
                                    Locale.ROOT,
                                    "echo %.2f > /raftlab/rate.new && mv /raftlab/rate.new"
                                            + " /raftlab/rate",
                                    ratePercent / 100.0),
                            COMMAND_MILLIS);
        }
    }

    /** Whether both clocks of the node run at this rate, measured over a second or more. */
    FaultOutcome proveRate(String node, int ratePercent) {
        long firstAsked = System.nanoTime();
        NodeStatus.Clock first = clock(node);
        long firstAnswered = System.nanoTime();
        long deadline = firstAnswered + RATE_PATIENCE_MILLIS * 1_000_000;
        double shortest;
        double longest;
        NodeStatus.Clock second;
        do {
            pause(RATE_MILLIS);
            long asked = System.nanoTime();
            second = clock(node);
            // A busy machine answers late: each look is somewhere between question and answer.
            shortest = (asked - firstAnswered) / 1e9;
            longest = (System.nanoTime() - firstAsked) / 1e9;
        } while (first != null
                && longest > shortest * RATE_SHARPNESS
                && System.nanoTime() < deadline);
        if (first == null || second == null) {
            return Findings.of(Status.INDETERMINATE, node + " does not tell its clock");
        }
        double middle = (shortest + longest) / 2;
        double wall = (second.utcMillis() - first.utcMillis()) / 10.0 / middle;
        double monotonic = (second.monotonicNanos() - first.monotonicNanos()) / 1e7 / middle;
        boolean right = Math.abs(wall - ratePercent) < 8 && Math.abs(monotonic - ratePercent) < 8;
        boolean hostStayed = Math.abs(hostDriftMillis()) <= HOST_DRIFT_MILLIS_MAX;
        return Findings.of(
                right && hostStayed ? Status.INSTALLED : Status.INDETERMINATE,
                String.format(
                        Locale.ROOT,
                        "%s: wall clock at %.1f %%, monotonic clock at %.1f %%, meant are %d %%",
                        node,
                        wall,
                        monotonic,
                        ratePercent),
                host());
    }

    void removeAll() {
        offsets.clear();
        for (String node : pods.keySet()) {
            try {
                write(node);
            } catch (IOException e) {
                assert e.getMessage() != null; // The pod is gone, and its process with it.
            }
        }
    }

    boolean drifts(String node) {
        return rates.containsKey(node);
    }

    private Map<Long, Long> of(String node) {
        return offsets.computeIfAbsent(node, name -> new ConcurrentHashMap<>());
    }

    private long expected(String node) {
        return of(node).values().stream().mapToLong(offset -> offset).sum();
    }

    /** As a whole, so that the process never reads half of it. */
    private void write(String node) throws IOException {
        String offset = String.format(Locale.ROOT, "%+.3f", expected(node) / 1e3);
        pod(node)
                .shell()
                .check(
                        "echo '"
                                + offset
                                + "' > /raftlab/clock/new && mv /raftlab/clock/new"
                                + " /raftlab/clock/offset",
                        COMMAND_MILLIS);
    }

    /**
     * Every node's clock is where the faults in force put it: those that were meant, and all others
     * too. A node that does not answer proves nothing, unless it was not meant.
     */
    private FaultOutcome prove(List<String> nodes) {
        List<String> evidence = new ArrayList<>();
        boolean proven = true;
        for (String node : pods.keySet()) {
            boolean meant = nodes.contains(node);
            if (drifts(node)) {
                evidence.add(node + " drifts");
                continue;
            }
            Sample sample = settled(node);
            if (sample == null) {
                evidence.add(node + " does not tell its clock now");
                proven &= !meant;
                continue;
            }
            long off = Math.abs(sample.offsetMillis - expected(node));
            boolean right = off <= sample.errorMillis + 1;
            // An offset of 11 ms is not proven by a look that is 20 ms wide.
            boolean sharp =
                    expected(node) == 0 || sample.errorMillis < Math.abs(expected(node)) / 2.0;
            proven &= right && (sharp || !meant);
            evidence.add(
                    node
                            + "'s clock is off by "
                            + sample.offsetMillis
                            + " ± "
                            + sample.errorMillis
                            + " ms, meant are "
                            + expected(node)
                            + " ms");
        }
        evidence.add(host());
        proven &= Math.abs(hostDriftMillis()) <= HOST_DRIFT_MILLIS_MAX;
        return new FaultOutcome(proven ? Status.INSTALLED : Status.INDETERMINATE, evidence);
    }

    /** The best of some looks, once it is where it should be; null when the node is silent. */
    private @Nullable Sample settled(String node) {
        long deadline = System.nanoTime() + EFFECT_MILLIS * 1_000_000;
        Sample best = null;
        for (int i = 0; i < SAMPLE_TRIES && System.nanoTime() < deadline; i++) {
            Sample sample = sample(node);
            if (sample == null) {
                return best;
            }
            boolean right =
                    Math.abs(sample.offsetMillis - expected(node)) <= sample.errorMillis + 1;
            best = sample;
            if (right && sample.errorMillis <= Math.max(4, Math.abs(expected(node)) / 3)) {
                return sample;
            }
            pause(PAUSE_MILLIS);
        }
        return best;
    }

    private @Nullable Sample sample(String node) {
        long before = System.currentTimeMillis();
        NodeStatus.Clock clock = clock(node);
        long after = System.currentTimeMillis();
        return clock == null
                ? null
                : new Sample(clock.utcMillis() - (before + after) / 2, (after - before) / 2 + 1);
    }

    private NodeStatus.@Nullable Clock clock(String node) {
        return statuses.askNow(node, STATUS_MILLIS).clock();
    }

    private String host() {
        return "this machine's clock moved by "
                + hostDriftMillis()
                + " ms against its monotonic one since the run began";
    }

    private long hostDriftMillis() {
        return System.currentTimeMillis()
                - hostUtcMillis
                - (System.nanoTime() - hostNanos) / 1_000_000;
    }

    private Pod pod(String node) {
        Pod pod = pods.get(node);
        if (pod == null) {
            throw new IllegalArgumentException("no such node: " + node);
        }
        return pod;
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
