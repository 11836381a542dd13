package raft.harness.history;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    private static final int BEGINNING_CHARS = 1 << 13;

    /**
     * Which kind a file is, by its beginning.
     *
     * @throws HistoryFormatException when it looks like none of them
     */
    public static HistoryFormat detect(Path file) throws IOException {
        // A line may be the whole file.
        char[] start = new char[BEGINNING_CHARS];
        try (BufferedReader in = HistoryReader.open(file)) {
            int count = 0;
            for (int n = 0; n >= 0 && count < start.length; count += Math.max(0, n)) {
                n = in.read(start, count, start.length - count);
            }
            return detect(file.toString(), new String(start, 0, count));
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
        try (var whole = new HistoryFile(file, format)) {
            return whole.read(warnings, watch);
        }
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

    /** A header for files that have none. */
    static HistoryHeader header(String file, String model) {
        return new HistoryHeader(HistoryHeader.SCHEMA, file, "", model, List.of(), 0);
    }
}
