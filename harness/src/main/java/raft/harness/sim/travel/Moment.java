package raft.harness.sim.travel;

import raft.harness.sim.Steppable.Occurrence;

import java.util.List;

/**
 * One event that happened.
 *
 * @param number 1, 2, 3 …
 * @param changes what it changed in the node it happened to
 */
public record Moment(long number, Occurrence occurrence, List<Change> changes) {
    public Moment {
        changes = List.copyOf(changes);
    }

    /**
     * One visible part of a node's state that became another.
     *
     * @param field as in {@link Travel#FIELDS}
     */
    public record Change(String node, String field, String before, String after) {
        @Override
        public String toString() {
            return node + "." + field + ": " + before + " -> " + after;
        }
    }
}
