package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import raft.harness.history.History;
import raft.harness.history.HistoryFormat;
import raft.harness.model.Models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Recorded histories whose verdicts are known from another checker. */
class SharedDataTest {
    static Path folder() {
        String given = System.getProperty("RAFT_SHARED_DATA", System.getenv("RAFT_SHARED_DATA"));
        if (given != null) {
            return Path.of(given);
        }
        // Surefire runs in the module's folder; the data lie beside the repository.
        return Path.of("../../shared/data");
    }

    static Path file(Path folder, String name) {
        Path etcd = folder.resolve("etcd-register").resolve(name);
        return Files.exists(etcd) ? etcd : folder.resolve("kv").resolve(name);
    }

    @TestFactory
    Stream<DynamicTest> agreesWithPorcupine() throws IOException {
        Path verdicts = folder().resolve("verdicts.csv");
        if (!Files.exists(verdicts)) {
            return abort("no shared data at " + verdicts.toAbsolutePath());
        }
        List<String> lines = Files.readAllLines(verdicts);
        return lines.stream()
                .skip(1)
                .map(line -> line.split(","))
                .map(f -> DynamicTest.dynamicTest(f[0], () -> agrees(f[0], f[1], f[2], f[3])));
    }

    private static void agrees(String name, String model, String verdict, String operations)
            throws IOException {
        History history = HistoryFormat.read(file(folder(), name), warning -> {});
        for (Check.Options options : Check.Options.all()) {
            Verdict found =
                    Checker.check(history.events(), Models.named(model), Budget.DEFAULT, options);
            assertThat(found)
                    .as(name + " with " + options)
                    .isInstanceOf(
                            verdict.equals("linearizable")
                                    ? Verdict.Valid.class
                                    : Verdict.Violation.class);
            assertThat(found.operationCount()).isEqualTo(Long.parseLong(operations));
        }
    }
}
