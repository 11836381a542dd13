package raft.harness.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import raft.harness.checker.Budget;
import raft.harness.cluster.Completion;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryReader;
import raft.harness.history.Value;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultChoice;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultKind.Family;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultPlan;
import raft.harness.nemesis.PlannedFault;
import raft.harness.nemesis.Trigger;
import raft.harness.report.Results;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Whole runs against a store in virtual time: right, wrong, silent, broken. */
final class TestRunTest {
    private static final List<String> NODES = List.of("n1", "n2", "n3");
    private static final FaultPlan PLAN =
            new FaultPlan(
                    List.of(
                            new PlannedFault(
                                    1, FaultKind.PARTITION_LEADER_ALONE, 2_000, 7_000, NODES),
                            new PlannedFault(2, FaultKind.KILL_LEADER, 8_000, 12_000, NODES)));

    @TempDir private Path root;

    private final FakeCluster cluster = new FakeCluster();

    private static Parameters parameters(double rate) {
        return new Parameters(
                "t1",
                "fake",
                "raft",
                null,
                null,
                3,
                "register",
                List.of("partition", "kill"),
                null,
                20_000,
                rate,
                10,
                1_000,
                42,
                "./raft test --seed 42",
                List.of());
    }

    private Results run(FaultPlan plan, TestRun.ClusterStarter starter)
            throws IOException, InterruptedException {
        return TestRun.run(
                parameters(200), plan, root, starter, Budget.DEFAULT, line -> {}, () -> false);
    }

    private Results run() throws IOException, InterruptedException {
        return run(PLAN, (folder, progress) -> cluster);
    }

    private History history(Results results) throws IOException {
        return HistoryReader.read(Path.of(results.run()).resolve("history.jsonl"));
    }

    @Test
    void rightStoreUnderProvenFaultsIsValid() throws Exception {
        Results results = run();
        assertThat(results.reasons()).isEmpty();
        assertThat(results.gates()).allMatch(Results.GateResult::passed);
        assertThat(results.verdict()).isEqualTo("valid");
        assertThat(results.operations()).isGreaterThan(3_500);
        assertThat(cluster.closed).isTrue();
        assertThat(cluster.healedAll).isTrue();
        assertThat(cluster.healed).isEqualTo(cluster.injected).hasSize(2);
    }

    @Test
    void everythingOfARunIsInItsFolderAndLatestPointsThere() throws Exception {
        Results results = run();
        Path folder = Path.of(results.run());
        assertThat(folder.getParent()).isEqualTo(root.resolve("register"));
        assertThat(folder.getFileName().toString()).matches("\\d{8}T\\d{6}-42");
        assertThat(folder).isDirectoryContaining(path -> path.endsWith("test.json"));
        assertThat(Files.readString(folder.resolve("test.json")))
                .contains("\"repeat\" : \"./raft test --seed 42\"");
        assertThat(Files.readString(folder.resolve("plan.json")))
                .contains("partition-leader-alone")
                .contains("\"resolved\" : \"cut [");
        assertThat(Files.readString(folder.resolve("results.json")))
                .contains("\"verdict\" : \"valid\"");
        assertThat(root.resolve("latest").toRealPath()).isEqualTo(folder.toRealPath());
    }

    @Test
    void historyIsATotalOrderOfPairsInWhichProcessesDoOneThingAtATime() throws Exception {
        History history = history(run());
        Map<Long, HistoryEvent> open = new HashMap<>();
        long lastNanos = 0;
        for (int i = 0; i < history.events().size(); i++) {
            HistoryEvent event = history.events().get(i);
            assertThat(event.index()).isEqualTo(i);
            assertThat(event.timeNanos()).isGreaterThanOrEqualTo(lastNanos);
            lastNanos = event.timeNanos();
            if (event.process() != HistoryEvent.NEMESIS) {
                if (event.type() == Type.INVOKE) {
                    assertThat(open.put(event.process(), event)).isNull();
                } else {
                    HistoryEvent invocation = open.remove(event.process());
                    assertThat(invocation).isNotNull();
                    assertThat(invocation.f()).isEqualTo(event.f());
                    assertThat(invocation.key()).isEqualTo(event.key());
                }
            }
        }
        assertThat(open).isEmpty();
        assertThat(
                        history.events().stream()
                                .filter(event -> event.process() == HistoryEvent.NEMESIS))
                .extracting(HistoryEvent::f)
                .containsExactly(
                        "inject", "inject", "heal", "heal", "inject", "inject", "heal", "heal");
    }

