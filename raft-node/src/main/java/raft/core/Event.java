package raft.core;

/**
 * What can happen to a node. The moment at which it happens is an argument of {@link Raft#step}.
 */
public sealed interface Event {
    /** The deadline that {@link Raft#deadlineNanos} named has passed. Harmless when early. */
    record Timer() implements Event {}

    record Receive(NodeId from, Message message) implements Event {}

    /** Everything up to and including {@code ticket} of {@link Effect.Persist} is durable. */
    record Persisted(long ticket) implements Event {}

    /**
     * A client asks to replicate a command. {@code requestId} is the driver's, unique in this life
     * of the node, > 0.
     */
    record Propose(long requestId, Bytes command) implements Event {}

    /** A client asks for a linearizable read (thesis §6.4). */
    record Read(long requestId) implements Event {}
}
