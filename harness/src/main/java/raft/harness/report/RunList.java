package raft.harness.report;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * All runs below a folder, newest first. What each is summed up to is kept in {@code .runs.jsonl}
 * there, so that listing thousands of runs opens only those whose files changed.
 */
public final class RunList {
    private static final String INDEX = ".runs.jsonl";
    private static final int DEPTH_MAX = 6;
    private static final JsonMapper JSON =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private final Path root;

    /**
     * @param root the folder of all runs, usually histories/
     */
    public RunList(Path root) {
        this.root = root;
    }

    /**
     * The runs, newest first.
     *
     * @throws IOException when the folder cannot be listed
     */
    public List<RunSummary> read() throws IOException {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        Map<String, RunSummary> kept = load();
        List<RunSummary> runs = new ArrayList<>();
        boolean changed = false;
        for (Path folder : folders()) {
            String name = root.relativize(folder).toString();
            String stamp = RunFiles.stamp(folder);
            RunSummary run = kept.get(name);
            if (run == null || !run.stamp().equals(stamp)) {
                run = new RunFiles(folder).summary(name, stamp);
                changed = true;
            }
            runs.add(run);
        }
        runs.sort(
                Comparator.comparing(RunSummary::started)
                        .thenComparing(RunSummary::name)
                        .reversed());
        if (changed || runs.size() != kept.size()) {
            save(runs);
        }
        return runs;
    }

    private List<Path> folders() throws IOException {
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(
                root,
                java.util.Set.of(),
                DEPTH_MAX,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path folder, BasicFileAttributes attributes) {
                        if (folder.equals(root.resolve("corpus"))) {
                            return FileVisitResult.SKIP_SUBTREE;
                        }
                        if (!folder.equals(root) && isRun(folder)) {
                            found.add(folder);
                            return FileVisitResult.SKIP_SUBTREE;
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e) {
                        // A run that is just being removed, or a folder of somebody else's.
                        return FileVisitResult.CONTINUE;
                    }
                });
        return found;
    }

    /** Also of a run that was only begun. */
    private static boolean isRun(Path folder) {
        return Files.exists(folder.resolve("test.json"))
                || Files.exists(folder.resolve("history.jsonl"))
                || (folder.getFileName().toString().matches("\\d{8}T\\d{6}-.*")
                        && Files.exists(folder.resolve("nodes")));
    }

    private Map<String, RunSummary> load() {
        Map<String, RunSummary> kept = new HashMap<>();
        try {
            for (String line : Files.readAllLines(root.resolve(INDEX))) {
                RunSummary run = JSON.readValue(line, RunSummary.class);
                kept.put(run.name(), run);
            }
        } catch (IOException | JacksonException | NullPointerException e) {
            // None yet, or of another version: it is made anew.
            return new HashMap<>();
        }
        return kept;
    }

    private void save(List<RunSummary> runs) {
        Path fresh = root.resolve(INDEX + "." + ProcessHandle.current().pid());
        try {
            try (var out = Files.newBufferedWriter(fresh)) {
                for (RunSummary run : runs) {
                    out.append(JSON.writeValueAsString(run)).append('\n');
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
                read().stream().map(RunSummary::name).filter(n -> n.contains(word)).toList();
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
