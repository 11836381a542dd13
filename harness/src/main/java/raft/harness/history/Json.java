package raft.harness.history;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads and writes {@link Value}s as JSON. Hand-written because it is on the path of every event
 * recorded and because errors must name line and column.
 */
final class Json {
    private Json() {}

    static void skipSpace(Cursor in) {
        while (true) {
            char c = in.peek();
            if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
                return;
            }
            in.next();
        }
    }

    /** An object comes back as a Seq of [name, value] pairs. */
    static Value value(Cursor in) throws HistoryFormatException {
        skipSpace(in);
        char c = in.peek();
        return switch (c) {
            case '"' -> Value.of(in.quoted());
            case '[' -> array(in);
            case '{' -> object(in);
            case 't', 'f', 'n' -> literal(in);
            default -> {
                if (c == '-' || (c >= '0' && c <= '9')) {
                    yield in.number();
                }
                throw in.error("a JSON value was expected, not " + in.here());
            }
        };
    }

    private static Value literal(Cursor in) throws HistoryFormatException {
        int start = in.position();
        while (Character.isLetter(in.peek())) {
            in.next();
        }
        String word = in.between(start, in.position());
        return switch (word) {
            case "null" -> Value.NIL;
            case "true" -> new Value.Bool(true);
            case "false" -> new Value.Bool(false);
            default -> throw in.errorAt(start, "a JSON value was expected, not " + word);
        };
    }

    private static Value array(Cursor in) throws HistoryFormatException {
        in.enter();
        in.next();
        List<Value> values = new ArrayList<>();
        skipSpace(in);
        if (in.peek() == ']') {
            in.next();
        } else {
            do {
                values.add(value(in));
            } while (more(in, ']'));
        }
        in.leave();
        return new Value.Seq(values);
    }

    private static Value object(Cursor in) throws HistoryFormatException {
        in.enter();
        List<Value> pairs = new ArrayList<>();
        for (boolean more = open(in); more; more = more(in, '}')) {
            String name = name(in);
            pairs.add(Value.of(Value.of(name), value(in)));
        }
        in.leave();
        return new Value.Seq(pairs);
    }

    /** Steps into an object; false when it is empty and was left again. */
    static boolean open(Cursor in) throws HistoryFormatException {
        skipSpace(in);
        if (in.peek() != '{') {
            throw in.error("an object was expected, not " + in.here());
        }
        in.next();
        skipSpace(in);
        if (in.peek() == '}') {
            in.next();
            return false;
        }
        return true;
    }

    /** The name of the next member, and past its colon. */
    static String name(Cursor in) throws HistoryFormatException {
        skipSpace(in);
        String name = in.quoted();
        skipSpace(in);
        if (in.peek() != ':') {
            throw in.error("':' was expected after \"" + name + "\", not " + in.here());
        }
        in.next();
        skipSpace(in);
        return name;
    }

    /** Past a comma (true) or past the closing bracket (false). */
    static boolean more(Cursor in, char close) throws HistoryFormatException {
        skipSpace(in);
        char c = in.peek();
        if (c == ',' || c == close) {
            in.next();
            return c == ',';
        }
        throw in.error("',' or '" + close + "' was expected, not " + in.here());
    }

    static void write(StringBuilder out, Value value) {
        switch (value) {
            case Value.Nil ignored -> out.append("null");
            case Value.Int(long number) -> out.append(number);
            case Value.Bool(boolean truth) -> out.append(truth);
            case Value.Text(String text) -> write(out, text);
            case Value.Seq(List<Value> values) -> {
                out.append('[');
                for (int i = 0; i < values.size(); i++) {
                    if (i > 0) {
                        out.append(',');
                    }
                    write(out, values.get(i));
                }
                out.append(']');
            }
        }
    }

    static void write(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c) || c == '\u2028' || c == '\u2029') {
                // Surrogates are escaped so that an unpaired one survives the way through UTF-8.
                out.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    out.append(Character.forDigit((c >> shift) & 15, 16));
                }
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
