package raft.harness.history;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.Map;

/** Checks, as events come in, that every completion has its invocation and none is doubled. */
final class EventOrder {
    private final Map<Long, String> openFunctions = new HashMap<>();

    /** One sentence that says what is wrong with this event here, or null. */
    @Nullable String problem(HistoryEvent event) {
        long process = event.process();
        if (process == HistoryEvent.NEMESIS) {
            return null;
        }
        if (event.type() == HistoryEvent.Type.INVOKE) {
            String open = openFunctions.put(process, event.f());
            return open == null
                    ? null
                    : "process "
                            + process
                            + " invokes "
                            + event.f()
                            + " while its "
                            + open
                            + " has not ended";
        }
        String open = openFunctions.remove(process);
        if (open == null) {
            return "process " + process + " ends " + event.f() + " but has invoked nothing";
        }
        return open.equals(event.f())
                ? null
                : "process " + process + " ends " + event.f() + " but had invoked " + open;
    }
}
