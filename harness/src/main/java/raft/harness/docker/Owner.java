package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which process made an object of the engine, as labels on that object, and whether it still lives.
 *
 * <p>A process number alone does not do: numbers are used again, and two machines or containers may
 * use one engine. So a number counts only with the start time beside it, on the same boot of the
 * same machine, seen from the same process namespace.
 *
 * @param run the run's id
 * @param pid the process's number
 * @param started its start time in clock ticks since boot, 0 where the system does not tell
 * @param machine what stays the same when this machine boots again
 * @param boot changes with every boot, "" where the system does not tell
 * @param namespace the process namespace, "" where the system does not tell
 */
record Owner(String run, long pid, long started, String machine, String boot, String namespace) {
    /** On every object; its value is the run's id. */
    static final String RUN = "raftlab.run";

    /** On images, which belong to no run; its value is the content's hash. */
    static final String IMAGE = "raftlab.image";

    static final String PID = "raftlab.pid";
    static final String STARTED = "raftlab.started";
    static final String HOST = "raftlab.host";
    static final String BOOT = "raftlab.boot";
    static final String NAMESPACE = "raftlab.pidns";

    /** What is known of the process that made something. */
    enum Life {
        LIVES,
        DEAD,
        /** On another machine, or in a container whose processes are not to be seen from here. */
        UNKNOWN
    }

    /** This process, for the run {@code run}. */
    static Owner here(String run) {
        long pid = ProcessHandle.current().pid();
        return new Owner(run, pid, startTicks(pid), machineId(), bootId(), namespaceId());
    }

    Map<String, String> labels() {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put(RUN, run);
        labels.put(PID, Long.toString(pid));
        labels.put(STARTED, Long.toString(started));
        labels.put(HOST, machine);
        labels.put(BOOT, boot);
        labels.put(NAMESPACE, namespace);
        return labels;
    }

    /** The owner that the labels name; null when they are not ours or not whole. */
    static @Nullable Owner of(@Nullable Map<String, String> labels) {
        if (labels == null || !labels.containsKey(RUN)) {
            return null;
        }
        try {
            return new Owner(
                    labels.getOrDefault(RUN, ""),
                    Long.parseLong(labels.getOrDefault(PID, "-1")),
                    Long.parseLong(labels.getOrDefault(STARTED, "0")),
                    labels.getOrDefault(HOST, ""),
                    labels.getOrDefault(BOOT, ""),
                    labels.getOrDefault(NAMESPACE, ""));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** Whether the process lives, as seen from {@code me}. */
    Life life(Owner me) {
        if (!machine.equals(me.machine)) {
            return Life.UNKNOWN;
        }
        if (!boot.equals(me.boot)) {
            return Life.DEAD;
        }
        if (!namespace.equals(me.namespace)) {
            return Life.UNKNOWN;
        }
        boolean there = ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
        return there && startTicks(pid) == started ? Life.LIVES : Life.DEAD;
    }

    private static long startTicks(long pid) {
        String stat = firstLine(Path.of("/proc/" + pid + "/stat"));
        // The second field, the program's name in parentheses, may hold spaces; field 22 is the
        // start time.
        int afterName = stat.lastIndexOf(')');
        String[] fields = stat.substring(afterName + 1).trim().split(" ", -1);
        return afterName >= 0 && fields.length > 19 ? Long.parseLong(fields[19]) : 0;
    }

    private static String machineId() {
        String id = firstLine(Path.of("/etc/machine-id"));
        String name;
        try {
            name = InetAddress.getLocalHost().getHostName();
        } catch (IOException e) {
            name = "";
        }
        return id + "/" + name;
    }

    private static String bootId() {
        return firstLine(Path.of("/proc/sys/kernel/random/boot_id"));
    }

    private static String namespaceId() {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
        } catch (IOException | UnsupportedOperationException e) {
            return "";
        }
    }

    private static String firstLine(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return "";
        }
    }
}
