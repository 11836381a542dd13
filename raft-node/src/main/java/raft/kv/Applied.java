package raft.kv;

import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Result;

/** What became of one command of the log, or of a read. The same on every node. */
public sealed interface Applied {
    /** It was carried out; in a session, now or when it came first. */
    record Answered(Result result) implements Applied {}

    /** Nothing was changed and, in a session, will not be by a repetition that is kept. */
    record Rejected(Refusal reason, String message) implements Applied {}

    /** A repetition whose answer the client once said to have: whether it was a success is gone. */
    record Forgotten() implements Applied {}

    /**
     * The reply to the client that is waiting for it.
     *
     * @param term of the entry
     * @param logIndex of the entry
     */
    default Reply reply(long term, long logIndex) {
        return switch (this) {
            case Answered(Result result) -> new Reply.Ok(result, term, logIndex);
            case Rejected(Refusal reason, String message) ->
                    new Reply.Refused(reason, null, message);
            case Forgotten() ->
                    new Reply.Unknown(
                            "This was answered before, and its answer was forgotten as the client"
                                    + " asked.");
        };
    }
}
