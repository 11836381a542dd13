package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.docker.ControlGroup.Fact;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

final class ControlGroupTest {
    private static final long PID = 4711;

    @TempDir private Path root;

    private void file(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private ControlGroup groups() {
        return new ControlGroup(root.resolve("proc"), root.resolve("sys"));
    }

    @Test
    void firstVersionHasATreeForEachController() throws IOException {
        file(
                "proc/4711/cgroup",
                "5:memory:/docker/abc\n4:freezer:/docker/abc\n2:cpuacct,cpu:/docker/abc\n"
                        + "0::/docker/abc\n");
        file("sys/memory/docker/abc/memory.usage_in_bytes", "1048576\n");
        file("sys/memory/docker/abc/memory.limit_in_bytes", "402653184\n");
        file("sys/cpu/docker/abc/cpu.cfs_quota_us", "-1\n");
        file("sys/cpu/docker/abc/cpu.stat", "nr_periods 7\nnr_throttled 3\n");
        file("sys/freezer/docker/abc/freezer.state", "FROZEN\n");
        ControlGroup groups = groups();
        assertThat(groups.number(PID, Fact.MEMORY_USED)).hasValue(1_048_576);
        assertThat(groups.number(PID, Fact.MEMORY_LIMIT)).hasValue(402_653_184);
        assertThat(groups.number(PID, Fact.CPU_QUOTA)).hasValue(-1);
        assertThat(groups.text(PID, Fact.CPU_STATISTICS)).contains("nr_throttled 3");
        assertThat(groups.text(PID, Fact.FREEZER)).isEqualTo("FROZEN");
    }

    @Test
    void secondVersionHasOneTree() throws IOException {
        file("proc/4711/cgroup", "0::/system.slice/docker-abc.scope\n");
        String group = "sys/system.slice/docker-abc.scope/";
        file(group + "memory.current", "1048576\n");
        file(group + "memory.max", "max\n");
        file(group + "cpu.max", "20000 100000\n");
        file(group + "cpu.stat", "usage_usec 9\nnr_throttled 3\n");
        file(group + "cgroup.freeze", "1\n");
        ControlGroup groups = groups();
        assertThat(groups.number(PID, Fact.MEMORY_USED)).hasValue(1_048_576);
        assertThat(groups.number(PID, Fact.MEMORY_LIMIT)).hasValue(-1);
        assertThat(groups.number(PID, Fact.CPU_QUOTA)).hasValue(20_000);
        assertThat(groups.text(PID, Fact.CPU_STATISTICS)).contains("nr_throttled 3");
        assertThat(groups.text(PID, Fact.FREEZER)).isEqualTo("1");
    }

    @Test
    void controllerOfTheFirstVersionIsBelievedWhereBothAreThere() throws IOException {
        file("proc/4711/cgroup", "0::/abc\n4:freezer:/abc\n");
        file("sys/freezer/abc/freezer.state", "THAWED\n");
        file("sys/abc/cgroup.freeze", "1\n");
        assertThat(groups().text(PID, Fact.FREEZER)).isEqualTo("THAWED");
    }

    @Test
    void nothingIsSaidWhereNothingIsToBeSeen() throws IOException {
        assertThat(groups().text(null, Fact.FREEZER)).isEmpty();
        assertThat(groups().text(0L, Fact.FREEZER)).isEmpty();
        assertThat(groups().text(PID, Fact.FREEZER)).as("no such process").isEmpty();
        file("proc/4711/cgroup", "0::/elsewhere\n");
        assertThat(groups().number(PID, Fact.MEMORY_USED)).as("no such file").isEmpty();
    }
}
