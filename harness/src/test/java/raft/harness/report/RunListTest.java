package raft.harness.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Runs are found, summed up once, and named by what people type. */
final class RunListTest {
    @TempDir private Path root;

    private Path run(String name, String test, String results) throws IOException {
        Path folder = root.resolve(name);
        Files.createDirectories(folder.resolve("nodes"));
        if (!test.isEmpty()) {
            Files.writeString(folder.resolve("test.json"), test);
        }
        if (!results.isEmpty()) {
            Files.writeString(folder.resolve("results.json"), results);
        }
        return folder;
    }

    private static final String TEST =
            "{\"cluster\":\"sim\",\"nodes\":5,\"workload\":\"register\",\"faults\":[\"kill\"],"
                    + "\"seed\":7,\"timeMillis\":60000,\"repeat\":\"./raft test --seed 7\"}";
    private static final String RESULTS =
            "{\"verdict\":\"violation\",\"operations\":12,\"seconds\":3.5,"
                    + "\"explanation\":\"read 3 is stale\","
                    + "\"counts\":{\"read\":{\"invoke\":12,\"ok\":10}},"
                    + "\"availability\":{\"longestUnavailableMillis\":400}}";

    @Test
    void newestComesFirstAndHalfWrittenRunsAreListedAsWhatTheyAre() throws IOException {
        run("register/20261124T010000-7", TEST, RESULTS);
        run("register/20261124T020000-8", TEST, "");
        run("set/20261125T000000-9", "{\"cluster", "");
        run("night/x/set/20261123T000000-1", "", "");
        Files.createDirectories(root.resolve("corpus/bad"));
        List<RunSummary> runs = new RunList(root).read();
        assertThat(runs)
                .extracting(RunSummary::name)
                .containsExactly(
                        "set/20261125T000000-9",
                        "register/20261124T020000-8",
                        "register/20261124T010000-7",
                        "night/x/set/20261123T000000-1");
        assertThat(runs)
                .extracting(RunSummary::verdict)
                .containsExactly("unreadable", "unfinished", "violation", "unreadable");
        RunSummary violation = runs.get(2);
        assertThat(violation.why()).isEqualTo("read 3 is stale");
        assertThat(violation.succeeded()).isEqualTo(10);
        assertThat(violation.started()).isEqualTo("2026-11-24 01:00:00");
    }

    @Test
    void aSummaryIsReadAgainOnlyWhenItsFilesChanged() throws IOException {
        Path folder = run("register/20261124T010000-7", TEST, "");
        var list = new RunList(root);
        assertThat(list.read().getFirst().verdict()).isEqualTo("unfinished");
        // Were files opened again, this summary could not be what is told.
        Path index = root.resolve(".runs.index");
        Files.writeString(
                index, Files.readString(index).replace("\"unfinished\"", "\"from-the-index\""));
        assertThat(list.read().getFirst().verdict()).isEqualTo("from-the-index");
        Files.writeString(folder.resolve("results.json"), RESULTS);
        assertThat(list.read().getFirst().verdict()).isEqualTo("violation");
        Files.writeString(index, "{torn");
        assertThat(list.read().getFirst().verdict()).isEqualTo("violation");
    }

    @Test
    void onlyTheRunsThatAreAskedForAreOpenedAndRemovedOnesLeave() throws IOException {
        Path older = run("register/20261124T010000-7", TEST, RESULTS);
        run("register/20261124T020000-8", TEST, RESULTS);
        var list = new RunList(root);
        assertThat(list.newest(1).allCount()).isEqualTo(2);
        Path index = root.resolve(".runs.index");
        assertThat(Files.readString(index)).contains("020000-8").doesNotContain("010000-7");
        assertThat(list.read()).hasSize(2);
        assertThat(Files.readString(index)).contains("010000-7");
        Files.move(older, root.resolveSibling(root.getFileName() + "-removed"));
        assertThat(list.newest(1).allCount()).isEqualTo(1);
        assertThat(Files.readString(index)).doesNotContain("010000-7");
    }

    @Test
    void aRunIsFoundByAPartOfItsNameThatFitsOnlyOne() throws IOException {
        Path one = run("register/20261124T010000-7", TEST, RESULTS);
        run("register/20261124T020000-77", TEST, RESULTS);
        Files.createSymbolicLink(root.resolve("latest"), Path.of("register/20261124T020000-77"));
        var list = new RunList(root);
        assertThat(list.find("010000")).isEqualTo(one);
        assertThat(list.find("register/20261124T010000-7")).isEqualTo(one.toRealPath());
        assertThat(list.find("latest")).hasFileName("20261124T020000-77");
        assertThatThrownBy(() -> list.find("register"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("fits 2 runs");
        assertThatThrownBy(() -> list.find("moon"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no run or file is called 'moon'");
    }
}
