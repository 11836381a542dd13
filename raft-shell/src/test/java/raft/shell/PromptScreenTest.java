package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.jline.utils.ScreenTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import raft.shell.live.Session;
import raft.shell.repl.Repl;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Predicate;

/** The prompt on a screen in memory, key by key. */
@Timeout(60)
final class PromptScreenTest {
    private static final long PATIENCE_NANOS = Duration.ofSeconds(30).toNanos();
    private static final String CTRL_C = "\u0003";
    private static final String CTRL_D = "\u0004";

    @TempDir Path folder;

    private ScreenTerminal.VirtualTerminal virtual;
    private Session session;
    private Thread shell;

    private void open(int columns, String type) throws IOException {
        virtual = ScreenTerminal.withTerminal("test", type, columns, 24);
        session = new Session(folder, line -> {});
        session.setColour(false);
        shell =
                Thread.ofPlatform()
                        .start(
                                () ->
                                        new Repl(
                                                        virtual.terminal(),
                                                        session,
                                                        () -> Main.commandLine(session),
                                                        Names.byLabel(session),
                                                        folder.resolve("lines"))
                                                .run());
        await("raft>");
    }

    @AfterEach
    void close() throws IOException, InterruptedException {
        if (shell != null) {
            session.close();
            type(CTRL_C + CTRL_D);
            shell.join(5_000);
            virtual.terminal().close();
        }
    }

    private void type(String keys) throws IOException {
        virtual.terminal().processInputBytes(keys.getBytes(StandardCharsets.UTF_8));
    }

    private String screen() {
        return virtual.screen().toString();
    }

    private void await(String text) {
        await(screen -> screen.contains(text), text);
    }

    private void await(Predicate<String> holds, String what) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        try {
            while (!holds.test(screen())) {
                assertThat(System.nanoTime())
                        .as("waiting for %s, the screen is%n%s", what, screen())
                        .isLessThan(deadline);
                boolean dirty = virtual.screen().waitDirty(20);
                assert dirty || !dirty;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String lastPrompt(String screen) {
        return screen.lines()
                .filter(line -> line.contains("> "))
                .reduce("", (before, line) -> line)
                .strip();
    }

    @ParameterizedTest
    @ValueSource(ints = {60, 80, 200})
    void anElectionIsToldAboveTheLineThatIsBeingTyped(int columns) throws IOException {
        open(columns, "xterm");
        type("cluster up sim --seed 7 --speed 1\r");
        await("leads term 1");
        type("partition leader\r");
        await("in force");
        type("stat");
        await("became leader, term 2");
        await(screen -> lastPrompt(screen).endsWith("> stat"), "the line as it was typed");
        type("us\r");
        await(" who leads: ");
        assertThat(screen().lines()).allMatch(line -> line.length() <= columns);
        // The line below tells which fault is in force.
        await(screen -> screen.lines().anyMatch(line -> line.startsWith(" sim")), "status line");
    }

    @Test
    void tabCompletesCommandsAndNodes() throws IOException {
        open(80, "xterm");
        type("clus\tup sim --nodes 3 --seed 7 --speed 0\r");
        await("leads term 1");
        // Of a list the last word is completed.
        type("partition n1,n\t");
        await(screen -> screen.contains("n2") && screen.contains("n3"), "what may follow");
        type("2\r");
        await("in force");
        type("hea\t#\t\r");
        await("gone");
    }

    @Test
    void ctrlCEndsTheCommandAndCtrlDLeavesTheShell() throws Exception {
        open(80, "xterm");
        type("cluster up sim --nodes 3 --seed 7 --speed 1\r");
        await("leads term 1");
        type("wait 1000s\r");
        await(screen -> screen.contains("wait 1000s"), "the command");
        // Only once it runs: at the prompt Ctrl-C would clear the line.
        awaitRunning();
        type(CTRL_C);
        await(screen -> lastPrompt(screen).endsWith(">"), "the prompt again");
        type("put x 1\r");
        await("ok  x = 1");
        await(screen -> lastPrompt(screen).endsWith(">"), "the prompt again");
        type("half a li");
        await(screen -> lastPrompt(screen).endsWith("half a li"), "the begun line");
        type(CTRL_C);
        await(screen -> lastPrompt(screen).endsWith(">"), "an empty line");
        type("get x\r");
        await("ok  1");
        await(screen -> lastPrompt(screen).endsWith(">"), "the prompt again");
        type(CTRL_D);
        shell.join(10_000);
        assertThat(shell.isAlive()).isFalse();
    }

    private void awaitRunning() {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (shell.getState() != Thread.State.WAITING && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
    }

    @Test
    void aDumbTerminalWorksWithoutALineBelow() throws IOException {
        open(80, "dumb");
        type("cluster up sim --nodes 3 --seed 7 --speed 0\r");
        await("leads term 1");
        type("put x 1; get x\r");
        await("ok  1");
        assertThat(screen()).doesNotContain("| no fault");
    }

    @Test
    void linesAreKeptForTheNextSession() throws Exception {
        open(80, "xterm");
        type("scenario list\r");
        await("figure-8");
        await(screen -> lastPrompt(screen).endsWith(">"), "the prompt again");
        type(CTRL_D);
        shell.join(10_000);
        assertThat(Files.readString(folder.resolve("lines"))).contains("scenario list");
        open(80, "xterm");
        type("\u0010");
        await(screen -> lastPrompt(screen).endsWith("scenario list"), "the line from before");
    }

    @Test
    void linesThatCannotBeKeptAreSaidOnce() throws IOException {
        Files.createDirectory(folder.resolve("lines"));
        virtual = ScreenTerminal.withTerminal("test", "xterm", 80, 24);
        session = new Session(folder, line -> {});
        shell =
                Thread.ofPlatform()
                        .start(
                                () ->
                                        new Repl(
                                                        virtual.terminal(),
                                                        session,
                                                        () -> Main.commandLine(session),
                                                        Names.byLabel(session),
                                                        folder.resolve("lines/no/where"))
                                                .run());
        await("raft>");
        type("scenario list\r");
        await("figure-8");
    }
}
