package raft.harness.history;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent.Type;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A history to look at: what filters and charts ask for stands in columns, the events themselves
 * are read from the file only where they are shown.
 *
 * <p>For a large file the columns are kept beside it as {@code <file>.index}, made once and used as
 * long as the history's size and time of change are what they were; {@code show}, {@code stats} and
 * {@code timeline} of a million operations then read no event they do not print. Where the folder
 * cannot be written the columns are made anew each time.
 *
 * <p>Lenient, unlike {@link HistoryReader}: nothing is judged here, so a line that cannot be read
 * is left out with a warning, and what there is can still be seen.
 */
public final class HistoryIndex implements AutoCloseable {
    /** Reading a smaller file costs less than a second file would. */
    private static final long SMALL_FILE_BYTES = 1 << 20;

    private static final int MAGIC = 0x524c4849; // "RLHI"
    private static final int VERSION = 1;
    private static final int WARNINGS_MAX = 20;

    /** Longs an event takes: offset, time, process and partner, the small columns, value bits. */
    private static final int ROW_LONGS = 5;

    private static final int[] NOT_FOUND = {};

    private final HistoryHeader header;
    private final List<String> warnings;
    private final List<String> functions;
    private final List<Value> keys;
    private final List<String> nodes;
    private final List<String> errors;
    private final LongBuffer rows;
    private final int size;
    private final @Nullable RandomAccessFile file;
    private final List<HistoryEvent> events;
    private final boolean fromFile;

    private HistoryIndex(
            HistoryHeader header,
            List<String> warnings,
            Columns columns,
            LongBuffer rows,
            @Nullable RandomAccessFile file,
            List<HistoryEvent> events,
            boolean fromFile) {
        this.header = header;
        this.warnings = List.copyOf(warnings);
        this.functions = columns.functions.names;
        this.keys = columns.keys.names;
        this.nodes = columns.nodes.names;
        this.errors = columns.errors.names;
        this.rows = rows;
        this.size = rows.limit() / ROW_LONGS;
        this.file = file;
        this.events = events;
        this.fromFile = fromFile;
    }

    /**
     * Opens a history of any known format.
     *
     * @throws IOException when it cannot be read at all: no such file, no history
     */
    public static HistoryIndex open(Path history) throws IOException {
        if (HistoryFormat.detect(history) != HistoryFormat.JSON_LINES) {
            List<String> warnings = new ArrayList<>();
            return of(HistoryFormat.read(history, warnings::add), warnings);
        }
        Path saved = history.resolveSibling(history.getFileName() + ".index");
        long[] stamp = stamp(history);
        if (Files.exists(saved)) {
            HistoryIndex index = load(saved, history, stamp);
            if (index != null) {
                return index;
            }
        }
        return build(history, saved, stamp);
    }

    /** The same view of a history that is in memory. */
    public static HistoryIndex of(History history, List<String> warnings) {
        Columns columns = new Columns();
        for (HistoryEvent event : history.events()) {
            columns.add(event, 0);
        }
        return new HistoryIndex(
                history.header(), warnings, columns, columns.rows(), null, history.events(), false);
    }

    private static long[] stamp(Path history) throws IOException {
        return new long[] {
            Files.size(history), Files.getLastModifiedTime(history).toMillis(),
        };
    }

    // ---- Building ----

    private static HistoryIndex build(Path history, Path saved, long[] stamp) throws IOException {
        var columns = new Columns();
        List<String> warnings = new ArrayList<>();
        HistoryHeader header;
        try (var lines = new Lines(history)) {
            String first = lines.next();
            if (first == null) {
                throw new HistoryFormatException(history.toString(), 1, 1, "the file is empty");
            }
            header =
                    HistoryReader.header(
                            new Cursor(history.toString(), first, 1), warnings::add, true);
            readEvents(history, lines, columns, warnings);
        }
        LongBuffer rows = columns.rows();
        if (stamp[0] >= SMALL_FILE_BYTES) {
            save(saved, stamp, header, warnings, columns, rows);
        }
        return new HistoryIndex(
                header,
                warnings,
                columns,
                rows,
                new RandomAccessFile(history.toFile(), "r"),
                List.of(),
                false);
    }

