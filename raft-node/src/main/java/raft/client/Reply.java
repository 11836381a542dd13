package raft.client;

import org.jspecify.annotations.Nullable;

/** What a server says of a request: always whether it took effect, as far as that can be known. */
public sealed interface Reply {
    /**
     * It took effect exactly once, between request and reply.
     *
     * @param term the term in which it was answered, 0 where the server has none
     * @param logIndex where it stands in the log, or the index a read reflects; 0 where the server
     *     has none
     */
    record Ok(Result result, long term, long logIndex) implements Reply {}

    /**
     * It certainly did not take effect and never will.
     *
     * @param leader id of the node to ask instead, null where none is known
     * @param message one sentence for people
     */
    record Refused(Refusal reason, @Nullable String leader, String message) implements Reply {}

    /** It may have taken effect, may do so later, or never. */
    record Unknown(String message) implements Reply {}
}
