package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.jline.terminal.Terminal;
import org.jline.terminal.impl.ExternalTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import raft.shell.live.Session;
import raft.shell.repl.Engine;
import raft.shell.repl.Repl;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** Scripts and the prompt on a simulated cluster, as a person uses them. */
final class ShellTest {
    @TempDir Path folder;

    private final StringWriter out = new StringWriter();
    private Session session;

    @BeforeEach
    void open() {
        session = new Session(folder, line -> {});
    }

    @AfterEach
    void close() {
        session.close();
    }

    private int script(String... lines) {
        return engine().script(List.of(lines), false, true);
    }

    private Engine engine() {
        PrintWriter writer = new PrintWriter(out, true);
        return new Engine(() -> Main.commandLine(session), session, writer, writer);
    }

    @Test
    void aPersonWritesCutsTheLeaderOffAndFindsBothSidesDisagreeing() {
        assertThat(
                        script(
                                "cluster up sim --seed 7",
                                "put x 1",
                                "partition leader",
                                "wait term>=2",
                                "wait 200ms",
                                "status",
                                "heal",
                                "wait 1s",
                                "get x",
                                "check"))
                .isZero();
        assertThat(out.toString())
                .contains("x = 1")
                .contains("in force")
                .contains("they disagree on who leads")
                .contains("gone")
                .contains("valid");
    }

    @Test
    void aLogIsShownFromTheIndexThatWasAskedFor() {
        assertThat(
                        script(
                                "cluster up sim --nodes 3 --seed 7",
                                "workload start register --rate 100",
                                "wait 3s",
                                "log --from 20 --count 3"))
                .isZero();
        assertThat(afterLast("raft> log"))
                .containsPattern("(?m)^ +20  .*\n +21  .*\n +22  .*\n commit");
    }

    /** Who types takes longer than an old leader takes to notice, so it is told when it happens. */
    @Test
    void bothLeadersOfASplitAreToldAndLongTimeoutsLeaveTimeToLook() {
        List<String> told = new CopyOnWriteArrayList<>();
        session.setAnnounce(told::add);
        assertThat(
                        script(
                                "cluster up sim --seed 11 --election-timeout 3s",
                                "put x 1",
                                "partition leader",
                                "wait term>=2",
                                "wait 300ms",
                                "status",
                                "wait 6s"))
                .isZero();
        assertThat(told).anyMatch(line -> line.startsWith("they disagree on who leads: "));
        assertThat(told).anyMatch(line -> line.contains("leads no longer, term 1"));
        assertThat(out.toString()).contains("they disagree on who leads");
    }

    @Test
    void theStaleSuffixOfADeposedLeaderIsCutOff() {
        assertThat(script("scenario run stale-leader")).isZero();
        assertThat(out.toString())
                .contains("the logs differ from index")
                .contains("the logs agree as far as they reach")
                .contains("ok  kept");
    }

