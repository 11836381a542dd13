package raft.harness.docker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A small Java run-time for the node, linked from the JDK that runs this program (its run-time
 * image suffices, no jmods are needed) and kept in the cache: 5 s once, then nothing.
 */
final class RuntimeImage {
    /** All that a node may use; the node's jar has no dependencies of its own. */
    static final List<String> MODULES = List.of("java.base", "java.management", "jdk.httpserver");

    private static final long LINK_SECONDS = 300;

    private RuntimeImage() {}

    /** Names everything that the result depends on. */
    static String key() {
        return Hashes.shortHash(
                System.getProperty("java.runtime.version", "")
                        + " "
                        + System.getProperty("java.vendor.version", "")
                        + " "
                        + System.getProperty("os.arch", "")
                        + " "
                        + MODULES);
    }

    /**
     * The folder that holds {@code jre/}, made when it is not there.
     *
     * @throws EngineException when this is not a JDK, or the disk is full
     */
    static Path ensure(Path cache, Consumer<String> progress) throws EngineException {
        Path ready = cache.resolve("jre-" + key());
        if (Files.isDirectory(ready)) {
            return ready;
        }
        Path jlink = Path.of(System.getProperty("java.home"), "bin", "jlink");
        if (!Files.isExecutable(jlink)) {
            throw new EngineException(
                    "no jlink in "
                            + System.getProperty("java.home")
                            + ": run with a whole JDK 25, a JRE does not do");
        }
        progress.accept("linking a Java run-time for the nodes (once)");
        try {
            Files.createDirectories(cache);
            Path work = Files.createTempDirectory(cache, "link.");
            try {
                link(jlink, work);
                // In one step: who comes at the same time sees nothing or the whole.
                Files.move(work, ready, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                deleteTree(work);
            }
        } catch (IOException e) {
            if (Files.isDirectory(ready)) {
                return ready; // Somebody else was faster.
            }
            throw new EngineException(
                    "the nodes' Java run-time could not be made in "
                            + cache
                            + ": "
                            + Engine.rootMessage(e),
                    e);
        }
        return ready;
    }

    private static void link(Path jlink, Path work) throws IOException {
        Path log = work.resolve("jlink.log");
        Process process =
                new ProcessBuilder(
                                jlink.toString(),
                                "--add-modules",
                                String.join(",", MODULES),
                                "--strip-debug",
                                "--no-man-pages",
                                "--no-header-files",
                                "--generate-cds-archive",
                                "--output",
                                work.resolve("jre").toString())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            if (!process.waitFor(LINK_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("jlink did not end within " + LINK_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while jlink ran", e);
        }
        if (process.exitValue() != 0) {
            List<String> lines = Files.readAllLines(log);
            throw new IOException(
                    "jlink failed: " + (lines.isEmpty() ? "" : lines.getLast().strip()));
        }
        Files.delete(log);
        // Only for heaps above 32 GB, and a sixth of the whole.
        Files.deleteIfExists(work.resolve("jre/lib/server/classes_nocoops.jsa"));
    }

    /** Deletes a folder and all in it; nothing happens when it is not there. */
    static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
