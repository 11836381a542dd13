package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import raft.harness.report.RunList;
import raft.harness.serve.RunServer;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs that were cut short, damaged or written by another version, and disks that are full: every
 * command says so in a sentence and shows what there is.
 */
final class BadHistoriesTest {
    private static final Path BAD = Path.of("../histories/corpus/bad/stale-read.jsonl");

    private static final List<String> COMMANDS =
            List.of(
                    "history list",
                    "history show latest",
                    "history show latest --operations --key 1",
                    "history stats latest",
                    "history explain latest",
                    "history timeline latest",
                    "history diff latest latest",
                    "history export latest --format edn",
                    "history export latest --format perfetto",
                    "history open latest --no-browser");

    /** What can be wrong with a run, and whether its events can still be shown. */
    enum Damage {
        LAST_LINE_CUT("the last line is cut off", true),
        LINE_DAMAGED("line 4", true),
        NEWER_SCHEMA("it is of schema 9", true),
        HISTORY_EMPTY("the file is empty", false),
        HISTORY_ONLY_BEGUN("", true),
        HISTORY_OF_SOMETHING_ELSE("history.jsonl", false),
        HISTORY_MISSING("nothing was recorded in this run", false),
        HISTORY_A_FOLDER("history.jsonl", false),
        RESULTS_MISSING("", true),
        RESULTS_CUT("results.json cannot be read", true),
        PARAMETERS_MISSING("", true),
        PARAMETERS_DAMAGED("test.json cannot be read", true),
        STATUS_DAMAGED("", true);

        private final String words;
        private final boolean shown;

        Damage(String words, boolean shown) {
            this.words = words;
            this.shown = shown;
        }

        void to(Path run) throws IOException {
            Path history = run.resolve("history.jsonl");
            String text = Files.readString(history);
            switch (this) {
                case LAST_LINE_CUT ->
                        Files.writeString(history, text.substring(0, text.length() - 9));
                case LINE_DAMAGED ->
                        Files.writeString(
                                history, text.replace("\"index\":2,", "\"ind\u0000x\":,"));
                case NEWER_SCHEMA ->
                        Files.writeString(history, text.replace("\"schema\":1", "\"schema\":9"));
                case HISTORY_EMPTY -> Files.writeString(history, "");
                case HISTORY_ONLY_BEGUN ->
                        Files.writeString(history, text.substring(0, text.indexOf('\n') + 1));
                case HISTORY_OF_SOMETHING_ELSE -> Files.write(history, new byte[] {1, 2, -3, 0, 9});
                case HISTORY_MISSING -> Files.delete(history);
                case HISTORY_A_FOLDER -> {
                    Files.delete(history);
                    Files.createDirectory(history);
                }
                case RESULTS_MISSING -> Files.delete(run.resolve("results.json"));
                case RESULTS_CUT ->
                        Files.writeString(run.resolve("results.json"), "{\"verdict\":\"valid\",");
                case PARAMETERS_MISSING -> Files.delete(run.resolve("test.json"));
                case PARAMETERS_DAMAGED -> Files.writeString(run.resolve("test.json"), "[1, 2");
                case STATUS_DAMAGED -> {
                    Path node = Files.createDirectories(run.resolve("nodes/n1"));
                    Files.writeString(node.resolve("status.jsonl"), "{\"time\":\"x\"}\n\u0000\n{");
                    Files.writeString(node.resolve("clock.jsonl"), "{}\n[]\nnull\n");
                    Files.write(node.resolve("node.log"), new byte[] {-1, -2, 10, 0});
                }
            }
        }
    }

    private static Path runIn(Path root) throws IOException {
        Commands.Ended ended = new Commands(root).run("history", "import", BAD.toString());
        assertThat(ended.status()).as(ended.err()).isEqualTo(1);
        return new RunList(root).find("latest").toRealPath();
    }

    private static void isSaidInWords(String command, Commands.Ended ended) {
        assertThat(ended.status()).as(command).isIn(0, 1, 2, 254, 255);
        assertThat(ended.out() + ended.err())
                .as(command)
                .doesNotContain("\tat ", "Exception", "java.", "jackson", " null");
        if (ended.status() >= 254) {
            assertThat(ended.err()).as(command).isNotBlank();
        }
    }

    @ParameterizedTest
    @EnumSource(Damage.class)
    void everyCommandSaysWhatIsWrongAndShowsWhatThereIs(Damage damage, @TempDir Path root)
            throws IOException {
        damage.to(runIn(root));
        Commands commands = new Commands(root);
        StringBuilder said = new StringBuilder();
        List<Integer> statuses = new ArrayList<>();
        for (String command : COMMANDS) {
            Commands.Ended ended = commands.run(command.split(" "));
            isSaidInWords(command, ended);
            said.append(ended.out()).append(ended.err());
            statuses.add(ended.status());
        }
        Path page = new RunList(root).find("latest").toRealPath().resolve("report.html");
        String html = Files.exists(page) ? Files.readString(page) : "";
        assertThat(said + html).contains(damage.words);
        assertThat(statuses.getFirst()).as("history list").isZero();
        assertThat(statuses.getLast()).as("history open").isZero();
        if (damage.shown) {
            assertThat(statuses).as("events can be shown").doesNotContain(254, 255);
        } else {
            assertThat(statuses.get(1)).as("history show").isEqualTo(254);
        }
    }

