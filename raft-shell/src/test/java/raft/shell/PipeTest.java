package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Whoever reads the answer may stop in the middle of it, as {@code head} does. */
@Tag("terminal")
final class PipeTest {
    @TempDir private Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "history show histories/corpus/bad/docker-X1-append-twice.jsonl --limit 100000",
                "scenario run figure-8",
                "help"
            })
    void aReaderThatLeavesIsNoError(String words) throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder(
                        "bash", "-c", "./raft " + words + " | head -n 1; exit ${PIPESTATUS[0]}");
        builder.directory(CommandRun.HOME.toFile());
        builder.environment().put("RAFT_NO_BUILD", "1");
        Path err = folder.resolve("err.txt");
        builder.redirectError(err.toFile());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(err)).isZero();
        assertThat(Files.readString(err)).doesNotContain("\tat ").doesNotContain("Exception");
        assertThat(said.lines().toList()).as(said).hasSize(1);
    }
}
