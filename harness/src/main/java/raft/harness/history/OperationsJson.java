package raft.harness.history;

import org.jspecify.annotations.Nullable;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Operations as Porcupine has them, as a JSON list or one object a line:
 *
 * <pre>{"clientId": 0, "call": 10, "return": 25,
 *  "input": {"op": "put", "key": "x", "value": "1"}, "output": {"value": "1", "ok": true}}</pre>
 *
 * <p>Names are compared without regard to case. An operation without "return", or with one that is
 * null or negative, or whose output says "unknown", may have taken effect. The input may also be
 * {@code {"op": "cas", "expected": 1, "new": 2}} or have our own {@code f} and {@code value}; the
 * output may be the bare value. A cas whose output says {@code "ok": false} was refused.
 */
final class OperationsJson {
    private static final List<String> NUMBERED_KV = List.of("get", "put", "append");
    private static final List<String> NUMBERED_REGISTER = List.of("read", "write", "cas");

    /** Calls sort before returns at equal time: operations that touch are concurrent. */
    static final Comparator<HistoryEvent> ORDER =
            Comparator.comparingLong(HistoryEvent::timeNanos)
                    .thenComparing(e -> e.type() != HistoryEvent.Type.INVOKE)
                    .thenComparingLong(HistoryEvent::process);

    private final Cursor in;
    private final Consumer<HistoryEvent> events;

    /**
     * @param events gets what is read, in the file's order and not in that of time
     */
    OperationsJson(Cursor in, Consumer<HistoryEvent> events) {
        this.in = in;
        this.events = events;
    }

    void read() throws HistoryFormatException {
        Json.skipSpace(in);
        boolean list = in.peek() == '[';
        if (list) {
            in.next();
            Json.skipSpace(in);
        }
        long number = 0;
        boolean more = list ? in.peek() != ']' : !in.atEnd();
        while (more) {
            in.forget();
            operation(number++);
            if (list) {
                more = Json.more(in, ']');
            } else {
                Json.skipSpace(in);
                more = !in.atEnd();
            }
        }
    }

    /** With its place in the order. */
    static HistoryEvent renumbered(HistoryEvent e, long index) {
        return new HistoryEvent(
                index,
                e.timeNanos(),
                e.process(),
                e.type(),
                e.f(),
                e.key(),
                e.value(),
                null,
                e.error(),
                0,
                0);
    }

    private void operation(long number) throws HistoryFormatException {
        Json.skipSpace(in);
        int at = in.position();
        if (in.peek() != '{') {
            throw in.error("an operation was expected, not " + in.here());
        }
        List<Value> map = pairs(Json.value(in));
        Value input = field(map, "input");
        Value output = field(map, "output");
        if (input == null) {
            throw in.errorAt(at, "this operation has no \"input\"");
        }
        long call = time(at, map, "call", -1);
        long end = time(at, map, "return", -1);
        if (call < 0) {
            throw in.errorAt(at, "this operation has no \"call\" time");
        }
        if (end >= 0 && end < call) {
            throw in.errorAt(at, "this operation returns before it is called");
        }
        List<Value> asked = pairs(input);
        List<Value> answer = output == null ? List.of() : pairs(output);
        String f = function(at, asked);
        Value key = orNil(field(asked, "key"));
        Value argument = argument(f, asked);
        boolean unknown = end < 0 || isTrue(field(answer, "unknown"));
        events.accept(event(call, number, HistoryEvent.Type.INVOKE, f, key, argument, null));
        if (end < 0) {
            return;
        }
        Value success = field(answer, "ok") == null ? output : field(answer, "ok");
        boolean refused =
                f.equals("cas") && success instanceof Value.Bool(boolean succeeded) && !succeeded;
        var type =
                unknown
                        ? HistoryEvent.Type.INFO
                        : refused ? HistoryEvent.Type.FAIL : HistoryEvent.Type.OK;
        boolean learns = f.equals("read") || f.equals("get") || f.equals("dequeue");
        Value learnt = learns && !unknown ? answered(output, answer) : argument;
        events.accept(event(end, number, type, f, key, learnt, refused ? "compare-failed" : null));
    }

    /** Each operation is its own process: Porcupine's clients may overlap with themselves. */
    private static HistoryEvent event(
            long nanos,
            long process,
            HistoryEvent.Type type,
            String f,
            Value key,
            Value value,
            @Nullable String error) {
        return new HistoryEvent(0, nanos, process, type, f, key, value, null, error, 0, 0);
    }

    private static Value answered(@Nullable Value output, List<Value> answer) {
        Value value = field(answer, "value");
        if (value != null) {
            boolean absent = field(answer, "exists") instanceof Value.Bool(boolean is) && !is;
            return absent ? Value.NIL : value;
        }
        return output == null || !answer.isEmpty() ? Value.NIL : output;
    }

