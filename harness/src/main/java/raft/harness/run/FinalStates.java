package raft.harness.run;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.NodeStatus;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whether all members ended in the same state: whoever applied the same log must hold the same
 * (State Machine Safety, §5.4.3). By the hash that nodes tell in their status; a system whose nodes
 * tell none cannot be judged this way.
 */
final class FinalStates {
    /**
     * @param hash "" where the node did not say
     */
    private record State(long appliedIndex, String hash) {}

    private final List<String> members;
    private final Map<String, State> states = new TreeMap<>();

    /**
     * @param statuses one look at the nodes
     * @param members whose states must be equal; others are left out
     */
    FinalStates(List<NodeStatus> statuses, List<String> members) {
        this.members = List.copyOf(members);
        for (NodeStatus status : statuses) {
            String hash = hash(status);
            if (!hash.isEmpty() && members.contains(status.node())) {
                states.put(status.node(), new State(status.appliedIndex(), hash));
            }
        }
    }

    private static String hash(NodeStatus status) {
        if (!status.json().contains("\"stateHash\"")) {
            return "";
        }
        try {
            return JsonMapper.shared().readTree(status.json()).path("stateHash").asString("");
        } catch (JacksonException e) {
            return "";
        }
    }

    /** Whether any node tells its state. */
    boolean isTold() {
        return !states.isEmpty();
    }

    /** Whether every member has told its state, and all after the same entry of the log. */
    boolean isComplete() {
        return states.size() == members.size()
                && states.values().stream().map(State::appliedIndex).distinct().count() == 1;
    }

    /** Two nodes with different states after the same entry; null where there are none. */
    @Nullable String difference() {
        Map<Long, String> first = new TreeMap<>();
        for (Map.Entry<String, State> entry : states.entrySet()) {
            State state = entry.getValue();
            String node = first.putIfAbsent(state.appliedIndex, entry.getKey());
            State other = node == null ? null : states.get(node);
            if (other != null && !other.hash.equals(state.hash)) {
                return String.format(
                        "%s and %s have applied the log up to index %d and hold different states"
                                + " (hashes %s and %s)",
                        node, entry.getKey(), state.appliedIndex, other.hash, state.hash);
            }
        }
        return null;
    }

    /** What was seen, in one clause. */
    String words() {
        if (isComplete() && difference() == null) {
            State any = states.values().iterator().next();
            return String.format(
                    "all %d members hold the same state %s after index %d",
                    members.size(), any.hash, any.appliedIndex);
        }
        StringBuilder words = new StringBuilder("the members' states could not be compared:");
        for (String member : members) {
            State state = states.get(member);
            words.append(words.charAt(words.length() - 1) == ':' ? " " : ", ")
                    .append(member)
                    .append(
                            state == null
                                    ? " does not say"
                                    : " has applied index " + state.appliedIndex);
        }
        return words.toString();
    }
}
