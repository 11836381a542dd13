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

    /** Answer "refused": certainly not and never applied. */
    record Refuse(long requestId, Refusal reason, @Nullable NodeId leaderHint) implements Effect {}

    /** Answer "unknown": may or may not be applied, now or later. */
    record GiveUp(long requestId, String reason) implements Effect {}

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
        BUSY
    }

    /** The roles of Figure 4, and the pre-candidate of thesis §9.6. */
    enum RoleName {
        FOLLOWER,
        PRE_CANDIDATE,
        CANDIDATE,
        LEADER
    }
}
