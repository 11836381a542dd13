package raft.harness.docker;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The packet filter of one receiving pod, as text for iptables and back.
 *
 * <p>Everything is in one chain of our own, so that taking it back cannot touch what others made.
 * For every peer the chain counts a probe twice: when it arrives, before anything is dropped, and
 * again when it got past the drops. A probe that was counted first and not second was dropped by
 * the one rule in between: that, and not the mere presence of a rule, proves a cut.
 */
final class CutRules {
    static final String CHAIN = "RAFTLAB";

    /** Probes are UDP datagrams to this port; nobody listens there. */
    static final int PROBE_PORT = 7099;

    private static final Pattern COUNTED =
            Pattern.compile(
                    "^\\[(\\d+):\\d+\\] -A "
                            + CHAIN
                            + " .*--comment \"?(arrived|passed):([A-Za-z0-9_-]+)\"?.*");

    private CutRules() {}

    /** What a receiver counted of one peer's probes. */
    record Count(long arrived, long passed) {}

    /**
     * The whole chain, as input of {@code iptables-restore --noflush}: replaces what the chain held
     * and nothing else.
     *
     * @param peers name to address of every other pod
     * @param cutSources those whose packets are dropped
     * @param lossPercent of the packets of others that are dropped at random, by their name
     */
    static String restoreInput(
            SortedMap<String, String> peers,
            Set<String> cutSources,
            Map<String, Double> lossPercent) {
        StringBuilder text = new StringBuilder();
        text.append("*filter\n:").append(CHAIN).append(" - [0:0]\n-F ").append(CHAIN).append('\n');
        peers.forEach((name, address) -> text.append(probe(name, address, "arrived", "")));
        if (peers.values().stream().anyMatch(address -> address.indexOf(':') >= 0)) {
            // Neighbours find each other's link address by ICMPv6, where IPv4 has ARP, which no
            // rule
            // here sees. Were it dropped, the other direction of a one-way cut would die as well.
            text.append(neighbourDiscovery(135)).append(neighbourDiscovery(136));
        }
        peers.forEach(
                (name, address) -> {
                    if (cutSources.contains(name)) {
                        text.append("-A ")
                                .append(CHAIN)
                                .append(" -s ")
                                .append(address)
                                .append(" -m comment --comment cut:")
                                .append(name)
                                .append(" -j DROP\n");
                    } else if (lossPercent.containsKey(name)) {
                        text.append("-A ")
                                .append(CHAIN)
                                .append(" -s ")
                                .append(address)
                                .append(" -m statistic --mode random --probability ")
                                .append(
                                        String.format(
                                                Locale.ROOT,
                                                "%.4f",
                                                lossPercent.getOrDefault(name, 0.0) / 100))
                                .append(" -m comment --comment loss:")
                                .append(name)
                                .append(" -j DROP\n");
                    }
                });
        // The probe ends here: an "unreachable" sent back would be traffic that no fault asked for.
        peers.forEach((name, address) -> text.append(probe(name, address, "passed", " -j DROP")));
        return text.append("COMMIT\n").toString();
    }

    private static String neighbourDiscovery(int type) {
        return "-A " + CHAIN + " -p ipv6-icmp -m icmp6 --icmpv6-type " + type + " -j RETURN\n";
    }

    private static String probe(String name, String address, String mark, String target) {
        return "-A "
                + CHAIN
                + " -s "
                + address
                + " -p udp -m udp --dport "
                + PROBE_PORT
                + " -m comment --comment "
                + mark
                + ":"
                + name
                + target
                + "\n";
    }

    /**
     * The shell command that puts the chain in place and, first of all, in front: a rule that
     * somebody else put before ours could accept what is to be dropped.
     *
     * @param tool "iptables" or "ip6tables"
     */
    static String applyCommand(String tool, String restoreInput) {
        return tool
                + "-restore -w --noflush <<'RULES'\n"
                + restoreInput
                + "RULES\n"
                + "[ $? = 0 ] && { [ \"$("
                + tool
                + " -w -S INPUT 1)\" = '-A INPUT -j "
                + CHAIN
                + "' ] || { "
                + unhook(tool)
                + " "
                + tool
                + " -w -I INPUT 1 -j "
                + CHAIN
                + "; }; }";
    }

    /** The shell command that removes the chain and its hook; also right where neither is there. */
    static String removeCommand(String tool) {
        return unhook(tool)
                + " if "
                + tool
                + " -w -n -L "
                + CHAIN
                + " >/dev/null 2>&1; then "
                + tool
                + " -w -F "
                + CHAIN
                + " && "
                + tool
                + " -w -X "
                + CHAIN
                + "; fi";
    }

    private static String unhook(String tool) {
        return "while " + tool + " -w -D INPUT -j " + CHAIN + " 2>/dev/null; do :; done;";
    }

    /** The command whose output {@link #counts} reads. */
    static String countsCommand(String tool) {
        return tool + "-save -c -t filter | grep -e '-A " + CHAIN + " ' || true";
    }

    /** What was counted, by the sender's name. */
    static Map<String, Count> counts(String saved) {
        Map<String, Long> arrived = new TreeMap<>();
        Map<String, Long> passed = new TreeMap<>();
        saved.lines()
                .map(COUNTED::matcher)
                .filter(Matcher::matches)
                .forEach(
                        m ->
                                (m.group(2).equals("arrived") ? arrived : passed)
                                        .put(m.group(3), Long.parseLong(m.group(1))));
        Map<String, Count> counts = new LinkedHashMap<>();
        arrived.forEach(
                (name, count) -> counts.put(name, new Count(count, passed.getOrDefault(name, 0L))));
        return counts;
    }

    /** Sends {@code count} probes to each address; a bash can do that without any other program. */
    static String probeCommand(Iterable<String> addresses, int port, int count) {
        StringBuilder text = new StringBuilder();
        text.append("for ((i = 0; i < ").append(count).append("; i++)); do ");
        for (String address : addresses) {
            text.append("echo probe >/dev/udp/")
                    .append(address)
                    .append('/')
                    .append(port)
                    .append("; ");
        }
        return text.append("true; done").toString();
    }
}
