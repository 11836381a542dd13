package raft.harness.history;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Takes apart the pairs of a key and a value that jepsen.independent makes of clients' values. */
final class KeyPairs {
    private final Map<Long, Value> openKeys = new HashMap<>();

    /** A key and a value, also where they were printed as a record {:key k :value v}. */
    static @Nullable List<Value> of(Value value) {
        if (!(value instanceof Value.Seq(List<Value> pair)) || pair.size() != 2) {
            return null;
        }
        if (pair.getFirst() instanceof Value.Seq && pair.get(1) instanceof Value.Seq) {
            Value key = Edn.lookup(pair, "key");
            Value inner = Edn.lookup(pair, "value");
            if (key != null && inner != null) {
                return List.of(key, inner);
            }
        }
        return pair;
    }

    /** Whether all clients' events have keys, so that all their values can be such pairs. */
    static boolean canBeMade(List<HistoryEvent> events) {
        return events.stream()
                .allMatch(
                        event ->
                                event.process() == HistoryEvent.NEMESIS
                                        || !(event.key() instanceof Value.Nil));
    }

    /** The next event with its key apart; a completion may have lost it: it is the invocation's. */
    HistoryEvent without(HistoryEvent e) {
        if (e.process() == HistoryEvent.NEMESIS) {
            return e;
        }
        List<Value> pair = of(e.value());
        boolean asks = e.type() == HistoryEvent.Type.INVOKE;
        Value asked = asks ? null : openKeys.get(e.process());
        boolean whole = pair != null && (asked == null || pair.getFirst().equals(asked));
        Value key = whole && pair != null ? pair.getFirst() : asked;
        if (asks && key != null) {
            openKeys.put(e.process(), key);
        }
        return new HistoryEvent(
                e.index(),
                e.timeNanos(),
                e.process(),
                e.type(),
                e.f(),
                key == null ? Value.NIL : key,
                whole && pair != null ? pair.get(1) : e.value(),
                null,
                e.error(),
                0,
                0);
    }
}
