package raft.core;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.Refusal;
import raft.core.Effect.RoleName;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * One Raft node's algorithm: events in, effects out.
 *
 * <p>Owned by one thread. Knows no clock (the moment is an argument), no disk (it asks for writes
 * and is told when they are durable), no network and no state machine. Given the same construction
 * and the same calls it does exactly the same, which is what the simulator and the tests rest on.
 *
 * <p>Built from: leader election (§5.2) with pre-vote (thesis §9.6), votes refused while a leader
 * is alive (thesis §4.2.3) and leaders that step down without a quorum (thesis §6.2, CheckQuorum);
 * log replication (§5.3) with back-tracking by whole terms and several messages in flight (thesis
 * §10.2.1); the commit rule of §5.4.2 with a no-op at the start of each term (§8); reads confirmed
 * by a heartbeat round, or by a lease, also for followers (thesis §6.4); snapshots (§7); membership
 * changes of one server at a time (thesis §4); leadership transfer (thesis §3.10).
 *
 * <p>The order within a step: handle each event, which may change state and collect writes; then,
 * once, let a leader commit, send entries and start a read round; then hand over the writes,
 * release the messages whose promises are durable, apply, and serve reads. Working on many events
 * in one step is what makes group commit and batching of entries happen.
 *
 * <p>Any {@link IllegalStateException} is a bug or a broken promise of a peer or of the disk; the
 * node must stop.
 */
public final class Raft {
    // Fixed.
    private static final int CATCH_UP_ROUNDS_MAX = 10;

    /** A learner that is not even reached is given up after so many election timeouts. */
    private static final int CATCH_UP_TIMEOUTS = 20;

    private final RaftConfig config;
    private final Invariants invariants = new Invariants();

    // Figure 2, persistent state. hardState changes only in saveHardState.
    private LogWrite.HardState hardState;
    private final RaftLog log;

    /** Follows the log: told of every configuration entry that comes or goes. */
    private final Membership membership;

    private final Snapshots snapshots;

    // Figure 2, volatile state.
    private long commitIndex;
    private long appliedIndex;
    private Role role;

    // The driver's view of time, and what this node waits for on it.
    private long nowNanos;
    private long electionDeadlineNanos;
    private long electionTimeoutsDrawn;
    private long tokensDrawn;

    /** Until then a node that was up before keeps to what it may have promised to a lease. */
    private final long votingFromNanos;

    private final Durability durability;
    private List<Effect> effects = new ArrayList<>();

    /**
     * A node as it comes up: a follower of nobody, with what its storage recovered.
     *
     * @param nowNanos the clock that {@link #step} will go on with
     */
    public Raft(RaftConfig config, Recovered recovered, long nowNanos) {
        this.config = config;
        this.hardState = recovered.hardState();
        this.log = new RaftLog(recovered.baseIndex(), recovered.baseTerm(), recovered.entries());
        if (log.lastTerm() > hardState.term()) {
            throw new IllegalStateException(
                    "recovered an entry of term "
                            + log.lastTerm()
                            + " but only term "
                            + hardState.term());
        }
        Snapshot snapshot = recovered.snapshot();
        this.snapshots = new Snapshots(snapshot);
        this.commitIndex = snapshots.newestIndex();
        this.appliedIndex = commitIndex;
        this.membership =
                snapshot == null
                        ? new Membership(0, config.initial())
                        : new Membership(snapshot.configurationIndex(), snapshot.configuration());
        for (Entry entry : recovered.entries()) {
            if (entry.kind() == Entry.Kind.CONFIGURATION
                    && entry.index() > membership.latestIndex()) {
                membership.appended(entry);
            }
        }
        boolean mayOweALease =
                config.leaseDriftPercent() != RaftConfig.NO_LEASE && !recovered.isEmpty();
        this.votingFromNanos = nowNanos + (mayOweALease ? config.electionTimeoutNanos() : 0);
        this.durability = new Durability(log);
        this.role = new Role.Follower(null, 0);
        this.nowNanos = nowNanos;
        drawElectionDeadline();
    }

    /** {@link #step(long, List)} of one event. */
    public List<Effect> step(long nowNanos, Event event) {
        return step(nowNanos, List.of(event));
    }

    /**
     * Lets events happen, in order, at one moment.
     *
     * @param nowNanos monotonic, never less than in the call before
     * @return what must be done, in order
     * @throws IllegalStateException when an invariant is broken; the node must stop
     */
    public List<Effect> step(long nowNanos, List<Event> events) {
        if (nowNanos < this.nowNanos) {
            throw new IllegalStateException("time fell from " + this.nowNanos + " to " + nowNanos);
        }
        this.nowNanos = nowNanos;
        for (Event event : events) {
            switch (event) {
                case Event.Timer() -> timer();
                case Event.Receive(NodeId from, Message message) -> receive(from, message);
                case Event.Persisted(long ticket) -> persisted(ticket);
                case Event.Propose(long requestId, Bytes command) -> propose(requestId, command);
                case Event.Read(long requestId, boolean lease) -> read(requestId, lease);
                case Event.ChangeMembership(long requestId, Change change) ->
                        changeMembership(requestId, change);
                case Event.TransferLeadership(long requestId, NodeId to) ->
                        transferLeadership(requestId, to);
                case Event.StartElection(long requestId) -> startElection(requestId);
                case Event.TakeSnapshot(long requestId) -> snapshots.request(requestId);
                case Event.SnapshotSaved(Snapshot snapshot) -> snapshotSaved(snapshot);
                case Event.SnapshotReceived(Snapshot snapshot) -> snapshotReceived(snapshot);
                case Event.SnapshotSpoilt(long index, long term) -> snapshotSpoilt(index, term);
            }
        }
        switch (role) {
            case Role.Leader leader -> lead(leader);
            case Role.Follower follower -> askForReads(follower);
            case Role.PreCandidate ignored -> {}
            case Role.Candidate ignored -> {}
        }
        durability.issue(nowNanos, effects);
        durability.release(hardState.term(), effects);
        applyCommitted();
        switch (role) {
            case Role.Leader leader -> {
                serveReads(leader);
                leaveIfRemoved(leader);
            }
            case Role.Follower follower -> serveReads(follower);
            case Role.PreCandidate ignored -> {}
            case Role.Candidate ignored -> {}
        }
        considerSnapshot();
        invariants.check(this);
        List<Effect> result = effects;
        effects = new ArrayList<>();
        return result;
    }

    /** When {@link Event.Timer} is wanted next, on the clock given to {@link #step}. */
    public long deadlineNanos() {
        return role instanceof Role.Leader leader
                ? leader.nextHeartbeatNanos
                : electionDeadlineNanos;
    }

    // ---- Time ----

    private void timer() {
        if (nowNanos < deadlineNanos()) {
            return;
        }
        switch (role) {
            case Role.Leader leader -> {
                if (quorumContactIsLost(leader)) {
                    becomeFollower(
                            hardState.term(), null, "no quorum answered for two election timeouts");
                } else if (diskIsStalled()) {
                    handOver(leader, "its disk was silent for an election timeout");
                } else {
                    endOverdueRequests(leader);
                    startHeartbeatRound(leader);
                }
            }
            case Role.Follower follower -> {
                if (mayStand()) {
                    becomePreCandidate("election timeout without a leader");
                } else {
                    waitForLeader(follower);
                }
            }
            case Role.PreCandidate ignored -> becomePreCandidate("pre-vote without a majority");
            case Role.Candidate ignored -> becomePreCandidate("election without a winner");
        }
    }

