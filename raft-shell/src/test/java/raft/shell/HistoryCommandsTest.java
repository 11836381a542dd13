package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import picocli.CommandLine;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.history.History;
import raft.harness.history.HistoryFormat;
import raft.harness.history.HistoryReader;
import raft.harness.model.Models;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** {@code ./raft history …} on a simulated run with a planted bug's history, as a user has it. */
final class HistoryCommandsTest {
    private static final Path BAD = Path.of("../histories/corpus/bad/stale-read.jsonl");

    @TempDir private Path root;

    private String out = "";
    private String err = "";

    private int execute(String... words) {
        var outWriter = new StringWriter();
        var errWriter = new StringWriter();
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(outWriter, true));
        commandLine.setErr(new PrintWriter(errWriter, true));
        String[] all = java.util.Arrays.copyOf(words, words.length + 2);
        all[words.length] = "--histories";
        all[words.length + 1] = root.toString();
        int status = commandLine.execute(all);
        out = outWriter.toString();
        err = errWriter.toString();
        return status;
    }

    @BeforeEach
    void aRunIsThere() {
        assertThat(execute("history", "import", BAD.toString(), "--name", "stale")).isEqualTo(1);
        assertThat(out).startsWith("violation: ").contains("Saved in ");
    }

    @Test
    void theListNamesTheRunAndItsVerdict() {
        assertThat(execute("history", "list")).isZero();
        assertThat(out).contains("stale/").contains("violation");
        assertThat(out.lines()).allMatch(line -> line.length() <= 80);
        assertThat(execute("history", "list", "--output", "json")).isZero();
        JsonNode run = JsonMapper.shared().readTree(out);
        assertThat(run.path("verdict").asString()).isEqualTo("violation");
        assertThat(run.path("operations").asLong()).isPositive();
    }

    @Test
    void explainTellsWhatNodesBrokeAndHowToSeeItAgain() throws IOException {
        Path run = root.resolve("latest").toRealPath();
        Files.writeString(
                run.resolve("results.json"),
                "{\"verdict\":\"violation\",\"linearizability\":\"valid\","
                        + "\"reasons\":[\"n1 voted twice\"],\"repeat\":\"./raft test --seed 4\"}");
        assertThat(execute("history", "explain", "latest")).isEqualTo(1);
        assertThat(out).contains("n1 voted twice", "To repeat: ./raft test --seed 4");
    }

    @Test
    void explainTellsTheContradictionAndKeepsItForOthers() throws IOException {
        Path kept = root.resolve("kept/small");
        assertThat(execute("history", "explain", "latest", "--save", kept.toString())).isEqualTo(1);
        assertThat(out).contains("Why this is impossible").contains("process");
        // A command must stay one line to be copied.
        assertThat(out.lines())
                .filteredOn(line -> !line.startsWith("To repeat: "))
                .allMatch(line -> line.length() <= 80);
        History small = HistoryReader.read(root.resolve("kept/small.jsonl"));
        assertThat(Checker.check(small, Models.named("cas-register"), Budget.DEFAULT))
                .isInstanceOf(Verdict.Violation.class);
        assertThat(Files.readString(root.resolve("kept/small.md"))).contains("## Its events");
    }

    @ParameterizedTest
    @CsvSource({
        "jsonl, JSON_LINES",
        "edn, EDN",
        "jepsen-log, JEPSEN_LOG",
        "porcupine, OPERATIONS_JSON"
    })
    void whatIsExportedAsAHistoryIsReadAsOneAndStillImpossible(String name, HistoryFormat format)
            throws IOException {
        Path file = exported(name);
        assertThat(HistoryFormat.detect(file)).isEqualTo(format);
        History read = HistoryFormat.read(file, warning -> {});
        assertThat(Checker.check(read, Models.named("cas-register"), Budget.DEFAULT))
                .isInstanceOf(Verdict.Violation.class);
    }

    /** The latest history in a file of that format. */
    private Path exported(String format) {
        Path file = root.resolve("exported");
        assertThat(
                        execute(
                                "history",
                                "export",
                                "latest",
                                "--format",
                                format,
                                "--file",
                                file.toString()))
                .as(err)
                .isZero();
        return file;
    }

    @ParameterizedTest
    @CsvSource({"jsonl", "edn", "jepsen-log", "porcupine"})
    void keysStayApartInEveryFormat(String name) throws IOException {
        Path run = root.resolve("latest").toRealPath();
        String history = Files.readString(run.resolve("history.jsonl"));
        String header = history.substring(0, history.indexOf('\n') + 1);
        Files.writeString(
                run.resolve("history.jsonl"),
                header
                        + event(0, 0, "invoke", "write", 1, "7")
                        + event(1, 0, "ok", "write", 1, "7")
                        + event(2, 1, "invoke", "read", 2, "null")
                        + event(3, 1, "ok", "read", 2, "null")
                        + event(4, 0, "invoke", "cas", 2, "[null,8]")
                        + event(5, 0, "info", "cas", 2, "[null,8],\"error\":\"timeout\""));
        Path file = exported(name);
        History read = HistoryFormat.read(file, warning -> {});
        assertThat(read.events().stream().map(e -> e.key() + " " + e.value()).distinct())
                .containsExactly("1 7", "2 nil", "2 [nil, 8]");
        assertThat(Checker.check(read, Models.named("cas-register"), Budget.DEFAULT))
                .isInstanceOf(Verdict.Valid.class);
    }

    private static String event(
            int index, int process, String type, String f, int key, String value) {
        return String.format(
                Locale.ROOT,
                "{\"index\":%d,\"time\":%d,\"process\":%d,\"type\":\"%s\",\"f\":\"%s\",\"key\":%d,"
                        + "\"value\":%s}\n",
                index,
                index * 1_000_000,
                process,
                type,
                f,
                key,
                value);
    }

    @Test
    void ofNodesLogsOnlyTheTimeThatWasAskedForIsShown() throws IOException {
        Path node = root.resolve("latest").toRealPath().resolve("nodes/n1");
        Files.createDirectories(node);
        Files.writeString(
                node.resolve("status.jsonl"),
                "{\"time\":0,\"utc\":0,\"status\":{\"role\":\"leader\"}}\n");
        Files.writeString(
                node.resolve("node.log"),
                "1970-01-01T00:00:00.000Z INFO n1 early\n1970-01-01T00:01:00.000Z INFO n1 late\n");
        assertThat(execute("history", "show", "latest", "--logs")).isZero();
        assertThat(out).contains("n1 | early", "n1 | late");
        assertThat(execute("history", "show", "latest", "--logs", "--to", "30s")).isZero();
        assertThat(out).contains("n1 | early").doesNotContain("late");
    }

    @Test
    void perfettoGetsOneSliceForEachOperation() throws IOException {
        assertThat(execute("history", "export", "latest", "--format", "perfetto")).isZero();
        JsonNode trace = JsonMapper.shared().readTree(out);
        long slices = 0;
        for (JsonNode event : trace.path("traceEvents")) {
            slices += event.path("ph").asString().equals("X") ? 1 : 0;
        }
        long operations =
                HistoryReader.read(BAD).events().stream()
                        .filter(e -> e.type().name().equals("INVOKE"))
                        .count();
        assertThat(slices).isEqualTo(operations);
    }

    @Test
    void shivizLinesFitTheExpressionThatIsGivenForThem() {
        assertThat(execute("history", "export", "latest", "--format", "shiviz")).isZero();
        String pairs = out.replaceAll("(?m)^(\\S*) (\\{.*})\\n(.*)$", "");
        assertThat(pairs).isBlank();
        assertThat(out).contains("p0 {").contains("cluster {");
    }

    @Test
    void mermaidDrawsEveryMessage() {
        assertThat(execute("history", "export", "latest", "--format", "mermaid")).isZero();
        assertThat(out).startsWith("sequenceDiagram").contains("p0->>node_cluster: write 1");
    }

    @Test
    void showFiltersPagesAndPairs() {
        assertThat(execute("history", "show", "latest", "--type", "invoke", "--limit", "1"))
                .isZero();
        assertThat(out.lines().count()).isEqualTo(2);
        assertThat(out).contains("--page 2 goes on");
        assertThat(execute("history", "show", "latest", "--operations", "--f", "read")).isZero();
        assertThat(out).contains("ms").contains("ok");
        assertThat(execute("history", "show", "latest", "--value", "777")).isZero();
        assertThat(out).contains("no event fits");
    }

    @Test
    void aRunDiffersNotFromItself() {
        assertThat(execute("history", "diff", "latest", "latest")).isZero();
        assertThat(out).contains("the same, to the nanosecond");
        assertThat(execute("history", "stats", "latest")).isZero();
        assertThat(out).contains("latency, ms").contains("write");
        assertThat(execute("history", "timeline", "latest")).isZero();
        assertThat(out).contains("process 0");
    }

    @Test
    void whatIsMissingIsSaidAndTheRestShown() throws IOException {
        Path run = root.resolve("latest").toRealPath();
        Files.delete(run.resolve("results.json"));
        assertThat(execute("history", "list")).isZero();
        assertThat(out).contains("unfinished");
        assertThat(execute("history", "explain", "latest"))
                .as("judged again where results are missing")
                .isEqualTo(1);
        String text = Files.readString(run.resolve("history.jsonl"));
        Files.writeString(run.resolve("history.jsonl"), text.substring(0, text.length() - 9));
        assertThat(execute("history", "show", "latest")).isZero();
        assertThat(err).contains("the last line is cut off");
        Files.delete(run.resolve("history.jsonl"));
        assertThat(execute("history", "show", "latest")).isEqualTo(254);
        assertThat(err).contains("nothing was recorded");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "history show moon | no run or file is called 'moon'",
                "history show latest --process x | --process must be a number or nemesis",
                "history show latest --from 2s --to 1s | --from must be before --to",
                "history show latest --page 0 | --page counts from 1",
                "history show latest --page 99 | the last page is 1",
                "history list --verdict moon | there are valid, violation, unknown, insuf",
                "history export latest --format moon | no format is called 'moon'",
                "history timeline latest --around 999 | events are numbered 0 to",
                "history import /nowhere | does not exist",
                "history | say what to do"
            })
    void mistakesAreNamedInOneSentence(String words, String expected) {
        int status =
                words.strip().equals("history")
                        ? Main.commandLine()
                                .setErr(new PrintWriter(new StringWriter(), true))
                                .execute("history")
                        : execute(words.strip().split(" "));
        assertThat(status).isEqualTo(254);
        if (!words.strip().equals("history")) {
            assertThat(err).contains(expected.strip()).doesNotContain("\tat ");
            assertThat(out).isEmpty();
        }
    }
}