    @Test
    void timeGoesBackAndTheSameHappensAgain() {
        assertThat(
                        script(
                                "cluster up sim --nodes 3 --seed 7",
                                "run 500ms",
                                "goto #20",
                                "why n1.term"))
                .isZero();
        assertThat(out.toString()).contains("at #20,");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "first-steps",
                "split-vote",
                "stale-leader",
                "figure-7",
                "membership-errata"
            })
    void aTourIsTheSameEachTime(String name) {
        assertThat(script("scenario run " + name)).isZero();
        String first = out.toString();
        out.getBuffer().setLength(0);
        assertThat(script("scenario run " + name)).isZero();
        assertThat(out.toString()).isEqualTo(first);
    }

    /**
     * A learner's way: load a run that fails, go to the first violation, ask why, step back, change
     * one delivery, and the violation is gone; without the change it is still there.
     */
    @Test
    void oneDeliveryChangedAndTheViolationVanishes() {
        assertThat(script("load --plant C1 --find --time 10s --workload register")).isZero();
        assertThat(script("first violation")).isOne();
        String there = afterLast("raft> first violation").lines().skip(1).findFirst().orElseThrow();
        assertThat(there).endsWith("where an invariant is broken");
        assertThat(script("why violation")).isZero();
        assertThat(afterLast("raft> why violation"))
                .contains("commit rule (§5.4.2)")
                .containsPattern("because +#[0-9]+ .* AppendAccepted\\[")
                .containsPattern("after +#[0-9]+ .* fsync ended");
        assertThat(script("branch broken", "back", "status", "flight")).isZero();
        assertThat(afterLast("raft> back")).doesNotContain("broken");
        // The message whose arrival breaks the rule, by the label under which it is listed.
        String label =
                afterLast("raft> flight")
                        .lines()
                        .filter(line -> line.contains(" AppendAccepted["))
                        .map(line -> line.split(" ", 2)[0])
                        .findFirst()
                        .orElseThrow();
        assertThat(label).matches("m[0-9]+");
        // Until the leader's own entry is on its disk.
        assertThat(script("delay " + label + " 40ms", "run until violation")).isZero();
        assertThat(afterLast("raft> run until violation"))
                .contains("no invariant is broken up to here");
        assertThat(script("first violation")).isZero();
        assertThat(afterLast("raft> first violation"))
                .contains("no invariant is broken, and what clients saw is linearizable");
        assertThat(script("branch broken")).isZero();
        assertThat(afterLast("raft> branch broken").lines()).contains(there);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cut n1 -> n3",
                "cut n1->n3",
                "cut n1,n2 -- n3",
                "cut n1--n3",
                "cut n2 -> n1 --output json"
            })
    void linksAreCutAsTheHelpSays(String line) {
        assertThat(script("cluster up sim --nodes 3 --seed 7")).isZero();
        assertThat(script(line)).as(out.toString()).isZero();
        assertThat(script("faults")).isZero();
        assertThat(afterLast("raft> faults").replace(" ", ""))
                .contains(line.replace("--output json", "").replace(" ", ""));
    }

    @Test
    void theFirstMessageToArriveCanBeNamedByThatAlone() {
        assertThat(script("cluster up sim --nodes 3 --seed 7", "goto #20", "flight")).isZero();
        String first =
                afterLast("raft> flight")
                        .lines()
                        .filter(line -> line.matches("m[0-9].*"))
                        .map(line -> line.replaceFirst("^\\S+ +\\S+ +ms +", ""))
                        .findFirst()
                        .orElseThrow();
        assertThat(script("drop next")).isZero();
        assertThat(afterLast("raft> drop next")).contains("dropped: ").contains(first);
    }

    /** The link to the latest run is moved by whoever begins one, another shell say. */
    @Test
    void historyIsOnesOwnAlsoWhereAnotherShellBeganLater() {
        assertThat(script("cluster up sim --seed 7", "put mine 1")).isZero();
        try (Session other = new Session(folder, line -> {})) {
            PrintWriter nowhere = new PrintWriter(new StringWriter());
            assertThat(
                            new Engine(() -> Main.commandLine(other), other, nowhere, nowhere)
                                    .line("cluster up sim --seed 8; put theirs 1"))
                    .isZero();
            out.getBuffer().setLength(0);
            assertThat(script("history show")).isZero();
        }
        assertThat(out.toString()).contains("mine").doesNotContain("theirs");
    }

    @Test
    void aSessionWrittenAsAFileGoesOnWhereItWasLeft() {
        String file = folder.resolve("found.json").toString();
        assertThat(
                        script(
                                "cluster up sim --nodes 3 --seed 7",
                                "put x 1",
                                "isolate leader",
                                "wait term>=2",
                                "try put x 2",
                                "export " + file,
                                "status"))
                .isZero();
        String status = afterLast("raft> status");
        assertThat(script("cluster down", "load " + file, "status")).isZero();
        assertThat(out.toString().replaceAll("\\s+", " ")).contains("as it was left");
        assertThat(afterLast("raft> status")).isEqualTo(status);
    }

    private String afterLast(String line) {
        String all = out.toString();
        return all.substring(all.lastIndexOf(line));
    }

    /** Ctrl-C interrupts the command's thread; seeds that nobody wants any more are not begun. */
    @Test
    void seedsThatWouldTakeHoursEndWhenInterrupted() throws InterruptedException {
        AtomicInteger status = new AtomicInteger();
        Thread command =
                Thread.ofPlatform()
                        .start(
                                () ->
                                        status.set(
                                                engine().line(
                                                                "sim seeds --count 1000000 --time 5"
                                                                        + " --jobs 1 --histories "
                                                                        + folder)));
        command.interrupt();
        assertThat(command.join(Duration.ofMinutes(3))).isTrue();
        assertThat(status).hasValue(255);
    }

    @Test
    void whoKeepsGoingAlsoDoesWithinALine() {
        assertThat(engine().script(List.of("get x; scenario list"), true, false)).isEqualTo(254);
        assertThat(out.toString()).contains("no cluster is up").contains("figure-8");
    }

    @Test
    void aScriptStopsAtTheFirstErrorAndTryLetsOneFail() {
        assertThat(script("get x", "scenario list")).isEqualTo(254);
        assertThat(out.toString()).contains("no cluster is up").doesNotContain("figure-8");
        assertThat(script("try get x", "scenario list")).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "kill n9",
                "partition n1 / n1,n2",
                "partition n1 / n2",
                "cut n1 -> n1",
                "start n2",
                "wait moonrise",
                "why n1.mood",
                "drop m999999",
                "goto",
                "delay 5km",
                "clock n1 soon",
                "cluster up mars"
            })
    void aMistakeIsNamedAndNothingIsLost(String line) {
        assertThat(script("cluster up sim --nodes 3 --seed 7", "put x 1")).isZero();
        assertThat(script(line)).isEqualTo(254);
        assertThat(out.toString()).contains("raft: ").doesNotContain("\tat ");
        assertThat(script("get x")).isZero();
    }

    @Test
    void thePromptSurvivesWhateverIsTyped() throws IOException {
        Path lines = folder.resolve("lines");
        ByteArrayOutputStream screen = new ByteArrayOutputStream();
        String typed =
                "cluster up sim --nodes 3 --seed 7 --speed 0\nnonsense\nput x 'two words'\nget x\n"
                        + "kill n9\nexit\n";
        try (Terminal terminal =
                new ExternalTerminal(
                        "test",
                        "dumb",
                        new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)),
                        screen,
                        StandardCharsets.UTF_8)) {
            int status =
                    new Repl(
                                    terminal,
                                    session,
                                    () -> Main.commandLine(session),
                                    Names.byLabel(session),
                                    lines)
                            .run();
            assertThat(status).isZero();
        }
        assertThat(screen.toString(StandardCharsets.UTF_8))
                .contains("nonsense")
                .contains("ok  two words")
                .contains("no node is called 'n9'");
        assertThat(Files.readString(lines)).contains("get x");
    }
}
