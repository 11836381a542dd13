package raft.harness.report;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;

import java.util.Locale;

/**
 * A history's event as people read it wherever one is shown: its number first, as explanations name
 * it.
 */
public final class EventLine {
    private EventLine() {}

    /** One line without its end. */
    public static String of(HistoryEvent event) {
        boolean asksNothing =
                event.type() == HistoryEvent.Type.INVOKE && event.value() instanceof Value.Nil;
        return String.format(
                        Locale.ROOT,
                        "%8d %12.3f ms  process %-5d %-6s %-8s %s %s%s",
                        event.index(),
                        event.timeNanos() / 1e6,
                        event.process(),
                        event.type().name().toLowerCase(Locale.ROOT),
                        event.f(),
                        event.key() instanceof Value.Nil ? "" : "key " + Value.shown(event.key()),
                        asksNothing ? "" : Value.shown(event.value()),
                        event.node() == null ? "" : "  at " + event.node())
                .stripTrailing();
    }
}