    @Test
    void staleReadIsAViolationWithTheOperationsConcerned() throws Exception {
        List<Value> seen = new ArrayList<>();
        cluster.answer =
                (asked, right) -> {
                    if (asked.f().equals("read")
                            && asked.key().equals(Value.of(0))
                            && right.type() == Type.OK) {
                        seen.add(right.value());
                        // Once the register has moved on, one read goes back to the beginning.
                        if (seen.size() == 40) {
                            return FakeCluster.operation(asked, Type.OK, Value.NIL, null);
                        }
                    }
                    return right;
                };
        Results results = run();
        assertThat(seen).hasSizeGreaterThan(40);
        assertThat(results.verdict()).isEqualTo("violation");
        assertThat(results.explanation()).isNotBlank();
        assertThat(results.counterexample()).isNotEmpty();
    }

    @Test
    void violationIsNotMaskedByALaterFailure() throws Exception {
        Set<Value> keys = new HashSet<>();
        int[] count = {0};
        cluster.answer =
                (asked, right) -> {
                    count[0]++;
                    if (count[0] == 3_000) {
                        throw new IllegalStateException("the harness broke");
                    }
                    if (asked.f().equals("read") && keys.add(asked.key())) {
                        return FakeCluster.operation(asked, Type.OK, Value.of(-1), null);
                    }
                    return right;
                };
        Results results = run();
        assertThat(results.verdict()).isEqualTo("violation");
        assertThat(results.reasons()).anyMatch(reason -> reason.contains("the harness broke"));
        assertThat(cluster.closed).isTrue();
    }

    @Test
    void faultThatIsNotProvenIsNoEvidence() throws Exception {
        cluster.onInject =
                fault ->
                        fault.kind().startsWith("partition")
                                ? new FaultOutcome(
                                        FaultOutcome.Status.INDETERMINATE,
                                        List.of("packets still pass"))
                                : FakeCluster.PROVEN;
        Results results = run();
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");
        assertThat(results.linearizability()).isEqualTo("valid");
        assertThat(results.gates())
                .filteredOn(gate -> !gate.passed())
                .extracting(Results.GateResult::name)
                .containsExactly("partition-proven");
    }

    @Test
    void faultThatTakesLongToBeInForceStaysThereAtLeastHalfOfItsTime() throws Exception {
        cluster.injectNanos = 900_000_000;
        Results results =
                run(
                        new FaultPlan(
                                List.of(
                                        new PlannedFault(
                                                1, FaultKind.PAUSE_ONE, 2_000, 3_000, NODES))),
                        (folder, progress) -> cluster);
        Results.FaultResult pause = results.faults().getFirst();
        assertThat(pause.installedMillis()).isBetween(2_900L, 3_000L);
        assertThat(pause.healAskedMillis() - pause.installedMillis()).isBetween(500L, 600L);
    }

    @Test
    void operationThatNeverSucceedsIsNoEvidence() throws Exception {
        cluster.answer =
                (asked, right) ->
                        asked.f().equals("cas")
                                ? FakeCluster.operation(
                                        asked, Type.FAIL, asked.value(), "refused: unsupported")
                                : right;
        Results results = run();
        assertThat(results.gates())
                .filteredOn(gate -> !gate.passed())
                .extracting(Results.GateResult::name)
                .containsExactly("cas-succeeded");
        assertThat(results.verdict()).isNotEqualTo("valid");
    }

    /**
     * As a cluster that is back only for the final reads: what it was asked under faults is lost.
     */
    @Test
    void systemThatHardlyDidAnythingIsNoEvidenceAlthoughEachKindSucceededAndAllKeysWereRead()
            throws Exception {
        cluster.refusal =
                asked ->
                        !cluster.healedAll && cluster.asked.size() > 200
                                ? "not-connected: Connection refused"
                                : null;
        Results results = run();
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");
        assertThat(results.linearizability()).isEqualTo("valid");
        assertThat(failed(results))
                .containsExactly("read-succeeded", "write-succeeded", "cas-succeeded");
        assertThat(results.gates().stream().filter(gate -> !gate.passed()))
                .allMatch(gate -> gate.words().matches("[1-9].* succeeded, and only .* 10 % .*"));
    }

