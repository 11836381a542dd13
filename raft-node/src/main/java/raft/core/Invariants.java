package raft.core;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.TreeMap;

/**
 * What must hold after every step of one node, cheap enough to be checked always. A violation stops
 * the node.
 *
 * <p>What is said of a violation begins with the rule's name and a colon, here and elsewhere.
 *
 * <p>Three rules are checked at the moment they are about: {@link #committed}, {@link #sent} and
 * {@link #served}.
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
        require(
                raft.term() >= term,
                raft,
                "terms only rise (§5.1): the term fell from",
                term,
                raft.term());
        // At most one vote a term, never taken back (§5.2).
        if (started
                && raft.term() == term
                && votedFor != null
                && !votedFor.equals(raft.votedFor())) {
            throw new IllegalStateException(
                    "one vote a term (§5.2): the vote of term "
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
                "what is committed stays (§5.3): the commit index fell from",
                commitIndex,
                raft.commitIndex());
        require(
                raft.appliedIndex() >= appliedIndex,
                raft,
                "what is applied stays (§5.3): applied fell from",
                appliedIndex,
                raft.appliedIndex());
        // applied ≤ commit ≤ last; durable ≤ last.
        require(
                raft.appliedIndex() <= raft.commitIndex(),
                raft,
                "only what is committed is applied (§5.3): applied and commit",
                raft.appliedIndex(),
                raft.commitIndex());
        require(
                raft.commitIndex() <= raft.lastIndex(),
                raft,
                "only what is in the log is committed (§5.3): commit and last",
                raft.commitIndex(),
                raft.lastIndex());
        require(
                raft.durableIndex() <= raft.lastIndex(),
                raft,
                "only what is in the log is durable: durable and last",
                raft.durableIndex(),
                raft.lastIndex());
        // snapshot ≤ applied; what the log has lost is in a snapshot (§7).
        Snapshot snapshot = raft.snapshot();
        long newest = snapshot == null ? 0 : snapshot.index();
        require(
                newest >= snapshotIndex,
                raft,
                "snapshots only get newer (§7): the snapshot fell from",
                snapshotIndex,
                newest);
        require(
                newest <= raft.appliedIndex(),
                raft,
                "snapshots hold what was applied (§7): snapshot and applied",
                newest,
                raft.appliedIndex());
        require(
                raft.firstIndex() <= newest + 1,
                raft,
                "what the log lost is in a snapshot (§7): the log's first and the snapshot's last",
                raft.firstIndex(),
                newest);
        // No entry comes from a term that this node has not reached (§5.1).
        require(
                raft.lastTerm() <= raft.term(),
                raft,
                "no entry of a later term (§5.1): last entry's and current term",
                raft.lastTerm(),
                raft.term());
        boolean leads = raft.role() == Effect.RoleName.LEADER;
        // A leader only appends (§5.3, Leader Append-Only).
        if (leads && role == Effect.RoleName.LEADER && raft.term() == term) {
            require(
                    raft.lastIndex() >= lastIndex,
                    raft,
                    "leader append-only (§5.3): the log shrank from",
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

    /**
     * A leader has just committed: an entry of its own term (§5.4.2), which is on the disks of more
     * than half of the voters. Counted here once more, one by one, not by {@link Quorum}.
     */
    static void committed(State state, Role.Leader leader) {
        long index = state.commitIndex();
        if (state.log.termAt(index) != state.term()) {
            throw new IllegalStateException(
                    "commit rule (§5.4.2): the leader of term "
                            + state.term()
                            + " commits index "
                            + index
                            + " of term "
                            + state.log.termAt(index)
                            + " by counting");
        }
        int durable = 0;
        for (NodeId voter : state.membership.voters()) {
            Progress peer = leader.progress.get(voter);
            long held =
                    voter.equals(state.config.self())
                            ? state.durability.durableIndex()
                            : peer == null ? 0 : peer.matchIndex();
            if (held >= index) {
                durable++;
            }
        }
        if (2 * durable <= state.membership.voters().size()) {
            throw new IllegalStateException(
                    "commit rule (§5.3): index "
                            + index
                            + " is committed, but durable on "
                            + durable
                            + " of "
                            + state.membership.voters());
        }
    }

    /**
     * A leader sends entries to a member: never such that are from before it was added, for it may
     * have lost what its name had voted and acknowledged then.
     */
    static void sent(NodeId peer, Progress progress, int entryCount) {
        if (entryCount > 0 && progress.nextIndex() <= progress.addedIndex()) {
            throw new IllegalStateException(
                    "catch-up rule: "
                            + peer
                            + " was added by entry "
                            + progress.addedIndex()
                            + ", but is sent entries from "
                            + progress.nextIndex()
                            + " on");
        }
    }

    /**
     * A leader serves a read (thesis §6.4): it knows what is committed because an entry of its term
     * is, a majority has answered a round that began after the read came, and the state includes
     * every commit known at that time.
     */
    static void served(State state, Role.Leader leader, Role.PendingRead read) {
        if (state.commitIndex() < leader.termStartIndex
                || state.appliedIndex() < read.arrival().commitIndex()
                || read.round() <= read.arrival().round()) {
            throw new IllegalStateException(
                    "read rule (thesis §6.4): "
                            + read
                            + " is served with commit "
                            + state.commitIndex()
                            + ", applied "
                            + state.appliedIndex()
                            + " and a term that began at "
                            + leader.termStartIndex);
        }
    }

    /** The same where a lease stands for the round (thesis §6.4.1). */
    static void servedByLease(State state, Role.Leader leader) {
        if (state.commitIndex() < leader.termStartIndex
                || state.appliedIndex() < state.commitIndex()) {
            throw new IllegalStateException(
                    "read rule (thesis §6.4.1): served by a lease with commit "
                            + state.commitIndex()
                            + ", applied "
                            + state.appliedIndex()
                            + " and a term that began at "
                            + leader.termStartIndex);
        }
    }

    /** A leader tells a follower up to where its reads must wait: never less than it knows. */
    static void confirmed(long readIndex, long knownCommitIndex) {
        if (readIndex < knownCommitIndex) {
            throw new IllegalStateException(
                    "read rule (thesis §6.4): the leader has reads wait for index "
                            + readIndex
                            + ", but "
                            + knownCommitIndex
                            + " was known to be committed when they came");
        }
    }

    /** match ≤ last and match < next for every follower; match never falls within a term. */
    private void checkFollowers(Raft raft, boolean ledBefore) {
        if (!ledBefore) {
            matchIndexes.clear();
        }
        for (Map.Entry<NodeId, Progress> peer : raft.followers().entrySet()) {
            long match = peer.getValue().matchIndex();
            require(
                    match <= raft.lastIndex(),
                    raft,
                    "match is in the leader's log (§5.3): match and last",
                    match,
                    raft.lastIndex());
            long next = peer.getValue().nextIndex();
            require(match < next, raft, "match is before next (§5.3): match and next", match, next);
            Long before = matchIndexes.put(peer.getKey(), match);
            require(
                    before == null || before <= match,
                    raft,
                    "match only rises in a term (§5.3): match fell from",
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
                "no change of members before an entry of the term (thesis §4.1): commit and the"
                        + " term's start",
                raft.commitIndex(),
                raft.termStartIndex());
        require(
                !own || membership.uncommittedCount() <= 1,
                raft,
                "one change of members at a time (thesis §4.1): uncommitted configurations,"
                        + " allowed",
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
            throw new IllegalStateException(what + " " + first + ", " + second + "; " + dump(raft));
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
