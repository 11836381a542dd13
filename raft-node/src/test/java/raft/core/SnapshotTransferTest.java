package raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;

/**
 * A snapshot on its way (§7), 25 pieces of it, and everything that can happen to a piece, to the
 * leader that sends it and to the follower that collects it. That no piece is kept before those in
 * front of it, and that what is sent is still on the sender's disk, {@link TestCluster} checks.
 */
final class SnapshotTransferTest {
    private static final int PIECE_BYTES = 100;

    private final TestCluster cluster =
            new TestCluster(3, 5, RaftConfig.Limits.DEFAULT.withSnapshots(600, PIECE_BYTES));
    private final List<Message.InstallSnapshot> pieces = new ArrayList<>();
    private NodeId leader = new NodeId("none");
    private NodeId behind = leader;

    /** One follower misses so much that its leader's log does not hold it any more. */
    @BeforeEach
    void leaveOneBehind() {
        leader = cluster.awaitSettledLeader();
        behind = otherThan(leader);
        NodeId away = behind;
        cluster.cut = (from, to) -> from.equals(away) || to.equals(away);
        write(60);
        assertThat(raft(leader).firstIndex()).isGreaterThan(raft(behind).lastIndex() + 1);
        cluster.lost =
                message -> {
                    seen(message);
                    return false;
                };
    }

    @Test
    void lostPieceIsSentAgainAndNoOtherIs() {
        cluster.lost =
                message ->
                        seen(message)
                                && pieces.getLast().offsetBytes() == 7 * PIECE_BYTES
                                && sent(7) == 1;
        heal();
        awaitCaughtUp();
        assertThat(sent(0)).isEqualTo(1);
        assertThat(sent(6)).isEqualTo(1);
        assertThat(sent(7)).isGreaterThan(1);
        assertThat(cluster.node(behind).restored).hasSize(1);
    }

    @Test
    void lostAnswerToAPieceIsGivenAgain() {
        List<Message> dropped = new ArrayList<>();
        cluster.lost =
                message -> {
                    boolean drop =
                            message instanceof Message.SnapshotReply reply
                                    && reply.wantedOffsetBytes() == 4 * PIECE_BYTES
                                    && dropped.isEmpty();
                    if (drop) {
                        dropped.add(message);
                    }
                    seen(message);
                    return drop;
                };
        heal();
        awaitCaughtUp();
        assertThat(dropped).hasSize(1);
        assertThat(sent(2)).isEqualTo(1);
        assertThat(cluster.node(behind).restored).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void piecesThatComeTwiceLateAndOutOfOrderMakeOneSnapshot(long seed) {
        TestCluster unruly =
                new TestCluster(3, seed, RaftConfig.Limits.DEFAULT.withSnapshots(600, PIECE_BYTES));
        NodeId first = unruly.awaitSettledLeader();
        NodeId away =
                unruly.nodes.keySet().stream().filter(id -> !id.equals(first)).toList().get(0);
        unruly.cut = (from, to) -> from.equals(away) || to.equals(away);
        for (int i = 0; i < 60; i++) {
            unruly.propose(first, "value " + i);
            unruly.run(20);
        }
        unruly.duplicateShare = 0.5;
        unruly.lossShare = 0.2;
        unruly.delayMillisMax = 60;
        unruly.cut = (from, to) -> false;
        unruly.await(
                "snapshot", () -> !unruly.node(away).restored.isEmpty() && unruly.leader() != null);
        unruly.lossShare = 0;
        unruly.awaitSettledLeader();
        assertThat(unruly.node(away).raft().appliedIndex()).isGreaterThan(60);
    }

    /**
     * Thesis §5.1 leaves open which is sent; one that starts over with each newer one never ends.
     */
    @Test
    void newerSnapshotDoesNotBeginTheTransferAnew() {
        heal();
        Snapshot before = Objects.requireNonNull(raft(leader).snapshot());
        for (int i = 0; cluster.node(behind).restored.isEmpty() && i < 10_000; i++) {
            cluster.propose(leader, "meanwhile " + i);
            cluster.run(1);
        }
        Snapshot after = Objects.requireNonNull(raft(leader).snapshot());
        assertThat(after.index()).as("a newer one was taken").isGreaterThan(before.index());
        assertThat(pieces).extracting(Message.InstallSnapshot::index).containsOnly(before.index());
        assertThat(pieces)
                .extracting(Message.InstallSnapshot::offsetBytes)
                .isSorted()
                .doesNotHaveDuplicates();
        awaitCaughtUp();
        assertThat(cluster.node(behind).restored).startsWith(before.index());
        cluster.run(1_000);
        assertThat(cluster.node(leader).files).as("the old one goes afterwards").hasSize(1);
    }

    @Test
    void anotherLeaderInTheMiddleBeginsWithItsOwnFile() {
        heal();
        cluster.await("half of it", () -> sent(12) > 0);
        NodeId old = leader;
        long oldTerm = raft(old).term();
        cluster.node(old).crash();
        cluster.await(
                "another leader", () -> cluster.leader() != null && !old.equals(cluster.leader()));
        leader = cluster.awaitLeader();
        awaitCaughtUp();
        assertThat(pieces.stream().filter(piece -> piece.term() > oldTerm).toList())
                .extracting(Message.InstallSnapshot::offsetBytes)
                .startsWith(0L)
                .hasSize(25);
        assertThat(cluster.node(behind).restored).hasSize(1);
        cluster.node(old).boot();
        cluster.awaitSettledLeader();
    }

    @Test
    void followerThatCrashesInTheMiddleCollectsFromTheStart() {
        heal();
        cluster.await("half of it", () -> sent(12) > 0);
        cluster.node(behind).crash();
        cluster.run(300);
        cluster.node(behind).boot();
        awaitCaughtUp();
        assertThat(sent(0)).isGreaterThan(1);
        assertThat(cluster.node(behind).restored).hasSize(1);
    }

    @Test
    void leaderThatCrashesAndLeadsAgainDoesNotGoOnWhereItWas() {
        Random random = new Random(3);
        heal();
        for (int i = 0; i < 5; i++) {
            cluster.run(10 + random.nextInt(40));
            NodeId now = cluster.awaitLeader();
            cluster.node(now).crash();
            cluster.run(100);
            cluster.node(now).boot();
        }
        leader = cluster.awaitLeader();
        awaitCaughtUp();
    }

    private boolean seen(Message message) {
        return message instanceof Message.InstallSnapshot piece && pieces.add(piece);
    }

    private long sent(int number) {
        return pieces.stream()
                .filter(piece -> piece.offsetBytes() == (long) number * PIECE_BYTES)
                .count();
    }

    private void heal() {
        cluster.cut = (from, to) -> false;
    }

    private void write(int count) {
        for (int i = 0; i < count; i++) {
            cluster.propose(leader, "value " + i);
            cluster.run(20);
        }
    }

    private void awaitCaughtUp() {
        cluster.await("caught up", () -> raft(behind).appliedIndex() >= raft(leader).commitIndex());
        cluster.awaitSettledLeader();
    }

    private Raft raft(NodeId id) {
        return cluster.node(id).raft();
    }

    private NodeId otherThan(NodeId id) {
        return cluster.nodes.keySet().stream()
                .filter(other -> !other.equals(id))
                .findFirst()
                .orElseThrow();
    }
}
