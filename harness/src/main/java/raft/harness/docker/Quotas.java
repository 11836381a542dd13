package raft.harness.docker;

import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.command.UpdateContainerCmd;
import com.github.dockerjava.api.model.HostConfig;

import org.jspecify.annotations.Nullable;

import raft.harness.docker.ControlGroup.Fact;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import java.io.IOException;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What one node may use of processors and memory. Several faults may narrow it; the narrowest
 * holds. Called in the node's lane only.
 */
final class Quotas {
    private static final long PERIOD_MICROS = 100_000;

    /** A process must be able to be killed and started in it. */
    private static final long MEMORY_BYTES_MIN = 16L << 20;

    private final Engine engine;
    private final Pod pod;
    private final long memoryBytes;
    private final ControlGroup groups = new ControlGroup();
    private final Map<Long, Long> cpuPercent = new TreeMap<>();
    private final Map<Long, Long> memoryLimits = new TreeMap<>();

    /**
     * @param memoryBytes what the node may use without a fault
     */
    Quotas(Engine engine, Pod pod, long memoryBytes) {
        this.engine = engine;
        this.pod = pod;
        this.memoryBytes = memoryBytes;
    }

    FaultOutcome limitCpu(long fault, int percent) {
        cpuPercent.put(fault, (long) percent);
        return applied(this::applyCpu);
    }

    FaultOutcome restoreCpu(long fault) {
        String throttled = throttled();
        if (cpuPercent.remove(fault) == null) {
            return found(Status.SKIPPED, "was not limited by this fault");
        }
        FaultOutcome outcome = applied(this::applyCpu);
        return throttled.isEmpty()
                ? outcome
                : new FaultOutcome(
                        outcome.status(),
                        java.util.List.of(outcome.evidence().getFirst(), pod.node() + throttled));
    }

    FaultOutcome limitMemory(long fault, long headroomBytes) {
        return applied(
                () -> {
                    long limit = Math.max(MEMORY_BYTES_MIN, usedBytes() + headroomBytes);
                    if (limit >= memoryBytes) {
                        return found(
                                Status.SKIPPED,
                                "uses so much that its limit of "
                                        + (memoryBytes >> 20)
                                        + " MB is the narrower one");
                    }
                    memoryLimits.put(fault, limit);
                    return applyMemory();
                });
    }

    FaultOutcome restoreMemory(long fault) {
        if (memoryLimits.remove(fault) == null) {
            return found(Status.SKIPPED, "was not limited by this fault");
        }
        return applied(this::applyMemory);
    }

    /** Everything as it was at the start. */
    FaultOutcome restoreAll() {
        if (cpuPercent.isEmpty() && memoryLimits.isEmpty()) {
            return found(Status.INSTALLED, "has what it had");
        }
        cpuPercent.clear();
        memoryLimits.clear();
        return Findings.all(java.util.List.of(applied(this::applyCpu), applied(this::applyMemory)));
    }

    private interface Work {
        FaultOutcome run() throws IOException;
    }

    private FaultOutcome applied(Work work) {
        try {
            return work.run();
        } catch (IOException | RuntimeException e) {
            return found(Status.INDETERMINATE, "the engine failed: " + Engine.rootMessage(e));
        }
    }

    private FaultOutcome applyCpu() {
        long quota =
                cpuPercent.values().stream()
                        .mapToLong(percent -> percent * PERIOD_MICROS / 100)
                        .min()
                        .orElse(-1);
        update().withCpuPeriod(PERIOD_MICROS).withCpuQuota(quota).exec();
        Long seen = host().getCpuQuota();
        OptionalLong kernel = groups.number(pid(), Fact.CPU_QUOTA);
        boolean right =
                seen != null
                        && (seen == quota || (quota < 0 && seen <= 0))
                        && (kernel.isEmpty() || kernel.getAsLong() == quota);
        return found(
                right ? Status.INSTALLED : Status.INDETERMINATE,
                (quota < 0
                                ? "may use all processors"
                                : "may use " + quota * 100 / PERIOD_MICROS + " % of a processor")
                        + "; the engine says quota "
                        + seen
                        + (kernel.isEmpty() ? "" : ", the kernel " + kernel.getAsLong()));
    }

    private FaultOutcome applyMemory() {
        long limit = memoryLimits.values().stream().mapToLong(l -> l).min().orElse(memoryBytes);
        update().withMemory(limit).withMemorySwap(limit).exec();
        Long seen = host().getMemory();
        OptionalLong kernel = groups.number(pid(), Fact.MEMORY_LIMIT);
        boolean right =
                seen != null
                        && seen == limit
                        && (kernel.isEmpty() || kernel.getAsLong() / 4096 == limit / 4096);
        return found(
                right ? Status.INSTALLED : Status.INDETERMINATE,
                "may use "
                        + (limit >> 10)
                        + " kB of memory; the engine says "
                        + seen
                        + " bytes"
                        + (kernel.isEmpty() ? "" : ", the kernel " + kernel.getAsLong()));
    }

    private UpdateContainerCmd update() {
        return engine.commands().updateContainerCmd(pod.nodeContainer());
    }

    private HostConfig host() {
        HostConfig host = inspect().getHostConfig();
        if (host == null) {
            throw new IllegalStateException("the engine tells no limits of " + pod.nodeContainer());
        }
        return host;
    }

    private InspectContainerResponse inspect() {
        return engine.commands().inspectContainerCmd(pod.nodeContainer()).exec();
    }

    private long usedBytes() throws IOException {
        return groups.number(pid(), Fact.MEMORY_USED)
                .orElseThrow(
                        () ->
                                new IOException(
                                        "how much memory it uses cannot be seen from here (the"
                                                + " engine's control groups are not readable)"));
    }

    private String throttled() {
        for (String line : groups.text(pid(), Fact.CPU_STATISTICS).lines().toList()) {
            if (line.startsWith("nr_throttled ")) {
                return " was held back " + line.substring(13) + " times since it started";
            }
        }
        return "";
    }

    private @Nullable Long pid() {
        return inspect().getState().getPidLong();
    }

    private FaultOutcome found(Status status, String what) {
        return Findings.of(status, pod.node() + " " + what);
    }
}
