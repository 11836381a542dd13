package raft.harness.nightly;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import javax.xml.parsers.DocumentBuilderFactory;

/** A night runs to its end whatever its tests do, and goes on where it was killed. */
final class NightTest {
    @TempDir private Path root;

    private final List<String> launched = new ArrayList<>();
    private final List<NightRun> printed = new ArrayList<>();
    private final List<Integer> standing = new ArrayList<>();
    private final List<String> said = new ArrayList<>();
    private int stopAfter = Integer.MAX_VALUE;

    private static final List<Cell> CELLS =
            Cell.matrix(
                    List.of("register"), List.of("none", "kill"), List.of("sim"), List.of(3, 5));

    private static NightOptions options(String canary, int rounds) {
        List<NightOptions.Canary> canaries =
                canary.isEmpty() ? List.of() : List.of(new NightOptions.Canary(canary, "sim"));
        return new NightOptions(CELLS, 3_600_000, 1_000, 10, 42, rounds, canaries, 0, 1, 1);
    }

    private static String results(String verdict) {
        return "{\"verdict\":\""
                + verdict
                + "\",\"operations\":10,\"seconds\":1.0,\"run\":\"\",\"counts\":{\"read\":"
                + "{\"ok\":8}},\"availability\":{\"longestUnavailableMillis\":5},"
                + "\"reasons\":[\"<why>\"],\"repeat\":\"./raft test --again\"}\n";
    }

    /** Tests of kills crash, planted bugs are found, all others are valid. */
    private Night.Finished launch(List<String> arguments) throws IOException {
        launched.add(String.join(" ", arguments));
        if (arguments.contains("--plant")) {
            return new Night.Finished(results("violation"), 1);
        }
        return arguments.contains("kill")
                ? new Night.Finished("no results here\n", 134)
                : new Night.Finished("noise\n" + results("valid"), 0);
    }

    private NightSummary run(NightOptions options) throws IOException, InterruptedException {
        return Night.run(
                root,
                options,
                false,
                (arguments, log, limit) -> launch(arguments),
                printed::add,
                standing::add,
                said::add,
                () -> launched.size() >= stopAfter);
    }

    @Test
    void whateverFailsTheNightGoesOn() throws Exception {
        NightSummary summary = run(options("C6", 2));
        assertThat(summary.runs()).isEqualTo(8);
        assertThat(summary.counts()).containsEntry("valid", 4).containsEntry("error", 4);
        assertThat(summary.canary()).isEqualTo("found");
        assertThat(summary.verdict()).isEqualTo("error");
        assertThat(summary.exitStatus()).isEqualTo(255);
        Path night = root.resolve("nightly").resolve(summary.night());
        var xml =
                DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(night.resolve("junit.xml").toFile());
        assertThat(xml.getElementsByTagName("testcase").getLength()).isEqualTo(9);
        assertThat(xml.getElementsByTagName("error").getLength()).isEqualTo(4);
        assertThat(Files.readString(night.resolve("index.html")))
                .contains("--faults kill")
                .contains("Valid of all");
        assertThat(root.resolve("nightly/index.html")).exists();
        assertThat(NightPage.summaries(root)).containsExactly(summary);
    }

    @Test
    void aNightThatWasStoppedGoesOnWithoutRepeatingWhatIsDone() throws Exception {
        stopAfter = 2;
        assertThat(run(options("C6", 1))).isNull();
        Path night = NightFolder.nights(root).getFirst();
        // A kill may cut a line short.
        Path progress = night.resolve("progress.jsonl");
        Files.writeString(progress, Files.readString(progress) + "{\"verdict\":\"va");
        stopAfter = Integer.MAX_VALUE;
        NightSummary summary = run(options("C6", 1));
        assertThat(summary.runs()).isEqualTo(4);
        assertThat(launched).hasSize(5).doesNotHaveDuplicates();
        assertThat(NightFolder.nights(root)).hasSize(1);
        run(options("C6", 1));
        assertThat(NightFolder.nights(root))
                .as("a night that ended is not gone on with")
                .hasSize(2);
    }

    @Test
    void aTestThatWasCutShortRunsAgainAndIsNoFailure() throws Exception {
        // The canary, a valid one, then one of kills, which ends without results.
        stopAfter = 3;
        assertThat(run(options("C6", 1))).isNull();
        assertThat(printed).hasSize(2);
        assertThat(standing).containsOnly(2);
        stopAfter = Integer.MAX_VALUE;
        assertThat(run(options("C6", 1)).runs()).isEqualTo(4);
        assertThat(launched).hasSize(6);
        assertThat(launched.get(3)).isEqualTo(launched.get(2));
    }

