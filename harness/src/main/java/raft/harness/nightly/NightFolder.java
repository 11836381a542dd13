package raft.harness.nightly;

import org.jspecify.annotations.Nullable;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where a night is kept: {@code <root>/nightly/<UTC time>[-shard-i-of-n]/} with night.json,
 * progress.jsonl (a line a finished test, on disk before the next begins), runs/, logs/, and at its
 * end summary.json, junit.xml and index.html. A night without summary.json was cut short.
 */
public final class NightFolder {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss").withZone(ZoneOffset.UTC);
    static final JsonMapper JSON =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();
    private static final JsonMapper PRETTY =
            JSON.rebuild().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final Path path;

    private NightFolder(Path path) {
        this.path = path;
    }

    /** All nights below the folder of all runs, oldest first. */
    public static List<Path> nights(Path root) throws IOException {
        Path nightly = root.resolve("nightly");
        if (!Files.isDirectory(nightly)) {
            return List.of();
        }
        try (Stream<Path> folders = Files.list(nightly)) {
            return folders.filter(folder -> Files.exists(folder.resolve("night.json")))
                    .sorted(Comparator.comparing(Path::getFileName))
                    .toList();
        }
    }

    /**
     * The newest night of the same options that was cut short, or null.
     *
     * @throws IOException when the folder cannot be listed
     */
    static @Nullable NightFolder unfinished(Path root, NightOptions options) throws IOException {
        for (Path night : nights(root).reversed()) {
            if (Files.exists(night.resolve("summary.json"))) {
                continue;
            }
            try {
                NightOptions kept =
                        JSON.readValue(
                                Files.readString(night.resolve("night.json")), NightOptions.class);
                if (kept.equals(options)) {
                    return new NightFolder(night);
                }
            } catch (IOException | JacksonException e) {
                // Of another version: not ours to go on with.
            }
        }
        return null;
    }

    static NightFolder create(Path root, NightOptions options, Instant now) throws IOException {
        String shard =
                options.shards() == 1
                        ? ""
                        : "-shard-" + options.shard() + "-of-" + options.shards();
        String base = TIME.format(now) + shard;
        Path nightly = root.resolve("nightly");
        Files.createDirectories(nightly);
        for (int attempt = 1; ; attempt++) {
            Path path = nightly.resolve(attempt == 1 ? base : base + "." + attempt);
            if (Files.exists(path)) {
                continue;
            }
            Files.createDirectories(path.resolve("logs"));
            NightFolder folder = new NightFolder(path);
            folder.save("night.json", options);
            return folder;
        }
    }

    /** A night that is there. */
    static NightFolder at(Path path) {
        return new NightFolder(path);
    }

    public Path path() {
        return path;
    }

    /**
     * When it began, which its name says.
     *
     * @throws IOException where neither its name nor the file system tells
     */
    Instant begun() throws IOException {
        String name = path.getFileName().toString();
        try {
            return TIME.parse(name.substring(0, Math.min(15, name.length())), Instant::from);
        } catch (DateTimeParseException e) {
            // Somebody gave it another name.
            return Files.getLastModifiedTime(path.resolve("night.json")).toInstant();
        }
    }

    /** Where its tests keep their runs. */
    Path runs() {
        return path.resolve("runs");
    }

    void append(NightRun run) throws IOException {
        Files.writeString(
                path.resolve("progress.jsonl"),
                JSON.writeValueAsString(run) + "\n",
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /** What is done; a line cut short by a kill is left out, so its test runs again. */
    List<NightRun> done() throws IOException {
        Path file = path.resolve("progress.jsonl");
        List<NightRun> runs = new ArrayList<>();
        if (!Files.exists(file)) {
            return runs;
        }
        String text = Files.readString(file);
        for (String line : text.lines().toList()) {
            try {
                runs.add(JSON.readValue(line, NightRun.class));
            } catch (JacksonException e) {
                // The kill came in the middle of it.
            }
        }
        if (!text.isEmpty() && !text.endsWith("\n")) {
            Files.writeString(file, "\n", StandardOpenOption.APPEND);
        }
        return runs;
    }

    /** Saves as a whole. */
    void save(String name, Object content) throws IOException {
        write(name, PRETTY.writeValueAsString(content) + "\n");
    }

    void write(String name, String content) throws IOException {
        Path fresh = path.resolve(name + ".new");
        Files.writeString(fresh, content, StandardCharsets.UTF_8);
        Files.move(
                fresh,
                path.resolve(name),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }
}
