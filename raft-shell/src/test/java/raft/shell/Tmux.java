package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A terminal as a person has one, driven by keys and read from the screen. A server of its own, so
 * that nobody else's is touched.
 */
final class Tmux implements AutoCloseable {
    private static final Path HOME = Path.of("..").toAbsolutePath().normalize();
    private static final long PATIENCE_NANOS = Duration.ofSeconds(90).toNanos();
    private static final long LOOK_EVERY_MILLIS = 40;

    private final String server =
            "raft-test-" + ProcessHandle.current().pid() + "-" + System.nanoTime();

    /** Skips the test with a line that says so, or fails it where a terminal is required. */
    static void assumeThere() {
        boolean there;
        try {
            Process process = new ProcessBuilder("tmux", "-V").redirectErrorStream(true).start();
            there = process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            there = false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            there = false;
        }
        if ("required".equals(System.getenv("RAFT_TERMINAL"))) {
            assertThat(there).as("tmux is required (RAFT_TERMINAL)").isTrue();
        }
        if (!there) {
            System.out.println(
                    "SKIPPED, the tests in a terminal: tmux is missing (apt-get install tmux)");
        }
        assumeTrue(there, "tmux is missing");
    }

    /** Runs a command of ./raft there; what it ends with is written below it. */
    void start(int columns, Map<String, String> environment, String... words)
            throws IOException, InterruptedException {
        // Ctrl-C goes to everybody in the terminal; the one who tells how the shell ended must
        // live.
        StringBuilder line = new StringBuilder("trap : INT; env RAFT_NO_BUILD=1 RAFT_NO_AOT=1");
        environment.forEach(
                (name, value) -> line.append(" ").append(name).append("=").append(value));
        line.append(" ./raft");
        for (String word : words) {
            line.append(" ").append(word);
        }
        line.append("; echo LEFT $?; exec sleep 300");
        tmux(
                "-f",
                "/dev/null",
                "new-session",
                "-d",
                "-s",
                "raft",
                "-x",
                "" + columns,
                "-y",
                "40",
                "-c",
                HOME.toString(),
                "sh",
                "-c",
                line.toString());
    }

    /** Types text as it is. */
    void type(String text) throws IOException, InterruptedException {
        tmux("send-keys", "-t", "raft", "-l", text);
    }

    /** Presses a key by its name: Enter, Tab, C-c, Up. */
    void press(String key) throws IOException, InterruptedException {
        tmux("send-keys", "-t", "raft", key);
    }

    void line(String text) throws IOException, InterruptedException {
        type(text);
        press("Enter");
    }

    /** What is on the screen, with what has scrolled away above it. */
    String screen() throws IOException, InterruptedException {
        return tmux("capture-pane", "-p", "-t", "raft", "-S", "-200");
    }

    /** The number of the process that runs in it. */
    long pid() throws IOException, InterruptedException {
        return Long.parseLong(tmux("list-panes", "-t", "raft", "-F", "#{pane_pid}").strip());
    }

    void await(String text) throws IOException, InterruptedException {
        await(screen -> screen.contains(text), "'" + text + "'");
    }

    void await(Predicate<String> holds, String what) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        String seen = screen();
        while (!holds.test(seen)) {
            assertThat(System.nanoTime())
                    .as("waiting for %s, the screen is%n%s", what, seen.stripTrailing())
                    .isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
            seen = screen();
        }
    }

    /** Leaves the shell. Only a prompt takes Ctrl-D; what comes before it is the terminal's. */
    void leave() throws IOException, InterruptedException {
        await(screen -> prompt(screen).endsWith(">"), "the prompt");
        press("C-d");
    }

    /** The last line on the screen that is a prompt, with what was typed there. */
    static String prompt(String screen) {
        return screen.lines()
                .filter(line -> line.matches("(raft|sim .*|docker .*)> ?.*"))
                .reduce("", (before, line) -> line)
                .stripTrailing();
    }

    private String tmux(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("tmux", "-L", server));
        command.addAll(List.of(words));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("TMUX");
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as("%s: %s", command, out).isZero();
        return out;
    }

    /** The terminal is closed, as by a person who closes its window. */
    @Override
    public void close() throws IOException {
        Process process = new ProcessBuilder("tmux", "-L", server, "kill-server").start();
        assertThat(process.onExit().orTimeout(20, TimeUnit.SECONDS).join()).isNotNull();
    }
}
