package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.ProtocolException;
import raft.client.Wording;
import raft.core.Entry;
import raft.core.NodeId;
import raft.core.Snapshot;
import raft.harness.cluster.LogLine;
import raft.harness.cluster.LogWindow;
import raft.harness.sim.Steppable.NodeView;
import raft.harness.sim.Steppable.Occurrence;
import raft.harness.sim.Steppable.Sort;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * What is pending and how nodes are, shown to a person; and the agenda's entries, put elsewhere at
 * a person's wish. Changes nothing by itself.
 */
final class Meddling {
    private final SimCluster world;
    private final Agenda agenda;

    Meddling(SimCluster world, Agenda agenda) {
        this.world = world;
        this.agenda = agenda;
    }

    // ---- The agenda ----

    List<Occurrence> pending() {
        return agenda.all().stream()
                .filter(Meddling::isLive)
                .sorted(
                        Comparator.comparingLong(Happening::timeNanos)
                                .thenComparingLong(Happening::sequence))
                .map(this::occurrence)
                .toList();
    }

    /** Not of a process that is gone, and not a timer that was put off meanwhile. */
    private static boolean isLive(Happening happening) {
        SimNode.Life life = happening.life();
        SimNode node = happening.node();
        if (life == null || node == null) {
            return true;
        }
        return node.life == life
                && (happening.kind() != Happening.Kind.TIMER
                        || life.timerNanos == happening.timeNanos());
    }

    Occurrence occurrence(Happening happening) {
        SimNode node = happening.node();
        return new Occurrence(
                happening.sequence(),
                happening.timeNanos(),
                sort(happening.kind()),
                node == null ? null : node.id.name(),
                happening.from() < 0 ? null : world.nodeIds().get(happening.from()).name(),
                happening.cause(),
                Words.of(world, happening));
    }

    private static Sort sort(Happening.Kind kind) {
        return switch (kind) {
            case MESSAGE -> Sort.MESSAGE;
            case TIMER -> Sort.TIMER;
            case FSYNC, SNAPSHOT -> Sort.DISK;
            case REQUEST, REPLY, CLIENT_TIMEOUT -> Sort.CLIENT;
            case FAULT_CHANGE -> Sort.FAULT;
            case TURN, OBSERVE, UPKEEP -> Sort.OTHER;
        };
    }

    @Nullable Happening find(long sequence) {
        return agenda.all().stream()
                .filter(happening -> happening.sequence() == sequence)
                .findFirst()
                .orElse(null);
    }

    boolean isMessage(long sequence) {
        Happening found = find(sequence);
        return found != null && found.kind() == Happening.Kind.MESSAGE;
    }

    boolean again(long sequence, long laterNanos, long newSequence) {
        Happening found = find(sequence);
        if (found == null) {
            return false;
        }
        agenda.add(found.at(found.timeNanos() + laterNanos, newSequence));
        return true;
    }

    boolean later(long sequence, long nanos) {
        Happening found = agenda.remove(sequence);
        if (found == null) {
            return false;
        }
        if (found.kind() == Happening.Kind.TIMER && found.life() != null) {
            found.life().timerNanos = found.timeNanos() + nanos;
        }
        agenda.add(found.at(found.timeNanos() + nanos, sequence));
        return true;
    }

    // ---- Nodes ----

    NodeView view(SimNode node) {
        SimNode.Life life = node.life;
        if (life == null) {
            Shadow.Copy disk = node.shadow.durable;
            long last = disk.lastIndex();
            return new NodeView(
                    node.id.name(),
                    "down",
                    "",
                    disk.term,
                    name(disk.votedFor),
                    null,
                    0,
                    0,
                    last,
                    last,
                    disk.termAt(last),
                    1,
                    0,
                    List.of(),
                    List.of(),
                    0);
        }
        var raft = life.raft;
        Snapshot snapshot = raft.snapshot();
        return new NodeView(
                node.id.name(),
                node.isPaused() ? "paused" : "up",
                SimCluster.word(raft.role()),
                raft.term(),
                name(raft.votedFor()),
                name(raft.leader()),
                raft.commitIndex(),
                raft.appliedIndex(),
                raft.durableIndex(),
                raft.lastIndex(),
                raft.lastTerm(),
                raft.firstIndex(),
                snapshot == null ? 0 : snapshot.index(),
                names(raft.configuration().voters()),
                names(raft.configuration().learners()),
                raft.configurationIndex());
    }

    private static List<String> names(List<NodeId> nodes) {
        return nodes.stream().map(NodeId::name).toList();
    }

    private static @Nullable String name(@Nullable NodeId node) {
        return node == null ? null : node.name();
    }

    static LogWindow log(SimNode node, long fromIndex, int count) {
        SimNode.Life life = node.life;
        List<Entry> log = life == null ? node.shadow.durable.log : node.shadow.memory.log;
        List<LogLine> lines = new ArrayList<>();
        for (Entry entry : log) {
            boolean kept = life == null || entry.index() >= life.raft.firstIndex();
            if (kept && entry.index() >= fromIndex && lines.size() < count) {
                lines.add(line(entry));
            }
        }
        return new LogWindow(
                node.id.name(),
                "",
                life == null ? firstIndex(log) : life.raft.firstIndex(),
                life == null ? 0 : life.raft.commitIndex(),
                lines);
    }

    private static long firstIndex(List<Entry> log) {
        return log.isEmpty() ? 1 : log.getFirst().index();
    }

    private static LogLine line(Entry entry) {
        return new LogLine(
                entry.index(),
                entry.term(),
                entry.kind().name().toLowerCase(Locale.ROOT),
                entry.payload().sizeBytes(),
                entry.kind() == Entry.Kind.COMMAND ? command(entry) : "");
    }

    private static String command(Entry entry) {
        try {
            return Wording.of(ClientCodec.decodeCommand(Blob.wrap(entry.payload().unsafeArray())));
        } catch (ProtocolException e) {
            return "unreadable";
        }
    }
}
