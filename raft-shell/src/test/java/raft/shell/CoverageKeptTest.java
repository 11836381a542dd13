package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What a simulated run has reached is said when it ends, and stands in its folder. */
final class CoverageKeptTest {
    @TempDir private Path root;

    @Test
    void testOnASimulatedClusterTellsAndKeepsIt() throws IOException {
        Commands.Ended ended = test();
        JsonNode kept = kept();
        check(kept, ended.err());
        assertThat(kept.path("sometimes").path("a voter was added").asLong(-1)).isZero();

        // The same seed reaches the same, as often.
        Files.delete(coverageFile());
        assertThat(test().status()).isEqualTo(ended.status());
        assertThat(kept()).isEqualTo(kept);
    }

    private Commands.Ended test() {
        Commands.Ended ended =
                new Commands(root)
                        .run(
                                "test",
                                "--cluster",
                                "sim",
                                "--time",
                                "10s",
                                "--seed",
                                "3",
                                "--faults",
                                "kill,partition");
        assertThat(ended.status()).as(ended.err()).isIn(0, 2);
        return ended;
    }

    @Test
    void campaignTellsAndKeepsTheSumOfAll() throws IOException {
        Commands.Ended ended =
                new Commands(root)
                        .run("sim", "seeds", "--count", "2", "--time", "5", "--minimise", "0");
        assertThat(ended.status()).as(ended.out()).isZero();
        check(kept(), ended.out());
    }

    private static void check(JsonNode kept, String said) {
        JsonNode cells = kept.path("cells");
        long reached = kept.path("reachedCellCount").asLong();
        assertThat(reached).isPositive().isEqualTo(cells.size());
        assertThat(cells.propertyNames())
                .anyMatch(cell -> cell.startsWith("follower appendentries term-same logs-"));
        assertThat(said)
                .contains(
                        "coverage: "
                                + reached
                                + " of "
                                + kept.path("cellCount").asLong()
                                + " cells (role, message, term, logs, disk)");
        List<JsonNode> situations = kept.path("sometimes").valueStream().toList();
        long cameUp = situations.stream().filter(count -> count.asLong() > 0).count();
        assertThat(cameUp).isPositive();
        assertThat(said)
                .contains(
                        "sometimes: "
                                + cameUp
                                + " of "
                                + situations.size()
                                + " situations came up");
    }

    private JsonNode kept() throws IOException {
        return JsonMapper.shared().readTree(Files.readAllBytes(coverageFile()));
    }

    /** The only one: where "latest" points is no second one. */
    private Path coverageFile() throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            List<Path> found =
                    files.filter(file -> file.endsWith("coverage.json")).sorted().toList();
            assertThat(found).hasSize(1);
            return found.getFirst();
        }
    }
}
