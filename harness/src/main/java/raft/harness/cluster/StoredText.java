package raft.harness.cluster;

import raft.harness.history.Value;

/**
 * Values of a history as a store of texts keeps them: numbers travel as decimal text and come back
 * as numbers, so a workload must not use texts that look like numbers beside numbers. {@code 7} and
 * {@code "7"} are one value.
 */
public final class StoredText {
    private static final int LONG_DIGITS_MAX = 20;

    private StoredText() {}

    /**
     * The text that stands for a number or a text.
     *
     * @throws IllegalArgumentException for a value that has none
     */
    public static String of(Value value) {
        return switch (value) {
            case Value.Int(long number) -> Long.toString(number);
            case Value.Text(String text) -> text;
            case Value.Nil(), Value.Bool(_), Value.Seq(_) ->
                    throw new IllegalArgumentException("a store of texts cannot keep " + value);
        };
    }

    /** What a text stands for. */
    public static Value value(String text) {
        return isCanonicalLong(text) ? Value.of(Long.parseLong(text)) : Value.of(text);
    }

    /** "7" and "-7" but not "07", "+7", "-0" or digits of other scripts. */
    private static boolean isCanonicalLong(String text) {
        if (text.isEmpty() || text.length() > LONG_DIGITS_MAX) {
            return false;
        }
        for (int i = text.charAt(0) == '-' ? 1 : 0; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        try {
            return Long.toString(Long.parseLong(text)).equals(text);
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
