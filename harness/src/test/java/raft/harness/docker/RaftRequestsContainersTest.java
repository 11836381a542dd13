package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

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

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Changes of members and requests to Raft itself, on three of our real nodes and a spare one; what
 * came of each is read from the nodes' own status, beside what the fault says of itself.
 */
@Tag("containers")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class RaftRequestsContainersTest {
    private final StandInCluster cluster;

    RaftRequestsContainersTest(@TempDir Path folder) throws IOException {
        ContainerEngine.require().close();
        cluster = StandInCluster.startReal(folder, 3, 1);
    }

    @AfterEach
    void membersAreAsAtTheStart() throws Exception {
        cluster.cluster().healAll();
        assertThat(voters()).containsExactlyInAnyOrder("n1", "n2", "n3");
    }

    @AfterAll
    void close() {
        cluster.close();
    }

    private static FaultOutcome assertProven(FaultOutcome outcome) {
        assertThat(outcome.status()).as("%s", outcome).isEqualTo(Status.INSTALLED);
        return outcome;
    }

    private NodeStatus leader() throws InterruptedException {
        long deadline = System.nanoTime() + 15_000_000_000L;
        while (System.nanoTime() < deadline) {
            NodeStatus leader =
                    cluster.observe().stream()
                            .filter(NodeStatus::isLeader)
                            .max(Comparator.comparingLong(NodeStatus::term))
                            .orElse(null);
            if (leader != null && !leader.voters().isEmpty()) {
                return leader;
            }
            Thread.sleep(50);
        }
        throw new AssertionError("nobody leads");
    }

    private NodeStatus status(String node) throws InterruptedException {
        return cluster.observe().stream()
                .filter(status -> status.node().equals(node))
                .findFirst()
                .orElseThrow();
    }

    private Set<String> voters() throws InterruptedException {
        return new TreeSet<>(leader().voters());
    }

    private String follower() throws InterruptedException {
        String leader = leader().node();
        return voters().stream().filter(node -> !node.equals(leader)).findFirst().orElseThrow();
    }

    private static long snapshotIndex(NodeStatus status) {
        return JsonMapper.shared().readTree(status.json()).at("/snapshot/index").asLong(0);
    }

    private static String bootId(NodeStatus status) {
        return JsonMapper.shared().readTree(status.json()).at("/bootId").asString();
    }

    @Test
    void spareNodeIsNoMemberUntilTheClusterGrowsByItAndNoneAfterwards() throws Exception {
        assertThat(cluster.cluster().nodes()).containsExactly("n1", "n2", "n3");
        assertThat(cluster.cluster().spares()).containsExactly("n4");
        assertThat(cluster.cluster().impossible()).doesNotContainKey(FaultKind.MEMBERSHIP_GROW);
        assertThat(status("n4").lastIndex()).isZero();

        Injected grown = cluster.inject(new FaultAction.AddVoter("n4"));
        assertProven(grown.outcome());
        assertThat(voters()).containsExactlyInAnyOrder("n1", "n2", "n3", "n4");
        assertThat(status("n4").voters()).contains("n4");
        assertThat(status("n4").appliedIndex()).isPositive();

        assertProven(cluster.heal(grown));
        assertThat(voters()).containsExactlyInAnyOrder("n1", "n2", "n3");
        // A second time it has the log of the first.
        Injected again = cluster.inject(new FaultAction.AddVoter("n4"));
        assertProven(again.outcome());
        assertProven(cluster.heal(again));
    }

    @Test
    void nodeWithoutAPodCannotBeAdded() throws Exception {
        Injected grown = cluster.inject(new FaultAction.AddVoter("n5"));
        assertThat(grown.outcome().status()).isEqualTo(Status.SKIPPED);
        assertThat(grown.outcome().evidence().getFirst()).contains("there is no pod for n5");
    }

    @Test
    void clusterShrinksByAFollowerAndGetsItBack() throws Exception {
        String follower = follower();
        Injected shrunk = cluster.inject(new FaultAction.RemoveVoter(follower));
        assertProven(shrunk.outcome());
        assertThat(voters()).hasSize(2).doesNotContain(follower);
        // Two are too few for one to go.
        Injected second = cluster.inject(new FaultAction.RemoveVoter(follower()));
        assertThat(second.outcome().status()).isEqualTo(Status.SKIPPED);
        assertThat(second.outcome().evidence().getFirst()).contains("losing the quorum");
        assertProven(cluster.heal(shrunk));
        assertThat(status(follower).voters()).contains(follower);
    }

    @Test
    void memberDoesNotComeBackWhileNoMajorityRunsAndThatIsSaidAndMended() throws Exception {
        String out = follower();
        Injected shrunk = cluster.inject(new FaultAction.RemoveVoter(out));
        assertProven(shrunk.outcome());
        // The two that are left are both needed.
        Injected frozen = cluster.inject(new FaultAction.Pause(List.of(follower())));
        assertProven(frozen.outcome());
        assertThat(cluster.heal(shrunk).status()).isEqualTo(Status.INDETERMINATE);
        assertProven(cluster.heal(frozen));
        assertProven(cluster.heal(shrunk));
        assertThat(voters()).contains(out);
    }

    @Test
    void removedLeaderIsFollowedByAnotherOfTheOthers() throws Exception {
        NodeStatus before = leader();
        Injected removed = cluster.inject(new FaultAction.RemoveVoter(before.node()));
        assertProven(removed.outcome());
        NodeStatus after = leader();
        assertThat(after.node()).isNotEqualTo(before.node());
        assertThat(after.term()).isGreaterThan(before.term());
        assertThat(after.voters()).hasSize(2).doesNotContain(before.node());
        assertProven(cluster.heal(removed));
    }

    @Test
    void replacedMemberComesBackEmptyAndCatchesUp() throws Exception {
        NodeStatus before = status(follower());
        Injected replaced = cluster.inject(new FaultAction.ReplaceVoter(before.node()));
        assertProven(replaced.outcome());
        NodeStatus wiped = status(before.node());
        assertThat(bootId(wiped)).isNotEqualTo(bootId(before));
        assertThat(wiped.term()).as("it has forgotten its terms").isLessThan(before.term());
        assertThat(wiped.lastIndex()).isLessThan(before.lastIndex());
        assertThat(voters()).doesNotContain(before.node());
        assertProven(cluster.heal(replaced));
        assertThat(status(before.node()).appliedIndex())
                .isGreaterThanOrEqualTo(before.appliedIndex());
    }

    @Test
    void leadershipGoesToWhomItIsTransferred() throws Exception {
        NodeStatus before = leader();
        String follower = follower();
        Injected transfer = cluster.inject(new FaultAction.TransferLeadership(follower));
        assertProven(transfer.outcome());
        assertThat(leader().node()).isEqualTo(follower);
        assertThat(leader().term()).isGreaterThan(before.term());
        assertProven(cluster.heal(transfer));
    }

    @Test
    void electionOutOfTurnMakesANewTerm() throws Exception {
        NodeStatus before = leader();
        String follower = follower();
        Injected election = cluster.inject(new FaultAction.StartElection(follower));
        assertProven(election.outcome());
        assertThat(leader().term()).isGreaterThan(before.term());
        assertThat(leader().node()).isEqualTo(follower);
        assertProven(cluster.heal(election));
    }

    @Test
    void snapshotIsTakenAtWhatWasAppliedAndTheLogBeforeItGoes() throws Exception {
        List<String> all = List.of("n1", "n2", "n3");
        long applied = leader().appliedIndex();
        Injected snapshot = cluster.inject(new FaultAction.TakeSnapshot(all));
        assertProven(snapshot.outcome());
        assertThat(snapshot.outcome().evidence()).hasSize(3);
        assertThat(snapshotIndex(leader())).isGreaterThanOrEqualTo(applied);
    }

    @Test
    void nodeThatIsDownTakesItsSnapshotWhenItIsBack() throws Exception {
        List<String> down = List.of(follower());
        Injected kill = cluster.inject(new FaultAction.Kill(down));
        assertProven(kill.outcome());
        Injected snapshot =
                cluster.injectWhileHealing(
                        new FaultAction.TakeSnapshot(List.of("n1", "n2", "n3")), kill);
        assertProven(snapshot.outcome());
    }
}
