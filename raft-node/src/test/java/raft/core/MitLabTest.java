package raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;

/**
 * The tests of MIT's course 6.5840 (lab 3, Raft), by their names there, against these nodes in
 * virtual time: what takes minutes of waiting there takes seconds here and is the same each time.
 * That no two nodes ever apply different entries at one index, and that no term has two leaders, is
 * checked after every event by {@link TestCluster}.
 */
final class MitLabTest {
    private static final long SEED = 6_5840;

    private final Random random = new Random(SEED);

    private static TestCluster cluster(int nodeCount) {
        return new TestCluster(nodeCount, SEED);
    }

    /** Nodes that take a snapshot every ten commands or so. */
    private static TestCluster withSnapshots(int nodeCount) {
        return new TestCluster(nodeCount, SEED, RaftConfig.Limits.DEFAULT.withSnapshots(400, 1000));
    }

    private static void unreliable(TestCluster cluster) {
        cluster.lossShare = 0.1;
        cluster.duplicateShare = 0.1;
        cluster.delayMillisMax = 27;
    }

    private static void reliable(TestCluster cluster) {
        cluster.lossShare = 0;
        cluster.duplicateShare = 0;
        cluster.delayMillisMax = 5;
    }

    /** The leader of the highest term among nodes that can reach a majority. */
    private static NodeId leader(TestCluster cluster) {
        cluster.await("a leader that is heard", () -> heardLeader(cluster) != null);
        return Objects.requireNonNull(heardLeader(cluster));
    }

    private static @Nullable NodeId heardLeader(TestCluster cluster) {
        NodeId leader = cluster.leader();
        if (leader == null) {
            return null;
        }
        long hearing =
                cluster.nodes.values().stream()
                        .filter(
                                node ->
                                        node.raft != null
                                                && !cluster.cut.test(leader, node.config.self())
                                                && !cluster.cut.test(node.config.self(), leader))
                        .count();
        return hearing > cluster.nodes.size() / 2 ? leader : null;
    }

    /** The lab's cfg.one: gets a command agreed on, whoever leads, and applied by so many nodes. */
    private static void one(TestCluster cluster, String command, int applied) {
        long[] id = {0};
        long[] since = {0};
        long[] looks = {0};
        cluster.await(
                "agreement on " + command,
                () -> {
                    looks[0]++;
                    if (cluster.confirmed.contains(id[0])) {
                        return true;
                    }
                    NodeId leader = heardLeader(cluster);
                    boolean over =
                            id[0] == 0
                                    || cluster.refused.contains(id[0])
                                    || cluster.unknown.contains(id[0])
                                    || looks[0] - since[0] > 3_000;
                    if (over && leader != null) {
                        since[0] = looks[0];
                        id[0] = cluster.propose(leader, command);
                    }
                    return false;
                });
        long index = cluster.committedEntries().getLast().index();
        cluster.await(
                command + " to be applied by " + applied,
                () ->
                        cluster.nodes.values().stream()
                                        .filter(node -> node.raft != null)
                                        .filter(node -> node.raft().appliedIndex() >= index)
                                        .count()
                                >= applied);
    }

    private static void cutOff(TestCluster cluster, List<NodeId> alone) {
        List<NodeId> copy = List.copyOf(alone);
        cluster.cut = (from, to) -> copy.contains(from) || copy.contains(to);
    }

    private static void heal(TestCluster cluster) {
        cluster.cut = (from, to) -> false;
    }

    private static List<NodeId> others(TestCluster cluster, NodeId... except) {
        return cluster.nodes.keySet().stream().filter(id -> !List.of(except).contains(id)).toList();
    }

    private static void crash(TestCluster cluster, NodeId id) {
        cluster.node(id).crash();
    }

    private static void restart(TestCluster cluster, NodeId id) {
        cluster.node(id).boot();
    }

    private static void converges(TestCluster cluster) {
        heal(cluster);
        reliable(cluster);
        cluster.nodes.values().stream()
                .filter(node -> node.raft == null)
                .toList()
                .forEach(node -> node.boot());
        one(cluster, "the end", cluster.nodes.size());
    }

    private static long commandCount(TestCluster cluster) {
        return cluster.committedEntries().stream()
                .filter(entry -> entry.kind() == Entry.Kind.COMMAND)
                .count();
    }

