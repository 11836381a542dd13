package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** ./raft in a real terminal, on simulated nodes whose time goes on. */
@Tag("terminal")
final class TerminalTest {
    @TempDir Path folder;

    private final Tmux terminal = new Tmux();

    @BeforeAll
    static void thereIsATerminal() {
        Tmux.assumeThere();
    }

    private void open(int columns, Map<String, String> more) throws Exception {
        Map<String, String> environment = new java.util.TreeMap<>(more);
        environment.putIfAbsent("RAFT_SHELL_HISTORY", folder.resolve("lines").toString());
        terminal.start(columns, environment);
        terminal.await("raft>");
    }

    @Test
    void thePersonsStory() throws Exception {
        try (Tmux closed = terminal) {
            assertThat(closed).isNotNull();
            open(100, Map.of());
            terminal.line("cluster up sim --seed 7");
            terminal.await("leads term 1");
            terminal.line("put x 1");
            terminal.await("ok  x = 1");
            terminal.line("workload start register --rate 50");
            terminal.await("works in the background");
            terminal.line("partition leader");
            terminal.await("in force");
            terminal.type("stat");
            terminal.await("became leader, term 2");
            terminal.await(s -> Tmux.prompt(s).endsWith("> stat"), "the line being typed");
            terminal.press("Tab");
            terminal.press("Enter");
            terminal.await("node  role");
            terminal.line("heal");
            terminal.await("gone");
            terminal.line("workload stop");
            terminal.await("register has ended");
            terminal.line("check");
            terminal.await("what has been recorded so far: valid");
            terminal.line("history show");
            terminal.await("invoke write");
            terminal.leave();
            terminal.await("LEFT 0");
        }
    }

    @Test
    void ctrlCEndsTheCommandAndNotTheShell() throws Exception {
        try (Tmux closed = terminal) {
            assertThat(closed).isNotNull();
            open(80, Map.of());
            terminal.line("cluster up sim --nodes 3 --seed 7");
            terminal.await("leads term 1");
            terminal.line("status --watch");
            terminal.await("node  role");
            terminal.press("C-c");
            terminal.await(s -> Tmux.prompt(s).endsWith("1>"), "the prompt");
            terminal.line("trace -f");
            terminal.await("votes for");
            terminal.press("C-c");
            terminal.line("wait 1000s");
            // What takes long says so by itself.
            terminal.await("… wait");
            terminal.press("C-c");
            terminal.await("interrupted");
            terminal.line("get nothing");
            terminal.await("ok  no value");
            terminal.leave();
            terminal.await("LEFT");
        }
    }

    @Test
    void sixtyColumnsAndNoColourAreEnough() throws Exception {
        try (Tmux closed = terminal) {
            assertThat(closed).isNotNull();
            open(60, Map.of("NO_COLOR", "1"));
            terminal.line("cluster up sim --seed 7");
            terminal.await("leads term 1");
            terminal.line("status");
            terminal.await("node  role");
            terminal.line("log");
            terminal.await("the logs agree");
            assertThat(terminal.screen().lines()).allMatch(line -> line.length() <= 60);
        }
    }

    @Test
    void aDumbTerminalWorks() throws Exception {
        try (Tmux closed = terminal) {
            assertThat(closed).isNotNull();
            open(80, Map.of("TERM", "dumb"));
            terminal.line("cluster up sim --nodes 3 --seed 7");
            terminal.await("leads term 1");
            terminal.line("put x 1");
            terminal.await("ok  x = 1");
            terminal.line("exit");
            terminal.await("LEFT 0");
        }
    }

    @Test
    void linesThatCannotBeKeptAreSaidAndNothingElseHappens() throws Exception {
        Path blocked = Files.writeString(folder.resolve("file"), "");
        try (Tmux closed = terminal) {
            assertThat(closed).isNotNull();
            terminal.start(80, Map.of("RAFT_SHELL_HISTORY", blocked.resolve("lines").toString()));
            terminal.await("lines are not kept for the next session");
            terminal.line("scenario list");
            terminal.await("figure-8");
        }
    }

    /** The pipe's own end: no prompt, no colours, the status of the script. */
    @Test
    void aPipeGetsAnswersOnly() throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder("./raft", "shell").directory(Path.of("..").toFile());
        builder.environment().put("RAFT_NO_BUILD", "1");
        Path out = folder.resolve("out");
        builder.redirectOutput(out.toFile());
        builder.redirectError(folder.resolve("err").toFile());
        Path script =
                Files.writeString(
                        folder.resolve("in"), "cluster up sim --seed 7\nget x\nkill n9\nget x\n");
        builder.redirectInput(script.toFile());
        assertThat(builder.start().waitFor()).isEqualTo(254);
        assertThat(Files.readString(out))
                .contains("ok  no value")
                .doesNotContain("raft>")
                .doesNotContain("\u001b");
        assertThat(Files.readString(folder.resolve("err"))).contains("no node is called 'n9'");
    }
}
