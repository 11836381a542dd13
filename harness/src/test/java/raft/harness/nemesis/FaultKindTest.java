package raft.harness.nemesis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.util.List;

final class FaultKindTest {
    private static final List<String> ORDER = List.of("n4", "n2", "n5", "n1", "n3");

    private static List<Link> cut(FaultKind kind, String leader) {
        assertThat(kind.family()).isEqualTo(FaultKind.Family.PARTITION);
        return ((FaultAction.Cut) kind.resolve(ORDER, leader)).links();
    }

    @Test
    void leaderAloneIsCutFromEverybodyBothWays() {
        assertThat(cut(FaultKind.PARTITION_LEADER_ALONE, "n3"))
                .containsExactlyInAnyOrder(
                        new Link("n3", "n1"),
                        new Link("n3", "n2"),
                        new Link("n3", "n4"),
                        new Link("n3", "n5"),
                        new Link("n1", "n3"),
                        new Link("n2", "n3"),
                        new Link("n4", "n3"),
                        new Link("n5", "n3"));
    }

    @Test
    void muteAndDeafLeadersAreCutOneWay() {
        assertThat(cut(FaultKind.PARTITION_LEADER_MUTE, "n3"))
                .hasSize(4)
                .allMatch(link -> link.from().equals("n3"));
        assertThat(cut(FaultKind.PARTITION_LEADER_DEAF, "n3"))
                .hasSize(4)
                .allMatch(link -> link.to().equals("n3"));
    }

    @Test
    void leaderWithAMinorityKeepsOneFollowerOfFive() {
        List<Link> links = cut(FaultKind.PARTITION_LEADER_MINORITY, "n1");
        assertThat(links).hasSize(2 * 2 * 3);
        assertThat(links).doesNotContain(new Link("n1", "n4"), new Link("n4", "n1"));
    }

    @Test
    void halvesFollowTheDrawnOrder() {
        assertThat(cut(FaultKind.PARTITION_HALVES, "n1"))
                .hasSize(2 * 2 * 3)
                .contains(new Link("n4", "n5"), new Link("n5", "n2"))
                .doesNotContain(new Link("n4", "n2"), new Link("n5", "n1"));
    }

    @Test
    void oneWayCutsOnlyOneDirection() {
        List<Link> links = cut(FaultKind.PARTITION_ONE_WAY, "n1");
        assertThat(links)
                .hasSize(6)
                .allMatch(link -> !links.contains(new Link(link.to(), link.from())));
    }

    @Test
    void withoutAKnownLeaderTheFirstOfTheOrderStandsIn() {
        assertThat(FaultKind.KILL_LEADER.resolve(ORDER, null))
                .isEqualTo(new FaultAction.Kill(List.of("n4")));
        assertThat(FaultKind.KILL_LEADER.resolve(ORDER, "n1"))
                .isEqualTo(new FaultAction.Kill(List.of("n1")));
    }

    @Test
    void minoritiesLeaveAQuorumAndMajoritiesDoNot() {
        for (int count = 3; count <= 9; count++) {
            List<String> order =
                    java.util.stream.IntStream.rangeClosed(1, count)
                            .mapToObj(i -> "n" + i)
                            .toList();
            int quorum = count / 2 + 1;
            assertThat(
                            ((FaultAction.Kill) FaultKind.KILL_MINORITY.resolve(order, null))
                                    .nodes()
                                    .size())
                    .isBetween(1, count - quorum);
            assertThat(((FaultAction.Pause) FaultKind.PAUSE_MAJORITY.resolve(order, null)).nodes())
                    .hasSize(quorum);
        }
    }

    @Test
    void labelsAreReadBackAndUnknownOnesNamed() {
        for (FaultKind kind : FaultKind.values()) {
            assertThat(FaultKind.ofLabel(kind.label())).isSameAs(kind);
        }
        assertThatThrownBy(() -> FaultKind.ofLabel("partition-moon"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("partition-moon")
                .hasMessageContaining("kill-leader");
    }
}
