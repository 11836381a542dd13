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
        int restarts;

        @Override
        public void restarted() {
            restarts++;
            completions.clear();
        }

        @Override
        public void decided(Decision decision) {}

        @Override
        public void completed(Completion completion) {
            completions.add(completion);
        }

        @Override
        public void changed(Moment moment) {}
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
