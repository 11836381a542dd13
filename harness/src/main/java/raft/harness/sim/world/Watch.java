package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.core.Bytes;
import raft.core.Configuration;
import raft.core.Effect;
import raft.core.Effect.RoleName;
import raft.core.Entry;
import raft.core.Event;
import raft.core.LogWrite;
import raft.core.Message;
import raft.core.NodeId;
import raft.core.Raft;
import raft.core.Recovered;
import raft.core.Snapshot;
import raft.harness.sim.Sometimes;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * What must hold over all nodes together, looked at with every effect of every step. Each rule is
 * one method's worth, named by its section. It compares what nodes claim with what the simulator
 * knows: writes that really are durable, entries that really are on a quorum.
 */
final class Watch {
    /**
     * A leader must have noticed the loss of its quorum after so many election timeouts: two it
     * waits by itself, the rest is for the longest hiccups of its process.
     */
    private static final int LONELY_LEADER_TIMEOUTS = 7;

    private static final int LONG_SUFFIX = 10;

    /** Terms that a node without contact to a majority may start, with pre-vote: none. */
    private static final int LONELY_ELECTIONS_MAX = 2;

    private final SimCluster world;
    private final List<String> broken = new ArrayList<>();

    /** All that was ever claimed to be committed, in order; never shrinks. */
    private final List<Entry> committed = new ArrayList<>();

    /** The term of the leader that committed each. */
    private final List<Long> committedInTerm = new ArrayList<>();

    /** The state machine's hash after each of those. */
    private final List<Long> stateHashes = new ArrayList<>();

    /** Every entry seen in any log, by index, with the term before it. */
    private final List<@Nullable Seen> seen = new ArrayList<>();

    /** The members by each configuration that was committed, by its index; 0 for the first. */
    private final TreeMap<Long, Configuration> committedMembers = new TreeMap<>();

    private final TreeMap<Long, NodeId> leaderOfTerm = new TreeMap<>();

    /**
     * How often each command may still be applied: once for every time that it was asked for,
     * unless that was refused. Equal commands cannot be told apart, so they are counted. Only
     * looked up, never iterated.
     */
    private final Map<Bytes, Integer> mayApply = new HashMap<>();

    private final Promises promises;
    private final Ballots ballots;

    private record Seen(Entry entry, long termBefore, @Nullable Seen next) {}

    Watch(SimCluster world) {
        this.world = world;
        committedMembers.put(0L, Configuration.ofVoters(world.initialVoters()));
        int machineCount = world.options.nodeCount() + world.options.upkeep().spareCount() + 1;
        this.promises = new Promises(machineCount);
        this.ballots = new Ballots(world, this, machineCount);
    }

    void broken(String what) {
        if (broken.size() < 20) {
            broken.add(
                    String.format(
                            "%.6f s, event %d: %s",
                            world.nowNanos() / 1e9, world.eventCount(), what));
        }
    }

    /**
     * @param detail only asked for where the rule is broken: rules are looked at a million times
     *     for every time that one of them has something to say
     */
    private void require(boolean holds, String rule, SimNode node, Supplier<String> detail) {
        if (!holds) {
            broken(rule + ": " + node.id + " " + detail.get());
        }
    }

    boolean holds() {
        return broken.isEmpty();
    }

    List<String> broken() {
        return List.copyOf(broken);
    }

    long committedCount() {
        return committed.size();
    }

    /** Growing; not to be changed. */
    List<Entry> committed() {
        return committed;
    }

    long termCount() {
        return leaderOfTerm.size();
    }

    // ---- Disk ----

    /**
     * What was durable is found again after every crash (§5.1; contract of the log), and what is
     * found is durable: a process that was killed leaves what it had not synced in the page cache,
     * and the next one answers for it.
     */
    void recovered(SimNode node, Recovered recovered) {
        String unsynced = node.disk.unsyncedFile();
        if (unsynced != null) {
            broken("durability: " + node.id + " builds on " + unsynced + ", which is not synced");
        }
        if (!node.shadow.explains(recovered)) {
            broken(
                    "durability: "
                            + node.id
                            + " came up with term "
                            + recovered.hardState().term()
                            + ", vote "
                            + recovered.hardState().votedFor()
                            + " and "
                            + entries(
                                    recovered.baseIndex(),
                                    recovered.baseIndex() + recovered.entries().size())
                            + ", but term "
                            + node.shadow.durable.term
                            + ", vote "
                            + node.shadow.durable.votedFor
                            + " and "
                            + entries(node.shadow.durable.base, node.shadow.durable.lastIndex())
                            + " were durable");
        }
    }