    /**
     * CheckQuorum (thesis §6.2). Twice the election timeout is the longest that any follower waits
     * before it starts an election, so a leader that heard of no quorum for so long must assume
     * that it was replaced.
     */
    private boolean quorumContactIsLost(Role.Leader leader) {
        long contact = reachedByMajority(leader, nowNanos, Progress::lastAckNanos);
        return nowNanos - contact >= 2 * config.electionTimeoutNanos();
    }

    private long reachedByMajority(Role.Leader leader, long own, ToLongFunction<Progress> ofPeer) {
        return Quorum.reachedByMajority(
                leader.perVoter(membership.voters(), config.self(), own, ofPeer));
    }

    /**
     * A leader whose writes do not come back answers nobody, while its heartbeats keep everybody
     * from electing one that would. Alone it has nobody to leave this to.
     */
    private boolean diskIsStalled() {
        return membership.voters().size() > 1
                && durability.silentNanos(nowNanos) >= config.electionTimeoutNanos();
    }

    /**
     * Learners do not stand, nor does a node that has yet to be added, nor one that was removed for
     * good. One whose removal is not known to be committed still does: without it the entry that
     * removes it might never be (thesis §4.2.2, Figure 4.6).
     */
    private boolean mayStand() {
        Configuration now = membership.latest();
        return now.isVoter(config.self())
                || (!now.contains(config.self()) && membership.latestIndex() > commitIndex);
    }

    private void waitForLeader(Role.Follower follower) {
        if (follower.leader != null) {
            becomeFollower(hardState.term(), null, "election timeout; this node does not stand");
        }
        drawElectionDeadline();
    }

    /**
     * §5.2: each wait is drawn anew, from [timeout, 2 × timeout), so that split votes are rare and
     * do not repeat.
     */
    private void drawElectionDeadline() {
        long draw =
                mix(
                        config.seed()
                                ^ mix(
                                        config.self().name().hashCode()
                                                ^ mix(++electionTimeoutsDrawn)));
        long timeout = config.electionTimeoutNanos();
        electionDeadlineNanos = nowNanos + timeout + Math.floorMod(draw, timeout);
    }

    /** The finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    // ---- Transitions: these four are the whole diagram of Figure 4, and the only places where the
    // role is set ----

    private void becomeFollower(long term, @Nullable NodeId leader, String reason) {
        Role before = role;
        if (term > hardState.term()) {
            saveHardState(term, null);
        }
        setRole(new Role.Follower(leader, nowNanos), reason);
        if (before instanceof Role.Leader deposed) {
            abandon(deposed, leader);
            // A leader had no election deadline of its own; a follower of nobody needs one.
            drawElectionDeadline();
        }
    }

    private void becomePreCandidate(String reason) {
        Role.PreCandidate candidacy = new Role.PreCandidate();
        setRole(candidacy, reason);
        drawElectionDeadline();
        candidacy.granted.add(config.self());
        long prospectiveTerm = hardState.term() + 1;
        for (NodeId peer : otherVoters()) {
            durability.sendAfterHardState(
                    peer,
                    new Message.PreVoteRequest(
                            hardState.term(), prospectiveTerm, log.lastIndex(), log.lastTerm()));
        }
        if (isMajority(candidacy.granted)) {
            becomeCandidate("a majority would vote for this node", false);
        }
    }

    /**
     * @param handedOver whether others should vote although they hear of a leader
     */
    private void becomeCandidate(String reason, boolean handedOver) {
        saveHardState(hardState.term() + 1, config.self());
        setRole(new Role.Candidate(), reason);
        drawElectionDeadline();
        // The request tells others that this node has voted for itself, so it waits until that
        // would survive a crash.
        for (NodeId peer : otherVoters()) {
            durability.sendAfterHardState(
                    peer,
                    new Message.VoteRequest(
                            hardState.term(), log.lastIndex(), log.lastTerm(), handedOver));
        }
    }

    private List<NodeId> otherVoters() {
        return membership.voters().stream().filter(id -> !id.equals(config.self())).toList();
    }

    /** Only voters count, this node only if it is one (thesis §4.2.2). */
    private boolean isMajority(Collection<NodeId> granted) {
        long count = granted.stream().filter(membership::isVoter).count();
        return count >= Quorum.size(membership.voters().size());
    }

    private void becomeLeader() {
        Role.Leader leader = new Role.Leader(log.lastIndex() + 1, nowNanos);
        followMembership(leader);
        setRole(leader, "a majority voted for this node");
        // §8: a leader learns what is committed by committing an entry of its own term.
        append(leader, Entry.Kind.NOOP, Bytes.EMPTY);
        startHeartbeatRound(leader);
    }

