/**
 * {@code ./raft bench node}: clusters of processes on this machine, ours and etcd's side by side,
 * and the load that both get.
 *
 * <p>Must not know: Docker, Raft's internals. Read first: {@link raft.shell.bench.NodeBench}. Only
 * {@link raft.shell.bench.EtcdTarget} sees gRPC, which is not on the launcher's class path: the
 * load comes from a process of its own.
 */
@NullMarked
package raft.shell.bench;

import org.jspecify.annotations.NullMarked;