    @Test
    void systemThatFaultsDeniedMostOfTheTimeIsEnoughEvidenceByWhatItDidBetween() throws Exception {
        cluster.refusal =
                asked ->
                        cluster.injected.size() > cluster.healed.size()
                                ? "refused: not-leader"
                                : null;
        Results results =
                run(
                        new FaultPlan(
                                List.of(
                                        new PlannedFault(
                                                1,
                                                FaultKind.PARTITION_MAJORITY,
                                                2_000,
                                                10_000,
                                                NODES),
                                        new PlannedFault(
                                                2, FaultKind.KILL_ALL, 11_000, 18_000, NODES))),
                        (folder, progress) -> cluster);
        assertThat(results.verdict()).as("%s", results.gates()).isEqualTo("valid");
    }

    /** Who holds the lock already turns everybody else down, and is at work all the same. */
    @Test
    void comparisonsThatFailedCountAsWork() throws Exception {
        int[] count = {0};
        cluster.answer =
                (asked, right) ->
                        asked.f().equals("cas") && ++count[0] > 10
                                ? FakeCluster.operation(
                                        asked, Type.FAIL, asked.value(), "compare-failed")
                                : right;
        assertThat(failed(run())).isEmpty();
    }

    @Test
    void leaderThatNeverChangesAlthoughAimedAtIsNoEvidence() throws Exception {
        cluster.leaderYields = false;
        Results results = run();
        assertThat(results.gates())
                .filteredOn(gate -> !gate.passed())
                .extracting(Results.GateResult::name)
                .containsExactly("leader-changed");
    }

    @Test
    void processThatMayStillBeAtItGoesOnUnderANewName() throws Exception {
        cluster.answer =
                (asked, right) ->
                        asked.f().equals("write") && asked.process() < 10
                                ? FakeCluster.operation(asked, Type.INFO, asked.value(), "timeout")
                                : right;
        History history = history(run());
        Set<Long> dead = new HashSet<>();
        for (HistoryEvent event : history.events()) {
            assertThat(dead).doesNotContain(event.process());
            if (event.type() == Type.INFO && event.process() >= 0) {
                dead.add(event.process());
            }
        }
        assertThat(dead).isNotEmpty();
        assertThat(history.events()).anyMatch(event -> event.process() >= 10);
    }

    @Test
    void clusterWhoseConnectionBreaksIsNotToldAsAFullDisk() throws Exception {
        int[] count = {0};
        cluster.answer =
                (asked, right) -> {
                    if (++count[0] == 500) {
                        throw new UncheckedIOException(new IOException("connection reset"));
                    }
                    return right;
                };
        assertThat(run().reasons())
                .anyMatch(reason -> reason.contains("connection reset"))
                .noneMatch(reason -> reason.contains("make room"));
    }

