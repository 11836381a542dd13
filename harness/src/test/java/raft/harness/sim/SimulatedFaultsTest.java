package raft.harness.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultPlan;
import raft.harness.nemesis.PlannedFault;

import java.util.List;

/** Every kind of fault in the simulated world: it comes, does what it says, and goes. */
final class SimulatedFaultsTest {
    private static final List<String> NODES = List.of("n1", "n2", "n3", "n4", "n5");

    /** Ten seconds of work on five calm nodes with one fault in the middle. */
    private static SimRun.Result run(FaultKind kind) {
        return run(kind, 10);
    }

    private static SimRun.Result run(FaultKind kind, int seconds) {
        PlannedFault fault = new PlannedFault(1, kind, 3_000, (seconds - 2) * 1_000L, NODES);
        return SimRun.run(
                new Scenario(
                        SimOptions.defaults(7, 5).calm(),
                        new FaultPlan(List.of(fault)),
                        seconds * 1_000_000_000L,
                        100,
                        10),
                NodeCode.right(),
                null);
    }

    private static List<HistoryEvent> ends(SimRun.Result result, String f) {
        return result.history().stream()
                .filter(
                        event ->
                                event.process() == HistoryEvent.NEMESIS
                                        && event.f().equals(f)
                                        && event.type() != HistoryEvent.Type.INVOKE)
                .toList();
    }

    private static String evidence(HistoryEvent event) {
        return event.value() instanceof Value.Seq(List<Value> lines) ? lines.toString() : "";
    }

    @ParameterizedTest
    @EnumSource(FaultKind.class)
    void kindIsInForceAndGoneAgainOrSkippedWithAReason(FaultKind kind) {
        SimRun.Result result = run(kind);
        HistoryEvent.Type wanted =
                SimulatedFaults.impossible().containsKey(kind)
                        ? HistoryEvent.Type.FAIL
                        : HistoryEvent.Type.OK;
        assertThat(ends(result, "inject"))
                .singleElement()
                .satisfies(
                        event -> {
                            assertThat(event.type()).isEqualTo(wanted);
                            assertThat(evidence(event)).hasSizeGreaterThan(10);
                        });
        // Cutting off what was synced is the one fault that no Raft survives for certain.
        if (kind != FaultKind.DISK_TRUNCATE) {
            assertThat(ends(result, "heal"))
                    .singleElement()
                    .satisfies(event -> assertThat(event.type()).isEqualTo(wanted));
            assertThat(result.what()).as(kind.label()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = FaultKind.class,
            names = {
                "PACKETS_LOSS",
                "PACKETS_DELAY",
                "PACKETS_DUPLICATE",
                "PACKETS_REORDER",
                "PACKETS_CORRUPT",
                "PACKETS_RATE",
                "PARTITION_FLAPPING"
            })
    void messagesAreConcernedInTheShareThatWasAskedFor(FaultKind kind) {
        String evidence = evidence(ends(run(kind), "heal").getFirst());
        long[] counts =
                java.util.regex.Pattern.compile("([0-9]+) of ([0-9]+) messages")
                        .matcher(evidence)
                        .results()
                        .flatMapToLong(
                                match ->
                                        java.util.stream.LongStream.of(
                                                Long.parseLong(match.group(1)),
                                                Long.parseLong(match.group(2))))
                        .toArray();
        assertThat(counts).as(evidence).hasSize(2);
        double share = (double) counts[0] / counts[1];
        switch (kind) {
            case PACKETS_LOSS, PACKETS_DUPLICATE, PACKETS_REORDER ->
                    assertThat(share).as(evidence).isBetween(0.15, 0.25);
            case PACKETS_CORRUPT -> assertThat(share).as(evidence).isBetween(0.01, 0.03);
            case PARTITION_FLAPPING -> assertThat(share).as(evidence).isBetween(0.02, 0.7);
            default -> assertThat(share).as(evidence).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"disk-error", "disk-full"})
    void nodeWithAFailingDiskHalts(String label) {
        // Long enough to need a new segment of the log.
        assertThat(evidence(ends(run(FaultKind.ofLabel(label), 40), "heal").getFirst()))
                .contains("runs again");
    }

    @Test
    void lostPowerTakesWritesThatWereUnderWay() {
        assertThat(evidence(ends(run(FaultKind.DISK_LOST_WRITES_LEADER), "inject").getFirst()))
                .matches(".*lost its power and [1-9][0-9]* writes that were not synced.*");
        assertThat(evidence(ends(run(FaultKind.DISK_TORN_WRITE), "inject").getFirst()))
                .contains("one of them in part");
    }

    @Test
    void nodeRefusesADiskWithAFlippedBit() {
        assertThat(evidence(ends(run(FaultKind.DISK_BIT_FLIP), "inject").getFirst()))
                .contains("refuses to start");
    }
}
