package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.core.Configuration;
import raft.core.Effect;
import raft.core.Effect.RoleName;
import raft.core.Event;
import raft.core.LogWrite;
import raft.core.Message;
import raft.core.NodeId;
import raft.core.Raft;

import java.util.List;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Who may stand for election, and who may be voted for (§5.2, §5.4.1, thesis §4.2.3 and §9.6),
 * found from what was asked and what nodes hold, not from what they say of it.
 *
 * <p>A step of several events may change the log or the leader between two of them; where that
 * could excuse what a node does, nothing is said.
 */
final class Ballots {
    private static final int ASKED_IN_VAIN = 1;
    private static final int ASKED_RIGHTLY = 2;
    private static final int GRANTED = 4;

    private final SimCluster world;
    private final Watch watch;
    private final int nodeCount;

    /** By term, then by the candidate's number: the end of the log it stood with. */
    private final TreeMap<Long, @Nullable LogEnd[]> stoodWith = new TreeMap<>();

    /** By the term that would begin, then by candidate and voter: what became of the question. */
    private final TreeMap<Long, byte[]> preVotes = new TreeMap<>();

    /** The step that goes on consists of a request for a vote that must be refused. */
    private boolean mustRefuse;

    private long termBefore;
    private @Nullable NodeId votedForBefore;

    private record LogEnd(long index, long term) {
        /** §5.4.1: who has this log must not get the vote of who has that one. */
        boolean isBehind(Shadow.Copy log) {
            long last = log.lastIndex();
            long lastTerm = log.termAt(last);
            return term < lastTerm || (term == lastTerm && index < last);
        }

        @Override
        public String toString() {
            return index + " of term " + term;
        }
    }

    Ballots(SimCluster world, Watch watch, int nodeCount) {
        this.world = world;
        this.watch = watch;
        this.nodeCount = nodeCount;
    }

    // ---- Steps ----

    void stepBegins(SimNode node, Raft raft, long localNanos, List<Event> events) {
        mustRefuse = false;
        boolean single = events.size() == 1;
        for (Event event : events) {
            if (!(event instanceof Event.Receive(NodeId from, Message message))) {
                continue;
            }
            if (message instanceof Message.VoteRequest request && !request.handedOver()) {
                mustRefuse = single && hearsLeader(node, raft, localNanos);
                termBefore = node.shadow.memory.term;
                votedForBefore = node.shadow.memory.votedFor;
            } else if (message instanceof Message.PreVoteRequest request) {
                LogEnd end = new LogEnd(request.lastLogIndex(), request.lastLogTerm());
                boolean inVain =
                        single
                                && (end.isBehind(node.shadow.memory)
                                        || hearsLeader(node, raft, localNanos));
                preVotes(request.prospectiveTerm())[
                                place(world.nodeNamed(from.name()).number, node.number)] |=
                        (byte) (inVain ? ASKED_IN_VAIN : ASKED_RIGHTLY);
            }
        }
    }

    void stepEnded(SimNode node, Raft raft, long localNanos, List<Event> events) {
        Shadow.Copy memory = node.shadow.memory;
        // Thesis §4.2.3: it neither votes nor takes over the term, or a node that hears of no
        // leader deposes one that all others hear.
        if (mustRefuse
                && (memory.term != termBefore
                        || !Objects.equals(memory.votedFor, votedForBefore))) {
            watch.broken(
                    "votes beside a leader (thesis §4.2.3): "
                            + node.id
                            + " went from term "
                            + termBefore
                            + " to "
                            + memory.term
                            + " for one who asked for its vote, while it heard of a leader");
        }
        for (Event event : events) {
            if (!(event instanceof Event.Receive(NodeId from, Message message))) {
                continue;
            }
            if (SimNode.isOfLeader(message)
                    && message.term() == raft.term()
                    && from.equals(raft.leader())) {
                node.shadow.leaderHeard(raft.term(), localNanos);
            }
            if (message.term() > raft.term() && !mayBeRefused(message)) {
                watch.broken(
                        "terms (§5.1): "
                                + node.id
                                + " stays in term "
                                + raft.term()
                                + " although it received "
                                + message);
            }
        }
    }

    private boolean hearsLeader(SimNode node, Raft raft, long localNanos) {
        return switch (raft.role()) {
            case LEADER -> true;
            case FOLLOWER ->
                    raft.leader() != null
                            && node.shadow.leaderHeardTerm == raft.term()
                            && localNanos - node.shadow.leaderHeardLocalNanos
                                    < world.options.electionTimeoutNanos();
            case PRE_CANDIDATE, CANDIDATE -> false;
        };
    }

    /** Beside a leader, and by who has no vote. */
    private static boolean mayBeRefused(Message message) {
        return message instanceof Message.VoteRequest || message instanceof Message.PreVoteRequest;
    }

    // ---- Votes ----

