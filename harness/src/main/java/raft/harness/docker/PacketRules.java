package raft.harness.docker;

import raft.harness.nemesis.FaultAction;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What {@link PacketQueues} tells a pod, as text for its shell and back: rules that hand packets to
 * the program of {@code docker/faults/packets.c}, and rules that count what arrives.
 *
 * <p>As with {@link CutRules} everything is in chains of our own. Arrivals are counted before any
 * filter, so that a link which another fault cuts as well can still be looked at.
 */
final class PacketRules {
    static final String PROGRAM = "/opt/faults/lib/packets";

    /** Where probes go; another port than that of the cuts, whose probes are counted elsewhere. */
    static final int PROBE_PORT = 7098;

    private static final String SENDING = "RAFTQUEUE";
    private static final String ARRIVED = "RAFTARRIVED";

    /** That of packets.c: copies are not to be treated again. */
    private static final String MARK = "0x7af7";

    private static final String STATISTICS = "/run/packets.statistics";
    private static final String PROCESS = "/run/packets.pid";
    private static final String WORDS = "/run/packets.log";

    private static final Pattern LINE =
            Pattern.compile(
                    "queue (\\d+) seen (\\d+) held (\\d+) doubled (\\d+) corrupted (\\d+) least"
                            + " (\\d+) most (\\d+) all (\\d+)");
    private static final Pattern COUNTED =
            Pattern.compile(
                    "^\\[(\\d+):\\d+\\] -A "
                            + ARRIVED
                            + " .*--comment \"?arrived:([A-Za-z0-9_-]+)\"?.*");

    private PacketRules() {}

    /**
     * One queue since its program started.
     *
     * @param allMicros how long all that were held were held, in sum
     */
    record Statistics(
            long seen,
            long held,
            long doubled,
            long corrupted,
            long leastMicros,
            long mostMicros,
            long allMicros) {
        static final Statistics NONE = new Statistics(0, 0, 0, 0, 0, 0, 0);
    }

    /** What one fault does to packets, in the words of packets.c. */
    static String stage(FaultAction.Packets packets) {
        return switch (packets) {
            case FaultAction.PacketDelay(var links, int delay, int jitter) ->
                    "delay:" + delay + ":" + jitter;
            case FaultAction.PacketReordering(var links, int percent, int delay) ->
                    "reorder:" + percent + ":" + delay;
            case FaultAction.PacketDuplication(var links, int percent) -> "duplicate:" + percent;
            case FaultAction.PacketCorruption(var links, int percent) -> "corrupt:" + percent;
            case FaultAction.PacketRate ignored -> throw noStage(packets);
            case FaultAction.PacketLoss ignored -> throw noStage(packets);
        };
    }

    private static IllegalStateException noStage(FaultAction.Packets packets) {
        return new IllegalStateException("not done by a queue: " + packets);
    }

    /**
     * Input of {@code iptables-restore --noflush}: which queue packets to an address go to. Where
     * no program listens they pass.
     */
    static String sendingRules(Map<String, Integer> queueByAddress) {
        StringBuilder text = new StringBuilder(chain("filter", SENDING));
        text.append("-A " + SENDING + " -m mark --mark " + MARK + " -j RETURN\n");
        new TreeMap<>(queueByAddress)
                .forEach(
                        (address, queue) ->
                                text.append("-A " + SENDING + " -d ")
                                        .append(address)
                                        .append(" -j NFQUEUE --queue-num ")
                                        .append(queue)
                                        .append(" --queue-bypass\n"));
        return text.append("COMMIT\n").toString();
    }

    /** The same for what counts probes that come in, from 0 on. */
    static String arrivalRules(SortedMap<String, String> peers) {
        StringBuilder text = new StringBuilder(chain("mangle", ARRIVED));
        peers.forEach(
                (name, address) ->
                        text.append("-A " + ARRIVED + " -s ")
                                .append(address)
                                .append(" -p udp -m udp --dport " + PROBE_PORT)
                                .append(" -m comment --comment arrived:")
                                .append(name)
                                .append('\n'));
        return text.append("COMMIT\n").toString();
    }

    private static String chain(String table, String name) {
        return "*" + table + "\n:" + name + " - [0:0]\n-F " + name + "\n";
    }

