package raft.harness.history;

import org.jspecify.annotations.Nullable;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A history in a file of any kind, which can be read whole, or event by event and again and again
 * where it is larger than memory. What a file without a header says about all of it, and the order
 * of operations that are not in that of time, is found out by the first reading.
 */
public final class HistoryFile implements Closeable {
    private final Path path;
    private final HistoryFormat format;
    private @Nullable Survey survey;
    private @Nullable SortedRuns sorted;

    public HistoryFile(Path path, HistoryFormat format) {
        this.path = path;
        this.format = format;
    }

    /**
     * Reads all of it.
     *
     * @param warnings gets one sentence for each oddity
     * @param watch is called now and then and may end the reading with an unchecked exception of
     *     its own
     */
    History read(Consumer<String> warnings, Runnable watch) throws IOException {
        if (format == HistoryFormat.JSON_LINES) {
            return HistoryReader.read(path, warnings, watch);
        }
        var all = new Survey();
        List<HistoryEvent> events = new ArrayList<>();
        parse(
                watch,
                event -> {
                    all.see(event);
                    events.add(event);
                });
        if (format == HistoryFormat.OPERATIONS_JSON) {
            events.sort(OperationsJson.ORDER);
            for (int i = 0; i < events.size(); i++) {
                events.set(i, OperationsJson.renumbered(events.get(i), i));
            }
        } else if (keyed(all)) {
            events.replaceAll(new KeyPairs()::without);
        }
        return new History(header(all), events);
    }

    /**
     * Feeds it to {@code sink} event by event, and holds no more than a part of it.
     *
     * @param watch as for {@link #read}
     */
    public void stream(EventSink sink, Runnable watch) throws IOException {
        if (format == HistoryFormat.JSON_LINES) {
            HistoryReader.stream(path, sink);
            return;
        }
        if (survey == null) {
            survey = survey(watch);
        }
        sink.header(header(survey));
        if (sorted != null) {
            sorted.merge(sink::event);
        } else if (keyed(survey)) {
            var pairs = new KeyPairs();
            parse(watch, event -> sink.event(pairs.without(event)));
        } else {
            parse(watch, sink::event);
        }
    }

    /** Reads it for the first time. */
    private Survey survey(Runnable watch) throws IOException {
        var all = new Survey();
        if (format != HistoryFormat.OPERATIONS_JSON) {
            parse(watch, all::see);
            return all;
        }
        close();
        var runs = new SortedRuns(watch);
        sorted = runs;
        parse(
                watch,
                event -> {
                    all.see(event);
                    runs.add(event);
                });
        runs.end();
        return all;
    }

    private void parse(Runnable watch, Consumer<HistoryEvent> events) throws IOException {
        String name = path.toString();
        try (BufferedReader in = HistoryReader.open(path)) {
            switch (format) {
                case JEPSEN_LOG -> JepsenLog.read(name, in, watch, events);
                case OPERATIONS_JSON ->
                        new OperationsJson(new Cursor(name, in, watch), events).read();
                case EDN, JSON_LINES -> new EdnHistory(new Cursor(name, in, watch), events).read();
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Jepsen's files, EDN and log, have no other place for a key. */
    private boolean keyed(Survey all) {
        return format != HistoryFormat.OPERATIONS_JSON && all.keyed();
    }

    private HistoryHeader header(Survey all) {
        return HistoryFormat.header(path.toString(), all.model(keyed(all)));
    }

    /** Takes what was kept to sort it out of the way. */
    @Override
    public void close() throws IOException {
        if (sorted != null) {
            sorted.close();
            sorted = null;
        }
    }
}
