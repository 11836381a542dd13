package raft.harness.history;

import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Writes a history as JSON Lines while a run goes on. Each line is handed to the operating system
 * with one write(2) before {@link #append} returns, so a killed harness leaves a readable file.
 * After an error (a full disk, say) the half line is cut off again and the file stays readable.
 *
 * <p>For one thread.
 */
public final class HistoryWriter implements Closeable {
    private final Path file;
    // A FileOutputStream and not a FileChannel: interrupting the thread would close the channel.
    private final FileOutputStream out;
    private final StringBuilder line = new StringBuilder(256);
    private long writtenBytes;
    private long eventCount;

    /**
     * Creates the file, or empties it, and writes the header.
     *
     * @throws IOException with the file's name, when it cannot be created or written
     */
    public HistoryWriter(Path file, HistoryHeader header) throws IOException {
        this.file = file;
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        out = new FileOutputStream(file.toFile());
        line.setLength(0);
        appendHeader(line, header);
        writeLine("the header");
    }

    /**
     * Adds one event; when this returns the line is in the file.
     *
     * @throws IOException when it could not be written; the file then ends with the event before
     */
    public void append(HistoryEvent event) throws IOException {
        line.setLength(0);
        appendEvent(line, event);
        writeLine("event " + event.index());
        eventCount++;
    }

    /** Events written so far. */
    public long eventCount() {
        return eventCount;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    /** Writes a whole history at once, faster than event by event. */
    public static void write(Path file, History history) throws IOException {
        try (var out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            var line = new StringBuilder(256);
            appendHeader(line, history.header());
            out.append(line.append('\n'));
            for (HistoryEvent event : history.events()) {
                line.setLength(0);
                appendEvent(line, event);
                out.append(line.append('\n'));
            }
        }
    }

    private void writeLine(String what) throws IOException {
        byte[] bytes = line.append('\n').toString().getBytes(StandardCharsets.UTF_8);
        try {
            out.write(bytes);
            writtenBytes += bytes.length;
        } catch (IOException e) {
            cutHalfLine(e);
            throw new IOException(
                    "history "
                            + file
                            + ": cannot write "
                            + what
                            + " ("
                            + e.getMessage()
                            + "); the file holds the "
                            + eventCount
                            + " events before it",
                    e);
        }
    }

    private void cutHalfLine(IOException cause) {
        try {
            out.getChannel().truncate(writtenBytes);
            out.getChannel().position(writtenBytes);
        } catch (IOException e) {
            // The reader tolerates a torn last line, so nothing is lost but neatness.
            cause.addSuppressed(e);
        }
    }

    /** The event's line as JSON, without the line end. */
    public static String line(HistoryEvent event) {
        var out = new StringBuilder(128);
        appendEvent(out, event);
        return out.toString();
    }

    private static void appendHeader(StringBuilder out, HistoryHeader header) {
        out.append("{\"schema\":").append(header.schema());
        text(out, "run", header.run());
        text(out, "workload", header.workload());
        text(out, "model", header.model());
        out.append(",\"nodes\":[");
        for (int i = 0; i < header.nodes().size(); i++) {
            if (i > 0) {
                out.append(',');
            }
            Json.write(out, header.nodes().get(i));
        }
        out.append("],\"seed\":").append(header.seed()).append('}');
    }

    private static void appendEvent(StringBuilder out, HistoryEvent event) {
        out.append("{\"index\":").append(event.index());
        out.append(",\"time\":").append(event.timeNanos());
        if (event.process() == HistoryEvent.NEMESIS) {
            out.append(",\"process\":\"nemesis\"");
        } else {
            out.append(",\"process\":").append(event.process());
        }
        text(out, "type", event.type().name().toLowerCase(Locale.ROOT));
        text(out, "f", event.f());
        value(out, "key", event.key());
        value(out, "value", event.value());
        if (event.node() != null) {
            text(out, "node", event.node());
        }
        if (event.error() != null) {
            text(out, "error", event.error());
        }
        if (event.term() != 0) {
            out.append(",\"term\":").append(event.term());
        }
        if (event.logIndex() != 0) {
            out.append(",\"logIndex\":").append(event.logIndex());
        }
        out.append('}');
    }

    private static void text(StringBuilder out, String name, String text) {
        out.append(",\"").append(name).append("\":");
        Json.write(out, text);
    }

    private static void value(StringBuilder out, String name, Value value) {
        if (!(value instanceof Value.Nil)) {
            out.append(",\"").append(name).append("\":");
            Json.write(out, value);
        }
    }
}
