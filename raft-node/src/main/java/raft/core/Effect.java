package raft.core;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** What the driver must do, in the order given. */
public sealed interface Effect {
    /**
     * Write and fsync, then answer {@link Event.Persisted} with this ticket or a later one. Tickets
     * ascend by one. Does not block the effects that follow: whatever had to wait for the disk is
     * held back by the algorithm itself.
     */
    record Persist(long ticket, List<LogWrite> writes) implements Effect {
        public Persist {
            writes = List.copyOf(writes);
        }
    }

    /** Send now; may be lost, delayed, duplicated or reordered. */
    record Send(NodeId to, Message message) implements Effect {}

    /**
     * Apply a committed entry to the state machine. Comes once per index in ascending order.
     *
     * @param requestId the client request to answer "ok" with the result, 0 where this node owes no
     *     answer
     */
    record Apply(Entry entry, long requestId) implements Effect {}

    /**
     * Answer a read from the state machine as it stands now, which includes everything up to {@code
     * readIndex}.
     */
    record ServeRead(long requestId, long readIndex) implements Effect {}

    /**
     * Answer "refused": certainly not and never applied.
     *
     * @param detail one sentence for people; empty where the reason says it all
     */
    record Refuse(long requestId, Refusal reason, @Nullable NodeId leaderHint, String detail)
            implements Effect {
        public Refuse(long requestId, Refusal reason, @Nullable NodeId leaderHint) {
            this(requestId, reason, leaderHint, "");
        }
    }

    /** Answer an operator's request "done". */
    record Done(long requestId) implements Effect {}

    /** Answer "unknown": may or may not be applied, now or later. */
    record GiveUp(long requestId, String reason) implements Effect {}

    /**
     * Take the state machine's state as it stands now, after everything up to {@code index}, and
     * nothing else. Write it to a snapshot in the background and answer {@link Event.SnapshotSaved}
     * once it is durable.
     *
     * @param index applied last, and durable in the log
     * @param term of the entry at {@code index}
     */
    record CaptureState(long index, long term, long configurationIndex, Configuration configuration)
            implements Effect {}

    /**
     * Send the bytes of {@code snapshot}'s file from {@code offsetBytes} on, {@code bytesMax} at
     * most, as {@link Message.InstallSnapshot} of {@code term}. May be late, lost or twice.
     */
    record SendChunk(NodeId to, long term, Snapshot snapshot, long offsetBytes, int bytesMax)
            implements Effect {}

    /**
     * Keep a piece of a snapshot that is being received; the one at offset 0 starts anew. After the
     * last one make it durable and answer {@link Event.SnapshotReceived} or {@link
     * Event.SnapshotSpoilt}.
     */
    record KeepChunk(long index, long term, long offsetBytes, Bytes data, boolean last)
            implements Effect {}

    /** Let the state machine become what {@code snapshot}, received before, says. */
    record Restore(Snapshot snapshot) implements Effect {}

    /** Nobody needs the snapshot with this index any more. */
    record DeleteSnapshot(long index) implements Effect {}

    /**
     * From now on these are the members, until told otherwise; they must be reachable.
     *
     * @param index where it stands in the log
     */
    record Configured(long index, Configuration configuration) implements Effect {}

    /** All entries from {@code fromIndex} on were void. For logs, status and traces only. */
    record Truncated(long fromIndex) implements Effect {}

    /** The role, the term or the known leader changed. For logs, status and traces only. */
    record Transition(
            RoleName from,
            RoleName to,
            long term,
            @Nullable NodeId leader,
            @Nullable NodeId votedFor,
            String reason)
            implements Effect {}

    /** Why a request was certainly not applied. */
    enum Refusal {
        NOT_LEADER,
        BUSY,
        /** A change of membership or a transfer is under way. */
        CHANGE_IN_PROGRESS,
        NO_SUCH_MEMBER,
        /** It makes no sense as things are; the detail says why. */
        NOT_POSSIBLE_NOW
    }

    /** The roles of Figure 4, and the pre-candidate of thesis §9.6. */
    enum RoleName {
        FOLLOWER,
        PRE_CANDIDATE,
        CANDIDATE,
        LEADER
    }
}
