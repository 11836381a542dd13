package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

import raft.shell.live.Session;
import raft.shell.repl.Completions;
import raft.shell.repl.Completions.Named;
import raft.shell.repl.Engine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/** What must hold of every command, whoever adds one. */
final class CommandTreeTest {
    /** Labels of what nobody can know beforehand. */
    private static final Set<String> FREE =
            Set.of(
                    "N",
                    "INDEX",
                    "DURATION",
                    "TIME",
                    "SIZE",
                    "VALUE",
                    "EXPECTED",
                    "PREFIX",
                    "PERCENT",
                    "DELAY",
                    "OFFSET",
                    "RATE",
                    "NUMBER",
                    "PLACE",
                    "COMMANDS",
                    "OUTFILE",
                    "FACTOR",
                    "HZ",
                    "IMAGE",
                    "TEXT",
                    "PATH",
                    "PORT",
                    "HOST",
                    "DIR",
                    "SEED",
                    "SECONDS",
                    "FOLDER",
                    "EVENT",
                    "LIST",
                    "S",
                    "KEYS",
                    "JAR",
                    "V",
                    "OPTIONS",
                    "PART",
                    "ID",
                    "FILE");

    @TempDir static Path folder;

    static List<String> commands() {
        List<String> all = new ArrayList<>();
        collect(Main.commandLine(), "", all);
        return all;
    }

    private static void collect(CommandLine command, String path, List<String> all) {
        command.getSubcommands()
                .forEach(
                        (name, sub) -> {
                            String whole = (path + " " + name).strip();
                            all.add(whole);
                            collect(sub, whole, all);
                        });
    }

    private static CommandLine find(CommandLine root, String path) {
        CommandLine command = root;
        for (String word : path.split(" ")) {
            command = command.getSubcommands().get(word);
        }
        return command;
    }

    @ParameterizedTest
    @MethodSource("commands")
    void helpSaysWhatACommandIsForAndGivesAnExample(String path) {
        CommandSpec spec = find(Main.commandLine(), path).getCommandSpec();
        assertThat(spec.usageMessage().description()).isNotEmpty();
        String help = new CommandLine(spec).getUsageMessage(CommandLine.Help.Ansi.OFF);
        assertThat(help).as(help).containsPattern("Examples?:");
        assertThat(help.lines()).allMatch(line -> line.length() <= 100);
    }

