package raft.core;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.RoleName;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

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
 * <p>This class owns that order, the rule of terms (§5.1) and who gets which event. Each section's
 * rules stand in a class of their own: {@link Transitions} and {@link Elections} (§5.2, §5.4.1),
 * {@link Following} and {@link Replication} (§5.3, §5.4.2), {@link Heartbeats} and {@link Reads}
 * (§8, thesis §6.4), {@link Compaction} (§7), {@link Reconfiguration} (thesis §4), {@link Handover}
 * (thesis §3.10). They share one {@link State}, and none knows this class.
 *
 * <p>Any {@link IllegalStateException} is a bug or a broken promise of a peer or of the disk; the
 * node must stop.
 */
public final class Raft {
    private final State state;
    private final ElectionTimer electionTimer;
    private final Heartbeats heartbeats;
    private final Transitions transitions;
    private final Elections elections;
    private final Compaction compaction;
    private final Following following;
    private final Replication replication;
    private final Reads reads;
    private final Handover handover;
    private final Reconfiguration reconfiguration;
    private final Invariants invariants = new Invariants();

    /**
     * A node as it comes up: a follower of nobody, with what its storage recovered.
     *
     * @param nowNanos the clock that {@link #step} will go on with
     */
    public Raft(RaftConfig config, Recovered recovered, long nowNanos) {
        boolean mayOweALease =
                config.leaseDriftPercent() != RaftConfig.NO_LEASE && !recovered.isEmpty();
        long votingFromNanos = nowNanos + (mayOweALease ? config.electionTimeoutNanos() : 0);
        this.state = new State(config, recovered, nowNanos);
        this.electionTimer = new ElectionTimer(config, nowNanos);
        this.heartbeats = new Heartbeats(state);
        this.transitions = new Transitions(state, electionTimer, heartbeats);
        this.elections = new Elections(state, electionTimer, transitions, votingFromNanos);
        this.compaction = new Compaction(state, transitions);
        this.following = new Following(state, transitions);
        this.replication = new Replication(state, heartbeats, compaction);
        this.reads = new Reads(state, heartbeats);
        this.handover = new Handover(state, transitions);
        this.reconfiguration = new Reconfiguration(state, handover);
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
        state.nowNanos(nowNanos);
        for (Event event : events) {
            switch (event) {
                case Event.Timer() -> timer();
                case Event.Receive(NodeId from, Message message) -> receive(from, message);
                case Event.Persisted(long ticket) -> elections.persisted(ticket);
                case Event.Propose(long requestId, Bytes command) ->
                        replication.propose(requestId, command);
                case Event.Read(long requestId, boolean lease) -> reads.read(requestId, lease);
                case Event.ChangeMembership(long requestId, Change change) ->
                        reconfiguration.changeMembership(requestId, change);
                case Event.TransferLeadership(long requestId, NodeId to) ->
                        handover.transferLeadership(requestId, to);
                case Event.StartElection(long requestId) -> elections.startElection(requestId);
                case Event.TakeSnapshot(long requestId) -> state.snapshots.request(requestId);
                case Event.SnapshotSaved(Snapshot snapshot) -> compaction.snapshotSaved(snapshot);
                case Event.SnapshotReceived(Snapshot snapshot) ->
                        compaction.snapshotReceived(snapshot);
                case Event.SnapshotSpoilt(long index, long term) ->
                        compaction.snapshotSpoilt(index, term);
            }
        }
        switch (state.role()) {
            case Role.Leader leader -> lead(leader);
            case Role.Follower follower -> reads.askForReads(follower);
            case Role.PreCandidate ignored -> {}
            case Role.Candidate ignored -> {}
        }
        state.emitDurable();
        applyCommitted();
        switch (state.role()) {
            case Role.Leader leader -> {
                reads.serveReads(leader);
                reconfiguration.leaveIfRemoved(leader);
            }
            case Role.Follower follower -> reads.serveReads(follower);
            case Role.PreCandidate ignored -> {}
            case Role.Candidate ignored -> {}
        }
        compaction.considerSnapshot();
        invariants.check(this);
        return state.takeEffects();
    }

