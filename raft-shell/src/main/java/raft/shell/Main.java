package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import raft.shell.history.HistoryCommand;
import raft.shell.history.NightlyCommand;
import raft.shell.history.ServeCommand;
import raft.shell.live.BrokenInvariantException;
import raft.shell.live.Session;
import raft.shell.live.UsageException;
import raft.shell.view.TextLines;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.IntSupplier;

/** The command tree, and the entry point of {@code ./raft}. */
@Command(
        name = "raft",
        mixinStandardHelpOptions = true,
        version = "raft lab 0.1.0",
        synopsisSubcommandLabel = "COMMAND",
        description = {
            "A laboratory for Raft: brings up a cluster, attacks it, records what clients saw and"
                    + " judges it.",
            ""
        },
        footer = {
            "",
            "On a terminal './raft' alone opens the shell, where every command is a line.",
            "",
            "Exit status: 0 valid, 1 violation, 2 unknown or not enough evidence, 254 bad usage or"
                    + " input,",
            "255 the harness or its environment failed.",
            "",
            "Start with:  ./raft test"
        },
        subcommands = {
            HelpCommand.class,
            ShellCommand.class,
            ClusterCommand.class,
            LookCommands.StatusCommand.class,
            LookCommands.LogCommand.class,
            LookCommands.LogsCommand.class,
            LookCommands.WaitCommand.class,
            LookCommands.TraceCommand.class,
            LookCommands.ConfigCommand.class,
            DataCommands.Get.class,
            DataCommands.Put.class,
            DataCommands.Cas.class,
            DataCommands.Delete.class,
            DataCommands.Append.class,
            DataCommands.Increment.class,
            DataCommands.Add.class,
            DataCommands.Enqueue.class,
            DataCommands.Dequeue.class,
            DataCommands.Acquire.class,
            DataCommands.Release.class,
            DataCommands.Keys.class,
            NetworkCommands.Partition.class,
            NetworkCommands.Cut.class,
            NetworkCommands.Isolate.class,
            NodeFaultCommands.Kill.class,
            NodeFaultCommands.Stop.class,
            NodeFaultCommands.Start.class,
            NodeFaultCommands.Restart.class,
            NodeFaultCommands.Pause.class,
            NodeFaultCommands.Resume.class,
            FaultCommands.Faults.class,
            FaultCommands.Heal.class,
            NetworkCommands.Loss.class,
            NetworkCommands.Delay.class,
            NodeFaultCommands.Clock.class,
            NodeFaultCommands.Disk.class,
            FaultCommands.Inject.class,
            OperatorCommands.Transfer.class,
            OperatorCommands.Elect.class,
            OperatorCommands.SnapshotNow.class,
            OperatorCommands.Members.class,
            WorkloadCommand.class,
            ScenarioCommand.class,
            LoadCommand.class,
            TravelCommands.Step.class,
            TravelCommands.Run.class,
            TravelCommands.Back.class,
            TravelCommands.Goto.class,
            MeddleCommands.Flight.class,
            MeddleCommands.Deliver.class,
            MeddleCommands.Drop.class,
            MeddleCommands.Dup.class,
            MeddleCommands.Fire.class,
            MeddleCommands.Fail.class,
            WhyCommands.Why.class,
            WhyCommands.First.class,
            WhyCommands.Diff.class,
            BranchCommands.Branch.class,
            BranchCommands.Export.class,
            TestCommand.class,
            CheckCommand.class,
            HistoryCommand.class,
            ServeCommand.class,
            NightlyCommand.class,
            SimCommand.class,
            BenchCommand.class,
            CallCommand.class,
            DoctorCommand.class,
            CleanCommand.class
        })
public final class Main implements Runnable {
    /** Bad usage, or input that cannot be read. */
    public static final int EXIT_USAGE = 254;

