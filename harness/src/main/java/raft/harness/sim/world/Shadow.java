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
            forgetVoters();
        }

        private void restart(long index) {
            log.clear();
            log.addAll(committed.subList(0, (int) Math.min(index, committed.size())));
            base = index;
            forgetVoters();
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
            if (votersIndex > log.size()) {
                forgetVoters();
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

        /**
         * The voters by the newest configuration in the log; the same object until that changes.
         */
        List<NodeId> voters(List<NodeId> initial) {
            if (lookedAtCount == 0) {
                voters = initial;
            }
            for (int i = log.size() - 1; i >= lookedAtCount; i--) {
                if (log.get(i).kind().isConfiguration()) {
                    voters = Configuration.decode(log.get(i).payload()).voters();
                    votersIndex = i + 1;
                    break;
                }
            }
            lookedAtCount = log.size();
            return voters;
        }

        /** How many entries were searched for configurations; asked after every step. */
        private int lookedAtCount;

        /** Where {@link #voters} stand in the log; 0 for those at the start. */
        private int votersIndex;

        private List<NodeId> voters = List.of();

        private void forgetVoters() {
            lookedAtCount = 0;
            votersIndex = 0;
        }

        /** 0 before the first entry, -1 behind the last. */
        long termAt(long index) {
            return index == 0 ? 0 : index > log.size() ? -1 : log.get((int) index - 1).term();
        }
    }

    final Copy memory;
    final Copy durable;

    private final List<Entry> committed;
    private final List<NodeId> initialVoters;

    /** Snapshots that were on this disk at some time. */
    private final List<Snapshot> saved = new ArrayList<>();

    /**
     * @param committed all that is committed in the whole cluster, growing
     */
    Shadow(List<Entry> committed, List<NodeId> initialVoters) {
        this.committed = committed;
        this.initialVoters = initialVoters;
        this.memory = new Copy(committed);
        this.durable = new Copy(committed);
    }

    /** The voters that this node goes by (thesis §4.1: by the newest in its log). */
    List<NodeId> voters() {
        return memory.voters(initialVoters);
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
    }

    /** What is found next is what the disk holds, whatever was promised. */
    void forgetDisk() {
        forgotten = true;
    }

    /** Another disk: nothing was promised on it. */
    void wiped() {
        memory.restart(0);
        memory.term = 0;
        memory.votedFor = null;
        durable.become(memory);
        saved.clear();
        perhaps = List.of();
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
        if (forgotten) {
            return true;
        }
        Copy copy = new Copy(committed);
        copy.become(durable);
        if (equal(copy, recovered)) {
            return true;
        }
        for (LogWrite write : perhaps) {
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
