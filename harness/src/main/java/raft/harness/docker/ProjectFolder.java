package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;

/** Where this software's own files are: the scripts that it runs, and what it keeps for later. */
public final class ProjectFolder {
    private ProjectFolder() {}

    /**
     * The folder with {@code docker/engine} in it: the system property {@code raft.home}, else
     * above the current folder, else above the code itself.
     *
     * @throws EngineException when there is none
     */
    public static Path find() throws EngineException {
        String told = System.getProperty("raft.home");
        for (Path start :
                new Path[] {
                    told == null ? Path.of("") : Path.of(told), Path.of(""), codeFolder()
                }) {
            Path found = above(start.toAbsolutePath());
            if (found != null) {
                return found;
            }
        }
        throw new EngineException(
                "the folder with docker/engine is not found: start ./raft from the project's"
                        + " folder");
    }

    private static @Nullable Path above(Path start) {
        for (Path folder = start; folder != null; folder = folder.getParent()) {
            if (Files.isRegularFile(folder.resolve("docker").resolve("engine"))) {
                return folder;
            }
        }
        return null;
    }

    private static Path codeFolder() {
        CodeSource source = ProjectFolder.class.getProtectionDomain().getCodeSource();
        try {
            return source == null ? Path.of("") : Path.of(source.getLocation().toURI());
        } catch (URISyntaxException e) {
            return Path.of("");
        }
    }

    /**
     * What is dear to make and safe to delete: {@code $XDG_CACHE_HOME/raft-lab}, or in {@code
     * ~/.cache}.
     */
    public static Path cache() {
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base =
                xdg == null || xdg.isBlank()
                        ? Path.of(System.getProperty("user.home"), ".cache")
                        : Path.of(xdg);
        return base.resolve("raft-lab");
    }
}