    private static String entries(long base, long last) {
        return last == base ? "no entries behind " + base : "entries " + (base + 1) + " to " + last;
    }

    /** Log matching (§5.3), and that nothing committed is ever cut off. */
    void writes(SimNode node, Shadow.Copy log, LogWrite write) {
        switch (write) {
            case LogWrite.HardState state -> {
                if (state.term() < log.term) {
                    broken("term: " + node.id + " went from term " + log.term + " back");
                } else if (state.term() == log.term
                        && log.votedFor != null
                        && !log.votedFor.equals(state.votedFor())) {
                    broken("vote: " + node.id + " voted twice in term " + log.term);
                }
                ballots.voted(node, log, state);
            }
            case LogWrite.Append(List<Entry> entries) -> {
                long before = log.termAt(log.lastIndex());
                long expected = log.lastIndex() + 1;
                for (Entry entry : entries) {
                    if (entry.index() != expected++) {
                        broken("log: " + node.id + " left a gap before " + entry.index());
                        return;
                    }
                    matching(node, entry, before);
                    before = entry.term();
                    if (entry.kind() == Entry.Kind.CONFIGURATION) {
                        oneChange(node, log, entry);
                    }
                }
            }
            case LogWrite.StartAfter(long index, long term, boolean keepsSuffix) -> {
                require(
                        index <= committed.size() && committed.get((int) index - 1).term() == term,
                        "snapshot (§7)",
                        node,
                        () ->
                                "lets its log begin behind index "
                                        + index
                                        + " of term "
                                        + term
                                        + ", which is not committed");
                require(
                        keepsSuffix == (log.termAt(index) == term),
                        "snapshot (§7)",
                        node,
                        () ->
                                (keepsSuffix ? "keeps" : "cuts off")
                                        + " what follows index "
                                        + index
                                        + " of term "
                                        + term
                                        + ", where it holds an entry of term "
                                        + log.termAt(index));
                if (!keepsSuffix) {
                    staysAcknowledged(node, log, index);
                }
                require(
                        index >= log.base,
                        "snapshot (§7)",
                        node,
                        () ->
                                "goes back from a log behind "
                                        + log.base
                                        + " to one behind "
                                        + index);
            }
            case LogWrite.Truncate(long from) -> {
                long cut = log.lastIndex() - from + 1;
                world.census.reached(Sometimes.SUFFIX_TRUNCATED);
                if (cut >= LONG_SUFFIX) {
                    world.census.reached(Sometimes.LONG_SUFFIX_TRUNCATED);
                }
                if (log.hasConfigurationFrom(from)) {
                    world.census.reached(Sometimes.CONFIGURATION_CUT_OFF);
                }
                staysAcknowledged(node, log, from - 1);
                // A node that has not reached the term of the commit may still obey a leader of an
                // earlier one; its copy was not among those that made the entry committed.
                if (from <= committed.size()
                        && log.term >= committedInTerm.get((int) from - 1)
                        && log.termAt(from) == committed.get((int) from - 1).term()) {
                    broken(
                            "committed stays: "
                                    + node.id
                                    + " cuts its log from index "
                                    + from
                                    + ", but index "
                                    + committed.size()
                                    + " is committed");
                }
            }
        }
    }

    /** Thesis §4.1: a leader begins a change once it knows the one before to be committed. */
    private void oneChange(SimNode node, Shadow.Copy log, Entry entry) {
        SimNode.Life life = node.life;
        if (life != null
                && life.raft.role() == RoleName.LEADER
                && entry.term() == log.term
                && log.hasConfigurationFrom(life.raft.commitIndex() + 1)) {
            broken(
                    "configurations (thesis §4.1): "
                            + node.id
                            + " begins a change of the members at index "
                            + entry.index()
                            + " while another one is under way, committed is "
                            + life.raft.commitIndex());
        }
    }

