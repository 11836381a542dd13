package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import raft.harness.docker.Engine;
import raft.harness.docker.EngineException;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryReader;
import raft.harness.workload.Workloads;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The command as a person runs it, on real containers. */
@Tag("containers")
final class TestCommandContainersTest {
    private static final Path HOME = Path.of("..").toAbsolutePath().normalize();

    @TempDir private Path histories;

    @BeforeAll
    static void anEngineAnswers() {
        boolean required = "required".equals(System.getenv("RAFT_CONTAINERS"));
        String missing = null;
        try (Engine engine = Engine.connect()) {
            System.out.println("containers: engine " + engine);
        } catch (EngineException e) {
            missing = e.getMessage();
        }
        if (missing != null && !required) {
            System.out.println("SKIPPED, the tests on containers: " + missing);
        }
        if (required) {
            assertThat(missing).as("containers are required (RAFT_CONTAINERS)").isNull();
        }
        assumeTrue(missing == null, missing);
    }

    /** A command that ran to its end. */
    private record Ran(int status, String out, String err) {
        JsonNode json() {
            return JsonMapper.shared().readTree(out);
        }
    }

    private ProcessBuilder command(String... words) {
        List<String> command = new ArrayList<>(List.of(HOME.resolve("raft").toString()));
        command.addAll(List.of(words));
        ProcessBuilder builder = new ProcessBuilder(command);
        // The build that runs this test has built everything; a build inside it would disturb it.
        builder.environment().put("RAFT_NO_BUILD", "1");
        builder.redirectError(histories.resolve("err.txt").toFile());
        builder.redirectOutput(histories.resolve("out.txt").toFile());
        return builder;
    }

    private Ran ran(Process process) throws IOException, InterruptedException {
        assertThat(process.waitFor(3, TimeUnit.MINUTES)).as("ends in time").isTrue();
        return new Ran(
                process.exitValue(),
                Files.readString(histories.resolve("out.txt")),
                Files.readString(histories.resolve("err.txt")));
    }

    private Ran run(String... words) throws IOException, InterruptedException {
        return ran(command(words).start());
    }

    /** Proven in effect and gone again; only who is dead already cannot be frozen. */
    private static void assertEachFaultIsProven(JsonNode results) {
        for (JsonNode fault : results.get("faults")) {
            if (fault.get("injectEvidence").toString().contains("cannot be frozen, it is exited")) {
                assertThat(fault.get("injected").asString()).as("%s", fault).isEqualTo("skipped");
                continue;
            }
            assertThat(fault.get("injected").asString()).as("%s", fault).isEqualTo("installed");
            assertThat(fault.get("healed").asString()).as("%s", fault).isEqualTo("installed");
        }
    }

    private String[] test(String... more) {
        List<String> words =
                new ArrayList<>(
                        List.of("test", "--output", "json", "--histories", histories.toString()));
        words.addAll(List.of(more));
        return words.toArray(String[]::new);
    }

    /** One plan on both kinds of cluster; what one of them cannot do it says, and does the rest. */
    @Test
    void planOfOneKindOfClusterIsCarriedOutByTheOther() throws Exception {
        Path ours = histories.resolve("plan.json");
        Files.writeString(
                ours,
                """
                {"schema": 2, "faults": [
                  {"id": 1, "kind": "kill-one", "startMillis": 1000, "endMillis": 2500,
                   "order": ["n1", "n2", "n3"]},
                  {"id": 2, "kind": "resources-cpu", "startMillis": 3000, "endMillis": 4000,
                   "order": ["n2", "n3", "n1"]},
                  {"id": 3, "kind": "partition-link", "startMillis": 4500, "endMillis": 6000,
                   "order": ["n3", "n1", "n2"]}]}
                """);
        JsonNode simulated = planned("sim", ours);
        Path saved = Path.of(simulated.get("run").asString()).resolve("plan.json");
        JsonNode real = planned("docker", saved);
        JsonNode back = planned("sim", Path.of(real.get("run").asString()).resolve("plan.json"));
        for (JsonNode results : List.of(simulated, real, back)) {
            assertThat(results.get("faults").valueStream().map(one -> one.get("kind").asString()))
                    .containsExactly("kill-one", "resources-cpu", "partition-link");
        }
        for (JsonNode results : List.of(simulated, back)) {
            JsonNode quota = results.get("faults").get(1);
            assertThat(quota.get("injected").asString()).isEqualTo("skipped");
            assertThat(quota.get("injectEvidence").toString()).contains("share no processor");
        }
        assertThat(real.get("faults").get(0).get("injected").asString()).isEqualTo("installed");
        assertThat(real.get("faults").get(2).get("injected").asString()).isEqualTo("installed");
    }

