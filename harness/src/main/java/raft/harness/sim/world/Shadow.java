package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.core.Entry;
import raft.core.LogWrite;
import raft.core.NodeId;
import raft.core.Recovered;

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

        void become(Recovered recovered) {
            term = recovered.hardState().term();
            votedFor = recovered.hardState().votedFor();
            log.clear();
            log.addAll(recovered.entries());
        }

        void write(LogWrite write) {
            switch (write) {
                case LogWrite.HardState(long newTerm, NodeId vote) -> {
                    term = newTerm;
                    votedFor = vote;
                }
                case LogWrite.Append(List<Entry> entries) -> log.addAll(entries);
                case LogWrite.Truncate(long from) -> truncate(from);
            }
        }

        void truncate(long from) {
            log.subList((int) Math.min(log.size(), from - 1), log.size()).clear();
        }

        long lastIndex() {
            return log.size();
        }

        /** 0 before the first entry, -1 behind the last. */
        long termAt(long index) {
            return index == 0 ? 0 : index > log.size() ? -1 : log.get((int) index - 1).term();
        }
    }

    final Copy memory = new Copy();
    final Copy durable = new Copy();

    /** Writes under way when the process ended: each may or may not have survived. */
    private List<LogWrite> perhaps = List.of();

    /** When each node was last heard, by number; what the node's view of the quorum rests on. */
    long[] heardNanos = new long[0];

    /** Terms started since a majority was last heard. */
    int lonelyElectionCount;

    /** When this life's present leadership began, -1 while it does not lead. */
    long leadsSinceNanos = -1;

    /** Commit index after its last step. */
    long commitIndex;

    void started(Recovered recovered, long nowNanos, int nodeCount) {
        memory.become(recovered);
        durable.become(recovered);
        perhaps = List.of();
        heardNanos = new long[nodeCount];
        Arrays.fill(heardNanos, nowNanos);
        lonelyElectionCount = 0;
        leadsSinceNanos = -1;
        commitIndex = 0;
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
        Copy copy = new Copy();
        copy.term = durable.term;
        copy.votedFor = durable.votedFor;
        copy.log.addAll(durable.log);
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

    private static boolean equal(Copy copy, Recovered recovered) {
        NodeId vote = recovered.hardState().votedFor();
        return copy.term == recovered.hardState().term()
                && (vote == null ? copy.votedFor == null : vote.equals(copy.votedFor))
                && copy.log.size() == recovered.entries().size()
                && copy.log.equals(recovered.entries());
    }
}
