package raft.harness.docker;

import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultAction.Packets;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What queues of the sending pods do to packets: limits of bandwidth (htb), and where the kernel
 * has netem, delay, duplication, reordering and corruption. One class of a tree for each peer, so
 * that one link can be shaped and clients are not. As with {@link Cuts}, the whole tree of a pod
 * follows from the set of active faults. Called in the network's lane only.
 */
final class Shaping {
    /** What a kernel must have for a kind of shaping, tried in a pod. */
    record Ability(boolean htb, boolean netem) {}

    static final String NO_NETEM =
            "not supported by this kernel (no sch_netem; modprobe sch_netem where it is a module)";
    static final String NO_HTB =
            "not supported by this kernel (no sch_htb or cls_u32; modprobe sch_htb cls_u32)";

    private static final long COMMAND_MILLIS = 10_000;
    private static final String DEVICE = "eth0";

    /** How long bandwidth is measured. */
    private static final long MEASURE_MILLIS = 400;

    private static final Pattern CLASS =
            Pattern.compile("class htb 1:([0-9a-f]+) .*?\\n\\s*Sent (\\d+) bytes", Pattern.DOTALL);

    private final SortedMap<String, Pod> pods = new TreeMap<>();
    private final Map<Long, Packets> active = new TreeMap<>();
    private final Ability ability;

    Shaping(Iterable<Pod> pods, Ability ability) {
        pods.forEach(pod -> this.pods.put(pod.node(), pod));
        this.ability = ability;
    }

    /** Tries in a pod's own network, and leaves nothing behind. */
    static Ability ability(PodShell shell) throws IOException {
        boolean htb =
                shell.run(
                                "tc qdisc add dev lo root handle 1: htb default 1 && tc class add"
                                    + " dev lo parent 1: classid 1:10 htb rate 1mbit && tc filter"
                                    + " add dev lo parent 1: protocol ip prio 1 u32 match ip dst"
                                    + " 127.0.0.9/32 flowid 1:10; s=$?; tc qdisc del dev lo root;"
                                    + " (exit $s)",
                                COMMAND_MILLIS)
                        .ok();
        boolean netem =
                shell.run(
                                "tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo"
                                        + " root",
                                COMMAND_MILLIS)
                        .ok();
        return new Ability(htb, netem);
    }

