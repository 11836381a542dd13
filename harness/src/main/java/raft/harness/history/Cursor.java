package raft.harness.history;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.util.Locale;

/**
 * A place in a text, for the small hand-written parsers of this package. Knows the file and the
 * line for error messages. A text that is longer than memory is read as far as it is needed, and
 * what is behind the place can be forgotten.
 */
final class Cursor {
    /** What comes back at the end of the text. */
    static final char END = '\0';

    /** Deeper nesting is refused, so that a hostile file cannot overflow the stack. */
    private static final int DEPTH_MAX = 200;

    /**
     * What stands for bytes that are no UTF-8 until they are refused; it is no character. Two
     * different ones must not be taken for the same value.
     */
    static final char NO_UTF8 = '\ufffe';

    /** So much is read at once, and forgotten at once. */
    private static final int CHUNK_CHARS = 1 << 14;

    private final String file;
    private final Runnable watch;
    private @Nullable Reader rest;
    private String text;
    private long firstLine;

    /** How much of its first line was forgotten. */
    private long firstColumn;

    private int position;
    private int depth;
    private int entered;

    Cursor(String file, String text, long firstLine) {
        this.watch = () -> {};
        this.file = file;
        this.text = text;
        this.firstLine = firstLine;
    }

    /**
     * Over all that comes from a reader; where that fails an UncheckedIOException says so.
     *
     * @param watch is called now and then and may end the parsing with an exception of its own
     */
    Cursor(String file, Reader reader, Runnable watch) {
        this.watch = watch;
        this.file = file;
        text = "";
        firstLine = 1;
        rest = reader;
    }

    char peek() {
        return atEnd() ? END : text.charAt(position);
    }

    char next() {
        return atEnd() ? END : text.charAt(position++);
    }

    boolean atEnd() {
        return position >= text.length() && !readOn();
    }

    private boolean readOn() {
        if (rest == null) {
            return false;
        }
        watch.run();
        // The longer what has to be kept, the more at once: it is copied every time.
        char[] chunk = new char[Math.max(CHUNK_CHARS, text.length())];
        try {
            int count = rest.read(chunk);
            if (count < 0) {
                rest = null;
                return false;
            }
            int before = text.length();
            text += new String(chunk, 0, count);
            requireUtf8(before);
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is behind this place is not needed any more; positions before are void. */
    void forget() {
        if (position < CHUNK_CHARS) {
            return;
        }
        long lines = text.chars().limit(position).filter(c -> c == '\n').count();
        firstColumn =
                lines == 0
                        ? firstColumn + position
                        : position - 1L - text.lastIndexOf('\n', position - 1);
        firstLine += lines;
        text = text.substring(position);
        position = 0;
    }

    /** Refuses bytes that are no UTF-8. */
    void requireUtf8() throws HistoryFormatException {
        requireUtf8(0);
    }

    private void requireUtf8(int from) throws HistoryFormatException {
        int bad = text.indexOf(NO_UTF8, from);
        if (bad >= 0) {
            throw errorAt(bad, "these bytes are not UTF-8");
        }
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
        long lineStart = -firstColumn;
        for (int i = 0; i < at && i < text.length(); i++) {
            if (text.charAt(i) == '\n') {
                line++;
                lineStart = i + 1L;
            }
        }
        return new HistoryFormatException(file, line, at - lineStart + 1, problem);
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
        while (!atEnd()) {
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
