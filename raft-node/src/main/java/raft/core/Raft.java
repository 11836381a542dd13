package raft.core;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.Refusal;
import raft.core.Effect.RoleName;

import java.util.ArrayList;
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
 * by a heartbeat round (thesis §6.4).
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
    private final RaftConfig config;
    private final List<NodeId> peers;
    private final int quorumSize;
    private final Invariants invariants = new Invariants();

    // Figure 2, persistent state. hardState changes only in saveHardState.
    private LogWrite.HardState hardState;
    private final RaftLog log;

    // Figure 2, volatile state.
    private long commitIndex;
    private long appliedIndex;
    private Role role;

    // The driver's view of time, and what this node waits for on it.
    private long nowNanos;
    private long electionDeadlineNanos;
    private long electionTimeoutsDrawn;

    private final Durability durability;
    private List<Effect> effects = new ArrayList<>();

    /**
     * A node as it comes up: a follower of nobody, with what its storage recovered.
     *
     * @param nowNanos the clock that {@link #step} will go on with
     */
    public Raft(RaftConfig config, Recovered recovered, long nowNanos) {
        this.config = config;
        this.peers =
                config.voters().stream().filter(voter -> !voter.equals(config.self())).toList();
        this.quorumSize = Quorum.size(config.voters().size());
        this.hardState = recovered.hardState();
        this.log = new RaftLog(recovered.entries());
        if (log.lastTerm() > hardState.term()) {
            throw new IllegalStateException(
                    "recovered an entry of term "
                            + log.lastTerm()
                            + " but only term "
                            + hardState.term());
        }
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
                case Event.Read(long requestId) -> read(requestId);
            }
        }
        if (role instanceof Role.Leader leader) {
            lead(leader);
        }
        durability.issue(effects);
        durability.release(hardState.term(), effects);
        applyCommitted();
        if (role instanceof Role.Leader leader) {
            serveReads(leader);
        }
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
                } else {
                    startHeartbeatRound(leader);
                }
            }
            case Role.Follower ignored -> becomePreCandidate("election timeout without a leader");
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
        long contact = Quorum.reachedByMajority(leader.perVoter(nowNanos, Progress::lastAckNanos));
        return nowNanos - contact >= 2 * config.electionTimeoutNanos();
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
        for (NodeId peer : peers) {
            durability.sendAfterHardState(
                    peer,
                    new Message.PreVoteRequest(
                            hardState.term(), prospectiveTerm, log.lastIndex(), log.lastTerm()));
        }
        if (candidacy.granted.size() >= quorumSize) {
            becomeCandidate();
        }
    }

    private void becomeCandidate() {
        saveHardState(hardState.term() + 1, config.self());
        setRole(new Role.Candidate(), "a majority would vote for this node");
        drawElectionDeadline();
        // The request tells others that this node has voted for itself, so it waits until that
        // would survive a crash.
        for (NodeId peer : peers) {
            durability.sendAfterHardState(
                    peer,
                    new Message.VoteRequest(hardState.term(), log.lastIndex(), log.lastTerm()));
        }
    }

    private void becomeLeader() {
        Role.Leader leader = new Role.Leader(log.lastIndex() + 1);
        for (NodeId peer : peers) {
            leader.progress.put(peer, new Progress(log.lastIndex() + 1, nowNanos));
        }
        setRole(leader, "a majority voted for this node");
        // §8: a leader learns what is committed by committing an entry of its own term.
        append(leader, Entry.Kind.NOOP, Bytes.EMPTY);
        startHeartbeatRound(leader);
    }

    private void setRole(Role next, String reason) {
        RoleName from = role.name();
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
            effects.add(new Effect.Refuse(read.requestId(), Refusal.NOT_LEADER, successor));
        }
    }

    private void saveHardState(long term, @Nullable NodeId votedFor) {
        hardState = new LogWrite.HardState(term, votedFor);
        durability.writeHardState(hardState);
    }

    // ---- Messages ----

    private void receive(NodeId from, Message message) {
        if (!peers.contains(from) || isDisruptive(message)) {
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
        }
    }

    /**
     * Thesis §4.2.3: who asks for votes while a leader is alive is not even allowed to raise the
     * term.
     */
    private boolean isDisruptive(Message message) {
        return switch (message) {
            case Message.PreVoteRequest ignored -> leaderIsAlive();
            case Message.VoteRequest ignored -> leaderIsAlive();
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
            if (candidacy.granted.size() >= quorumSize) {
                becomeCandidate();
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
        if (candidacy.granted.size() >= quorumSize) {
            becomeLeader();
        }
    }

    private void persisted(long ticket) {
        durability.persisted(ticket);
        if (role instanceof Role.Candidate candidacy
                && durability.isHardStateDurable()
                && candidacy.granted.add(config.self())) {
            countVotes(candidacy);
        }
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

    private void appendEntries(NodeId from, Message.AppendEntries append) {
        followLeader(from);
        long prevIndex = append.prevLogIndex();
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
            }
            missing.forEach(log::append);
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

    // ---- Leaders (§5.3, §5.4.2, thesis §6.4) ----

    private void propose(long requestId, Bytes command) {
        if (!(role instanceof Role.Leader leader)) {
            effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, leader()));
        } else if (leader.uncommittedBytes > 0
                && leader.uncommittedBytes + command.sizeBytes() > config.uncommittedBytesMax()) {
            effects.add(new Effect.Refuse(requestId, Refusal.BUSY, config.self()));
        } else {
            Entry entry = append(leader, Entry.Kind.COMMAND, command);
            leader.commands.put(entry.index(), new Role.PendingCommand(entry.term(), requestId));
        }
    }

    private Entry append(Role.Leader leader, Entry.Kind kind, Bytes payload) {
        Entry entry = new Entry(log.lastIndex() + 1, hardState.term(), kind, payload);
        log.append(entry);
        durability.writeEntries(List.of(entry));
        leader.uncommittedBytes += entry.sizeBytes();
        return entry;
    }

    private void read(long requestId) {
        if (role instanceof Role.Leader leader) {
            // Before its first own entry commits, a leader does not know what is committed (§8), so
            // it waits at least for that.
            long readIndex = Math.max(commitIndex, leader.termStartIndex);
            leader.reads.addLast(new Role.PendingRead(requestId, readIndex, 0));
        } else {
            effects.add(new Effect.Refuse(requestId, Refusal.NOT_LEADER, leader()));
        }
    }

    /** Once a step, after all its events: what they add up to. */
    private void lead(Role.Leader leader) {
        advanceCommit(leader);
        // One round at a time: reads that come while it runs share the next.
        if (hasReadWithoutRound(leader) && confirmedRound(leader) == leader.round) {
            startHeartbeatRound(leader);
        }
        leader.progress.forEach((peer, progress) -> replicate(peer, progress));
    }

    /**
     * §5.4.2: the greatest index that a majority holds durably, and only if it is of this term;
     * entries of earlier terms are committed by what follows them (Figure 8). The leader counts
     * itself like the others, by what is on its disk.
     */
    private void advanceCommit(Role.Leader leader) {
        long index =
                Quorum.reachedByMajority(
                        leader.perVoter(durability.durableIndex(), Progress::matchIndex));
        if (index > commitIndex && log.termAt(index) == hardState.term()) {
            commitIndex = index;
        }
    }

    private void replicate(NodeId peer, Progress progress) {
        while (progress.nextIndex() <= log.lastIndex()
                && progress.maySend(config.inflightAppendsMax())) {
            sendAppend(peer, progress, log.slice(progress.nextIndex(), config.appendBytesMax()));
            if (progress.state() == Progress.State.PROBE) {
                break;
            }
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
        progress.sent(prevIndex + entries.size(), nowNanos);
    }

    private void appendAccepted(NodeId from, Message.AppendAccepted accepted) {
        if (!(role instanceof Role.Leader leader)) {
            return; // A leader that stepped down stays in its term and still gets answers.
        }
        if (accepted.matchIndex() > log.lastIndex()) {
            throw new IllegalStateException(
                    from
                            + " acknowledged index "
                            + accepted.matchIndex()
                            + ", but this leader's log ends at "
                            + log.lastIndex());
        }
        Progress progress = progressOf(leader, from);
        progress.heard(nowNanos);
        progress.accepted(accepted.matchIndex());
    }

    private void appendRejected(NodeId from, Message.AppendRejected rejected) {
        if (!(role instanceof Role.Leader leader)) {
            return;
        }
        Progress progress = progressOf(leader, from);
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
    }

    private void heartbeatReply(NodeId from, Message.HeartbeatReply reply) {
        if (!(role instanceof Role.Leader leader)) {
            return;
        }
        Progress progress = progressOf(leader, from);
        progress.heard(nowNanos);
        progress.roundAcked(reply.round());
        boolean silent = nowNanos - progress.lastAppendNanos() >= config.heartbeatNanos();
        if (progress.matchIndex() < log.lastIndex() && silent) {
            progress.retryProbe();
            if (progress.state() == Progress.State.REPLICATE) {
                // Were the newest messages lost, or is the follower only slow? An empty one tells:
                // it is either accepted
                // later, in order, or rejected now.
                sendAppend(from, progress, List.of());
            }
        }
    }

    private static Progress progressOf(Role.Leader leader, NodeId peer) {
        Progress progress = leader.progress.get(peer);
        if (progress == null) {
            throw new IllegalStateException("no progress is kept for " + peer);
        }
        return progress;
    }

    // ---- Applying and answering ----

    private void applyCommitted() {
        while (appliedIndex < commitIndex) {
            appliedIndex++;
            Entry entry = log.entry(appliedIndex);
            effects.add(new Effect.Apply(entry, takeRequest(entry)));
        }
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
            effects.add(new Effect.ServeRead(read.requestId(), read.readIndex()));
        }
    }

    /**
     * The newest heartbeat round that a majority has answered; the leader itself is always in the
     * newest.
     */
    private long confirmedRound(Role.Leader leader) {
        return Quorum.reachedByMajority(leader.perVoter(leader.round, Progress::ackedRound));
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

    /**
     * @param state "probe" or "replicate"
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
                    progress.state() == Progress.State.PROBE ? "probe" : "replicate",
                    progress.matchIndex(),
                    progress.nextIndex(),
                    progress.inflightCount(),
                    progress.lastAckNanos());
        }
    }
}