    /** §5.3: what the leader of a term was told that a node holds, it holds all that term. */
    private void staysAcknowledged(SimNode node, Shadow.Copy log, long lastIndex) {
        long acknowledged = node.shadow.acknowledgedIndex(log.term);
        require(
                lastIndex >= acknowledged,
                "acknowledged stays (§5.3)",
                node,
                () ->
                        "cuts its log behind index "
                                + lastIndex
                                + ", but acknowledged "
                                + acknowledged
                                + " in this term "
                                + log.term);
    }

    private void matching(SimNode node, Entry entry, long termBefore) {
        int at = (int) entry.index() - 1;
        while (seen.size() <= at) {
            seen.add(null);
        }
        for (Seen other = seen.get(at); other != null; other = other.next) {
            if (other.entry.term() == entry.term()) {
                boolean same = other.termBefore == termBefore && Objects.equals(other.entry, entry);
                require(
                        same,
                        "log matching (§5.3)",
                        node,
                        () ->
                                "holds another entry of index "
                                        + entry.index()
                                        + " and term "
                                        + entry.term()
                                        + " than others, or another one before it");
                return;
            }
        }
        seen.set(at, new Seen(entry, termBefore, seen.get(at)));
    }

    // ---- Promises ----

    /** No promise leaves before it would survive a crash (§5.1, thesis §3.8). */
    void sent(SimNode node, NodeId to, Message message) {
        Shadow.Copy durable = node.shadow.durable;
        require(
                message.term() <= durable.term,
                "durable first",
                node,
                () ->
                        "speaks of term "
                                + message.term()
                                + " while term "
                                + durable.term
                                + " is durable");
        switch (message) {
            case Message.VoteReply reply when reply.granted() -> {
                require(
                        durable.term == reply.term() && to.equals(durable.votedFor),
                        "durable first",
                        node,
                        () -> "grants a vote to " + to + " that is not durable");
                promises.votePromised(reply.term(), node.number, world.nodeNamed(to.name()).number);
            }
            case Message.VoteReply reply -> {
                if (reply.term() == node.shadow.memory.term
                        && node.shadow.memory.votedFor == null) {
                    world.census.reached(Sometimes.VOTE_REFUSED_TO_STALE_LOG);
                }
            }
            case Message.VoteRequest request -> {
                require(
                        durable.term == request.term() && node.id.equals(durable.votedFor),
                        "durable first",
                        node,
                        () -> "asks for votes before its own is durable");
                ballots.voteAsked(node, request);
            }
            case Message.AppendAccepted accepted -> {
                long index = accepted.matchIndex();
                require(
                        durable.termAt(index) == node.shadow.memory.termAt(index),
                        "durable first",
                        node,
                        () -> "acknowledges index " + index + ", which is not durable");
                promises.indexAcknowledged(accepted.term(), node.number, index);
                node.shadow.acknowledged(accepted.term(), index);
            }
            case Message.TimeoutNow ignored ->
                    require(
                            node.shadow.members().isVoter(to),
                            "handing over (thesis §3.10)",
                            node,
                            () -> "asks " + to + " to take over, which is no voter");
            case Message.PreVoteReply reply when reply.granted() ->
                    ballots.preVoteGranted(node, to, reply.prospectiveTerm());
            case Message.HeartbeatReply(long term, long round) -> {
                // So many are sent that the words are only made where they are needed.
                if (round != Message.HeartbeatReply.NO_ROUND
                        && round > promises.heardRound(term, node.number)) {
                    broken(
                            "reads are linearizable (thesis §6.4): "
                                    + node.id
                                    + " answers in term "
                                    + term
                                    + " to round "
                                    + round
                                    + " of heartbeats, of which it has not heard in that term");
                }
            }
            default -> {}
        }
    }

    void received(SimNode node, Message message) {
        if (message instanceof Message.Heartbeat heartbeat) {
            promises.roundHeard(heartbeat.term(), node.number, heartbeat.round());
        }
    }

    // ---- Elections ----