    /** Right nodes under a saved plan: whether the evidence suffices depends on the machine. */
    private JsonNode planned(String cluster, Path plan) throws Exception {
        Ran ran =
                run(
                        test(
                                "--cluster",
                                cluster,
                                "--nodes",
                                "3",
                                "--seed",
                                "3",
                                "--time",
                                "7s",
                                "--plan",
                                plan.toString()));
        assertThat(ran.status()).as("%s%n%s", ran.err(), ran.out()).isIn(0, 2);
        return ran.json();
    }

    @Test
    void rightNodesUnderAllFaultsAreValidAndEverythingIsSaved() throws Exception {
        Ran ran = run(test("--seed", "7", "--time", "25s"));
        assertThat(ran.status()).as("%s%n%s", ran.err(), ran.out()).isZero();
        JsonNode results = ran.json();
        assertThat(results.get("verdict").asString()).isEqualTo("valid");
        assertThat(results.get("operations").asLong()).isGreaterThan(1_000);
        Path run = Path.of(results.get("run").asString());
        assertThat(run).isDirectoryContaining(path -> path.endsWith("test.json"));
        assertThat(run).isDirectoryContaining(path -> path.endsWith("plan.json"));
        assertThat(run).isDirectoryContaining(path -> path.endsWith("results.json"));
        for (String node : List.of("n1", "n2", "n3", "n4", "n5")) {
            assertThat(Files.readString(run.resolve("nodes").resolve(node).resolve("node.log")))
                    .contains("starting in cluster");
            assertThat(run.resolve("nodes").resolve(node).resolve("status.jsonl")).isNotEmptyFile();
        }
        assertEachFaultIsProven(results);
        for (JsonNode fault : results.get("faults")) {
            assertThat(fault.get("injectEvidence").size()).isPositive();
        }
        assertThat(containersOf(run)).isEmpty();
    }

    /**
     * The proof that the harness can fail a system: the edit is one line of the node's source. A
     * stale read needs a new leader before the old one gives up, which one cut does not always
     * bring about; so the leader is cut off again and again.
     */
    @Test
    void leaderThatAnswersReadsWithoutAQuorumIsReportedWithTheOperationsConcerned()
            throws Exception {
        Ran ran =
                run(
                        test(
                                "--seed",
                                "5",
                                "--time",
                                "40s",
                                "--rate",
                                "400",
                                "--concurrency",
                                "20",
                                "--faults",
                                "partition-leader-alone",
                                "--plant",
                                "L1"));
        assertThat(ran.status()).as("%s%n%s", ran.err(), ran.out()).isEqualTo(1);
        JsonNode results = ran.json();
        assertThat(results.get("verdict").asString()).isEqualTo("violation");
        assertThat(results.get("linearizability").asString()).isEqualTo("violation");
        assertThat(results.get("explanation").asString()).contains("read");
        assertThat(results.get("counterexample").size()).isGreaterThan(1);
    }

    @Test
    void interruptedRunKeepsWhatWasRecordedAndLeavesNothingBehind() throws Exception {
        Process process = command(test("--seed", "9", "--time", "120s")).start();
        Path history = awaitHistory(process);
        process.destroy(); // SIGTERM; Ctrl-C takes the same way.
        Ran ran = ran(process);
        assertThat(ran.status()).as(ran.err()).isEqualTo(255);
        History recorded = HistoryReader.read(history);
        assertThat(recorded.events()).hasSizeGreaterThan(20);
        JsonNode results =
                JsonMapper.shared()
                        .readTree(Files.readString(history.resolveSibling("results.json")));
        assertThat(results.get("verdict").asString()).isEqualTo("error");
        assertThat(results.get("linearizability").asString()).isEqualTo("valid");
        assertThat(containersOf(history.getParent())).isEmpty();
    }

    @Test
    void killedHarnessLeavesAReadableHistoryAndCleanRemovesTheRest() throws Exception {
        Process process = command(test("--seed", "9", "--time", "120s")).start();
        Path history = awaitHistory(process);
        process.destroyForcibly();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        List<HistoryEvent> events = HistoryReader.read(history).events();
        assertThat(events).hasSizeGreaterThan(20);
        assertThat(containersOf(history.getParent())).isNotEmpty();
        Ran cleaned = run("clean");
        assertThat(cleaned.status()).as(cleaned.err()).isZero();
        assertThat(containersOf(history.getParent())).isEmpty();
    }

