package raft.harness.history;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads histories in our JSON Lines. Tolerates a torn last line, as a killed harness leaves it,
 * with a warning; everything else that is wrong is a {@link HistoryFormatException} with line and
 * column.
 */
public final class HistoryReader {
    private HistoryReader() {}

    /** Reads a whole history; warnings are dropped. */
    public static History read(Path file) throws IOException {
        return read(file, warning -> {});
    }

    /** Reads a whole history; {@code warnings} gets one sentence for each oddity. */
    public static History read(Path file, Consumer<String> warnings) throws IOException {
        return read(file, warnings, () -> {});
    }

    static History read(Path file, Consumer<String> warnings, Runnable watch) throws IOException {
        var collector = new Collector(warnings, watch);
        stream(file, collector);
        return collector.history();
    }

    /** Feeds a history to {@code sink} event by event. */
    public static void stream(Path file, EventSink sink) throws IOException {
        try (BufferedReader in = open(file)) {
            stream(file.toString(), in, sink);
        }
    }

    static BufferedReader open(Path file) throws IOException {
        CharsetDecoder decoder =
                StandardCharsets.UTF_8
                        .newDecoder()
                        .replaceWith(String.valueOf(Cursor.NO_UTF8))
                        .onMalformedInput(CodingErrorAction.REPLACE)
                        .onUnmappableCharacter(CodingErrorAction.REPLACE);
        return new BufferedReader(new InputStreamReader(bytes(file), decoder), 1 << 16);
    }

    /** Without the byte order mark that some editors put first. */
    private static InputStream withoutMark(BufferedInputStream in) throws IOException {
        if (!begins(in, 0xef, 0xbb, 0xbf)) {
            in.reset();
        }
        return in;
    }

    private static boolean begins(BufferedInputStream in, int... with) throws IOException {
        in.mark(with.length);
        for (int expected : with) {
            if (in.read() != expected) {
                return false;
            }
        }
        return true;
    }

