package raft.harness.report;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryIndex;

/**
 * Where two histories part. Times are compared apart: two runs of one seed on containers do the
 * same at other times.
 *
 * @param sameEvents events from the begin that say the same
 * @param sameTimes events from the begin that also bear the same time
 * @param leftEvents events of the one
 * @param rightEvents events of the other
 */
public record HistoryDiff(int sameEvents, int sameTimes, int leftEvents, int rightEvents) {
    /** Compares event by event, up to the first that differs. */
    public static HistoryDiff of(HistoryIndex left, HistoryIndex right) {
        int shorter = Math.min(left.size(), right.size());
        int times = -1;
        int i = 0;
        for (; i < shorter; i++) {
            HistoryEvent a = left.event(i);
            HistoryEvent b = right.event(i);
            if (times < 0 && a.timeNanos() != b.timeNanos()) {
                times = i;
            }
            if (!withoutTime(a).equals(withoutTime(b))) {
                break;
            }
        }
        return new HistoryDiff(i, times < 0 ? i : times, left.size(), right.size());
    }

    private static HistoryEvent withoutTime(HistoryEvent event) {
        return new HistoryEvent(
                event.index(),
                0,
                event.process(),
                event.type(),
                event.f(),
                event.key(),
                event.value(),
                event.node(),
                event.error(),
                event.term(),
                event.logIndex());
    }

    /** Event by event, times apart. */
    public boolean same() {
        return sameEvents == leftEvents && sameEvents == rightEvents;
    }

    /** Also in their times. */
    public boolean sameToTheNanosecond() {
        return same() && sameTimes == sameEvents;
    }
}
