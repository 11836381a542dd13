package raft.harness.history;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Reads the part of EDN that histories use. Keywords and symbols become texts without their colon;
 * sets, lists and vectors become Seqs; a map becomes a Seq of [key, value] pairs; tags are dropped.
 */
final class Edn {
    private static final String DELIMITERS = " \t\r\n\f,;\"()[]{}";

    private Edn() {}

    static void skipSpace(Cursor in) throws HistoryFormatException {
        while (!in.atEnd()) {
            char c = in.peek();
            if (c == ';') {
                while (!in.atEnd() && in.peek() != '\n') {
                    in.next();
                }
            } else if (" \t\n\r\f,\ufeff".indexOf(c) >= 0) {
                in.next();
            } else {
                return;
            }
        }
    }

    static Value value(Cursor in) throws HistoryFormatException {
        skipSpace(in);
        char c = in.peek();
        return switch (c) {
            case '"' -> Value.of(in.quoted());
            case '[' -> many(in, ']');
            case '(' -> many(in, ')');
            case '{' -> inOneOrder(map(in));
            case '#' -> tagged(in);
            default -> atom(in);
        };
    }

    /** Sets and maps have no order, so equal ones must come out equal whatever theirs was. */
    private static Value inOneOrder(List<Value> values) {
        return new Value.Seq(
                values.stream().sorted(Comparator.comparing(Value::toString)).toList());
    }

    /** The entries of a map as pairs, in order; the cursor stands at its brace. */
    static List<Value> map(Cursor in) throws HistoryFormatException {
        in.enter();
        in.next();
        List<Value> pairs = new ArrayList<>();
        while (true) {
            skipSpace(in);
            if (in.atEnd()) {
                throw in.error("this map does not end");
            }
            if (in.peek() == '}') {
                in.next();
                in.leave();
                return pairs;
            }
            int at = in.position();
            Value key = value(in);
            skipSpace(in);
            if (in.peek() == '}') {
                throw in.errorAt(at, "this key has no value");
            }
            pairs.add(Value.of(key, value(in)));
        }
    }

    /** The value of a name in a map's pairs, or null. */
    static @Nullable Value lookup(List<Value> pairs, String name) {
        for (Value pair : pairs) {
            if (pair instanceof Value.Seq(List<Value> entry)
                    && entry.size() == 2
                    && entry.getFirst() instanceof Value.Text(String text)
                    && text.equals(name)) {
                return entry.get(1);
            }
        }
        return null;
    }

    private static Value many(Cursor in, char close) throws HistoryFormatException {
        int start = in.position();
        in.enter();
        in.next();
        List<Value> values = new ArrayList<>();
        while (true) {
            skipSpace(in);
            if (in.atEnd()) {
                throw in.errorAt(start, "this does not end; '" + close + "' is missing");
            }
            if (in.peek() == close) {
                in.next();
                in.leave();
                return new Value.Seq(values);
            }
            values.add(value(in));
        }
    }

    private static Value tagged(Cursor in) throws HistoryFormatException {
        in.next();
        if (in.peek() == '{') {
            return inOneOrder(((Value.Seq) many(in, '}')).values());
        }
        if (in.peek() == '#') {
            // ##NaN, ##Inf.
            return Value.of("#" + word(in));
        }
        in.enter();
        if (in.peek() == '_') {
            in.next();
            value(in);
        } else {
            word(in);
        }
        Value value = value(in);
        in.leave();
        return value;
    }

    private static Value atom(Cursor in) throws HistoryFormatException {
        int start = in.position();
        char c = in.peek();
        boolean sign = c == '-' || c == '+';
        if (sign) {
            in.next();
        }
        boolean number = in.peek() >= '0' && in.peek() <= '9';
        in.moveTo(start);
        if (number) {
            Value value = in.number();
            if (in.atEnd() || DELIMITERS.indexOf(in.peek()) >= 0) {
                return value;
            }
            // A ratio, a number in another base.
            in.moveTo(start);
            return Value.of(word(in));
        }
        if (c == '\\') {
            in.next();
            in.next();
            word(in);
            return Value.of(in.between(start, in.position()));
        }
        if (c == ':') {
            in.next();
        }
        String word = word(in);
        if (word.isEmpty()) {
            throw in.errorAt(start, "an EDN value was expected, not " + in.here());
        }
        if (c == ':') {
            return Value.of(word);
        }
        return switch (word) {
            case "nil" -> Value.NIL;
            case "true" -> new Value.Bool(true);
            case "false" -> new Value.Bool(false);
            default -> Value.of(word);
        };
    }

    private static String word(Cursor in) {
        int start = in.position();
        while (!in.atEnd() && DELIMITERS.indexOf(in.peek()) < 0) {
            in.next();
        }
        return in.between(start, in.position());
    }
}
