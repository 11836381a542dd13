package raft.harness.history;

import org.jspecify.annotations.Nullable;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Jepsen's log lines, as {@code INFO jepsen.util - 0 :invoke :write 3}, {@code … jepsen.util: 0
 * :invoke :write 3} or, as in its history.txt, {@code 0 :invoke :write 3}. Other lines of the log
 * are passed over. An error stands in the place of the value ({@code :info :write :timed-out}); the
 * completion then keeps the invocation's value. A cas that failed was refused: Jepsen logs other
 * failures with an error. Where there are many keys, a value is {@code [key value]}.
 */
final class JepsenLog {
    private static final Pattern LINE =
            Pattern.compile(
                    "(?:.*?jepsen\\.\\S+?(?: -|:)\\s+)?(\\S+)\\s+:(invoke|ok|fail|info)\\s+:(\\S+)"
                            + "(?:\\s+(.*))?");

    /** What Porcupine's recordings of etcd append to every line; it says nothing of the outcome. */
    private static final Pattern HINT = Pattern.compile("\\s*:hint\\s+-?\\d+\\s*$");

    /** A line that was meant to be one. */
    private static final Pattern MEANT =
            Pattern.compile("jepsen\\.util(?: -|:)\\s+\\S+\\s+:(?:invoke|ok|fail|info)?\\b");

    private JepsenLog() {}

    static boolean looksLike(String start) {
        return start.lines()
                .limit(200)
                .anyMatch(line -> line.contains("jepsen.") || LINE.matcher(line).matches());
    }

    /**
     * Reads all lines.
     *
     * @param watch is called now and then and may end the reading with an exception of its own
     * @param events gets what is read, in order
     */
    static void read(String file, BufferedReader in, Runnable watch, Consumer<HistoryEvent> events)
            throws IOException {
        Map<Long, Value> openValues = new HashMap<>();
        var order = new EventOrder();
        long lineNumber = 0;
        long eventCount = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if ((++lineNumber & 255) == 0) {
                watch.run();
            }
            new Cursor(file, line, lineNumber).requireUtf8();
            Matcher matcher = LINE.matcher(line);
            if (!matcher.matches()) {
                if (MEANT.matcher(line).find()) {
                    throw new HistoryFormatException(
                            file,
                            lineNumber,
                            1,
                            "an operation was expected: process, :invoke|:ok|:fail|:info, function,"
                                    + " value");
                }
                continue;
            }
            HistoryEvent event = event(file, lineNumber, line, matcher, eventCount++, openValues);
            String problem = order.problem(event);
            if (problem != null) {
                throw new HistoryFormatException(file, lineNumber, 1, problem);
            }
            events.accept(event);
        }
        if (eventCount == 0) {
            throw new HistoryFormatException(file, 1, 1, "no operation is in this log");
        }
    }

    private static HistoryEvent event(
            String file,
            long lineNumber,
            String line,
            Matcher matcher,
            long index,
            Map<Long, Value> openValues)
            throws HistoryFormatException {
        long process = process(file, lineNumber, matcher);
        var type = HistoryEvent.Type.valueOf(matcher.group(2).toUpperCase(Locale.ROOT));
        String rest = matcher.group(4) == null ? "" : matcher.group(4);
        String given = HINT.matcher(rest).replaceFirst("").strip();
        Value value = Value.NIL;
        String error = null;
        if (!given.isEmpty()) {
            var cursor = new Cursor(file, HINT.matcher(line).replaceFirst(""), lineNumber);
            cursor.moveTo(matcher.start(4));
            value = Edn.value(cursor);
            Edn.skipSpace(cursor);
            if (!cursor.atEnd() && type != HistoryEvent.Type.INVOKE) {
                error = Edn.value(cursor).toString().replace("\"", "");
            }
        }
        if (process == HistoryEvent.NEMESIS) {
            return event(index, process, HistoryEvent.Type.INFO, matcher.group(3), value, error);
        }
        if (type == HistoryEvent.Type.INVOKE) {
            openValues.put(process, value);
        } else {
            Value asked = openValues.getOrDefault(process, Value.NIL);
            openValues.remove(process);
            if (type != HistoryEvent.Type.OK && given.startsWith(":")) {
                error = given.substring(1);
                value = asked;
            } else if (type == HistoryEvent.Type.FAIL
                    && error == null
                    && matcher.group(3).equals("cas")) {
                error = "compare-failed";
            }
        }
        return event(index, process, type, matcher.group(3), value, error);
    }

    private static HistoryEvent event(
            long index,
            long process,
            HistoryEvent.Type type,
            String f,
            Value value,
            @Nullable String error) {
        return new HistoryEvent(
                index, index * 1_000_000, process, type, f, Value.NIL, value, null, error, 0, 0);
    }

    private static long process(String file, long lineNumber, Matcher matcher)
            throws HistoryFormatException {
        String text = matcher.group(1);
        if (text.equals(":nemesis")) {
            return HistoryEvent.NEMESIS;
        }
        try {
            long process = Long.parseLong(text);
            if (process >= 0) {
                return process;
            }
        } catch (NumberFormatException e) {
            // Falls through to the error below.
        }
        throw new HistoryFormatException(
                file,
                lineNumber,
                matcher.start(1) + 1L,
                "a process number or :nemesis was expected, not " + text);
    }

    static String write(History history) {
        var out = new StringBuilder();
        boolean pairs = KeyPairs.canBeMade(history.events());
        for (HistoryEvent event : history.events()) {
            boolean nemesis = event.process() == HistoryEvent.NEMESIS;
            out.append("INFO  jepsen.util - ")
                    .append(nemesis ? ":nemesis" : Long.toString(event.process()))
                    .append("\t:")
                    .append(event.type().name().toLowerCase(Locale.ROOT))
                    .append("\t:")
                    .append(event.f())
                    .append('\t');
            boolean refused =
                    event.type() == HistoryEvent.Type.FAIL
                            && "compare-failed".equals(event.error())
                            && event.f().equals("cas");
            if (!nemesis && event.error() != null && !refused) {
                out.append(':').append(event.error().replaceAll("[^A-Za-z0-9_.-]+", "-"));
            } else {
                EdnHistory.write(
                        out,
                        pairs && !nemesis ? Value.of(event.key(), event.value()) : event.value());
            }
            out.append('\n');
        }
        return out.toString();
    }
}
