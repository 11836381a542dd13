package raft.harness.cluster;

import org.jspecify.annotations.Nullable;

/**
 * What a node says of itself at one moment.
 *
 * @param reachable false when it did not answer; then the other fields are empty
 * @param role "leader", "follower", "candidate", "pre-candidate" or "" where unknown
 * @param leader whom it takes for the leader
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
        String json) {

    public static NodeStatus unreachable(String node) {
        return new NodeStatus(node, false, "", 0, null, 0, 0, 0, "");
    }

    public boolean isLeader() {
        return role.equals("leader");
    }
}
