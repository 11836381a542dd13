package raft.shell.view;

import raft.harness.cluster.NodeStatus;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Who votes, as each node takes it: a configuration is in force from the moment it is appended. */
public final class ConfigView {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private ConfigView() {}

    public static List<String> lines(List<NodeStatus> nodes, int width, Paint paint) {
        Table table =
                new Table()
                        .column("node", false, 100)
                        .column("voters", false, 90)
                        .column("learners", false, 60)
                        .column("index", true, 50)
                        .column("committed", false, 70);
        List<String> seen = new ArrayList<>();
        for (NodeStatus node : nodes) {
            JsonNode configuration = configuration(node);
            table.cell(node.node(), text -> paint.role(node.role(), text));
            if (configuration.isMissingNode()) {
                table.cell(node.reachable() ? "does not tell" : "no answer", paint::dim);
                table.cell("-", paint::dim).cell("-", paint::dim).cell("-", paint::dim);
                continue;
            }
            String voters = String.join(",", members(configuration, true));
            String learners = String.join(",", members(configuration, false));
            boolean committed = configuration.path("committed").asBoolean(false);
            table.cell(voters).cell(learners.isEmpty() ? "-" : learners);
            table.cell(Long.toString(configuration.path("index").asLong(0)));
            table.cell(
                    committed ? "yes" : "not yet", text -> committed ? text : paint.unsure(text));
            String whole = voters + " / " + learners;
            if (!seen.contains(whole)) {
                seen.add(whole);
            }
        }
        List<String> lines = new ArrayList<>(table.lines(width, paint));
        if (seen.size() > 1) {
            lines.add(paint.unsure("they go by different configurations"));
        }
        return lines;
    }

    /** One object a node; for programs. */
    public static List<Map<String, Object>> objects(List<NodeStatus> nodes) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (NodeStatus node : nodes) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("node", node.node());
            JsonNode configuration = configuration(node);
            if (!configuration.isMissingNode()) {
                one.put("voters", members(configuration, true));
                one.put("learners", members(configuration, false));
                one.put("index", configuration.path("index").asLong(0));
                one.put("committed", configuration.path("committed").asBoolean(false));
            }
            all.add(one);
        }
        return all;
    }

    private static JsonNode configuration(NodeStatus node) {
        try {
            return JSON.readTree(node.json().isEmpty() ? "{}" : node.json()).path("configuration");
        } catch (JacksonException e) {
            return JSON.readTree("{}").path("configuration");
        }
    }

    private static List<String> members(JsonNode configuration, boolean voters) {
        List<String> names = new ArrayList<>();
        for (JsonNode member : configuration.path("members")) {
            if (member.path("voter").asBoolean(false) == voters) {
                names.add(member.path("id").asString("?"));
            }
        }
        return names;
    }
}
