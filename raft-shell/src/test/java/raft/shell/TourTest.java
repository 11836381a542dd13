package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import raft.shell.live.Session;
import raft.shell.repl.Engine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Every tour as a person sees it, word for word: src/test/resources/raft/shell/tours. Simulated
 * time makes them the same on every machine. {@code -Draft.golden.rewrite=true} writes them anew,
 * after a change of the node or the simulation say; then read the difference.
 */
final class TourTest {
    private static final Path GOLDEN = Path.of("src/test/resources/raft/shell/tours");

    @TempDir Path folder;

    static List<String> tours() {
        return ScenarioCommand.names();
    }

    @ParameterizedTest
    @MethodSource("tours")
    void aTourShowsWhatItSays(String name) throws IOException {
        String seen = transcript(name);
        assertThat(seen.lines()).allMatch(line -> line.startsWith("#") || line.length() <= 80);
        Path golden = GOLDEN.resolve(name + ".txt");
        if (Boolean.getBoolean("raft.golden.rewrite")) {
            Files.createDirectories(GOLDEN);
            Files.writeString(golden, seen);
        }
        assertThat(seen)
                .as("-Draft.golden.rewrite=true writes %s anew", golden)
                .isEqualTo(Files.readString(golden));
    }

    private String transcript(String name) {
        StringWriter seen = new StringWriter();
        PrintWriter writer = new PrintWriter(seen, true);
        try (Session session = new Session(folder, line -> {})) {
            int status =
                    new Engine(() -> Main.commandLine(session), session, writer, writer)
                            .script(List.of("scenario run " + name), false, false);
            assertThat(status).as(seen.toString()).isIn(0, 1);
        }
        return seen.toString().replace(folder.toString(), "HISTORIES");
    }
}
