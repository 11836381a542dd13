package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.shell.live.Session;
import raft.shell.repl.Engine;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The shell on real containers: what a person does by hand, and what goes wrong around it. */
@Tag("containers")
final class ShellContainersTest {
    @TempDir private Path folder;

    private final List<Session> sessions = new ArrayList<>();

    @BeforeAll
    static void anEngineAnswers() {
        TestCommandContainersTest.anEngineAnswers();
    }

    @AfterEach
    void close() {
        sessions.forEach(Session::close);
    }

    private static String withHome(java.util.function.Supplier<String> work) {
        String before = System.getProperty("raft.home");
        System.setProperty("raft.home", CommandRun.HOME.toString());
        try {
            return work.get();
        } finally {
            if (before == null) {
                System.clearProperty("raft.home");
            } else {
                System.setProperty("raft.home", before);
            }
        }
    }

    private Session session() {
        Session session = new Session(folder.resolve("histories"), line -> {});
        sessions.add(session);
        return session;
    }

    /** What was answered; every line must succeed. */
    private static String typed(Session session, String... lines) {
        StringWriter said = new StringWriter();
        PrintWriter writer = new PrintWriter(said, true);
        return withHome(
                () -> {
                    int status =
                            new Engine(() -> Main.commandLine(session), session, writer, writer)
                                    .script(List.of(lines), false, true);
                    assertThat(status).as(said.toString()).isZero();
                    return said.toString();
                });
    }

    private static JsonNode object(Session session, String line) {
        String said = typed(session, line + " --output json");
        return JsonMapper.shared().readTree(said.substring(said.indexOf('\n') + 1));
    }

    @Test
    void aPersonBreaksAClusterWatchesItAndHasItJudged() throws Exception {
        Session person = session();
        assertThat(typed(person, "cluster up docker --nodes 5")).contains("5 nodes in containers");
        assertThat(typed(person, "status")).containsPattern("n\\d +leader");
        assertThat(typed(person, "put x 1", "get x")).contains("ok  x = 1").contains("ok  1");
        assertThat(typed(person, "workload start register --rate 50"))
                .contains("works in the background");
        String leader =
                person.cluster().statuses().stream()
                        .filter(n -> n.isLeader())
                        .findFirst()
                        .orElseThrow()
                        .node();

        // The others' election, and the one that nobody hears any more.
        assertThat(typed(person, "partition leader")).contains("in force").contains("dropped");
        long term = person.cluster().statuses().stream().mapToLong(n -> n.term()).min().orElse(0);
        typed(person, "wait term>=" + (term + 1), "try put lost 1 --from " + leader);
        assertThat(typed(person, "put y 2", "log")).contains("ok  y = 2");
        // The one that is cut off names itself or nobody, by how long ago it heard a majority.
        assertThat(typed(person, "status", "faults"))
                .contains(" who leads: ")
                .contains("partition leader");

        assertThat(typed(person, "heal")).contains("gone").contains("dropped by the rule on no");
        typed(person, "wait 1s");
        assertThat(typed(person, "log")).contains("the logs agree as far as they reach");
        assertThat(typed(person, "workload stop")).contains("register has ended");
        assertThat(typed(person, "get y", "faults")).contains("ok  2").contains("no fault");
        assertThat(typed(person, "check")).contains("valid");
        assertThat(typed(person, "history stats", "history show --limit 5"))
                .contains("partition-leader")
                .contains("operations");
        Path record = person.cluster().folder();
        assertThat(typed(person, "cluster down")).contains("the cluster is down");
        assertThat(Files.readString(record.resolve("session.raft"))).contains("partition leader");
    }

    @Test
    void whoHangsIsNamedAndTheOthersAnswer() {
        Session person = session();
        typed(person, "cluster up docker --nodes 5", "put x 1", "pause n4; pause n5");
        JsonNode seen = object(person, "status");
        assertThat(rows(seen)).hasSize(5);
        assertThat(typed(person, "status"))
                .containsPattern("n1 +(leader|follower|candidate|pre-candidate)")
                .containsPattern("n4 +no answer")
                .containsPattern("n5 +no answer");
        // Three of five go on.
        assertThat(typed(person, "wait leader", "put x 2", "get x")).contains("ok  2");
        assertThat(typed(person, "resume all; wait 1s; status")).doesNotContain("no answer");
    }

    private static List<JsonNode> rows(JsonNode status) {
        List<JsonNode> rows = new ArrayList<>();
        (status.isArray() ? status : status.get("nodes")).forEach(rows::add);
        return rows;
    }

    @Test
    void aSecondShellReadsAndWritesWhatTheFirstHasUp() throws Exception {
        CommandRun first = shell("first", List.of());
        first.type("cluster up docker --nodes 3");
        first.await("cluster", () -> said(first).contains("leads term"));
        Session second = session();
        assertThat(typed(second, "cluster attach")).contains("held by process " + first.pid());
        assertThat(typed(second, "put x 7", "status")).contains("ok  x = 7").contains("leader");
        first.type("get x");
        first.await("answer", () -> said(first).contains("ok  7"));
        // Faults stay with whoever can take them back.
        StringWriter answer = new StringWriter();
        PrintWriter writer = new PrintWriter(answer, true);
        assertThat(
                        new Engine(() -> Main.commandLine(second), second, writer, writer)
                                .line("kill n1"))
                .as(answer.toString())
                .isNotZero();
        typed(second, "cluster down");
        first.type("get x\nexit");
        assertThat(first.awaitEnd()).as(first.err()).isZero();
    }

