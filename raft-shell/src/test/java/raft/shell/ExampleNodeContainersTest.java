package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;

import java.nio.file.Path;
import java.util.List;

/** The example in Python, built as its folder says, tested unchanged as anybody's own image is. */
@Tag("containers")
final class ExampleNodeContainersTest {
    private static final String IMAGE = "raftlab-test/python-node";

    @TempDir private Path folder;

    @BeforeAll
    static void anEngineAnswers() {
        TestCommandContainersTest.anEngineAnswers();
    }

    @Test
    void singleServerOfTheExampleIsValidWhilePausedAndForgetsWhenKilled() throws Exception {
        Path build = CommandRun.HOME.resolve("docker/examples/python/build");
        Process building = new ProcessBuilder(build.toString(), IMAGE).start();
        String said = new String(building.getInputStream().readAllBytes());
        String failure = new String(building.getErrorStream().readAllBytes());
        // No registry and no packages: then there is nothing to build it from.
        assumeTrue(building.waitFor() == 0, failure);
        assertThat(said).startsWith(IMAGE + ", from ");
        try {
            CommandRun paused = run("paused", "pause");
            assertThat(paused.awaitEnd()).as(paused.err() + paused.out()).isZero();
            JsonNode results = paused.json();
            assertThat(results.get("verdict").asString()).isEqualTo("valid");
            assertThat(results.get("faults").get(0).get("injected").asString())
                    .isEqualTo("installed");

            CommandRun killed = run("killed", "kill-one");
            assertThat(killed.awaitEnd()).as(killed.err() + killed.out()).isEqualTo(1);
            // What was forgotten shows first in whatever a client asks next: a read that found
            // nothing, or a cas refused from a value
            // that was there.
            assertThat(killed.json().get("explanation").asString())
                    .containsAnyOf("returned nil", "was refused");
        } finally {
            CommandRun.lines("docker", "image", "rm", "-f", IMAGE);
        }
    }

    private CommandRun run(String name, String faults) throws Exception {
        return CommandRun.test(
                folder.resolve(name),
                List.of(),
                "--image",
                IMAGE,
                "--nodes",
                "1",
                "--faults",
                faults,
                "--time",
                "6s",
                "--seed",
                "3151035", // Half of the time is left to work; with most seeds it is less.
                "--output",
                "json");
    }
}
