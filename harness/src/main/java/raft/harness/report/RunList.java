package raft.harness.report;

import tools.jackson.core.JacksonException;
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
import java.util.Set;
import java.util.stream.Collectors;

/**
 * All runs below a folder, newest first. What each is summed up to is kept in {@code .runs.index}
 * there, so that listing thousands of runs opens only those whose files changed, and understands
 * only those that are asked for.
 */
public final class RunList {
    private static final String INDEX = ".runs.index";
    private static final int DEPTH_MAX = 6;
    private final Path root;

    /**
     * @param root the folder of all runs, usually histories/
     */
    public RunList(Path root) {
        this.root = root;
    }

    /**
     * A run as the index has it: what tells whether it is fresh, and the rest.
     *
     * @param json the {@link RunSummary}
     */
    private record Line(String stamp, String json) {
        static Line of(RunSummary run) {
            return new Line(run.stamp(), JsonMapper.shared().writeValueAsString(run));
        }

        RunSummary run() {
            return RunSummary.parse(json);
        }
    }

    /** A run's folder: what it is called below the root, and what sorts it. */
    private record Found(String started, String name) {}

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
        try {
            return newest(count, load());
        } catch (JacksonException e) {
            // The index is damaged or of another version: it is made anew.
            return newest(count, new HashMap<>());
        }
    }

    /**
     * Files are asked for their times only of runs that are shown: with thousands of runs this, and
     * nothing else, would be what a person waits for.
     */
    private Newest newest(int count, Map<String, Line> kept) throws IOException {
        List<Found> found = found(kept);
        List<RunSummary> runs = new ArrayList<>();
        boolean changed = false;
        for (Found run : found.subList(0, Math.min(count, found.size()))) {
            Path folder = root.resolve(run.name());
            String stamp = RunFiles.stamp(folder);
            Line line = kept.get(run.name());
            if (line != null && line.stamp().equals(stamp)) {
                runs.add(line.run());
            } else {
                RunSummary summary = new RunFiles(folder).summary(run.name(), stamp);
                kept.put(run.name(), Line.of(summary));
                runs.add(summary);
                changed = true;
            }
        }
        Set<String> names = found.stream().map(Found::name).collect(Collectors.toSet());
        if (kept.keySet().retainAll(names) || changed) {
            save(kept);
        }
        return new Newest(runs, found.size());
    }

    /** All runs, newest first. */
    private List<Found> found(Map<String, Line> kept) throws IOException {
        List<Found> found = new ArrayList<>();
        if (Files.isDirectory(root)) {
            find(root, "", 1, kept.keySet(), found);
        }
        found.sort(Comparator.comparing(Found::started).thenComparing(Found::name).reversed());
        return found;
    }

    /** Goes into what is no run; the runs themselves, which are most folders, are not opened. */
    private void find(Path folder, String prefix, int depth, Set<String> known, List<Found> found)
            throws IOException {
        List<Path> below = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                String name = prefix + entry.getFileName();
                // Links, "latest" say, are no runs of their own.
                if (known.contains(name) || (isRun(entry) && !Files.isSymbolicLink(entry))) {
                    found.add(new Found(RunFiles.started(entry), name));
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
            String name = entry.getFileName().toString();
            boolean corpus = depth == 1 && name.equals("corpus");
            if (!corpus && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                find(entry, prefix + name + "/", depth + 1, known, found);
            }
        }
    }

    /** Also of a run that was only begun. */
    private static boolean isRun(Path folder) {
        File file = folder.toFile();
        return new File(file, "test.json").exists()
                || new File(file, "history.jsonl").exists()
                || (RunFiles.isDated(file.getName()) && new File(file, "nodes").exists());
    }

    private Map<String, Line> load() {
        Map<String, Line> kept = new HashMap<>();
        try {
            for (String line : Files.readAllLines(root.resolve(INDEX))) {
                String[] parts = line.split("\t", 3);
                if (parts.length == 3) {
                    kept.put(parts[0], new Line(parts[1], parts[2]));
                }
            }
        } catch (IOException e) {
            // None yet, or damaged: it is made anew.
            return new HashMap<>();
        }
        return kept;
    }

    private void save(Map<String, Line> runs) {
        Path fresh = root.resolve(INDEX + "." + ProcessHandle.current().pid());
        try {
            try (var out = Files.newBufferedWriter(fresh)) {
                for (Map.Entry<String, Line> run : runs.entrySet()) {
                    Line line = run.getValue();
                    out.append(String.join("\t", run.getKey(), line.stamp, line.json));
                    out.append('\n');
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
                found(load()).stream().map(Found::name).filter(n -> n.contains(word)).toList();
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
