package raft.client;

/** What an operation that was carried out has to say. */
public sealed interface Result {
    /** The change was made. */
    record Done() implements Result {}

    /** The key's value. */
    record Found(Blob value) implements Result {}

    /** The key has no value. */
    record Absent() implements Result {}

    /** The present value was not the expected one; nothing was changed. */
    record CompareFailed() implements Result {}
}
