/**
 * The replicated state machine: a key-value store, deterministic in the sequence of commands.
 *
 * <p>Must not know: Raft, time, threads, files. Read first: {@link raft.kv.KeyValueStore}.
 */
@NullMarked
package raft.kv;

import org.jspecify.annotations.NullMarked;