    @Test
    void runThatCannotBeRecordedSaysWhatToDo() throws Exception {
        Results results =
                run(
                        PLAN,
                        (folder, progress) -> {
                            Path samples = folder.resolve("nodes/n1/status.jsonl");
                            try {
                                Files.createDirectories(samples.resolve("in the way"));
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                            return cluster;
                        });
        assertThat(results.verdict()).isEqualTo("error");
        assertThat(results.reasons()).anyMatch(reason -> reason.contains("make room"));
    }

    @Test
    void clusterThatDoesNotComeUpIsAnErrorInItsOwnWords() throws Exception {
        Results results =
                run(
                        PLAN,
                        (folder, progress) -> {
                            throw new TestRun.ClusterException(
                                    "no Docker engine answers; start one with docker/engine up",
                                    null);
                        });
        assertThat(results.verdict()).isEqualTo("error");
        assertThat(results.reasons())
                .containsExactly("no Docker engine answers; start one with docker/engine up");
        assertThat(results.linearizability()).isEqualTo("not-checked");
    }

    @Test
    void interruptedRunKeepsAndJudgesWhatItHas() throws Exception {
        long[] asked = {0};
        Results results =
                TestRun.run(
                        parameters(200),
                        PLAN,
                        root,
                        (folder, progress) -> cluster,
                        Budget.DEFAULT,
                        line -> {},
                        () -> ++asked[0] > 2_000);
        assertThat(results.verdict()).isEqualTo("error");
        assertThat(results.linearizability()).isEqualTo("valid");
        assertThat(history(results).events()).isNotEmpty();
        assertThat(cluster.closed).isTrue();
    }

    @Test
    void planIsReadBackAsItWasSaved() throws Exception {
        FaultPlan plan = FaultPlan.generate(5, NODES, Set.of(Family.values()), 60_000);
        RunFolder folder = RunFolder.create(root, "register", 1, java.time.Instant.EPOCH);
        folder.save("plan.json", PlanFile.document(plan, null));
        assertThat(PlanFile.read(folder.path().resolve("plan.json"), NODES)).isEqualTo(plan);
    }

    private static PlannedFault triggered(long id, FaultKind kind, Trigger trigger, long start) {
        return new PlannedFault(
                id, kind, trigger, start, start + 1_000, NODES, kind.complete(new TreeMap<>()));
    }

    @Test
    void triggeredFaultBeginsWhenALeaderIsElectedAndLastsItsTime() throws Exception {
        Results results =
                run(
                        new FaultPlan(
                                List.of(
                                        triggered(
                                                1,
                                                FaultKind.PAUSE_ONE,
                                                new Trigger.LeaderElected(),
                                                1_000),
                                        new PlannedFault(
                                                2, FaultKind.KILL_LEADER, 5_000, 9_000, NODES))),
                        (folder, progress) -> cluster);
        Results.FaultResult pause =
                results.faults().stream().filter(f -> f.id() == 1).findFirst().orElseThrow();
        assertThat(pause.askedMillis()).isBetween(5_000L, 5_600L);
        assertThat(pause.healAskedMillis() - pause.askedMillis()).isBetween(950L, 1_100L);
    }

    @Test
    void faultAtALogIndexThatNeverComesIsNotEvidence() throws Exception {
        Results results =
                run(
                        new FaultPlan(
                                List.of(
                                        triggered(
                                                1,
                                                FaultKind.PAUSE_ONE,
                                                new Trigger.LogIndex(1),
                                                1_000),
                                        triggered(
                                                2,
                                                FaultKind.KILL_ONE,
                                                new Trigger.LogIndex(1_000_000),
                                                1_000))),
                        (folder, progress) -> cluster);
        assertThat(results.faults()).extracting(Results.FaultResult::id).containsExactly(1L);
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");
        assertThat(results.gates())
                .anyMatch(gate -> gate.name().equals("kill-proven") && !gate.passed());
    }

    private Results drawn(String faults) throws Exception {
        return TestRun.run(
                parameters(200),
                FaultChoice.parse(faults),
                null,
                root,
                (folder, progress) -> cluster,
                Budget.DEFAULT,
                line -> {},
                () -> false);
    }

    @Test
    void allIsWhatTheClusterCanDo() throws Exception {
        for (FaultKind kind : FaultKind.values()) {
            if (kind.family() != Family.PAUSE && kind.family() != Family.KILL) {
                cluster.impossible.put(kind, "not on this moon");
            }
        }
        Results all = drawn("all");
        assertThat(all.verdict()).as("%s", all).isEqualTo("valid");
        assertThat(all.faults())
                .extracting(Results.FaultResult::kind)
                .allMatch(kind -> cluster.impossible.get(FaultKind.ofLabel(kind)) == null);
    }

    @Test
    void kindThatWasAskedForByNameAndIsNotPossibleIsNotEnoughEvidence() throws Exception {
        cluster.impossible.put(FaultKind.PACKETS_DELAY, "not on this moon");
        cluster.onInject =
                fault -> new FaultOutcome(FaultOutcome.Status.SKIPPED, List.of("not on this moon"));
        Results one = drawn("packets-delay");
        assertThat(one.verdict()).isEqualTo("insufficient-evidence");
        assertThat(one.gates())
                .anyMatch(
                        gate ->
                                gate.name().equals("packets-delay-proven")
                                        && !gate.passed()
                                        && gate.words().contains("not on this moon"));
    }

    @Test
    void planForOtherNodesOrOfNonsenseIsRefusedInOneSentence() throws Exception {
        Path file = root.resolve("p.json");
        for (String bad :
                List.of(
                        "",
                        "{",
                        "[]",
                        "{\"schema\":3,\"faults\":[]}",
                        "{\"schema\":2,\"faults\":[{\"id\":1,\"kind\":\"clock-jump\",\"startMillis\":0,"
                            + "\"endMillis\":1,\"order\":[\"n1\",\"n2\",\"n3\"],"
                            + "\"parameters\":{\"offsetMoons\":1}}]}",
                        "{\"schema\":2,\"faults\":[{\"id\":1,\"kind\":\"kill-one\",\"trigger\":\"full"
                            + " moon\","
                            + "\"startMillis\":0,\"endMillis\":1,\"order\":[\"n1\",\"n2\",\"n3\"]}]}",
                        "{\"schema\":1}",
                        "{\"schema\":1,\"faults\":[{\"id\":1,\"kind\":\"kill-one\",\"startMillis\":5,\"endMillis\":1,"
                            + "\"order\":[\"n1\",\"n2\",\"n3\"]}]}",
                        "{\"schema\":1,\"faults\":[{\"id\":1,\"kind\":\"kill-moon\",\"startMillis\":0,\"endMillis\":1,"
                            + "\"order\":[\"n1\",\"n2\",\"n3\"]}]}",
                        "{\"schema\":1,\"faults\":[{\"id\":1,\"kind\":\"kill-one\",\"startMillis\":0,\"endMillis\":1,"
                            + "\"order\":[\"x\"]}]}",
                        "{\"schema\":1,\"faults\":[{\"id\":1,\"kind\":null,\"startMillis\":0,\"endMillis\":1}]}")) {
            Files.writeString(file, bad);
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> PlanFile.read(file, NODES))
                    .as(bad)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("p.json");
        }
    }