    static String applySending(String tool, String rules) {
        return apply(tool, rules, "-w", "OUTPUT -j " + SENDING);
    }

    static String applyArrivals(String tool, String rules) {
        return apply(tool, rules, "-w -t mangle", "PREROUTING -j " + ARRIVED);
    }

    private static String apply(String tool, String rules, String table, String hook) {
        return tool
                + "-restore -w --noflush <<'RULES'\n"
                + rules
                + "RULES\n"
                + "[ $? = 0 ] && { %1$s %2$s -C %3$s 2>/dev/null || %1$s %2$s -A %3$s; }"
                        .formatted(tool, table, hook);
    }

    static String removeSending(String tool) {
        return remove(tool, "-w", "OUTPUT", SENDING);
    }

    static String removeArrivals(String tool) {
        return remove(tool, "-w -t mangle", "PREROUTING", ARRIVED);
    }

    /** Also right where nothing is there. */
    private static String remove(String tool, String table, String from, String chain) {
        return ("while %1$s %2$s -D %3$s -j %4$s 2>/dev/null; do :; done;"
                        + " if %1$s %2$s -n -L %4$s >/dev/null 2>&1; then"
                        + " %1$s %2$s -F %4$s && %1$s %2$s -X %4$s; fi")
                .formatted(tool, table, from, chain);
    }

    /** Starts the program in the place of one that runs, and waits until it listens. */
    static String startProgram(SortedMap<Integer, String> stagesByQueue) {
        String queues =
                stagesByQueue.entrySet().stream()
                        .map(entry -> entry.getKey() + "=" + entry.getValue())
                        .collect(Collectors.joining(" "));
        return stopProgram()
                + "; %1$s %2$s %5$s </dev/null >%4$s 2>&1 & echo $! >%3$s;"
                        .formatted(PROGRAM, STATISTICS, PROCESS, WORDS, queues)
                + " for ((i = 0; i < 500; i++)); do [ -s %1$s ] && break; sleep 0.01; done;"
                        .formatted(STATISTICS)
                + " [ -s %1$s ] || { cat %2$s; (exit 1); }".formatted(STATISTICS, WORDS);
    }

    /** It lets go what it holds. Its shell is the one that started it, and can wait for it. */
    static String stopProgram() {
        return "if [ -s %1$s ]; then kill $(cat %1$s) && wait $(cat %1$s); fi; rm -f %1$s %2$s"
                .formatted(PROCESS, STATISTICS);
    }

    static String readStatistics() {
        return "cat " + STATISTICS + " 2>/dev/null || true";
    }

    /** By queue. */
    static Map<Integer, Statistics> statistics(String file) {
        Map<Integer, Statistics> found = new TreeMap<>();
        Matcher line = LINE.matcher(file);
        while (line.find()) {
            found.put(
                    Integer.parseInt(line.group(1)),
                    new Statistics(
                            Long.parseLong(line.group(2)),
                            Long.parseLong(line.group(3)),
                            Long.parseLong(line.group(4)),
                            Long.parseLong(line.group(5)),
                            Long.parseLong(line.group(6)),
                            Long.parseLong(line.group(7)),
                            Long.parseLong(line.group(8))));
        }
        return found;
    }

    static String readArrivals(String tool) {
        return tool + "-save -c -t mangle | grep -e '-A " + ARRIVED + " ' || true";
    }

    /** By the sender's name. */
    static Map<String, Long> arrivals(String saved) {
        Map<String, Long> arrived = new TreeMap<>();
        saved.lines()
                .map(COUNTED::matcher)
                .filter(Matcher::matches)
                .forEach(m -> arrived.put(m.group(2), Long.parseLong(m.group(1))));
        return arrived;
    }

    /** Whether all this can be had in a pod; leaves nothing behind. */
    static String trial() {
        return PROGRAM
                + " try && iptables -w -N RAFTTRY && iptables -w -A RAFTTRY -m mark --mark "
                + MARK
                + " -j RETURN && iptables -w -A RAFTTRY -j NFQUEUE --queue-num 1 --queue-bypass"
                + " && iptables -w -t mangle -L PREROUTING -n >/dev/null; s=$?;"
                + " iptables -w -F RAFTTRY; iptables -w -X RAFTTRY; (exit $s)";
    }
}
