package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.core.LogWrite;
import raft.core.NodeId;
import raft.storage.DataDirectory;
import raft.storage.Wal;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The process as its operators see it: exit statuses and last words. */
@Tag("cluster")
@Timeout(60)
final class MainTest {
    @TempDir private Path folder;

    @Test
    void badSettingsEndWith254AndOneSentence() throws Exception {
        Ended ended = run("--node-id", "n1");
        assertThat(ended.status).isEqualTo(254);
        assertThat(ended.output).isEqualTo("raft-node: RAFT_CLUSTER_ID is not set, see --help\n");
    }

    @Test
    void helpIsAnAnswer() throws Exception {
        Ended ended = run("--help");
        assertThat(ended.status).isZero();
        assertThat(ended.output).contains("RAFT_MEMBERS");
    }

    @Test
    void aTakenPortEndsWith255AndNamesIt() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Ended ended = run(options("127.0.0.1:" + taken.getLocalPort()));
            assertThat(ended.status).isEqualTo(255);
            assertThat(ended.output)
                    .contains(
                            "raft-node: cannot start: cannot listen for clients on 127.0.0.1:"
                                    + taken.getLocalPort()
                                    + ": Address already in use");
        }
    }

    @Test
    void aDamagedLogEndsWith255AndNamesThePlace() throws Exception {
        try (DataDirectory data = DataDirectory.open(folder, "lab", "n1")) {
            Wal wal = Wal.open(data.disk(), 4096, () -> 9).wal();
            for (int term = 1; term <= 2; term++) {
                wal.append(List.of(new LogWrite.HardState(term, new NodeId("n1"))));
                wal.sync();
            }
            wal.close();
        }
        Path segment = folder.resolve("wal-00000000000000000001.log");
        byte[] bytes = Files.readAllBytes(segment);
        bytes[192 + 20] ^= 4;
        Files.write(segment, bytes);
        Ended ended = run(options("127.0.0.1:0"));
        assertThat(ended.status).isEqualTo(255);
        assertThat(ended.output)
                .contains(
                        "cannot start: wal-00000000000000000001.log, offset 192, record 1: damaged,"
                                + " but valid record 2 follows at offset 240");
    }

    @Test
    void aFileInPlaceOfTheDataFolderEndsWith255() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        List<String> options = new ArrayList<>(List.of(options("127.0.0.1:0")));
        options.set(options.size() - 1, file.toString());
        Ended ended = run(options.toArray(String[]::new));
        assertThat(ended.status).isEqualTo(255);
        assertThat(ended.output).contains("cannot start: " + file + " is not a folder");
    }

    @Test
    void sigtermStopsInOrderWithStatus0() throws Exception {
        Process process = start(options("127.0.0.1:0"));
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            String line;
            do {
                line = out.readLine();
                assertThat(line).isNotNull();
            } while (!line.contains("-> leader"));
            assertThat(listenerCount(process.pid())).isIn(-1L, 2L);
            assertThat(line)
                    .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z INFO  n1 .*");
            // Not Process.destroy, which closes the streams as well.
            process.toHandle().destroy();
            List<String> rest = out.lines().toList();
            assertThat(rest.getLast()).endsWith("stopped");
            assertThat(process.waitFor()).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    /** Sockets that a process listens on, of which peers and clients have one each; -1: unknown. */
    private static long listenerCount(long pid) throws IOException {
        Path proc = Path.of("/proc", "" + pid);
        if (!Files.isReadable(proc.resolve("net/tcp"))) {
            return -1;
        }
        Set<String> own = new HashSet<>();
        try (DirectoryStream<Path> open = Files.newDirectoryStream(proc.resolve("fd"))) {
            for (Path fd : open) {
                String target = Files.readSymbolicLink(fd).toString();
                if (target.startsWith("socket:[")) {
                    own.add(target.substring("socket:[".length(), target.length() - 1));
                }
            }
        }
        long count = 0;
        for (String table : List.of("net/tcp", "net/tcp6")) {
            Path path = proc.resolve(table);
            for (String line : Files.exists(path) ? Files.readAllLines(path) : List.<String>of()) {
                String[] words = line.strip().split(" +");
                // "0A" is LISTEN.
                count +=
                        words.length > 9 && words[3].equals("0A") && own.contains(words[9]) ? 1 : 0;
            }
        }
        return count;
    }

    /** How a process ended and all it said. */
    private record Ended(int status, String output) {}

    private static Ended run(String... options) throws IOException, InterruptedException {
        Process process = start(options);
        try {
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Ended(process.waitFor(), output);
        } finally {
            process.destroyForcibly();
        }
    }

    private static Process start(String... options) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-Xmx64m", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(Main.class.getName());
        command.addAll(List.of(options));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private String[] options(String clientListen) {
        return new String[] {
            "--node-id", "n1",
            "--cluster-id", "lab",
            "--members", "n1=127.0.0.1:7000",
            "--peer-listen", "127.0.0.1:0",
            "--client-listen", clientListen,
            "--data-dir", folder.toString()
        };
    }
}
