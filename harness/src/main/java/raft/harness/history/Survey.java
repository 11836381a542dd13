package raft.harness.history;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the events of a history without a header say about all of it: the model that its functions
 * suggest, and whether values carry keys. It holds no event.
 */
final class Survey {
    private final Suggestion plain = new Suggestion();
    private final Suggestion apart = new Suggestion();
    private final KeyPairs pairs = new KeyPairs();
    private boolean allPairs = true;
    private boolean shown;

    /** The next event, as it is in the file. */
    void see(HistoryEvent event) {
        if (event.process() == HistoryEvent.NEMESIS) {
            return;
        }
        plain.see(event);
        if (allPairs) {
            apart.see(pairs.without(event));
            allPairs = event.type() != HistoryEvent.Type.INVOKE || pair(event);
        }
    }

    /** Whether an invocation's value may be a pair of a key and a value. */
    private boolean pair(HistoryEvent invocation) {
        List<Value> pair = KeyPairs.of(invocation.value());
        if (pair == null) {
            return false;
        }
        boolean named = !(pair.getFirst() instanceof Value.Nil);
        return switch (invocation.f()) {
            case "read" -> {
                shown = true;
                yield named;
            }
            case "cas" -> {
                shown |= named;
                yield pair.get(1) instanceof Value.Seq;
            }
            default -> {
                shown |= named && pair.get(1) instanceof Value.Nil;
                yield true;
            }
        };
    }

    /**
     * Whether the clients' values are pairs of a key and a value, as jepsen.independent makes them:
     * every invocation's value is a pair, a cas has a pair within the pair, and a read, or such a
     * cas, or whatever else asks for an unknown value of a key shows it. (A versioned register's
     * reads ask [nil nil].)
     */
    boolean keyed() {
        return allPairs && shown;
    }

    /**
     * The model that the functions suggest, "" where they suggest none.
     *
     * @param keysApart whether keys were taken out of the values
     */
    String model(boolean keysApart) {
        return (keysApart ? apart : plain).model();
    }

    /** What functions and answers there were. */
    private static final class Suggestion {
        private final Set<String> functions = new HashSet<>();
        private boolean readLists;
        private boolean readTexts;
        private boolean readNumbers;
        private boolean versioned = true;

        void see(HistoryEvent event) {
            functions.add(event.f());
            if (event.type() == HistoryEvent.Type.OK && event.f().equals("read")) {
                readLists |= event.value() instanceof Value.Seq;
                readTexts |= event.value() instanceof Value.Text;
                readNumbers |= event.value() instanceof Value.Int;
            }
            versioned &= !event.f().equals("write") || versioned(event.value());
        }

        /** Whether this is a pair [version value]. */
        private static boolean versioned(Value value) {
            return value instanceof Value.Seq(List<Value> pair)
                    && pair.size() == 2
                    && (pair.getFirst() instanceof Value.Nil
                            || pair.getFirst() instanceof Value.Int);
        }

        String model() {
            if (any("get", "put")) {
                return "key-value";
            }
            if (any("append")) {
                return readTexts && !readLists ? "key-value" : "list-append";
            }
            if (any("enqueue", "dequeue")) {
                return "queue";
            }
            if (any("acquire", "release")) {
                return "lock";
            }
            if (any("increment")) {
                return "counter";
            }
            if (any("add")) {
                return readNumbers && !readLists ? "counter" : "set";
            }
            if (readLists && any("write") && versioned) {
                return "versioned-register";
            }
            return any("write", "cas", "read") ? "cas-register" : "";
        }

        private boolean any(String... names) {
            return List.of(names).stream().anyMatch(functions::contains);
        }
    }
}
