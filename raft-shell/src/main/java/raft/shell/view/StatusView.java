package raft.shell.view;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.NodeStatus;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** All nodes in one table; what a node does not tell is "-". */
public final class StatusView {
    private static final long CLOCK_MILLIS = 100;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private StatusView() {}

    public static List<String> lines(List<NodeStatus> nodes, int width, Paint paint) {
        Table table =
                new Table()
                        .column("node", false, 100)
                        .column("role", false, 99)
                        .column("term", true, 98)
                        .column("vote", false, 60)
                        .column("leader", false, 90)
                        .column("log", true, 80)
                        .column("commit", true, 85)
                        .column("applied", true, 50)
                        .column("disk", true, 40)
                        .column("clock", true, 10)
                        .column("links", false, 30);
        for (NodeStatus node : nodes) {
            JsonNode json = parse(node.json());
            String role = node.reachable() ? node.role() : "no answer";
            table.cell(node.node(), text -> paint.role(node.role(), text));
            table.cell(role, text -> paint.role(node.role(), text));
            if (!node.reachable()) {
                for (int i = 0; i < 9; i++) {
                    table.cell("-", paint::dim);
                }
                continue;
            }
            String leader = node.leader();
            table.cell(Long.toString(node.term()));
            table.cell(word(json, "votedFor"));
            table.cell(leader == null ? "-" : leader);
            table.cell(range(json, node.lastIndex()));
            table.cell(Long.toString(node.commitIndex()));
            table.cell(Long.toString(node.appliedIndex()));
            table.cell(word(json, "durableIndex"));
            table.cell(
                    clock(node.clock()), text -> text.contains("ok") ? text : paint.unsure(text));
            table.cell(links(json));
        }
        List<String> lines = new ArrayList<>(table.lines(width, paint));
        lines.addAll(disagreement(nodes, width, paint));
        return lines;
    }

    /** Whom some nodes take for the leader of which term. */
    private record Side(String leader, long term) {
        @Override
        public String toString() {
            return leader + " (term " + term + ")";
        }
    }

    /**
     * Says it where nodes take different nodes for the leader. A disagreement is two leaders of one
     * term, or two that both say so of themselves now, as on the sides of a split; who has not
     * heard of the newest election does not disagree.
     */
    private static List<String> disagreement(List<NodeStatus> nodes, int width, Paint paint) {
        Map<Side, List<String>> sides = new LinkedHashMap<>();
        List<String> without = new ArrayList<>();
        for (NodeStatus node : nodes) {
            String leader = node.leader();
            if (node.reachable() && leader != null) {
                sides.computeIfAbsent(new Side(leader, node.term()), side -> new ArrayList<>())
                        .add(node.node());
            } else if (node.reachable()) {
                without.add(node.node());
            }
        }
        if (sides.isEmpty() || (sides.size() == 1 && without.isEmpty())) {
            return List.of();
        }
        long terms = sides.keySet().stream().mapToLong(Side::term).distinct().count();
        long leaders = nodes.stream().filter(NodeStatus::isLeader).count();
        String said =
                sides.entrySet().stream()
                        .map(side -> they(side.getValue(), "say") + " " + side.getKey())
                        .collect(Collectors.joining("; "));
        String whole =
                (leaders > 1 || terms < sides.size()
                                ? "they disagree on who leads: "
                                : "not all know who leads: ")
                        + said
                        + (without.isEmpty() ? "" : "; " + they(without, "know") + " none");
        return TextLines.wrap("", whole, width).stream().map(paint::unsure).toList();
    }

    private static String they(List<String> nodes, String verb) {
        return String.join(",", nodes) + " " + verb + (nodes.size() == 1 ? "s" : "");
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json.isEmpty() ? "{}" : json);
        } catch (JacksonException e) {
            return JSON.readTree("{}");
        }
    }

    private static String word(JsonNode json, String field) {
        JsonNode value = json.path(field);
        return value.isMissingNode() || value.isNull() ? "-" : value.asString();
    }

    /** How far off; an answer takes a moment, so a few hundredths of a second mean nothing. */
    private static String clock(NodeStatus.@Nullable Clock clock) {
        if (clock == null) {
            return "-";
        }
        long millis = clock.offsetMillis();
        return Math.abs(millis) < CLOCK_MILLIS
                ? "ok"
                : String.format(Locale.ROOT, "%+.1f s", millis / 1e3);
    }

    private static String range(JsonNode json, long last) {
        long first = json.path("firstIndex").asLong(1);
        return last == 0 ? "empty" : first + "-" + last;
    }

    private static String links(JsonNode json) {
        JsonNode peers = json.path("peers");
        if (!peers.isArray() || peers.isEmpty()) {
            return "-";
        }
        List<String> broken = new ArrayList<>();
        for (JsonNode peer : peers) {
            if (!peer.path("connected").asBoolean(true)) {
                broken.add(peer.path("id").asString("?"));
            }
        }
        return broken.isEmpty() ? "all" : "no " + String.join(",", broken);
    }

    /** One object a node, as it told; for programs. */
    public static List<Map<String, Object>> objects(List<NodeStatus> nodes) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (NodeStatus node : nodes) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("node", node.node());
            one.put("reachable", node.reachable());
            if (node.reachable()) {
                one.put("role", node.role());
                one.put("term", node.term());
                one.put("leader", node.leader());
                one.put("lastIndex", node.lastIndex());
                one.put("commitIndex", node.commitIndex());
                one.put("appliedIndex", node.appliedIndex());
                one.put("status", parse(node.json()));
            }
            all.add(one);
        }
        return all;
    }
}
