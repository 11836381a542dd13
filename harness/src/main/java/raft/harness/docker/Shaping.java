package raft.harness.docker;

import raft.harness.nemesis.FaultAction;
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
 * Limits of bandwidth on the way out of a pod (htb). One class of a tree for each peer, so that one
 * link can be limited and clients are not. As with {@link Cuts}, the whole tree of a pod follows
 * from the set of active faults. Called in the network's lane only.
 */
final class Shaping {
    static final String NO_HTB =
            "not supported by this kernel (no sch_htb or cls_u32; modprobe sch_htb cls_u32)";

    private static final long COMMAND_MILLIS = 10_000;
    private static final String DEVICE = "eth0";

    /** How long bandwidth is measured. */
    private static final long MEASURE_MILLIS = 400;

    private static final Pattern CLASS =
            Pattern.compile("class htb 1:([0-9a-f]+) .*?\\n\\s*Sent (\\d+) bytes", Pattern.DOTALL);

    private final SortedMap<String, Pod> pods = new TreeMap<>();
    private final Map<Long, FaultAction.PacketRate> active = new TreeMap<>();

    Shaping(Iterable<Pod> pods) {
        pods.forEach(pod -> this.pods.put(pod.node(), pod));
    }

    /** Tries in a pod's own network, and leaves nothing behind. */
    static boolean isPossible(PodShell shell) throws IOException {
        return shell.run(
                        "tc qdisc add dev lo root handle 1: htb default 1 && tc class add"
                                + " dev lo parent 1: classid 1:10 htb rate 1mbit && tc filter"
                                + " add dev lo parent 1: protocol ip prio 1 u32 match ip dst"
                                + " 127.0.0.9/32 flowid 1:10; s=$?; tc qdisc del dev lo root;"
                                + " (exit $s)",
                        COMMAND_MILLIS)
                .ok();
    }

    FaultOutcome limit(long fault, FaultAction.PacketRate rate) {
        active.put(fault, rate);
        try {
            applyAll();
            return prove(rate);
        } catch (IOException e) {
            return Findings.of(Status.INDETERMINATE, String.valueOf(e.getMessage()));
        }
    }

    FaultOutcome heal(long fault) {
        if (active.remove(fault) == null) {
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
                .flatMap(rate -> rate.links().stream())
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

    /** One class, and the filters that lead there. */
    private void branch(StringBuilder script, Link link, int number) {
        int kbitPerSecond = rateOn(link);
        if (kbitPerSecond == 0) {
            return;
        }
        String id = "1:" + Integer.toHexString(number);
        script.append(" && tc class add dev ")
                .append(DEVICE)
                .append(" parent 1: classid ")
                .append(id)
                .append(" htb quantum 1600 rate ")
                .append(kbitPerSecond)
                .append("kbit");
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
                .filter(rate -> rate.links().contains(link))
                .mapToInt(FaultAction.PacketRate::kbitPerSecond)
                .min()
                .orElse(0);
    }

    private FaultOutcome prove(FaultAction.PacketRate rate) throws IOException {
        List<String> evidence = new ArrayList<>();
        boolean proven = !rate.links().isEmpty();
        for (Link link : rate.links()) {
            Pod sender = pods.get(link.from());
            Pod receiver = pods.get(link.to());
            if (sender != null && receiver != null) {
                proven &= proveRate(sender, receiver, rate.kbitPerSecond(), evidence);
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
}