    private void setRole(Role next, String reason) {
        RoleName from = role.name();
        if (role instanceof Role.Follower follower) {
            NodeId hint = next instanceof Role.Follower now ? now.leader : null;
            for (long requestId : follower.reads.unserved()) {
                effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, hint));
            }
        }
        role = next;
        effects.add(
                new Effect.Transition(
                        from,
                        next.name(),
                        hardState.term(),
                        leader(),
                        hardState.votedFor(),
                        reason));
    }

    /**
     * Leadership is lost: what was accepted may still be committed by a successor, what was only
     * asked will not be.
     */
    private void abandon(Role.Leader deposed, @Nullable NodeId successor) {
        for (Role.PendingCommand command : deposed.commands.values()) {
            effects.add(
                    new Effect.GiveUp(
                            command.requestId(), "leadership lost before the entry was committed"));
        }
        for (Role.PendingRead read : deposed.reads) {
            if (read.from() == null) {
                effects.add(new Effect.Refuse(read.requestId(), Refusal.NOT_LEADER, successor));
            }
        }
        if (deposed.catchUp != null) {
            long requestId = deposed.catchUp.requestId();
            effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, successor));
        }
        if (deposed.transfer != null && deposed.transfer.requestId() != 0) {
            effects.add(new Effect.Done(deposed.transfer.requestId()));
        }
    }

    private void saveHardState(long term, @Nullable NodeId votedFor) {
        hardState = new LogWrite.HardState(term, votedFor);
        durability.writeHardState(hardState);
    }

    // ---- Messages ----

    private void receive(NodeId from, Message message) {
        // Members and strangers alike: who leads or stands may have been added by an entry that
        // this node does not have yet (thesis §4.2.2).
        if (isDisruptive(message)) {
            return;
        }
        // §5.1, for every message and every role: a higher term makes a follower, a lower one is
        // answered with the current term.
        if (message.term() > hardState.term()) {
            becomeFollower(message.term(), null, "saw term " + message.term() + " of " + from);
        } else if (message.term() < hardState.term()) {
            refuseOldTerm(from, message);
            return;
        }
        switch (message) {
            case Message.PreVoteRequest request -> preVoteRequest(from, request);
            case Message.PreVoteReply reply -> preVoteReply(from, reply);
            case Message.VoteRequest request -> voteRequest(from, request);
            case Message.VoteReply reply -> voteReply(from, reply);
            case Message.AppendEntries append -> appendEntries(from, append);
            case Message.AppendAccepted accepted -> appendAccepted(from, accepted);
            case Message.AppendRejected rejected -> appendRejected(from, rejected);
            case Message.Heartbeat heartbeat -> heartbeat(from, heartbeat);
            case Message.HeartbeatReply reply -> heartbeatReply(from, reply);
            case Message.InstallSnapshot piece -> installSnapshot(from, piece);
            case Message.SnapshotReply reply -> snapshotReply(from, reply);
            case Message.TimeoutNow ignored -> timeoutNow(from);
            case Message.ReadIndexRequest(long ignored, long token) ->
                    readIndexRequest(from, token);
            case Message.ReadIndexReply reply -> readIndexReply(from, reply);
        }
    }

    /**
     * Thesis §4.2.3: who asks for votes while a leader is alive is not even allowed to raise the
     * term.
     */
    private boolean isDisruptive(Message message) {
        return switch (message) {
            case Message.PreVoteRequest ignored -> leaderIsAlive();
            // A node without members is one that waits to be added. It has no vote, not even by
            // the configuration of the one who asks: were it a member that lost its disk, the
            // vote might be its second.
            case Message.VoteRequest request ->
                    membership.voters().isEmpty()
                            || nowNanos < votingFromNanos
                            || (!request.handedOver() && leaderIsAlive());
            default -> false;
        };
    }

    private boolean leaderIsAlive() {
        return switch (role) {
            // CheckQuorum deposes a leader that is cut off; until then it leads.
            case Role.Leader ignored -> true;
            case Role.Follower follower ->
                    follower.leader != null
                            && nowNanos - follower.leaderContactNanos
                                    < config.electionTimeoutNanos();
            case Role.PreCandidate ignored -> false;
            case Role.Candidate ignored -> false;
        };
    }

    private void refuseOldTerm(NodeId from, Message message) {
        long term = hardState.term();
        switch (message) {
            case Message.PreVoteRequest request ->
                    durability.sendAfterHardState(
                            from, new Message.PreVoteReply(term, request.prospectiveTerm(), false));
            case Message.VoteRequest ignored ->
                    durability.sendAfterHardState(from, new Message.VoteReply(term, false));
            case Message.AppendEntries append ->
                    durability.sendAfterHardState(
                            from, new Message.AppendRejected(term, append.prevLogIndex(), 0, 0));
            // Never the round: it was counted in the old term. A sender that leads the current term
            // by now would take this reply for one to a round that it has not even begun, and serve
            // reads that no quorum confirmed.
            case Message.Heartbeat ignored ->
                    durability.sendAfterHardState(
                            from,
                            new Message.HeartbeatReply(term, Message.HeartbeatReply.NO_ROUND));
            // Replies to what this node asked in an earlier term: nobody waits for them any more.
            case Message.PreVoteReply ignored -> {}
            case Message.VoteReply ignored -> {}
            case Message.AppendAccepted ignored -> {}
            case Message.AppendRejected ignored -> {}
            case Message.HeartbeatReply ignored -> {}
            case Message.SnapshotReply ignored -> {}
            case Message.ReadIndexReply ignored -> {}
            // Who sends these hears of the newer term by its heartbeats.
            case Message.InstallSnapshot ignored -> {}
            case Message.TimeoutNow ignored -> {}
            case Message.ReadIndexRequest ignored -> {}
        }
    }

    // ---- Elections (§5.2, §5.4.1, thesis §9.6) ----

    private void preVoteRequest(NodeId from, Message.PreVoteRequest request) {
        boolean granted =
                request.prospectiveTerm() > hardState.term()
                        && log.isUpToDate(request.lastLogIndex(), request.lastLogTerm());
        durability.sendAfterHardState(
                from,
                new Message.PreVoteReply(hardState.term(), request.prospectiveTerm(), granted));
    }

    private void preVoteReply(NodeId from, Message.PreVoteReply reply) {
        if (role instanceof Role.PreCandidate candidacy
                && reply.granted()
                && reply.prospectiveTerm() == hardState.term() + 1) {
            candidacy.granted.add(from);
            if (isMajority(candidacy.granted)) {
                becomeCandidate("a majority would vote for this node", false);
            }
        }
    }

    private void voteRequest(NodeId from, Message.VoteRequest request) {
        boolean free = hardState.votedFor() == null || hardState.votedFor().equals(from);
        boolean granted = free && log.isUpToDate(request.lastLogIndex(), request.lastLogTerm());
        if (granted) {
            if (hardState.votedFor() == null) {
                saveHardState(hardState.term(), from);
            }
            // Only a granted vote postpones the own election: a denied candidate must not keep
            // others from standing (§5.2).
            drawElectionDeadline();
        }
        durability.sendAfterHardState(from, new Message.VoteReply(hardState.term(), granted));
    }

    private void voteReply(NodeId from, Message.VoteReply reply) {
        if (role instanceof Role.Candidate candidacy && reply.granted()) {
            candidacy.granted.add(from);
            countVotes(candidacy);
        }
    }

    private void countVotes(Role.Candidate candidacy) {
        if (isMajority(candidacy.granted)) {
            becomeLeader();
        }
    }

    private void persisted(long ticket) {
        durability.persisted(ticket, nowNanos);
        if (role instanceof Role.Candidate candidacy
                && durability.isHardStateDurable()
                && candidacy.granted.add(config.self())) {
            countVotes(candidacy);
        }
    }

    /** Thesis §3.10: the leader hands over; its followers hear of it, so no pre-vote is needed. */
    private void timeoutNow(NodeId from) {
        if (role instanceof Role.Follower follower
                && from.equals(follower.leader)
                && membership.isVoter(config.self())) {
            becomeCandidate(from + " hands over its leadership", true);
        }
    }

    private void startElection(long requestId) {
        if (role instanceof Role.Leader) {
            refuse(requestId, Refusal.NOT_POSSIBLE_NOW, "This node leads already.");
        } else if (!membership.isVoter(config.self())) {
            refuse(
                    requestId,
                    Refusal.NOT_POSSIBLE_NOW,
                    "This node is no voter, so it cannot stand.");
        } else if (config.leaseDriftPercent() != RaftConfig.NO_LEASE
                && (leaderIsAlive() || nowNanos < votingFromNanos)) {
            // Its own vote counts like those of others: a leader's lease may rest on it.
            refuse(
                    requestId,
                    Refusal.NOT_POSSIBLE_NOW,
                    "Leases are on, and this node may have promised one to a leader; hand the"
                            + " leadership over instead.");
        } else {
            // Against a live leader, except where others have promised it a lease.
            becomeCandidate(
                    "an operator asked for an election",
                    config.leaseDriftPercent() == RaftConfig.NO_LEASE);
            effects.add(new Effect.Done(requestId));
        }
    }

    private void refuse(long requestId, Refusal reason, String detail) {
        effects.add(new Effect.Refuse(requestId, reason, leader(), detail));
    }

    // ---- Followers (§5.3) ----

    private void followLeader(NodeId from) {
        switch (role) {
            case Role.Leader ignored ->
                    throw new IllegalStateException(
                            "election safety: "
                                    + from
                                    + " also leads term "
                                    + hardState.term()
                                    + " (§5.2)");
            case Role.Follower follower when from.equals(follower.leader) ->
                    follower.leaderContactNanos = nowNanos;
            case Role.Follower follower when follower.leader != null ->
                    throw new IllegalStateException(
                            "election safety: "
                                    + follower.leader
                                    + " and "
                                    + from
                                    + " both lead term "
                                    + hardState.term()
                                    + " (§5.2)");
            case Role.Follower ignored ->
                    becomeFollower(hardState.term(), from, "heard of the leader");
            case Role.PreCandidate ignored ->
                    becomeFollower(hardState.term(), from, "heard of the leader");
            case Role.Candidate ignored ->
                    becomeFollower(hardState.term(), from, "another candidate won");
        }
        drawElectionDeadline();
    }

    private void appendEntries(NodeId from, Message.AppendEntries received) {
        followLeader(from);
        Message.AppendEntries append = withoutCompacted(received);
        long prevIndex = append.prevLogIndex();
        if (prevIndex < log.baseIndex()) {
            // All of it is in the snapshot already.
            long knownIndex = prevIndex + append.entries().size();
            durability.sendAfterLog(from, new Message.AppendAccepted(hardState.term(), knownIndex));
            return;
        }
        if (!log.matches(prevIndex, append.prevLogTerm())) {
            long hint = log.lastIndexWithTermAtMost(prevIndex, append.prevLogTerm());
            durability.sendAfterHardState(
                    from,
                    new Message.AppendRejected(
                            hardState.term(), prevIndex, hint, log.termAt(hint)));
            return;
        }
        List<Entry> missing = withoutKnownPrefix(append.entries());
        if (!missing.isEmpty()) {
            long firstIndex = missing.getFirst().index();
            if (firstIndex <= log.lastIndex()) {
                log.truncate(firstIndex, commitIndex);
                durability.writeTruncation(firstIndex);
                effects.add(new Effect.Truncated(firstIndex));
                if (membership.latestIndex() >= firstIndex) {
                    membership.truncated(firstIndex);
                    membershipChanged();
                }
            }
            for (Entry entry : missing) {
                addToLog(entry);
            }
            durability.writeEntries(missing);
        }
        // What lies beyond this message's entries has not been compared with the leader's log and
        // may diverge, so neither the
        // acknowledgement nor the commit index may speak of it.
        long verifiedIndex = prevIndex + append.entries().size();
        durability.sendAfterLog(from, new Message.AppendAccepted(hardState.term(), verifiedIndex));
        commitUpTo(Math.min(append.leaderCommit(), verifiedIndex));
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
                    "the leader has term "
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

    private void addToLog(Entry entry) {
        log.append(entry);
        if (entry.kind() == Entry.Kind.CONFIGURATION) {
            membership.appended(entry);
            membershipChanged();
        }
    }

    private void membershipChanged() {
        if (role instanceof Role.Leader leader) {
            followMembership(leader);
        }
        effects.add(new Effect.Configured(membership.latestIndex(), membership.latest()));
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

    private void heartbeat(NodeId from, Message.Heartbeat heartbeat) {
        followLeader(from);
        durability.sendAfterHardState(
                from, new Message.HeartbeatReply(hardState.term(), heartbeat.round()));
        commitUpTo(heartbeat.commit());
        if (role instanceof Role.Follower follower
                && follower.reads.isOverdue(nowNanos, 2 * config.heartbeatNanos())) {
            long token = follower.reads.askedAgain(nowNanos);
            durability.sendAfterHardState(
                    from, new Message.ReadIndexRequest(hardState.term(), token));
        }
    }

    private void commitUpTo(long index) {
        if (index > log.lastIndex()) {
            throw new IllegalStateException(
                    "told that index "
                            + index
                            + " is committed, but the log ends at "
                            + log.lastIndex()
                            + ": were this node's data lost or replaced?");
        }
        commitIndex = Math.max(commitIndex, index);
    }

    /** Thesis §6.4: a follower serves a read once its leader has said up to where it must go. */
    private void askForReads(Role.Follower follower) {
        NodeId leader = follower.leader;
        if (leader != null && follower.reads.mayAsk()) {
            long token = mix(config.seed() ^ mix(--tokensDrawn));
            follower.reads.asked(token, nowNanos);
            durability.sendAfterHardState(
                    leader, new Message.ReadIndexRequest(hardState.term(), token));
        }
    }

    private void readIndexReply(NodeId from, Message.ReadIndexReply reply) {
        if (role instanceof Role.Follower follower && from.equals(follower.leader)) {
            follower.reads.confirmed(reply.token(), reply.readIndex());
        }
    }

    private void serveReads(Role.Follower follower) {
        follower.reads.serve(
                appliedIndex,
                (requestId, readIndex) -> effects.add(new Effect.ServeRead(requestId, readIndex)));
    }

    // ---- Snapshots (§7) ----

    /**
     * Takes one when enough was applied or an operator asks, and only of what this node has on its
     * own disk too: the snapshot is then never ahead of the log in one life.
     */
    private void considerSnapshot() {
        if (appliedIndex == snapshots.newestIndex()) {
            snapshots.takeRequests().forEach(id -> effects.add(new Effect.Done(id)));
        } else if (snapshots.isDue(config.limits().snapshotLogBytes())
                && appliedIndex <= durability.durableIndex()) {
            snapshots.capturing(appliedIndex);
            effects.add(
                    new Effect.CaptureState(
                            appliedIndex,
                            log.termAt(appliedIndex),
                            membership.committedIndex(),
                            membership.committed()));
        }
    }

    private void snapshotSaved(Snapshot snapshot) {
        snapshots.captured().forEach(id -> effects.add(new Effect.Done(id)));
        adopt(snapshot);
    }

    /** A snapshot of what this node has applied is on its disk: the log may shrink. */
    private void adopt(Snapshot snapshot) {
        if (snapshot.index() <= snapshots.newestIndex()) {
            // Another one arrived from the leader in the meantime.
            effects.add(new Effect.DeleteSnapshot(snapshot.index()));
            return;
        }
        snapshots.add(snapshot);
        long bytesMax = config.limits().snapshotLogBytes();
        // Some stays, so that a follower that is only a little behind needs no snapshot.
        long index = log.indexBehind(snapshot.index(), bytesMax / 4);
        if (role instanceof Role.Leader leader && log.sizeBytes() < 4 * bytesMax) {
            // What follows a snapshot that is being sent is what its receiver needs next.
            for (Progress follower : leader.progress.values()) {
                Snapshot pinned = follower.snapshot();
                index = pinned == null ? index : Math.min(index, pinned.index());
            }
        }
        if (index > log.baseIndex()) {
            log.compact(index);
            durability.writeStart(index, log.termAt(index), true);
        }
        deleteUnneededSnapshots();
    }

    private void deleteUnneededSnapshots() {
        List<Progress> followers =
                role instanceof Role.Leader leader
                        ? List.copyOf(leader.progress.values())
                        : List.of();
        snapshots
                .unneeded(followers)
                .forEach(index -> effects.add(new Effect.DeleteSnapshot(index)));
    }

    private void installSnapshot(NodeId from, Message.InstallSnapshot piece) {
        followLeader(from);
        if (piece.index() <= commitIndex) {
            durability.sendAfterLog(
                    from, new Message.AppendAccepted(hardState.term(), piece.index()));
            return;
        }
        // A snapshot must not survive a crash that the term of its last entry does not survive.
        if (!durability.isHardStateDurable()) {
            return;
        }
        Snapshots.Receipt receipt = snapshots.receipt();
        if (receipt == null || !receipt.isOf(from, piece)) {
            receipt = new Snapshots.Receipt(from, piece);
            snapshots.receipt(receipt);
        }
        if (piece.offsetBytes() == receipt.offsetBytes
                && receipt.offsetBytes + piece.data().sizeBytes() <= receipt.sizeBytes) {
            receipt.offsetBytes += piece.data().sizeBytes();
            boolean last = receipt.offsetBytes == receipt.sizeBytes;
            effects.add(
                    new Effect.KeepChunk(
                            piece.index(),
                            piece.snapshotTerm(),
                            piece.offsetBytes(),
                            piece.data(),
                            last));
        }
        if (receipt.offsetBytes < receipt.sizeBytes) {
            durability.sendAfterHardState(
                    from,
                    new Message.SnapshotReply(
                            hardState.term(), piece.index(), receipt.offsetBytes));
        }
    }

    private void snapshotReceived(Snapshot snapshot) {
        Snapshots.Receipt receipt = snapshots.receipt();
        boolean expected = receipt != null && snapshot.isOf(receipt.index, receipt.term);
        if (expected) {
            snapshots.receipt(null);
        }
        if (snapshot.index() <= commitIndex) {
            // The log brought it first.
            adopt(snapshot);
        } else if (role instanceof Role.Leader) {
            // It has all of this in its log and will find out by committing it.
            effects.add(new Effect.DeleteSnapshot(snapshot.index()));
        } else {
            restore(snapshot);
            if (expected
                    && receipt != null
                    && role instanceof Role.Follower follower
                    && receipt.from.equals(follower.leader)) {
                durability.sendAfterLog(
                        receipt.from,
                        new Message.AppendAccepted(hardState.term(), snapshot.index()));
            }
        }
    }

    /** Newer than all that this node knows to be committed: it takes the place of the log. */
    private void restore(Snapshot snapshot) {
        boolean keepsSuffix = log.matches(snapshot.index(), snapshot.term());
        if (keepsSuffix) {
            log.compact(snapshot.index());
        } else {
            log.restart(snapshot.index(), snapshot.term());
            membership.truncated(snapshot.configurationIndex() + 1);
        }
        durability.writeStart(snapshot.index(), snapshot.term(), keepsSuffix);
        membership.restored(snapshot.configurationIndex(), snapshot.configuration());
        commitIndex = snapshot.index();
        appliedIndex = snapshot.index();
        snapshots.add(snapshot);
        effects.add(new Effect.Restore(snapshot));
        membershipChanged();
        deleteUnneededSnapshots();
    }

    private void snapshotSpoilt(long index, long term) {
        Snapshots.Receipt receipt = snapshots.receipt();
        if (receipt != null && receipt.index == index && receipt.term == term) {
            // The leader sends its newest piece again after a while, and is told to start over.
            snapshots.receipt(null);
        }
    }

    // ---- Leaders (§5.3, §5.4.2, thesis §6.4) ----

    private void propose(long requestId, Bytes command) {
        if (!(role instanceof Role.Leader leader)) {
            effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, leader()));
        } else if (leader.transfer != null) {
            // What is appended now would only keep the successor from catching up (thesis §3.10).
            refuse(requestId, Refusal.BUSY, "Leadership is being handed over.");
        } else if (leader.uncommittedBytes > 0
                && leader.uncommittedBytes + command.sizeBytes()
                        > config.limits().uncommittedBytesMax()) {
            effects.add(new Effect.Refuse(requestId, Refusal.BUSY, config.self()));
        } else {
            Entry entry = append(leader, Entry.Kind.COMMAND, command);
            leader.commands.put(entry.index(), new Role.PendingCommand(entry.term(), requestId));
        }
    }

    private Entry append(Role.Leader leader, Entry.Kind kind, Bytes payload) {
        Entry entry = new Entry(log.lastIndex() + 1, hardState.term(), kind, payload);
        addToLog(entry);
        durability.writeEntries(List.of(entry));
        leader.uncommittedBytes += entry.sizeBytes();
        return entry;
    }

    private void read(long requestId, boolean lease) {
        int readCountMax = config.limits().readCountMax();
        switch (role) {
            case Role.Leader leader when lease && leaseHolds(leader) ->
                    effects.add(new Effect.ServeRead(requestId, appliedIndex));
            case Role.Leader leader when leader.reads.size() < readCountMax -> {
                long readIndex = readIndex(leader);
                leader.reads.addLast(new Role.PendingRead(null, requestId, readIndex, 0));
            }
            case Role.Follower follower
                    when follower.leader != null && follower.reads.count() < readCountMax ->
                    follower.reads.add(requestId);
            case Role.Leader ignored -> refuse(requestId, Refusal.BUSY, "Too many reads wait.");
            case Role.Follower follower when follower.leader != null ->
                    refuse(requestId, Refusal.BUSY, "Too many reads wait.");
            case Role.Follower ignored ->
                    effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, null));
            case Role.PreCandidate ignored ->
                    effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, null));
            case Role.Candidate ignored ->
                    effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, null));
        }
    }

    /** A follower that gets no answer asks again, so one that would be too many is let fall. */
    private void readIndexRequest(NodeId from, long token) {
        if (role instanceof Role.Leader leader
                && leader.reads.size() < config.limits().readCountMax()) {
            leader.reads.addLast(new Role.PendingRead(from, token, readIndex(leader), 0));
        }
    }

    /**
     * Before its first own entry commits, a leader does not know what is committed (§8), so a read
     * waits at least for that.
     */
    private long readIndex(Role.Leader leader) {
        return Math.max(commitIndex, leader.termStartIndex);
    }

    /**
     * Thesis §6.4.1. What was applied before this step is all that was committed when it began, so
     * a read is served from the state as it stands.
     */
    private boolean leaseHolds(Role.Leader leader) {
        return config.leaseDriftPercent() != RaftConfig.NO_LEASE
                && !leader.leaseRevoked
                && leader.transfer == null
                && appliedIndex >= leader.termStartIndex
                && nowNanos < leader.leaseEndNanos;
    }

    /**
     * Whether a read could be served by a lease at that moment, if nothing else happens before it:
     * nobody else may lead then.
     *
     * @param nowNanos on the clock given to {@link #step}
     */
    public boolean holdsLease(long nowNanos) {
        return role instanceof Role.Leader leader
                && leaseHolds(leader)
                && nowNanos < leader.leaseEndNanos;
    }

    /**
     * Everyone in the quorum that answered a round refuses to elect another leader for an election
     * timeout of its own clock after it heard of the round, which is after it was sent. This node's
     * clock may be the slower one.
     */
    private void extendLease(Role.Leader leader) {
        if (leader.unconfirmedRounds.isEmpty()) {
            return;
        }
        long confirmed = confirmedRound(leader);
        long lengthNanos = config.electionTimeoutNanos() / (100 + config.leaseDriftPercent()) * 100;
        while (!leader.unconfirmedRounds.isEmpty()
                && leader.unconfirmedRounds.peekFirst().number() <= confirmed) {
            long sentNanos = leader.unconfirmedRounds.removeFirst().sentNanos();
            leader.leaseEndNanos = Math.max(leader.leaseEndNanos, sentNanos + lengthNanos);
        }
    }

    /** Once a step, after all its events: what they add up to. */
    private void lead(Role.Leader leader) {
        advanceCommit(leader);
        continueCatchUp(leader);
        continueTransfer(leader);
        // One round at a time: reads that come while it runs share the next.
        if (hasReadWithoutRound(leader) && confirmedRound(leader) == leader.round) {
            startHeartbeatRound(leader);
        }
        leader.progress.forEach(this::replicate);
    }

    /**
     * §5.4.2: the greatest index that a majority holds durably, and only if it is of this term;
     * entries of earlier terms are committed by what follows them (Figure 8). The leader counts
     * itself like the others, by what is on its disk.
     */
    private void advanceCommit(Role.Leader leader) {
        long index = reachedByMajority(leader, durability.durableIndex(), Progress::matchIndex);
        if (index > commitIndex && log.termAt(index) == hardState.term()) {
            commitIndex = index;
        }
    }

    private void replicate(NodeId peer, Progress progress) {
        var limits = config.limits();
        while (progress.maySend(limits.inflightAppendsMax(), limits.inflightBytesMax())) {
            Snapshot pinned = progress.snapshot();
            if (pinned != null) {
                sendChunk(peer, progress, pinned);
                return;
            }
            // Of a member that was added just now nothing is known, though nothing new is to be
            // sent: it is probed at once, or it would wait for the next client's command.
            boolean unknown =
                    progress.state() == Progress.State.PROBE
                            && progress.matchIndex() < log.lastIndex();
            if (progress.nextIndex() > log.lastIndex() && !unknown) {
                return;
            }
            if (progress.nextIndex() <= log.baseIndex()) {
                sendSnapshot(progress);
            } else {
                sendAppend(
                        peer, progress, log.slice(progress.nextIndex(), limits.appendBytesMax()));
                if (progress.state() == Progress.State.PROBE) {
                    return;
                }
            }
        }
    }

    private void sendSnapshot(Progress progress) {
        Snapshot newest = snapshots.newest();
        if (newest == null || newest.index() < log.baseIndex()) {
            throw new IllegalStateException(
                    "the log begins behind index "
                            + log.baseIndex()
                            + ", but the newest snapshot is "
                            + newest);
        }
        progress.needsSnapshot(newest);
    }

    private void sendChunk(NodeId peer, Progress progress, Snapshot pinned) {
        effects.add(
                new Effect.SendChunk(
                        peer,
                        hardState.term(),
                        pinned,
                        progress.snapshotOffsetBytes(),
                        config.limits().chunkBytes()));
        progress.chunkSent(nowNanos);
    }

    private void snapshotReply(NodeId from, Message.SnapshotReply reply) {
        Progress progress = progressOf(from);
        if (progress != null) {
            progress.heard(nowNanos);
            progress.chunkWanted(reply.index(), reply.wantedOffsetBytes());
        }
    }

    /** Leaves at once, in parallel with this node's own fsync (thesis §10.2.1). */
    private void sendAppend(NodeId peer, Progress progress, List<Entry> entries) {
        long prevIndex = progress.nextIndex() - 1;
        effects.add(
                new Effect.Send(
                        peer,
                        new Message.AppendEntries(
                                hardState.term(),
                                prevIndex,
                                log.termAt(prevIndex),
                                entries,
                                commitIndex)));
        long sizeBytes = 0;
        for (Entry entry : entries) {
            sizeBytes += entry.sizeBytes();
        }
        progress.sent(prevIndex + entries.size(), sizeBytes, nowNanos);
    }

    private void appendAccepted(NodeId from, Message.AppendAccepted accepted) {
        Progress progress = progressOf(from);
        if (progress == null) {
            return;
        }
        if (accepted.matchIndex() > log.lastIndex()) {
            throw new IllegalStateException(
                    from
                            + " acknowledged index "
                            + accepted.matchIndex()
                            + ", but this leader's log ends at "
                            + log.lastIndex());
        }
        progress.heard(nowNanos);
        boolean wasSnapshot = progress.snapshot() != null;
        progress.accepted(accepted.matchIndex());
        if (wasSnapshot && progress.snapshot() == null) {
            deleteUnneededSnapshots();
        }
    }

    private void appendRejected(NodeId from, Message.AppendRejected rejected) {
        Progress progress = progressOf(from);
        if (progress == null) {
            return;
        }
        progress.heard(nowNanos);
        if (!progress.isStaleRejection(rejected.prevLogIndex())) {
            // Both sides skip whole terms: the follower has said where its own terms are old
            // enough, now the same here (§5.3).
            long hint = Math.min(rejected.hintIndex(), rejected.prevLogIndex() - 1);
            progress.probeFrom(log.lastIndexWithTermAtMost(hint, rejected.hintTerm()) + 1);
        }
    }

    private void startHeartbeatRound(Role.Leader leader) {
        leader.round++;
        leader.nextHeartbeatNanos = nowNanos + config.heartbeatNanos();
        if (config.leaseDriftPercent() != RaftConfig.NO_LEASE) {
            leader.unconfirmedRounds.addLast(new Role.Round(leader.round, nowNanos));
        }
        leader.progress.forEach(
                (peer, progress) ->
                        effects.add(
                                new Effect.Send(
                                        peer,
                                        new Message.Heartbeat(
                                                hardState.term(),
                                                Math.min(commitIndex, progress.matchIndex()),
                                                leader.round))));
        int readCount = leader.reads.size();
        for (int i = 0; i < readCount; i++) {
            Role.PendingRead read = leader.reads.removeFirst();
            leader.reads.addLast(read.round() == 0 ? read.inRound(leader.round) : read);
        }
        extendLease(leader);
    }

    private void heartbeatReply(NodeId from, Message.HeartbeatReply reply) {
        Progress progress = progressOf(from);
        if (progress == null || !(role instanceof Role.Leader leader)) {
            return;
        }
        progress.heard(nowNanos);
        progress.roundAcked(reply.round());
        extendLease(leader);
        boolean sending = progress.snapshot() != null;
        // A piece of a snapshot is large, and takes its time on the wire and on the disk.
        long patience = sending ? config.electionTimeoutNanos() : config.heartbeatNanos();
        boolean silent = nowNanos - progress.lastAppendNanos() >= patience;
        if (progress.matchIndex() < log.lastIndex() && silent) {
            progress.retryProbe();
            if (progress.state() == Progress.State.REPLICATE) {
                if (progress.nextIndex() <= log.baseIndex()) {
                    sendSnapshot(progress);
                    return;
                }
                // Were the newest messages lost, or is the follower only slow? An empty one tells:
                // it is either accepted
                // later, in order, or rejected now.
                sendAppend(from, progress, List.of());
            }
        }
    }

    /**
     * Null where this node does not lead, as a leader that stepped down stays in its term and still
     * gets answers, or where {@code peer} is no member, as one that was removed still answers.
     */
    private @Nullable Progress progressOf(NodeId peer) {
        return role instanceof Role.Leader leader ? leader.progress.get(peer) : null;
    }

    // ---- Membership (thesis §4) and transfer of leadership (thesis §3.10) ----

    /** One follower for each member. */
    private void followMembership(Role.Leader leader) {
        Configuration now = membership.latest();
        leader.progress.keySet().removeIf(id -> !now.contains(id));
        for (Configuration.Member member : now.members()) {
            if (!member.id().equals(config.self())) {
                leader.progress.computeIfAbsent(
                        member.id(), id -> new Progress(log.lastIndex() + 1, nowNanos));
            }
        }
    }

    private void changeMembership(long requestId, Change change) {
        if (!(role instanceof Role.Leader leader)) {
            effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, leader()));
        } else if (leader.transfer != null) {
            refuse(requestId, Refusal.CHANGE_IN_PROGRESS, "Leadership is being handed over.");
        } else if (commitIndex < leader.termStartIndex) {
            // The erratum to thesis §4.1: two leaders that each append a change to what an earlier
            // one left uncommitted could end with majorities that do not overlap.
            refuse(
                    requestId,
                    Refusal.NOT_POSSIBLE_NOW,
                    "The leader has not committed an entry of its term yet.");
        } else if (membership.latestIndex() > commitIndex || leader.catchUp != null) {
            refuse(
                    requestId,
                    Refusal.CHANGE_IN_PROGRESS,
                    "Another change of membership is under way.");
        } else {
            if (!(change instanceof Change.AddLearner)
                    && !membership.latest().contains(change.id())) {
                refuse(requestId, Refusal.NO_SUCH_MEMBER, change.id() + " is not a member.");
                return;
            }
            String objection = membership.objection(change);
            if (objection == null && !keepsQuorum(leader, membership.after(change))) {
                objection = "Too few of the remaining voters answer to decide anything.";
            }
            if (objection != null) {
                refuse(requestId, Refusal.NOT_POSSIBLE_NOW, objection);
            } else if (change instanceof Change.Promote(NodeId learner)) {
                leader.catchUp = new Role.CatchUp(requestId, learner, 1, log.lastIndex(), nowNanos);
            } else {
                appendConfiguration(leader, requestId, membership.after(change));
            }
        }
    }

    /** Whether a majority of the voters has answered lately; a learner counts that is to vote. */
    private boolean keepsQuorum(Role.Leader leader, Configuration after) {
        List<NodeId> voters = after.voters();
        long answering =
                voters.stream()
                        .filter(
                                id -> {
                                    Progress peer = leader.progress.get(id);
                                    return id.equals(config.self())
                                            || (peer != null
                                                    && nowNanos - peer.lastAckNanos()
                                                            < 2 * config.electionTimeoutNanos());
                                })
                        .count();
        return answering >= Quorum.size(voters.size());
    }

    private void appendConfiguration(Role.Leader leader, long requestId, Configuration next) {
        Entry entry = append(leader, Entry.Kind.CONFIGURATION, next.encode());
        leader.commands.put(entry.index(), new Role.PendingCommand(entry.term(), requestId));
    }

    /** Thesis §4.2.1: a learner votes once it needed less than an election timeout for a round. */
    private void continueCatchUp(Role.Leader leader) {
        Role.CatchUp catchUp = leader.catchUp;
        Progress progress = catchUp == null ? null : leader.progress.get(catchUp.learner());
        if (catchUp == null || progress == null || progress.matchIndex() < catchUp.targetIndex()) {
            return;
        }
        if (nowNanos - catchUp.roundStartNanos() < config.electionTimeoutNanos()) {
            leader.catchUp = null;
            Change promotion = new Change.Promote(catchUp.learner());
            appendConfiguration(leader, catchUp.requestId(), membership.after(promotion));
        } else if (catchUp.round() == CATCH_UP_ROUNDS_MAX) {
            giveUpCatchUp(leader, catchUp);
        } else {
            leader.catchUp =
                    new Role.CatchUp(
                            catchUp.requestId(),
                            catchUp.learner(),
                            catchUp.round() + 1,
                            log.lastIndex(),
                            nowNanos);
        }
    }

    private void giveUpCatchUp(Role.Leader leader, Role.CatchUp catchUp) {
        leader.catchUp = null;
        refuse(
                catchUp.requestId(),
                Refusal.NOT_POSSIBLE_NOW,
                catchUp.learner() + " does not catch up; it stays a learner.");
    }

    /** The leader that has removed itself leads until that is committed (thesis §4.2.2). */
    private void leaveIfRemoved(Role.Leader leader) {
        if (!membership.isVoter(config.self()) && membership.latestIndex() <= commitIndex) {
            handOver(leader, "it is no voter any more");
        }
    }

    /** Steps down, and spares the others the wait. */
    private void handOver(Role.Leader leader, String reason) {
        NodeId successor = furthestVoter(leader);
        if (successor != null) {
            effects.add(new Effect.Send(successor, new Message.TimeoutNow(hardState.term())));
        }
        becomeFollower(hardState.term(), null, reason);
    }

    /** Of those that answer, the voter whose log is longest; null if none does. */
    private @Nullable NodeId furthestVoter(Role.Leader leader) {
        NodeId furthest = null;
        long matchIndex = -1;
        for (Map.Entry<NodeId, Progress> peer : leader.progress.entrySet()) {
            Progress progress = peer.getValue();
            boolean answers =
                    nowNanos - progress.lastAckNanos() < 2 * config.electionTimeoutNanos();
            if (answers
                    && membership.isVoter(peer.getKey())
                    && progress.matchIndex() > matchIndex) {
                furthest = peer.getKey();
                matchIndex = progress.matchIndex();
            }
        }
        return furthest;
    }

    private void transferLeadership(long requestId, @Nullable NodeId to) {
        if (!(role instanceof Role.Leader leader)) {
            effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, leader()));
            return;
        }
        NodeId target = to == null ? furthestVoter(leader) : to;
        if (leader.transfer != null) {
            refuse(
                    requestId,
                    Refusal.CHANGE_IN_PROGRESS,
                    "Leadership is being handed over already.");
        } else if (target == null) {
            refuse(requestId, Refusal.NOT_POSSIBLE_NOW, "There is no other voter that answers.");
        } else if (!membership.isVoter(target)) {
            refuse(
                    requestId,
                    membership.latest().contains(target)
                            ? Refusal.NOT_POSSIBLE_NOW
                            : Refusal.NO_SUCH_MEMBER,
                    target + " is no voter.");
        } else if (target.equals(config.self())) {
            effects.add(new Effect.Done(requestId));
        } else {
            long deadline = nowNanos + config.electionTimeoutNanos();
            leader.transfer = new Role.Transfer(requestId, target, deadline, false);
        }
    }

    /** Once its log is as long as this one, the target is told to stand. */
    private void continueTransfer(Role.Leader leader) {
        Role.Transfer transfer = leader.transfer;
        Progress progress = transfer == null ? null : leader.progress.get(transfer.target());
        if (transfer != null
                && progress != null
                && !transfer.asked()
                && progress.matchIndex() == log.lastIndex()) {
            // A late copy of the message may make the target stand much later: no lease any more.
            leader.leaseRevoked = true;
            leader.transfer =
                    new Role.Transfer(
                            transfer.requestId(),
                            transfer.target(),
                            transfer.deadlineNanos(),
                            true);
            effects.add(
                    new Effect.Send(transfer.target(), new Message.TimeoutNow(hardState.term())));
        }
    }

    /** A transfer that has not come about in an election timeout will not (thesis §3.10). */
    private void endOverdueRequests(Role.Leader leader) {
        Role.Transfer transfer = leader.transfer;
        if (transfer != null && nowNanos >= transfer.deadlineNanos()) {
            leader.transfer = null;
            String detail = transfer.target() + " did not take over within an election timeout.";
            if (transfer.asked()) {
                effects.add(new Effect.GiveUp(transfer.requestId(), detail));
            } else {
                refuse(transfer.requestId(), Refusal.NOT_POSSIBLE_NOW, detail);
            }
        }
        Role.CatchUp catchUp = leader.catchUp;
        long patience = CATCH_UP_TIMEOUTS * config.electionTimeoutNanos();
        if (catchUp != null && nowNanos - catchUp.roundStartNanos() >= patience) {
            giveUpCatchUp(leader, catchUp);
        }
    }

    // ---- Applying and answering ----

    private void applyCommitted() {
        while (appliedIndex < commitIndex) {
            appliedIndex++;
            Entry entry = log.entry(appliedIndex);
            effects.add(new Effect.Apply(entry, takeRequest(entry)));
            snapshots.applied(entry);
        }
        membership.committed(commitIndex);
    }

    /** The request that waits for exactly this entry, by index and term; 0 if none does. */
    private long takeRequest(Entry entry) {
        if (!(role instanceof Role.Leader leader)) {
            return 0;
        }
        if (entry.term() == hardState.term()) {
            leader.uncommittedBytes -= entry.sizeBytes();
        }
        Role.PendingCommand command = leader.commands.remove(entry.index());
        if (command == null) {
            return 0;
        }
        if (command.term() != entry.term()) {
            effects.add(new Effect.GiveUp(command.requestId(), "another entry took its place"));
            return 0;
        }
        return command.requestId();
    }

    private void serveReads(Role.Leader leader) {
        long confirmed = confirmedRound(leader);
        while (!leader.reads.isEmpty()) {
            Role.PendingRead read = leader.reads.getFirst();
            if (read.round() == 0 || read.round() > confirmed || read.readIndex() > appliedIndex) {
                return;
            }
            leader.reads.removeFirst();
            NodeId from = read.from();
            if (from == null) {
                effects.add(new Effect.ServeRead(read.requestId(), read.readIndex()));
            } else {
                effects.add(
                        new Effect.Send(
                                from,
                                new Message.ReadIndexReply(
                                        hardState.term(), read.requestId(), read.readIndex())));
            }
        }
    }

    /**
     * The newest heartbeat round that a majority has answered; the leader itself is always in the
     * newest.
     */
    private long confirmedRound(Role.Leader leader) {
        return reachedByMajority(leader, leader.round, Progress::ackedRound);
    }

    private static boolean hasReadWithoutRound(Role.Leader leader) {
        return !leader.reads.isEmpty() && leader.reads.getLast().round() == 0;
    }

    // ---- What it knows, for status, traces and tests ----

    public RoleName role() {
        return role.name();
    }

    public long term() {
        return hardState.term();
    }

    public @Nullable NodeId votedFor() {
        return hardState.votedFor();
    }

    /** Whom this node takes for the leader of its term, itself included. */
    public @Nullable NodeId leader() {
        return switch (role) {
            case Role.Leader ignored -> config.self();
            case Role.Follower follower -> follower.leader;
            case Role.PreCandidate ignored -> null;
            case Role.Candidate ignored -> null;
        };
    }

    public long commitIndex() {
        return commitIndex;
    }

    public long appliedIndex() {
        return appliedIndex;
    }

    public long lastIndex() {
        return log.lastIndex();
    }

    /** Index of the first entry that is still in the log, or would be next. */
    public long firstIndex() {
        return log.baseIndex() + 1;
    }

    /** The newest snapshot on the disk; null while there is none. */
    public @Nullable Snapshot snapshot() {
        return snapshots.newest();
    }

    /** The members as this node knows them; in force, though perhaps not committed yet. */
    public Configuration configuration() {
        return membership.latest();
    }

    /** Where {@link #configuration} stands in the log; 0 for what the cluster began with. */
    public long configurationIndex() {
        return membership.latestIndex();
    }

    /** The newest members that are known to be committed. */
    public Configuration committedConfiguration() {
        return membership.committed();
    }

    /** Bytes of all entries in memory. */
    public long logBytes() {
        return log.sizeBytes();
    }

    /**
     * Entries from {@code fromIndex} on, {@code countMax} at most, as far as they are still in the
     * log.
     */
    public List<Entry> entries(long fromIndex, int countMax) {
        List<Entry> found = new ArrayList<>();
        long first = Math.max(fromIndex, firstIndex());
        for (long index = first; index <= log.lastIndex() && found.size() < countMax; index++) {
            found.add(log.entry(index));
        }
        return found;
    }

    /**
     * When the leader was last heard, on the clock given to {@link #step}; of a leader itself, when
     * a majority was. Meaningless while no leader is known.
     */
    public long leaderContactNanos() {
        return switch (role) {
            case Role.Leader leader -> reachedByMajority(leader, nowNanos, Progress::lastAckNanos);
            case Role.Follower follower -> follower.leaderContactNanos;
            case Role.PreCandidate ignored -> 0;
            case Role.Candidate ignored -> 0;
        };
    }

    public long lastTerm() {
        return log.lastTerm();
    }

    /** Greatest index up to which this node's log is on its disk. */
    public long durableIndex() {
        return durability.durableIndex();
    }

    /** A leader's view of its followers, by name; empty for other roles. */
    public List<PeerView> peerViews() {
        if (!(role instanceof Role.Leader leader)) {
            return List.of();
        }
        return leader.progress.entrySet().stream().map(PeerView::of).toList();
    }

    /** For {@link Invariants}; empty for other roles. */
    Map<NodeId, Progress> followers() {
        return role instanceof Role.Leader leader ? leader.progress : Collections.emptyMap();
    }

    Membership membership() {
        return membership;
    }

    /** Where the leader's term began in the log; beyond everything for other roles. */
    long termStartIndex() {
        return role instanceof Role.Leader leader ? leader.termStartIndex : Long.MAX_VALUE;
    }

    /**
     * @param state "probe", "replicate" or "snapshot"
     * @param inflightCount AppendEntries sent and not acknowledged
     * @param lastAckNanos when it last answered, on the clock given to {@link #step}
     */
    public record PeerView(
            NodeId id,
            String state,
            long matchIndex,
            long nextIndex,
            int inflightCount,
            long lastAckNanos) {
        private static PeerView of(Map.Entry<NodeId, Progress> peer) {
            Progress progress = peer.getValue();
            return new PeerView(
                    peer.getKey(),
                    switch (progress.state()) {
                        case PROBE -> "probe";
                        case REPLICATE -> "replicate";
                        case SNAPSHOT -> "snapshot";
                    },
                    progress.matchIndex(),
                    progress.nextIndex(),
                    progress.inflightCount(),
                    progress.lastAckNanos());
        }
    }
}
