package raft.core;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.Refusal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * The state of one node, Figure 2's "State", with the few steps that must keep parts of it
 * together: an entry never enters the log without being written and without the membership hearing
 * of it.
 *
 * <p>Owned by {@link Raft}'s one thread. Shared by the classes that each carry out one section's
 * rules; it knows none of them. Term and vote change only in {@link #saveHardState}, the role only
 * by {@link Transitions}.
 */
final class State {
    final RaftConfig config;
    final RaftLog log;

    /** Follows the log: told of every configuration entry that comes or goes. */
    final Membership membership;

    final Snapshots snapshots;
    final Durability durability;
    final Tally tally = new Tally();

    // Figure 2, persistent.
    private LogWrite.HardState hardState;

    // Figure 2, volatile.
    private long commitIndex;
    private long appliedIndex;
    private Role role = new Role.Follower(null, 0);

    // Of the step that is going on.
    private long nowNanos;
    private List<Effect> effects = new ArrayList<>();

    /** What the storage recovered; a follower of nobody. */
    State(RaftConfig config, Recovered recovered, long nowNanos) {
        this.config = config;
        this.hardState = recovered.hardState();
        this.log = new RaftLog(recovered.baseIndex(), recovered.baseTerm(), recovered.entries());
        if (log.lastTerm() > hardState.term()) {
            throw new IllegalStateException(
                    "no entry of a later term (§5.1): recovered one of term "
                            + log.lastTerm()
                            + " but only term "
                            + hardState.term());
        }
        this.snapshots = new Snapshots(recovered.snapshot());
        this.commitIndex = snapshots.newestIndex();
        this.appliedIndex = commitIndex;
        this.membership = Membership.recovered(config.initial(), recovered);
        this.durability = new Durability(log);
        this.nowNanos = nowNanos;
    }

    // ---- The step that is going on ----

    /**
     * @throws IllegalStateException if time falls
     */
    void nowNanos(long next) {
        if (next < nowNanos) {
            throw new IllegalStateException("time fell from " + nowNanos + " to " + next);
        }
        nowNanos = next;
    }

    long nowNanos() {
        return nowNanos;
    }

    void emit(Effect effect) {
        effects.add(effect);
    }

    /** Hands over writes, then the messages that wait for nothing any more. */
    void emitDurable() {
        durability.issue(nowNanos, effects);
        durability.release(hardState.term(), effects);
    }

    /** Everything emitted since the last call, in order. */
    List<Effect> takeEffects() {
        List<Effect> taken = effects;
        effects = new ArrayList<>();
        return taken;
    }

    // ---- Reading and changing it ----

    long term() {
        return hardState.term();
    }

    @Nullable NodeId votedFor() {
        return hardState.votedFor();
    }

    Role role() {
        return role;
    }

    /** For {@link Transitions} alone. */
    void role(Role next) {
        role = next;
    }

    long commitIndex() {
        return commitIndex;
    }

    void commitIndex(long index) {
        commitIndex = index;
    }

    long appliedIndex() {
        return appliedIndex;
    }

    void appliedIndex(long index) {
        appliedIndex = index;
    }

    void saveHardState(long term, @Nullable NodeId votedFor) {
        hardState = new LogWrite.HardState(term, votedFor);
        durability.writeHardState(hardState);
    }

    Entry append(Role.Leader leader, Entry.Kind kind, Bytes payload) {
        Entry entry = new Entry(log.lastIndex() + 1, hardState.term(), kind, payload);
        addToLog(entry);
        durability.writeEntries(List.of(entry));
        leader.uncommittedBytes += entry.sizeBytes();
        return entry;
    }

    void addToLog(Entry entry) {
        log.append(entry);
        if (entry.kind().isConfiguration()) {
            membership.appended(entry);
            membershipChanged();
        }
    }

    void membershipChanged() {
        if (role instanceof Role.Leader leader) {
            followMembership(leader);
        }
        emit(new Effect.Configured(membership.latestIndex(), membership.latest()));
    }

    /** One follower for each member. */
    void followMembership(Role.Leader leader) {
        Configuration now = membership.latest();
        leader.progress.keySet().removeIf(id -> !now.contains(id));
        for (Configuration.Member member : now.members()) {
            if (!member.id().equals(config.self())) {
                leader.progress.computeIfAbsent(
                        member.id(),
                        id -> new Progress(member.addedIndex(), log.lastIndex() + 1, nowNanos));
            }
        }
    }

    void commitUpTo(long index) {
        if (index > log.lastIndex()) {
            throw new IllegalStateException(
                    "leader completeness (§5.4): told that index "
                            + index
                            + " is committed, but the log ends at "
                            + log.lastIndex()
                            + ": were this node's data lost or replaced?");
        }
        commitIndex = Math.max(commitIndex, index);
    }

    long reachedByMajority(Role.Leader leader, long own, ToLongFunction<Progress> ofPeer) {
        return Quorum.reachedByMajority(
                leader.perVoter(membership.voters(), config.self(), own, ofPeer));
    }

    List<NodeId> otherVoters() {
        return membership.voters().stream().filter(id -> !id.equals(config.self())).toList();
    }

    /** Only voters count, this node only if it is one (thesis §4.2.2). */
    boolean isMajority(Collection<NodeId> granted) {
        long count = granted.stream().filter(membership::isVoter).count();
        return count >= Quorum.size(membership.voters().size());
    }

    /**
     * Null where this node does not lead, as a leader that stepped down stays in its term and still
     * gets answers, or where {@code peer} is no member, as one that was removed still answers.
     */
    @Nullable Progress progressOf(NodeId peer) {
        return role instanceof Role.Leader leader ? leader.progress.get(peer) : null;
    }

    void refuse(long requestId, Refusal reason, String detail) {
        emit(new Effect.Refuse(requestId, reason, leader(), detail));
    }

    /** Whom this node takes for the leader of its term, itself included. */
    @Nullable NodeId leader() {
        return switch (role) {
            case Role.Leader ignored -> config.self();
            case Role.Follower follower -> follower.leader;
            case Role.PreCandidate ignored -> null;
            case Role.Candidate ignored -> null;
        };
    }
}