    private static void readEvents(
            Path history, Lines lines, Columns columns, List<String> warnings) throws IOException {
        var order = new EventOrder();
        long skipped = 0;
        long lineNumber = 1;
        for (String line = lines.next(); line != null; line = lines.next()) {
            lineNumber++;
            if (line.isBlank()) {
                continue;
            }
            try {
                HistoryEvent event =
                        HistoryReader.event(
                                new Cursor(history.toString(), line, lineNumber), columns.count);
                String problem = order.problem(event);
                if (problem != null && warnings.size() < WARNINGS_MAX) {
                    warnings.add("line " + lineNumber + ": " + problem);
                }
                columns.add(event, lines.start);
            } catch (HistoryFormatException e) {
                if (++skipped <= WARNINGS_MAX) {
                    warnings.add(
                            !lines.ended
                                    ? "the last line is cut off; all before it is shown"
                                    : "line "
                                            + lineNumber
                                            + " cannot be read and is left out ("
                                            + e.getMessage()
                                            + ")");
                }
            }
        }
        if (skipped > WARNINGS_MAX) {
            warnings.add((skipped - WARNINGS_MAX) + " more lines cannot be read");
        }
    }

    /** The file's lines with the byte at which each begins. */
    private static final class Lines implements AutoCloseable {
        private final InputStream in;
        private final byte[] buffer = new byte[1 << 16];
        private final ByteArrayOutputStream line = new ByteArrayOutputStream(512);
        private int at;
        private int filled;
        private long position;

        /** Where the line last returned began. */
        long start;

        /** Whether it had an end. */
        boolean ended;

        Lines(Path file) throws IOException {
            in = Files.newInputStream(file);
        }

        @Nullable String next() throws IOException {
            start = position;
            ended = false;
            line.reset();
            while (true) {
                if (at == filled) {
                    at = 0;
                    filled = in.read(buffer);
                    if (filled <= 0) {
                        filled = 0;
                        return position == start ? null : line.toString(StandardCharsets.UTF_8);
                    }
                }
                int from = at;
                while (at < filled && buffer[at] != '\n') {
                    at++;
                }
                line.write(buffer, from, at - from);
                position += at - from;
                if (at < filled) {
                    at++;
                    position++;
                    ended = true;
                    return line.toString(StandardCharsets.UTF_8);
                }
            }
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    /** Numbers for names that come again and again, as many as their column has room for. */
    private static final class Names<T> {
        private final Map<T, Integer> numbers = new HashMap<>();
        private final List<T> names = new ArrayList<>();
        private final int most;
        private final T beyond;

        /**
         * @param beyond stands for all names that come when {@code most} are known
         */
        Names(int most, T beyond) {
            this.most = most;
            this.beyond = beyond;
        }

        int number(T name) {
            Integer known = numbers.get(name);
            if (known != null) {
                return known;
            }
            if (names.size() >= most) {
                return most - 1;
            }
            T kept = names.size() == most - 1 ? beyond : name;
            names.add(kept);
            numbers.put(name, names.size() - 1);
            return names.size() - 1;
        }
    }

    /** The columns while they grow. */
    private static final class Columns {
        private final Names<String> functions = new Names<>(1 << 12, "…");
        private final Names<Value> keys = new Names<>(1 << 22, Value.of("…"));
        private final Names<String> nodes = new Names<>((1 << 12) - 1, "…");
        private final Names<String> errors = new Names<>((1 << 16) - 1, "…");
        private final Map<Long, Integer> open = new HashMap<>();
        private long[] rows = new long[ROW_LONGS * 1024];
        private int count;

        void add(HistoryEvent event, long offset) {
            if ((count + 1) * ROW_LONGS > rows.length) {
                rows = Arrays.copyOf(rows, rows.length * 2);
            }
            int at = count * ROW_LONGS;
            int partner = partner(event);
            rows[at] = offset;
            rows[at + 1] = event.timeNanos();
            rows[at + 2] = event.process() << 32 | (partner & 0xffffffffL);
            rows[at + 3] =
                    (long) event.type().ordinal()
                            | (long) functions.number(event.f()) << 2
                            | (long) (event.node() == null ? 0 : nodes.number(event.node()) + 1)
                                    << 14
                            | (long) (event.error() == null ? 0 : errors.number(event.error()) + 1)
                                    << 26
                            | (long) keys.number(event.key()) << 42;
            rows[at + 4] = bits(event.value());
            count++;
        }

        /** The other half of the operation; an invocation learns of it when it ends. */
        private int partner(HistoryEvent event) {
            if (event.process() == HistoryEvent.NEMESIS) {
                return -1;
            }
            if (event.type() == Type.INVOKE) {
                open.put(event.process(), count);
                return -1;
            }
            Integer invocation = open.remove(event.process());
            if (invocation == null) {
                return -1;
            }
            int at = invocation * ROW_LONGS + 2;
            rows[at] = (rows[at] & 0xffffffff00000000L) | count;
            return invocation;
        }

        LongBuffer rows() {
            return LongBuffer.wrap(rows, 0, count * ROW_LONGS).slice();
        }
    }

    /** Two bits of 64 for a value and for each of its parts: what lacks them is not it. */
    private static long bits(Value value) {
        long bits = bits(value.toString());
        if (value instanceof Value.Seq(List<Value> values)) {
            for (Value part : values) {
                bits |= bits(part);
            }
        }
        return bits;
    }

    private static long bits(String text) {
        int hash = text.hashCode() * 0x9e3779b1;
        return 1L << (hash & 63) | 1L << (hash >>> 6 & 63);
    }

    // ---- The file beside the history ----

    private static void save(
            Path saved,
            long[] stamp,
            HistoryHeader header,
            List<String> warnings,
            Columns columns,
            LongBuffer rows) {
        Path fresh =
                saved.resolveSibling(saved.getFileName() + "." + ProcessHandle.current().pid());
        try {
            var head = new ByteArrayOutputStream();
            try (var out = new DataOutputStream(head)) {
                writeText(out, header.run());
                writeText(out, header.workload());
                writeText(out, header.model());
                out.writeInt(header.schema());
                out.writeLong(header.seed());
                writeAll(out, header.nodes());
                writeAll(out, warnings);
                writeAll(out, columns.functions.names);
                writeAll(out, columns.nodes.names);
                writeAll(out, columns.errors.names);
                writeAll(out, columns.keys.names.stream().map(HistoryIndex::json).toList());
            }
            try (FileChannel out =
                    FileChannel.open(
                            fresh,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE)) {
                ByteBuffer fixed = ByteBuffer.allocate(40);
                fixed.putInt(MAGIC).putInt(VERSION).putLong(stamp[0]).putLong(stamp[1]);
                fixed.putInt(head.size()).putInt(rows.limit()).putLong(0).flip();
                write(out, fixed);
                write(out, ByteBuffer.wrap(head.toByteArray()));
                ByteBuffer chunk = ByteBuffer.allocate(1 << 16);
                for (int i = 0; i < rows.limit(); ) {
                    chunk.clear();
                    while (chunk.remaining() >= 8 && i < rows.limit()) {
                        chunk.putLong(rows.get(i++));
                    }
                    write(out, chunk.flip());
                }
            }
            Files.move(
                    fresh,
                    saved,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            // A folder that cannot be written, or a full disk: slower the next time, nothing else.
            deleteQuietly(fresh);
        }
    }

    private static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // It stays; the next index replaces it.
        }
    }

