package raft.harness.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.model.Models;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultPlan;
import raft.harness.nemesis.PlannedFault;
import raft.harness.run.Interpreter;
import raft.harness.run.PlantedBug;
import raft.harness.run.RunRecord;
import raft.harness.workload.Workload;
import raft.harness.workload.Workloads;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Each workload is valid on the right node, and finds the bugs of its class. */
final class WorkloadBugsTest {
    private static final Path SOURCES = Path.of("../raft-node/src/main/java");
    private static final long MILLI = 1_000_000;
    private static final long SEED = 7;
    private static final List<String> MEMBERS = List.of("n1", "n2", "n3", "n4", "n5");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cas-register",
                "list-append",
                "counter",
                "set",
                "queue",
                "lock",
                "versioned-register",
                "retries"
            })
    void rightNodeIsValid(String workload) throws Exception {
        assertThat(run(workload, NodeCode.right())).isInstanceOf(Verdict.Valid.class);
    }

    @ParameterizedTest
    @CsvSource({
        "X1, retries",
        "X2, lock",
        "X3, list-append",
        "X3, queue",
    })
    void plantedBugIsFoundByTheWorkloadOfItsClass(String bug, String workload) throws Exception {
        NodeCode code = NodeCode.planted(PlantedBug.named(bug), SOURCES);
        assertThat(run(workload, code)).isInstanceOf(Verdict.Violation.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"retries:sessions=off"})
    void withoutSessionsARightNodeCarriesARepetitionOutAgain(String workload) throws Exception {
        assertThat(run(workload, NodeCode.right())).isInstanceOf(Verdict.Violation.class);
    }

    /** Deaf leaders replicate what they can never commit, and the clients try again elsewhere. */
    private static FaultPlan plan() {
        List<PlannedFault> faults = new ArrayList<>();
        for (long at = 1_500; at < 8_000; at += 2_000) {
            FaultKind kind =
                    faults.size() % 2 == 0
                            ? FaultKind.PARTITION_LEADER_DEAF
                            : FaultKind.KILL_LEADER;
            faults.add(new PlannedFault(faults.size() + 1L, kind, at, at + 1_500, MEMBERS));
        }
        return new FaultPlan(faults);
    }

    private static Verdict run(String text, NodeCode code) throws Exception {
        Workload workload = Workloads.parse(text).make(SEED, 10, 200);
        List<HistoryEvent> events = new ArrayList<>();
        try (SimulatedCluster cluster = code.start(SimOptions.defaults(SEED, MEMBERS.size()))) {
            Interpreter interpreter =
                    new Interpreter(
                            cluster,
                            workload,
                            plan(),
                            new Interpreter.Options(
                                    10_000 * MILLI, 10, 500 * MILLI, 30_000 * MILLI),
                            events::add,
                            (nanos, statuses) -> {},
                            line -> {},
                            () -> false);
            RunRecord record = interpreter.run();
            assertThat(record.finalReadsDone()).isEqualTo(record.finalReadsWanted());
            for (String f : workload.functions()) {
                assertThat(record.count(f, HistoryEvent.Type.OK)).as(f).isPositive();
            }
        }
        HistoryHeader header =
                new HistoryHeader(
                        HistoryHeader.SCHEMA,
                        "test",
                        workload.name(),
                        workload.model(),
                        MEMBERS,
                        SEED);
        return Checker.check(
                new History(header, events),
                Models.named(workload.model()),
                new Budget(Duration.ofSeconds(30), 512L << 20));
    }
}