    @Test
    void aStoppedNightEndsWithItsViolationElseItsFailureElseTooLittleEvidence() throws Exception {
        stopAfter = 4;
        NightOptions options = options("", 1);
        List<String> verdicts = List.of("valid", "error", "violation", "valid");
        NightSummary summary =
                Night.run(
                        root,
                        options,
                        false,
                        (arguments, log, limit) -> {
                            launched.add(String.join(" ", arguments));
                            String verdict = verdicts.get(launched.size() - 1);
                            return new Night.Finished(results(verdict), 0);
                        },
                        printed::add,
                        standing::add,
                        said::add,
                        () -> launched.size() >= stopAfter);
        assertThat(summary).isNull();
        assertThat(standing).containsExactly(2, 2, 255, 1, 1);
        standing.clear();
        run(options);
        assertThat(standing.getFirst()).as("a violation found before the stop").isEqualTo(1);
    }

    @Test
    void aNightCutShortLongAgoIsNotGoneOnWith() throws Exception {
        stopAfter = 3;
        assertThat(run(options("C6", 1))).isNull();
        Path night = NightFolder.nights(root).getFirst();
        // Budget and a day are 25 hours.
        var name = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss").withZone(ZoneOffset.UTC);
        Instant now = Instant.now();
        Path younger = night.resolveSibling(name.format(now.minusSeconds(24 * 3600)));
        Files.move(night, younger);
        stopAfter = 4;
        assertThat(run(options("C6", 1))).isNull();
        assertThat(NightFolder.nights(root)).containsExactly(younger);
        Path older = night.resolveSibling(name.format(now.minusSeconds(26 * 3600)));
        Files.move(younger, older);
        stopAfter = Integer.MAX_VALUE;
        said.clear();
        assertThat(run(options("C6", 1)).runs()).isEqualTo(4);
        assertThat(NightFolder.nights(root)).hasSize(2);
        assertThat(said.getFirst()).contains(older.toString()).contains("beginning a new one");
        assertThat(older.resolve("summary.json")).doesNotExist();
    }

    @Test
    void aCanaryThatIsNotFoundIsAFailureOfTheHarness() throws Exception {
        NightSummary summary =
                Night.run(
                        root,
                        options("C6", 1),
                        false,
                        (arguments, log, limit) -> new Night.Finished(results("valid"), 0),
                        printed::add,
                        standing::add,
                        said::add,
                        () -> false);
        assertThat(summary.canary()).isEqualTo("missed");
        assertThat(summary.exitStatus()).isEqualTo(255);
        assertThat(printed.stream().filter(NightRun::isCanary)).hasSize(3);
    }

    @Test
    void eachKindOfClusterMustFindItsCanary() throws Exception {
        NightOptions options =
                new NightOptions(
                        CELLS,
                        3_600_000,
                        1_000,
                        10,
                        42,
                        1,
                        List.of(
                                new NightOptions.Canary("C6", "sim"),
                                new NightOptions.Canary("L1", "docker")),
                        0,
                        1,
                        1);
        NightSummary summary =
                Night.run(
                        root,
                        options,
                        false,
                        (arguments, log, limit) -> {
                            boolean found = arguments.contains("C6");
                            return new Night.Finished(results(found ? "violation" : "valid"), 0);
                        },
                        printed::add,
                        standing::add,
                        said::add,
                        () -> false);
        assertThat(printed.stream().filter(NightRun::isCanary).map(NightRun::plantedBug))
                .containsExactly("C6", "L1", "L1", "L1");
        assertThat(summary.canary()).isEqualTo("missed");
        assertThat(summary.problems()).hasSize(1).allMatch(p -> p.contains("L1"));
        assertThat(summary.exitStatus()).isEqualTo(255);
    }

    @Test
    void theFirstTestsOfANightAreSpreadOverItsWholeMatrix() {
        List<String> workloads = List.of("a", "b", "c", "d", "e", "f", "g", "h", "i");
        List<String> faults = List.of("none", "partition", "kill", "pause", "all");
        List<Cell> cells = Cell.matrix(workloads, faults, List.of("sim", "docker"), List.of(3, 5));
        assertThat(cells).hasSize(9 * 5 * 2 * 2).doesNotHaveDuplicates();
        List<Cell> first = cells.subList(0, 9);
        assertThat(first.stream().map(Cell::workload))
                .containsExactlyInAnyOrderElementsOf(workloads);
        assertThat(first.stream().map(Cell::faults)).containsAll(faults);
        assertThat(first.stream().map(cell -> cell.cluster() + cell.nodes()).distinct()).hasSize(4);
        assertThat(cells.subList(0, 60).stream().map(cell -> cell.workload() + cell.faults()))
                .as("every workload has met all faults after a third of the matrix")
                .containsAll(
                        workloads.stream()
                                .flatMap(workload -> faults.stream().map(fault -> workload + fault))
                                .toList());
    }

