package raft.harness.nemesis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

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

    private static List<String> heardBy(List<Link> cut, List<String> all, String receiver) {
        return all.stream()
                .filter(
                        sender ->
                                sender.equals(receiver)
                                        || !cut.contains(new Link(sender, receiver)))
                .toList();
    }

    private static List<String> nodes(int count) {
        return java.util.stream.IntStream.rangeClosed(1, count).mapToObj(i -> "n" + i).toList();
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4, 5, 6, 7, 8, 9})
    void onTheRingEverybodyHearsABareMajorityAndNoTwoTheSame(int count) {
        List<String> all = nodes(count);
        List<Link> cut =
                ((FaultAction.Cut) FaultKind.PARTITION_MAJORITIES_RING.resolve(all, null)).links();
        Set<List<String>> heard = new HashSet<>();
        for (String receiver : all) {
            List<String> senders = heardBy(cut, all, receiver);
            assertThat(senders).hasSize(count / 2 + 1);
            heard.add(senders);
        }
        assertThat(heard).hasSize(count);
    }

    @Test
    void overTheBridgeOneNodeHearsAllAndTheHalvesDoNotHearEachOther() {
        List<Link> links = cut(FaultKind.PARTITION_BRIDGE, null);
        assertThat(heardBy(links, ORDER, "n3")).hasSize(5);
        assertThat(heardBy(links, ORDER, "n4")).containsExactly("n4", "n2", "n3");
        assertThat(heardBy(links, ORDER, "n1")).containsExactly("n5", "n1", "n3");
    }

    @Test
    void majorityEachAloneLeavesNoQuorum() {
        for (int count = 3; count <= 9; count++) {
            List<String> all = nodes(count);
            List<Link> links =
                    ((FaultAction.Cut) FaultKind.PARTITION_MAJORITY.resolve(all, null)).links();
            for (String node : all) {
                assertThat(heardBy(links, all, node).size()).isLessThanOrEqualTo(count / 2);
            }
        }
    }

    @Test
    void leaderWithTheMajorityKeepsABareQuorum() {
        List<Link> links = cut(FaultKind.PARTITION_LEADER_MAJORITY, "n3");
        assertThat(heardBy(links, ORDER, "n3")).hasSize(3);
    }

    /** A member that does not vote must not be counted for a quorum. */
    @Test
    void sidesAreCountedInCommittedVoters() {
        View view = new View("n1", List.of("n1", "n2", "n3"));
        List<Link> links =
                ((FaultAction.Cut)
                                FaultKind.PARTITION_LEADER_MAJORITY.resolve(ORDER, view, Map.of()))
                        .links();
        assertThat(heardBy(links, ORDER, "n1")).containsExactly("n2", "n1");
        assertThat(FaultKind.KILL_MAJORITY.resolve(ORDER, view, Map.of()))
                .isEqualTo(new FaultAction.Kill(List.of("n2", "n1")));
    }

    @Test
    void growingTakesAMemberThatDoesNotVoteElseANewName() {
        View view = new View("n1", List.of("n1", "n2", "n3"));
        assertThat(FaultKind.MEMBERSHIP_GROW.resolve(ORDER, view, Map.of()))
                .isEqualTo(new FaultAction.AddVoter("n4"));
        assertThat(FaultKind.MEMBERSHIP_GROW.resolve(ORDER, null))
                .isEqualTo(new FaultAction.AddVoter("n6"));
    }

    @Test
    void everyKindCanBeDecidedForEverySizeOfCluster() {
        for (FaultKind kind : FaultKind.values()) {
            for (int count = 1; count <= 9; count++) {
                assertThat(kind.resolve(nodes(count), null).toString()).isNotEmpty();
            }
        }
    }

    @Test
    void parametersHaveRangesAndNames() {
        assertThat(FaultKind.CLOCK_JUMP.resolve(ORDER, View.UNKNOWN, Map.of("offsetMillis", 7L)))
                .isEqualTo(new FaultAction.ClockJump(List.of("n4", "n2"), 7));
        assertThatThrownBy(
                        () ->
                                FaultKind.CLOCK_DRIFT.complete(
                                        new TreeMap<>(Map.of("ratePercent", 3L))))
                .hasMessageContaining("50 to 200");
        assertThatThrownBy(() -> FaultKind.KILL_ONE.complete(new TreeMap<>(Map.of("moon", 3L))))
                .hasMessageContaining("kill-one has no parameter 'moon'");
    }

    @Test
    void triggersAreReadBack() {
        for (Trigger trigger :
                List.of(Trigger.TIME, new Trigger.LeaderElected(), new Trigger.LogIndex(500))) {
            assertThat(Trigger.parse(trigger.toString())).isEqualTo(trigger);
        }
        assertThatThrownBy(() -> Trigger.parse("log-index soon")).hasMessageContaining("soon");
        assertThatThrownBy(() -> Trigger.parse("moon")).hasMessageContaining("leader-elected");
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
