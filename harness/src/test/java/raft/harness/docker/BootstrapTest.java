package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * {@code docker/bootstrap} with stand-ins for Debian's tools: it ends, and they with it, when
 * whoever asked for the images is killed without a word.
 */
final class BootstrapTest {
    private static final long PATIENCE_MILLIS = 60_000;

    private static final Map<String, String> TOOLS =
            Map.of(
                    "id", "echo 0",
                    "apt-get", "echo 'Debian|http://debian.example|bookworm|main|'",
                    "apt-config", "true",
                    // It has a child of its own, as the real one has; the file is there whole.
                    "mmdebstrap",
                            "sleep 600 & echo $$ $! > \"$PIDS.new\"; mv \"$PIDS.new\" \"$PIDS\";"
                                    + " touch \"$TMPDIR/half\"; wait");

    @TempDir private Path folder;

    @Test
    void nothingGoesOnWithoutWhoeverAskedForIt() throws Exception {
        Path out = Files.createDirectory(folder.resolve("out"));
        Path pids = folder.resolve("pids");
        Process asker = asker(out, pids);
        List<ProcessHandle> tools;
        try {
            await("the tool to run", () -> Files.exists(pids));
            tools =
                    Stream.of(Files.readString(pids).strip().split(" ", -1))
                            .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)).stream())
                            .toList();
            assertThat(tools).hasSize(2).allMatch(ProcessHandle::isAlive);
        } finally {
            asker.destroyForcibly().waitFor();
        }
        await("the tools to end", () -> tools.stream().noneMatch(ProcessHandle::isAlive));
        await("its folder to go", () -> isEmpty(out));
    }

    private Process asker(Path out, Path pids) throws IOException {
        Path bin = Files.createDirectory(folder.resolve("bin"));
        for (Map.Entry<String, String> tool : TOOLS.entrySet()) {
            Path file = bin.resolve(tool.getKey());
            Files.writeString(file, "#!/bin/bash\n" + tool.getValue() + "\n");
            assertThat(file.toFile().setExecutable(true)).isTrue();
        }
        Path bootstrap = ProjectFolder.find().resolve("docker/bootstrap");
        ProcessBuilder builder =
                new ProcessBuilder("bash", "-c", "\"$0\" \"$1\"; true", bootstrap.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("said").toFile());
        builder.command().add(out.toString());
        builder.environment().put("PATH", bin + ":" + System.getenv("PATH"));
        builder.environment().put("PIDS", pids.toString());
        return builder.start();
    }

    private static boolean isEmpty(Path folder) {
        String[] names = folder.toFile().list();
        return names != null && names.length == 0;
    }

    private interface Condition {
        boolean holds();
    }

    private void await(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        while (!condition.holds()) {
            assertThat(System.nanoTime() - deadline)
                    .as(
                            "waited for %s; it said: %s",
                            what, Files.readString(folder.resolve("said")))
                    .isNegative();
            Thread.sleep(50);
        }
    }
}
