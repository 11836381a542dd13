package raft.node;

import raft.core.Event;
import raft.core.Snapshot;
import raft.kv.KeyValueStore;

import java.util.concurrent.CompletableFuture;

/** What reaches the event loop. */
sealed interface Input
        permits Input.Core,
                Input.SnapshotLoaded,
                Input.StatusQuery,
                Input.LogQuery,
                Input.Stop,
                ClientCall {
    /** From peers and the disk, for the algorithm. */
    record Core(Event event) implements Input {}

    /**
     * A snapshot has arrived from the leader and is durable; the algorithm decides what of it.
     *
     * @param state what is in it, for the loop to have
     */
    record SnapshotLoaded(Snapshot snapshot, KeyValueStore state) implements Input {
        @Override
        public String toString() {
            return "SnapshotLoaded[" + snapshot + "]";
        }
    }

    /** Asks for a snapshot of everything, taken between two steps. */
    record StatusQuery(CompletableFuture<Status> answer) implements Input {}

    /** Asks for entries from an index on, {@code countMax} at most. */
    record LogQuery(long fromIndex, int countMax, CompletableFuture<LogView> answer)
            implements Input {}

    /** The loop's last input: whoever waits is answered, then it ends. */
    record Stop() implements Input {}
}
