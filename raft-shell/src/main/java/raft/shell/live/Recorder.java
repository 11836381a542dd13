package raft.shell.live;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryWriter;
import raft.harness.history.Value;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultOutcome;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
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
    private final Map<Long, HistoryEvent> open = new TreeMap<>();
    private @Nullable HistoryWriter writer;
    private long lastTimeNanos;

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
        lastTimeNanos = 0;
        try {
            writer = new HistoryWriter(file, header);
        } catch (IOException e) {
            writer = null;
            complain.accept("nothing is recorded: " + e.getMessage());
        }
    }

    void invoked(Invocation asked, long nowNanos) {
        HistoryEvent event =
                write(
                        nowNanos,
                        asked.process(),
                        Type.INVOKE,
                        asked.f(),
                        asked.key(),
                        asked.value(),
                        asked.node(),
                        null,
                        0,
                        0);
        open.put(asked.process(), event);
    }

    /** The completion's line; null for what nobody asked for here. */
    @Nullable HistoryEvent completed(Completion.Operation ended, long nowNanos) {
        Invocation asked = ended.invocation();
        if (open.remove(asked.process()) == null) {
            return null;
        }
        return write(
                nowNanos,
                asked.process(),
                ended.type(),
                asked.f(),
                asked.key(),
                ended.value(),
                ended.node(),
                ended.error(),
                ended.term(),
                ended.logIndex());
    }

    void faultAsked(ActiveFault fault, boolean inject, long nowNanos) {
        fault(
                Type.INVOKE,
                inject,
                fault,
                inject ? List.of(fault.action().toString()) : List.of(),
                null,
                nowNanos);
    }

    void faultChanged(ActiveFault fault, boolean inject, FaultOutcome outcome, long nowNanos) {
        Type type =
                switch (outcome.status()) {
                    case INSTALLED -> Type.OK;
                    case SKIPPED -> Type.FAIL;
                    case INDETERMINATE -> Type.INFO;
                };
        fault(
                type,
                inject,
                fault,
                outcome.evidence(),
                type == Type.OK ? null : outcome.status().name().toLowerCase(Locale.ROOT),
                nowNanos);
    }

    private void fault(
            Type type,
            boolean inject,
            ActiveFault fault,
            List<String> words,
            @Nullable String error,
            long nowNanos) {
        write(
                nowNanos,
                HistoryEvent.NEMESIS,
                type,
                inject ? "inject" : "heal",
                Value.of(fault.kind() + " #" + fault.id()),
                new Value.Seq(words.stream().map(Value::of).toList()),
                null,
                error,
                0,
                0);
    }

    private HistoryEvent write(
            long nowNanos,
            long process,
            Type type,
            String f,
            Value key,
            Value value,
            @Nullable String node,
            @Nullable String error,
            long term,
            long logIndex) {
        lastTimeNanos = Math.max(lastTimeNanos, nowNanos);
        HistoryEvent event =
                new HistoryEvent(
                        events.size(),
                        lastTimeNanos,
                        process,
                        type,
                        f,
                        key,
                        value,
                        node,
                        error,
                        term,
                        logIndex);
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
