package raft.harness.history;

import java.util.List;

/** A key or a value in a history: what JSON and EDN have in common. */
public sealed interface Value {
    Nil NIL = new Nil();

    /** Longer texts than this fill a terminal. */
    int SHOWN_MOST = 400;

    /** Absent: a key that was never written, a read that is not known yet. */
    record Nil() implements Value {
        @Override
        public String toString() {
            return "nil";
        }
    }

    record Int(long number) implements Value {
        @Override
        public String toString() {
            return Long.toString(number);
        }
    }

    record Text(String text) implements Value {
        @Override
        public String toString() {
            return '"' + text + '"';
        }
    }

    record Bool(boolean truth) implements Value {
        @Override
        public String toString() {
            return Boolean.toString(truth);
        }
    }

    /** Several values in order; a cas is {@code [expected, new]}. */
    record Seq(List<Value> values) implements Value {
        public Seq {
            values = List.copyOf(values);
        }

        @Override
        public String toString() {
            return values.toString();
        }
    }

    /** For people: its text, of a very long one only the beginning and how long it is. */
    static String shown(Value value) {
        return shortened(value.toString());
    }

    static String shortened(String text) {
        return text.length() <= SHOWN_MOST
                ? text
                : text.substring(0, SHOWN_MOST) + "… (" + text.length() + " characters)";
    }

    static Value of(long number) {
        return new Int(number);
    }

    static Value of(String text) {
        return new Text(text);
    }

    static Value of(Value... values) {
        return new Seq(List.of(values));
    }
}