    void transition(SimNode node, Effect.Transition transition) {
        world.note(node, transition);
        Shadow shadow = node.shadow;
        shadow.saidRole = transition.to();
        shadow.leadsSinceNanos =
                transition.to() == RoleName.LEADER
                        ? shadow.leadsSinceNanos < 0 ? world.nowNanos() : shadow.leadsSinceNanos
                        : -1;
        switch (transition.to()) {
            case LEADER -> {
                elected(node, transition.term());
                NodeId other = leaderOfTerm.put(transition.term(), node.id);
                require(
                        other == null || other.equals(node.id),
                        "election safety (§5.2)",
                        node,
                        () -> "leads term " + transition.term() + ", and so does " + other);
                long last = committed.size();
                require(
                        last == 0
                                || node.shadow.memory.termAt(last)
                                        == committed.get((int) last - 1).term()
                                || transition.term() < committed.getLast().term(),
                        "leader completeness (§5.4)",
                        node,
                        () ->
                                "leads term "
                                        + transition.term()
                                        + " without committed index "
                                        + last);
            }
            case CANDIDATE -> {
                ballots.stands(node, transition, wasAsked(transition));
                if (transition.reason().contains("hands over")) {
                    world.census.reached(Sometimes.LEADERSHIP_HANDED_OVER);
                }
                if (contactNanos(node) > world.options.electionTimeoutNanos() * 2
                        && !wasAsked(transition)) {
                    shadow.lonelyElectionCount++;
                    require(
                            shadow.lonelyElectionCount <= LONELY_ELECTIONS_MAX,
                            "liveness (thesis §9.6)",
                            node,
                            () -> "raises the term again and again without hearing a majority");
                } else {
                    shadow.lonelyElectionCount = 0;
                }
            }
            case FOLLOWER -> {
                if (transition.from() == RoleName.LEADER
                        && transition.leader() == null
                        && contactNanos(node) > world.options.electionTimeoutNanos()) {
                    world.census.reached(Sometimes.LEADER_STEPPED_DOWN_ALONE);
                }
            }
            case PRE_CANDIDATE -> {
                ballots.stands(node, transition, false);
                if (transition.from() == RoleName.CANDIDATE) {
                    world.census.reached(Sometimes.ELECTION_WITHOUT_WINNER);
                }
            }
        }
    }

    /** By an operator or a leader that hands over; then there is no pre-vote (thesis §3.10). */
    private static boolean wasAsked(Effect.Transition transition) {
        return transition.reason().contains("operator")
                || transition.reason().contains("hands over");
    }

    /** §5.2: who leads a term was voted for by a majority, in that very term. */
    private void elected(SimNode node, long term) {
        int votes = 0;
        List<NodeId> voters = node.shadow.voters();
        for (SimNode voter : world.nodeList()) {
            boolean voted =
                    voter == node
                            ? voter.shadow.durable.term == term
                                    && node.id.equals(voter.shadow.durable.votedFor)
                            : promises.votedFor(term, voter.number, node.number);
            votes += voted && voters.contains(voter.id) ? 1 : 0;
            SimNode.Life life = voter.life;
            if (voter != node && life != null && life.raft.role() == RoleName.LEADER) {
                world.census.reached(Sometimes.TWO_LEADERS);
                require(
                        life.raft.term() > term
                                || !life.raft.holdsLease(voter.localNanos(world.nowNanos())),
                        "lease (thesis §6.4.1)",
                        node,
                        () -> "leads term " + term + " while the lease of " + voter.id + " holds");
            }
        }
        int count = votes;
        require(
                count > voters.size() / 2,
                "election (§5.2)",
                node,
                () -> "leads term " + term + " with " + count + " votes of that term");
    }

    /**
     * §5.2: hearing from the leader and granting a vote postpone the own election, and nothing else
     * does; else a node with a stale log could keep others from standing for ever.
     *
     * @param events of a step that left role and term as they were
     */
    void deadlineMoved(SimNode node, Raft raft, List<Event> events) {
        for (Event event : events) {
            boolean idle =
                    switch (event) {
                        case Event.Receive(NodeId from, Message message) ->
                                cannotPostpone(raft, from, message);
                        case Event.Persisted ignored -> true;
                        case Event.Propose ignored -> true;
                        case Event.Read ignored -> true;
                        default -> false;
                    };
            if (!idle) {
                return;
            }
        }
        require(
                raft.role() == RoleName.LEADER,
                "election timer (§5.2)",
                node,
                () ->
                        "postpones its own election without having heard from a leader or granted a"
                                + " vote: "
                                + events);
    }

