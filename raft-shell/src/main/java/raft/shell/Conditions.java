package raft.shell;

import raft.harness.cluster.NodeStatus;
import raft.shell.live.LiveCluster;
import raft.shell.live.UsageException;

import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What one can wait for: "leader", "term>=3", "n2.commit>=10", "n1.role==leader". */
final class Conditions {
    private static final Pattern FORM =
            Pattern.compile("(?:([a-z0-9-]+)\\.)?([a-zA-Z]+)(>=|<=|==|!=|=|>|<)(.+)");

    private Conditions() {}

    /**
     * @throws UsageException for what is no condition
     */
    static Predicate<List<NodeStatus>> parse(String text, List<String> nodes) {
        switch (text) {
            case "leader" -> {
                return seen -> LiveCluster.leaderOf(seen) != null;
            }
            case "no-leader" -> {
                return seen -> LiveCluster.leaderOf(seen) == null;
            }
            default -> {}
        }
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new UsageException(
                    "'"
                            + text
                            + "' is nothing to wait for; write 2s, leader, no-leader, term>=3,"
                            + " n2.commit>=10 or n1.role==leader");
        }
        String node = matcher.group(1);
        String field = matcher.group(2);
        String relation = matcher.group(3);
        String wanted = matcher.group(4).strip();
        if (node != null && !nodes.contains(node)) {
            throw new UsageException(
                    "no node is called '" + node + "'; there are " + String.join(", ", nodes));
        }
        if (!List.of("role", "leader", "term", "commit", "applied", "last").contains(field)) {
            throw new UsageException(
                    "a node has role, leader, term, commit, applied and last, no '" + field + "'");
        }
        boolean isWord = field.equals("role") || field.equals("leader");
        if ((isWord && !List.of("=", "==", "!=").contains(relation))
                || (!isWord && !wanted.matches("[0-9]{1,18}"))) {
            throw new UsageException("'" + text + "' cannot be compared like that");
        }
        return seen ->
                seen.stream()
                        .filter(status -> node == null || status.node().equals(node))
                        .filter(NodeStatus::reachable)
                        .anyMatch(status -> holds(status, field, relation, wanted));
    }

    private static boolean holds(NodeStatus status, String field, String relation, String wanted) {
        if (field.equals("role") || field.equals("leader")) {
            String is = field.equals("role") ? status.role() : String.valueOf(status.leader());
            return is.equals(wanted) != relation.equals("!=");
        }
        long is =
                switch (field) {
                    case "term" -> status.term();
                    case "commit" -> status.commitIndex();
                    case "applied" -> status.appliedIndex();
                    default -> status.lastIndex();
                };
        int order = Long.compare(is, Long.parseLong(wanted));
        return switch (relation) {
            case ">=" -> order >= 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            case "<" -> order < 0;
            case "!=" -> order != 0;
            default -> order == 0;
        };
    }
}
