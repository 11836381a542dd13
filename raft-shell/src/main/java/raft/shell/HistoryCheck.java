package raft.shell;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.LiveChecker;
import raft.harness.checker.Verdict;
import raft.harness.history.EventSink;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryFormat;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryReader;
import raft.harness.model.Model;
import raft.harness.model.Models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Reads one file and judges it. */
final class HistoryCheck {
    /** What an event of a file costs in memory for each byte of the file, roughly. */
    private static final int HEAP_PER_FILE_BYTE = 5;

    private final Path file;
    private final @Nullable Model given;
    private final Budget budget;
    private final Consumer<String> warnings;
    private final Checker.Progress progress;

    /**
     * What came of it.
     *
     * @param model the name of the model that was used
     * @param seconds the judging took, without the reading
     * @param order a linearization, empty unless asked for
     */
    record Result(Verdict verdict, String model, double seconds, List<HistoryEvent> order) {}

    HistoryCheck(
            Path file,
            @Nullable Model given,
            Budget budget,
            Consumer<String> warnings,
            Checker.Progress progress) {
        this.file = file;
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
        Runtime runtime = Runtime.getRuntime();
        if (format == HistoryFormat.JSON_LINES
                && Files.size(file) > runtime.maxMemory() / HEAP_PER_FILE_BYTE) {
            warnings.accept(file + " is larger than memory; it is judged as a stream");
            return streamed();
        }
        History history = HistoryFormat.read(file, format, warnings);
        Model model =
                Models.narrowest(
                        model(history.header()),
                        history.events().stream()
                                .filter(event -> event.process() != HistoryEvent.NEMESIS)
                                .map(HistoryEvent::f)
                                .collect(Collectors.toSet()));
        long start = System.nanoTime();
        if (linearization) {
            Checker.Linearization found = Checker.linearize(history, model, budget);
            return new Result(found.verdict(), model.name(), seconds(start), found.order());
        }
        Verdict verdict = Checker.check(history, model, budget, progress);
        return new Result(verdict, model.name(), seconds(start), List.of());
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

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    /** Judges JSON Lines without ever holding all of them. */
    Result streamed() throws IOException {
        if (HistoryFormat.detect(file) != HistoryFormat.JSON_LINES) {
            throw new IllegalArgumentException("only JSON Lines can be judged as a stream");
        }
        long start = System.nanoTime();
        var sink = new LiveSink();
        HistoryReader.stream(file, sink);
        LiveChecker live = sink.started();
        return new Result(live.finish(), sink.modelName, seconds(start), List.of());
    }

    private final class LiveSink implements EventSink {
        private @Nullable LiveChecker live;
        private String modelName = "";
        private long count;

        @Override
        public void header(HistoryHeader header) {
            Model model = model(header);
            modelName = model.name();
            live = new LiveChecker(model, budget);
        }

        LiveChecker started() {
            if (live == null) {
                throw new IllegalStateException("an event came before the header");
            }
            return live;
        }

        @Override
        public void event(HistoryEvent event) {
            started().add(event);
            if ((++count & 0xFFFF) == 0) {
                progress.at(started().judgedCount(), count / 2);
            }
        }

        @Override
        public void warning(String sentence) {
            warnings.accept(sentence);
        }
    }
}
