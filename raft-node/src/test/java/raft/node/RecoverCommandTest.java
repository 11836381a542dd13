package raft.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Blob;
import raft.client.ClientConnection;
import raft.client.Member;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Request.Admin;
import raft.client.Result;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A majority is lost for good: what an operator does, and what the old nodes must not do. */
@Tag("cluster")
@Timeout(120)
final class RecoverCommandTest {
    @TempDir private Path folder;
    private TestCluster cluster = TestCluster.NONE;
    private final List<String> out = new ArrayList<>();
    private final List<String> err = new ArrayList<>();

    @AfterEach
    void stop() {
        cluster.close();
        assertThat(cluster.fatalities()).isEmpty();
    }

    @Test
    void theSurvivorServesEverythingAndOthersJoinItAgain() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 50);
        cluster.awaitConvergence();
        cluster.kill("n1");
        cluster.kill("n2");
        cluster.stop("n3");

        assertThat(recover("n3", "--yes", "--new-cluster-id", "lab2")).isZero();
        assertThat(String.join("\n", out))
                .contains("belongs to       n3 of cluster lab\n")
                .contains("members          [n1, n2, n3]\n")
                .contains("n3 at " + cluster.address("n3") + " becomes the only member, in term ")
                .contains("n1, n2 must not come back with the data they have");

        cluster.tell("n3", "lab2", List.of("n3"));
        cluster.restart("n3");
        assertThat(cluster.awaitLeader()).isEqualTo("n3");
        put(50, 60);
        assertThat(cluster.status("n3").keyCount()).isEqualTo(60);
        assertThat(members()).extracting(Member::id).containsExactly("n3");

        // A lost node that comes back as it was is refused, and disturbs nobody.
        cluster.restart("n1");
        cluster.await(
                "refusal",
                () -> cluster.log().contains("belongs to cluster lab, node n3 to cluster lab2"));
        put(60, 70);
        assertThat(cluster.status("n3").keyCount()).isEqualTo(70);
        assertThat(cluster.status("n1").keyCount()).isLessThanOrEqualTo(50);
        cluster.stop("n1");

        // With the new cluster's id its old data does not even start.
        cluster.tell("n1", "lab2", List.of("n3"));
        assertThatThrownBy(() -> cluster.restart("n1"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("belongs to cluster lab, node n1, not to cluster lab2");

        // Wiped, it is added like any new node.
        wipe(folder.resolve("n1"));
        cluster.restart("n1");
        assertThat(cluster.call(new Admin.AddLearner("n1", cluster.address("n1"))))
                .isEqualTo(new Result.Done());
        assertThat(cluster.call(new Admin.Promote("n1"))).isEqualTo(new Result.Done());
        put(70, 80);
        cluster.awaitConvergence();
        assertThat(cluster.status("n1").keyCount()).isEqualTo(80);
        assertThat(members()).extracting(Member::id).containsExactly("n1", "n3");
    }

    /** As an operator does it: the command in a terminal, its question answered by hand. */
    @Test
    void theNodesNameTypedInATerminalIsConsent() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 20);
        cluster.awaitConvergence();
        cluster.kill("n1");
        cluster.kill("n2");
        cluster.stop("n3");
        var before = contents(folder.resolve("n3"));

        Typed refused = inTerminal("n3", "yes");
        assertThat(refused.status).isEqualTo(1);
        assertThat(refused.screen)
                .contains("Type n3 to do it: ")
                .contains("not confirmed, nothing was changed");
        assertThat(contents(folder.resolve("n3"))).isEqualTo(before);

        Typed done = inTerminal("n3", "n3");
        assertThat(done.status).as(done.screen).isZero();
        assertThat(done.screen).contains("What may be lost:").contains("Done.");
        String newId = done.screen.replaceAll("(?s).*The cluster's id becomes (\\S+)\\..*", "$1");
        cluster.tell("n3", newId, List.of("n3"));
        cluster.restart("n3");
        assertThat(cluster.awaitLeader()).isEqualTo("n3");
        put(20, 40);
        assertThat(cluster.status("n3").keyCount()).isEqualTo(40);
    }

    @Test
    void aRunningNodeIsLeftAlone() throws Exception {
        cluster = TestCluster.start(folder, 1);
        assertThat(recover("n1", "--yes")).isEqualTo(255);
        assertThat(err).singleElement().asString().contains("nothing was changed").contains("open");
    }

    @Test
    void withoutConsentNothingChanges() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 5);
        cluster.awaitConvergence();
        for (String id : cluster.ids()) {
            cluster.stop(id);
        }
        var before = contents(folder.resolve("n3"));
        assertThat(recover("n3")).isEqualTo(1);
        assertThat(out).contains("What may be lost:");
        assertThat(err).singleElement().asString().contains("not confirmed, nothing was changed");
        assertThat(contents(folder.resolve("n3"))).isEqualTo(before);
        for (String id : cluster.ids()) {
            cluster.restart(id);
        }
        put(5, 10);
    }

    @Test
    void whatCannotBeMeantIsRefusedInOneSentence() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 5);
        cluster.awaitConvergence();
        for (String id : cluster.ids()) {
            cluster.stop(id);
        }
        refused(254, "must name the recovered node alone", "--members", "n3=a:1,n2=a:2");
        refused(
                254,
                "--members names n2, but the data directory is that of n3",
                "--members",
                "n2=a:1");
        refused(254, "--new-cluster-id is the present one", "--new-cluster-id", "lab");
        refused(254, "--new-cluster-id must be 1 to 64 letters", "--new-cluster-id", "l a b");
        refused(254, "there is no option --force", "--force");
        assertThat(recover("nowhere", "--yes")).isEqualTo(255);
        assertThat(err.getLast()).contains("is not the data directory of a node");
        assertThat(recover("n3", "--yes", "--new-cluster-id", "lab2")).isZero();
        refused(254, "n3 is the only member already", "--new-cluster-id", "lab3");
    }

    @Test
    void aDamagedLogIsRefusedAndLeftAsItIs() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 5);
        cluster.awaitConvergence();
        for (String id : cluster.ids()) {
            cluster.stop(id);
        }
        Path segment = folder.resolve("n3").resolve("wal-00000000000000000001.log");
        byte[] bytes = Files.readAllBytes(segment);
        bytes[160] ^= 1;
        Files.write(segment, bytes);
        assertThat(recover("n3", "--yes")).isEqualTo(255);
        assertThat(err.getLast()).contains("nothing was changed").contains("offset");
        assertThat(Files.readAllBytes(segment)).isEqualTo(bytes);
    }

    private void refused(int status, String why, String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("--yes");
        assertThat(recover("n3", all.toArray(String[]::new))).isEqualTo(status);
        assertThat(err.getLast()).startsWith("raft-node recover: ").contains(why);
    }

    private int recover(String id, String... options) {
        List<String> all = new ArrayList<>(List.of("--data-dir", folder.resolve(id).toString()));
        all.addAll(List.of(options));
        return new RecoverCommand(out::add, err::add, null).run(all);
    }

    /** How the command ended and what stood on the screen. */
    private record Typed(int status, String screen) {}

    private Typed inTerminal(String id, String line) throws IOException, InterruptedException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        // Of util-linux: gives the command a terminal of its own.
        ProcessBuilder builder =
                new ProcessBuilder(
                        "script",
                        "--quiet",
                        "--return",
                        "--command",
                        "exec \"$JAVA\" -XX:+UseSerialGC -Xmx64m -cp \"$CLASSES\" "
                                + Main.class.getName()
                                + " recover --data-dir \"$DATA\"",
                        "/dev/null");
        builder.environment().put("JAVA", java);
        builder.environment().put("CLASSES", System.getProperty("java.class.path"));
        builder.environment().put("DATA", folder.resolve(id).toString());
        Process process = builder.redirectErrorStream(true).start();
        try (Writer keys = process.outputWriter(StandardCharsets.UTF_8);
                Reader screen = process.inputReader(StandardCharsets.UTF_8)) {
            StringBuilder seen = new StringBuilder();
            boolean typed = false;
            for (int c = screen.read(); c >= 0; c = screen.read()) {
                seen.append((char) c);
                if (!typed && seen.toString().endsWith("to do it: ")) {
                    keys.write(line + "\n");
                    keys.flush();
                    typed = true;
                }
            }
            return new Typed(process.waitFor(), seen.toString());
        } finally {
            process.destroyForcibly();
        }
    }

    private List<Member> members() throws Exception {
        if (cluster.call(new Admin.ReadConfiguration()) instanceof Result.Configuration now) {
            return now.members();
        }
        throw new AssertionError("no configuration");
    }

    private void put(int from, int to) throws Exception {
        try (ClientConnection client = cluster.client(cluster.awaitLeader())) {
            for (int i = from; i < to; i++) {
                Blob key = Blob.wrap(("k" + i).getBytes(StandardCharsets.US_ASCII));
                assertThat(client.call(new Request.Put(key, key), 10_000))
                        .isInstanceOf(Reply.Ok.class);
            }
        }
    }

    private static TreeMap<String, String> contents(Path node) throws IOException {
        TreeMap<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.list(node)) {
            for (Path file : files.toList()) {
                byte[] bytes = Files.readAllBytes(file);
                contents.put(
                        file.getFileName().toString(),
                        bytes.length + " " + java.util.Arrays.hashCode(bytes));
            }
        }
        return contents;
    }

    private static void wipe(Path node) throws IOException {
        try (Stream<Path> files = Files.walk(node)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
