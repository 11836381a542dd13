package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

import javax.xml.parsers.DocumentBuilderFactory;

/** A real night in the simulation that {@code kill -9} ends in the middle of a test. */
final class NightKilledTest {
    private static final long PATIENCE_MINUTES = 5;

    @TempDir private Path root;

    private final List<ProcessHandle> started = new ArrayList<>();

    private Process night() throws IOException {
        List<String> words =
                List.of(
                        "nightly",
                        "--histories",
                        root.toString(),
                        "--clusters",
                        "sim",
                        "--workloads",
                        "register,queue,counter",
                        "--faults",
                        "none",
                        "--nodes",
                        "3",
                        "--time",
                        "5s",
                        "--rounds",
                        "1",
                        "--seed",
                        "7",
                        "--budget",
                        "10m");
        Process process =
                new ProcessBuilder(OwnProcess.command(words))
                        .redirectErrorStream(true)
                        .redirectOutput(root.resolve("out.txt").toFile())
                        .start();
        started.add(process.toHandle());
        return process;
    }

    @AfterEach
    void nothingGoesOn() {
        started.forEach(ProcessHandle::destroyForcibly);
    }

    private Path folder() throws IOException {
        try (Stream<Path> nights = Files.list(root.resolve("nightly"))) {
            return nights.filter(Files::isDirectory).findFirst().orElseThrow();
        }
    }

    private List<String> progress() {
        try {
            return Files.readAllLines(folder().resolve("progress.jsonl"));
        } catch (IOException | java.util.NoSuchElementException e) {
            return List.of();
        }
    }

    private void await(String what, BooleanSupplier condition)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(PATIENCE_MINUTES);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime())
                    .as("%s: %s", what, Files.readString(root.resolve("out.txt")))
                    .isLessThan(deadline);
            Thread.sleep(10);
        }
    }

    @Test
    void itsTestEndsWithItAndTheSameCommandGoesOn() throws Exception {
        Process killed = night();
        // The canary and one more are done, and the next test is running.
        await(
                "a test after the second",
                () -> progress().size() >= 2 && killed.children().findAny().isPresent());
        List<ProcessHandle> tests = killed.children().toList();
        started.addAll(tests);
        killed.destroyForcibly().waitFor();
        for (ProcessHandle test : tests) {
            test.onExit().get(PATIENCE_MINUTES, TimeUnit.MINUTES);
        }
        List<String> before = progress();
        assertThat(before).hasSizeBetween(2, 3);
        Path folder = folder();
        assertThat(folder.resolve("summary.json")).doesNotExist();

        Process resumed = night();
        assertThat(resumed.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)).isTrue();
        String said = Files.readString(root.resolve("out.txt"));
        assertThat(said).contains("going on with the night " + folder);
        assertThat(folder()).as("it is still one night").isEqualTo(folder);
        List<JsonNode> done =
                progress().stream().map(line -> JsonMapper.shared().readTree(line)).toList();
        assertThat(progress().subList(0, before.size())).isEqualTo(before);
        assertThat(done.stream().map(one -> one.path("cell").asString()))
                .as("the canary and each cell, once")
                .hasSize(4)
                .doesNotHaveDuplicates();
        JsonNode summary =
                JsonMapper.shared().readTree(Files.readString(folder.resolve("summary.json")));
        assertThat(summary.path("canary").asString()).as(said).isEqualTo("found");
        assertThat(summary.path("runs").asInt()).isEqualTo(3);
        assertThat(resumed.exitValue()).isEqualTo(exitStatus(summary.path("verdict").asString()));
        var xml =
                DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(folder.resolve("junit.xml").toFile());
        assertThat(xml.getElementsByTagName("testcase").getLength()).isEqualTo(4);
        assertThat(Files.readString(folder.resolve("index.html")))
                .contains("planted bugs that must be found");
        // Every test's run is there and whole; the one that was cut short has left what it had.
        for (JsonNode one : done) {
            Path run = Path.of(one.path("run").asString());
            assertThat(run.resolve("results.json")).exists();
        }
    }

    /** Whether five seconds are evidence enough is the machine's business, not this test's. */
    private static int exitStatus(String verdict) {
        return switch (verdict) {
            case "valid" -> 0;
            case "violation" -> 1;
            case "error" -> 255;
            default -> 2;
        };
    }
}
