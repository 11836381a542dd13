package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.stream.Collectors;

/**
 * The links of one cluster that drop packets: all of them, or some at random. What is dropped
 * follows from the set of active faults alone: every change writes the whole chain of every pod
 * anew, so a link that two cuts share opens when the second of them is taken back, in whatever
 * order. Called by one thread at a time (the network's lane).
 */
final class Cuts {
    private static final long COMMAND_MILLIS = 10_000;

    /** A first packet may wait for its neighbour's hardware address; this is ample for both. */
    private static final int PROBE_ROUNDS = 10;

    private static final long PROBE_PAUSE_MILLIS = 30;

    /** Where packets are lost at random, enough to tell 5 % from none and 20 % from 40 %. */
    private static final int LOSS_PROBES = 300;

    private final SortedMap<String, Pod> pods;
    private final EveryPod everyPod;
    private final Map<Long, Dropping> active = new TreeMap<>();

    /**
     * One fault's part.
     *
     * @param percent 100 for a cut
     */
    private record Dropping(List<Link> links, int percent) {}

    /** The address families that pods really have: the tool's name, then node to address. */
    private final SortedMap<String, SortedMap<String, String>> families = new TreeMap<>();

    Cuts(Collection<Pod> pods, ExecutorService workers) {
        this.pods = new TreeMap<>();
        this.everyPod = new EveryPod(pods, workers);
        pods.forEach(pod -> this.pods.put(pod.node(), pod));
        SortedMap<String, String> v4 = new TreeMap<>();
        pods.forEach(pod -> v4.put(pod.node(), pod.address()));
        families.put("iptables", v4);
    }

    /** Looks for global IPv6 addresses: packets that go there would pass an IPv4 filter. */
    void findSecondFamily() throws IOException {
        SortedMap<String, String> v6 = new TreeMap<>();
        for (Pod pod : pods.values()) {
            String table =
                    pod.shell().check("cat /proc/net/if_inet6 2>/dev/null || true", COMMAND_MILLIS);
            String address = globalV6(table);
            if (address != null) {
                v6.put(pod.node(), address);
            }
        }
        if (v6.size() == pods.size()) {
            families.put("ip6tables", v6);
        }
    }

    /** The first address of global scope (00) in /proc/net/if_inet6, null when there is none. */
    static @Nullable String globalV6(String table) {
        for (String line : table.lines().toList()) {
            String[] fields = line.trim().split("\\s+", -1);
            if (fields.length >= 6 && fields[3].equals("00") && fields[0].length() == 32) {
                return fields[0].replaceAll("(.{4})(?!$)", "$1:");
            }
        }
        return null;
    }

    FaultOutcome cut(long fault, List<Link> links) {
        active.put(fault, new Dropping(List.copyOf(links), 100));
        return applyAndProve("cut");
    }

    FaultOutcome lose(long fault, List<Link> links, int percent) {
        active.put(fault, new Dropping(List.copyOf(links), percent));
        return applyAndProve("lossy");
    }

    /** Cuts or opens without a proof, for links that change faster than one takes. */
    void flip(long fault, List<Link> links, boolean cut) {
        if (cut) {
            active.put(fault, new Dropping(List.copyOf(links), 100));
        } else {
            active.put(fault, new Dropping(List.of(), 100));
        }
        Set<Link> blocked = blockedLinks();
        Map<Link, Double> loss = loss();
        everyPod.failures(pod -> apply(pod, blocked, loss));
    }

    FaultOutcome heal(long fault) {
        Dropping dropping = active.remove(fault);
        if (dropping == null) {
            return Findings.of(Status.SKIPPED, "there is no cut of this fault to take back");
        }
        return applyAndProve("healed");
    }

    /** Removes every cut and our chains. Returns what went wrong, one sentence each. */
    List<String> removeAll() {
        active.clear();
        List<String> problems = new ArrayList<>();
        everyPod.failures(
                        pod -> {
                            for (String tool : families.keySet()) {
                                pod.shell().check(CutRules.removeCommand(tool), COMMAND_MILLIS);
                            }
                        })
                .forEach((node, failure) -> problems.add(failure));
        return problems;
    }

    private FaultOutcome applyAndProve(String what) {
        Set<Link> blocked = blockedLinks();
        Map<Link, Double> loss = loss();
        Map<String, String> failures = everyPod.failures(pod -> apply(pod, blocked, loss));
        if (!failures.isEmpty()) {
            return new FaultOutcome(Status.INDETERMINATE, List.copyOf(failures.values()));
        }
        try {
            FaultOutcome outcome = prove(what, blocked, loss);
            if (active.isEmpty() && outcome.status() == Status.INSTALLED) {
                // The proof needs the chain; afterwards nothing of ours is left to stay behind.
                List<String> problems = removeAll();
                if (!problems.isEmpty()) {
                    return new FaultOutcome(Status.INDETERMINATE, problems);
                }
            }
            return outcome;
        } catch (IOException e) {
            return Findings.of(Status.INDETERMINATE, "the probes failed: " + e.getMessage());
        }
    }

    private Set<Link> blockedLinks() {
        Set<Link> blocked = new TreeSet<>();
        active.values().stream()
                .filter(dropping -> dropping.percent == 100)
                .forEach(dropping -> blocked.addAll(dropping.links));
        blocked.removeIf(link -> !pods.containsKey(link.from()) || !pods.containsKey(link.to()));
        return blocked;
    }

