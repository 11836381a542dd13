package raft.shell;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.shell.live.Session;
import raft.shell.live.UsageException;
import raft.shell.repl.Engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** {@code scenario}: the classic tours, as scripts with comments that say what to look at. */
@Command(
        name = "scenario",
        description = "Guided tours: the classic situations of Raft, step by step.",
        footer = {
            "",
            "Examples:",
            "  scenario list",
            "  scenario run figure-8",
            "  scenario show split-vote       the script itself"
        },
        subcommands = {
            ScenarioCommand.ListAll.class,
            ScenarioCommand.Run.class,
            ScenarioCommand.Show.class
        })
final class ScenarioCommand extends Verb {
    @Override
    public Integer call() {
        throw new UsageException("say what to do: list, run or show");
    }

    /** All names, in the order in which a learner may take them. */
    static List<String> names() {
        return resource("index.txt");
    }

    /** A scenario's lines. */
    static List<String> lines(String name) {
        if (!names().contains(name)) {
            throw new UsageException(
                    "no scenario is called '"
                            + name
                            + "'; there are "
                            + String.join(", ", names()));
        }
        return resource(name + ".raft");
    }

    private static List<String> resource(String file) {
        try (InputStream in = ScenarioCommand.class.getResourceAsStream("scenarios/" + file)) {
            if (in == null) {
                throw new IllegalStateException("the scenario " + file + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first comment of a scenario says what it is. */
    static String title(String name) {
        return lines(name).getFirst().replaceFirst("^# *", "");
    }

    @Command(
            name = "list",
            description = "What tours there are.",
            footer = {"", "Example:  scenario list"})
    static final class ListAll extends Verb {
        @Override
        public Integer call() {
            if (isJson()) {
                json(names());
                return 0;
            }
            for (String name : names()) {
                String line = String.format("%-22s %s", name, title(name));
                say(line.length() <= width() ? line : line.substring(0, width() - 1) + "…");
            }
            return 0;
        }
    }

    @Command(
            name = "show",
            description = "A tour's script.",
            footer = {"", "Example:  scenario show figure-8"})
    static final class Show extends Verb {
        @Parameters(index = "0", paramLabel = "SCENARIO", description = "which")
        String name = "";

        @Override
        public Integer call() {
            if (isJson()) {
                json(lines(name));
            } else {
                say(lines(name));
            }
            return 0;
        }
    }

    @Command(
            name = "run",
            description = "Takes a tour, on a simulated cluster of its own.",
            footer = {
                "",
                "Examples:",
                "  scenario run split-vote",
                "  scenario run figure-8 --pause"
            })
    static final class Run extends Verb {
        /** Every command of a tour can answer programs. */
        private static String asJson(String line) {
            return line.isBlank() || line.startsWith("#") ? line : line + " --output json";
        }

        @Parameters(index = "0", paramLabel = "SCENARIO", description = "which")
        String name = "";

        @Option(names = "--pause", description = "waits a moment after each step, to read along")
        boolean pause;

        @Override
        public Integer call() throws InterruptedException {
            List<String> lines = lines(name);
            Session session = session();
            boolean person = session.isInteractive();
            // Time must stand still between the steps, or no two runs would be the same.
            session.setInteractive(false);
            try {
                Engine engine =
                        new Engine(
                                () -> {
                                    CommandLine tree = Main.commandLine(session);
                                    return tree;
                                },
                                session,
                                out(),
                                err());
                for (String line : lines) {
                    if (isJson() && !line.isBlank()) {
                        json(Map.of(line.startsWith("#") ? "comment" : "typed", line));
                    }
                    int status =
                            engine.script(
                                    List.of(isJson() ? asJson(line) : line), false, !isJson());
                    // A tour may be about a violation.
                    if (status != 0 && status != 1) {
                        return status;
                    }
                    if (pause && !line.startsWith("#")) {
                        Thread.sleep(1_500);
                    }
                }
            } finally {
                session.setInteractive(person);
            }
            if (person && !isJson()) {
                say(
                        paint().dim(
                                        "the tour's cluster stays up with time standing still; go"
                                                + " on with it as you like ('sim speed 1' lets time"
                                                + " run)"));
            }
            return 0;
        }
    }
}
