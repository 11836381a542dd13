package raft.harness.cluster;

/**
 * One entry of a node's log, as a person wants to see it.
 *
 * @param index ≥ 1
 * @param term ≥ 1
 * @param kind "command", "noop", "configuration", …
 * @param sizeBytes of its payload
 * @param summary what it does, "put x 1" say; "" where there is nothing to say
 */
public record LogLine(long index, long term, String kind, int sizeBytes, String summary) {}
