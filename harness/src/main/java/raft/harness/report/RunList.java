package raft.harness.report;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * All runs below a folder, newest first. What each is summed up to is kept in {@code .runs.index}
 * there, so that listing thousands of runs opens only those whose files changed, and understands
 * only those that are asked for.
 */
public final class RunList {
    private static final String INDEX = ".runs.index";
    private static final int DEPTH_MAX = 6;
    private static final JsonMapper JSON =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private static final Pattern NAME = Pattern.compile("\\d{8}T\\d{6}-.*");

    private final Path root;

    /**
     * @param root the folder of all runs, usually histories/
     */
    public RunList(Path root) {
        this.root = root;
    }

    /**
     * A run as the index has it: what sorts it, what tells whether it is fresh, and the rest.
     *
     * @param json the {@link RunSummary}
     */
    private record Line(String started, String name, String stamp, String json) {
        static Line of(RunSummary run) {
            return new Line(run.started(), run.name(), run.stamp(), JSON.writeValueAsString(run));
        }

        RunSummary run() {
            return JSON.readValue(json, RunSummary.class);
        }
    }

    /**
     * The newest runs.
     *
     * @param runs newest first
     * @param allCount how many there are in all
     */
    public record Newest(List<RunSummary> runs, int allCount) {}

    /**
     * The runs, newest first.
     *
     * @throws IOException when the folder cannot be listed
     */
    public List<RunSummary> read() throws IOException {
        return newest(Integer.MAX_VALUE).runs();
    }

    /**
     * The newest of the runs, which takes less than {@link #read}.
     *
     * @param count at most so many
     * @throws IOException when the folder cannot be listed
     */
    public Newest newest(int count) throws IOException {
        List<Line> lines = lines();
        try {
            return new Newest(lines.stream().limit(count).map(Line::run).toList(), lines.size());
        } catch (JacksonException | NullPointerException e) {
            // The index is damaged or of another version: it is made anew.
            Files.deleteIfExists(root.resolve(INDEX));
            lines = lines();
            return new Newest(lines.stream().limit(count).map(Line::run).toList(), lines.size());
        }
    }

    private List<Line> lines() throws IOException {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        Map<String, Line> kept = load();
        List<Line> runs = new ArrayList<>();
        boolean changed = false;
        for (Path folder : folders()) {
            String name = root.relativize(folder).toString();
            String stamp = RunFiles.stamp(folder);
            Line run = kept.get(name);
            if (run == null || !run.stamp().equals(stamp)) {
                run = Line.of(new RunFiles(folder).summary(name, stamp));
                changed = true;
            }
            runs.add(run);
        }
        runs.sort(Comparator.comparing(Line::started).thenComparing(Line::name).reversed());
        if (changed || runs.size() != kept.size()) {
            save(runs);
        }
        return runs;
    }

    private List<Path> folders() throws IOException {
        List<Path> found = new ArrayList<>();
        folders(root, 1, found);
        return found;
    }

    /** Goes into what is no run; the runs themselves, which are most folders, are not opened. */
    private void folders(Path folder, int depth, List<Path> found) throws IOException {
        List<Path> below = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                // Links, "latest" say, are no runs of their own.
                if (isRun(entry) && !Files.isSymbolicLink(entry)) {
                    found.add(entry);
                } else if (depth < DEPTH_MAX) {
                    below.add(entry);
                }
            }
        } catch (DirectoryIteratorException e) {
            // A folder that is just being removed, or somebody else's.
            if (depth == 1) {
                throw e.getCause();
            }
        } catch (IOException e) {
            if (depth == 1) {
                throw e;
            }
        }
        for (Path entry : below) {
            boolean corpus = depth == 1 && entry.getFileName().toString().equals("corpus");
            if (!corpus && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                folders(entry, depth + 1, found);
            }
        }
    }

    /** Also of a run that was only begun. */
    private static boolean isRun(Path folder) {
        File file = folder.toFile();
        return new File(file, "test.json").exists()
                || new File(file, "history.jsonl").exists()
                || (NAME.matcher(file.getName()).matches() && new File(file, "nodes").exists());
    }

    private Map<String, Line> load() {
        Map<String, Line> kept = new HashMap<>();
        try {
            for (String line : Files.readAllLines(root.resolve(INDEX))) {
                String[] parts = line.split("\t", 4);
                if (parts.length == 4) {
                    kept.put(parts[1], new Line(parts[0], parts[1], parts[2], parts[3]));
                }
            }
        } catch (IOException e) {
            // None yet, or damaged: it is made anew.
            return new HashMap<>();
        }
        return kept;
    }

    private void save(List<Line> runs) {
        Path fresh = root.resolve(INDEX + "." + ProcessHandle.current().pid());
        try {
            try (var out = Files.newBufferedWriter(fresh)) {
                for (Line run : runs) {
                    String line = String.join("\t", run.started, run.name, run.stamp, run.json);
                    out.append(line).append('\n');
                }
            }
            Files.move(
                    fresh,
                    root.resolve(INDEX),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            // A full disk or a folder that cannot be written: slower the next time, nothing else.
            try {
                Files.deleteIfExists(fresh);
            } catch (IOException stays) {
                e.addSuppressed(stays);
            }
        }
    }

    /**
     * The file or folder that a person means.
     *
     * @param word a path, "latest", a run's name or a part of one that fits only one run
     * @throws IOException with one sentence that says what there is, when none or several fit
     */
    public Path find(String word) throws IOException {
        Path path = Path.of(word);
        if (Files.isRegularFile(path) || isRun(path)) {
            return path;
        }
        Path below = root.resolve(word);
        if (below.normalize().startsWith(root.normalize())
                && (Files.isRegularFile(below) || isRun(below))) {
            return below.toRealPath();
        }
        List<String> names =
                lines().stream().map(Line::name).filter(n -> n.contains(word)).toList();
        if (names.size() == 1) {
            return root.resolve(names.getFirst());
        }
        List<String> ending = names.stream().filter(n -> n.endsWith(word)).toList();
        if (ending.size() == 1) {
            return root.resolve(ending.getFirst());
        }
        throw new IOException(
                names.isEmpty()
                        ? "no run or file is called '"
                                + word
                                + "'; './raft history list' lists the runs"
                        : "'"
                                + word
                                + "' fits "
                                + names.size()
                                + " runs: "
                                + String.join(", ", names.subList(0, Math.min(4, names.size())))
                                + (names.size() > 4 ? ", …" : ""));
    }
}
