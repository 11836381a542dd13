package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.cluster.Completion;
import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * That faults have their effect where it matters, between real processes, and that nothing but ours
 * is touched. Three stand-in nodes, which tell what reaches them.
 */
@Tag("containers")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class DockerClusterTest {
    private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(40);

    private final HttpClient http = HttpClient.newHttpClient();
    private final String run = "test-" + ProcessHandle.current().pid();
    private Engine engine;
    private Path runFolder;
    private Path jar;
    private DockerCluster cluster;
    private long lastFault;

    @BeforeAll
    void start(@TempDir Path folder) throws IOException {
        engine = ContainerEngine.require();
        jar = ContainerEngine.standInJar(folder);
        runFolder = folder.resolve("run");
        cluster =
                DockerCluster.start(
                        DockerOptions.ofJar(run, 3, jar), runFolder, System.err::println);
    }

    @AfterAll
    void stop() {
        if (cluster != null) {
            cluster.close();
            assertThat(Cleaner.removeRun(engine, run)).as("left after close").isEmpty();
        }
        if (engine != null) {
            engine.close();
        }
    }

    @AfterEach
    void healEverything() {
        cluster.healAll();
    }

    @Test
    void aCutLinkLetsNothingThroughInItsDirectionAndEverythingInTheOther() throws Exception {
        ActiveFault cut = fault(new FaultAction.Cut(List.of(new Link("n1", "n2"))));
        assertInstalled(injected(cut));
        assertThat(arrives("n1", "n2")).isFalse();
        assertThat(arrives("n2", "n1")).isTrue();
        assertThat(arrives("n1", "n3")).isTrue();
        assertInstalled(healed(cut));
        assertThat(arrives("n1", "n2")).isTrue();
    }

    @Test
    void noConnectionCrossesAPartitionAndAllDoAfterIt() throws Exception {
        ActiveFault cut =
                fault(
                        new FaultAction.Cut(
                                List.of(
                                        new Link("n1", "n2"), new Link("n2", "n1"),
                                        new Link("n1", "n3"), new Link("n3", "n1"))));
        FaultOutcome outcome = injected(cut);
        assertInstalled(outcome);
        assertThat(String.join("\n", outcome.evidence()))
                .contains("dropped by the rule on n1->n2, n1->n3, n2->n1, n3->n1")
                .contains("passed on n2->n3, n3->n2");
        assertThat(ask("n1", "/connect?" + address("n2"))).isEqualTo("failed");
        assertThat(ask("n3", "/connect?" + address("n1"))).isEqualTo("failed");
        assertThat(ask("n2", "/connect?" + address("n3"))).isEqualTo("connected");
        assertInstalled(healed(cut));
        assertThat(ask("n1", "/connect?" + address("n2"))).isEqualTo("connected");
    }

    @Test
    void aLinkThatTwoFaultsCutOpensWithTheSecondHeal() throws Exception {
        ActiveFault first = fault(new FaultAction.Cut(List.of(new Link("n1", "n2"))));
        ActiveFault second =
                fault(new FaultAction.Cut(List.of(new Link("n1", "n2"), new Link("n3", "n2"))));
        assertInstalled(injected(first));
        assertInstalled(injected(second));
        assertInstalled(healed(first));
        assertThat(arrives("n1", "n2")).isFalse();
        assertInstalled(healed(second));
        assertThat(arrives("n1", "n2")).isTrue();
    }

    @Test
    void othersRulesSurviveAndStandBehindOurs() throws Exception {
        String mine = "-A INPUT -s 10.99.99.99/32 -j ACCEPT";
        shell("n2", "iptables -w -I INPUT 1 -s 10.99.99.99/32 -j ACCEPT; iptables -w -N OTHERS");
        ActiveFault cut = fault(new FaultAction.Cut(List.of(new Link("n1", "n2"))));
        assertInstalled(injected(cut));
        assertThat(shell("n2", "iptables -w -S INPUT").lines().toList())
                .containsSubsequence("-A INPUT -j RAFTLAB", mine);
        assertInstalled(healed(cut));
        cluster.healAll();
        cluster.healAll();
        assertThat(shell("n2", "iptables -w -S").lines().toList())
                .contains(mine, "-N OTHERS")
                .noneMatch(line -> line.contains("RAFTLAB"));
        shell("n2", "iptables -w -D INPUT -s 10.99.99.99/32 -j ACCEPT; iptables -w -X OTHERS");
    }

    @Test
    void aKilledNodeComesBackWithItsAddressItsDataAndItsPartition() throws Exception {
        long startsBefore = status("n1").term();
        ActiveFault cut = fault(new FaultAction.Cut(List.of(new Link("n2", "n1"))));
        ActiveFault kill = fault(new FaultAction.Kill(List.of("n1")));
        assertInstalled(injected(cut));
        assertInstalled(injected(kill));
        assertThat(status("n1").reachable()).isFalse();
        assertInstalled(healed(kill));
        assertThat(status("n1").term()).isEqualTo(startsBefore + 1);
        assertThat(arrives("n2", "n1")).isFalse();
        assertThat(arrives("n3", "n1")).isTrue();
        assertInstalled(healed(cut));
        assertThat(arrives("n2", "n1")).isTrue();
    }

    @Test
    void aFrozenNodeIsSilentAndGoesOnWhereItWas() throws Exception {
        long startsBefore = status("n3").term();
        ActiveFault pause = fault(new FaultAction.Pause(List.of("n3")));
        FaultOutcome outcome = injected(pause);
        assertInstalled(outcome);
        assertThat(outcome.evidence().getFirst()).contains("paused", "did not answer");
        long before = System.nanoTime();
        cluster.observe();
        Completion.Observation seen = (Completion.Observation) next();
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - before)).isLessThan(1000);
        assertThat(seen.nodes())
                .extracting(NodeStatus::reachable)
                .containsExactly(true, true, false);
        assertInstalled(healed(pause));
        assertThat(status("n3").term()).isEqualTo(startsBefore);
    }

    @Test
    void aNodeMayBeKilledWhileItIsFrozen() throws Exception {
        ActiveFault pause = fault(new FaultAction.Pause(List.of("n2")));
        ActiveFault kill = fault(new FaultAction.Kill(List.of("n2")));
        assertInstalled(injected(pause));
        assertInstalled(injected(kill));
        assertInstalled(healed(kill));
        assertThat(status("n2").reachable()).isTrue();
        assertInstalled(healed(pause));
        assertThat(status("n2").reachable()).isTrue();
    }

    @Test
    void aDeadNodeCannotBeFrozen() throws Exception {
        ActiveFault kill = fault(new FaultAction.Kill(List.of("n2")));
        ActiveFault pause = fault(new FaultAction.Pause(List.of("n2")));
        assertInstalled(injected(kill));
        assertThat(injected(pause).status()).isEqualTo(Status.SKIPPED);
        assertThat(healed(pause).status()).isEqualTo(Status.SKIPPED);
        assertInstalled(healed(kill));
    }

    @Test
    void aNodeHeldDownByTwoFaultsStartsWithTheSecondHeal() throws Exception {
        ActiveFault first = fault(new FaultAction.Kill(List.of("n1")));
        ActiveFault second = fault(new FaultAction.Kill(List.of("n1", "n2")));
        assertInstalled(injected(first));
        assertInstalled(injected(second));
        assertInstalled(healed(first));
        assertThat(status("n1").reachable()).isFalse();
        assertInstalled(healed(second));
        assertThat(status("n1").reachable()).isTrue();
    }

    @Test
    void healAllThawsStartsAndOpensEverything() throws Exception {
        assertInstalled(injected(fault(new FaultAction.Kill(List.of("n1")))));
        assertInstalled(injected(fault(new FaultAction.Pause(List.of("n2")))));
        assertInstalled(injected(fault(new FaultAction.Cut(List.of(new Link("n3", "n1"))))));
        cluster.healAll();
        assertThat(List.of(status("n1"), status("n2"), status("n3")))
                .allMatch(NodeStatus::reachable);
        assertThat(arrives("n3", "n1")).isTrue();
    }

    @Test
    void theNodeItselfHasNoPowers() {
        var host =
                engine.commands()
                        .inspectContainerCmd("raftlab-" + run + "-n1")
                        .exec()
                        .getHostConfig();
        assertThat(Objects.requireNonNull(host).getReadonlyRootfs()).isTrue();
        assertThat(host.getSecurityOpts()).contains("no-new-privileges");
        assertThat(host.getCapAdd()).isNullOrEmpty();
        assertThat(host.getPrivileged()).isFalse();
        assertThat(host.getMemory()).isEqualTo(DockerOptions.NODE_MEMORY_BYTES);
    }

    @Test
    void aNodeThatFailsAtStartIsReportedWithItsLastWordsAndLeavesNothingBut() throws Exception {
        Path folder = runFolder.resolveSibling("failing");
        String failing = run + "-failing";
        DockerOptions options =
                new DockerOptions(
                        failing,
                        1,
                        jar,
                        null,
                        20_000,
                        DockerOptions.NODE_MEMORY_BYTES,
                        Map.of("STAND_IN_FAILS", "yes"));
        assertThatThrownBy(() -> DockerCluster.start(options, folder, line -> {}))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("n1 ended while it started")
                .hasMessageContaining("the stand-in was told to fail");
        assertThat(Files.readString(folder.resolve("nodes/n1/node.log")))
                .contains("the stand-in was told to fail");
        assertThat(Cleaner.removeRun(engine, failing)).isEmpty();
    }

    @Test
    void anImageThatIsNotThereIsNamed() {
        assertThatThrownBy(
                        () ->
                                DockerCluster.start(
                                        DockerOptions.ofImage(
                                                run + "-no", 1, "raftlab/no-such-image:ever"),
                                        runFolder,
                                        line -> {}))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("raftlab/no-such-image:ever");
    }

    @Test
    void logsGoOnAcrossARestart() throws Exception {
        Path log = runFolder.resolve("nodes/n3/node.log");
        long startsBefore = status("n3").term();
        ActiveFault kill = fault(new FaultAction.Kill(List.of("n3")));
        assertInstalled(injected(kill));
        assertInstalled(healed(kill));
        String expected = "stand-in n3 started, start number " + (startsBefore + 1);
        awaitTrue(() -> Files.readString(log).contains(expected));
        assertThat(Files.readString(log).lines().filter(line -> line.contains("start number 1")))
                .hasSizeLessThanOrEqualTo(1);
    }

    private ActiveFault fault(FaultAction action) {
        return new ActiveFault(++lastFault, "test", action);
    }

    private FaultOutcome injected(ActiveFault fault) throws InterruptedException {
        cluster.inject(fault);
        return change(fault, true);
    }

    private FaultOutcome healed(ActiveFault fault) throws InterruptedException {
        cluster.heal(fault);
        return change(fault, false);
    }

    private FaultOutcome change(ActiveFault fault, boolean injected) throws InterruptedException {
        Completion.FaultChange change = (Completion.FaultChange) next();
        assertThat(change.faultId()).isEqualTo(fault.id());
        assertThat(change.injected()).isEqualTo(injected);
        return change.outcome();
    }

    private Completion next() throws InterruptedException {
        Completion completion = cluster.poll(cluster.nowNanos() + WAIT_NANOS);
        assertThat(completion).isNotNull();
        return Objects.requireNonNull(completion);
    }

    private static void assertInstalled(FaultOutcome outcome) {
        assertThat(outcome.status()).as(outcome.toString()).isEqualTo(Status.INSTALLED);
    }

    private NodeStatus status(String node) {
        try (StatusProbe probe = new StatusProbe(cluster.httpAddresses())) {
            return probe.askNow(node, 1000);
        }
    }

    /** Whether datagrams sent by one node reach the other's process. */
    private boolean arrives(String from, String to) throws Exception {
        int before = received(to, from);
        for (int i = 0; i < 10; i++) {
            assertThat(ask(from, "/send?" + address(to))).isEqualTo("sent");
            if (received(to, from) > before) {
                return true;
            }
        }
        return false;
    }

    private int received(String node, String from) throws Exception {
        var matcher =
                java.util.regex.Pattern.compile("\"" + from + "\":(\\d+)")
                        .matcher(ask(node, "/status"));
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    private String address(String node) {
        return Objects.requireNonNull(cluster.podAddresses().get(node));
    }

    private String ask(String node, String path) throws Exception {
        var http = Objects.requireNonNull(cluster.httpAddresses().get(node));
        URI uri =
                URI.create(
                        "http://"
                                + http.getAddress().getHostAddress()
                                + ":"
                                + http.getPort()
                                + path);
        return this.http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
    }

    private String shell(String node, String command) throws IOException {
        try (PodShell shell = new PodShell(engine, "raftlab-" + run + "-" + node + "-net")) {
            return shell.check(command, 10_000);
        }
    }

    private interface Check {
        boolean holds() throws Exception;
    }

    /** Only container tests may wait for something to become true. */
    private static void awaitTrue(Check check) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!check.holds()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(20);
        }
    }
}