    @Nested
    class Lab3A_LeaderElection {
        @Test
        void initialElection() {
            TestCluster cluster = cluster(3);
            NodeId leader = leader(cluster);
            long term = cluster.node(leader).raft().term();
            cluster.run(5_000);
            assertThat(leader(cluster)).isEqualTo(leader);
            assertThat(cluster.node(leader).raft().term()).isEqualTo(term);
        }

        @Test
        void reElection() {
            TestCluster cluster = cluster(3);
            NodeId first = leader(cluster);
            cutOff(cluster, List.of(first));
            cluster.run(3_000);
            NodeId second = leader(cluster);
            assertThat(second).isNotEqualTo(first);
            heal(cluster);
            cluster.run(3_000);
            assertThat(leader(cluster)).isEqualTo(second);
            // Without a quorum nobody leads.
            NodeId another = others(cluster, second).getFirst();
            cutOff(cluster, List.of(second, another));
            cluster.run(5_000);
            assertThat(heardLeader(cluster)).isNull();
            assertThat(cluster.leader()).isNull();
            heal(cluster);
            leader(cluster);
        }

        @Test
        void manyElections() {
            TestCluster cluster = cluster(7);
            leader(cluster);
            for (int i = 0; i < 10; i++) {
                TreeSet<NodeId> away = new TreeSet<>();
                List<NodeId> all = List.copyOf(cluster.nodes.keySet());
                while (away.size() < 3) {
                    away.add(all.get(random.nextInt(all.size())));
                }
                cutOff(cluster, List.copyOf(away));
                cluster.run(2_500);
                leader(cluster);
                heal(cluster);
                cluster.run(1_000);
            }
            leader(cluster);
        }
    }

    @Nested
    class Lab3B_Log {
        @Test
        void basicAgree() {
            TestCluster cluster = cluster(3);
            for (int i = 0; i < 3; i++) {
                one(cluster, "c" + i, 3);
            }
            assertThat(commandCount(cluster)).isEqualTo(3);
        }

        @Test
        void rpcBytes() {
            TestCluster cluster = cluster(3);
            one(cluster, "99", 3);
            long before = cluster.entryBytes;
            long sent = 0;
            for (int i = 0; i < 10; i++) {
                String command = ("" + i).repeat(5_000);
                one(cluster, command, 3);
                sent += command.length();
            }
            // Each command goes to each of two followers once.
            assertThat(cluster.entryBytes - before).isEqualTo(2 * sent);
        }

        @Test
        void followerFailure() {
            TestCluster cluster = cluster(3);
            one(cluster, "101", 3);
            NodeId leader = leader(cluster);
            NodeId away = others(cluster, leader).getFirst();
            cutOff(cluster, List.of(away));
            one(cluster, "102", 2);
            cluster.run(1_000);
            one(cluster, "103", 2);
            NodeId still = leader(cluster);
            cutOff(cluster, others(cluster, still));
            long id = cluster.propose(still, "104");
            cluster.run(2_000);
            assertThat(cluster.confirmed).doesNotContain(id);
        }

        @Test
        void leaderFailure() {
            TestCluster cluster = cluster(3);
            one(cluster, "101", 3);
            NodeId first = leader(cluster);
            cutOff(cluster, List.of(first));
            one(cluster, "102", 2);
            NodeId second = leader(cluster);
            cutOff(cluster, List.of(first, second));
            long id = cluster.propose(second, "104");
            cluster.run(2_000);
            assertThat(cluster.confirmed).doesNotContain(id);
        }

        @Test
        void failAgree() {
            TestCluster cluster = cluster(3);
            one(cluster, "101", 3);
            NodeId away = others(cluster, leader(cluster)).getFirst();
            cutOff(cluster, List.of(away));
            for (int i = 102; i < 106; i++) {
                one(cluster, "" + i, 2);
                cluster.run(500);
            }
            heal(cluster);
            one(cluster, "106", 3);
            cluster.run(1_000);
            one(cluster, "107", 3);
        }

        @Test
        void failNoAgree() {
            TestCluster cluster = cluster(5);
            one(cluster, "10", 5);
            NodeId leader = leader(cluster);
            cutOff(cluster, others(cluster, leader).subList(0, 3));
            long id = cluster.propose(leader, "20");
            cluster.run(2_000);
            assertThat(cluster.confirmed).doesNotContain(id);
            heal(cluster);
            one(cluster, "30", 5);
            one(cluster, "1000", 5);
        }

