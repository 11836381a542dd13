package raft.client;

import java.util.List;

/** What an operation that was carried out has to say. */
public sealed interface Result {
    /** The change was made. */
    record Done() implements Result {}

    /** The key's value, or the element taken. */
    record Found(Blob value) implements Result {}

    /** The key holds nothing; a queue is empty. */
    record Absent() implements Result {}

    /** What was there was not what was expected; nothing was changed. */
    record CompareFailed() implements Result {}

    /**
     * A counter's total, a fencing token, a version, a session's id, how many elements there are.
     */
    record Number(long number) implements Result {}

    /** A value and how often its key was written since it was absent, ≥ 1. */
    record Versioned(long version, Blob value) implements Result {}

    /** What a list, a set or a queue holds, in its order; may be empty. */
    record Elements(List<Blob> elements) implements Result {
        public Elements {
            elements = List.copyOf(elements);
        }
    }

    /** Who holds a lock, with which fencing token. */
    record Held(long token, Blob owner) implements Result {}

    /**
     * Keys in the order of their unsigned bytes.
     *
     * @param more whether there are further ones: go on after the last of these
     */
    record Keys(List<Blob> keys, boolean more) implements Result {
        public Keys {
            keys = List.copyOf(keys);
        }
    }

    /**
     * Who belongs to the cluster.
     *
     * @param logIndex of the entry that says so, 0 for what the cluster was started with
     * @param committed whether that entry is known to be committed
     */
    record Configuration(long logIndex, boolean committed, List<Member> members) implements Result {
        public Configuration {
            members = List.copyOf(members);
        }
    }
}
