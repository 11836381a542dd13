package raft.core;

/**
 * A change of membership: one server at a time, so that majorities before and after overlap (thesis
 * §4.1).
 */
public sealed interface Change {
    NodeId id();

    /** It receives the log and is not counted: the first step of every addition (§4.2.1). */
    record AddLearner(NodeId id, String address) implements Change {}

    /** It votes from then on; done once it has caught up. */
    record Promote(NodeId id) implements Change {}

    /** It is no member any more; also of the leader itself (thesis §4.2.2). */
    record Remove(NodeId id) implements Change {}
}
