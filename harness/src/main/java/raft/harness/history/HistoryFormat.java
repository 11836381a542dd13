package raft.harness.history;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** The kinds of files that can be read as a history. */
public enum HistoryFormat {
    /** Our own: a header line, then one JSON object a line. */
    JSON_LINES,
    /**
     * Jepsen's history.edn: maps with :process, :type, :f, :value, one a line or all in one vector.
     * Where every client's value is a pair [key value] (jepsen.independent) the key is taken out.
     */
    EDN,
    /** Jepsen's log lines: {@code INFO jepsen.util - 0 :invoke :write 3}. */
    JEPSEN_LOG,
    /** Operations as Porcupine has them: JSON objects with client, call, return, input, output. */
    OPERATIONS_JSON;

    /**
     * Which kind a file is, by its beginning.
     *
     * @throws HistoryFormatException when it looks like none of them
     */
    public static HistoryFormat detect(Path file) throws IOException {
        try (BufferedReader in = HistoryReader.open(file)) {
            String line = in.readLine();
            String start = "";
            while (line != null && start.length() < 4096) {
                start += line + "\n";
                line = in.readLine();
            }
            return detect(file.toString(), start);
        }
    }

    private static HistoryFormat detect(String file, String text) throws HistoryFormatException {
        String start = text.replaceFirst("^\ufeff", "").stripLeading();
        if (start.isEmpty()) {
            throw new HistoryFormatException(file, 1, 1, "the file is empty");
        }
        int lineEnd = start.indexOf('\n');
        String first = lineEnd < 0 ? start : start.substring(0, lineEnd);
        if (first.startsWith("{\"schema\"")
                || (first.startsWith("{") && first.contains("\"schema\""))) {
            return JSON_LINES;
        }
        String head = start.replaceFirst("^[\\[(\\s]+", "");
        if (head.startsWith("{:")
                || head.startsWith("#")
                || head.startsWith(";")
                || start.startsWith("(")) {
            return EDN;
        }
        if (head.startsWith("{\"") && isOperations(head)) {
            return OPERATIONS_JSON;
        }
        if (head.startsWith("{\"")) {
            throw new HistoryFormatException(
                    file, 1, 1, "the first line must be a header with \"schema\"");
        }
        if (JepsenLog.looksLike(start)) {
            return JEPSEN_LOG;
        }
        if (start.startsWith("[") || head.startsWith("{")) {
            return start.startsWith("[]") ? OPERATIONS_JSON : EDN;
        }
        throw new HistoryFormatException(
                file,
                1,
                1,
                "this is no history: neither JSON Lines with a header, nor EDN, nor Jepsen's log"
                        + " lines, nor a JSON list of operations");
    }

    private static boolean isOperations(String head) {
        String lower = head.toLowerCase(Locale.ROOT);
        return lower.contains("\"call\"") || lower.contains("\"input\"");
    }

    /** Reads a file of any kind, which it finds out; {@code warnings} gets one sentence each. */
    public static History read(Path file, Consumer<String> warnings) throws IOException {
        return read(file, detect(file), warnings);
    }

    /** Reads a file of a known kind. */
    public static History read(Path file, HistoryFormat format, Consumer<String> warnings)
            throws IOException {
        return read(file, format, warnings, () -> {});
    }

    /**
     * The same; {@code watch} is called now and then and may end the reading with an unchecked
     * exception of its own.
     */
    public static History read(
            Path file, HistoryFormat format, Consumer<String> warnings, Runnable watch)
            throws IOException {
        String name = file.toString();
        return switch (format) {
            case JSON_LINES -> HistoryReader.read(file, warnings, watch);
            case EDN -> new EdnHistory(name, text(file, watch), watch).read();
            case JEPSEN_LOG -> JepsenLog.read(name, text(file, watch), watch);
            case OPERATIONS_JSON -> new OperationsJson(name, text(file, watch), watch).read();
        };
    }

    /** Writes a history in a given format, so that other tools can read it. */
    public static void write(Path file, HistoryFormat format, History history) throws IOException {
        switch (format) {
            case JSON_LINES -> HistoryWriter.write(file, history);
            case EDN -> Files.writeString(file, EdnHistory.write(history));
            case JEPSEN_LOG -> Files.writeString(file, JepsenLog.write(history));
            case OPERATIONS_JSON -> Files.writeString(file, OperationsJson.write(history));
        }
    }

    private static String text(Path file, Runnable watch) throws IOException {
        try (BufferedReader in = HistoryReader.open(file)) {
            var text = new StringBuilder();
            char[] buffer = new char[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                text.append(buffer, 0, n);
                watch.run();
            }
            int bad = text.indexOf(String.valueOf(HistoryReader.NO_UTF8));
            if (bad >= 0) {
                int lineStart = text.lastIndexOf("\n", bad) + 1;
                long line = text.chars().limit(bad).filter(c -> c == '\n').count() + 1;
                throw HistoryReader.noUtf8(file.toString(), line, bad - lineStart);
            }
            return text.toString();
        }
    }

    /** A header for files that have none. */
    static HistoryHeader header(String file, String model) {
        return new HistoryHeader(HistoryHeader.SCHEMA, file, "", model, List.of(), 0);
    }

    /** The model that the functions of a history suggest, "" where they suggest none. */
    static String suggestedModel(List<HistoryEvent> events) {
        List<String> functions = new ArrayList<>();
        for (HistoryEvent event : events) {
            if (event.process() != HistoryEvent.NEMESIS && !functions.contains(event.f())) {
                functions.add(event.f());
            }
        }
        if (functions.contains("get") || functions.contains("put")) {
            return "key-value";
        }
        boolean collections = anyRead(events, Value.Seq.class);
        if (functions.contains("append")) {
            return anyRead(events, Value.Text.class) && !collections ? "key-value" : "list-append";
        }
        if (functions.contains("enqueue") || functions.contains("dequeue")) {
            return "queue";
        }
        if (functions.contains("acquire") || functions.contains("release")) {
            return "lock";
        }
        if (functions.contains("increment")) {
            return "counter";
        }
        if (functions.contains("add")) {
            return anyRead(events, Value.Int.class) && !collections ? "counter" : "set";
        }
        if (collections && functions.contains("write") && versioned(events)) {
            return "versioned-register";
        }
        return functions.contains("write")
                        || functions.contains("cas")
                        || functions.contains("read")
                ? "cas-register"
                : "";
    }

    /** Whether some read answered with this kind of value. */
    private static boolean anyRead(List<HistoryEvent> events, Class<? extends Value> kind) {
        return events.stream()
                .anyMatch(
                        e ->
                                e.process() != HistoryEvent.NEMESIS
                                        && e.type() == HistoryEvent.Type.OK
                                        && e.f().equals("read")
                                        && kind.isInstance(e.value()));
    }

    /** Whether all writes are of pairs [version value]. */
    private static boolean versioned(List<HistoryEvent> events) {
        return events.stream()
                .filter(e -> e.process() != HistoryEvent.NEMESIS && e.f().equals("write"))
                .allMatch(
                        e ->
                                e.value() instanceof Value.Seq(List<Value> pair)
                                        && pair.size() == 2
                                        && (pair.getFirst() instanceof Value.Nil
                                                || pair.getFirst() instanceof Value.Int));
    }
}
