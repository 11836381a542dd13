package raft.shell;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.StreamChecker;
import raft.harness.checker.Verdict;
import raft.harness.history.EventSink;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryFile;
import raft.harness.history.HistoryFormat;
import raft.harness.history.HistoryHeader;
import raft.harness.model.Model;
import raft.harness.model.Models;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Reads one file and judges it, both within one budget. */
final class HistoryCheck {
    /** What an event of a file costs in memory for each byte of the file, roughly. */
    private static final int HEAP_PER_FILE_BYTE = 5;

    /** How much smaller gzip makes a history, roughly. */
    private static final int PACKED = 12;

    /** What the events in memory may take, beside what the budget gives to the search. */
    private static final int EVENTS_PER_SEARCH_BYTE = 4;

    private final Path file;
    private final String name;
    private final @Nullable Model given;
    private final Budget budget;
    private final Consumer<String> warnings;
    private final Checker.Progress progress;
    private final long startNanos = System.nanoTime();

    /** Leaves a parser when the time is over. */
    private static final class TimeIsUp extends RuntimeException {
        @Serial private static final long serialVersionUID = 1L;

        TimeIsUp() {
            super("the time is up", null, false, false);
        }
    }

    /**
     * What came of it.
     *
     * @param model the name of the model that was used, empty where it was not known yet
     * @param seconds the reading and the judging took
     * @param order a linearization, empty unless asked for
     */
    record Result(Verdict verdict, String model, double seconds, List<HistoryEvent> order) {}

    /**
     * @param name what the file is called in messages
     */
    HistoryCheck(
            Path file,
            String name,
            @Nullable Model given,
            Budget budget,
            Consumer<String> warnings,
            Checker.Progress progress) {
        this.file = file;
        this.name = name;
        this.given = given;
        this.budget = budget;
        this.warnings = warnings;
        this.progress = progress;
    }

    /**
     * Reads and judges.
     *
     * @throws IOException when the file cannot be read or understood
     * @throws IllegalArgumentException when the model does not fit
     */
    Result run(boolean linearization) throws IOException {
        HistoryFormat format = HistoryFormat.detect(file);
        long eventBytes = eventBytes();
        // A half is for the search and whatever else is there.
        boolean fits = eventBytes < Runtime.getRuntime().maxMemory() / 2;
        boolean meant = eventBytes / EVENTS_PER_SEARCH_BYTE < budget.memoryBytes();
        if ((fits && meant) || linearization) {
            return inMemory(format, linearization);
        }
        warnings.accept(name + " is larger than the memory for it; it is judged as a stream");
        Result result = streamed();
        boolean again =
                fits && result.verdict() instanceof Verdict.Unknown && left().toMillis() > 0;
        return again ? inMemory(format, false) : result;
    }

    private long eventBytes() throws IOException {
        long sizeBytes = Files.size(file);
        boolean packed;
        try (var in = Files.newInputStream(file)) {
            packed = in.read() == 0x1f && in.read() == 0x8b;
        }
        return sizeBytes * HEAP_PER_FILE_BYTE * (packed ? PACKED : 1);
    }

    private static String tooLarge(long eventBytes) {
        return String.format(
                Locale.ROOT,
                "the history takes about %d MiB of memory and there are %d MiB; judge it with"
                        + " --stream or give more with RAFT_JAVA_OPTIONS=-Xmx%dm",
                eventBytes >> 20,
                Runtime.getRuntime().maxMemory() >> 20,
                (eventBytes >> 20) * 2 + 512);
    }

    private Result inMemory(HistoryFormat format, boolean linearization) throws IOException {
        History history;
        try {
            history = HistoryFormat.read(file, format, warnings, this::watch);
        } catch (TimeIsUp e) {
            return unread(
                    String.format(
                            Locale.ROOT,
                            "the budget of time ended after %.1f s while the history was read",
                            seconds()));
        } catch (OutOfMemoryError e) {
            return unread(tooLarge(eventBytes()));
        }
        Model model = narrowest(model(history.header()), history);
        Budget rest = new Budget(left(), budget.memoryBytes());
        if (linearization) {
            Checker.Linearization found = Checker.linearize(history, model, rest);
            return new Result(found.verdict(), model.name(), seconds(), found.order());
        }
        Verdict verdict = Checker.check(history, model, rest, progress);
        return new Result(verdict, model.name(), seconds(), List.of());
    }

    private Result unread(String why) {
        return new Result(
                new Verdict.Unknown(0, why),
                given == null ? "" : given.name(),
                seconds(),
                List.of());
    }

    private void watch() {
        if (left().isZero()) {
            throw new TimeIsUp();
        }
    }

    /** What is left of the time, never less than nothing. */
    private Duration left() {
        Duration left = budget.time().minusNanos(System.nanoTime() - startNanos);
        return left.isNegative() ? Duration.ZERO : left;
    }

    private double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    private Model model(HistoryHeader header) {
        if (given != null) {
            return given;
        }
        if (header.model().isEmpty()) {
            throw new IllegalArgumentException(
                    "the history does not say its model; say it with --model: "
                            + String.join(", ", Models.names()));
        }
        return Models.named(header.model());
    }

    /** The model that a history names, or a narrower one that fits what is in it. */
    static Model model(History history) {
        return narrowest(Models.named(history.header().model()), history);
    }

    private static Model narrowest(Model model, History history) {
        return Models.narrowest(
                model,
                history.events().stream()
                        .filter(event -> event.process() != HistoryEvent.NEMESIS)
                        .map(HistoryEvent::f)
                        .collect(Collectors.toSet()));
    }

    /** Judges without ever holding all of the history. */
    Result streamed() throws IOException {
        boolean[] warned = {false};
        try (var source = new HistoryFile(file, HistoryFormat.detect(file))) {
            StreamChecker.Result result =
                    StreamChecker.check(
                            (sink, watch) -> source.stream(onceWarned(sink, warned), watch),
                            this::model,
                            new Budget(left(), budget.memoryBytes()),
                            progress);
            return new Result(result.verdict(), result.model(), seconds(), List.of());
        }
    }

    /** It is read several times; what is odd is told once. */
    private EventSink onceWarned(EventSink sink, boolean[] warned) {
        return new EventSink() {
            @Override
            public void header(HistoryHeader header) {
                sink.header(header);
            }

            @Override
            public void event(HistoryEvent event) {
                sink.event(event);
            }

            @Override
            public void warning(String sentence) {
                if (!warned[0]) {
                    warned[0] = true;
                    warnings.accept(sentence);
                }
            }
        };
    }
}
