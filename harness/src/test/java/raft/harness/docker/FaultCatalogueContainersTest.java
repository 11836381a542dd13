package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.cluster.NodeStatus;
import raft.harness.docker.StandInCluster.Injected;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.nemesis.Link;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Faults of clocks, packets, disks, resources and gentle ends, each seen from where it matters. */
@Tag("containers")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class FaultCatalogueContainersTest {
    private static final List<String> N1 = List.of("n1");

    private final StandInCluster cluster;

    FaultCatalogueContainersTest(@TempDir Path folder) throws IOException {
        ContainerEngine.require().close();
        cluster = StandInCluster.start(folder, 3);
    }

    @AfterEach
    void healAll() throws Exception {
        cluster.cluster().healAll();
        assertThat(cluster.observe()).allMatch(NodeStatus::reachable);
    }

    @AfterAll
    void close() {
        cluster.close();
    }

    private static FaultOutcome assertProven(FaultOutcome outcome) {
        assertThat(outcome.status()).as("%s", outcome).isEqualTo(Status.INSTALLED);
        return outcome;
    }

    private NodeStatus status(String node) throws InterruptedException {
        return cluster.observe().stream()
                .filter(status -> status.node().equals(node))
                .findFirst()
                .orElseThrow();
    }

    /** A look is as exact as an answer is fast, and a loaded machine answers when it can. */
    private void assertOffset(String node, long meantMillis) throws InterruptedException {
        assertThat(offset(node)).as(node).isBetween(meantMillis - 1_000, meantMillis + 1_000);
    }

    private long offset(String node) throws InterruptedException {
        return Objects.requireNonNull(status(node).clock()).offsetMillis();
    }

    private long number(String node, String field) throws InterruptedException {
        return JsonMapper.shared().readTree(status(node).json()).required(field).asLong();
    }

    // ---- Clocks ----

    @Test
    void clockJumpsInOneNodeAndNowhereElse() throws Exception {
        long hostBefore = System.currentTimeMillis() - System.nanoTime() / 1_000_000;
        Injected jump = cluster.inject(new FaultAction.ClockJump(N1, -16_000));
        assertProven(jump.outcome());
        assertOffset("n1", -16_000);
        assertOffset("n2", 0);
        assertOffset("n3", 0);
        long hostNow = System.currentTimeMillis() - System.nanoTime() / 1_000_000;
        assertThat(hostNow - hostBefore).isBetween(-1_000L, 1_000L);

        // A second one adds up, and each ends by itself.
        Injected other = cluster.inject(new FaultAction.ClockJump(N1, 288_000));
        assertProven(other.outcome());
        assertOffset("n1", 272_000);
        assertProven(cluster.heal(jump));
        assertOffset("n1", 288_000);
        assertProven(cluster.heal(other));
        assertOffset("n1", 0);
    }

    @Test
    void strobedClockJumpsToAndFroAndIsResetAtOnce() throws Exception {
        Injected strobe = cluster.inject(new FaultAction.ClockStrobe(N1, 60_000, 3_000));
        assertProven(strobe.outcome());
        boolean there = false;
        boolean back = false;
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!(there && back) && System.nanoTime() < deadline) {
            long offset = offset("n1");
            there |= offset > 59_000;
            back |= offset < 1_000;
            Thread.sleep(100);
        }
        assertThat(there && back).isTrue();
        FaultOutcome healed = assertProven(cluster.heal(strobe));
        assertThat(healed.evidence().getLast()).contains("jumped");
        assertOffset("n1", 0);
    }

    @Test
    void resetEndsTheJumpsOfOthers() throws Exception {
        Injected jump = cluster.inject(new FaultAction.ClockJump(N1, 60_000));
        assertProven(jump.outcome());
        assertProven(cluster.inject(new FaultAction.ClockReset(N1)).outcome());
        FaultOutcome healed = assertProven(cluster.heal(jump));
        assertThat(healed.evidence().getLast()).contains("had been taken back before");
    }

    @Test
    void clockOfAFrozenNodeIsProvenRightOnceItAnswers() throws Exception {
        Injected jump = cluster.inject(new FaultAction.ClockJump(N1, 60_000));
        assertProven(jump.outcome());
        Injected pause = cluster.inject(new FaultAction.Pause(N1));
        assertProven(pause.outcome());
        assertThat(cluster.heal(jump).status()).isEqualTo(Status.INDETERMINATE);
        assertProven(cluster.heal(pause));
        assertProven(cluster.heal(jump));
        assertOffset("n1", 0);
    }

    @Test
    void driftingNodeMeasuresDurationsWronglyToo() throws Exception {
        Injected drift = cluster.inject(new FaultAction.ClockDrift(N1, 150));
        assertProven(drift.outcome());
        assertThat(drift.outcome().evidence()).anyMatch(words -> words.contains("meant are 150 %"));
        Injected jump = cluster.inject(new FaultAction.ClockJump(N1, 1_000));
        assertThat(jump.outcome().status()).isEqualTo(Status.SKIPPED);
        assertProven(cluster.heal(drift));
    }

    // ---- Packets ----

    @Test
    void lossDropsItsShareOfOneLinkAndAddsUpWithOthers() throws Exception {
        List<Link> link = List.of(new Link("n1", "n2"));
        Injected loss = cluster.inject(new FaultAction.PacketLoss(link, 20));
        assertProven(loss.outcome());
        for (String family : cluster.hasIpv6() ? List.of("IPv4", "IPv6") : List.of("IPv4")) {
            assertThat(loss.outcome().evidence())
                    .anyMatch(words -> words.startsWith(family + " probes on n1->n2: "));
        }
        Injected more = cluster.inject(new FaultAction.PacketLoss(link, 50));
        assertThat(assertProven(more.outcome()).evidence())
                .anyMatch(words -> words.endsWith("meant are 60.0 %"));
        assertProven(cluster.heal(loss));
        assertProven(cluster.heal(more));
        assertThat(cluster.delivered(cluster.allLinks())).isEqualTo(cluster.allLinks());
    }

    @Test
    void rateIsLimitedOnOneLinkOrAll() throws Exception {
        for (List<Link> links :
                List.of(List.of(new Link("n1", "n2")), List.copyOf(cluster.allLinks()))) {
            Injected rate = cluster.inject(new FaultAction.PacketRate(links, 256));
            assertProven(rate.outcome());
            assertThat(rate.outcome().evidence()).hasSize(links.size());
            assertProven(cluster.heal(rate));
        }
    }

    /** Null, and the skip looked at, where this kernel hands no packets to programs. */
    private @Nullable Injected treated(FaultAction.Packets packets) throws Exception {
        Injected fault = cluster.inject(packets);
        String impossible = cluster.cluster().impossible().get(FaultKind.PACKETS_DELAY);
        if (impossible == null) {
            assertProven(fault.outcome());
            return fault;
        }
        assertThat(fault.outcome().status()).isEqualTo(Status.SKIPPED);
        assertThat(fault.outcome().evidence()).containsExactly(impossible);
        assertThat(cluster.heal(fault).status()).isEqualTo(Status.SKIPPED);
        return null;
    }

    private long handshakeMillis(String from, String to) throws Exception {
        String address = cluster.cluster().pod(to).address();
        return Long.parseLong(
                cluster.cluster()
                        .pod(from)
                        .shell()
                        .check(
                                "a=$(date +%s%N); (exec 3<>/dev/tcp/"
                                        + address
                                        + "/7000) && b=$(date +%s%N) && echo $(((b - a) /"
                                        + " 1000000))",
                                30_000)
                        .strip());
    }

    /** However long it takes: what is sent again arrives. */
    private void assertConnects(String from, String to) throws Exception {
        assertThat(handshakeMillis(from, to)).isNotNegative();
    }

    @Test
    void packetsAreLateOnOneLinkOrAllAndDelaysAddUp() throws Exception {
        Injected one = treated(new FaultAction.PacketDelay(List.of(new Link("n1", "n2")), 150, 50));
        if (one == null) {
            return;
        }
        // The harness' own clients are not treated: only the handshake between the two is late.
        assertThat(handshakeMillis("n1", "n2")).isGreaterThanOrEqualTo(100);
        Injected all =
                Objects.requireNonNull(
                        treated(
                                new FaultAction.PacketDelay(
                                        List.copyOf(cluster.allLinks()), 100, 0)));
        assertThat(handshakeMillis("n1", "n2")).isGreaterThanOrEqualTo(300);
        assertThat(handshakeMillis("n2", "n3")).isGreaterThanOrEqualTo(200);
        assertThat(assertProven(cluster.heal(one)).evidence())
                .contains("n1->n2 is still treated by another fault");
        assertThat(handshakeMillis("n1", "n2")).isGreaterThanOrEqualTo(200);
        assertProven(cluster.heal(all));
        assertThat(cluster.cluster().pod("n1").shell().check("pgrep packets || true", 5_000))
                .isEmpty();
        assertThat(cluster.delivered(cluster.allLinks())).isEqualTo(cluster.allLinks());
    }

    @Test
    void packetsLaterThanAnyProofWaitsDoNotArriveMeanwhile() throws Exception {
        Injected late =
                treated(new FaultAction.PacketDelay(List.of(new Link("n1", "n2")), 30_000, 0));
        if (late != null) {
            assertThat(late.outcome().evidence()).allMatch(words -> words.contains(" 0 arrived"));
            assertProven(cluster.heal(late));
        }
    }

    @Test
    void packetsArriveTwice() throws Exception {
        Injected twice =
                treated(new FaultAction.PacketDuplication(List.of(new Link("n1", "n2")), 50));
        if (twice == null) {
            return;
        }
        long sent = 0;
        long before = datagrams("n2");
        for (; sent < 200; sent++) {
            cluster.cluster()
                    .pod("n1")
                    .shell()
                    .check(
                            "echo x >/dev/udp/" + cluster.cluster().pod("n2").address() + "/9",
                            10_000);
        }
        long arrived = -1;
        for (long now = 0; now != arrived; now = datagrams("n2") - before) {
            arrived = now;
            Thread.sleep(500); // The program in the pod may be behind.
        }
        // 6 standard deviations of 200 draws around 100.
        assertThat(arrived).isBetween(sent + 58, sent + 142);
        assertConnects("n1", "n2");
        assertProven(cluster.heal(twice));
    }

    /** UDP packets that came in for a port where nobody listens. */
    private long datagrams(String node) throws Exception {
        return counter(node, "$3");
    }

    /** UDP packets whose checksum was wrong. */
    private long checksumErrors(String node) throws Exception {
        return counter(node, "$8");
    }

    private long counter(String node, String column) throws Exception {
        return Long.parseLong(
                cluster.cluster()
                        .pod(node)
                        .shell()
                        .check("awk '/^Udp: [0-9]/ {print " + column + "}' /proc/net/snmp", 5_000)
                        .strip());
    }

    @Test
    void packetsOvertakeEachOther() throws Exception {
        Injected reordered =
                treated(new FaultAction.PacketReordering(List.of(new Link("n1", "n2")), 30, 150));
        if (reordered != null) {
            assertConnects("n1", "n2");
            assertProven(cluster.heal(reordered));
        }
    }

    @Test
    void bitsOfPacketsChangeAndTheReceiverFindsIt() throws Exception {
        long before = checksumErrors("n2");
        Injected corrupted =
                treated(new FaultAction.PacketCorruption(List.of(new Link("n1", "n2")), 20));
        if (corrupted != null) {
            // The proof's own probes, about a fifth of them.
            assertThat(checksumErrors("n2") - before).isGreaterThanOrEqualTo(5);
            assertProven(cluster.heal(corrupted));
        }
    }

    @Test
    void everythingThatHappensToPacketsCanHappenAtOnceAndEndsInAnyOrder() throws Exception {
        List<Link> all = List.copyOf(cluster.allLinks());
        Injected delay = treated(new FaultAction.PacketDelay(all, 50, 25));
        if (delay == null) {
            return;
        }
        Injected cut = cluster.inject(new FaultAction.Cut(List.of(new Link("n1", "n2"))));
        assertProven(cut.outcome());
        Injected twice =
                Objects.requireNonNull(treated(new FaultAction.PacketDuplication(all, 20)));
        Injected wrong = Objects.requireNonNull(treated(new FaultAction.PacketCorruption(all, 5)));
        Injected loss = cluster.inject(new FaultAction.PacketLoss(all, 20));
        assertThat(loss.outcome().evidence()).isNotEmpty();
        Injected reorder =
                Objects.requireNonNull(treated(new FaultAction.PacketReordering(all, 20, 40)));
        assertProven(cluster.heal(delay));
        cluster.heal(loss);
        assertProven(cluster.heal(twice));
        assertProven(cluster.heal(reorder));
        assertProven(cluster.heal(wrong));
        assertProven(cluster.heal(cut));
        assertThat(cluster.delivered(cluster.allLinks())).isEqualTo(cluster.allLinks());
    }

    @Test
    void flappingLinkIsCutAndOpenInTurn() throws Exception {
        List<Link> link = List.of(new Link("n1", "n2"));
        Injected flap = cluster.inject(new FaultAction.Flap(link, 600));
        assertProven(flap.outcome());
        Thread.sleep(4_000);
        FaultOutcome healed = assertProven(cluster.heal(flap));
        assertThat(healed.evidence().getLast()).matches("cut and opened [1-9]\\d* times meanwhile");
        assertThat(cluster.delivered(cluster.allLinks())).isEqualTo(cluster.allLinks());
    }

    // ---- Processes ----

    @Test
    void stoppedNodeEndsBySigtermAndComesBack() throws Exception {
        long starts = status("n2").term();
        Injected stop = cluster.inject(new FaultAction.Stop(List.of("n2")));
        assertProven(stop.outcome());
        assertThat(stop.outcome().evidence().getFirst()).contains("SIGTERM").contains("143");
        assertThat(status("n2").reachable()).isFalse();
        assertProven(cluster.heal(stop));
        assertThat(status("n2").term()).isEqualTo(starts + 1);
    }

    @Test
    void rollingRestartTakesOneAfterTheOther() throws Exception {
        long starts = cluster.observe().stream().mapToLong(NodeStatus::term).sum();
        Injected roll = cluster.inject(new FaultAction.RollingRestart(List.of("n3", "n1", "n2")));
        assertProven(roll.outcome());
        assertThat(roll.outcome().evidence()).hasSize(6);
        assertThat(cluster.observe().stream().mapToLong(NodeStatus::term).sum())
                .isEqualTo(starts + 3);
        assertProven(cluster.heal(roll));
    }

    // ---- Disks ----

    @Test
    void powerLossTakesWhatWasNotSyncedAndNothingElse() throws Exception {
        long synced = number("n1", "synced");
        Injected loss = cluster.inject(new FaultAction.LostWrites(N1, 0));
        assertProven(loss.outcome());
        assertThat(loss.outcome().evidence().getLast())
                .contains("n1 lost 200 of 200 bytes that were not synced: log ends at");
        assertProven(cluster.heal(loss));
        assertThat(number("n1", "recovered")).isGreaterThanOrEqualTo(synced);
        assertThat((number("n1", "recovered") - synced) % 200).isZero();
    }

    @Test
    void tornWriteKeepsAPartOfTheLastBytes() throws Exception {
        long synced = number("n1", "synced");
        Injected loss = cluster.inject(new FaultAction.LostWrites(N1, 50));
        assertProven(loss.outcome());
        assertProven(cluster.heal(loss));
        assertThat((number("n1", "recovered") - synced) % 200).isEqualTo(100);
    }

    @Test
    void fullDiskAndBrokenDiskReachTheProcess() throws Exception {
        for (FaultAction action :
                List.of(new FaultAction.FullDisk(N1), new FaultAction.DiskErrors(N1))) {
            Injected fault = cluster.inject(action);
            assertProven(fault.outcome());
            FaultOutcome healed = assertProven(cluster.heal(fault));
            assertThat(healed.evidence().getFirst()).contains("had ended with exit code 3");
            assertThat(cluster.observe()).allMatch(NodeStatus::reachable);
        }
    }

    @Test
    void slowDiskSlowsEverySync() throws Exception {
        Injected slow = cluster.inject(new FaultAction.SlowDisk(N1, 200));
        assertProven(slow.outcome());
        long began = System.nanoTime();
        long before = number("n1", "synced");
        Thread.sleep(1_000);
        long synced = number("n1", "synced") - before;
        long tookMillis = (System.nanoTime() - began) / 1_000_000;
        // 200 bytes a sync.
        assertThat(synced / 200).isBetween(0L, tookMillis / 200 + 1);
        assertProven(cluster.heal(slow));
    }

    @Test
    void flippedBitIsReadBackAndRestoredWhereTheNodeDoesNotRunWithIt() throws Exception {
        Injected flip = cluster.inject(new FaultAction.BitFlip(N1));
        assertProven(flip.outcome());
        assertThat(flip.outcome().evidence().getFirst())
                .matches("n1: byte \\d+ of log was 0x00 and is 0x08");
        assertProven(cluster.heal(flip));
    }

    @Test
    void truncatedFileIsShorter() throws Exception {
        Injected cut = cluster.inject(new FaultAction.Truncation(N1, 64));
        assertProven(cut.outcome());
        assertProven(cluster.heal(cut));
    }

    // ---- Resources ----

    @Test
    void processorAndMemoryAreNarrowedAndGivenBack() throws Exception {
        Injected cpu = cluster.inject(new FaultAction.CpuQuota(N1, 20));
        assertProven(cpu.outcome());
        Injected memory = cluster.inject(new FaultAction.MemoryLimit(N1, 32L << 20));
        assertProven(memory.outcome());
        assertProven(cluster.heal(memory));
        assertProven(cluster.heal(cpu));
    }

    // ---- Several families at once ----

    @Test
    void faultsOfAllFamiliesHoldOnOneNodeAtOnceAndEachEndsAlone() throws Exception {
        List<Link> aroundN1 =
                List.of(
                        new Link("n1", "n2"),
                        new Link("n2", "n1"),
                        new Link("n1", "n3"),
                        new Link("n3", "n1"));
        Injected jump = cluster.inject(new FaultAction.ClockJump(N1, 60_000));
        Injected cut = cluster.inject(new FaultAction.Cut(aroundN1));
        Injected slow = cluster.inject(new FaultAction.SlowDisk(N1, 100));
        Injected cpu = cluster.inject(new FaultAction.CpuQuota(N1, 50));
        for (Injected fault : List.of(jump, cut, slow, cpu)) {
            assertProven(fault.outcome());
        }
        assertOffset("n1", 60_000);
        Set<Link> open = Set.of(new Link("n2", "n3"), new Link("n3", "n2"));
        assertThat(cluster.delivered(open)).isEqualTo(open);

        Injected pause = cluster.inject(new FaultAction.Pause(N1));
        assertProven(pause.outcome());
        assertProven(cluster.heal(slow));
        assertProven(cluster.heal(cut));
        assertThat(status("n1").reachable()).isFalse();
        assertProven(cluster.heal(pause));
        assertOffset("n1", 60_000);
        assertThat(cluster.delivered(cluster.allLinks())).isEqualTo(cluster.allLinks());

        // A restart is a new process with the same wrong clock and the same narrow processor.
        Injected kill = cluster.inject(new FaultAction.Kill(N1));
        assertProven(kill.outcome());
        assertProven(cluster.heal(kill));
        assertOffset("n1", 60_000);
        assertProven(cluster.heal(jump));
        assertOffset("n1", 0);
        assertProven(cluster.heal(cpu));
    }
}