    @Test
    void whatAKilledShellLeftIsSaidByTheNextAndRemovedWithItsFaults() throws Exception {
        CommandRun killed = shell("killed", List.of());
        killed.type("cluster up docker --nodes 3\npartition n1 / n2,n3\nloss 10%");
        killed.await("faults", () -> said(killed).contains("fault #2"));
        killed.kill();
        Session next = session();
        assertThat(typed(next, "cluster list"))
                .contains("left behind by process " + killed.pid())
                .contains("in force: partition")
                .contains("in force: packets-loss");
        assertThat(
                        String.join(
                                "\n",
                                withHome(() -> String.join("\n", ClusterCommand.leftBehind()))))
                .contains("left behind by process " + killed.pid())
                .contains("in force: partition");
        typed(next, "cluster up docker --nodes 3");
        assertThat(typed(next, "cluster list")).doesNotContain("process " + killed.pid());
        assertThat(typed(next, "put x 1")).contains("ok  x = 1");
    }

    @Test
    void aTerminalThatIsClosedTakesTheClusterAndItsFaultsDown() throws Exception {
        assumeTrue(
                hearsHangUps(), "these tests run under nohup, whose children do not hear SIGHUP");
        CommandRun closed = shell("closed", List.of());
        closed.type("cluster up docker --nodes 3\npartition n1 / n2,n3");
        closed.await("fault", () -> said(closed).contains("fault #1"));
        // What a terminal sends to whoever runs in it when it goes.
        Process hangUp = new ProcessBuilder("kill", "-HUP", Long.toString(closed.pid())).start();
        assertThat(hangUp.waitFor()).isZero();
        closed.awaitEnd();
        assertThat(closed.err()).doesNotContain("\tat ");
        assertThat(typed(session(), "cluster list")).doesNotContain("process " + closed.pid());
    }

    /** What a process ignores its children ignore too. */
    private static boolean hearsHangUps() throws IOException {
        String ignored =
                Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(line -> line.startsWith("SigIgn:"))
                        .findFirst()
                        .orElseThrow();
        int hangUp = 1;
        return (Long.parseUnsignedLong(ignored.substring("SigIgn:".length()).strip(), 16)
                                >> (hangUp - 1)
                        & 1)
                == 0;
    }

    /** The engine's own socket stays as it is: the shell speaks to it through one of the test's. */
    @Test
    void anEngineThatDiesIsOneSentenceAndNotTheEndOfTheShell() throws Exception {
        CommandRun run;
        try (Relay relay = new Relay(folder.resolve("engine.sock"))) {
            run = shell("relayed", List.of("DOCKER_HOST=unix://" + folder.resolve("engine.sock")));
            run.type("cluster up docker --nodes 3");
            run.await("cluster", () -> said(run).contains("leads term"));
            assertThat(relay.isUsed()).isTrue();
        }
        run.type("kill n1\nget x\nexit");
        run.awaitEnd();
        assertThat(run.out()).as("nodes need no engine to answer").contains("ok  no value");
        assertThat(run.err() + run.out()).contains("engine").doesNotContain("\tat ");
        CommandRun clean = CommandRun.start(folder.resolve("clean"), List.of(), List.of("clean"));
        assertThat(clean.awaitEnd()).as(clean.err()).isZero();
    }

    @Test
    void whereNoEngineAnswersTheShellSaysSoInASentence() throws Exception {
        CommandRun run =
                CommandRun.start(
                        folder.resolve("none"),
                        List.of("DOCKER_HOST=unix://" + folder.resolve("nobody.sock")),
                        List.of("shell", "-c", "cluster up docker"));
        assertThat(run.awaitEnd()).isEqualTo(255);
        assertThat(run.err().lines()).hasSize(1).allMatch(line -> line.startsWith("raft: "));
    }

    private CommandRun shell(String name, List<String> environment) throws IOException {
        return CommandRun.start(
                folder.resolve(name), environment, List.of("shell", "--keep-going"));
    }

    private static String said(CommandRun run) {
        try {
            return run.out() + run.err();
        } catch (IOException e) {
            return "";
        }
    }

    /** Passes on what goes to the engine's socket, until it is closed. */
    private static final class Relay implements AutoCloseable {
        private static final Path ENGINE = Path.of("/var/run/docker.sock");

        private final ServerSocketChannel door;
        private final Queue<Channel> open = new ConcurrentLinkedQueue<>();

        Relay(Path socket) throws IOException {
            door = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            door.bind(UnixDomainSocketAddress.of(socket));
            Thread.ofVirtual().start(this::accept);
        }

        boolean isUsed() {
            return !open.isEmpty();
        }

        private void accept() {
            try {
                while (true) {
                    SocketChannel client = door.accept();
                    SocketChannel engine = SocketChannel.open(UnixDomainSocketAddress.of(ENGINE));
                    open.add(client);
                    open.add(engine);
                    Thread.ofPlatform().daemon().start(() -> copy(client, engine));
                    Thread.ofPlatform().daemon().start(() -> copy(engine, client));
                }
            } catch (ClosedChannelException e) {
                // The test has ended it.
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        private static void copy(SocketChannel from, SocketChannel to) {
            ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
            try (from;
                    to) {
                while (from.read(bytes) >= 0) {
                    bytes.flip();
                    while (bytes.hasRemaining()) {
                        to.write(bytes);
                    }
                    bytes.clear();
                }
            } catch (IOException e) {
                // One of the two has hung up.
            }
        }

        @Override
        public void close() throws IOException {
            door.close();
            for (Channel channel : open) {
                channel.close();
            }
        }
    }
}