    /** What a file holds; one that gzip has packed is unpacked. */
    private static InputStream bytes(Path file) throws IOException {
        var in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        try {
            if (begins(in, 0x1f, 0x8b)) {
                in.reset();
                var unpacked = new Unpacked(file.toString(), new GZIPInputStream(in, 1 << 16));
                return withoutMark(new BufferedInputStream(unpacked));
            }
            in.reset();
            return withoutMark(in);
        } catch (ZipException | EOFException e) {
            in.close();
            throw notWhole(file.toString());
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    private static HistoryFormatException notWhole(String file) {
        return new HistoryFormatException(file, 1, 1, "this gzip file is damaged or cut short");
    }

    /** Says in words that a gzip file is not whole. */
    private static final class Unpacked extends FilterInputStream {
        private final String file;

        Unpacked(String file, GZIPInputStream in) {
            super(in);
            this.file = file;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            try {
                return super.read(into, offset, length);
            } catch (ZipException | EOFException e) {
                throw notWhole(file);
            }
        }
    }

    static void stream(String file, BufferedReader in, EventSink sink) throws IOException {
        String line = in.readLine();
        if (line == null) {
            throw new HistoryFormatException(file, 1, 1, "the file is empty");
        }
        sink.header(header(new Cursor(file, line, 1), warning -> {}, false));
        var order = new EventOrder();
        long lineNumber = 1;
        long eventCount = 0;
        line = in.readLine();
        while (line != null) {
            lineNumber++;
            String following = in.readLine();
            if (!line.isBlank()) {
                var cursor = new Cursor(file, line, lineNumber);
                HistoryEvent event;
                try {
                    event = event(cursor, eventCount);
                } catch (HistoryFormatException e) {
                    if (following == null && cursorTorn(line)) {
                        sink.warning(
                                file
                                        + ":"
                                        + lineNumber
                                        + ": the last line is torn and was left out");
                        return;
                    }
                    throw e;
                }
                String problem = order.problem(event);
                if (problem != null) {
                    throw cursor.errorAt(0, problem);
                }
                sink.event(event);
                eventCount++;
            }
            line = following;
        }
    }

    /** Only a line that was cut off ends otherwise than with its object's brace. */
    private static boolean cursorTorn(String line) {
        return !line.stripTrailing().endsWith("}");
    }

    /**
     * Reads a header.
     *
     * @param lenient a schema of a later version is only warned of: what of it is known can be
     *     shown, though not judged
     */
    static HistoryHeader header(Cursor in, Consumer<String> warnings, boolean lenient)
            throws HistoryFormatException {
        long schema = -1;
        String run = "";
        String workload = "";
        String model = "";
        long seed = 0;
        List<String> nodes = new ArrayList<>();
        for (boolean more = Json.open(in); more; more = Json.more(in, '}')) {
            String name = Json.name(in);
            int at = in.position();
            Value value = Json.value(in);
            switch (name) {
                case "schema" -> schema = wholeNumber(in, at, name, value);
                case "run" -> run = text(in, at, name, value);
                case "workload" -> workload = text(in, at, name, value);
                case "model" -> model = text(in, at, name, value);
                case "seed" -> seed = wholeNumber(in, at, name, value);
                case "nodes" -> {
                    if (!(value instanceof Value.Seq(List<Value> values))) {
                        throw in.errorAt(at, "\"nodes\" must be a list");
                    }
                    for (Value node : values) {
                        nodes.add(text(in, at, name, node));
                    }
                }
                default -> {
                    // Later schemas may add fields that do not change the meaning of these.
                }
            }
        }
        if (schema == -1) {
            throw in.errorAt(0, "the first line must be a header with \"schema\"");
        }
        if (schema != HistoryHeader.SCHEMA && lenient) {
            warnings.accept(
                    "it is of schema "
                            + schema
                            + ", this version knows "
                            + HistoryHeader.SCHEMA
                            + ": what is known of it is shown");
        } else if (schema != HistoryHeader.SCHEMA) {
            throw in.errorAt(
                    0, "schema " + schema + " is not known; this is " + HistoryHeader.SCHEMA);
        }
        end(in);
        return new HistoryHeader((int) schema, run, workload, model, nodes, seed);
    }

    /** One event's line. */
    static HistoryEvent event(Cursor in, long count) throws HistoryFormatException {
        long index = count;
        long time = 0;
        long process = Long.MIN_VALUE;
        HistoryEvent.Type type = null;
        String f = null;
        Value key = Value.NIL;
        Value value = Value.NIL;
        String node = null;
        String error = null;
        long term = 0;
        long logIndex = 0;
        for (boolean more = Json.open(in); more; more = Json.more(in, '}')) {
            String name = Json.name(in);
            int at = in.position();
            Value given = Json.value(in);
            switch (name) {
                case "index" -> index = wholeNumber(in, at, name, given);
                case "time" -> time = wholeNumber(in, at, name, given);
                case "process" -> process = process(in, at, given);
                case "type" -> type = type(in, at, given);
                case "f" -> f = text(in, at, name, given);
                case "key" -> key = given;
                case "value" -> value = given;
                case "node" -> node = text(in, at, name, given);
                case "error" ->
                        error = given instanceof Value.Text(String t) ? t : given.toString();
                case "term" -> term = wholeNumber(in, at, name, given);
                case "logIndex" -> logIndex = wholeNumber(in, at, name, given);
                default -> {
                    // Later schemas may add fields that do not change the meaning of these.
                }
            }
        }
        end(in);
        if (process == Long.MIN_VALUE || type == null || f == null) {
            String missing = type == null ? "type" : f == null ? "f" : "process";
            throw in.errorAt(0, "this event has no \"" + missing + "\"");
        }
        return new HistoryEvent(
                index, time, process, type, f, key, value, node, error, term, logIndex);
    }

    private static long process(Cursor in, int at, Value value) throws HistoryFormatException {
        if (value instanceof Value.Int(long number) && number >= 0) {
            return number;
        }
        if (value instanceof Value.Text(String text) && text.equals("nemesis")) {
            return HistoryEvent.NEMESIS;
        }
        throw in.errorAt(at, "\"process\" must be a number from 0 or \"nemesis\", not " + value);
    }

    private static HistoryEvent.Type type(Cursor in, int at, Value value)
            throws HistoryFormatException {
        return switch (value instanceof Value.Text(String text) ? text : "") {
            case "invoke" -> HistoryEvent.Type.INVOKE;
            case "ok" -> HistoryEvent.Type.OK;
            case "fail" -> HistoryEvent.Type.FAIL;
            case "info" -> HistoryEvent.Type.INFO;
            default ->
                    throw in.errorAt(at, "\"type\" must be invoke, ok, fail or info, not " + value);
        };
    }

    private static long wholeNumber(Cursor in, int at, String name, Value value)
            throws HistoryFormatException {
        if (value instanceof Value.Int(long number)) {
            return number;
        }
        throw in.errorAt(at, "\"" + name + "\" must be a whole number, not " + value);
    }

    private static String text(Cursor in, int at, String name, Value value)
            throws HistoryFormatException {
        if (value instanceof Value.Text(String text)) {
            return text;
        }
        throw in.errorAt(at, "\"" + name + "\" must be a string, not " + value);
    }

    private static void end(Cursor in) throws HistoryFormatException {
        Json.skipSpace(in);
        if (!in.atEnd()) {
            throw in.error("nothing may follow the object on its line, but here is " + in.here());
        }
        in.requireUtf8();
    }

    /** Collects what is streamed into a {@link History}. */
    static final class Collector implements EventSink {
        private final Consumer<String> warnings;
        private final Runnable watch;
        private final List<HistoryEvent> events = new ArrayList<>();
        private HistoryHeader header =
                new HistoryHeader(HistoryHeader.SCHEMA, "", "", "", List.of(), 0);

        Collector(Consumer<String> warnings, Runnable watch) {
            this.watch = watch;
            this.warnings = warnings;
        }

        @Override
        public void header(HistoryHeader given) {
            header = given;
        }

        @Override
        public void event(HistoryEvent event) {
            events.add(event);
            if ((events.size() & 255) == 0) {
                watch.run();
            }
        }

        @Override
        public void warning(String sentence) {
            warnings.accept(sentence);
        }

        History history() {
            return new History(header, events);
        }
    }
}
