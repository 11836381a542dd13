package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryReader;
import raft.harness.model.Model;
import raft.harness.model.Models;
import raft.harness.report.Counterexample;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The committed histories: judged at once, judged live, and explained. */
class CorpusTest {
    private static final Path FOLDER = Path.of("../histories/corpus");

    @TestFactory
    Stream<DynamicTest> good() throws IOException {
        return files("good").map(f -> DynamicTest.dynamicTest(f.toString(), () -> fits(f)));
    }

    @TestFactory
    Stream<DynamicTest> bad() throws IOException {
        return files("bad").map(f -> DynamicTest.dynamicTest(f.toString(), () -> fails(f)));
    }

    /** Those that were found, not written: their words must be true of what is kept of them. */
    @TestFactory
    Stream<DynamicTest> explanation() throws IOException {
        List<Path> found = files("bad").filter(file -> Files.exists(beside(file, ".md"))).toList();
        assertThat(found.stream().filter(f -> f.getFileName().toString().startsWith("docker-")))
                .as("found on containers")
                .hasSizeGreaterThanOrEqualTo(3);
        return found.stream().map(f -> DynamicTest.dynamicTest(f.toString(), () -> isStillTrue(f)));
    }

    private static void isStillTrue(Path file) throws IOException {
        History history = HistoryReader.read(file);
        String words = Files.readString(beside(file, ".md"));
        Verdict verdict =
                Checker.check(history, Models.named(history.header().model()), Budget.DEFAULT);
        assertThat(verdict).isInstanceOf(Verdict.Violation.class);
        Verdict.Explanation why = ((Verdict.Violation) verdict).explanation();
        HistoryEvent last = why.events().getLast();
        // What is kept stands alone: there an operation without an end has a process to itself.
        assertThat(words)
                .as("the operation that nothing can explain")
                .containsPattern(
                        last.f()
                                + " "
                                + last.index()
                                + "|"
                                + last.f()
                                + " \\d+ by process \\d+ returned "
                                + Pattern.quote(last.value().toString()));
        assertThat(words).contains("* seed: ", "* planted bug: ", "* again: `./raft test");
        boolean docker = file.getFileName().toString().startsWith("docker-");
        assertThat(words).contains("* cluster: " + (docker ? "docker" : "sim"));
    }

    /** Whoever adds a history says where it is from. */
    @Test
    void everyFileIsNamed() throws IOException {
        String origin = Files.readString(FOLDER.resolve("ORIGIN.md"));
        for (String verdict : List.of("good", "bad")) {
            try (Stream<Path> files = Files.list(FOLDER.resolve(verdict))) {
                for (Path file : files.toList()) {
                    String name = file.getFileName().toString().replaceFirst("\\..*", "");
                    assertThat(origin).contains("| " + verdict + "/" + name + " |");
                }
            }
        }
    }

    private static Path beside(Path file, String ending) {
        String name = file.getFileName().toString();
        return file.resolveSibling(name.replace(".jsonl", ending));
    }

    private static Stream<Path> files(String verdict) throws IOException {
        try (Stream<Path> found = Files.list(FOLDER.resolve(verdict))) {
            List<Path> files = found.filter(f -> f.toString().endsWith(".jsonl")).sorted().toList();
            assertThat(files).isNotEmpty();
            return files.stream();
        }
    }

    private static void fits(Path file) throws IOException {
        History history = HistoryReader.read(file);
        Model model = Models.named(history.header().model());
        Checker.Linearization found = Checker.linearize(history, model, Budget.DEFAULT);
        assertThat(found.verdict()).isInstanceOf(Verdict.Valid.class);
        assertThat(live(history, model)).isInstanceOf(Verdict.Valid.class);
    }

    private static void fails(Path file) throws IOException {
        History history = HistoryReader.read(file);
        Model model = Models.named(history.header().model());
        Verdict verdict = Checker.check(history, model, Budget.DEFAULT);
        assertThat(verdict).isInstanceOf(Verdict.Violation.class);
        Verdict.Explanation why = ((Verdict.Violation) verdict).explanation();
        assertThat(why.summary()).containsPattern("process|Key");
        assertThat(why.events()).isNotEmpty();
        List<HistoryEvent> alone = new Counterexample(why.summary(), why.events()).standingAlone();
        History smallest = new History(history.header(), alone);
        assertThat(Checker.check(smallest, model, Budget.DEFAULT))
                .as("what the explanation shows is impossible by itself")
                .isInstanceOf(Verdict.Violation.class);
        Verdict live = live(history, model);
        if (Files.exists(beside(file, ".md"))) {
            // Where much is open the live checker may give up, but never calls it valid.
            assertThat(live).isNotInstanceOf(Verdict.Valid.class);
        } else {
            assertThat(live).isInstanceOf(Verdict.Violation.class);
        }
    }

    private static Verdict live(History history, Model model) {
        var live = new LiveChecker(model, Budget.DEFAULT.memoryBytes());
        for (HistoryEvent event : history.events()) {
            live.add(event);
        }
        return live.finish();
    }
}
