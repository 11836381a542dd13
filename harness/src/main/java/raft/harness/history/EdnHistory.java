package raft.harness.history;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads and writes Jepsen's history.edn. Of Elle's transactions ({@code :f :txn :value [[:append k
 * v]]}) those of one micro-operation are read, as operations of a list or a register by key.
 */
final class EdnHistory {
    private final String file;
    private final Cursor in;
    private final EventOrder order = new EventOrder();
    private final Map<Long, Value> openValues = new HashMap<>();
    private final List<HistoryEvent> events = new ArrayList<>();

    /** Whether Elle's transactions are in it, and where the first of more than one operation is. */
    private boolean transactions;

    private int transactionAt = -1;

    EdnHistory(String file, String text, Runnable watch) {
        this.file = file;
        in = new Cursor(file, text, 1, watch);
    }

    History read() throws HistoryFormatException {
        Edn.skipSpace(in);
        boolean vector = in.peek() == '[' || in.peek() == '(';
        char close = in.peek() == '(' ? ')' : ']';
        if (vector) {
            in.next();
        }
        while (true) {
            Edn.skipSpace(in);
            if (in.atEnd()) {
                if (vector) {
                    throw in.error("the vector of operations does not end");
                }
                break;
            }
            if (vector && in.peek() == close) {
                break;
            }
            event();
        }
        if (events.isEmpty()) {
            throw in.error("no operation is in this file");
        }
        if (transactionAt >= 0) {
            throw in.errorAt(
                    transactionAt,
                    "this transaction is not one single operation on one key; linearizability is"
                        + " judged of single operations: record with :max-txn-length 1, or judge"
                        + " transactions with Elle");
        }
        List<HistoryEvent> split =
                transactions ? withoutTransactions() : independent() ? withoutKeyPairs() : events;
        return new History(HistoryFormat.header(file, HistoryFormat.suggestedModel(split)), split);
    }

    private void event() throws HistoryFormatException {
        int at = in.position();
        if (in.peek() == '#') {
            while (!in.atEnd() && in.peek() != '{') {
                in.next();
            }
        }
        if (in.peek() != '{') {
            throw in.error("a map with an operation was expected, not " + in.here());
        }
        List<Value> map = Edn.map(in);
        HistoryEvent.Type type = type(at, text(at, map, "type"));
        String f = text(at, map, "f");
        long process = process(at, Edn.lookup(map, "process"));
        Value given = Edn.lookup(map, "value");
        Value value = given == null ? Value.NIL : given;
        if (type == HistoryEvent.Type.INVOKE) {
            openValues.put(process, value);
        } else if (process >= 0) {
            Value asked = openValues.remove(process);
            // A completion that learnt nothing keeps what was asked.
            boolean learnt = type == HistoryEvent.Type.OK && given != null;
            value = learnt || asked == null ? value : asked;
        }
        Value key = Edn.lookup(map, "key");
        Value error = Edn.lookup(map, "error");
        long time = number(Edn.lookup(map, "time"), events.size() * 1_000_000L);
        var event =
                new HistoryEvent(
                        number(Edn.lookup(map, "index"), events.size()),
                        Math.max(0, time),
                        process,
                        process < 0 ? HistoryEvent.Type.INFO : type,
                        f,
                        key == null ? Value.NIL : key,
                        value,
                        null,
                        error == null || error instanceof Value.Nil
                                ? null
                                : error instanceof Value.Text(String text)
                                        ? text
                                        : error.toString(),
                        0,
                        0);
        String problem = order.problem(event);
        if (problem != null) {
            throw in.errorAt(at, problem);
        }
        if (f.equals("txn") && process >= 0) {
            transactions = true;
            if (transactionAt < 0 && single(value) == null) {
                transactionAt = at;
            }
        }
        events.add(event);
    }

    /** The one micro-operation [kind key value] of a transaction, else null. */
    private static @Nullable List<Value> single(Value transaction) {
        return transaction instanceof Value.Seq(List<Value> all)
                        && all.size() == 1
                        && all.getFirst() instanceof Value.Seq(List<Value> one)
                        && one.size() >= 2
                        && one.getFirst() instanceof Value.Text(String kind)
                        && List.of("append", "r", "w").contains(kind)
                ? one
                : null;
    }

    /** Transactions of one micro-operation are operations of a list or a register. */
    private List<HistoryEvent> withoutTransactions() {
        List<HistoryEvent> split = new ArrayList<>();
        for (HistoryEvent event : events) {
            List<Value> one = event.f().equals("txn") ? single(event.value()) : null;
            if (one == null || event.process() < 0) {
                split.add(event);
                continue;
            }
            String kind = ((Value.Text) one.getFirst()).text();
            boolean asks = kind.equals("r") && event.type() != HistoryEvent.Type.OK;
            split.add(
                    new HistoryEvent(
                            event.index(),
                            event.timeNanos(),
                            event.process(),
                            event.type(),
                            switch (kind) {
                                case "r" -> "read";
                                case "w" -> "write";
                                default -> "append";
                            },
                            one.get(1),
                            asks || one.size() < 3 ? Value.NIL : one.get(2),
                            event.node(),
                            event.error(),
                            event.term(),
                            event.logIndex()));
        }
        return split;
    }