    private static boolean cannotPostpone(Raft raft, NodeId from, Message message) {
        return message.term() < raft.term()
                || switch (message) {
                    case Message.PreVoteRequest ignored -> true;
                    case Message.PreVoteReply ignored -> true;
                    case Message.VoteRequest ignored -> !from.equals(raft.votedFor());
                    case Message.VoteReply ignored -> true;
                    case Message.AppendAccepted ignored -> true;
                    case Message.AppendRejected ignored -> true;
                    case Message.HeartbeatReply ignored -> true;
                    default -> false;
                };
    }

    /** For how long no majority, itself included, was heard. */
    private long contactNanos(SimNode node) {
        List<NodeId> voters = node.shadow.voters();
        long[] heard = new long[voters.size()];
        for (int i = 0; i < heard.length; i++) {
            int number = world.nodeNamed(voters.get(i).name()).number;
            heard[i] = number == node.number ? world.nowNanos() : node.shadow.heardNanos[number];
        }
        Arrays.sort(heard);
        if (heard.length == 0) {
            return 0;
        }
        return world.nowNanos() - heard[(heard.length - 1) / 2];
    }

    // ---- Every step ----

    void stepBegins(SimNode node, Raft raft, long localNanos, List<Event> events) {
        ballots.stepBegins(node, raft, localNanos, events);
    }

    void stepped(SimNode node, SimNode.Life life, long localNanos, List<Event> events) {
        ballots.stepEnded(node, life.raft, localNanos, events);
        require(
                life.raft.role() == node.shadow.saidRole,
                "trace",
                node,
                () -> "is " + life.raft.role() + " and last said " + node.shadow.saidRole);
        Shadow.Copy memory = node.shadow.memory;
        var raft = life.raft;
        NodeId vote = raft.votedFor();
        // What is only in memory is forgotten by a crash.
        if (raft.term() != memory.term
                || !(vote == null ? memory.votedFor == null : vote.equals(memory.votedFor))) {
            broken("durability: " + node.id + " keeps a term or vote that it never wrote");
        }
        if (raft.lastIndex() != memory.lastIndex()
                || raft.lastTerm() != memory.termAt(memory.lastIndex())) {
            broken("durability: " + node.id + " keeps entries that it never wrote");
        }
        long durable = raft.durableIndex();
        if (node.shadow.durable.termAt(durable) != memory.termAt(durable)
                && !node.shadow.isInSnapshot(durable)) {
            broken("durability: " + node.id + " takes index " + durable + " for durable");
        }
        node.shadow.goesBy(raft.configuration(), this, node);
        if (raft.commitIndex() > committed.size()) {
            broken("commit: " + node.id + " commits " + raft.commitIndex() + " and applies less");
        }
        if (node.shadow.leadsSinceNanos >= 0) {
            lonelyLeader(node);
            counted(node, raft);
            // §5.4.2: entries of earlier terms are committed by what follows them (Figure 8).
            if (raft.commitIndex() > node.shadow.commitIndex
                    && memory.termAt(raft.commitIndex()) != raft.term()) {
                broken(
                        "commit rule (§5.4.2): "
                                + node.id
                                + " commits index "
                                + raft.commitIndex()
                                + " of an earlier term by counting");
            }
        }
        node.shadow.commitIndex = raft.commitIndex();
    }

    /**
     * Figure 2: a leader counts what a follower acknowledged in this very term, and no more. An
     * acknowledgement of an earlier term speaks of a log that may have been cut since.
     */
    private void counted(SimNode node, Raft raft) {
        if (raft.commitIndex() > raft.durableIndex()) {
            world.census.reached(Sometimes.COMMIT_BEFORE_OWN_FSYNC);
        }
        for (Raft.PeerView peer : raft.peerViews()) {
            // Bounded memory: half as many more may be a matter of taste, more are not.
            if (peer.inflightCount() > 2 * world.options.inflightAppendsMax() + 1) {
                broken(
                        "memory: "
                                + node.id
                                + " has "
                                + peer.inflightCount()
                                + " messages with entries in flight to "
                                + peer.id());
            }
            if (peer.inflightCount() > 1) {
                world.census.reached(Sometimes.ENTRIES_IN_FLIGHT_AT_ONCE);
            }
            int follower = world.nodeNamed(peer.id().name()).number;
            long promised = promises.acknowledgedIndex(raft.term(), follower);
            if (peer.matchIndex() > promised) {
                broken(
                        "acknowledged (Figure 2): "
                                + node.id
                                + " counts "
                                + peer.id()
                                + " up to index "
                                + peer.matchIndex()
                                + ", which acknowledged "
                                + promised
                                + " in term "
                                + raft.term());
            }
        }
    }