        @Test
        void concurrentStarts() {
            TestCluster cluster = cluster(3);
            NodeId leader = cluster.awaitSettledLeader();
            List<Long> ids = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                ids.add(cluster.propose(leader, "" + i));
            }
            cluster.await("all", () -> cluster.confirmed.containsAll(ids));
            assertThat(commandCount(cluster)).isEqualTo(5);
        }

        @Test
        void rejoinOfPartitionedLeader() {
            TestCluster cluster = cluster(3);
            one(cluster, "101", 3);
            NodeId first = leader(cluster);
            cutOff(cluster, List.of(first));
            for (int i = 102; i < 105; i++) {
                cluster.propose(first, "" + i);
            }
            one(cluster, "103", 2);
            NodeId second = leader(cluster);
            cutOff(cluster, List.of(second));
            one(cluster, "104", 2);
            heal(cluster);
            one(cluster, "105", 3);
        }

        @Test
        void backUpQuicklyOverDivergentLogs() {
            TestCluster cluster = cluster(5);
            one(cluster, "first", 5);
            for (int round = 0; round < 3; round++) {
                // Fifty commands that cannot commit, in a leader and one follower.
                NodeId first = leader(cluster);
                NodeId companion = others(cluster, first).getFirst();
                List<NodeId> rest = others(cluster, first, companion);
                cluster.cut = (from, to) -> rest.contains(from) || rest.contains(to);
                for (int i = 0; i < 50; i++) {
                    cluster.propose(first, "lost " + round + " " + i);
                }
                cluster.run(500);
                // Fifty that do, in the other three.
                cutOff(cluster, List.of(first, companion));
                for (int i = 0; i < 50; i++) {
                    one(cluster, "kept " + round + " " + i, 3);
                }
                // Fifty more that cannot, in their leader and one more.
                NodeId second = leader(cluster);
                NodeId away = rest.stream().filter(id -> !id.equals(second)).findFirst().get();
                cutOff(cluster, List.of(first, companion, away));
                for (int i = 0; i < 50; i++) {
                    cluster.propose(second, "lost too " + round + " " + i);
                }
                cluster.run(500);
                // The first two and the one that was away go on.
                List<NodeId> silent = rest.stream().filter(id -> !id.equals(away)).toList();
                cutOff(cluster, silent);
                long before = cluster.messageCount;
                one(cluster, "again " + round, 3);
                // Elections and back-tracking over a hundred entries cost few messages.
                assertThat(cluster.messageCount - before).isLessThan(600);
                for (int i = 0; i < 50; i++) {
                    one(cluster, "more " + round + " " + i, 3);
                }
                heal(cluster);
                one(cluster, "all " + round, 5);
            }
        }