    /**
     * Percent lost on each link that is not cut; losses of several faults come one after another.
     */
    private Map<Link, Double> loss() {
        Map<Link, Double> kept = new TreeMap<>();
        for (Dropping dropping : active.values()) {
            for (Link link : dropping.links) {
                kept.merge(link, 1 - dropping.percent / 100.0, (a, b) -> a * b);
            }
        }
        Map<Link, Double> loss = new TreeMap<>();
        kept.forEach(
                (link, share) -> {
                    if (share > 0 && pods.containsKey(link.from()) && pods.containsKey(link.to())) {
                        loss.put(link, 100 * (1 - share));
                    }
                });
        return loss;
    }

    private void apply(Pod receiver, Set<Link> blocked, Map<Link, Double> loss) throws IOException {
        Set<String> sources =
                blocked.stream()
                        .filter(link -> link.to().equals(receiver.node()))
                        .map(Link::from)
                        .collect(Collectors.toSet());
        Map<String, Double> lossBySource = new TreeMap<>();
        loss.forEach(
                (link, percent) -> {
                    if (link.to().equals(receiver.node())) {
                        lossBySource.put(link.from(), percent);
                    }
                });
        for (Map.Entry<String, SortedMap<String, String>> family : families.entrySet()) {
            String rules =
                    CutRules.restoreInput(
                            peersOf(receiver, family.getValue()), sources, lossBySource);
            receiver.shell().check(CutRules.applyCommand(family.getKey(), rules), COMMAND_MILLIS);
        }
    }

    private static SortedMap<String, String> peersOf(Pod pod, SortedMap<String, String> all) {
        SortedMap<String, String> peers = new TreeMap<>(all);
        peers.remove(pod.node());
        return peers;
    }

    /**
     * Sends a probe over every directed pair, not only the cut ones: a filter that cuts too much is
     * as wrong as one that cuts too little. The counters start at 0 since the rules are new.
     */
    private FaultOutcome prove(String what, Set<Link> blocked, Map<Link, Double> loss)
            throws IOException {
        List<String> evidence = new ArrayList<>();
        boolean asExpected = true;
        for (String tool : families.keySet()) {
            Map<Link, CutRules.Count> counts = probe(tool, loss.isEmpty() ? 1 : LOSS_PROBES);
            TreeSet<Link> dropped = new TreeSet<>();
            TreeSet<Link> open = new TreeSet<>();
            TreeSet<Link> lost = new TreeSet<>();
            counts.forEach(
                    (link, count) ->
                            (count.arrived() == 0 ? lost : count.passed() == 0 ? dropped : open)
                                    .add(link));
            asExpected &= lost.isEmpty() && dropped.equals(blocked);
            String family = tool.equals("iptables") ? "IPv4" : "IPv6";
            evidence.add(
                    family + " probes arrived and were dropped by the rule on " + names(dropped));
            evidence.add(family + " probes arrived and passed on " + names(open));
            for (Map.Entry<Link, Double> wanted : loss.entrySet()) {
                CutRules.Count count = counts.get(wanted.getKey());
                double percent =
                        count == null || count.arrived() == 0
                                ? -1
                                : 100.0 * (count.arrived() - count.passed()) / count.arrived();
                asExpected &= isAbout(percent, wanted.getValue(), count);
                evidence.add(
                        String.format(
                                "%s probes on %s: %.1f %% lost, meant are %.1f %%",
                                family, wanted.getKey(), percent, wanted.getValue()));
            }
            if (!lost.isEmpty()) {
                evidence.add(family + " probes never arrived on " + names(lost));
            }
            if (!dropped.equals(blocked)) {
                evidence.add("meant to be blocked once " + what + ": " + names(blocked));
            }
        }
        return new FaultOutcome(asExpected ? Status.INSTALLED : Status.INDETERMINATE, evidence);
    }

    /** Within four standard deviations of what chance gives, and not nothing. */
    private static boolean isAbout(
            double percent, double wantedPercent, CutRules.@Nullable Count count) {
        if (count == null || percent <= 0) {
            return false;
        }
        double share = wantedPercent / 100;
        double deviation = 100 * Math.sqrt(share * (1 - share) / count.arrived());
        return Math.abs(percent - wantedPercent) <= 4 * deviation + 1;
    }

    private Map<Link, CutRules.Count> probe(String tool, int each) throws IOException {
        SortedMap<String, String> addresses = families.get(tool);
        if (addresses == null) {
            throw new IllegalStateException("no addresses for " + tool);
        }
        Map<Link, CutRules.Count> counts = new HashMap<>();
        for (int round = 0; round < PROBE_ROUNDS; round++) {
            everyPod.check(
                    pod ->
                            pod.shell()
                                    .check(
                                            CutRules.probeCommand(
                                                    peersOf(pod, addresses).values(),
                                                    CutRules.PROBE_PORT,
                                                    each),
                                            COMMAND_MILLIS));
            for (int look = 0; look < 2; look++) {
                counts = readCounts(tool);
                if (counts.size() == addresses.size() * (addresses.size() - 1)
                        && counts.values().stream().allMatch(c -> c.arrived() > 0)) {
                    return counts;
                }
                pause();
            }
        }
        return counts;
    }

    private Map<Link, CutRules.Count> readCounts(String tool) throws IOException {
        Map<Link, CutRules.Count> counts = new ConcurrentHashMap<>();
        everyPod.check(
                pod -> {
                    String saved = pod.shell().check(CutRules.countsCommand(tool), COMMAND_MILLIS);
                    CutRules.counts(saved)
                            .forEach(
                                    (from, count) -> counts.put(new Link(from, pod.node()), count));
                });
        return counts;
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(PROBE_PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while probing", e);
        }
    }

    private static String names(Set<Link> links) {
        return links.isEmpty()
                ? "no link"
                : links.stream().map(Link::toString).collect(Collectors.joining(", "));
    }
}