    /** When {@link Event.Timer} is wanted next, on the clock given to {@link #step}. */
    public long deadlineNanos() {
        return state.role() instanceof Role.Leader leader
                ? leader.nextHeartbeatNanos
                : electionTimer.deadlineNanos();
    }

    // ---- Time ----

    private void timer() {
        if (state.nowNanos() < deadlineNanos()) {
            return;
        }
        switch (state.role()) {
            case Role.Leader leader -> {
                if (heartbeats.quorumContactIsLost(leader)) {
                    state.tally.count(Tally.Kind.STEP_DOWN_NO_QUORUM);
                    transitions.becomeFollower(
                            state.term(), null, "no quorum answered for two election timeouts");
                } else if (diskIsStalled()) {
                    state.tally.count(Tally.Kind.STEP_DOWN_DISK_STALLED);
                    handover.handOver(leader, "its disk was silent for an election timeout");
                } else {
                    handover.endOverdue(leader);
                    reconfiguration.endOverdue(leader);
                    heartbeats.startHeartbeatRound(leader);
                }
            }
            case Role.Follower ignored -> stand("election timeout without a leader");
            case Role.PreCandidate ignored -> stand("pre-vote without a majority");
            case Role.Candidate ignored -> stand("election without a winner");
        }
    }

    /** Also for the second time: a snapshot may have come meanwhile that says it is no voter. */
    private void stand(String reason) {
        if (elections.mayStand()) {
            transitions.becomePreCandidate(reason);
        } else {
            elections.waitForLeader();
        }
    }

    /**
     * A leader whose writes do not come back answers nobody, while its heartbeats keep everybody
     * from electing one that would. Alone it has nobody to leave this to.
     */
    private boolean diskIsStalled() {
        return state.membership.voters().size() > 1
                && state.durability.silentNanos(state.nowNanos())
                        >= state.config.electionTimeoutNanos();
    }

    // ---- Messages ----

    private void receive(NodeId from, Message message) {
        // Members and strangers alike: who leads or stands may have been added by an entry that
        // this node does not have yet (thesis §4.2.2).
        if (elections.isDisruptive(message)) {
            elections.countDisruptive();
            if (message instanceof Message.PreVoteRequest request) {
                reconfiguration.tellRemoved(from, request);
            }
            return;
        }
        // §5.1, for every message and every role: a higher term makes a follower, a lower one is
        // answered with the current term.
        if (message.term() > state.term()) {
            if (state.role() instanceof Role.Leader) {
                state.tally.count(Tally.Kind.STEP_DOWN_HIGHER_TERM);
            }
            transitions.becomeFollower(
                    message.term(), null, "saw term " + message.term() + " of " + from);
        } else if (message.term() < state.term()) {
            refuseOldTerm(from, message);
            return;
        }
        switch (message) {
            case Message.PreVoteRequest request -> elections.preVoteRequest(from, request);
            case Message.PreVoteReply reply -> elections.preVoteReply(from, reply);
            case Message.VoteRequest request -> elections.voteRequest(from, request);
            case Message.VoteReply reply -> elections.voteReply(from, reply);
            case Message.AppendEntries append -> following.appendEntries(from, append);
            case Message.AppendAccepted accepted -> replication.appendAccepted(from, accepted);
            case Message.AppendRejected rejected -> replication.appendRejected(from, rejected);
            case Message.Heartbeat heartbeat -> {
                following.heartbeat(from, heartbeat);
                reads.askAgainIfOverdue(from);
            }
            case Message.HeartbeatReply reply -> replication.heartbeatReply(from, reply);
            case Message.InstallSnapshot piece -> compaction.installSnapshot(from, piece);
            case Message.SnapshotReply reply -> compaction.snapshotReply(from, reply);
            case Message.TimeoutNow ignored -> elections.timeoutNow(from);
            case Message.ReadIndexRequest(long ignored, long token) ->
                    reads.readIndexRequest(from, token);
            case Message.ReadIndexReply reply -> reads.readIndexReply(from, reply);
        }
    }

