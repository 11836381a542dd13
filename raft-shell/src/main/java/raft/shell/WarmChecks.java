package raft.shell;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.history.History;
import raft.harness.history.HistoryFormat;
import raft.harness.model.Models;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What {@code bench checker} has JMH measure: recorded histories, checked again and again in a
 * machine that is warm. One call checks all files of a folder, or one of them.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class WarmChecks {
    /** The folder with the histories. */
    @Param("")
    public String folder = "";

    /** One file's name in it; empty for all. */
    @Param("")
    public String file = "";

    private final List<History> histories = new ArrayList<>();

    @Setup
    public void read() throws IOException {
        for (Path path : CheckCommand.histories(Path.of(folder))) {
            if (file.isEmpty() || path.endsWith(file)) {
                histories.add(HistoryFormat.read(path, warning -> {}));
            }
        }
    }

    /** Only the verdicts. Returns how many are violations, so that nothing is optimised away. */
    @Benchmark
    public int verdicts() {
        int violations = 0;
        for (History history : histories) {
            Verdict verdict =
                    Checker.verdict(
                            history, Models.named(history.header().model()), Budget.DEFAULT);
            violations += verdict instanceof Verdict.Violation ? 1 : 0;
        }
        return violations;
    }

    /** Verdicts and, for violations, the whole explanation. */
    @Benchmark
    public int explained() {
        int violations = 0;
        for (History history : histories) {
            Verdict verdict =
                    Checker.check(history, Models.named(history.header().model()), Budget.DEFAULT);
            violations += verdict instanceof Verdict.Violation ? 1 : 0;
        }
        return violations;
    }
}
