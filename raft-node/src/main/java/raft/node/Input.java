package raft.node;

import raft.core.Event;

import java.util.concurrent.CompletableFuture;

/** What reaches the event loop. */
sealed interface Input permits Input.Core, Input.StatusQuery, Input.Stop, ClientCall {
    /** From peers and the disk, for the algorithm. */
    record Core(Event event) implements Input {}

    /** Asks for a snapshot of everything, taken between two steps. */
    record StatusQuery(CompletableFuture<Status> answer) implements Input {}

    /** The loop's last input: whoever waits is answered, then it ends. */
    record Stop() implements Input {}
}