    /** The harness or its environment failed. */
    public static final int EXIT_FAILURE = 255;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "say what to do: a command is missing");
    }

    /** Whether "in" or "out" is a terminal; the launcher looked, which costs nothing there. */
    static boolean isTerminal(String stream) {
        return Boolean.getBoolean("raft.terminal." + stream);
    }

    private static Session session(PrintWriter err) {
        Session session =
                new Session(
                        Home.histories(),
                        line -> {
                            err.println(line);
                            err.flush();
                        });
        session.setColour(isTerminal("out") && System.getenv("NO_COLOR") == null);
        session.setColumns(Integer.getInteger("raft.terminal.columns", 80));
        return session;
    }

    public static void main(String[] args) {
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        Session session = session(err);
        CommandLine alone = alone(args);
        CommandLine commandLine = alone == null ? commandLine(session) : alone;
        commandLine.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
        commandLine.setErr(err);
        boolean person = args.length == 0 && isTerminal("in") && isTerminal("out");
        // Whatever ends this process, a closed terminal say, the cluster does not stay broken.
        Thread closing = new Thread(session::close, "close-session");
        Runtime.getRuntime().addShutdownHook(closing);
        OwnProcess.endWithStarter();
        String[] words = alone == null ? args : Arrays.copyOfRange(args, 2, args.length);
        int status = commandLine.execute(person ? new String[] {"shell"} : words);
        session.close();
        commandLine.getOut().flush();
        commandLine.getErr().flush();
        System.exit(status);
    }

    /**
     * A command on recorded runs without the tree of all others, which takes longer to make than
     * the newest of thousands of runs take to list; null where the tree is needed, for help say.
     */
    static @Nullable CommandLine alone(String[] args) {
        if (args.length < 2 || !args[0].equals("history")) {
            return null;
        }
        Object command = HistoryCommand.named(args[1]);
        if (command == null || List.of(args).contains("--help") || List.of(args).contains("-h")) {
            return null;
        }
        return withRules(
                new CommandLine(command).setCommandName("raft history " + args[1]),
                () -> 80,
                () -> Integer.MAX_VALUE);
    }

    /**
     * The whole tree with its rules for errors: one sentence on standard error, a fitting exit
     * status, no stack trace.
     */
    static CommandLine commandLine() {
        return commandLine(new Session(Home.histories(), line -> {}));
    }

    /** The same, with commands that work in a session. */
    static CommandLine commandLine(Session session) {
        CommandLine commandLine =
                new CommandLine(
                        new Main(),
                        new CommandLine.IFactory() {
                            private final CommandLine.IFactory plain = CommandLine.defaultFactory();

                            @Override
                            public <K> K create(Class<K> type) throws Exception {
                                K made = plain.create(type);
                                if (made instanceof InSession command) {
                                    command.enter(session);
                                }
                                return made;
                            }
                        });
        CommandLine sim = Objects.requireNonNull(commandLine.getSubcommands().get("sim"));
        TravelCommands.Speed speed = new TravelCommands.Speed();
        speed.enter(session);
        sim.addSubcommand("speed", speed);
        enterMixins(commandLine, session);
        Examples.into(commandLine, "");
        // Of 'cut n1 -> n3' and 'cut n1 -- n3' the arrow is a word like any other.
        Objects.requireNonNull(commandLine.getSubcommands().get("cut"))
                .setUnmatchedOptionsArePositionalParams(true)
                .setEndOfOptionsDelimiter("");
        TestCommand.listFaults(Objects.requireNonNull(commandLine.getSubcommands().get("test")));
        // Only a person's screen breaks sentences into lines: to programs one is one line.
        return withRules(
                commandLine,
                session::columns,
                () -> session.isInteractive() ? session.columns() : Integer.MAX_VALUE);
    }

    private static void complain(CommandLine failing, String sentence, IntSupplier columns) {
        TextLines.wrap("", "raft: " + sentence, columns.getAsInt())
                .forEach(failing.getErr()::println);
    }

    /**
     * @param columns of the screen
     * @param sentence how wide a complaint may be
     */
    private static CommandLine withRules(
            CommandLine commandLine, IntSupplier columns, IntSupplier sentence) {
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setParameterExceptionHandler(
                (problem, args) -> {
                    CommandLine failing = problem.getCommandLine();
                    String meant = "";
                    String words = String.valueOf(problem.getMessage());
                    if (problem instanceof CommandLine.UnmatchedArgumentException unmatched
                            && !unmatched.getUnmatched().isEmpty()) {
                        words = Suggestions.unknown(failing, unmatched.getUnmatched());
                        meant = Suggestions.line(failing, unmatched.getUnmatched());
                    }
                    complain(failing, words, sentence);
                    if (!meant.isEmpty()) {
                        complain(failing, meant, sentence);
                    }
                    String path = failing.getCommandSpec().qualifiedName(" ");
                    complain(failing, "'" + path + " --help' lists what there is", sentence);
                    return EXIT_USAGE;
                });
        commandLine.setExecutionExceptionHandler(
                (problem, failing, result) -> {
                    if (problem instanceof UsageException) {
                        complain(failing, String.valueOf(problem.getMessage()), sentence);
                        return EXIT_USAGE;
                    }
                    if (problem instanceof BrokenInvariantException) {
                        complain(failing, String.valueOf(problem.getMessage()), columns);
                        return 1;
                    }
                    if (problem instanceof NoSuchFileException missing) {
                        failing.getErr().println("raft: there is no file " + missing.getFile());
                        return EXIT_USAGE;
                    }
                    // Whatever fails in the hands of somebody who was interrupted fails for that.
                    if (problem instanceof InterruptedException
                            || Thread.currentThread().isInterrupted()) {
                        failing.getErr().println("raft: interrupted");
                        return EXIT_FAILURE;
                    }
                    complain(
                            failing,
                            problem.getMessage() == null
                                    ? problem.toString()
                                    : problem.getMessage(),
                            sentence);
                    if (System.getenv("RAFT_DEBUG") != null) {
                        problem.printStackTrace(failing.getErr());
                    }
                    return EXIT_FAILURE;
                });
        return commandLine;
    }

    /** What several commands share is made by them and not by the factory. */
    private static void enterMixins(CommandLine commandLine, Session session) {
        for (Object mixin : commandLine.getMixins().values()) {
            if (mixin instanceof InSession shared) {
                shared.enter(session);
            }
        }
        commandLine.getSubcommands().values().forEach(sub -> enterMixins(sub, session));
    }
}
