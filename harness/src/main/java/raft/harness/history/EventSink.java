package raft.harness.history;

/** Takes a history piece by piece, so that one larger than memory can be read. */
public interface EventSink {
    /** Called once, before any event. */
    void header(HistoryHeader header);

    /** Called for each event in order. */
    void event(HistoryEvent event);

    /** Something odd that does not make the history unreadable: one sentence. */
    default void warning(String sentence) {}
}
