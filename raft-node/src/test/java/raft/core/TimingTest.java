package raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * §5.6 Timing and availability: with broadcast time ≪ election timeout ≪ time between failures
 * there is a steady leader; where that does not hold the cluster may stand still, but is never
 * wrong, and goes on once it holds again. In virtual time, with an election timeout of 500 ms.
 */
final class TimingTest {
    private static final long TIMEOUT_MILLIS = 500;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void leaderIsSteadyWhereBroadcastsAreMuchFasterThanTheTimeout(long seed) {
        TestCluster cluster = new TestCluster(5, seed);
        cluster.delayMillisMax = 20;
        cluster.syncMillisMax = 20;
        NodeId leader = cluster.awaitSettledLeader();
        long term = cluster.node(leader).raft().term();
        cluster.run(600_000);
        assertThat(cluster.leader()).isEqualTo(leader);
        assertThat(cluster.node(leader).raft().term()).isEqualTo(term);
    }

    /**
     * §5.6: "unavailable for roughly the election timeout". A wait of one to two timeouts, a
     * pre-vote and a vote; a second attempt where two stood at once.
     */
    @Test
    void withoutItsLeaderTheClusterIsUnavailableForAboutAnElectionTimeout() {
        List<Long> gaps = new ArrayList<>();
        for (long seed = 1; seed <= 100; seed++) {
            TestCluster cluster = new TestCluster(5, seed);
            cluster.awaitSettledLeader();
            cluster.run(new Random(seed).nextInt(1_000));
            NodeId old = cluster.awaitLeader();
            cluster.node(old).crash();
            long millis = 0;
            while (cluster.leader() == null) {
                cluster.run(1);
                millis++;
                assertThat(millis).as("seed %d", seed).isLessThan(10 * TIMEOUT_MILLIS);
            }
            NodeId next = cluster.awaitLeader();
            long write = cluster.propose(next, "served again");
            cluster.await("the write", () -> cluster.confirmed.contains(write));
            gaps.add(millis);
        }
        Collections.sort(gaps);
        assertThat(gaps.getFirst())
                .as("nobody stands early")
                .isGreaterThan(TIMEOUT_MILLIS * 8 / 10);
        assertThat(gaps.get(50)).isLessThan(2 * TIMEOUT_MILLIS);
        assertThat(gaps.get(95)).isLessThan(4 * TIMEOUT_MILLIS);
    }

    /** §5.2, §5.6: drawn timeouts resolve split votes, also where all begin at the same moment. */
    @Test
    void splitVotesAreResolvedSoon() {
        List<Long> waits = new ArrayList<>();
        for (long seed = 1; seed <= 100; seed++) {
            TestCluster cluster = new TestCluster(5, seed);
            cluster.delayMillisMax = 50;
            long millis = 0;
            while (cluster.leader() == null) {
                cluster.run(1);
                millis++;
                assertThat(millis).as("seed %d", seed).isLessThan(20 * TIMEOUT_MILLIS);
            }
            waits.add(millis);
        }
        Collections.sort(waits);
        assertThat(waits.get(50)).isLessThan(3 * TIMEOUT_MILLIS);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void broadcastsSlowerThanTheTimeoutCostAvailabilityNeverSafety(long seed) {
        TestCluster cluster = new TestCluster(5, seed);
        cluster.awaitSettledLeader();
        cluster.delayMillisMax = 8 * TIMEOUT_MILLIS;
        Random random = new Random(seed);
        List<NodeId> ids = List.copyOf(cluster.nodes.keySet());
        for (int i = 0; i < 200; i++) {
            // Figure 3's properties are checked after each event.
            cluster.propose(ids.get(random.nextInt(5)), "slow " + i);
            cluster.run(random.nextInt(500));
        }
        cluster.delayMillisMax = 5;
        // What is still on its way arrives first.
        cluster.run(10 * TIMEOUT_MILLIS);
        NodeId leader = cluster.awaitSettledLeader();
        long write = cluster.propose(leader, "fast again");
        cluster.await("the write", () -> cluster.confirmed.contains(write));
    }

    /** A majority that can talk is enough, whichever it is; without one nothing is confirmed. */
    @Test
    void availableExactlyWhileAMajorityIsUpAndConnected() {
        TestCluster cluster = new TestCluster(5, 11);
        List<NodeId> ids = List.copyOf(cluster.nodes.keySet());
        for (int set = 0; set < 1 << 5; set++) {
            int up = set;
            cluster.cut = (from, to) -> !isIn(up, ids, from) || !isIn(up, ids, to);
            cluster.run(10 * TIMEOUT_MILLIS);
            int before = cluster.confirmed.size();
            for (NodeId id : ids) {
                cluster.propose(id, "set " + set);
            }
            cluster.run(4 * TIMEOUT_MILLIS);
            assertThat(cluster.confirmed.size() > before)
                    .as("nodes up: %s", Integer.toBinaryString(set))
                    .isEqualTo(Integer.bitCount(set) >= 3);
            cluster.cut = (from, to) -> false;
            cluster.awaitSettledLeader();
        }
    }

    private static boolean isIn(int set, List<NodeId> ids, NodeId id) {
        return (set & (1 << ids.indexOf(id))) != 0;
    }
}
