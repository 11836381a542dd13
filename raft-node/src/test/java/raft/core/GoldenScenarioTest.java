package raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Transcripts to read: each file below {@code golden} is a scenario of the paper, commented, with
 * every command's answer under it. They are replayed here and compared.
 *
 * <p>After a change that is meant, {@code mvn test -pl raft-node -Dtest=GoldenScenarioTest
 * -Dgolden.rewrite=true} writes the answers anew: read the difference before you commit it. Lines
 * with {@code expect} hold what must be true; rewriting does not change them.
 *
 * <p>A block is one or more commands, {@code ----}, and their answer up to an empty line. {@link
 * GoldenWorld} knows the commands.
 */
final class GoldenScenarioTest {
    private static final Path FOLDER = Path.of("src/test/resources/raft/core/golden");
    private static final String ANSWER = "----";

    static Stream<String> scenarios() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void everyTranscriptIsWhatTheNodesDo(String name) throws IOException {
        Path file = FOLDER.resolve(name);
        List<String> recorded = Files.readAllLines(file);
        List<String> replayed = replay(name, recorded);
        if (Boolean.getBoolean("golden.rewrite")) {
            Files.write(file, replayed);
        } else {
            assertThat(String.join("\n", replayed)).isEqualTo(String.join("\n", recorded));
        }
    }

    private static List<String> replay(String name, List<String> lines) {
        GoldenWorld world = new GoldenWorld();
        List<String> replayed = new ArrayList<>();
        List<String> answer = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            replayed.add(line);
            if (line.equals(ANSWER)) {
                replayed.addAll(answer);
                answer.clear();
                while (i + 1 < lines.size() && !lines.get(i + 1).isBlank()) {
                    i++;
                }
            } else if (!line.isBlank() && !line.startsWith("#")) {
                try {
                    answer.addAll(world.run(line));
                } catch (RuntimeException | AssertionError e) {
                    throw new AssertionError(
                            name + ":" + (i + 1) + ": " + line + "\n" + world.state(), e);
                }
            } else if (line.isBlank() && !answer.isEmpty()) {
                throw new AssertionError(name + ":" + i + ": no ---- under the commands");
            }
        }
        return replayed;
    }
}
