package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.core.Configuration;
import raft.core.Effect.RoleName;
import raft.core.Entry;
import raft.core.LogWrite;
import raft.core.NodeId;
import raft.core.Recovered;
import raft.core.Snapshot;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the simulator knows of a node from outside, by the writes it handed to its disk: the state
 * it holds in memory, and the part of it that is durable. It is what the node's claims are compared
 * with.
 */
final class Shadow {
    /** A hard state and a log. */
    static final class Copy {
        long term;
        @Nullable NodeId votedFor;
        final ArrayList<Entry> log = new ArrayList<>();

        /** The node's own log begins behind it; before it stands what is committed. */
        long base;

        private final List<Entry> committed;

        Copy(List<Entry> committed) {
            this.committed = committed;
        }

        void become(Recovered recovered) {
            term = recovered.hardState().term();
            votedFor = recovered.hardState().votedFor();
            restart(recovered.baseIndex());
            log.addAll(recovered.entries());
        }

        void become(Copy other) {
            term = other.term;
            votedFor = other.votedFor;
            base = other.base;
            log.clear();
            log.addAll(other.log);
            forgetMembers();
        }

        private void restart(long index) {
            log.clear();
            log.addAll(committed.subList(0, (int) Math.min(index, committed.size())));
            base = index;
            forgetMembers();
        }

        void write(LogWrite write) {
            switch (write) {
                case LogWrite.HardState(long newTerm, NodeId vote) -> {
                    term = newTerm;
                    votedFor = vote;
                }
                case LogWrite.Append(List<Entry> entries) -> log.addAll(entries);
                case LogWrite.Truncate(long from) -> truncate(from);
                case LogWrite.StartAfter(long index, long ignored, boolean keepsSuffix) -> {
                    if (keepsSuffix) {
                        base = index;
                    } else {
                        restart(index);
                    }
                }
            }
        }

        void truncate(long from) {
            log.subList((int) Math.min(log.size(), from - 1), log.size()).clear();
            if (membersIndex > log.size()) {
                forgetMembers();
            }
            lookedAtCount = Math.min(lookedAtCount, log.size());
        }

        long lastIndex() {
            return log.size();
        }

        boolean hasConfigurationFrom(long index) {
            return log.subList((int) Math.min(log.size(), index - 1), log.size()).stream()
                    .anyMatch(entry -> entry.kind() == Entry.Kind.CONFIGURATION);
        }

        /** The newest configuration in the log; the same object until that changes. */
        @SuppressWarnings(
                "ReferenceEquality") // Asks whether it is the same object, which is cheap.
        Configuration members(Configuration initial) {
            if (lookedAtCount == 0 && members != initial) {
                place(initial, 0);
            }
            for (int i = log.size() - 1; i >= lookedAtCount; i--) {
                if (log.get(i).kind().isConfiguration()) {
                    place(Configuration.decode(log.get(i).payload()), i + 1);
                    break;
                }
            }
            lookedAtCount = log.size();
            return members;
        }

        private void place(Configuration configuration, int index) {
            members = configuration;
            membersIndex = index;
            voters = configuration.voters();
        }

        /** How many entries were searched for configurations; asked after every step. */
        private int lookedAtCount;

        private Configuration members = Configuration.NONE;
        private List<NodeId> voters = List.of();

        /** Where they stand in the log; 0 for those at the start. */
        private int membersIndex;

        private void forgetMembers() {
            lookedAtCount = 0;
            membersIndex = 0;
        }

        /** 0 before the first entry, -1 behind the last. */
        long termAt(long index) {
            return index == 0 ? 0 : index > log.size() ? -1 : log.get((int) index - 1).term();
        }
    }

    final Copy memory;
    final Copy durable;

    private final List<Entry> committed;
    private final Configuration initial;

    /** Snapshots that were on this disk at some time. */
    private final List<Snapshot> saved = new ArrayList<>();

    /**
     * @param committed all that is committed in the whole cluster, growing
     */
    Shadow(List<Entry> committed, Configuration initial) {
        this.committed = committed;
        this.initial = initial;
        this.memory = new Copy(committed);
        this.durable = new Copy(committed);
    }

    /** The voters that this node goes by (thesis §4.1: by the newest in its log). */
    List<NodeId> voters() {
        memory.members(initial);
        return memory.voters;
    }

    /** Those and the learners. */
    Configuration members() {
        return memory.members(initial);
    }

    /** Where the log says so; 0 for the members that the cluster began with. */
    long membersIndex() {
        memory.members(initial);
        return memory.membersIndex;
    }

    /** What was compared last; both lists stay the same objects until something changes. */
    private @Nullable Configuration compared;

    private List<NodeId> comparedVoters = List.of();

    /** Thesis §4.1: the newest configuration in the log is in force, also after it was cut. */
    @SuppressWarnings(
            "ReferenceEquality") // Asks whether they are the same objects, which is cheap.
    void goesBy(Configuration members, Watch watch, SimNode node) {
        List<NodeId> voters = voters();
        if (members != compared || voters != comparedVoters) {
            compared = members;
            comparedVoters = voters;
            // Who waits to be added knows nobody.
            if (!members.equals(Configuration.NONE) && !members.voters().equals(voters)) {
                watch.broken(
                        "configurations (thesis §4.1): "
                                + node.id
                                + " goes by the voters "
                                + members.voters()
                                + ", but the newest in its log are "
                                + voters);
            }
        }
    }

