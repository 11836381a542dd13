package raft.core;

import org.jspecify.annotations.Nullable;

/**
 * What can happen to a node. The moment at which it happens is an argument of {@link Raft#step}.
 *
 * <p>Every {@code requestId} is the driver's, unique in this life of the node, > 0; each is
 * answered by exactly one effect that bears it.
 */
public sealed interface Event {
    /** The deadline that {@link Raft#deadlineNanos} named has passed. Harmless when early. */
    record Timer() implements Event {}

    record Receive(NodeId from, Message message) implements Event {}

    /** Everything up to and including {@code ticket} of {@link Effect.Persist} is durable. */
    record Persisted(long ticket) implements Event {}

    /** A client asks to replicate a command. */
    record Propose(long requestId, Bytes command) implements Event {}

    /**
     * A client asks for a linearizable read (thesis §6.4).
     *
     * @param lease whether the leader's lease is good enough; ignored where leases are off
     */
    record Read(long requestId, boolean lease) implements Event {
        public Read(long requestId) {
            this(requestId, false);
        }
    }

    /** An operator asks for another membership. Answered when it is committed and applied. */
    record ChangeMembership(long requestId, Change change) implements Event {}

    /**
     * An operator, or a node that is about to stop, asks the leader to hand over (thesis §3.10).
     *
     * @param to null for whoever is furthest
     */
    record TransferLeadership(long requestId, @Nullable NodeId to) implements Event {}

    /** An operator asks this node to stand for election now. */
    record StartElection(long requestId) implements Event {}

    /** An operator asks for a snapshot of this node now. Answered when it is on the disk. */
    record TakeSnapshot(long requestId) implements Event {}

    /** What {@link Effect.CaptureState} asked for is durable. */
    record SnapshotSaved(Snapshot snapshot) implements Event {}

    /** All pieces of {@link Effect.KeepChunk} are durable and what they should be. */
    record SnapshotReceived(Snapshot snapshot) implements Event {}

    /** What arrived was not the snapshot that it should have been; it is gone. */
    record SnapshotSpoilt(long index, long term) implements Event {}
}
