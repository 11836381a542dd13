package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.zip.GZIPOutputStream;

import javax.tools.ToolProvider;

/** {@code check} as it is typed. */
final class CheckCommandTest {
    private static final String HEADER =
            "{\"schema\":1,\"run\":\"r\",\"workload\":\"w\",\"model\":\"register\",\"nodes\":[],"
                    + "\"seed\":1}\n";
    private static final String VALID =
            HEADER
                    + event(0, "invoke", "write", "3")
                    + event(0, "ok", "write", "3")
                    + event(1, "invoke", "read", "null")
                    + event(1, "ok", "read", "3");
    private static final String STALE =
            HEADER
                    + event(0, "invoke", "write", "3")
                    + event(0, "ok", "write", "3")
                    + event(0, "invoke", "write", "1")
                    + event(0, "ok", "write", "1")
                    + event(1, "invoke", "read", "null")
                    + event(1, "ok", "read", "3");

    @TempDir private Path folder;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private static String event(int process, String type, String f, String value) {
        return "{\"process\":%d,\"type\":\"%s\",\"f\":\"%s\",\"value\":%s}%n"
                .formatted(process, type, f, value);
    }

    private int check(Object... words) {
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        List<String> all = new ArrayList<>(List.of("check"));
        for (Object word : words) {
            all.add(word.toString());
        }
        return commandLine.execute(all.toArray(new String[0]));
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    /** The class is the one that the documentation shows, and it has 20 lines. */
    @Test
    void judgesByAModelOfTheUsersFromAJar() throws IOException {
        String document = Files.readString(Path.of("../docs/checker.md"));
        int from = document.indexOf("```java\n") + 8;
        String source = document.substring(from, document.indexOf("```", from));
        assertThat(source.lines().filter(l -> !l.isBlank()).count()).isLessThanOrEqualTo(20);
        Path java = file("MaxRegister.java", source);
        assertThat(
                        ToolProvider.getSystemJavaCompiler()
                                .run(
                                        null,
                                        null,
                                        null,
                                        "-proc:none",
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        "-d",
                                        folder.toString(),
                                        java.toString()))
                .isZero();
        Path jar = folder.resolve("my-models.jar");
        try (var packed = new JarOutputStream(Files.newOutputStream(jar))) {
            packed.putNextEntry(new JarEntry("my/MaxRegister.class"));
            packed.write(Files.readAllBytes(folder.resolve("my/MaxRegister.class")));
        }
        // Stale for a register; the largest value for this one.
        Path history = file("history.jsonl", STALE);

        assertThat(check("--model", "my.MaxRegister", "--model-path", jar, history)).isZero();
        assertThat(out.toString()).contains(": valid (3 operations, max-register");
        assertThat(check(history)).isEqualTo(1);
        assertThat(check("--model", "my.Missing", "--model-path", jar, history)).isEqualTo(254);
        assertThat(err.toString()).contains("there is no class my.Missing");
    }

    @Test
    void sumsUpManyFilesAndEndsAsTheWorst() throws IOException {
        Path valid = file("a.jsonl", VALID);
        Path stale = file("b.jsonl", STALE);
        Path broken = file("c.jsonl", HEADER + "{\"process\":0,\"type\":\"invoke\"");

        assertThat(check(valid, valid)).isZero();
        assertThat(out.toString()).contains("2 histories: 2 valid");
        assertThat(check(valid, stale, broken, folder.resolve("none.jsonl"))).isEqualTo(1);
        assertThat(out.toString())
                .contains("4 histories: 2 valid, 1 violation, 1 not readable")
                .contains("Read 4 by process 1 returned 3, but the write of 1 by process 0");
        assertThat(err.toString()).contains("none.jsonl: there is no such file");
    }

    /** A run's folder is its history; any other is all that are in it, of every kind. */
    @Test
    void foldersAreTheHistoriesInThem() throws IOException {
        Path store = Files.createDirectories(folder.resolve("store"));
        Path run = Files.createDirectories(store.resolve("b-run"));
        Files.writeString(run.resolve("history.jsonl"), STALE);
        Files.writeString(run.resolve("nodes.log"), "no history");
        Files.writeString(
                store.resolve("a.edn"), "{:process 0, :type :invoke, :f :write, :value 3}");
        Files.writeString(store.resolve("c.log"), "INFO jepsen.util - 0 :invoke :write 3\n");
        Files.writeString(store.resolve("README.md"), "no history");
        Path empty = Files.createDirectories(folder.resolve("empty"));

        assertThat(check(store, empty)).isEqualTo(1);
        assertThat(out.toString())
                .contains("4 histories: 2 valid, 1 violation, 1 not readable")
                .contains("a.edn: valid")
                .contains("c.log: valid")
                .contains("history.jsonl: violation");
        assertThat(err.toString()).contains("empty: there is no history in this folder");
    }

    @Test
    void readsStandardInputGzipMarksAndLineEndsOfAllKinds() throws IOException {
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(STALE.getBytes(StandardCharsets.UTF_8)));
            assertThat(check("-")).isEqualTo(1);
            assertThat(out.toString()).startsWith("-: violation (3 operations");
            System.setIn(new ByteArrayInputStream("{nonsense".getBytes(StandardCharsets.UTF_8)));
            assertThat(check("-")).isEqualTo(254);
            assertThat(err.toString()).contains("raft: -:1:");
        } finally {
            System.setIn(before);
        }
        var packed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(packed)) {
            gzip.write(VALID.getBytes(StandardCharsets.UTF_8));
        }
        Path gz = Files.write(folder.resolve("a.jsonl.gz"), packed.toByteArray());
        byte[] half = Arrays.copyOf(packed.toByteArray(), packed.size() / 2);
        Path torn = Files.write(folder.resolve("torn.gz"), half);

        assertThat(check(gz)).isZero();
        assertThat(check(file("marked.jsonl", "\ufeff" + VALID))).isZero();
        assertThat(check(file("dos.jsonl", VALID.replace("\n", "\r\n")))).isZero();
        assertThat(check(torn)).isEqualTo(254);
        assertThat(err.toString()).doesNotContain("Exception").doesNotContain("at java.");
    }

    @Test
    void streamsWhatIsLargerThanItsMemoryAndStopsInTime() throws IOException {
        var large = new StringBuilder(HEADER);
        for (int i = 0; i < 15_000; i++) {
            large.append(event(0, "invoke", "write", "" + i));
            large.append(event(0, "ok", "write", "" + i));
        }
        Path file = file("large.jsonl", large.toString());

        assertThat(check("--memory-budget", "1m", file)).isZero();
        assertThat(err.toString()).contains("it is judged as a stream");
        assertThat(check("--memory-budget", "1m", "--time-budget", "1ms", file)).isEqualTo(2);
        assertThat(check("--time-budget", "1ms", file)).isEqualTo(2);
        assertThat(out.toString()).contains("the budget of time ended after 0.0 s");
    }

    @Test
    void streamsWhateverTheFormatIs() throws IOException {
        String operations =
                "[{\"call\":5,\"return\":6,\"input\":{\"op\":\"read\"},\"output\":1},"
                        + "{\"call\":1,\"return\":3,\"input\":{\"op\":\"write\",\"value\":%s}}]";
        assertThat(check("--stream", file("ok.json", operations.formatted("1")))).isZero();
        assertThat(check("--stream", file("bad.json", operations.formatted("2")))).isEqualTo(1);
        assertThat(check("--stream", file("no.json", operations.formatted("?")))).isEqualTo(254);
        assertThat(err.toString()).contains("no.json:1:").contains("a JSON value was expected");
        String log =
                "0\t:invoke\t:write\t1\n0\t:ok\t:write\t1\n0\t:invoke\t:read\tnil\n0\t:ok\t:read\t";
        assertThat(check("--stream", file("ok.log", log + "1\n"))).isZero();
        assertThat(check("--stream", file("bad.log", log + "2\n"))).isEqualTo(1);
    }

    @Test
    void readsTransactionsOfOneOperationAndSaysWhatToDoWithOthers() throws IOException {
        String one =
                """
                {:type :invoke, :f :txn, :value [[:append 7 1]], :process 0, :time 1, :index 0}
                {:type :ok, :f :txn, :value [[:append 7 1]], :process 0, :time 2, :index 1}
                {:type :invoke, :f :txn, :value [[:r 7 nil]], :process 1, :time 3, :index 2}
                {:type :ok, :f :txn, :value [[:r 7 %s]], :process 1, :time 4, :index 3}
                """;
        assertThat(check(file("list.edn", one.formatted("[1]")))).isZero();
        assertThat(check(file("stale.edn", one.formatted("[]")))).isEqualTo(1);
        assertThat(out.toString()).contains("Key 7: read 2 by process 1 returned []");
        String two = one.formatted("[1]").replace("[[:r 7 nil]]", "[[:r 7 nil] [:r 8 nil]]");
        assertThat(check(file("many.edn", two))).isEqualTo(254);
        assertThat(err.toString())
                .contains("many.edn:3:1: ")
                .contains(":max-txn-length 1, or judge transactions with Elle");
    }

    @Test
    void progressIsOneLineThatDisappearsOnATerminalAndAFewLinesElsewhere() {
        long[] clock = {0};
        var terminal = new ProgressLine(new PrintWriter(err, true), "h", true, () -> clock[0]);
        terminal.at(1, 10);
        assertThat(err.toString()).isEmpty();
        clock[0] = 2_000_000_000L;
        terminal.at(5, 0);
        terminal.at(5, 10);
        terminal.close();
        assertThat(err.toString())
                .contains("\rh: 5 operations read, 2 s")
                .contains("\rh: 5 of 10 operations judged, 2 s")
                .endsWith("\r\u001b[K")
                .doesNotContain("\n");

        err.getBuffer().setLength(0);
        clock[0] = 0;
        var plain = new ProgressLine(new PrintWriter(err, true), "h", false, () -> clock[0]);
        for (int second = 0; second <= 25; second++) {
            clock[0] = second * 1_000_000_000L;
            plain.at(second, 100);
        }
        plain.close();
        assertThat(err.toString().lines())
                .containsExactly(
                        "raft: h: 10 of 100 operations judged, 10 s",
                        "raft: h: 20 of 100 operations judged, 20 s");
    }
}