    /** CheckQuorum (thesis §6.2): who leads nobody must stop claiming to. */
    private void lonelyLeader(SimNode node) {
        long patience = LONELY_LEADER_TIMEOUTS * world.options.electionTimeoutNanos();
        if (world.nowNanos() - node.shadow.leadsSinceNanos > patience
                && world.nowNanos() - node.awakeSinceNanos() > patience
                && contactNanos(node) > patience) {
            broken(
                    "liveness (thesis §6.2): "
                            + node.id
                            + " still leads although no majority was heard for "
                            + contactNanos(node) / 1_000_000
                            + " ms");
        }
    }

    // ---- Committing, applying, answering ----

    /**
     * State machine safety (§5.4.3): one entry per index for ever, with one state after it; and
     * committed means durable on a majority.
     */
    void applied(SimNode node, Entry entry, long stateHash) {
        int at = (int) entry.index() - 1;
        if (at > committed.size()) {
            broken("apply: " + node.id + " skips to index " + entry.index());
            return;
        }
        if (at == committed.size()) {
            require(
                    isDurableOnMajority(node, entry),
                    "committed is durable on a majority (§5.3)",
                    node,
                    () ->
                            "commits index "
                                    + entry.index()
                                    + " of term "
                                    + entry.term()
                                    + ", which is not");
            require(
                    entry.kind() != Entry.Kind.COMMAND || applyOnce(entry.payload()),
                    "refused means never",
                    node,
                    () ->
                            "applies the command of index "
                                    + entry.index()
                                    + ", which was not asked for so often, or its client was told"
                                    + " that it never will be");
            if (entry.kind() == Entry.Kind.CONFIGURATION) {
                Configuration members = Configuration.decode(entry.payload());
                configurationCommitted(
                        committedMembers.lastEntry().getValue().voters(), members.voters());
                committedMembers.put(entry.index(), members);
            }
            if (node.shadow.leadsSinceNanos >= 0 && entry.term() < node.shadow.memory.term) {
                world.census.reached(Sometimes.EARLIER_TERM_COMMITTED);
            }
            committed.add(entry);
            committedInTerm.add(node.shadow.memory.term);
            stateHashes.add(stateHash);
            return;
        }
        Entry first = committed.get(at);
        require(
                Objects.equals(first, entry),
                "state machine safety (§5.4.3)",
                node,
                () ->
                        "applies another entry at index "
                                + entry.index()
                                + ": term "
                                + entry.term()
                                + " instead of "
                                + first.term());
        require(
                stateHashes.get(at) == stateHash,
                "state machine safety (§5.4.3)",
                node,
                () -> "has another state than others after index " + entry.index());
    }

    /** Thesis §4.1: two configurations in a row have a quorum in common, whatever it is. */
    private void configurationCommitted(List<NodeId> before, List<NodeId> voters) {
        long common = voters.stream().filter(before::contains).count();
        // Majorities of both sizes must not fit beside each other.
        if (voters.size() / 2 + 1 + before.size() / 2 + 1
                <= voters.size() + before.size() - common) {
            broken(
                    "configurations (thesis §4.1): majorities of "
                            + before
                            + " and of "
                            + voters
                            + ", committed next, need not meet");
        }
        if (voters.size() > common) {
            world.census.reached(Sometimes.VOTER_ADDED);
        } else if (before.size() > common) {
            world.census.reached(Sometimes.VOTER_REMOVED);
        }
    }