    private void refuseOldTerm(NodeId from, Message message) {
        long term = state.term();
        if (message instanceof Message.PreVoteRequest || message instanceof Message.VoteRequest) {
            state.tally.count(Tally.Kind.VOTE_REFUSED_OLD_TERM);
        }
        switch (message) {
            case Message.PreVoteRequest request ->
                    state.durability.sendAfterHardState(
                            from, new Message.PreVoteReply(term, request.prospectiveTerm(), false));
            case Message.VoteRequest ignored ->
                    state.durability.sendAfterHardState(from, new Message.VoteReply(term, false));
            case Message.AppendEntries append ->
                    state.durability.sendAfterHardState(
                            from, new Message.AppendRejected(term, append.prevLogIndex(), 0, 0));
            // Never the round: it was counted in the old term. A sender that leads the current term
            // by now would take this reply for one to a round that it has not even begun, and serve
            // reads that no quorum confirmed.
            case Message.Heartbeat ignored ->
                    state.durability.sendAfterHardState(
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

    // ---- What a step ends with ----

    /** Once a step, after all its events: what they add up to. */
    private void lead(Role.Leader leader) {
        replication.advanceCommit(leader);
        reconfiguration.continueCatchUp(leader);
        handover.continueTransfer(leader);
        // One round at a time: reads that come while it runs share the next.
        if (Reads.hasReadWithoutRound(leader)
                && heartbeats.confirmedRound(leader) == leader.round) {
            heartbeats.startHeartbeatRound(leader);
        }
        leader.progress.forEach(replication::replicate);
    }

    private void applyCommitted() {
        while (state.appliedIndex() < state.commitIndex()) {
            state.appliedIndex(state.appliedIndex() + 1);
            Entry entry = state.log.entry(state.appliedIndex());
            state.emit(new Effect.Apply(entry, takeRequest(entry)));
            state.snapshots.applied(entry);
        }
        state.membership.committed(state.commitIndex());
    }

    /** The request that waits for exactly this entry, by index and term; 0 if none does. */
    private long takeRequest(Entry entry) {
        if (!(state.role() instanceof Role.Leader leader)) {
            return 0;
        }
        if (entry.term() == state.term()) {
            leader.uncommittedBytes -= entry.sizeBytes();
        }
        Role.PendingCommand command = leader.commands.remove(entry.index());
        if (command == null) {
            return 0;
        }
        if (command.term() != entry.term()) {
            state.emit(new Effect.GiveUp(command.requestId(), "another entry took its place"));
            return 0;
        }
        return command.requestId();
    }

    // ---- What it knows, for status, traces and tests ----

    /**
     * Whether a read could be served by a lease at that moment, if nothing else happens before it:
     * nobody else may lead then.
     *
     * @param nowNanos on the clock given to {@link #step}
     */
    public boolean holdsLease(long nowNanos) {
        return state.role() instanceof Role.Leader leader
                && heartbeats.leaseHolds(leader)
                && nowNanos < leader.leaseEndNanos;
    }

    public RoleName role() {
        return state.role().name();
    }

    public long term() {
        return state.term();
    }

    public @Nullable NodeId votedFor() {
        return state.votedFor();
    }

    /** Whom this node takes for the leader of its term, itself included. */
    public @Nullable NodeId leader() {
        return state.leader();
    }

    public long commitIndex() {
        return state.commitIndex();
    }

    public long appliedIndex() {
        return state.appliedIndex();
    }

    public long lastIndex() {
        return state.log.lastIndex();
    }

    /** Index of the first entry that is still in the log, or would be next. */
    public long firstIndex() {
        return state.log.baseIndex() + 1;
    }

    /** The newest snapshot on the disk; null while there is none. */
    public @Nullable Snapshot snapshot() {
        return state.snapshots.newest();
    }

    /** The members as this node knows them; in force, though perhaps not committed yet. */
    public Configuration configuration() {
        return state.membership.latest();
    }

    /** Where {@link #configuration} stands in the log; 0 for what the cluster began with. */
    public long configurationIndex() {
        return state.membership.latestIndex();
    }

    /** The newest members that are known to be committed. */
    public Configuration committedConfiguration() {
        return state.membership.committed();
    }

    /** Bytes of all entries in memory. */
    public long logBytes() {
        return state.log.sizeBytes();
    }

    /**
     * Entries from {@code fromIndex} on, {@code countMax} at most, as far as they are still in the
     * log.
     */
    public List<Entry> entries(long fromIndex, int countMax) {
        List<Entry> found = new ArrayList<>();
        long first = Math.max(fromIndex, firstIndex());
        for (long index = first;
                index <= state.log.lastIndex() && found.size() < countMax;
                index++) {
            found.add(state.log.entry(index));
        }
        return found;
    }

    /**
     * When the leader was last heard, on the clock given to {@link #step}; of a leader itself, when
     * a majority was. Meaningless while no leader is known.
     */
    public long leaderContactNanos() {
        return switch (state.role()) {
            case Role.Leader leader ->
                    state.reachedByMajority(leader, state.nowNanos(), Progress::lastAckNanos);
            case Role.Follower follower -> follower.leaderContactNanos;
            case Role.PreCandidate ignored -> 0;
            case Role.Candidate ignored -> 0;
        };
    }

    public long lastTerm() {
        return state.log.lastTerm();
    }

    /** Greatest index up to which this node's log is on its disk. */
    public long durableIndex() {
        return state.durability.durableIndex();
    }

    /** A leader's view of its followers, by name; empty for other roles. */
    public List<PeerView> peerViews() {
        if (!(state.role() instanceof Role.Leader leader)) {
            return List.of();
        }
        List<PeerView> views = new ArrayList<>(leader.progress.size());
        leader.progress.forEach((id, progress) -> views.add(PeerView.of(id, progress)));
        return Collections.unmodifiableList(views);
    }

    /** Of the entries behind an index that are in the log; takes as long as they are many. */
    public long bytesBehind(long index) {
        return state.log.bytesBehind(index);
    }

    /** Decisions that leave no other trace. */
    public Tally tally() {
        return state.tally;
    }

    /** Where that stands in the log; 0 for what the cluster began with. */
    public long committedConfigurationIndex() {
        return state.membership.committedIndex();
    }

    /** For {@link Invariants}; empty for other roles. */
    Map<NodeId, Progress> followers() {
        return state.role() instanceof Role.Leader leader
                ? leader.progress
                : Collections.emptyMap();
    }

    Membership membership() {
        return state.membership;
    }

    /** Where the leader's term began in the log; beyond everything for other roles. */
    long termStartIndex() {
        return state.role() instanceof Role.Leader leader ? leader.termStartIndex : Long.MAX_VALUE;
    }

    /**
     * @param state "probe", "replicate" or "snapshot"
     * @param inflightCount AppendEntries sent and not acknowledged
     * @param inflightBytes their entries' bytes
     * @param lastSendNanos when entries or a piece of a snapshot were last sent, on the clock given
     *     to {@link #step}; 0 before that
     * @param lastAckNanos when it last answered, likewise
     */
    public record PeerView(
            NodeId id,
            String state,
            long matchIndex,
            long nextIndex,
            int inflightCount,
            long inflightBytes,
            long lastSendNanos,
            long lastAckNanos) {
        private static PeerView of(NodeId id, Progress progress) {
            return new PeerView(
                    id,
                    switch (progress.state()) {
                        case PROBE -> "probe";
                        case REPLICATE -> "replicate";
                        case SNAPSHOT -> "snapshot";
                    },
                    progress.matchIndex(),
                    progress.nextIndex(),
                    progress.inflightCount(),
                    progress.inflightBytes(),
                    progress.lastAppendNanos(),
                    progress.lastAckNanos());
        }
    }
}