    @Test
    void nodeThatStoppedItselfByABugIsAViolationAlthoughTheHistoryIsLinearizable()
            throws Exception {
        Results results =
                run(
                        PLAN,
                        (folder, progress) -> {
                            write(
                                    folder.resolve("nodes/n2"),
                                    "2026-01-01T00:00:00.000Z INFO  n2 fine\n"
                                            + "2026-01-01T00:00:01.000Z ERROR n2 stopped by a bug:"
                                            + " election safety: n1 and n3 both lead term 3\n"
                                            + "  state: {}\n"
                                            + "java.lang.IllegalStateException: election safety\n");
                            return cluster;
                        });
        assertThat(results.verdict()).isEqualTo("violation");
        assertThat(results.linearizability()).isEqualTo("valid");
        assertThat(results.reasons())
                .containsExactly(
                        "n2 stopped by a bug: election safety: n1 and n3 both lead term 3");
    }

    @Test
    void crashOfAnyRunTimeInANodesLogIsAViolation() throws Exception {
        for (String words :
                List.of(
                        "panic: runtime error: index out of range",
                        "{\"level\":\"panic\",\"msg\":\"tocommit is out of range\"}",
                        "thread 'main' panicked at src/raft.rs:12:5",
                        "Traceback (most recent call last):",
                        "Exception in thread \"loop\" java.lang.NullPointerException")) {
            Results results =
                    run(
                            PLAN,
                            (folder, progress) -> {
                                write(
                                        folder.resolve("nodes/n3"),
                                        "started\n" + words + "\nbecause\n");
                                return new FakeCluster();
                            });
            assertThat(results.verdict()).as(words).isEqualTo("violation");
            assertThat(results.reasons().getFirst()).startsWith("n3 ").contains("| because");
        }
    }

    @Test
    void nodeThatEndedByItselfIsAViolation() throws Exception {
        cluster.crashes = List.of("n2 ended by itself with exit code 134");
        Results results = run();
        assertThat(results.verdict()).isEqualTo("violation");
        assertThat(results.reasons()).containsExactly("n2 ended by itself with exit code 134");
    }

    // ---- Evidence, piece by piece: each gate alone, and the run is not green

    private static List<String> failed(Results results) {
        return results.gates().stream()
                .filter(gate -> !gate.passed())
                .map(Results.GateResult::name)
                .toList();
    }

    @Test
    void faultThatIsNotProvenToBeGoneAgainIsNoEvidence() throws Exception {
        cluster.onHeal =
                fault ->
                        new FaultOutcome(
                                FaultOutcome.Status.INDETERMINATE,
                                List.of("was running before it was started again"));
        Results results = run();
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");
        assertThat(failed(results)).containsExactly("partition-proven", "kill-proven");
        assertThat(results.gates().stream().filter(gate -> !gate.passed()))
                .allMatch(gate -> gate.words().contains("not proven to be gone again"));
    }

