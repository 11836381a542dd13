package raft.harness.cluster;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import java.util.List;
import java.util.Locale;

/**
 * The one place that says what asking and what came of it are as events of a history: numbered from
 * 0, never going back in time. One for each history; for one thread.
 */
public final class Chronicle {
    private long eventCount;
    private long lastTimeNanos;

    /** An operation is asked for. */
    public HistoryEvent invoked(Invocation asked, long nowNanos) {
        return event(
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
    }

    /** An operation ended. */
    public HistoryEvent ended(Completion.Operation ended, long nowNanos) {
        Invocation asked = ended.invocation();
        return event(
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

    /**
     * A fault is to be put into effect, or taken back.
     *
     * @param inject false for taking it back
     */
    public HistoryEvent faultAsked(ActiveFault fault, boolean inject, long nowNanos) {
        List<String> words = inject ? List.of(fault.action().toString()) : List.of();
        return fault(Type.INVOKE, inject, fault, words, null, nowNanos);
    }

    /** What came of that. */
    public HistoryEvent faultChanged(
            ActiveFault fault, boolean inject, FaultOutcome outcome, long nowNanos) {
        Type type =
                switch (outcome.status()) {
                    case INSTALLED -> Type.OK;
                    case SKIPPED -> Type.FAIL;
                    case INDETERMINATE -> Type.INFO;
                };
        String error =
                outcome.status() == Status.INSTALLED
                        ? null
                        : outcome.status().name().toLowerCase(Locale.ROOT);
        return fault(type, inject, fault, outcome.evidence(), error, nowNanos);
    }

    private HistoryEvent fault(
            Type type,
            boolean inject,
            ActiveFault fault,
            List<String> words,
            @Nullable String error,
            long nowNanos) {
        return event(
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

    private HistoryEvent event(
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
        return new HistoryEvent(
                eventCount++,
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
    }
}
