package raft.shell;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Where the launcher said that this software lies, and what is built and read there. */
public final class Home {
    private Home() {}

    /** The project's folder; the current one where no launcher told. */
    public static Path folder() {
        return Path.of(System.getProperty("raft.home", "."));
    }

    /** Where runs are recorded. */
    public static Path histories() {
        String other = System.getProperty("raft.histories");
        return other == null ? folder().resolve("histories") : Path.of(other);
    }

    /** Our node as it was built. */
    public static Path nodeJar() {
        return folder().resolve("raft-node/target/raft-node.jar");
    }

    /** The commit that is checked out, with "+" where files differ from it; "unknown" without. */
    static String commit() {
        try {
            Process git =
                    new ProcessBuilder("git", "describe", "--always", "--dirty=+", "--exclude=*")
                            .directory(folder().toFile())
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            String line = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return git.waitFor() == 0 && !line.isBlank() ? line.strip() : "unknown";
        } catch (IOException e) {
            return "unknown";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "unknown";
        }
    }

    /** What planted bugs are edits of. */
    public static Path nodeSources() {
        return folder().resolve("raft-node/src/main/java");
    }
}