        @Test
        void rpcCountsAreNotTooHigh() {
            TestCluster cluster = cluster(3);
            cluster.awaitSettledLeader();
            assertThat(cluster.messageCount).as("to elect the first leader").isLessThan(50);
            NodeId leader = leader(cluster);
            long before = cluster.messageCount;
            List<Long> ids = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                ids.add(cluster.propose(leader, "" + i));
            }
            cluster.await("all", () -> cluster.confirmed.containsAll(ids));
            assertThat(cluster.messageCount - before)
                    .as("to agree on ten commands")
                    .isLessThanOrEqualTo((10 + 1 + 3) * 3);
            cluster.run(1_000);
            before = cluster.messageCount;
            cluster.run(1_000);
            assertThat(cluster.messageCount - before).as("in an idle second").isLessThan(60);
        }
    }

    @Nested
    class Lab3C_Persistence {
        @Test
        void persist1() {
            TestCluster cluster = cluster(3);
            one(cluster, "11", 3);
            for (NodeId id : others(cluster)) {
                crash(cluster, id);
            }
            for (NodeId id : others(cluster)) {
                restart(cluster, id);
            }
            one(cluster, "12", 3);
            NodeId leader = leader(cluster);
            crash(cluster, leader);
            restart(cluster, leader);
            one(cluster, "13", 3);
            NodeId second = leader(cluster);
            crash(cluster, second);
            one(cluster, "14", 2);
            restart(cluster, second);
            one(cluster, "15", 3);
            NodeId follower = others(cluster, leader(cluster)).getFirst();
            crash(cluster, follower);
            one(cluster, "16", 2);
            restart(cluster, follower);
            one(cluster, "17", 3);
            assertThat(commandCount(cluster)).isGreaterThanOrEqualTo(7);
        }

        @Test
        void persist2MorePartitionsAndCrashes() {
            TestCluster cluster = cluster(5);
            List<NodeId> all = others(cluster);
            for (int i = 0; i < 5; i++) {
                one(cluster, "a" + i, 5);
                int at = all.indexOf(leader(cluster));
                crash(cluster, all.get((at + 1) % 5));
                crash(cluster, all.get((at + 2) % 5));
                one(cluster, "b" + i, 3);
                crash(cluster, all.get(at));
                crash(cluster, all.get((at + 3) % 5));
                crash(cluster, all.get((at + 4) % 5));
                restart(cluster, all.get((at + 1) % 5));
                restart(cluster, all.get((at + 2) % 5));
                cluster.run(1_000);
                restart(cluster, all.get((at + 3) % 5));
                one(cluster, "c" + i, 3);
                restart(cluster, all.get((at + 4) % 5));
                restart(cluster, all.get(at));
            }
            one(cluster, "1000", 5);
        }

        @Test
        void persist3PartitionedLeaderAndOneFollowerCrash() {
            TestCluster cluster = cluster(3);
            one(cluster, "101", 3);
            NodeId leader = leader(cluster);
            NodeId away = others(cluster, leader).get(1);
            cutOff(cluster, List.of(away));
            one(cluster, "102", 2);
            NodeId follower = others(cluster, leader, away).getFirst();
            crash(cluster, leader);
            crash(cluster, follower);
            heal(cluster);
            restart(cluster, leader);
            one(cluster, "103", 2);
            restart(cluster, follower);
            one(cluster, "104", 3);
        }

        @Test
        void figure8() {
            figure8(cluster(5));
        }

        @Test
        void figure8Unreliable() {
            TestCluster cluster = cluster(5);
            unreliable(cluster);
            figure8(cluster);
        }

        /** Leaders accept a command, bring it to few or none, and crash; never fewer than three. */
        private void figure8(TestCluster cluster) {
            one(cluster, "first", 1);
            int up = 5;
            List<NodeId> all = others(cluster);
            for (int i = 0; i < 300; i++) {
                NodeId leader = null;
                for (NodeId id : all) {
                    if (cluster.node(id).raft != null
                            && cluster.node(id).raft().role() == Effect.RoleName.LEADER) {
                        cluster.propose(id, "c" + i);
                        leader = id;
                    }
                }
                cluster.run(random.nextInt(1_000) < 100 ? random.nextInt(500) : random.nextInt(13));
                if (leader != null) {
                    crash(cluster, leader);
                    up--;
                }
                while (up < 3) {
                    NodeId id = all.get(random.nextInt(5));
                    if (cluster.node(id).raft == null) {
                        restart(cluster, id);
                        up++;
                    }
                }
                if (leader == null) {
                    cluster.run(random.nextInt(500));
                }
            }
            converges(cluster);
        }

        @Test
        void unreliableAgree() {
            TestCluster cluster = cluster(5);
            unreliable(cluster);
            for (int i = 1; i < 50; i++) {
                for (int j = 0; j < 4; j++) {
                    cluster.propose(leader(cluster), "x" + i + " " + j);
                }
                one(cluster, "y" + i, 1);
            }
            reliable(cluster);
            one(cluster, "100", 5);
        }

        @Test
        void reliableChurn() {
            churn(false);
        }

        @Test
        void unreliableChurn() {
            churn(true);
        }

        /** Clients go on while nodes crash, come back, are cut off and return. */
        private void churn(boolean unreliable) {
            TestCluster cluster = cluster(5);
            if (unreliable) {
                unreliable(cluster);
            }
            List<NodeId> all = others(cluster);
            TreeSet<NodeId> away = new TreeSet<>();
            List<Long> asked = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                NodeId victim = all.get(random.nextInt(5));
                switch (random.nextInt(5)) {
                    case 0 -> away.add(victim);
                    case 1 -> away.clear();
                    case 2 -> crash(cluster, victim);
                    default -> {
                        if (cluster.node(victim).raft == null) {
                            restart(cluster, victim);
                        }
                    }
                }
                cutOff(cluster, List.copyOf(away));
                for (NodeId id : all) {
                    if (cluster.node(id).raft != null) {
                        asked.add(cluster.propose(id, "c" + i));
                    }
                }
                cluster.run(random.nextInt(700));
            }
            converges(cluster);
            cluster.run(5_000);
            // Each was answered, once, and what was confirmed is in the log.
            assertThat(cluster.confirmed.size()).isGreaterThan(20);
            assertThat(commandCount(cluster)).isGreaterThanOrEqualTo(cluster.confirmed.size());
            for (long id : asked) {
                int answers =
                        (cluster.confirmed.contains(id) ? 1 : 0)
                                + (cluster.refused.contains(id) ? 1 : 0)
                                + (cluster.unknown.contains(id) ? 1 : 0);
                // Of requests to a node that crashed nobody hears.
                assertThat(answers).isLessThanOrEqualTo(1);
            }
        }
    }

    @Nested
    class Lab3D_Snapshots {
        @Test
        void snapshotBasic() {
            snapshots(false, false, false);
        }

        @Test
        void snapshotInstallDisconnect() {
            snapshots(true, false, false);
        }

        @Test
        void snapshotInstallDisconnectUnreliable() {
            snapshots(true, true, false);
        }

        @Test
        void snapshotInstallCrash() {
            snapshots(false, false, true);
        }

        @Test
        void snapshotInstallUnreliableCrash() {
            snapshots(false, true, true);
        }

        private void snapshots(boolean disconnect, boolean unreliable, boolean crash) {
            TestCluster cluster = withSnapshots(3);
            if (unreliable) {
                unreliable(cluster);
            }
            one(cluster, "first", 3);
            for (int i = 0; i < 20; i++) {
                NodeId leader = leader(cluster);
                NodeId victim = i % 3 == 1 ? leader : others(cluster, leader).getFirst();
                if (disconnect) {
                    cutOff(cluster, List.of(victim));
                    one(cluster, "a" + i, 2);
                }
                if (crash) {
                    crash(cluster, victim);
                    one(cluster, "a" + i, 2);
                }
                for (int j = 0; j < 30; j++) {
                    cluster.propose(leader(cluster), "c" + i + " " + j);
                }
                one(cluster, "b" + i, disconnect || crash ? 2 : 3);
                cluster.run(500);
                heal(cluster);
                if (crash) {
                    restart(cluster, victim);
                }
                one(cluster, "d" + i, 3);
            }
            // The logs stay short, and whoever was away for long was sent a snapshot.
            cluster.nodes
                    .values()
                    .forEach(node -> assertThat(node.raft().logBytes()).isLessThan(20_000));
            if (disconnect || crash) {
                assertThat(cluster.nodes.values())
                        .anySatisfy(node -> assertThat(node.restored).isNotEmpty());
            }
        }

        @Test
        void crashAndRestartAllServers() {
            TestCluster cluster = withSnapshots(3);
            one(cluster, "first", 3);
            for (int i = 0; i < 10; i++) {
                for (int j = 0; j < 20; j++) {
                    one(cluster, "c" + i + " " + j, 3);
                }
                others(cluster).forEach(id -> crash(cluster, id));
                others(cluster).forEach(id -> restart(cluster, id));
                one(cluster, "d" + i, 3);
            }
        }

        @Test
        void snapshotInitialisationAfterCrash() {
            TestCluster cluster = withSnapshots(3);
            for (int i = 0; i < 30; i++) {
                one(cluster, "c" + i, 3);
            }
            others(cluster).forEach(id -> crash(cluster, id));
            others(cluster).forEach(id -> restart(cluster, id));
            for (NodeId id : others(cluster)) {
                // What the snapshot stands for counts as applied at once, and is not lost again.
                Snapshot snapshot = Objects.requireNonNull(cluster.node(id).raft().snapshot());
                assertThat(cluster.node(id).raft().appliedIndex()).isEqualTo(snapshot.index());
            }
            one(cluster, "after", 3);
            others(cluster).forEach(id -> crash(cluster, id));
            others(cluster).forEach(id -> restart(cluster, id));
            one(cluster, "again", 3);
        }
    }
}
