package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import raft.harness.history.EventSink;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryFile;
import raft.harness.history.HistoryFormat;
import raft.harness.history.HistoryHeader;
import raft.harness.model.Model;
import raft.harness.model.Models;
import raft.harness.model.Samples;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

/** A history that is read again and again instead of held: never wrong, within its budget. */
class StreamCheckerTest {
    private static final HistoryHeader HEADER =
            new HistoryHeader(HistoryHeader.SCHEMA, "", "", "", List.of(), 0);
    private static final Budget BUDGET = new Budget(Duration.ofSeconds(60), 64 << 20);

    @TempDir private Path folder;

    /** Small histories of every model: what it says for certain is what all orders say. */
    @Test
    void agreesWithBruteForceWhereItIsCertain() throws IOException {
        for (Model model : Samples.models()) {
            int certainCount = 0;
            for (long seed = 1; seed <= 1_000; seed++) {
                List<HistoryEvent> events = Samples.history(model, new SplittableRandom(seed), 8);
                Verdict verdict = streamed(events, model);
                if (!(verdict instanceof Verdict.Unknown)) {
                    certainCount++;
                    assertThat(verdict instanceof Verdict.Valid)
                            .as("%s seed %d: %s", model.name(), seed, verdict)
                            .isEqualTo(BruteForce.linearizable(events, model));
                }
            }
            assertThat(certainCount).as(model.name()).isGreaterThan(850);
        }
    }

    /** Refused cas beside crashed operations are what it takes on trust; that must stay honest. */
    @Test
    void agreesWithTheGeneralSearchOnWideHistoriesWhereItIsCertain() throws IOException {
        int certainCount = 0;
        for (long seed = 1; seed <= 500; seed++) {
            var random = new SplittableRandom(seed);
            List<HistoryEvent> events =
                    Samples.wide(Models.CAS_REGISTER, random, 16 + random.nextInt(24));
            Verdict verdict = streamed(events, Models.CAS_REGISTER);
            Verdict general =
                    Checker.check(
                            events, Models.CAS_REGISTER, Budget.DEFAULT, Check.Options.GENERAL);
            if (!(verdict instanceof Verdict.Unknown)) {
                certainCount++;
                assertThat(verdict instanceof Verdict.Valid)
                        .as("seed %d: %s", seed, verdict)
                        .isEqualTo(general instanceof Verdict.Valid);
            }
        }
        assertThat(certainCount).isGreaterThan(300);
    }

    /**
     * Twenty processes with crashes lose every beam sooner or later; a stale read is seen anyway.
     */
    @Test
    void findsAStaleReadAmongManyCrashedOperations() throws IOException {
        History history =
                HistoryGenerator.generate(
                        new HistoryGenerator.Shape(1, 50_000, 20, 1, 0, 0.01, 0.7));
        assertThat(streamed(history.events(), Models.CAS_REGISTER))
                .isInstanceOf(Verdict.Violation.class);
    }

    private static Verdict streamed(List<HistoryEvent> events, Model model) throws IOException {
        return StreamChecker.check(source(events), header -> model, BUDGET, Checker.Progress.NONE)
                .verdict();
    }

    private static StreamChecker.Source source(List<HistoryEvent> events) {
        return (sink, watch) -> feed(events, sink);
    }

    private static void feed(List<HistoryEvent> events, EventSink sink) {
        sink.header(HEADER);
        events.forEach(sink::event);
    }

    @Test
    void endsInTimeWhateverItIsDoing() throws IOException {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        History history =
                HistoryGenerator.generate(
                        new HistoryGenerator.Shape(1, 200_000, 10, 1, 0, 0.01, 0.9));
        for (int millis : new int[] {1, 5, 20, 60, 150, 400, 900}) {
            long start = threads.getCurrentThreadCpuTime();
            var meter =
                    new Meter(
                            new Budget(Duration.ofMillis(millis), 1L << 28),
                            Checker.Progress.NONE,
                            threads::getCurrentThreadCpuTime);
            Verdict verdict =
                    StreamChecker.check(source(history.events()), h -> Models.CAS_REGISTER, meter)
                            .verdict();
            long tookMillis = (threads.getCurrentThreadCpuTime() - start) / 1_000_000;
            assertThat(tookMillis).as("of %d: %s", millis, verdict).isLessThan(millis + 100);
            if (verdict instanceof Verdict.Unknown unknown) {
                assertThat(unknown.reason()).contains("the budget of time ended");
            }
        }
    }

    /**
     * Files whose events take 60 MB in a machine with 24 MB: decided, both ways, from what fits.
     */
    @ParameterizedTest
    @EnumSource
    void decidesAHistoryLargerThanTheHeap(HistoryFormat format)
            throws IOException, InterruptedException {
        Path valid = written(format, -1);
        Path stale = written(format, 0.7);
        Process child =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx24m",
                                "-XX:+UseSerialGC",
                                "-cp",
                                System.getProperty("java.class.path"),
                                SmallHeap.class.getName(),
                                valid.toString(),
                                stale.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(child.waitFor()).as(said).isZero();
        assertThat(said.lines().toList()).hasSize(2);
        assertThat(said.lines().toList().get(0)).startsWith("Valid[operationCount=100000]");
        assertThat(said.lines().toList().get(1))
                .startsWith("Violation")
                .contains("had finished")
                .contains("was not written again");
    }

    /** As a list where there is one, on a single line: then no line is short. */
    private Path written(HistoryFormat format, double stale) throws IOException {
        Path file = folder.resolve("stale-at" + stale);
        HistoryFormat.write(
                file,
                format,
                HistoryGenerator.generate(
                        new HistoryGenerator.Shape(7, 100_000, 10, 1, 0, 0.01, stale)));
        if (format == HistoryFormat.EDN || format == HistoryFormat.OPERATIONS_JSON) {
            String text = Files.readString(file).replace('\n', ' ');
            Files.writeString(file, format == HistoryFormat.EDN ? "[" + text + "]" : text);
        }
        return file;
    }

    /** What the child does. */
    static final class SmallHeap {
        private SmallHeap() {}

        public static void main(String[] arguments) throws IOException {
            for (String argument : arguments) {
                Path path = Path.of(argument);
                try (var file = new HistoryFile(path, HistoryFormat.detect(path))) {
                    Verdict verdict =
                            StreamChecker.check(
                                            file::stream,
                                            header -> Models.named(header.model()),
                                            new Budget(Duration.ofSeconds(60), 1L << 30),
                                            Checker.Progress.NONE)
                                    .verdict();
                    System.out.println(verdict.toString().replace('\n', ' '));
                }
            }
        }
    }
}