    /** Waits until clients are at work; the run's own folder is the witness. */
    private Path awaitHistory(Process process) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
        while (System.nanoTime() < deadline && process.isAlive()) {
            // Not a walk: files there get other names while one looks.
            Path runs = histories.resolve("register");
            if (Files.isDirectory(runs)) {
                try (Stream<Path> all = Files.list(runs)) {
                    for (Path run : all.toList()) {
                        Path history = run.resolve("history.jsonl");
                        if (Files.exists(history) && Files.size(history) > 10_000) {
                            return history;
                        }
                    }
                }
            }
            Thread.sleep(100);
        }
        throw new AssertionError(
                "no operation was recorded: " + Files.readString(histories.resolve("err.txt")));
    }

    /** What one run has in the engine; other runs are none of this test's business. */
    private static List<String> containersOf(Path run) throws IOException, InterruptedException {
        String id =
                JsonMapper.shared()
                        .readTree(Files.readString(run.resolve("test.json")))
                        .get("run")
                        .asString();
        Process docker =
                new ProcessBuilder(
                                "docker",
                                "ps",
                                "-a",
                                "--filter",
                                "label=raftlab.run=" + id,
                                "--format",
                                "{{.Names}}")
                        .start();
        try (BufferedReader out =
                new BufferedReader(
                        new InputStreamReader(docker.getInputStream(), StandardCharsets.UTF_8))) {
            List<String> names = out.lines().toList();
            assertThat(docker.waitFor()).isZero();
            return names;
        }
    }

    static List<String> otherWorkloads() {
        return Workloads.names().stream().filter(name -> !name.equals("register")).toList();
    }

    @ParameterizedTest
    @MethodSource("otherWorkloads")
    void everyWorkloadIsValidUnderAPartition(String workload) throws Exception {
        Ran ran =
                run(
                        test(
                                "--workload",
                                workload,
                                "--nodes",
                                "3",
                                "--faults",
                                "partition-one",
                                "--seed",
                                "11",
                                "--time",
                                "7s"));
        assertThat(ran.status()).as("%s%n%s", ran.err(), ran.out()).isZero();
        JsonNode results = ran.json();
        assertThat(results.get("verdict").asString()).isEqualTo("valid");
        assertThat(results.get("faults")).hasSize(1);
        assertEachFaultIsProven(results);
    }

    /** Clients, status, what nodes tell each other, and a node that comes back: all in TLS. */
    @Test
    void nodesAndClientsThatSpeakTlsAreTestedLikeOthers() throws Exception {
        Ran ran =
                run(
                        test(
                                "--tls",
                                "--nodes",
                                "3",
                                "--faults",
                                "kill-one",
                                "--seed",
                                "11",
                                "--time",
                                "10s"));
        assertThat(ran.status()).as("%s%n%s", ran.err(), ran.out()).isZero();
        JsonNode results = ran.json();
        assertThat(results.get("verdict").asString()).isEqualTo("valid");
        assertThat(results.get("repeat").asString()).contains(" --tls");
        assertEachFaultIsProven(results);
    }

    /** With seeds whose faults can all be proven and leave enough time to work. */
    @ParameterizedTest
    @CsvSource({"3, 3", "5, 33"})
    void etcdIsLinearizableUnderPartitionsKillsAndPauses(int nodeCount, int seed) throws Exception {
        Ran ran =
                run(
                        test(
                                "--system",
                                "etcd",
                                "--nodes",
                                Integer.toString(nodeCount),
                                "--faults",
                                "partition,kill,pause",
                                "--seed",
                                Integer.toString(seed),
                                "--time",
                                "24s"));
        assertThat(ran.status()).as("%s%n%s", ran.err(), ran.out()).isZero();
        JsonNode results = ran.json();
        assertThat(results.get("verdict").asString()).isEqualTo("valid");
        assertEachFaultIsProven(results);
        assertThat(results.get("leaders").size()).as("leaders seen").isGreaterThan(1);
    }

    @Test
    void readsThatEtcdAnswersAloneAreFoundAndExplained() throws Exception {
        Ran ran =
                run(
                        test(
                                "--system",
                                "etcd",
                                "--nodes",
                                "5",
                                "--faults",
                                "partition",
                                "--system-option",
                                "reads=serializable",
                                "--seed",
                                "4",
                                "--time",
                                "15s"));
        assertThat(ran.status()).as("%s%n%s", ran.err(), ran.out()).isEqualTo(1);
        JsonNode results = ran.json();
        assertThat(results.get("verdict").asString()).isEqualTo("violation");
        assertThat(results.get("explanation").asString()).contains("read").contains("returned");
        assertThat(results.get("repeat").asString())
                .contains("--system etcd --system-option reads=serializable");
    }
}
