package raft.core;

import java.util.List;

/**
 * What nodes say to each other. Every message carries its sender's current term (§5.1).
 *
 * <p>Heartbeats are apart from AppendEntries so that they can overtake bulk data on the wire, and
 * are answered without waiting for entries to become durable.
 */
public sealed interface Message {
    long term();

    /**
     * Would you vote for me in {@code prospectiveTerm}? Promises nothing, changes nothing (thesis
     * §9.6).
     */
    record PreVoteRequest(long term, long prospectiveTerm, long lastLogIndex, long lastLogTerm)
            implements Message {}

    record PreVoteReply(long term, long prospectiveTerm, boolean granted) implements Message {}

    /**
     * RequestVote (§5.2).
     *
     * @param handedOver the leader itself, or an operator, wants this election: it is no disruption
     *     although a leader is alive (thesis §4.2.3)
     */
    record VoteRequest(long term, long lastLogIndex, long lastLogTerm, boolean handedOver)
            implements Message {
        public VoteRequest(long term, long lastLogIndex, long lastLogTerm) {
            this(term, lastLogIndex, lastLogTerm, false);
        }
    }

    record VoteReply(long term, boolean granted) implements Message {}

    /**
     * AppendEntries (§5.3) with at least one entry, or empty as a probe for where logs agree.
     *
     * @param prevLogIndex index of the entry before the first of {@code entries}, ≥ 0
     * @param prevLogTerm its term; 0 for index 0
     * @param leaderCommit the leader's commit index; may exceed what this message verifies
     */
    record AppendEntries(
            long term, long prevLogIndex, long prevLogTerm, List<Entry> entries, long leaderCommit)
            implements Message {
        public AppendEntries {
            entries = List.copyOf(entries);
        }
    }

    /** The follower's log equals the leader's up to {@code matchIndex} and is durable that far. */
    record AppendAccepted(long term, long matchIndex) implements Message {}

    /**
     * The entry at {@code prevLogIndex} did not match.
     *
     * @param prevLogIndex echoes the request, so that a late rejection is recognised
     * @param hintIndex greatest index ≤ prevLogIndex whose term in the follower's log is ≤ the
     *     request's prevLogTerm
     * @param hintTerm that entry's term; 0 for index 0
     */
    record AppendRejected(long term, long prevLogIndex, long hintIndex, long hintTerm)
            implements Message {}

    /**
     * I lead this term.
     *
     * @param commit the leader's commit index, but never more than the follower is known to hold
     * @param round counts the leader's heartbeat rounds in this term; confirms reads (thesis §6.4)
     */
    record Heartbeat(long term, long commit, long round) implements Message {}

    /**
     * I know of your term, or of a newer one.
     *
     * @param round echoes the heartbeat's where it was of this very term, else {@link #NO_ROUND}
     */
    record HeartbeatReply(long term, long round) implements Message {
        /** Rounds count from 1 in each term. */
        public static final long NO_ROUND = 0;
    }

    /**
     * A piece of a snapshot (§7, thesis §5.3), which is sent in order, each once the one before was
     * answered.
     *
     * @param index of the last entry that the snapshot stands for
     * @param snapshotTerm of that entry
     * @param sizeBytes of the whole file
     * @param offsetBytes where {@code data} belongs in it
     */
    record InstallSnapshot(
            long term, long index, long snapshotTerm, long sizeBytes, long offsetBytes, Bytes data)
            implements Message {}

    /**
     * The snapshot's piece at {@code wantedOffsetBytes} is wanted next. That it is installed is
     * said by {@link AppendAccepted}.
     */
    record SnapshotReply(long term, long index, long wantedOffsetBytes) implements Message {}

    /** Your log is as long as mine: stand for election at once (thesis §3.10). */
    record TimeoutNow(long term) implements Message {}

    /**
     * A follower asks up to where it must have applied the log to serve reads (thesis §6.4).
     *
     * @param token the follower's, never used twice, also not in another life
     */
    record ReadIndexRequest(long term, long token) implements Message {}

    /** This node still led after the request came, and had committed no more than this then. */
    record ReadIndexReply(long term, long token, long readIndex) implements Message {}
}
