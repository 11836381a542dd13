package raft.harness.nemesis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import raft.harness.nemesis.FaultKind.Family;

import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

final class FaultPlanTest {
    private static final List<String> NODES = List.of("n1", "n2", "n3", "n4", "n5");
    private static final Set<Family> ALL = EnumSet.allOf(Family.class);
    private static final Set<FaultKind> DRAWN =
            Stream.of(Family.values())
                    .flatMap(family -> FaultKind.drawnOf(family).stream())
                    .collect(Collectors.toSet());

    @Test
    void sameSeedSamePlan() {
        assertThat(FaultPlan.generate(7, NODES, ALL, 60_000))
                .isEqualTo(FaultPlan.generate(7, NODES, ALL, 60_000));
        assertThat(FaultPlan.generate(8, NODES, ALL, 60_000))
                .isNotEqualTo(FaultPlan.generate(7, NODES, ALL, 60_000));
    }

    @Test
    void everyRequestedFamilyComesUpEvenInShortRuns() {
        for (long seed = 0; seed < 200; seed++) {
            for (long runMillis : new long[] {5_000, 15_000, 60_000}) {
                Set<Family> seen =
                        FaultPlan.generate(seed, NODES, ALL, runMillis).faults().stream()
                                .map(fault -> fault.kind().family())
                                .collect(Collectors.toSet());
                assertThat(seen).as("seed %d, %d ms", seed, runMillis).isEqualTo(ALL);
            }
        }
    }

    @Test
    void faultsEndBeforeTheRunAndLeaveTimeWithoutAny() {
        for (long seed = 0; seed < 200; seed++) {
            List<PlannedFault> faults = FaultPlan.generate(seed, NODES, ALL, 60_000).faults();
            assertThat(faults).hasSizeBetween(9, 18);
            long healthyMillis = 0;
            long endedMillis = 0;
            for (PlannedFault fault : faults) {
                assertThat(fault.endMillis()).isLessThan(60_000);
                healthyMillis += Math.max(0, fault.startMillis() - endedMillis);
                endedMillis = Math.max(endedMillis, fault.endMillis());
            }
            assertThat(healthyMillis).as("seed %d", seed).isGreaterThan(15_000);
        }
    }

    /** A frozen process cannot end gently, so the restart would be without proof. */
    @Test
    void pausesAndGentleEndsDoNotOverlap() {
        int overlaps = 0;
        for (long seed = 1; seed <= 300; seed++) {
            List<PlannedFault> faults =
                    FaultPlan.generate(seed, NODES, FaultChoice.parse("kill,pause"), 60_000)
                            .faults();
            for (int i = 1; i < faults.size(); i++) {
                PlannedFault before = faults.get(i - 1);
                if (faults.get(i).startMillis() < before.endMillis()) {
                    overlaps++;
                    String pair = before.kind() + " " + faults.get(i).kind();
                    assertThat(pair).doesNotMatch("(STOP|RESTART)\\w+ PAUSE.*");
                    assertThat(pair).doesNotMatch("PAUSE\\w+ (STOP|RESTART).*");
                }
            }
        }
        assertThat(overlaps).isGreaterThan(200);
    }

    @Test
    void allKindsAreDrawnAndTheLeaderMostOften() {
        Set<FaultKind> seen = new HashSet<>();
        long aimed = 0;
        long total = 0;
        for (long seed = 0; seed < 600; seed++) {
            for (PlannedFault fault : FaultPlan.generate(seed, NODES, ALL, 60_000).faults()) {
                seen.add(fault.kind());
                total++;
                aimed += fault.kind().prefersLeader() ? 1 : 0;
            }
        }
        assertThat(seen).isEqualTo(DRAWN);
        assertThat((double) aimed / total).isGreaterThan(0.4);
    }

    @Test
    void partitionsAndPausesGetMostOfALongRun() {
        Map<Family, Long> count =
                FaultPlan.generate(3, NODES, ALL, 3_600_000).faults().stream()
                        .collect(
                                Collectors.groupingBy(
                                        fault -> fault.kind().family(), Collectors.counting()));
        for (Family family : ALL) {
            if (!Family.USUAL.contains(family)) {
                assertThat(count.get(Family.PARTITION)).isGreaterThan(count.get(family));
                assertThat(count.get(Family.PAUSE)).isGreaterThan(count.get(family));
            }
        }
    }

    @Test
    void singleKindsAreDrawnAlone() {
        FaultPlan plan =
                FaultPlan.generate(4, NODES, FaultChoice.parse("clock-jump,disk-truncate"), 60_000);
        assertThat(plan.faults())
                .extracting(PlannedFault::kind)
                .containsOnly(FaultKind.CLOCK_JUMP, FaultKind.DISK_TRUNCATE);
    }

    @Test
    void whatIsNotPossibleIsNotDrawnUnlessItIsInsistedOn() {
        Set<FaultKind> impossible = EnumSet.copyOf(FaultKind.drawnOf(Family.CLOCK));
        assertThat(FaultChoice.parse("all").within(impossible).kinds())
                .doesNotContainAnyElementsOf(impossible)
                .contains(FaultKind.PARTITION_BRIDGE);
        assertThat(FaultChoice.parse("clock").within(impossible).kinds()).isEqualTo(impossible);
        impossible.remove(FaultKind.CLOCK_DRIFT);
        assertThat(FaultChoice.parse("clock").within(impossible).kinds())
                .containsExactly(FaultKind.CLOCK_DRIFT);
    }

    @Test
    void mistypedKindsAreAnsweredWithThoseOfTheFamily() {
        assertThatThrownBy(() -> FaultChoice.parse("clock-jmp"))
                .hasMessageContaining("no fault is called 'clock-jmp'")
                .hasMessageContaining("clock-jump")
                .hasMessageNotContaining("partition");
        assertThatThrownBy(() -> FaultChoice.parse("moon")).hasMessageContaining("partition, kill");
    }

    @Test
    void noFamilyNoFault() {
        assertThat(FaultPlan.generate(1, NODES, Set.of(), 60_000)).isEqualTo(FaultPlan.NONE);
    }

    @Test
    void idsMustDiffer() {
        PlannedFault fault = new PlannedFault(1, FaultKind.KILL_ONE, 0, 10, NODES);
        assertThatThrownBy(() -> new FaultPlan(List.of(fault, fault)))
                .hasMessageContaining("same id");
    }
}
