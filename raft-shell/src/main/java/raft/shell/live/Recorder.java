package raft.shell.live;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Chronicle;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryWriter;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultOutcome;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * The history of a cluster that a person drives, in memory and in the run's folder, by the same
 * rules as the interpreter's: an invocation before it is asked, a completion after it is there.
 *
 * <p>For the cluster's thread. A file that cannot be written is said once and does not end the
 * session.
 */
final class Recorder {
    private final Path file;
    private final HistoryHeader header;
    private final Consumer<String> complain;
    private final List<HistoryEvent> events = new ArrayList<>();
    private final Set<Long> open = new TreeSet<>();
    private Chronicle chronicle = new Chronicle();
    private @Nullable HistoryWriter writer;

    Recorder(Path file, HistoryHeader header, Consumer<String> complain) {
        this.file = file;
        this.header = header;
        this.complain = complain;
        restart();
    }

    /** Forgets everything: time was turned back to 0. */
    void restart() {
        close();
        events.clear();
        open.clear();
        chronicle = new Chronicle();
        try {
            writer = new HistoryWriter(file, header);
        } catch (IOException e) {
            writer = null;
            complain.accept("nothing is recorded: " + e.getMessage());
        }
    }

    void invoked(Invocation asked, long nowNanos) {
        open.add(asked.process());
        write(chronicle.invoked(asked, nowNanos));
    }

    /** The completion's line; null for what nobody asked for here. */
    @Nullable HistoryEvent completed(Completion.Operation ended, long nowNanos) {
        return open.remove(ended.invocation().process())
                ? write(chronicle.ended(ended, nowNanos))
                : null;
    }

    void faultAsked(ActiveFault fault, boolean inject, long nowNanos) {
        write(chronicle.faultAsked(fault, inject, nowNanos));
    }

    void faultChanged(ActiveFault fault, boolean inject, FaultOutcome outcome, long nowNanos) {
        write(chronicle.faultChanged(fault, inject, outcome, nowNanos));
    }

    private HistoryEvent write(HistoryEvent event) {
        events.add(event);
        HistoryWriter out = writer;
        if (out != null) {
            try {
                out.append(event);
            } catch (IOException e) {
                complain.accept("recording ends here: " + e.getMessage());
                close();
            }
        }
        return event;
    }

    Path file() {
        return file;
    }

    HistoryHeader header() {
        return header;
    }

    List<HistoryEvent> events() {
        return List.copyOf(events);
    }

    void close() {
        HistoryWriter out = writer;
        writer = null;
        if (out != null) {
            try {
                out.close();
            } catch (IOException e) {
                complain.accept("the history could not be closed: " + e.getMessage());
            }
        }
    }
}
