package raft.harness.history;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Consumer;

/**
 * Sorts more events than fit in memory, by {@link OperationsJson#ORDER}: as many as fit are sorted
 * and written to a temporary file, and then all files are merged as often as they are needed.
 */
final class SortedRuns implements Closeable {
    private static final int EVENT_BYTES = 500;
    private static final int LONGEST = 1 << 17;
    private static final int SHORTEST = 1 << 11;

    /** Of the heap, one part. */
    private static final int SHARE = 16;

    private final Runnable watch;
    private final Path folder;
    private final int longest;
    private final List<HistoryEvent> run = new ArrayList<>();
    private final List<Path> files = new ArrayList<>();

    SortedRuns(Runnable watch) throws IOException {
        this.watch = watch;
        folder = Files.createTempDirectory("raft-sort-");
        long fit = Runtime.getRuntime().maxMemory() / SHARE / EVENT_BYTES;
        longest = (int) Math.max(SHORTEST, Math.min(LONGEST, fit));
    }

    void add(HistoryEvent event) {
        run.add(event);
        if (run.size() >= longest) {
            try {
                end();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Writes what was not written yet. */
    void end() throws IOException {
        if (run.isEmpty()) {
            return;
        }
        run.sort(OperationsJson.ORDER);
        Path file = folder.resolve(files.size() + ".jsonl");
        files.add(file);
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            int count = 0;
            for (HistoryEvent event : run) {
                out.append(HistoryWriter.line(event)).append('\n');
                if ((++count & 255) == 0) {
                    watch.run();
                }
            }
        }
        run.clear();
    }

    /** One file, at its next event. */
    private static final class Head implements Closeable {
        private final Path file;
        private final BufferedReader in;
        private long lineNumber;
        private HistoryEvent event;

        Head(Path file) throws IOException {
            this.file = file;
            in = Files.newBufferedReader(file);
            event = read(in.readLine());
        }

        private HistoryEvent read(String line) throws IOException {
            lineNumber++;
            return HistoryReader.event(new Cursor(file.toString(), line, lineNumber), 0);
        }

        HistoryEvent event() {
            return event;
        }

        boolean next() throws IOException {
            String line = in.readLine();
            if (line == null) {
                return false;
            }
            event = read(line);
            return true;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    /** Gives all events in order, each with its place as its index. */
    void merge(Consumer<HistoryEvent> events) throws IOException {
        List<Head> heads = new ArrayList<>();
        try {
            for (Path file : files) {
                heads.add(new Head(file));
            }
            var earliest =
                    new PriorityQueue<>(Comparator.comparing(Head::event, OperationsJson.ORDER));
            earliest.addAll(heads);
            long index = 0;
            for (Head head = earliest.poll(); head != null; head = earliest.poll()) {
                events.accept(OperationsJson.renumbered(head.event(), index++));
                if (head.next()) {
                    earliest.add(head);
                }
            }
        } finally {
            for (Head head : heads) {
                head.close();
            }
        }
    }

    @Override
    public void close() throws IOException {
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
        Files.deleteIfExists(folder);
    }
}
