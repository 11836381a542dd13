package raft.shell;

import java.nio.file.Path;

/** Where the launcher said that this software lies, and what is built and read there. */
final class Home {
    private Home() {}

    /** The project's folder; the current one where no launcher told. */
    static Path folder() {
        return Path.of(System.getProperty("raft.home", "."));
    }

    /** Our node as it was built. */
    static Path nodeJar() {
        return folder().resolve("raft-node/target/raft-node.jar");
    }

    /** What planted bugs are edits of. */
    static Path nodeSources() {
        return folder().resolve("raft-node/src/main/java");
    }
}