    private static void write(FileChannel out, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            out.write(bytes);
        }
    }

    private static void writeAll(DataOutputStream out, List<String> texts) throws IOException {
        out.writeInt(texts.size());
        for (String text : texts) {
            writeText(out, text);
        }
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static String json(Value value) {
        var out = new StringBuilder();
        Json.write(out, value);
        return out.toString();
    }

    /** What was saved, or null where it does not belong to this state of the history. */
    private static @Nullable HistoryIndex load(Path saved, Path history, long[] stamp)
            throws IOException {
        try (FileChannel in = FileChannel.open(saved)) {
            if (in.size() < 40 || in.size() > Integer.MAX_VALUE) {
                return null;
            }
            ByteBuffer all = in.map(FileChannel.MapMode.READ_ONLY, 0, in.size());
            if (all.getInt() != MAGIC
                    || all.getInt() != VERSION
                    || all.getLong() != stamp[0]
                    || all.getLong() != stamp[1]) {
                return null;
            }
            int headSize = all.getInt();
            int rowLongs = all.getInt();
            if (headSize < 0 || rowLongs < 0 || in.size() != 40L + headSize + 8L * rowLongs) {
                return null;
            }
            byte[] head = new byte[headSize];
            all.get(40, head);
            LongBuffer rows =
                    all.slice(40 + headSize, rowLongs * 8)
                            .order(ByteOrder.BIG_ENDIAN)
                            .asLongBuffer();
            return loaded(head, rows, history);
        } catch (HistoryFormatException | java.io.EOFException | IllegalArgumentException e) {
            return null;
        }
    }

    private static HistoryIndex loaded(byte[] head, LongBuffer rows, Path history)
            throws IOException {
        try (var in =
                new DataInputStream(new BufferedInputStream(new ByteArrayInputStream(head)))) {
            String run = readText(in);
            String workload = readText(in);
            String model = readText(in);
            int schema = in.readInt();
            long seed = in.readLong();
            var header = new HistoryHeader(schema, run, workload, model, readAll(in), seed);
            List<String> warnings = readAll(in);
            var columns = new Columns();
            columns.functions.names.addAll(readAll(in));
            columns.nodes.names.addAll(readAll(in));
            columns.errors.names.addAll(readAll(in));
            for (String key : readAll(in)) {
                columns.keys.names.add(Json.value(new Cursor("the index", key, 1)));
            }
            return new HistoryIndex(
                    header,
                    warnings,
                    columns,
                    rows,
                    new RandomAccessFile(history.toFile(), "r"),
                    List.of(),
                    true);
        }
    }

    private static List<String> readAll(DataInputStream in) throws IOException {
        int count = in.readInt();
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(readText(in));
        }
        return texts;
    }

