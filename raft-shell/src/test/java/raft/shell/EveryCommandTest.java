package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import picocli.CommandLine;

import raft.shell.live.Session;
import raft.shell.repl.Engine;

import tools.jackson.databind.json.JsonMapper;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Every command that answers in words also answers in JSON ({@code --output json}), line by line,
 * and fits a narrow terminal. A command that is added must be added here, which {@link
 * #everyCommandIsHere} asks for.
 */
final class EveryCommandTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** By command, what is typed; what comes before a ";" is preparation. */
    private static final Map<String, String> TYPED = new LinkedHashMap<>();

    static {
        for (String line :
                List.of(
                        "cluster up sim --nodes 3 --seed 7",
                        "cluster down",
                        "cluster list",
                        "status",
                        "log",
                        "wait leader",
                        "trace",
                        "config",
                        "get x",
                        "put x 1",
                        "cas x 1 2",
                        "delete x",
                        "append list 1",
                        "incr n",
                        "add set 1",
                        "enqueue q 1",
                        "enqueue q 1; dequeue q",
                        "acquire lock",
                        "acquire lock; release lock",
                        "keys",
                        "partition leader",
                        "cut n1 -> n3",
                        "isolate n2",
                        "kill n3",
                        "stop n3",
                        "kill n3; start n3",
                        "restart n3",
                        "pause n1",
                        "pause n1; resume n1",
                        "isolate n1; faults",
                        "isolate n1; heal",
                        "loss 10%",
                        "delay 5ms",
                        "clock n2 +5s",
                        "disk n1 slow",
                        "inject kill-leader",
                        "transfer n1",
                        "elect n1",
                        "snapshot n1",
                        "members remove n1",
                        "workload start register --rate 20",
                        "workload start register --rate 20; workload stop",
                        "scenario list",
                        "scenario run first-steps",
                        "scenario show first-steps",
                        "load 1 --time 1s",
                        "step",
                        "run 20ms",
                        "back",
                        "goto #20",
                        "goto #20; flight",
                        "goto 0; run until leader; deliver next",
                        "goto 0; run until leader; drop next",
                        "goto 0; run until leader; dup next",
                        "goto #20; fire next",
                        "goto #30; fail next",
                        "why n1.term",
                        "first violation",
                        "diff n1 n2 log",
                        "branch here",
                        "export",
                        "test --cluster sim --seed 7 --time 2s --histories HERE",
                        "check",
                        "history list",
                        "history show",
                        "history stats",
                        "history explain",
                        "history timeline",
                        "history diff OWN OWN",
                        "history export OWN --format jsonl",
                        "history export OWN --format jsonl --file HERE/out.jsonl; history import"
                                + " HERE/out.jsonl",
                        "sim speed")) {
            String command = line.substring(line.lastIndexOf(';') + 1).strip();
            TYPED.put(command, line);
        }
    }

    /** Not here, by the reason. */
    private static final Map<String, String> ELSEWHERE =
            Map.of(
                    "logs", "simulated nodes write no files",
                    "bench shell", "takes its time",
                    "doctor", "its status is the machine's; see DoctorCommandTest",
                    "clean", "takes away what others left",
                    "shell", "its commands answer each for itself",
                    "cluster attach", "needs a cluster in containers of another shell",
                    "history open", "opens a browser",
                    "serve", "serves until it is ended",
                    "nightly", "runs for minutes, see its own test",
                    "sim score", "runs for minutes, see its own test");

    @TempDir private Path folder;

    static List<String> commands() {
        return List.copyOf(TYPED.keySet());
    }

    @Test
    void everyCommandIsHere() {
        TreeSet<String> offering = new TreeSet<>();
        collect(Main.commandLine(), "", offering);
        List<String> missing = new ArrayList<>();
        for (String command : offering) {
            if (!ELSEWHERE.containsKey(command)
                    && TYPED.keySet().stream()
                            .noneMatch(typed -> (typed + " ").startsWith(command + " "))) {
                missing.add(command);
            }
        }
        assertThat(missing).isEmpty();
        assertThat(offering).containsAll(ELSEWHERE.keySet());
    }

    private static void collect(CommandLine command, String path, TreeSet<String> offering) {
        if (command.getSubcommands().isEmpty()
                && command.getCommandSpec().findOption("--output") != null) {
            offering.add(path);
        }
        command.getSubcommands()
                .forEach((name, sub) -> collect(sub, (path + " " + name).strip(), offering));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyLineIsJson(String command) {
        String said = said(command, " --output json", 80);
        assertThat(said).isNotBlank();
        for (String line : said.lines().toList()) {
            assertThatCode(() -> JSON.readTree(line)).as(line).doesNotThrowAnyException();
        }
    }

    /** Sentences are wrapped by the terminal, and stay sentences; a table would be a heap. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "status",
                "config",
                "log",
                "trace",
                "isolate n1; faults",
                "goto #20; flight",
                "step",
                "scenario list",
                "diff n1 n2 log",
                "history show"
            })
    void tablesFitFortyColumns(String command) {
        String last = command.substring(command.lastIndexOf(';') + 1).strip();
        assertThat(said(last, "", 40).lines().filter(line -> line.length() > 40)).isEmpty();
    }

    private String said(String command, String options, int columns) {
        StringWriter said = new StringWriter();
        StringWriter complaints = new StringWriter();
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        try (Session session = new Session(folder, line -> {})) {
            session.setColumns(columns);
            Engine prepare = new Engine(() -> Main.commandLine(session), session, nowhere, nowhere);
            assertThat(prepare.line("cluster up sim --nodes 3 --seed 7; put x 1")).isZero();
            String own = session.cluster().folder().toString();
            String typed =
                    TYPED.get(command).replace("HERE", folder.toString()).replace("OWN", own);
            if (typed.contains(";")) {
                assertThat(prepare.line(typed.substring(0, typed.lastIndexOf(';')))).isZero();
            }
            Engine engine =
                    new Engine(
                            () -> Main.commandLine(session),
                            session,
                            new PrintWriter(said, true),
                            new PrintWriter(complaints, true));
            int status = engine.line(typed.substring(typed.lastIndexOf(';') + 1).strip() + options);
            // 2: what was asked for could not be proven, or there is not enough to judge.
            assertThat(status).as(said + "" + complaints).isIn(0, 2);
        }
        return said.toString();
    }
}