    /** Those by which its present step began. */
    List<NodeId> votersBefore = List.of();

    void saved(Snapshot snapshot) {
        saved.add(snapshot);
    }

    /** Whether a snapshot with exactly this last entry was ever on the disk. */
    boolean hasSaved(long index, long term) {
        return saved.stream().anyMatch(snapshot -> snapshot.isOf(index, term));
    }

    /**
     * Whether a snapshot that was ever on the disk stands for the log as it is, up to there at
     * least.
     */
    boolean isInSnapshot(long index) {
        return saved.stream()
                .anyMatch(
                        snapshot ->
                                snapshot.index() >= index
                                        && memory.termAt(snapshot.index()) == snapshot.term());
    }

    private boolean forgotten;

    /** Writes under way when the process ended: each may or may not have survived. */
    private List<LogWrite> perhaps = List.of();

    /** When each node was last heard, by number; what the node's view of the quorum rests on. */
    long[] heardNanos = new long[0];

    /** Terms started since a majority was last heard. */
    int lonelyElectionCount;

    /** When this life's present leadership began, -1 while it does not lead. */
    long leadsSinceNanos = -1;

    /** The term of the leader that it last heard of, and when; on its own clock. */
    long leaderHeardTerm = -1;

    long leaderHeardLocalNanos;

    /** When it last decided to vote for another one, on its own clock. */
    long voteGrantedLocalNanos = Long.MIN_VALUE;

    /** The term in which it last acknowledged entries, and up to where. */
    private long acknowledgedTerm;

    private long acknowledgedIndex;

    /** When it last asked another node to take its leadership over. */
    long askedToTakeOverNanos;

    /** The role that the node last said it has. */
    RoleName saidRole = RoleName.FOLLOWER;

    /** Commit index after its last step. */
    long commitIndex;

    void started(Recovered recovered, long nowNanos, int nodeCount) {
        memory.become(recovered);
        durable.become(recovered);
        perhaps = List.of();
        forgotten = false;
        heardNanos = new long[nodeCount];
        Arrays.fill(heardNanos, nowNanos);
        lonelyElectionCount = 0;
        leadsSinceNanos = -1;
        saidRole = RoleName.FOLLOWER;
        commitIndex = 0;
        leaderHeardTerm = -1;
        voteGrantedLocalNanos = Long.MIN_VALUE;
    }

    void leaderHeard(long term, long localNanos) {
        leaderHeardTerm = term;
        leaderHeardLocalNanos = localNanos;
    }

    void voteGranted(long localNanos) {
        voteGrantedLocalNanos = localNanos;
    }

    void acknowledged(long term, long index) {
        acknowledgedIndex = term == acknowledgedTerm ? Math.max(acknowledgedIndex, index) : index;
        acknowledgedTerm = term;
    }

    /** What it has told the leader of this term that it holds; 0 for nothing. */
    long acknowledgedIndex(long term) {
        return term == acknowledgedTerm ? acknowledgedIndex : 0;
    }

    /** What is found next is what the disk holds, whatever was promised. */
    void forgetDisk() {
        forgotten = true;
        acknowledgedIndex = 0;
    }

    /** Another disk: nothing was promised on it. */
    void wiped() {
        memory.restart(0);
        memory.term = 0;
        memory.votedFor = null;
        durable.become(memory);
        saved.clear();
        perhaps = List.of();
        acknowledgedIndex = 0;
    }

    void died(List<LogWrite> underWay) {
        perhaps = List.copyOf(underWay);
        leadsSinceNanos = -1;
    }

    void handedOver(List<LogWrite> writes, Watch watch, SimNode node) {
        for (LogWrite write : writes) {
            watch.writes(node, memory, write);
            memory.write(write);
        }
    }

    void durable(List<LogWrite> writes) {
        writes.forEach(durable::write);
    }

    void heard(int from, long nowNanos) {
        heardNanos[from] = nowNanos;
    }

    /**
     * Whether {@code recovered} is what was durable followed by some of what was under way, in
     * order.
     */
    boolean explains(Recovered recovered) {
        return forgotten || explains(recovered, perhaps);
    }

    /** The same where {@code underWay} is. */
    boolean explains(Recovered recovered, List<LogWrite> underWay) {
        Copy copy = new Copy(committed);
        copy.become(durable);
        if (equal(copy, recovered)) {
            return true;
        }
        for (LogWrite write : underWay) {
            if (write instanceof LogWrite.Append(List<Entry> entries)) {
                for (Entry entry : entries) {
                    copy.log.add(entry);
                    if (equal(copy, recovered)) {
                        return true;
                    }
                }
            } else {
                copy.write(write);
                if (equal(copy, recovered)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean equal(Copy copy, Recovered recovered) {
        NodeId vote = recovered.hardState().votedFor();
        if (copy.term != recovered.hardState().term()
                || !(vote == null ? copy.votedFor == null : vote.equals(copy.votedFor))) {
            return false;
        }
        Snapshot snapshot = recovered.snapshot();
        int base = (int) recovered.baseIndex();
        if (snapshot != null && !hasSaved(snapshot.index(), snapshot.term())) {
            return false;
        }
        if (base == copy.base) {
            return copy.log.subList(base, copy.log.size()).equals(recovered.entries());
        }
        // The process ended between a snapshot and the record that the log begins behind it, and
        // what the log held was void.
        return snapshot != null
                && base == snapshot.index()
                && recovered.entries().isEmpty()
                && copy.termAt(base) != snapshot.term();
    }
}