    private static long number(@Nullable Value value, long otherwise) {
        return value instanceof Value.Int(long number) ? number : otherwise;
    }

    private String text(int at, List<Value> map, String name) throws HistoryFormatException {
        Value value = Edn.lookup(map, name);
        if (value instanceof Value.Text(String text)) {
            return text;
        }
        throw in.errorAt(at, "this operation has no :" + name);
    }

    private HistoryEvent.Type type(int at, String text) throws HistoryFormatException {
        return switch (text) {
            case "invoke" -> HistoryEvent.Type.INVOKE;
            case "ok" -> HistoryEvent.Type.OK;
            case "fail" -> HistoryEvent.Type.FAIL;
            case "info" -> HistoryEvent.Type.INFO;
            default -> throw in.errorAt(at, ":type must be :invoke, :ok, :fail or :info");
        };
    }

    private long process(int at, @Nullable Value value) throws HistoryFormatException {
        if (value instanceof Value.Int(long number) && number >= 0) {
            return number;
        }
        if (value instanceof Value.Text(String text) && !text.isEmpty()) {
            return HistoryEvent.NEMESIS;
        }
        throw in.errorAt(at, ":process must be a number from 0 or a keyword such as :nemesis");
    }

    /**
     * Whether the clients' values are pairs of a key and a value, as jepsen.independent makes them:
     * every invocation's value is a pair, a cas has a pair within the pair, and a read, or such a
     * cas, shows it. (A versioned register's reads ask [nil nil].)
     */
    private boolean independent() {
        boolean shown = false;
        for (HistoryEvent event : events) {
            if (event.process() == HistoryEvent.NEMESIS
                    || event.type() != HistoryEvent.Type.INVOKE) {
                continue;
            }
            List<Value> pair = keyed(event.value());
            if (pair == null) {
                return false;
            }
            if (event.f().equals("read")) {
                shown = true;
                if (pair.getFirst() instanceof Value.Nil) {
                    return false;
                }
            }
            if (event.f().equals("cas")) {
                if (!(pair.get(1) instanceof Value.Seq)) {
                    return false;
                }
                shown |= !(pair.getFirst() instanceof Value.Nil);
            }
        }
        return shown;
    }

    /** A key and a value, also where they were printed as a record {:key k :value v}. */
    private static @Nullable List<Value> keyed(Value value) {
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

    private List<HistoryEvent> withoutKeyPairs() {
        Map<Long, Value> openKeys = new HashMap<>();
        List<HistoryEvent> split = new ArrayList<>();
        for (HistoryEvent e : events) {
            if (e.process() == HistoryEvent.NEMESIS) {
                split.add(e);
                continue;
            }
            List<Value> pair = keyed(e.value());
            // A completion may have lost its key: it is the invocation's.
            Value asked = openKeys.get(e.process());
            boolean whole = pair != null && (asked == null || pair.getFirst().equals(asked));
            Value key = whole && pair != null ? pair.getFirst() : asked;
            if (e.type() == HistoryEvent.Type.INVOKE && key != null) {
                openKeys.put(e.process(), key);
            }
            split.add(
                    new HistoryEvent(
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
                            0));
        }
        return split;
    }

    static String write(History history) {
        var out = new StringBuilder();
        for (HistoryEvent event : history.events()) {
            boolean nemesis = event.process() == HistoryEvent.NEMESIS;
            out.append("{:index ").append(event.index());
            out.append(", :time ").append(event.timeNanos());
            out.append(", :process ").append(nemesis ? ":nemesis" : Long.toString(event.process()));
            out.append(", :type :").append(event.type().name().toLowerCase(Locale.ROOT));
            out.append(", :f :").append(event.f());
            if (!(event.key() instanceof Value.Nil)) {
                out.append(", :key ");
                write(out, event.key());
            }
            out.append(", :value ");
            write(out, event.value());
            if (event.error() != null) {
                out.append(", :error ");
                write(out, Value.of(event.error()));
            }
            out.append("}\n");
        }
        return out.toString();
    }

    static void write(StringBuilder out, Value value) {
        switch (value) {
            case Value.Nil ignored -> out.append("nil");
            case Value.Int(long number) -> out.append(number);
            case Value.Bool(boolean truth) -> out.append(truth);
            case Value.Text(String text) -> Json.write(out, text);
            case Value.Seq(List<Value> values) -> {
                out.append('[');
                for (int i = 0; i < values.size(); i++) {
                    if (i > 0) {
                        out.append(' ');
                    }
                    write(out, values.get(i));
                }
                out.append(']');
            }
        }
    }
}
