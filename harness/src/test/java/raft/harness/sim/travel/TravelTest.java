package raft.harness.sim.travel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.run.PlantedBug;
import raft.harness.sim.NodeCode;
import raft.harness.sim.Scenario;
import raft.harness.sim.SimOptions;
import raft.harness.sim.SimRun;
import raft.harness.sim.Steppable.Occurrence;
import raft.harness.sim.Steppable.Sort;
import raft.harness.sim.travel.Decision.Act;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

final class TravelTest {
    /** Remembers what it was told. */
    private static final class Witness implements Travel.Listener {
        final List<Completion> completions = new ArrayList<>();

        /** All that it was told since the beginning of time. */
        final List<Object> heard = new ArrayList<>();

        int restarts;

        @Override
        public void restarted() {
            restarts++;
            completions.clear();
            heard.clear();
        }

        @Override
        public void decided(Decision decision) {
            heard.add(decision);
        }

        @Override
        public void completed(Completion completion, long nowNanos) {
            completions.add(completion);
            heard.add(List.of(completion, nowNanos));
        }

        @Override
        public void changed(Moment moment) {
            heard.add(moment);
        }
    }

    private final Witness witness = new Witness();

    private Travel calm(long seed, int nodes) {
        return new Travel(
                NodeCode.right(), SimOptions.defaults(seed, nodes).calm(), List.of(), witness);
    }

    private static boolean hasLeader(Travel travel) {
        return travel.nodes().stream()
                .anyMatch(node -> travel.world().view(node).role().equals("leader"));
    }

    @Test
    void aRecordedRunIsRepeatedEventByEvent() {
        for (long seed : new long[] {1, 2, 3, 4}) {
            Recorded recorded = Recorded.of(Scenario.ofSeed(seed, 6_000), NodeCode.right());
            Travel travel =
                    new Travel(NodeCode.right(), recorded.options(), recorded.decisions(), witness);
            travel.goTo(recorded.eventCount());
            assertThat(travel.eventCount()).isEqualTo(recorded.eventCount());
            assertThat(travel.digest()).as("seed %d", seed).isEqualTo(recorded.digest());
        }
    }

    @Test
    void goingBackAndForthEndsInTheSameState() {
        Travel travel = calm(7, 3);
        travel.run(
                () ->
                        travel.nodes().stream()
                                .allMatch(n -> travel.world().view(n).commitIndex() > 0),
                Long.MAX_VALUE);
        travel.invoke(new Invocation(0, "n1", "write", Value.of("x"), Value.of(1), 2_000_000_000L));
        travel.run(() -> !witness.completions.isEmpty(), Long.MAX_VALUE);
        long event = travel.eventCount();
        long digest = travel.digest();
        travel.goTo(event / 2);
        assertThat(travel.eventCount()).isEqualTo(event / 2);
        assertThat(witness.completions).isEmpty();
        travel.goTo(event);
        assertThat(travel.digest()).isEqualTo(digest);
        assertThat(witness.completions)
                .singleElement()
                .isInstanceOfSatisfying(
                        Completion.Operation.class,
                        ended -> assertThat(ended.type()).isEqualTo(HistoryEvent.Type.OK));
        assertThat(witness.restarts).isEqualTo(1);
    }

    /**
     * By whatever way one comes to an event, one stands in the same world and was told the same.
     */
    @Test
    void goingBackEndsWhereAFreshRunDoes() {
        // Longer than what two worlds keep between each other.
        Recorded recorded = Recorded.of(Scenario.ofSeed(3, 30_000), NodeCode.right());
        Witness goer = new Witness();
        Travel travel =
                new Travel(NodeCode.right(), recorded.options(), recorded.decisions(), goer);
        long last = recorded.eventCount();
        assertThat(last).isGreaterThan(12_000);
        for (long number : new long[] {last - 1, last - 2, last - 9_000, 7}) {
            travel.goTo(number);
            assertSameAsFresh(travel, goer, recorded.decisions(), number);
        }
        travel.goTo(last / 2);
        long nanos = travel.nowNanos();
        travel.goToTime(nanos / 2);
        Witness other = new Witness();
        Travel fresh =
                new Travel(NodeCode.right(), recorded.options(), recorded.decisions(), other);
        fresh.goToTime(nanos / 2);
        assertThat(travel.nowNanos()).isEqualTo(fresh.nowNanos()).isEqualTo(nanos / 2);
        assertThat(travel.digest()).isEqualTo(fresh.digest());
        assertThat(goer.heard).isEqualTo(other.heard);
    }

    /** The same where a person has changed what happens, so that events no longer count alike. */
    @Test
    void goingBackKeepsWhatWasChangedByHand() {
        Recorded recorded = Recorded.of(Scenario.ofSeed(3, 10_000), NodeCode.right());
        Witness goer = new Witness();
        Travel travel =
                new Travel(NodeCode.right(), recorded.options(), recorded.decisions(), goer);
        travel.goTo(recorded.eventCount() / 3);
        for (Occurrence pending : travel.world().pending()) {
            if (pending.sort() == Sort.MESSAGE) {
                assertThat(travel.decide("drop", new Act.Drop(pending.sequence()))).isTrue();
            } else if (pending.sort() == Sort.TIMER) {
                assertThat(travel.decide("fire", new Act.Hasten(pending.sequence()))).isTrue();
            }
        }
        travel.run(() -> false, travel.nowNanos() + 2_000_000_000L);
        long event = travel.eventCount();
        long digest = travel.digest();
        List<Decision> decisions = travel.decisions();
        for (long number : new long[] {event - 1, event / 2, event}) {
            travel.goTo(number);
            assertThat(travel.decisions()).isEqualTo(decisions);
            assertSameAsFresh(travel, goer, decisions, number);
        }
        assertThat(travel.digest()).isEqualTo(digest);
    }

