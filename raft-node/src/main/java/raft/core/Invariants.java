package raft.core;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.TreeMap;

/**
 * What must hold after every step of one node, cheap enough to be checked always. A violation stops
 * the node.
 *
 * <p>Checked elsewhere, where they are cheaper: the log is contiguous and its terms never fall
 * ({@link RaftLog#append}), nothing committed is truncated ({@link RaftLog#truncate}), one leader a
 * term ({@link Transitions#followLeader}).
 */
final class Invariants {
    private long term;
    private @Nullable NodeId votedFor;
    private long commitIndex;
    private long appliedIndex;
    private long lastIndex;
    private long snapshotIndex;
    private final TreeMap<NodeId, Long> matchIndexes = new TreeMap<>();
    private Effect.@Nullable RoleName role;
    private boolean started;

    void check(Raft raft) {
        // A node never goes back to an earlier term (§5.1).
        require(raft.term() >= term, raft, "the term fell from", term, raft.term());
        // At most one vote a term, never taken back (§5.2).
        if (started
                && raft.term() == term
                && votedFor != null
                && !votedFor.equals(raft.votedFor())) {
            throw new IllegalStateException(
                    "vote of term "
                            + term
                            + " changed from "
                            + votedFor
                            + " to "
                            + raft.votedFor()
                            + "; "
                            + dump(raft));
        }
        // What is committed or applied stays so (§5.3).
        require(
                raft.commitIndex() >= commitIndex,
                raft,
                "the commit index fell from",
                commitIndex,
                raft.commitIndex());
        require(
                raft.appliedIndex() >= appliedIndex,
                raft,
                "applied fell from",
                appliedIndex,
                raft.appliedIndex());
        // applied ≤ commit ≤ last; durable ≤ last.
        require(
                raft.appliedIndex() <= raft.commitIndex(),
                raft,
                "applied and commit",
                raft.appliedIndex(),
                raft.commitIndex());
        require(
                raft.commitIndex() <= raft.lastIndex(),
                raft,
                "commit and last",
                raft.commitIndex(),
                raft.lastIndex());
        require(
                raft.durableIndex() <= raft.lastIndex(),
                raft,
                "durable and last",
                raft.durableIndex(),
                raft.lastIndex());
        // snapshot ≤ applied; what the log has lost is in a snapshot (§7).
        Snapshot snapshot = raft.snapshot();
        long newest = snapshot == null ? 0 : snapshot.index();
        require(newest >= snapshotIndex, raft, "the snapshot fell from", snapshotIndex, newest);
        require(
                newest <= raft.appliedIndex(),
                raft,
                "snapshot and applied",
                newest,
                raft.appliedIndex());
        require(
                raft.firstIndex() <= newest + 1,
                raft,
                "the log's first and the snapshot's last",
                raft.firstIndex(),
                newest);
        // No entry comes from a term that this node has not reached (§5.1).
        require(
                raft.lastTerm() <= raft.term(),
                raft,
                "last entry's and current term",
                raft.lastTerm(),
                raft.term());
        boolean leads = raft.role() == Effect.RoleName.LEADER;
        // A leader only appends (§5.3, Leader Append-Only).
        if (leads && role == Effect.RoleName.LEADER && raft.term() == term) {
            require(
                    raft.lastIndex() >= lastIndex,
                    raft,
                    "a leader's log shrank from",
                    lastIndex,
                    raft.lastIndex());
        }
        if (leads) {
            checkFollowers(raft, role == Effect.RoleName.LEADER && raft.term() == term);
            checkMembership(raft.membership(), raft);
        }
        snapshotIndex = newest;
        remember(raft);
    }

    /** match ≤ last and match < next for every follower; match never falls within a term. */
    private void checkFollowers(Raft raft, boolean ledBefore) {
        if (!ledBefore) {
            matchIndexes.clear();
        }
        for (Map.Entry<NodeId, Progress> peer : raft.followers().entrySet()) {
            long match = peer.getValue().matchIndex();
            require(match <= raft.lastIndex(), raft, "match and last", match, raft.lastIndex());
            long next = peer.getValue().nextIndex();
            require(match < next, raft, "match and next", match, next);
            Long before = matchIndexes.put(peer.getKey(), match);
            require(
                    before == null || before <= match,
                    raft,
                    "match fell from",
                    before == null ? 0 : before,
                    match);
        }
        if (matchIndexes.size() > raft.followers().size()) {
            matchIndexes.keySet().retainAll(raft.followers().keySet());
        }
    }

    /**
     * At most one change of the own term is under way (thesis §4.1); that each is of one voter at
     * most is checked by {@link Membership#appended}.
     */
    private static void checkMembership(Membership membership, Raft raft) {
        boolean own = membership.latestIndex() >= raft.termStartIndex();
        // A leader changes the members only after an entry of its term is committed (erratum to
        // thesis §4.1).
        require(
                !own || raft.commitIndex() >= raft.termStartIndex(),
                raft,
                "a configuration of the leader's own term, but commit and that term's start",
                raft.commitIndex(),
                raft.termStartIndex());
        require(
                !own || membership.uncommittedCount() <= 1,
                raft,
                "uncommitted configurations, allowed",
                membership.uncommittedCount(),
                1);
    }

    private void remember(Raft raft) {
        term = raft.term();
        votedFor = raft.votedFor();
        commitIndex = raft.commitIndex();
        appliedIndex = raft.appliedIndex();
        lastIndex = raft.lastIndex();
        role = raft.role();
        started = true;
    }

    private static void require(boolean holds, Raft raft, String what, long first, long second) {
        if (!holds) {
            throw new IllegalStateException(
                    "invariant broken: " + what + " " + first + ", " + second + "; " + dump(raft));
        }
    }

    private static String dump(Raft raft) {
        return "role "
                + raft.role()
                + ", term "
                + raft.term()
                + ", voted for "
                + raft.votedFor()
                + ", leader "
                + raft.leader()
                + ", commit "
                + raft.commitIndex()
                + ", applied "
                + raft.appliedIndex()
                + ", durable "
                + raft.durableIndex()
                + ", last "
                + raft.lastIndex()
                + " of term "
                + raft.lastTerm()
                + ", followers "
                + raft.peerViews();
    }
}