    private Results twoPausesOfWhichTheFirst(
            FaultOutcome.Status injected, FaultOutcome.Status healed) throws Exception {
        FakeCluster other = new FakeCluster();
        other.onInject =
                fault ->
                        fault.id() == 1
                                ? new FaultOutcome(injected, List.of("no answer"))
                                : FakeCluster.PROVEN;
        other.onHeal =
                fault ->
                        fault.id() == 1
                                ? new FaultOutcome(healed, List.of("no answer"))
                                : FakeCluster.PROVEN;
        return run(
                new FaultPlan(
                        List.of(
                                new PlannedFault(1, FaultKind.PAUSE_ONE, 2_000, 5_000, NODES),
                                new PlannedFault(2, FaultKind.PAUSE_ONE, 8_000, 11_000, NODES))),
                (folder, progress) -> other);
    }

    /** What nobody saw begin may have begun all the same. */
    @Test
    void faultThatWasNeitherProvenToBeginNorToEndIsNoEvidenceWhateverOthersWere() throws Exception {
        Results results =
                twoPausesOfWhichTheFirst(
                        FaultOutcome.Status.INDETERMINATE, FaultOutcome.Status.INDETERMINATE);
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");
        assertThat(results.gates())
                .filteredOn(gate -> !gate.passed())
                .extracting(Results.GateResult::words)
                .containsExactly("1 of 2 pause faults were proven, 1 not proven to be gone again");
    }

    @ParameterizedTest
    @CsvSource({"INDETERMINATE, INSTALLED", "INDETERMINATE, SKIPPED", "SKIPPED, SKIPPED"})
    void faultThatWasNotProvenButIsCertainlyGoneSpoilsNothingThatOthersShow(
            FaultOutcome.Status injected, FaultOutcome.Status healed) throws Exception {
        assertThat(twoPausesOfWhichTheFirst(injected, healed).verdict()).isEqualTo("valid");
    }

    /** That fault is to end while most nodes are down. */
    private static FaultPlan endingInVain(FaultKind kind) {
        return new FaultPlan(
                List.of(
                        new PlannedFault(1, kind, 2_000, 5_000, NODES),
                        new PlannedFault(2, FaultKind.KILL_MAJORITY, 4_000, 19_900, NODES)));
    }

    private static final FaultOutcome NOBODY_LEADS =
            new FaultOutcome(FaultOutcome.Status.INDETERMINATE, List.of("no node leads"));

    @ParameterizedTest
    @EnumSource(names = {"MEMBERSHIP_SHRINK", "CLOCK_JUMP"})
    void faultThatAnotherKeptFromBeingProvenGoneIsAskedAgainWhenThatIsGone(FaultKind kind)
            throws Exception {
        cluster.onHeal =
                fault ->
                        fault.id() == 2 || cluster.healed.stream().anyMatch(done -> done.id() == 2)
                                ? FakeCluster.PROVEN
                                : NOBODY_LEADS;
        Results results = run(endingInVain(kind), (folder, progress) -> cluster);
        assertThat(cluster.healed).extracting(ActiveFault::id).containsExactly(1L, 2L, 1L);
        assertThat(results.faults()).allMatch(fault -> fault.healed().equals("installed"));
    }

    @Test
    void membersThatNeverComeBackAreReportedAsNotHealed() throws Exception {
        cluster.onHeal = fault -> fault.id() == 2 ? FakeCluster.PROVEN : NOBODY_LEADS;
        Results results =
                TestRun.run(
                        parameters(200),
                        FaultChoice.parse("membership-shrink,kill-majority"),
                        endingInVain(FaultKind.MEMBERSHIP_SHRINK),
                        root,
                        (folder, progress) -> cluster,
                        Budget.DEFAULT,
                        line -> {},
                        () -> false);
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");
        assertThat(failed(results)).containsExactly("membership-shrink-proven");
    }

    @Test
    void rateFarBelowWhatWasAskedIsNoEvidence() throws Exception {
        Results results =
                TestRun.run(
                        parameters(5_000),
                        PLAN,
                        root,
                        (folder, progress) -> cluster,
                        Budget.DEFAULT,
                        line -> {},
                        () -> false);
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");
        assertThat(failed(results)).containsExactly("rate");
        assertThat(results.gates().stream().filter(gate -> !gate.passed()))
                .allMatch(gate -> gate.words().endsWith("of 5000 that were asked for"));
    }