    /** Of the voters that the node which commits it goes by; it is a leader. */
    private boolean isDurableOnMajority(SimNode leader, Entry entry) {
        // A step that commits may then append a change, which counts from the next one on.
        return isDurableOnMajority(leader.shadow.voters(), entry)
                || isDurableOnMajority(leader.shadow.votersBefore, entry);
    }

    private boolean isDurableOnMajority(List<NodeId> voters, Entry entry) {
        int count = 0;
        for (NodeId voter : voters) {
            Shadow.Copy durable = world.nodeNamed(voter.name()).shadow.durable;
            if (durable.termAt(entry.index()) == entry.term()) {
                count++;
            }
        }
        return count > voters.size() / 2;
    }

    /** The newest snapshot stands for what the log has lost, so it stays (§7). */
    void deletes(SimNode node, Raft raft, long index) {
        Snapshot newest = raft.snapshot();
        require(
                newest == null || newest.index() != index,
                "snapshot (§7)",
                node,
                () ->
                        "deletes its newest snapshot, of index "
                                + index
                                + ", which its log begins behind");
    }

    /** A snapshot holds the members as of its index, and none that were not committed (§7). */
    void saved(SimNode node, Snapshot snapshot) {
        long index = committedMembers.headMap(snapshot.index(), true).lastKey();
        Configuration members = committedMembers.get(index);
        require(
                snapshot.configurationIndex() == index && snapshot.configuration().equals(members),
                "snapshot (§7)",
                node,
                () ->
                        "saves a snapshot of index "
                                + snapshot.index()
                                + " with "
                                + snapshot.configuration()
                                + " of index "
                                + snapshot.configurationIndex()
                                + ", but committed are "
                                + members
                                + " of index "
                                + index);
    }

    /** A snapshot is the state that everybody had at its index, and nothing uncommitted (§7). */
    void restored(SimNode node, Snapshot snapshot, long stateHash) {
        int at = (int) snapshot.index() - 1;
        require(
                at < committed.size()
                        && committed.get(at).term() == snapshot.term()
                        && stateHashes.get(at) == stateHash,
                "snapshot (§7)",
                node,
                () ->
                        "restores a state of index "
                                + snapshot.index()
                                + " and term "
                                + snapshot.term()
                                + " that is not what was committed");
    }

    /** A client is answered with what became of its own command. */
    void answered(SimNode node, Entry entry, SimClients.Op op) {
        require(
                entry.payload().equals(op.command()),
                "answers",
                node,
                () ->
                        "answers a client with index "
                                + entry.index()
                                + ", which is another's command");
    }

    /** A read is about to be served because of a lease. */
    void leaseUsed(SimNode node) {
        world.census.reached(Sometimes.READ_BY_LEASE);
        if (contactNanos(node) > world.options.electionTimeoutNanos() / 2) {
            world.census.reached(Sometimes.LEASE_OUTLIVED_CONTACT);
        }
    }

    /** Whoever stops leading owes every client that asked for a change an answer (contract 12). */
    void deposed(SimNode node, SimNode.Life life) {
        for (var request : life.pending.entrySet()) {
            SimNode.Waiting waiting = request.getValue();
            require(
                    waiting.asked() == null
                            || waiting.asked().op().request.isRead()
                            || SimNode.isUnread(life, request.getKey()),
                    "answers",
                    node,
                    () -> "stopped leading and leaves a client without an answer");
        }
    }

    /** A read sees everything that was committed before it came (thesis §6.4). */
    void readServed(SimNode node, long appliedIndex, long committedBefore) {
        require(
                appliedIndex >= committedBefore,
                "reads are linearizable (thesis §6.4)",
                node,
                () ->
                        "serves a read at index "
                                + appliedIndex
                                + " although index "
                                + committedBefore
                                + " was committed before it came");
    }

    /** A client sends a command to a node. */
    void asked(Bytes command) {
        mayApply.merge(command, 1, Integer::sum);
    }

    /** A client was told by that node that the command never takes effect. */
    void refusedForGood(Bytes command) {
        applyOnce(command);
    }

    /** Uses one of the times that it was asked for; false where there is none left. */
    private boolean applyOnce(Bytes command) {
        Integer left = mayApply.get(command);
        if (left == null) {
            return false;
        }
        mayApply.compute(command, (_, count) -> count == null || count == 1 ? null : count - 1);
        return true;
    }
}
