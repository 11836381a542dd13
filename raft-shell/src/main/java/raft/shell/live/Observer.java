package raft.shell.live;

import raft.harness.cluster.NodeStatus;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Compares one look at the nodes with the one before and puts what changed into words. A node is
 * said to be silent only when it has not answered twice in a row: a busy machine makes one answer
 * late now and then.
 *
 * <p>For one thread.
 */
final class Observer {
    private static final int SILENT_AFTER = 2;

    private final Map<String, NodeStatus> known = new HashMap<>();
    private final Map<String, Integer> missedCount = new HashMap<>();
    private String rivals = "";

    /** What is to be told of this look, a line each. */
    List<String> news(List<NodeStatus> seen) {
        List<String> lines = new ArrayList<>();
        for (NodeStatus now : seen) {
            NodeStatus was = known.get(now.node());
            if (!now.reachable()) {
                int missed = missedCount.merge(now.node(), 1, Integer::sum);
                if (missed == SILENT_AFTER && was != null) {
                    lines.add(now.node() + " does not answer");
                    known.remove(now.node());
                }
                continue;
            }
            int missed = missedCount.getOrDefault(now.node(), 0);
            missedCount.put(now.node(), 0);
            known.put(now.node(), now);
            if (was == null) {
                if (missed >= SILENT_AFTER) {
                    lines.add(now.node() + " answers as " + now.role() + ", term " + now.term());
                }
            } else if (!was.role().equals(now.role())
                    || (now.isLeader() && was.term() != now.term())) {
                lines.addAll(role(now.node(), was.role(), now.role(), now.term()));
            }
        }
        Map<String, Long> leaders = new TreeMap<>();
        seen.stream().filter(NodeStatus::isLeader).forEach(n -> leaders.put(n.node(), n.term()));
        lines.addAll(rivals(leaders));
        return lines;
    }

    /**
     * Says once that there are two who lead, as on the sides of a split until the one without a
     * majority notices: that takes less time than a person needs to ask for the status.
     *
     * @param leaders who says so of itself now, with its term
     */
    List<String> rivals(Map<String, Long> leaders) {
        String now =
                leaders.size() < 2
                        ? ""
                        : leaders.entrySet().stream()
                                .map(
                                        one ->
                                                one.getKey()
                                                        + " says "
                                                        + one.getKey()
                                                        + " (term "
                                                        + one.getValue()
                                                        + ")")
                                .collect(Collectors.joining("; "));
        boolean isNews = !now.isEmpty() && !now.equals(rivals);
        rivals = now;
        return isNews ? List.of("they disagree on who leads: " + now) : List.of();
    }

    /**
     * A change of role in a line; none where a node without a leader only goes on asking, which it
     * does several times a second.
     */
    static List<String> role(String node, String before, String role, long term) {
        return switch (role) {
            case "leader" -> List.of(node + " became leader, term " + term);
            case "candidate" -> List.of(node + " asks for votes, term " + term);
            case "pre-candidate" ->
                    List.of(node + " hears no leader and asks whether it could win");
            default ->
                    before.equals("leader")
                            ? List.of(node + " leads no longer, term " + term)
                            : List.of(node + " follows, term " + term);
        };
    }
}