    @ParameterizedTest
    @EnumSource(Damage.class)
    void theServerShowsItToo(Damage damage, @TempDir Path root) throws Exception {
        Path run = runIn(root);
        damage.to(run);
        try (RunServer server = RunServer.start(root, 0);
                HttpClient client = HttpClient.newHttpClient()) {
            String home = "http://127.0.0.1:" + server.port() + "/";
            String name = root.toRealPath().relativize(run).toString();
            for (String path : List.of("", name + "/", "api/runs")) {
                HttpResponse<String> answer =
                        client.send(
                                HttpRequest.newBuilder(URI.create(home + path)).build(),
                                HttpResponse.BodyHandlers.ofString());
                assertThat(answer.statusCode()).as(path).isEqualTo(200);
                assertThat(answer.body()).as(path).contains(run.getFileName().toString());
            }
        }
    }

    @Test
    void aDamagedIndexIsMadeAnew(@TempDir Path root) throws IOException {
        Path run = runIn(root);
        Commands commands = new Commands(root);
        String before = commands.run("history", "list").out();
        Files.write(root.resolve(".runs.index"), new byte[] {0, 1, 2});
        Files.write(run.resolve("history.jsonl.index"), new byte[] {0, 1, 2});
        assertThat(commands.run("history", "list").out()).isEqualTo(before);
        assertThat(commands.run("history", "show", "latest").out()).contains("write");
    }

    /** Only root may mount a small disk; elsewhere this is skipped. */
    private static Path smallDisk(Path at, int kib) throws IOException, InterruptedException {
        Files.createDirectories(at);
        int status;
        try {
            status =
                    new ProcessBuilder(
                                    "mount",
                                    "-t",
                                    "tmpfs",
                                    "-o",
                                    "size=" + kib + "k",
                                    "tmpfs",
                                    at.toString())
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor();
        } catch (IOException e) {
            status = -1;
        }
        if (status != 0) {
            System.err.println("skipped, needs root to mount a small disk");
            Assumptions.abort("needs root to mount a small disk");
        }
        return at;
    }

    private static void fill(Path disk) throws IOException {
        byte[] block = new byte[4096];
        try (var out = Files.newOutputStream(disk.resolve("filler"))) {
            while (true) {
                out.write(block);
            }
        } catch (IOException e) {
            assertThat(e.getMessage()).contains("No space left");
        }
    }

    @Test
    void aFullDiskIsSaidAndNothingHalfIsLeft(@TempDir Path folder) throws Exception {
        Path disk = smallDisk(folder.resolve("disk"), 512);
        try {
            Path run = runIn(disk);
            fill(disk);
            Commands commands = new Commands(disk);
            for (String command :
                    List.of("history list", "history show latest", "history stats latest")) {
                Commands.Ended ended = commands.run(command.split(" "));
                assertThat(ended.status()).as(command + ": " + ended.err()).isZero();
            }
            Commands.Ended open = commands.run("history", "open", "latest", "--no-browser");
            assertThat(open.status()).isEqualTo(255);
            assertThat(open.err()).contains("report.html", "No space left", "--file");
            assertThat(Files.list(run)).noneMatch(file -> file.toString().endsWith(".new"));
            Path out = disk.resolve("out.edn");
            Commands.Ended export =
                    commands.run(
                            "history",
                            "export",
                            "latest",
                            "--format",
                            "edn",
                            "--file",
                            out.toString());
            assertThat(export.status()).isEqualTo(255);
            assertThat(export.err()).contains("No space left", "--file");
            assertThat(out).doesNotExist();
            for (Commands.Ended full :
                    List.of(
                            commands.run("history", "import", BAD.toString()),
                            commands.run("test", "--cluster", "sim", "--time", "2s"),
                            commands.run("nightly", "--clusters", "sim", "--budget", "1s"))) {
                isSaidInWords("on a full disk", full);
                assertThat(full.status()).isEqualTo(255);
                assertThat(full.err()).contains("No space left");
            }
        } finally {
            new ProcessBuilder("umount", folder.resolve("disk").toString()).start().waitFor();
        }
    }

    @Test
    void aDiskThatFillsUpWhileATestRunsLeavesAHistoryThatCanBeRead(@TempDir Path folder)
            throws Exception {
        Path disk = smallDisk(folder.resolve("disk"), 192);
        try {
            Commands commands = new Commands(disk);
            Commands.Ended test =
                    commands.run("test", "--cluster", "sim", "--time", "60s", "--seed", "3");
            isSaidInWords("test", test);
            assertThat(test.status()).isEqualTo(255);
            assertThat(test.err()).contains("No space left");
            Commands.Ended stats = commands.run("history", "stats", "latest");
            assertThat(stats.status()).as(stats.err()).isZero();
            assertThat(stats.out()).contains("operations of");
            Path page = folder.resolve("page.html");
            Commands.Ended open =
                    commands.run(
                            "history", "open", "latest", "--no-browser", "--file", page.toString());
            assertThat(open.status()).as(open.err()).isZero();
            assertThat(Files.readString(page, StandardCharsets.UTF_8))
                    .contains("there is no results.json");
        } finally {
            new ProcessBuilder("umount", folder.resolve("disk").toString()).start().waitFor();
        }
    }
}