    @Test
    void operationsThatNeverOverlapAreNoEvidence() throws Exception {
        // One operation a second, each done in a hundredth of that.
        Results results =
                TestRun.run(
                        parameters(1),
                        FaultPlan.NONE,
                        root,
                        (folder, progress) -> cluster,
                        Budget.DEFAULT,
                        line -> {},
                        () -> false);
        assertThat(failed(results)).contains("concurrent");
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");
    }

    @Test
    void keysThatCannotBeReadAtTheEndAreNoEvidence() throws Exception {
        cluster.answer =
                (asked, right) ->
                        cluster.healedAll && asked.f().equals("read")
                                ? FakeCluster.operation(asked, Type.FAIL, asked.value(), "timeout")
                                : right;
        Results results = run();
        assertThat(failed(results)).contains("final-reads");
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");
        assertThat(results.availability().longestUnavailableMillis()).isGreaterThan(20_000);
    }

    @Test
    void membersThatEndInDifferentStatesAreAViolation() throws Exception {
        cluster.statusJson = node -> "{\"stateHash\":\"" + (node.equals("n3") ? "b" : "a") + "\"}";
        Results results = run();
        assertThat(results.verdict()).isEqualTo("violation");
        assertThat(results.linearizability()).isEqualTo("valid");
        assertThat(results.reasons())
                .containsExactly(
                        "n1 and n3 have applied the log up to index 1 and hold different states"
                                + " (hashes a and b)");
    }

    @Test
    void memberThatDoesNotTellItsStateAtTheEndIsNoEvidenceAndEqualOnesAre() throws Exception {
        cluster.statusJson = node -> node.equals("n2") ? "{}" : "{\"stateHash\":\"a\"}";
        Results results = run();
        assertThat(failed(results)).containsExactly("states-compared");
        assertThat(results.verdict()).isEqualTo("insufficient-evidence");

        FakeCluster equal = new FakeCluster();
        equal.statusJson = node -> "{\"stateHash\":\"a\"}";
        results = run(PLAN, (folder, progress) -> equal);
        assertThat(results.verdict()).isEqualTo("valid");
        assertThat(results.gates())
                .extracting(Results.GateResult::words)
                .contains("all 3 members hold the same state a after index 1");
    }

    @Test
    void twoWritesAcknowledgedAtOnePlaceOfTheLogAreOneThatWasLost() throws Exception {
        cluster.answer =
                (asked, right) ->
                        asked.f().equals("write") && right.logIndex() > 500
                                ? withPlace(right, 500)
                                : right;
        Results results = run();
        assertThat(results.verdict()).isEqualTo("violation");
        assertThat(results.linearizability()).isEqualTo("valid");
        assertThat(results.reasons().getFirst())
                .startsWith("acknowledged and then lost: write ")
                .contains("both told to be committed at index 500");
    }

    private static Completion.Operation withPlace(Completion.Operation right, long logIndex) {
        return new Completion.Operation(
                right.invocation(),
                right.type(),
                right.value(),
                right.node(),
                right.error(),
                right.term(),
                logIndex);
    }

    @Test
    void eachFaultSaysForHowLongNothingSucceededAndWhenItDidAgain() throws Exception {
        // Nothing is answered in time while it is in force.
        cluster.answer =
                (asked, right) ->
                        cluster.injected.size() > cluster.healed.size()
                                ? FakeCluster.operation(
                                        asked, Type.FAIL, asked.value(), "refused: not-leader")
                                : right;
        Results.FaultResult fault = run().faults().getFirst();
        assertThat(fault.longestUnavailableMillis())
                .isBetween(
                        fault.healAskedMillis() - fault.askedMillis() - 20,
                        fault.healedMillis() - fault.askedMillis() + 500);
        assertThat(fault.recoveryMillis()).isBetween(0L, 500L);
    }

    private static void write(Path nodeFolder, String log) {
        try {
            Files.createDirectories(nodeFolder);
            Files.writeString(nodeFolder.resolve("node.log"), log);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void whatNodesSaidOfThemselvesIsKept() throws Exception {
        Path samples = Path.of(run().run()).resolve("nodes/n1/status.jsonl");
        assertThat(Files.readAllLines(samples))
                .hasSizeGreaterThan(4)
                .allMatch(line -> line.startsWith("{\"time\":") && line.endsWith("\"status\":{}}"));
    }
}
