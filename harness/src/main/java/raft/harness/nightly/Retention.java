package raft.harness.nightly;

import raft.harness.report.RunFiles;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What of a night is kept. Everything of a test that was not valid, and of the first valid test of
 * each cell. Of the other valid ones parameters, plan and results; of nights beyond the newest
 * {@code n} their summaries and what was not valid.
 */
public final class Retention {
    private static final List<String> THIN =
            List.of("history.jsonl", "history.jsonl.index", "report.html");

    private Retention() {}

    /** Thins the test that has just ended, where one like it is kept whole. */
    static void afterTest(NightRun run, List<NightRun> all) throws IOException {
        boolean first =
                all.stream()
                        .filter(other -> other.cell().equals(run.cell()) && other.isValid())
                        .findFirst()
                        .filter(other -> other.equals(run))
                        .isPresent();
        if (run.isValid() && !first && !run.run().isEmpty()) {
            thin(Path.of(run.run()));
        }
    }

    private static void thin(Path folder) throws IOException {
        for (String name : THIN) {
            Files.deleteIfExists(folder.resolve(name));
        }
        deleteTree(folder.resolve("nodes"));
        Files.writeString(
                folder.resolve(RunFiles.THINNED),
                "This run was valid. Its history and logs were removed; the command in test.json"
                        + " repeats it.\n");
    }

    /**
     * Removes valid runs of old nights.
     *
     * @param root the folder of all runs
     * @param nightsKept newest nights that are left alone, at least 1
     * @return how many runs were removed
     */
    public static int thinOldNights(Path root, int nightsKept) throws IOException {
        List<Path> nights = NightFolder.nights(root);
        int removed = 0;
        for (Path night : nights.subList(0, Math.max(0, nights.size() - nightsKept))) {
            for (NightRun run : NightFolder.at(night).done()) {
                Path folder = run.run().isEmpty() ? null : Path.of(run.run());
                // Only what lies in this night: a line of progress is not trusted further.
                if (run.isValid()
                        && folder != null
                        && folder.toAbsolutePath()
                                .normalize()
                                .startsWith(night.toAbsolutePath().normalize())
                        && Files.isDirectory(folder)) {
                    deleteTree(folder);
                    removed++;
                }
            }
        }
        return removed;
    }

    private static void deleteTree(Path tree) throws IOException {
        if (!Files.isDirectory(tree)) {
            return;
        }
        try (Stream<Path> all = Files.walk(tree)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (UncheckedIOException e) {
            throw new IOException(e);
        }
    }
}
