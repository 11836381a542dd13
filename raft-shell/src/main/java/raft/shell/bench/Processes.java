package raft.shell.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What both clusters need of the operating system. */
final class Processes {
    private static final long STOP_SECONDS_MAX = 10;

    private Processes() {}

    /** The java that runs this. */
    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** Free ports of loopback, all different. */
    static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> held = new ArrayList<>();
        List<Integer> ports = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                held.add(socket);
                ports.add(socket.getLocalPort());
            }
        } finally {
            for (ServerSocket socket : held) {
                socket.close();
            }
        }
        return ports;
    }

    /** Resident memory of a process, from /proc; -1 where there is none. */
    static long residentBytes(Process process) throws IOException {
        Path status = Path.of("/proc", "" + process.pid(), "status");
        if (!Files.exists(status)) {
            return -1;
        }
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
            }
        }
        return -1;
    }

    /** What a JVM's heap holds after a collection; -1 where there is no jcmd to ask it. */
    static long liveHeapBytes(Process process) throws IOException, InterruptedException {
        Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        if (!Files.exists(jcmd)) {
            return -1;
        }
        String pid = "" + process.pid();
        // Its counting of live objects begins with a full collection.
        Process asked =
                new ProcessBuilder(jcmd.toString(), pid, "GC.class_histogram")
                        .redirectErrorStream(true)
                        .start();
        long live = -1;
        try (BufferedReader lines = asked.inputReader()) {
            String line;
            while ((line = lines.readLine()) != null) {
                if (line.startsWith("Total")) {
                    live = Long.parseLong(line.strip().split(" +", 0)[2]);
                }
            }
        }
        asked.waitFor();
        return live;
    }

    /** Sends a signal by name: STOP, CONT. */
    static void signal(Process process, String name) throws IOException, InterruptedException {
        int status = new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor();
        if (status != 0) {
            throw new IOException("cannot send " + name + " to process " + process.pid());
        }
    }

    /** Ends a process for certain. */
    static void kill(Process process) throws InterruptedException {
        process.destroyForcibly();
        process.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS);
    }

    /** What was started and its data go with a measurement that is broken off. */
    static void leaveNothing(Path folder) {
        List<ProcessHandle> started = ProcessHandle.current().descendants().toList();
        started.forEach(ProcessHandle::destroyForcibly);
        started.forEach(
                process ->
                        process.onExit()
                                .completeOnTimeout(process, STOP_SECONDS_MAX, TimeUnit.SECONDS)
                                .join());
        try {
            deleteFolder(folder);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("not all of " + folder + " could be deleted: " + e.getMessage());
        }
    }

    static void deleteFolder(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path); // A process that just ended may have moved it.
            }
        }
    }

    static long folderBytes(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            long bytes = 0;
            for (Path path : all.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(path);
            }
            return bytes;
        }
    }
}
