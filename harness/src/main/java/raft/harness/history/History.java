package raft.harness.history;

import java.util.List;

/** A whole history in memory. */
public record History(HistoryHeader header, List<HistoryEvent> events) {
    public History {
        events = List.copyOf(events);
    }
}
