package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import raft.shell.live.Session;
import raft.shell.repl.Engine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The screens in docs/shell.md are what the shell shows. {@code -Draft.golden.rewrite=true} writes
 * them anew.
 */
final class ScreensTest {
    private static final Path DOCS = Path.of("../docs/shell.md");

    private static final List<String> TYPED =
            List.of(
                    "cluster up sim --seed 11",
                    "put x 1",
                    "partition leader-minority",
                    "try put x lost --from leader --timeout 300ms",
                    "wait term>=2",
                    "wait 300ms",
                    "status",
                    "put x kept",
                    "log",
                    "faults",
                    "heal",
                    "wait 1s",
                    "log");

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(ints = {80, 200})
    void theDocumentShowsWhatOneSees(int columns) throws IOException {
        StringWriter seen = new StringWriter();
        PrintWriter writer = new PrintWriter(seen, true);
        try (Session session = new Session(folder, line -> {})) {
            session.setColumns(columns);
            int status =
                    new Engine(() -> Main.commandLine(session), session, writer, writer)
                            .script(TYPED, false, true);
            assertThat(status).as(seen.toString()).isZero();
        }
        String begin = "<!-- " + columns + " columns -->\n```\n";
        String end = "```\n<!-- end -->";
        String text = Files.readString(DOCS);
        int from = text.indexOf(begin) + begin.length();
        int to = text.indexOf(end, from);
        assertThat(from).isGreaterThan(begin.length());
        if (Boolean.getBoolean("raft.golden.rewrite")) {
            Files.writeString(DOCS, text.substring(0, from) + seen + text.substring(to));
        } else {
            assertThat(text.substring(from, to))
                    .as("-Draft.golden.rewrite=true writes %s anew", DOCS)
                    .isEqualTo(seen.toString());
        }
    }
}
