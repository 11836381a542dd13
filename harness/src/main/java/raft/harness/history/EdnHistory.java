package raft.harness.history;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Reads and writes Jepsen's history.edn. Of Elle's transactions ({@code :f :txn :value [[:append k
 * v]]}) those of one micro-operation are read, as operations of a list or a register by key.
 */
final class EdnHistory {
    private final Cursor in;
    private final Consumer<HistoryEvent> events;
    private final EventOrder order = new EventOrder();
    private final Map<Long, Value> openValues = new HashMap<>();
    private long eventCount;

    /**
     * @param events gets what is read, in order
     */
    EdnHistory(Cursor in, Consumer<HistoryEvent> events) {
        this.in = in;
        this.events = events;
    }

    void read() throws HistoryFormatException {
        Edn.skipSpace(in);
        boolean vector = in.peek() == '[' || in.peek() == '(';
        char close = in.peek() == '(' ? ')' : ']';
        if (vector) {
            in.next();
        }
        while (true) {
            in.forget();
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
        if (eventCount == 0) {
            throw in.error("no operation is in this file");
        }
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
        long time = number(Edn.lookup(map, "time"), eventCount * 1_000_000L);
        var event =
                new HistoryEvent(
                        number(Edn.lookup(map, "index"), eventCount),
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
        eventCount++;
        events.accept(f.equals("txn") && process >= 0 ? single(at, event) : event);
    }

    /** A transaction of one micro-operation is an operation of a list or a register. */
    private HistoryEvent single(int at, HistoryEvent event) throws HistoryFormatException {
        List<Value> one = single(event.value());
        if (one == null) {
            throw in.errorAt(
                    at,
                    "this transaction is not one single operation on one key; linearizability is"
                        + " judged of single operations: record with :max-txn-length 1, or judge"
                        + " transactions with Elle");
        }
        String kind = ((Value.Text) one.getFirst()).text();
        boolean asks = kind.equals("r") && event.type() != HistoryEvent.Type.OK;
        return new HistoryEvent(
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
                event.logIndex());
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
