package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryReader;
import raft.harness.model.Model;
import raft.harness.model.Models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
        assertThat(why.summary()).contains("process");
        assertThat(why.events()).isNotEmpty();
        History smallest = new History(history.header(), why.events());
        assertThat(Checker.check(smallest, model, Budget.DEFAULT))
                .as("what the explanation shows is impossible by itself")
                .isInstanceOf(Verdict.Violation.class);
        assertThat(live(history, model)).isInstanceOf(Verdict.Violation.class);
    }

    private static Verdict live(History history, Model model) {
        var live = new LiveChecker(model, Budget.DEFAULT.memoryBytes());
        for (HistoryEvent event : history.events()) {
            live.add(event);
        }
        return live.finish();
    }
}
