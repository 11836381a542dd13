package raft.shell.live;

import raft.harness.history.Value;

/** Keys and values as people type and read them: what looks like a number is one. */
public final class DataText {
    private DataText() {}

    /** Numbers are numbers, everything else is text. */
    public static Value parse(String word) {
        try {
            long number = Long.parseLong(word);
            return Long.toString(number).equals(word) ? Value.of(number) : Value.of(word);
        } catch (NumberFormatException e) {
            return Value.of(word);
        }
    }

    public static String of(Value value) {
        return value instanceof Value.Text(String text) ? text : value.toString();
    }
}