    @Test
    void aViolationWinsOverErrors() throws Exception {
        NightSummary summary =
                Night.run(
                        root,
                        options("", 1),
                        false,
                        (arguments, log, limit) -> {
                            if (arguments.contains("kill")) {
                                throw new IOException("no more processes");
                            }
                            return new Night.Finished(results("violation"), 1);
                        },
                        printed::add,
                        standing::add,
                        said::add,
                        () -> false);
        assertThat(summary.exitStatus()).isEqualTo(1);
        assertThat(summary.counts()).containsEntry("error", 2).containsEntry("violation", 2);
    }

    @Test
    void shardsTogetherAreTheMatrixAndSeedsDoNotDependOnThem() {
        List<Cell> together =
                Stream.of(1, 2, 3).flatMap(i -> Cell.shard(CELLS, i, 3).stream()).toList();
        assertThat(together).containsExactlyInAnyOrderElementsOf(CELLS);
        assertThat(CELLS.stream().map(cell -> cell.seed(42, 0)).distinct()).hasSameSizeAs(CELLS);
        assertThat(CELLS.getFirst().seed(42, 0)).isNotEqualTo(CELLS.getFirst().seed(42, 1));
    }

    @Test
    void validTestsAreThinnedButTheFirstOfTheirCell() throws Exception {
        List<NightRun> runs = new ArrayList<>();
        List<Path> folders = new ArrayList<>();
        for (String verdict : List.of("valid", "valid", "violation", "valid")) {
            Path folder = Files.createDirectories(root.resolve("run" + runs.size()));
            Files.createDirectories(folder.resolve("nodes/n1"));
            Files.writeString(folder.resolve("history.jsonl"), "x");
            Files.writeString(folder.resolve("results.json"), "x");
            NightRun run = test(verdict, folder, runs.size());
            runs.add(run);
            folders.add(folder);
            Retention.afterTest(run, runs);
        }
        assertThat(folders.stream().map(f -> Files.exists(f.resolve("history.jsonl"))))
                .containsExactly(true, false, true, false);
        assertThat(folders).allMatch(f -> Files.exists(f.resolve("results.json")));
    }

    /** Thirty nights of ten tests, every fifth of which was not valid. */
    @Test
    void oldNightsKeepOnlyWhatWasNotValidAndNewOnesEverything() throws Exception {
        List<Path> valid = new ArrayList<>();
        List<Path> others = new ArrayList<>();
        for (int day = 1; day <= 30; day++) {
            Path night =
                    Files.createDirectories(
                            root.resolve(String.format("nightly/202601%02dT220000", day)));
            Files.writeString(night.resolve("night.json"), "{}");
            StringBuilder progress = new StringBuilder();
            for (int test = 0; test < 10; test++) {
                String verdict = test % 5 == 4 ? "insufficient-evidence" : "valid";
                Path run = Files.createDirectories(night.resolve("runs/register/" + test));
                Files.writeString(run.resolve("history.jsonl"), "{}");
                (verdict.equals("valid") ? valid : others).add(run);
                progress.append(NightFolder.JSON.writeValueAsString(test(verdict, run, test)));
                progress.append('\n');
            }
            // A line that leads out of the night is not followed.
            Path elsewhere = Files.createDirectories(root.resolve("register/" + day));
            others.add(elsewhere);
            progress.append(NightFolder.JSON.writeValueAsString(test("valid", elsewhere, 99)));
            Files.writeString(night.resolve("progress.jsonl"), progress.append('\n'));
        }
        assertThat(Retention.thinOldNights(root, 7)).isEqualTo(23 * 8);
        assertThat(valid.subList(0, 23 * 8)).noneMatch(Files::exists);
        assertThat(valid.subList(23 * 8, valid.size())).allMatch(Files::exists);
        assertThat(others).allMatch(Files::exists);
        assertThat(Retention.thinOldNights(root, 7)).as("nothing is left to do").isZero();
    }

    private static NightRun test(String verdict, Path folder, int round) {
        return new NightRun(
                verdict,
                1,
                1,
                folder.toString(),
                "cell",
                "register",
                "none",
                "sim",
                3,
                round,
                1,
                null,
                1,
                1,
                1,
                null,
                List.of(),
                "");
    }
}