    private static String readText(DataInputStream in) throws IOException {
        return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
    }

    // ---- Looking at it ----

    public HistoryHeader header() {
        return header;
    }

    /** What is odd about the file, one sentence each. */
    public List<String> warnings() {
        return warnings;
    }

    /** Whether the columns came from the file beside the history. */
    public boolean fromFile() {
        return fromFile;
    }

    /** Events. */
    public int size() {
        return size;
    }

    public long timeNanos(int event) {
        return rows.get(event * ROW_LONGS + 1);
    }

    /** The process, or {@link HistoryEvent#NEMESIS}. */
    public long process(int event) {
        return rows.get(event * ROW_LONGS + 2) >> 32;
    }

    /** The event that is the other half of this one's operation, -1 where there is none. */
    public int partner(int event) {
        return (int) rows.get(event * ROW_LONGS + 2);
    }

    public Type type(int event) {
        return TYPES[(int) (small(event) & 3)];
    }

    private static final Type[] TYPES = Type.values();

    private long small(int event) {
        return rows.get(event * ROW_LONGS + 3);
    }

    /** The function's number in {@link #functions}. */
    public int function(int event) {
        return (int) (small(event) >> 2 & 0xfff);
    }

    /** The node's number in {@link #nodes}, -1 for none. */
    public int node(int event) {
        return (int) (small(event) >> 14 & 0xfff) - 1;
    }

    /** The error's number in {@link #errors}, -1 for none. */
    public int error(int event) {
        return (int) (small(event) >> 26 & 0xffff) - 1;
    }

    /** The key's number in {@link #keys}. */
    public int key(int event) {
        return (int) (small(event) >>> 42);
    }

    public List<String> functions() {
        return functions;
    }

    public List<Value> keys() {
        return keys;
    }

    public List<String> nodes() {
        return nodes;
    }

    public List<String> errors() {
        return errors;
    }

    /**
     * Whether an invocation of a client, i.e. the begin of an operation.
     *
     * @param event its number
     */
    public boolean isOperation(int event) {
        return type(event) == Type.INVOKE && process(event) != HistoryEvent.NEMESIS;
    }

