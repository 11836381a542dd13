package raft.harness.nemesis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import raft.harness.nemesis.FaultKind.Family;

import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

final class FaultPlanTest {
    private static final List<String> NODES = List.of("n1", "n2", "n3", "n4", "n5");
    private static final Set<Family> ALL = EnumSet.allOf(Family.class);

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
            assertThat(faults).hasSizeBetween(6, 12);
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

    @Test
    void allKindsAreDrawnAndTheLeaderMostOften() {
        Set<FaultKind> seen = new HashSet<>();
        long aimed = 0;
        long total = 0;
        for (long seed = 0; seed < 300; seed++) {
            for (PlannedFault fault : FaultPlan.generate(seed, NODES, ALL, 60_000).faults()) {
                seen.add(fault.kind());
                total++;
                aimed += fault.kind().aimsAtLeader() ? 1 : 0;
            }
        }
        assertThat(seen).containsExactlyInAnyOrder(FaultKind.values());
        assertThat((double) aimed / total).isGreaterThan(0.4);
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