    void voteAsked(SimNode candidate, Message.VoteRequest request) {
        @Nullable LogEnd[] ofTerm =
                stoodWith.computeIfAbsent(request.term(), ignored -> new LogEnd[nodeCount]);
        ofTerm[candidate.number] = new LogEnd(request.lastLogIndex(), request.lastLogTerm());
        Shadow.Copy memory = candidate.shadow.memory;
        SimNode.Life life = candidate.life;
        // Who follows another one by now may hold more than when it asked.
        if (life != null
                && life.raft.role() == RoleName.CANDIDATE
                && (request.lastLogIndex() != memory.lastIndex()
                        || request.lastLogTerm() != memory.termAt(memory.lastIndex()))) {
            watch.broken(
                    "up-to-date (§5.4.1): "
                            + candidate.id
                            + " asks for votes with a log up to "
                            + request.lastLogIndex()
                            + " of term "
                            + request.lastLogTerm()
                            + ", but it ends at "
                            + memory.lastIndex()
                            + " of term "
                            + memory.termAt(memory.lastIndex()));
        }
    }

    /**
     * A vote is decided.
     *
     * @param log of the voter at that moment
     */
    void voted(SimNode voter, Shadow.Copy log, LogWrite.HardState state) {
        NodeId candidate = state.votedFor();
        if (candidate == null || candidate.equals(voter.id)) {
            return;
        }
        @Nullable LogEnd[] ofTerm = stoodWith.get(state.term());
        LogEnd end = ofTerm == null ? null : ofTerm[world.nodeNamed(candidate.name()).number];
        if (end == null || end.isBehind(log)) {
            watch.broken(
                    "up-to-date (§5.4.1): "
                            + voter.id
                            + " votes in term "
                            + state.term()
                            + " for "
                            + candidate
                            + (end == null
                                    ? ", who did not ask"
                                    : ", whose log ends at "
                                            + end
                                            + ", while its own ends at "
                                            + new LogEnd(
                                                    log.lastIndex(), log.termAt(log.lastIndex()))));
        }
        voter.shadow.voteGranted(voter.localNanos(world.nowNanos()));
    }

    void preVoteGranted(SimNode voter, NodeId candidate, long prospectiveTerm) {
        int place = place(world.nodeNamed(candidate.name()).number, voter.number);
        byte[] ofTerm = preVotes(prospectiveTerm);
        if (ofTerm[place] == ASKED_IN_VAIN) {
            watch.broken(
                    "pre-vote (thesis §9.6): "
                            + voter.id
                            + " would vote for "
                            + candidate
                            + " in term "
                            + prospectiveTerm
                            + ", whose log is behind its own, or beside a leader");
        }
        ofTerm[place] |= GRANTED;
    }

    private byte[] preVotes(long prospectiveTerm) {
        return preVotes.computeIfAbsent(
                prospectiveTerm, ignored -> new byte[nodeCount * nodeCount]);
    }

    private int place(int candidate, int voter) {
        return candidate * nodeCount + voter;
    }

    // ---- Standing ----

    /**
     * @param asked by an operator or by a leader that hands over
     */
    void stands(SimNode node, Effect.Transition transition, boolean asked) {
        Configuration members = node.shadow.members();
        boolean leaving =
                !members.contains(node.id)
                        && node.shadow.membersIndex() > node.shadow.commitIndex
                        && !asked;
        // Who is sure to have no vote must not depose those who have (thesis §4.2.1).
        if (!members.isVoter(node.id) && !leaving) {
            watch.broken(
                    "election (thesis §4): "
                            + node.id
                            + " stands, but is no voter: the members are "
                            + members);
        }
        if (asked) {
            return;
        }
        if (transition.to() == RoleName.CANDIDATE) {
            won(node, transition.term(), node.shadow.voters());
        } else if (transition.from() == RoleName.FOLLOWER) {
            long local = node.localNanos(world.nowNanos());
            long timeout = world.options.electionTimeoutNanos();
            boolean heard =
                    node.shadow.leaderHeardTerm == transition.term()
                            && local - node.shadow.leaderHeardLocalNanos < timeout;
            boolean voted =
                    node.shadow.voteGrantedLocalNanos > Long.MIN_VALUE
                            && local - node.shadow.voteGrantedLocalNanos < timeout;
            if (heard || voted) {
                watch.broken(
                        "election timer (§5.2): "
                                + node.id
                                + " stands although within the election timeout it "
                                + (heard ? "heard of its leader" : "granted a vote"));
            }
        }
    }

    /** Thesis §9.6: nobody begins a term in which a majority would not vote for it. */
    private void won(SimNode node, long term, List<NodeId> voters) {
        byte[] ofTerm = preVotes(term);
        int count = 0;
        for (NodeId voter : voters) {
            int number = world.nodeNamed(voter.name()).number;
            boolean granted = (ofTerm[place(node.number, number)] & GRANTED) != 0;
            count += granted || number == node.number ? 1 : 0;
        }
        if (count <= voters.size() / 2) {
            watch.broken(
                    "pre-vote (thesis §9.6): "
                            + node.id
                            + " begins term "
                            + term
                            + ", in which "
                            + count
                            + " of "
                            + voters
                            + " said that they would vote for it");
        }
    }
}