    /** The first event at or after a time; the size where there is none. */
    public int firstAt(long timeNanos) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (timeNanos(middle) < timeNanos) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /**
     * The event itself.
     *
     * @throws UncheckedIOException when its line cannot be read any more
     */
    public HistoryEvent event(int number) {
        if (file == null) {
            return events.get(number);
        }
        try {
            return read(file, number);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private synchronized HistoryEvent read(RandomAccessFile in, int number) throws IOException {
        long from = rows.get(number * ROW_LONGS);
        long to =
                number + 1 < size
                        ? rows.get((number + 1) * ROW_LONGS)
                        : Math.min(in.length(), from + (1 << 20));
        byte[] bytes = window(in, from, (int) Math.min(to - from, 1 << 24));
        String line = new String(bytes, StandardCharsets.UTF_8);
        int end = line.indexOf('\n');
        return HistoryReader.event(
                new Cursor("the history", end < 0 ? line : line.substring(0, end), 1), number);
    }

    private byte[] windowBytes = new byte[0];
    private long windowFrom;

    /** Events are mostly read one after the other: a window is kept. */
    private byte[] window(RandomAccessFile in, long from, int length) throws IOException {
        if (from < windowFrom || from + length > windowFrom + windowBytes.length) {
            int wanted = (int) Math.min(Math.max(length, 1 << 16), in.length() - from);
            byte[] read = new byte[Math.max(0, wanted)];
            in.seek(from);
            in.readFully(read);
            windowBytes = read;
            windowFrom = from;
        }
        int at = (int) (from - windowFrom);
        return Arrays.copyOfRange(windowBytes, at, Math.min(windowBytes.length, at + length));
    }

    // ---- Filters ----

    /**
     * What to look for; null is anything.
     *
     * @param key the key's text
     * @param process client processes, {@link HistoryEvent#NEMESIS} for faults
     * @param value the value's text, or that of one of its parts
     * @param fromNanos first time, inclusive
     * @param toNanos last time, exclusive
     * @param function "read", say
     * @param error a part of the error's text, any case
     * @param node who was asked or answered
     */
    public record Filter(
            @Nullable String key,
            @Nullable Long process,
            @Nullable String value,
            long fromNanos,
            long toNanos,
            @Nullable Type type,
            @Nullable String function,
            @Nullable String error,
            @Nullable String node) {
        /** Everything. */
        public static final Filter ALL =
                new Filter(null, null, null, 0, Long.MAX_VALUE, null, null, null, null);
    }

    /** Takes the numbers of matching events, in order. */
    @FunctionalInterface
    public interface Match {
        /** Returns false to hear no more. */
        boolean event(int number);
    }

    /**
     * Tells the numbers of the events that match, in order. Reads only columns, but for a value,
     * which is looked up in the lines that may hold it.
     */
    public void find(Filter filter, Match match) {
        int[] keyNumbers =
                filter.key == null ? NOT_FOUND : numbers(keys, k -> plain(k).equals(filter.key));
        int[] errorNumbers =
                filter.error == null ? NOT_FOUND : numbers(errors, contains(filter.error));
        int function = filter.function == null ? -1 : functions.indexOf(filter.function);
        int node = filter.node == null ? -1 : nodes.indexOf(filter.node);
        if ((filter.key != null && keyNumbers.length == 0)
                || (filter.error != null && errorNumbers.length == 0)
                || (filter.function != null && function < 0)
                || (filter.node != null && node < 0)) {
            return;
        }
        long wantedBits = filter.value == null ? 0 : bits(filter.value);
        long otherBits = filter.value == null ? 0 : bits('"' + filter.value + '"');
        int end = filter.toNanos == Long.MAX_VALUE ? size : firstAt(filter.toNanos);
        for (int i = firstAt(filter.fromNanos); i < end; i++) {
            long small = small(i);
            if ((filter.process != null && process(i) != filter.process)
                    || (filter.type != null && (small & 3) != filter.type.ordinal())
                    || (function >= 0 && function(i) != function)
                    || (node >= 0 && node(i) != node)
                    || (filter.key != null && Arrays.binarySearch(keyNumbers, key(i)) < 0)
                    || (filter.error != null && Arrays.binarySearch(errorNumbers, error(i)) < 0)) {
                continue;
            }
            if (filter.value != null) {
                long bits = rows.get(i * ROW_LONGS + 4);
                boolean possible =
                        (bits & wantedBits) == wantedBits || (bits & otherBits) == otherBits;
                if (!possible || !holds(event(i).value(), filter.value)) {
                    continue;
                }
            }
            if (!match.event(i)) {
                return;
            }
        }
    }

    private static boolean holds(Value value, String text) {
        return plain(value).equals(text)
                || value.toString().equals(text)
                || (value instanceof Value.Seq(List<Value> values)
                        && values.stream().anyMatch(part -> holds(part, text)));
    }

    /** A value as people type it: text without its quotes. */
    public static String plain(Value value) {
        return value instanceof Value.Text(String text) ? text : value.toString();
    }

    private static java.util.function.Predicate<String> contains(String part) {
        String lower = part.toLowerCase(java.util.Locale.ROOT);
        return text -> text.toLowerCase(java.util.Locale.ROOT).contains(lower);
    }

    private static <T> int[] numbers(List<T> names, java.util.function.Predicate<T> wanted) {
        return java.util.stream.IntStream.range(0, names.size())
                .filter(i -> wanted.test(Objects.requireNonNull(names.get(i))))
                .toArray();
    }

    /** All of it in memory, for what must be judged or written out. */
    public History toHistory() {
        List<HistoryEvent> all = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            all.add(event(i));
        }
        return new History(header, all);
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
