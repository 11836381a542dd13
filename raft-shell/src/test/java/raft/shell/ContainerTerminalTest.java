package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** ./raft in a real terminal on real containers: what a person does first. */
@Tag("containers")
@Tag("terminal")
final class ContainerTerminalTest {
    private static final Pattern PROMPT = Pattern.compile("docker (n\\d) t(\\d+)>.*");
    private static final Pattern LEADER = Pattern.compile("(n\\d) became leader, term (\\d+)");

    @TempDir Path folder;

    @BeforeAll
    static void thereAreATerminalAndAnEngine() {
        Tmux.assumeThere();
        TestCommandContainersTest.anEngineAnswers();
    }

    /** How often the logs were shown. */
    private static long logs(String screen) {
        return screen.lines().filter(line -> line.startsWith("a cell is an entry's term")).count();
    }

    @Test
    void thePersonsStory() throws Exception {
        try (Tmux terminal = new Tmux()) {
            terminal.start(100, Map.of("RAFT_SHELL_HISTORY", folder.resolve("lines").toString()));
            terminal.await("raft>");
            terminal.line("cluster up docker --nodes 5");
            terminal.await("5 nodes in containers");
            // The prompt follows whoever leads, also while nothing is typed.
            terminal.await(s -> PROMPT.matcher(Tmux.prompt(s)).matches(), "a leader in the prompt");
            terminal.line("put x 1");
            terminal.await("ok  x = 1");
            terminal.line("get x");
            terminal.await("ok  1");
            terminal.line("workload start register --rate 50");
            terminal.await("works in the background");
            Matcher before = PROMPT.matcher(Tmux.prompt(terminal.screen()));
            assertThat(before.matches()).isTrue();
            String deposed = before.group(1);
            long term = Long.parseLong(before.group(2));

            // The election is told above a line that is only half typed, and the prompt follows.
            terminal.line("partition " + deposed);
            terminal.type("stat");
            terminal.await("in force");
            terminal.await(screen -> newest(screen) > term, "another leader");
            terminal.await(
                    screen ->
                            Tmux.prompt(screen).matches("docker n\\d t\\d+> stat")
                                    && !Tmux.prompt(screen).startsWith("docker " + deposed),
                    "the line being typed, behind a prompt with the new leader");
            terminal.press("Tab");
            terminal.press("Enter");
            // The one that is cut off names itself or nobody, by how long ago it heard a majority.
            terminal.await(" who leads: ");

            terminal.line("heal");
            terminal.await(": gone");
            terminal.line("workload stop");
            terminal.await("register has ended");
            // The one that was cut off takes the others' log, which takes as long as it takes.
            terminal.line("wait " + deposed + ".term>" + term + " --timeout 60s");
            terminal.await(deposed + ".term>" + term + " holds");
            for (int looks = 1; !terminal.screen().contains("the logs agree as far"); looks++) {
                assertThat(looks).as(terminal.screen()).isLessThan(30);
                terminal.line("wait 1s; log");
                int seen = looks;
                terminal.await(screen -> logs(screen) >= seen, "the logs");
            }
            terminal.line("check");
            terminal.await("what has been recorded so far: valid");
            terminal.line("history show --process nemesis");
            terminal.await("partition");
            terminal.leave();
            terminal.await("LEFT 0");
            assertThat(terminal.screen()).contains("the cluster is down");
        }
    }

    private static long newest(String screen) {
        return LEADER.matcher(screen)
                .results()
                .mapToLong(found -> Long.parseLong(found.group(2)))
                .max()
                .orElse(0);
    }
}
