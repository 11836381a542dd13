package raft.harness.history;

import java.util.Locale;

/**
 * A place in a text, for the small hand-written parsers of this package. Knows the file and the
 * line for error messages.
 */
final class Cursor {
    /** What comes back at the end of the text. */
    static final char END = '\0';

    /** Deeper nesting is refused, so that a hostile file cannot overflow the stack. */
    private static final int DEPTH_MAX = 200;

    private final String file;
    private final String text;
    private final long firstLine;
    private final Runnable watch;
    private int position;
    private int depth;
    private int entered;

    Cursor(String file, String text, long firstLine) {
        this(file, text, firstLine, () -> {});
    }

    /**
     * @param watch is called now and then and may end the parsing with an exception of its own
     */
    Cursor(String file, String text, long firstLine, Runnable watch) {
        this.watch = watch;
        this.file = file;
        this.text = text;
        this.firstLine = firstLine;
    }

    char peek() {
        return position < text.length() ? text.charAt(position) : END;
    }

    char next() {
        return position < text.length() ? text.charAt(position++) : END;
    }

    boolean atEnd() {
        return position >= text.length();
    }

    int position() {
        return position;
    }

    void moveTo(int newPosition) {
        position = newPosition;
    }

    String between(int from, int to) {
        return text.substring(from, to);
    }

    void enter() throws HistoryFormatException {
        if ((++entered & 255) == 0) {
            watch.run();
        }
        if (++depth > DEPTH_MAX) {
            throw error("nested more than " + DEPTH_MAX + " deep");
        }
    }

    void leave() {
        depth--;
    }

    HistoryFormatException error(String problem) {
        return errorAt(position, problem);
    }

    HistoryFormatException errorAt(int at, String problem) {
        long line = firstLine;
        int lineStart = 0;
        for (int i = 0; i < at && i < text.length(); i++) {
            if (text.charAt(i) == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        return new HistoryFormatException(file, line, at - lineStart + 1L, problem);
    }

    /** What stands here, for messages: one character or "the end". */
    String here() {
        char c = peek();
        if (atEnd()) {
            return "the end";
        }
        return c < ' ' || c > '~'
                ? String.format(Locale.ROOT, "character U+%04X", (int) c)
                : "'" + c + "'";
    }

    /** A JSON or EDN string; the cursor stands at its opening quote. */
    String quoted() throws HistoryFormatException {
        int start = position;
        if (next() != '"') {
            throw errorAt(start, "a string was expected, not " + hereAt(start));
        }
        int from = position;
        while (position < text.length()) {
            char c = text.charAt(position);
            if (c == '"') {
                return text.substring(from, position++);
            }
            if (c == '\\') {
                return quotedWithEscapes(start, from);
            }
            position++;
        }
        throw errorAt(start, "this string does not end");
    }

    private String quotedWithEscapes(int start, int from) throws HistoryFormatException {
        var out = new StringBuilder(text.substring(from, position));
        while (!atEnd()) {
            char c = next();
            if (c == '"') {
                return out.toString();
            }
            out.append(c == '\\' ? escape() : c);
        }
        throw errorAt(start, "this string does not end");
    }

    private char escape() throws HistoryFormatException {
        char c = next();
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'u' -> {
                int code = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = Character.digit(next(), 16);
                    if (digit < 0) {
                        throw errorAt(position - 1, "four hexadecimal digits must follow \\u");
                    }
                    code = code * 16 + digit;
                }
                yield (char) code;
            }
            default -> throw errorAt(position - 2, "unknown escape in a string");
        };
    }

    private String hereAt(int at) {
        int saved = position;
        position = at;
        String what = here();
        position = saved;
        return what;
    }

    /** A whole number or, where it has a fraction or does not fit, its text. */
    Value number() throws HistoryFormatException {
        int start = position;
        boolean negative = peek() == '-';
        if (negative || peek() == '+') {
            position++;
        }
        int digitsFrom = position;
        long number = 0;
        while (peek() >= '0' && peek() <= '9') {
            number = number * 10 + (next() - '0');
        }
        int digitCount = position - digitsFrom;
        if (digitCount == 0) {
            throw errorAt(start, "a number was expected, not " + hereAt(start));
        }
        boolean whole = true;
        while (!atEnd() && "0123456789.eE+-MN".indexOf(peek()) >= 0) {
            whole = whole && peek() == 'N';
            position++;
        }
        if (whole && digitCount <= 18) {
            return Value.of(negative ? -number : number);
        }
        String digits = text.substring(digitsFrom, digitsFrom + digitCount);
        if (whole) {
            try {
                return Value.of(Long.parseLong((negative ? "-" : "") + digits));
            } catch (NumberFormatException e) {
                return Value.of((negative ? "-" : "") + digits);
            }
        }
        return Value.of(text.substring(start, position));
    }
}
