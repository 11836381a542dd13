package raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Whole clusters in virtual time; {@link TestCluster} checks Figure 3's properties after every
 * event.
 */
final class ClusterScenarioTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7})
    void electsOneLeaderAndCommitsWhatIsProposed(int nodeCount) {
        TestCluster cluster = new TestCluster(nodeCount, 1);
        NodeId leader = cluster.awaitSettledLeader();
        long id = cluster.propose(leader, "x");
        cluster.await("the command is confirmed", () -> cluster.confirmed.contains(id));
        long read = cluster.read(leader);
        cluster.await("the read is served", () -> cluster.readServedAt.containsKey(read));
        assertThat(cluster.readServedAt.get(read)).isGreaterThanOrEqualTo(2);
    }

    @Test
    void electsAnotherLeaderWhenTheFirstCrashesAndKeepsWhatWasConfirmed() {
        TestCluster cluster = new TestCluster(5, 2);
        NodeId first = cluster.awaitSettledLeader();
        long id = cluster.propose(first, "kept");
        cluster.await("confirmed", () -> cluster.confirmed.contains(id));
        cluster.node(first).crash();
        NodeId second = cluster.awaitLeader();
        assertThat(second).isNotEqualTo(first);
        cluster.node(first).boot();
        assertThat(cluster.awaitSettledLeader()).isEqualTo(second);
        assertThat(cluster.node(first).raft().lastIndex())
                .isEqualTo(cluster.node(second).raft().lastIndex());
    }

    @Test
    void leaderCutOffFromEverybodyStepsDownAndGivesUpItsCommands() {
        TestCluster cluster = new TestCluster(5, 3);
        NodeId old = cluster.awaitSettledLeader();
        cluster.cut = (from, to) -> from.equals(old) || to.equals(old);
        long write = cluster.propose(old, "lost");
        long read = cluster.read(old);
        cluster.run(3_000);
        assertThat(cluster.node(old).raft().role()).isNotEqualTo(Effect.RoleName.LEADER);
        assertThat(cluster.unknown).containsExactly(write);
        assertThat(cluster.refused).containsExactly(read);
        assertThat(cluster.leader()).isNotNull().isNotEqualTo(old);
    }

    @Test
    void readOfACutOffLeaderIsNeverServedWhileAnotherLeads() {
        TestCluster cluster = new TestCluster(5, 4);
        NodeId old = cluster.awaitSettledLeader();
        cluster.cut = (from, to) -> from.equals(old) || to.equals(old);
        cluster.await(
                "another leader",
                () -> {
                    NodeId now = cluster.leader();
                    return now != null && !now.equals(old);
                });
        long read = cluster.read(old);
        cluster.run(5_000);
        assertThat(cluster.readServedAt).doesNotContainKey(read);
    }

    @Test
    void nodeThatWasAloneForLongDoesNotDisturbTheLeaderWhenItComesBack() {
        TestCluster cluster = new TestCluster(5, 5);
        NodeId leader = cluster.awaitSettledLeader();
        long term = cluster.node(leader).raft().term();
        NodeId alone =
                cluster.nodes.keySet().stream()
                        .filter(id -> !id.equals(leader))
                        .findFirst()
                        .orElseThrow();
        cluster.cut = (from, to) -> from.equals(alone) || to.equals(alone);
        cluster.run(30_000);
        cluster.cut = (from, to) -> false;
        cluster.run(5_000);
        assertThat(cluster.leader()).isEqualTo(leader);
        assertThat(cluster.node(leader).raft().term()).isEqualTo(term);
    }

    @Test
    void leaderThatNobodyHearsIsReplacedAlthoughItHearsEverybody() {
        TestCluster cluster = new TestCluster(5, 6);
        NodeId mute = cluster.awaitSettledLeader();
        cluster.cut = (from, to) -> from.equals(mute);
        cluster.run(5_000);
        assertThat(cluster.leader()).isNotNull().isNotEqualTo(mute);
    }

    @Test
    void wholeClusterRestartsWithEverythingThatWasConfirmed() {
        TestCluster cluster = new TestCluster(3, 7);
        NodeId leader = cluster.awaitSettledLeader();
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            ids.add(cluster.propose(leader, "c" + i));
        }
        cluster.await("all confirmed", () -> cluster.confirmed.containsAll(ids));
        cluster.nodes.values().forEach(TestCluster.Node::crash);
        cluster.nodes.values().forEach(TestCluster.Node::boot);
        NodeId again = cluster.awaitSettledLeader();
        assertThat(cluster.node(again).raft().commitIndex()).isGreaterThanOrEqualTo(51);
    }

    /**
     * The MIT 6.5840 list's "backup": long divergent suffixes of several leaders, mended by
     * skipping terms.
     */
    @Test
    void divergentSuffixesOfSeveralTermsAreReplaced() {
        TestCluster cluster = new TestCluster(5, 8);
        for (int round = 0; round < 4; round++) {
            NodeId leader = cluster.awaitSettledLeader();
            cluster.cut = (from, to) -> from.equals(leader) || to.equals(leader);
            for (int i = 0; i < 100; i++) {
                cluster.propose(leader, "stale " + round + " " + i);
            }
            cluster.await(
                    "another leader",
                    () -> {
                        NodeId now = cluster.leader();
                        return now != null && !now.equals(leader);
                    });
            NodeId next = cluster.awaitLeader();
            long id = cluster.propose(next, "kept " + round);
            cluster.await("confirmed", () -> cluster.confirmed.contains(id));
            cluster.cut = (from, to) -> false;
        }
        cluster.awaitSettledLeader();
        assertThat(cluster.committedEntries())
                .filteredOn(entry -> entry.kind() == Entry.Kind.COMMAND)
                .extracting(
                        entry -> new String(entry.payload().unsafeArray(), StandardCharsets.UTF_8))
                .containsExactly("kept 0", "kept 1", "kept 2", "kept 3");
    }

    /**
     * Loss, duplication, reordering, crashes and cuts at random; afterwards it must converge and
     * serve.
     */
    @ParameterizedTest
    @ValueSource(
            longs = {
                11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
            })
    void survivesChurnAndConvergesAfterwards(long seed) {
        TestCluster cluster = new TestCluster(5, seed);
        Random random = new Random(seed);
        cluster.lossShare = 0.1;
        cluster.duplicateShare = 0.1;
        cluster.delayMillisMax = 60;
        cluster.syncMillisMax = 30;
        TreeMap<Long, String> commands = new TreeMap<>();
        List<NodeId> ids = List.copyOf(cluster.nodes.keySet());
        for (int turn = 0; turn < 300; turn++) {
            cluster.run(random.nextInt(200));
            NodeId someone = ids.get(random.nextInt(ids.size()));
            switch (random.nextInt(10)) {
                case 0 -> cluster.node(someone).crash();
                case 1, 2 -> {
                    if (cluster.node(someone).raft == null) {
                        cluster.node(someone).boot();
                    }
                }
                case 3 -> {
                    int mask = random.nextInt(32);
                    cluster.cut =
                            (from, to) ->
                                    ((mask >> ids.indexOf(from)) & 1)
                                            != ((mask >> ids.indexOf(to)) & 1);
                }
                case 4 -> cluster.cut = (from, to) -> false;
                default -> {
                    for (NodeId asked : ids) {
                        String command = "turn " + turn + " at " + asked;
                        commands.put(cluster.propose(asked, command), command);
                    }
                }
            }
        }
        cluster.cut = (from, to) -> false;
        cluster.lossShare = 0;
        cluster.duplicateShare = 0;
        cluster.nodes.values().stream()
                .filter(node -> node.raft == null)
                .forEach(TestCluster.Node::boot);
        NodeId leader = cluster.awaitSettledLeader();
        long last = cluster.propose(leader, "last");
        cluster.await(
                "the last command is confirmed, seed " + seed,
                () -> cluster.confirmed.contains(last));
        Set<String> committed =
                cluster.committedEntries().stream()
                        .map(
                                entry ->
                                        new String(
                                                entry.payload().unsafeArray(),
                                                StandardCharsets.UTF_8))
                        .collect(Collectors.toSet());
        assertThat(cluster.confirmed).as("confirmed, seed %d", seed).hasSizeGreaterThan(10);
        assertThat(committed)
                .as("seed %d: what was refused must never be applied", seed)
                .doesNotContainAnyElementsOf(cluster.refused.stream().map(commands::get).toList());
        assertThat(committed)
                .as("seed %d: what was confirmed stays", seed)
                .containsAll(
                        cluster.confirmed.stream()
                                .filter(commands::containsKey)
                                .map(commands::get)
                                .toList());
    }
}
