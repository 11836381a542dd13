package raft.core;

import java.util.List;

/** What a follower does with its leader's log (§5.3): AppendEntries and heartbeats. */
final class Following {
    private final State state;
    private final Transitions transitions;
    private final RaftLog log;
    private final Membership membership;
    private final Durability durability;

    Following(State state, Transitions transitions) {
        this.state = state;
        this.transitions = transitions;
        this.log = state.log;
        this.membership = state.membership;
        this.durability = state.durability;
    }

    void appendEntries(NodeId from, Message.AppendEntries received) {
        transitions.followLeader(from);
        Message.AppendEntries append = withoutCompacted(received);
        long prevIndex = append.prevLogIndex();
        if (prevIndex < log.baseIndex()) {
            // All of it is in the snapshot already.
            long knownIndex = prevIndex + append.entries().size();
            durability.sendAfterLog(from, new Message.AppendAccepted(state.term(), knownIndex));
            return;
        }
        if (!log.matches(prevIndex, append.prevLogTerm())) {
            long hint = log.lastIndexWithTermAtMost(prevIndex, append.prevLogTerm());
            durability.sendAfterHardState(
                    from,
                    new Message.AppendRejected(state.term(), prevIndex, hint, log.termAt(hint)));
            return;
        }
        List<Entry> missing = withoutKnownPrefix(append.entries());
        if (!missing.isEmpty()) {
            long firstIndex = missing.getFirst().index();
            if (firstIndex <= log.lastIndex()) {
                long goneCount = log.lastIndex() - firstIndex + 1;
                log.truncate(firstIndex, state.commitIndex());
                state.tally.count(Tally.Kind.TRUNCATED_ENTRIES, goneCount);
                durability.writeTruncation(firstIndex);
                state.emit(new Effect.Truncated(firstIndex));
                if (membership.latestIndex() >= firstIndex) {
                    membership.truncated(firstIndex);
                    state.membershipChanged();
                }
            }
            for (Entry entry : missing) {
                state.addToLog(entry);
            }
            durability.writeEntries(missing);
        }
        // What lies beyond this message's entries has not been compared with the leader's log and
        // may diverge, so neither the
        // acknowledgement nor the commit index may speak of it.
        long verifiedIndex = prevIndex + append.entries().size();
        durability.sendAfterLog(from, new Message.AppendAccepted(state.term(), verifiedIndex));
        state.commitUpTo(Math.min(append.leaderCommit(), verifiedIndex));
    }

    /**
     * The message from the log's base on, if it reaches that far. What lies before is in the
     * snapshot: it is committed, so the leader's entries are the same (§5.4.3).
     */
    private Message.AppendEntries withoutCompacted(Message.AppendEntries append) {
        long baseIndex = log.baseIndex();
        int compactedCount = (int) Math.max(0, baseIndex - append.prevLogIndex());
        if (compactedCount == 0 || compactedCount > append.entries().size()) {
            return append;
        }
        long baseTerm = append.entries().get(compactedCount - 1).term();
        if (!log.matches(baseIndex, baseTerm)) {
            throw new IllegalStateException(
                    "log matching (§5.3): the leader has term "
                            + baseTerm
                            + " at index "
                            + baseIndex
                            + ", which is committed with term "
                            + log.termAt(baseIndex));
        }
        return new Message.AppendEntries(
                append.term(),
                baseIndex,
                baseTerm,
                append.entries().subList(compactedCount, append.entries().size()),
                append.leaderCommit());
    }

    /**
     * Messages are duplicated and reordered: only from the first entry that really differs on is
     * anything cut (§5.3).
     */
    private List<Entry> withoutKnownPrefix(List<Entry> entries) {
        int known = 0;
        while (known < entries.size()
                && log.matches(entries.get(known).index(), entries.get(known).term())) {
            known++;
        }
        return entries.subList(known, entries.size());
    }

    void heartbeat(NodeId from, Message.Heartbeat heartbeat) {
        transitions.followLeader(from);
        durability.sendAfterHardState(
                from, new Message.HeartbeatReply(state.term(), heartbeat.round()));
        state.commitUpTo(heartbeat.commit());
    }
}