    /** Each argument completes, says its values itself, or is something one has to make up. */
    @ParameterizedTest
    @MethodSource("commands")
    void argumentsComplete(String path) {
        Session session = new Session(folder, line -> {});
        Map<String, Supplier<List<String>>> names = Names.byLabel(session);
        CommandSpec spec = find(Main.commandLine(session), path).getCommandSpec();
        List<ArgSpec> arguments = new ArrayList<>(spec.positionalParameters());
        for (OptionSpec option : spec.options()) {
            if (option.arity().max() > 0 && !option.hidden()) {
                arguments.add(option);
            }
        }
        for (ArgSpec argument : arguments) {
            String label = argument.paramLabel();
            boolean known =
                    argument.completionCandidates() != null
                            || label.matches("[a-z0-9-]+(\\|[a-z0-9-]+)*|EIO")
                            || argument.type().equals(int.class)
                            || argument.type().equals(long.class)
                            || argument.type().equals(double.class);
            for (String word : label.split("[^A-Z-]+")) {
                known |= names.containsKey(word) || FREE.contains(word);
            }
            assertThat(known).as(path + " " + label).isTrue();
            boolean described =
                    argument instanceof PositionalParamSpec || argument.description().length > 0;
            assertThat(described).as(path + " " + label + " is described").isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("commands")
    void commandsAndTheirOptionsComplete(String path) {
        List<String> words = List.of(path.split(" "));
        Session session = new Session(folder, line -> {});
        CommandLine tree = Main.commandLine(session);
        Completions completions = new Completions(tree, Names.byLabel(session));
        assertThat(completions.candidates(words.subList(0, words.size() - 1), "").stream())
                .extracting(Named::name)
                .contains(words.getLast());
        assertThat(completions.candidates(words, "-").stream())
                .extracting(Named::name)
                .contains("--help");
    }

    @Test
    void nodesKeysFaultsAndRunsCompleteWhereAClusterIsUp() {
        try (Session session = new Session(folder, line -> {})) {
            PrintWriter nowhere = new PrintWriter(new StringWriter());
            Engine engine = new Engine(() -> Main.commandLine(session), session, nowhere, nowhere);
            assertThat(
                            engine.script(
                                    List.of(
                                            "cluster up sim --nodes 3 --seed 7",
                                            "put colour red",
                                            "isolate n2"),
                                    false,
                                    false))
                    .isZero();
            Completions completions =
                    new Completions(Main.commandLine(session), Names.byLabel(session));
            assertThat(named(completions, "kill")).contains("n1", "n2", "n3", "leader");
            assertThat(named(completions, "get")).contains("colour");
            assertThat(named(completions, "get", "colour", "--from")).contains("n1");
            assertThat(named(completions, "get", "x", "--read")).contains("lease", "stale");
            assertThat(named(completions, "heal")).contains("#1");
            assertThat(named(completions, "why")).contains("n2.votedFor");
            assertThat(named(completions, "inject")).contains("kill-leader");
            assertThat(named(completions, "workload", "start")).contains("queue");
            assertThat(named(completions, "load", "--plant")).contains("C1");
            assertThat(named(completions, "trace", "--topics")).contains("vote");
            assertThat(named(completions, "check", "--model")).contains("store");
            Path run = session.cluster().folder();
            assertThat(named(completions, "check")).contains(run.toString());
            assertThat(named(completions, "history", "show"))
                    .as("as 'history list' names it")
                    .contains(folder.relativize(run).toString());
            assertThat(named(completions, "history", "list", "--verdict"))
                    .contains("insufficient-evidence", "unfinished");
            assertThat(named(completions, "history", "export", "--format")).contains("jepsen-log");
        }
    }

    private static List<String> named(Completions completions, String... words) {
        return completions.candidates(List.of(words), "").stream().map(Named::name).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "statsu, status",
        "partiton leader, partition",
        "workload strat, start",
        "get x --form n1, --from",
        "cluster pu, up",
        "set x 1, put",
        "cluster status, status"
    })
    void aWrongWordIsAnsweredWithWhatWasProbablyMeant(String line, String meant) {
        StringWriter said = new StringWriter();
        PrintWriter writer = new PrintWriter(said, true);
        try (Session session = new Session(folder, told -> {})) {
            int status =
                    new Engine(() -> Main.commandLine(session), session, writer, writer)
                            .script(List.of(line), false, false);
            assertThat(status).isEqualTo(254);
        }
        assertThat(said.toString())
                .contains("Did you mean")
                .contains(meant)
                .doesNotContain("Unmatched", "index");
    }

    @Test
    void theCommandsOnRecordedRunsAreTheSameAloneAsInTheTree() {
        CommandLine history =
                Objects.requireNonNull(Main.commandLine().getSubcommands().get("history"));
        history.getSubcommands()
                .forEach(
                        (name, inTree) -> {
                            CommandLine alone =
                                    Objects.requireNonNull(
                                            Main.alone(new String[] {"history", name}));
                            assertThat(alone.getCommandSpec().userObject())
                                    .hasSameClassAs(inTree.getCommandSpec().userObject());
                            assertThat(alone.getCommandSpec().qualifiedName())
                                    .isEqualTo(inTree.getCommandSpec().qualifiedName());
                        });
        assertThat(Main.alone(new String[] {"history", "list", "--help"})).isNull();
        assertThat(Main.alone(new String[] {"history"})).isNull();
        assertThat(Main.alone(new String[] {"history", "lost"})).isNull();
    }
}
