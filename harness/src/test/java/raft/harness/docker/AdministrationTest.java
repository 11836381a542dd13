package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.cluster.NodeStatus;

import java.util.List;

final class AdministrationTest {
    private static NodeStatus node(String name, String role, long term, String... voters) {
        return new NodeStatus(name, true, role, term, null, 9, 9, 9, List.of(voters), null, "{}");
    }

    @Test
    void votersAreThoseOfTheLeaderWhomAMajorityFollows() {
        assertThat(
                        Administration.committedVoters(
                                List.of(
                                        node("n1", "leader", 4, "n1", "n2", "n3"),
                                        node("n2", "leader", 7, "n2", "n3", "n4"),
                                        node("n3", "follower", 7, "n1", "n2", "n3"),
                                        node("n4", "follower", 7))))
                .containsExactly("n2", "n3", "n4");
    }

    @Test
    void deposedLeaderIsNotBelievedWhileItsSuccessorIsDown() {
        assertThat(
                        Administration.committedVoters(
                                List.of(
                                        node("n1", "leader", 4, "n1", "n2", "n3"),
                                        NodeStatus.unreachable("n2"),
                                        node("n3", "follower", 7, "n1", "n2", "n3"))))
                .isEmpty();
    }

    @Test
    void majorityIsOneOfTheVotersAndNotOfWhoeverElseFollows() {
        assertThat(
                        Administration.committedVoters(
                                List.of(
                                        node("n1", "leader", 4, "n1", "n2", "n3"),
                                        node("n4", "follower", 4, "n1", "n2", "n3"),
                                        node("n5", "follower", 4, "n1", "n2", "n3"))))
                .isEmpty();
    }

    @Test
    void votersAreUnknownWhileNobodyLeadsOrAChangeIsUnderWay() {
        assertThat(
                        Administration.committedVoters(
                                List.of(node("n1", "follower", 4, "n1", "n2", "n3"))))
                .isEmpty();
        assertThat(
                        Administration.committedVoters(
                                List.of(node("n1", "leader", 4), node("n2", "follower", 4))))
                .isEmpty();
    }
}
