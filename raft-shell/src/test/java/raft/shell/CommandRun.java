package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** {@code ./raft} as a process of its own, with its run's folder in a test's folder. */
final class CommandRun {
    static final Path HOME = Path.of("..").toAbsolutePath().normalize();
    private static final long PATIENCE_MINUTES = 3;

    private final Path folder;
    private final Process process;

    private CommandRun(Path folder, Process process) {
        this.folder = folder;
        this.process = process;
    }

    /** {@code ./raft test --histories folder WORDS}. */
    static CommandRun test(Path folder, List<String> environment, String... words)
            throws IOException {
        List<String> all =
                new ArrayList<>(List.of("test", "--histories", folder.resolve("runs").toString()));
        all.addAll(List.of(words));
        return start(folder, environment, all);
    }

    /**
     * @param environment NAME=VALUE
     */
    static CommandRun start(Path folder, List<String> environment, List<String> words)
            throws IOException {
        Files.createDirectories(folder);
        List<String> command = new ArrayList<>(List.of(HOME.resolve("raft").toString()));
        command.addAll(words);
        ProcessBuilder builder = new ProcessBuilder(command);
        // The build that runs this test has built everything; a build inside it would disturb it.
        builder.environment().put("RAFT_NO_BUILD", "1");
        for (String one : environment) {
            int equals = one.indexOf('=');
            builder.environment().put(one.substring(0, equals), one.substring(equals + 1));
        }
        builder.redirectError(folder.resolve("err.txt").toFile());
        builder.redirectOutput(folder.resolve("out.txt").toFile());
        return new CommandRun(folder, builder.start());
    }

    /** A line on its standard input. */
    void type(String line) throws IOException {
        process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    long pid() {
        return process.pid();
    }

    int awaitEnd() throws InterruptedException {
        assertThat(process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)).as("ends in time").isTrue();
        return process.exitValue();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** As {@code kill -9}. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }

    String out() throws IOException {
        return Files.readString(folder.resolve("out.txt"));
    }

    String err() throws IOException {
        return Files.readString(folder.resolve("err.txt"));
    }

    JsonNode json() throws IOException {
        return JsonMapper.shared().readTree(out());
    }

    /** The run's folder; waits until there is one. */
    Path runFolder() throws IOException, InterruptedException {
        await("a run's folder", () -> !found("test.json").isEmpty());
        return found("test.json").getFirst().getParent();
    }

    /** Its id, as in the names and labels of all that it makes. */
    String runId() throws IOException, InterruptedException {
        return JsonMapper.shared()
                .readTree(Files.readString(runFolder().resolve("test.json")))
                .get("run")
                .asString();
    }

    /** What was recorded so far; "" while there is nothing. */
    String history() {
        try {
            List<Path> found = found("history.jsonl");
            return found.isEmpty()
                    ? ""
                    : Files.readString(found.getFirst(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    private List<Path> found(String name) {
        try (Stream<Path> all = Files.walk(folder.resolve("runs"))) {
            return all.filter(path -> path.endsWith(name) && !path.toString().contains("latest"))
                    .toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of();
        }
    }

    /** Waits for something that this run does; polls, these are real processes. */
    void await(String what, BooleanSupplier condition) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(PATIENCE_MINUTES);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline || !process.isAlive()) {
                throw new AssertionError("no " + what + ": " + err() + out());
            }
            Thread.sleep(10);
        }
    }

    /** The lines that a program printed; it must end with status 0. */
    static List<String> lines(String... command) throws IOException, InterruptedException {
        Process program = new ProcessBuilder(command).redirectErrorStream(true).start();
        program.getOutputStream().close();
        List<String> lines = program.inputReader().lines().toList();
        assertThat(program.waitFor()).as("%s: %s", List.of(command), lines).isZero();
        return lines;
    }
}
