/**
 * Durable storage: one write-ahead log for hard state and entries, its record format and recovery.
 *
 * <p>Must not know: sockets, the event loop, what an entry's payload means. Read first: {@link
 * raft.storage.Wal}.
 */
@NullMarked
package raft.storage;

import org.jspecify.annotations.NullMarked;
