package raft.harness.cluster;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * What a node says of itself at one moment.
 *
 * @param reachable false when it did not answer; then the other fields are empty
 * @param role "leader", "follower", "candidate", "pre-candidate" or "" where unknown
 * @param leader whom it takes for the leader
 * @param voters of the configuration that it knows to be committed, empty where it does not say
 * @param json its whole status document, "" where there is none
 */
public record NodeStatus(
        String node,
        boolean reachable,
        String role,
        long term,
        @Nullable String leader,
        long commitIndex,
        long appliedIndex,
        long lastIndex,
        List<String> voters,
        String json) {
    public NodeStatus {
        voters = List.copyOf(voters);
    }

    /** Of a node that does not tell its configuration. */
    public NodeStatus(
            String node,
            boolean reachable,
            String role,
            long term,
            @Nullable String leader,
            long commitIndex,
            long appliedIndex,
            long lastIndex,
            String json) {
        this(
                node,
                reachable,
                role,
                term,
                leader,
                commitIndex,
                appliedIndex,
                lastIndex,
                List.of(),
                json);
    }

    public static NodeStatus unreachable(String node) {
        return new NodeStatus(node, false, "", 0, null, 0, 0, 0, "");
    }

    public boolean isLeader() {
        return role.equals("leader");
    }
}
