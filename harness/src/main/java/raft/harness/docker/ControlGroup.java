package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * What the kernel says of a process's control group: of version 1, where each controller has a tree
 * of its own, or of version 2, where there is one for all; whichever the process is in. Nothing
 * where the engine runs elsewhere, or the files cannot be read.
 */
final class ControlGroup {
    /** A fact, and the file that tells it in each version. */
    enum Fact {
        CPU_QUOTA("cpu", "cpu.cfs_quota_us", "cpu.max"),
        CPU_STATISTICS("cpu", "cpu.stat", "cpu.stat"),
        MEMORY_LIMIT("memory", "memory.limit_in_bytes", "memory.max"),
        MEMORY_USED("memory", "memory.usage_in_bytes", "memory.current"),
        FREEZER("freezer", "freezer.state", "cgroup.freeze");

        private final String controller;
        private final String first;
        private final String second;

        Fact(String controller, String first, String second) {
            this.controller = controller;
            this.first = first;
            this.second = second;
        }
    }

    private final Path processes;
    private final Path groups;

    ControlGroup() {
        this(Path.of("/proc"), Path.of("/sys/fs/cgroup"));
    }

    ControlGroup(Path processes, Path groups) {
        this.processes = processes;
        this.groups = groups;
    }

    /**
     * The file's whole text.
     *
     * @param pid null or 0 for a process that does not run
     * @return "" where nothing is to be seen
     */
    String text(@Nullable Long pid, Fact fact) {
        if (pid == null || pid <= 0) {
            return "";
        }
        try {
            Path file = file(Files.readAllLines(processes.resolve(pid + "/cgroup")), fact);
            return file == null ? "" : Files.readString(file).strip();
        } catch (IOException e) {
            return "";
        }
    }

    /** The first number; -1 where there is no limit. */
    OptionalLong number(@Nullable Long pid, Fact fact) {
        String text = text(pid, fact);
        if (text.isEmpty()) {
            return OptionalLong.empty();
        }
        String first = text.split("\\s", 2)[0];
        return OptionalLong.of(first.equals("max") ? -1 : Long.parseLong(first));
    }

    /**
     * @param lines {@code /proc/PID/cgroup}: number, controllers, path
     */
    private @Nullable Path file(List<String> lines, Fact fact) {
        Path second = null;
        for (String line : lines) {
            String[] fields = line.split(":", 3);
            if (fields.length < 3) {
                continue;
            }
            if (List.of(fields[1].split(",", -1)).contains(fact.controller)) {
                return readable(groups.resolve(fact.controller + fields[2]).resolve(fact.first));
            }
            if (fields[0].equals("0") && fields[1].isEmpty()) {
                second = groups.resolve("." + fields[2]).resolve(fact.second);
            }
        }
        return second == null ? null : readable(second);
    }

    private static @Nullable Path readable(Path file) {
        return Files.isReadable(file) ? file.normalize() : null;
    }
}
