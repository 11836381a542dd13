package raft.harness.nemesis;

/**
 * A planned fault whose time has come.
 *
 * @param id its number in the plan, unique in the run
 * @param kind its family and kind, "partition-leader-alone" say
 */
public record ActiveFault(long id, String kind, FaultAction action) {}