    private static void assertSameAsFresh(
            Travel travel, Witness goer, List<Decision> decisions, long number) {
        Witness other = new Witness();
        Travel fresh = new Travel(NodeCode.right(), travel.options(), decisions, other);
        fresh.goTo(number);
        assertThat(travel.eventCount()).isEqualTo(fresh.eventCount()).isEqualTo(number);
        assertThat(travel.digest()).as("event %d", number).isEqualTo(fresh.digest());
        assertThat(travel.nowNanos()).isEqualTo(fresh.nowNanos());
        assertThat(travel.moments()).isEqualTo(fresh.moments());
        assertThat(travel.world().pending()).isEqualTo(fresh.world().pending());
        assertThat(goer.heard).isEqualTo(other.heard);
        for (String node : travel.nodes()) {
            assertThat(travel.world().view(node)).isEqualTo(fresh.world().view(node));
        }
    }

    @Test
    void aDroppedVoteCostsTheElection() {
        Travel travel = calm(7, 3);
        travel.run(() -> hasLeader(travel), Long.MAX_VALUE);
        long elected = travel.eventCount();
        long electedNanos = travel.nowNanos();
        travel.goTo(0);
        // All votes of the first candidate are lost: another election is needed.
        int dropped = 0;
        while (travel.eventCount() < elected) {
            for (Occurrence pending : travel.world().pending()) {
                if (pending.sort() == Sort.MESSAGE
                        && pending.what().contains("VoteReply")
                        && !pending.what().contains("PreVote")) {
                    assertThat(travel.decide("drop", new Act.Drop(pending.sequence()))).isTrue();
                    dropped++;
                }
            }
            if (travel.step() == null) {
                break;
            }
        }
        assertThat(dropped).isPositive();
        assertThat(hasLeader(travel)).isFalse();
        travel.run(() -> hasLeader(travel), Long.MAX_VALUE);
        assertThat(travel.nowNanos()).isGreaterThan(electedNanos);
        long digest = travel.digest();
        long event = travel.eventCount();
        travel.goTo(10);
        travel.goTo(event);
        assertThat(travel.digest()).isEqualTo(digest);
    }

    @Test
    void whyTellsTheElectionBackwards() {
        Travel travel = calm(7, 3);
        travel.run(() -> hasLeader(travel), Long.MAX_VALUE);
        String leader =
                travel.nodes().stream()
                        .filter(node -> travel.world().view(node).role().equals("leader"))
                        .findFirst()
                        .orElseThrow();
        List<Moment> why = travel.why(leader, "role", 20);
        assertThat(why.getFirst().occurrence().what())
                .contains("VoteReply")
                .contains("granted=true");
        assertThat(why.getLast().occurrence().sort()).isEqualTo(Sort.TIMER);
        assertThat(travel.why(leader, "state", 20)).isEmpty();
    }

    @Test
    void aTimerFiredEarlyBeginsAnElection() {
        Travel travel = calm(7, 3);
        Occurrence timer =
                travel.world().pending().stream()
                        .filter(pending -> pending.sort() == Sort.TIMER)
                        .reduce((a, b) -> b)
                        .orElseThrow();
        assertThat(travel.decide("fire", new Act.Hasten(timer.sequence()))).isTrue();
        assertThat(travel.world().view(String.valueOf(timer.node())).role())
                .isEqualTo("pre-candidate");
        assertThat(travel.nowNanos()).isZero();
    }

    @Test
    void aFailedFsyncHaltsItsNode() {
        Travel travel = calm(7, 3);
        travel.run(
                () ->
                        travel.world().pending().stream()
                                .anyMatch(pending -> pending.sort() == Sort.DISK),
                Long.MAX_VALUE);
        Occurrence sync =
                travel.world().pending().stream()
                        .filter(pending -> pending.sort() == Sort.DISK)
                        .findFirst()
                        .orElseThrow();
        String node = String.valueOf(sync.node());
        var fault = Travel.halted(1, node);
        assertThat(travel.decide("fail", new Act.FailSync(sync.sequence(), fault))).isTrue();
        assertThat(travel.world().view(node).state()).isEqualTo("down");
        travel.heal(fault);
        travel.run(() -> travel.world().view(node).state().equals("up"), Long.MAX_VALUE);
        assertThat(travel.world().view(node).state()).isEqualTo("up");
    }

    /** The learner's story: load, first violation, back, one change, gone. */
    @Test
    void oneChangedDeliveryMakesAViolationDisappear() throws IOException {
        NodeCode code =
                NodeCode.planted(PlantedBug.named("C6"), Path.of("../raft-node/src/main/java"));
        Recorded failing = null;
        for (long seed = 1; seed < 60 && failing == null; seed++) {
            Recorded recorded = Recorded.of(Scenario.ofSeed(seed, 10_000), code);
            failing = recorded.result().finder() == SimRun.Finder.INVARIANT ? recorded : null;
        }
        assertThat(failing).isNotNull();
        Travel travel = new Travel(code, failing.options(), failing.decisions(), witness);
        travel.run(() -> !travel.brokenInvariants().isEmpty(), Long.MAX_VALUE);
        assertThat(travel.brokenInvariants()).isNotEmpty();
        Moment last = travel.moments().getLast();
        travel.goTo(last.number() - 1);
        assertThat(travel.brokenInvariants()).isEmpty();
        if (last.occurrence().sort() == Sort.MESSAGE) {
            assertThat(travel.decide("drop", new Act.Drop(last.occurrence().sequence()))).isTrue();
            travel.step();
            assertThat(travel.brokenInvariants()).isEmpty();
        }
    }
}
