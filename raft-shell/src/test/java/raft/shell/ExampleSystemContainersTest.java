package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The system of docs/systems.md, built and run as that document says. */
@Tag("containers")
final class ExampleSystemContainersTest {
    @TempDir private Path folder;

    @BeforeAll
    static void anEngineAnswers() {
        TestCommandContainersTest.anEngineAnswers();
    }

    @Test
    void storeOfFilesOutlivesItsKillsAndOneOfMemoryDoesNot() throws Exception {
        Path classes = folder.resolve("classes");
        Process build =
                new ProcessBuilder(
                                CommandRun.HOME.resolve("docker/examples/system/build").toString(),
                                classes.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(build.getInputStream().readAllBytes());
        assertThat(build.waitFor()).as(said).isZero();

        CommandRun kept = run("kept", classes, List.of("--faults", "kill,pause"));
        assertThat(kept.awaitEnd()).as(kept.err() + kept.out()).isZero();
        JsonNode results = kept.json();
        assertThat(results.get("verdict").asString()).isEqualTo("valid");
        assertThat(results.get("faults"))
                .isNotEmpty()
                .allMatch(fault -> fault.get("healed").asString().equals("installed"));
        try (var logs = Files.walk(kept.runFolder().resolve("nodes"))) {
            Path log = logs.filter(file -> file.endsWith("node.log")).findFirst().orElseThrow();
            assertThat(Files.readString(log)).contains("serving on 7001, values in /data/store");
        }

        CommandRun lost =
                run(
                        "lost",
                        classes,
                        List.of("--faults", "kill-one", "--system-option", "keep=memory"));
        assertThat(lost.awaitEnd()).as(lost.err() + lost.out()).isEqualTo(1);
        assertThat(lost.json().get("verdict").asString()).isEqualTo("violation");
    }

    private CommandRun run(String name, Path classes, List<String> more) throws Exception {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "--system",
                                "file-store",
                                "--system-path",
                                classes.toString(),
                                "--nodes",
                                "1",
                                "--time",
                                "6s",
                                "--seed",
                                "3151035", // Half of the time is left to work.
                                "--output",
                                "json"));
        words.addAll(more);
        return CommandRun.test(folder.resolve(name), List.of(), words.toArray(String[]::new));
    }
}