    FaultOutcome shape(long fault, Packets packets) {
        if (!ability.htb) {
            return Findings.of(Status.SKIPPED, NO_HTB);
        }
        if (!(packets instanceof FaultAction.PacketRate) && !ability.netem) {
            return Findings.of(Status.SKIPPED, NO_NETEM);
        }
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
            List<String> evidence = new ArrayList<>();
            for (Pod pod : pods.values()) {
                String queue = pod.shell().check("tc qdisc show dev " + DEVICE, COMMAND_MILLIS);
                boolean shaped = queue.contains("htb");
                boolean wanted = isShaped(pod.node());
                if (shaped != wanted) {
                    return Findings.of(
                            Status.INDETERMINATE, pod.node() + " has the queue " + queue.strip());
                }
                evidence.add(
                        pod.node()
                                + (wanted
                                        ? " is still shaped by another fault"
                                        : " has its plain queue again"));
            }
            return new FaultOutcome(Status.INSTALLED, evidence);
        } catch (IOException e) {
            return Findings.of(Status.INDETERMINATE, String.valueOf(e.getMessage()));
        }
    }

    void removeAll() {
        active.clear();
        for (Pod pod : pods.values()) {
            try {
                apply(pod);
            } catch (IOException e) {
                // The pod is gone, and its queues with it.
                assert e.getMessage() != null;
            }
        }
    }

    private boolean isShaped(String sender) {
        return active.values().stream()
                .flatMap(packets -> packets.links().stream())
                .anyMatch(link -> link.from().equals(sender));
    }

    private void applyAll() throws IOException {
        for (Pod pod : pods.values()) {
            apply(pod);
        }
    }

    private void apply(Pod sender) throws IOException {
        StringBuilder script =
                new StringBuilder("tc qdisc del dev " + DEVICE + " root 2>/dev/null; true");
        if (isShaped(sender.node())) {
            script.append(" && tc qdisc add dev " + DEVICE + " root handle 1: htb default 0");
            int number = 0x10;
            for (Pod receiver : pods.values()) {
                if (!receiver.node().equals(sender.node())) {
                    branch(script, new Link(sender.node(), receiver.node()), number);
                }
                number++;
            }
        }
        sender.shell().check(script.toString(), COMMAND_MILLIS);
    }

    /** One class, what it does to packets, and the filters that lead there. */
    private void branch(StringBuilder script, Link link, int number) {
        int kbitPerSecond = rateOn(link);
        String netem = netemOn(link);
        if (kbitPerSecond == 0 && netem.isEmpty()) {
            return;
        }
        String id = "1:" + Integer.toHexString(number);
        script.append(" && tc class add dev ")
                .append(DEVICE)
                .append(" parent 1: classid ")
                .append(id)
                .append(" htb quantum 1600 rate ")
                .append(kbitPerSecond == 0 ? "10gbit" : kbitPerSecond + "kbit");
        if (!netem.isEmpty()) {
            script.append(" && tc qdisc add dev ")
                    .append(DEVICE)
                    .append(" parent ")
                    .append(id)
                    .append(" netem limit 100000")
                    .append(netem);
        }
        Pod receiver = pods.get(link.to());
        if (receiver == null) {
            throw new IllegalStateException("no pod for " + link);
        }
        filter(script, "ip", "ip", receiver.address() + "/32", id, 1);
        if (!receiver.address6().isEmpty()) {
            filter(script, "ipv6", "ip6", receiver.address6() + "/128", id, 2);
        }
    }

    private static void filter(
            StringBuilder script,
            String protocol,
            String match,
            String address,
            String id,
            int priority) {
        script.append(" && tc filter add dev ")
                .append(DEVICE)
                .append(" parent 1: protocol ")
                .append(protocol)
                .append(" prio ")
                .append(priority)
                .append(" u32 match ")
                .append(match)
                .append(" dst ")
                .append(address)
                .append(" flowid ")
                .append(id);
    }

    /** The narrowest limit of all faults, 0 for none. */
    private int rateOn(Link link) {
        return active.values().stream()
                .filter(packets -> packets.links().contains(link))
                .mapToInt(
                        packets ->
                                packets instanceof FaultAction.PacketRate rate
                                        ? rate.kbitPerSecond()
                                        : 0)
                .filter(rate -> rate > 0)
                .min()
                .orElse(0);
    }

    private String netemOn(Link link) {
        StringBuilder words = new StringBuilder();
        for (Packets packets : active.values()) {
            if (packets.links().contains(link)) {
                words.append(
                        switch (packets) {
                            case FaultAction.PacketDelay(var links, int delay, int jitter) ->
                                    " delay " + delay + "ms " + jitter + "ms";
                            case FaultAction.PacketDuplication(var links, int percent) ->
                                    " duplicate " + percent + "%";
                            case FaultAction.PacketReordering(var links, int percent, int delay) ->
                                    // netem delays all but those that overtake.
                                    " delay " + delay + "ms reorder " + (100 - percent) + "%";
                            case FaultAction.PacketCorruption(var links, int percent) ->
                                    " corrupt " + percent + "%";
                            case FaultAction.PacketRate ignored -> "";
                            case FaultAction.PacketLoss ignored -> "";
                        });
            }
        }
        return words.toString();
    }

    private FaultOutcome prove(Packets packets) throws IOException {
        List<String> evidence = new ArrayList<>();
        boolean proven = !packets.links().isEmpty();
        for (Link link : packets.links()) {
            Pod sender = pods.get(link.from());
            Pod receiver = pods.get(link.to());
            if (sender == null || receiver == null) {
                continue;
            }
            if (packets instanceof FaultAction.PacketRate rate) {
                proven &= proveRate(sender, receiver, rate.kbitPerSecond(), evidence);
            } else if (packets instanceof FaultAction.PacketDelay delay) {
                proven &= proveDelay(sender, receiver, delay, evidence);
            } else {
                String queue =
                        sender.shell().check("tc -s qdisc show dev " + DEVICE, COMMAND_MILLIS);
                boolean there = queue.contains("netem");
                proven &= there;
                evidence.add(link + (there ? " passes a netem queue" : " passes no netem queue"));
            }
        }
        return new FaultOutcome(proven ? Status.INSTALLED : Status.INDETERMINATE, evidence);
    }

    /**
     * Puts more into the queue than may pass and looks how much did: more than something, and no
     * more than the limit allows.
     */
    private boolean proveRate(Pod sender, Pod receiver, int kbit, List<String> evidence)
            throws IOException {
        long bytes = kbit * 125L * MEASURE_MILLIS / 1000 + 20_000;
        int packets = (int) (bytes / 1_000) + 1;
        long before = sentBytes(sender, receiver);
        long begin = System.nanoTime();
        sender.shell()
                .check(
                        "x=$(head -c 1000 /dev/zero | tr '\\0' x); for ((i = 0; i < "
                                + packets
                                + "; i++)); do echo -n $x >/dev/udp/"
                                + receiver.address()
                                + "/"
                                + CutRules.PROBE_PORT
                                + "; done; sleep "
                                + MEASURE_MILLIS / 1e3,
                        COMMAND_MILLIS);
        long passed = sentBytes(sender, receiver) - before;
        double seconds = (System.nanoTime() - begin) / 1e9;
        double measuredKbit = passed * 8 / 1e3 / seconds;
        // Two bursts of what htb lets pass at once, and the shell's own time.
        boolean limited = measuredKbit <= kbit * 1.15 + 64;
        evidence.add(
                String.format(
                        Locale.ROOT,
                        "%s->%s passed %d of %d bytes in %.2f s: %.0f kbit/s, meant are %d",
                        sender.node(),
                        receiver.node(),
                        passed,
                        packets * 1_042L,
                        seconds,
                        measuredKbit,
                        kbit));
        return limited && passed > 0;
    }

    private long sentBytes(Pod sender, Pod receiver) throws IOException {
        int number = 0x10;
        for (String node : pods.keySet()) {
            if (node.equals(receiver.node())) {
                break;
            }
            number++;
        }
        String shown = sender.shell().check("tc -s class show dev " + DEVICE, COMMAND_MILLIS);
        Matcher matcher = CLASS.matcher(shown);
        while (matcher.find()) {
            if (Integer.parseInt(matcher.group(1), 16) == number) {
                return Long.parseLong(matcher.group(2));
            }
        }
        throw new IOException(sender.node() + " has no class for " + receiver.node());
    }

    /** A handshake of TCP takes one delay for each direction that has one. */
    private static boolean proveDelay(
            Pod sender, Pod receiver, FaultAction.PacketDelay delay, List<String> evidence)
            throws IOException {
        String took =
                sender.shell()
                        .check(
                                "a=$(date +%s%N); (exec 3<>/dev/tcp/"
                                        + receiver.address()
                                        + "/7001) 2>/dev/null; b=$(date +%s%N); echo $(((b - a) /"
                                        + " 1000000))",
                                COMMAND_MILLIS);
        long millis = Long.parseLong(took.strip());
        evidence.add(
                sender.node()
                        + "->"
                        + receiver.node()
                        + ": a handshake took "
                        + millis
                        + " ms, meant is a delay of "
                        + delay.delayMillis()
                        + " ms");
        return millis >= delay.delayMillis() - delay.jitterMillis();
    }
}
