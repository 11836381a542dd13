package raft.harness.workload;

import raft.harness.history.Value;

/** What a process shall do next: the part of an invocation that a workload decides. */
public record Operation(String f, Value key, Value value) {}
