package raft.harness.cluster;

/**
 * A change of what a node promises, as it told it itself.
 *
 * @param number counts in each life of the node, from 1
 * @param millis what its clock showed: UTC, or a simulated cluster's time
 * @param topic "role", "term", "vote", "commit", "config", "truncate", "snapshot" or "state"
 * @param term that it was in, 0 where it is not told
 * @param words what changed, in one clause
 */
public record Transition(
        String node, long number, long millis, String topic, long term, String words) {}
