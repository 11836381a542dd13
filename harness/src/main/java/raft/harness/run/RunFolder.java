package raft.harness.run;

import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/**
 * Where a run is saved: {@code <root>/<name>/<UTC time>-<seed>/} with test.json, plan.json,
 * history.jsonl, nodes/ and results.json; {@code <root>/latest} points at the newest. Every file is
 * replaced as a whole, never left half written.
 */
public final class RunFolder {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss").withZone(ZoneOffset.UTC);
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final Path path;

    private RunFolder(Path path) {
        this.path = path;
    }

    /**
     * Makes the folder of a new run.
     *
     * @param root usually histories/
     * @param name the workload's
     * @throws IOException when it cannot be made; the message names the place
     */
    public static RunFolder create(Path root, String name, long seed, Instant now)
            throws IOException {
        Path parent = root.resolve(name);
        Files.createDirectories(parent);
        String base = TIME.format(now) + "-" + seed;
        for (int attempt = 1; ; attempt++) {
            Path path = parent.resolve(attempt == 1 ? base : base + "." + attempt);
            try {
                Files.createDirectory(path);
            } catch (FileAlreadyExistsException taken) {
                continue;
            }
            Files.createDirectories(path.resolve("nodes"));
            pointLatest(root, path);
            return new RunFolder(path);
        }
    }

    private static void pointLatest(Path root, Path path) throws IOException {
        Path fresh = root.resolve("latest.new-" + ProcessHandle.current().pid());
        Files.deleteIfExists(fresh);
        Files.createSymbolicLink(fresh, root.relativize(path));
        Files.move(
                fresh,
                root.resolve("latest"),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    /** Saves {@code content} as pretty JSON, replacing what was there. */
    public void save(String fileName, Object content) throws IOException {
        Path fresh = path.resolve(fileName + ".new");
        Files.write(
                fresh,
                (JSON.writeValueAsString(content) + "\n")
                        .getBytes(java.nio.charset.StandardCharsets.UTF_8));
        Files.move(
                fresh,
                path.resolve(fileName),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    public Path path() {
        return path;
    }

    public Path historyFile() {
        return path.resolve("history.jsonl");
    }
}
