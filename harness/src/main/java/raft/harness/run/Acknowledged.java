package raft.harness.run;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Writes that were acknowledged and then lost, found by their places in the log alone, whatever the
 * clients read later. Every acknowledged write was committed at its place, so no two share one, and
 * terms never fall from one place to the next (Leader Completeness, §5.4).
 *
 * <p>Beside linearizability: it tells the cause, and also sees losses that no client looked at.
 */
final class Acknowledged {
    private static final int LINES_MAX = 5;

    private Acknowledged() {}

    /**
     * One sentence for each contradiction, at most {@value #LINES_MAX}.
     *
     * @param history of a system whose answers tell term and index of what was written
     */
    static List<String> lost(History history) {
        List<HistoryEvent> writes = new ArrayList<>();
        for (HistoryEvent event : history.events()) {
            if (event.type() == Type.OK
                    && event.process() != HistoryEvent.NEMESIS
                    && event.logIndex() > 0
                    && !event.f().equals("read")) {
                writes.add(event);
            }
        }
        writes.sort(
                Comparator.comparingLong(HistoryEvent::logIndex)
                        .thenComparingLong(HistoryEvent::index));
        List<String> lost = new ArrayList<>();
        for (int i = 1; i < writes.size() && lost.size() < LINES_MAX; i++) {
            HistoryEvent before = writes.get(i - 1);
            HistoryEvent after = writes.get(i);
            if (before.logIndex() == after.logIndex()) {
                lost.add(
                        "acknowledged and then lost: "
                                + words(before)
                                + " and "
                                + words(after)
                                + " were both told to be committed at index "
                                + after.logIndex());
            } else if (before.term() > after.term()) {
                lost.add(
                        "acknowledged and then lost: "
                                + words(before)
                                + " at index "
                                + before.logIndex()
                                + " cannot stand before "
                                + words(after)
                                + " at index "
                                + after.logIndex());
            }
        }
        return lost;
    }

    private static String words(HistoryEvent event) {
        return event.f()
                + " "
                + event.value()
                + " of key "
                + event.key()
                + " (event "
                + event.index()
                + ", term "
                + event.term()
                + ")";
    }
}