    private String function(int at, List<Value> input) throws HistoryFormatException {
        Value f = field(input, "f");
        Value op = f == null ? field(input, "op") : f;
        if (op instanceof Value.Text(String text)) {
            return text.toLowerCase(Locale.ROOT);
        }
        if (op instanceof Value.Int(long number) && number >= 0 && number <= 2) {
            boolean register = field(input, "arg1") != null;
            return (register ? NUMBERED_REGISTER : NUMBERED_KV).get((int) number);
        }
        throw in.errorAt(
                at, "the input has no \"op\": a name, or 0, 1, 2 as Porcupine numbers them");
    }

    private static Value argument(String f, List<Value> input) {
        Value expected = first(input, "expected", "old", "from", "arg1");
        Value changed = first(input, "new", "to", "arg2");
        if (f.equals("cas") && expected != null && changed != null) {
            return Value.of(expected, changed);
        }
        if (f.equals("read") || f.equals("get")) {
            return Value.NIL;
        }
        return orNil(first(input, "value", "arg1"));
    }

    private static @Nullable Value first(List<Value> map, String... names) {
        for (String name : names) {
            Value value = field(map, name);
            if (value != null) {
                return value;
            }
        }
        return null;
    }

    private long time(int at, List<Value> map, String name, long otherwise)
            throws HistoryFormatException {
        Value value = field(map, name);
        if (value == null || value instanceof Value.Nil) {
            return otherwise;
        }
        if (value instanceof Value.Int(long number)) {
            return number;
        }
        throw in.errorAt(at, "\"" + name + "\" must be a whole number, not " + value);
    }

    private static boolean isTrue(@Nullable Value value) {
        return value instanceof Value.Bool(boolean truth) && truth;
    }

    private static Value orNil(@Nullable Value value) {
        return value == null ? Value.NIL : value;
    }

    private static @Nullable Value field(List<Value> map, String name) {
        for (Value pair : map) {
            if (pair instanceof Value.Seq(List<Value> entry)
                    && entry.size() == 2
                    && entry.getFirst() instanceof Value.Text(String text)
                    && text.equalsIgnoreCase(name)) {
                return entry.get(1);
            }
        }
        return null;
    }

    private static List<Value> pairs(Value value) {
        return value instanceof Value.Seq(List<Value> pairs) ? pairs : List.of();
    }

    static String write(History history) {
        var out = new StringBuilder("[");
        List<HistoryEvent> events = history.events();
        var open = new HashMap<Long, HistoryEvent>();
        var ends = new HashMap<Long, HistoryEvent>();
        for (HistoryEvent event : events) {
            if (event.process() == HistoryEvent.NEMESIS) {
                continue;
            }
            if (event.type() == HistoryEvent.Type.INVOKE) {
                open.put(event.process(), event);
            } else {
                HistoryEvent invocation = open.remove(event.process());
                if (invocation != null) {
                    ends.put(invocation.index(), event);
                }
            }
        }
        for (HistoryEvent event : events) {
            if (event.process() != HistoryEvent.NEMESIS
                    && event.type() == HistoryEvent.Type.INVOKE) {
                write(out, event, ends.get(event.index()));
            }
        }
        return out.append("\n]\n").toString();
    }

    /** Leaves out what certainly did not happen: the format has no words for it. */
    private static void write(StringBuilder out, HistoryEvent call, @Nullable HistoryEvent end) {
        boolean refused =
                end != null
                        && end.type() == HistoryEvent.Type.FAIL
                        && "compare-failed".equals(end.error());
        if (end != null && end.type() == HistoryEvent.Type.FAIL && !refused) {
            return;
        }
        out.append(out.length() > 1 ? ",\n" : "\n");
        out.append("{\"clientId\":").append(call.process());
        // Places and not times: equal times would lose the order.
        out.append(",\"call\":").append(call.index());
        out.append(",\"input\":{\"op\":");
        Json.write(out, call.f());
        if (!(call.key() instanceof Value.Nil)) {
            out.append(",\"key\":");
            Json.write(out, call.key());
        }
        if (call.f().equals("cas") && call.value() instanceof Value.Seq(List<Value> pair)) {
            out.append(",\"expected\":");
            Json.write(out, pair.get(0));
            out.append(",\"new\":");
            Json.write(out, pair.get(1));
        } else {
            out.append(",\"value\":");
            Json.write(out, call.value());
        }
        out.append('}');
        if (end != null && end.type() != HistoryEvent.Type.INFO) {
            out.append(",\"return\":").append(end.index()).append(",\"output\":{\"value\":");
            Json.write(out, end.value());
            out.append(",\"ok\":").append(!refused).append('}');
        }
        out.append('}');
    }
}
