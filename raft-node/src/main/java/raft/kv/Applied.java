package raft.kv;

import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Result;

/** What became of one command of the log. The same on every node. */
public sealed interface Applied {
    /** It was carried out. */
    record Answered(Result result) implements Applied {}

    /** Its bytes are no command that this version knows; nothing was changed. */
    record Rejected(Refusal reason, String message) implements Applied {}

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
        };
    }
}
