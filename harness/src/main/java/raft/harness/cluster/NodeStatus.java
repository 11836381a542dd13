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
 * @param clock what its process takes for the time, null where it does not say
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
        @Nullable Clock clock,
        String json) {
    /**
     * A process's clocks at one moment.
     *
     * @param utcMillis its wall clock, since 1970
     * @param monotonicNanos what it measures durations by, from anywhere
     * @param offsetMillis how far its wall clock is ahead of this machine's, as exactly as an
     *     answer is fast
     */
    public record Clock(long utcMillis, long monotonicNanos, long offsetMillis) {}

    public NodeStatus {
        voters = List.copyOf(voters);
    }

    /** Of a node that tells neither its configuration nor its clock. */
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
                null,
                json);
    }

    public static NodeStatus unreachable(String node) {
        return new NodeStatus(node, false, "", 0, null, 0, 0, 0, "");
    }

    public boolean isLeader() {
        return role.equals("leader");
    }
}
