package raft.shell;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import raft.shell.history.HistoryCommand;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

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
            "Exit status: 0 valid, 1 violation, 2 unknown or not enough evidence, 254 bad usage or"
                    + " input,",
            "255 the harness or its environment failed.",
            "",
            "Start with:  ./raft test"
        },
        subcommands = {
            TestCommand.class,
            CheckCommand.class,
            HistoryCommand.class,
            SimCommand.class,
            BenchCommand.class,
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

    public static void main(String[] args) {
        CommandLine commandLine = commandLine();
        commandLine.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
        commandLine.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
        int status = commandLine.execute(args);
        commandLine.getOut().flush();
        commandLine.getErr().flush();
        System.exit(status);
    }

    /**
     * The whole tree with its rules for errors: one sentence on standard error, a fitting exit
     * status, no stack trace.
     */
    static CommandLine commandLine() {
        CommandLine commandLine = new CommandLine(new Main());
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        TestCommand.listFaults(Objects.requireNonNull(commandLine.getSubcommands().get("test")));
        commandLine.setParameterExceptionHandler(
                (problem, args) -> {
                    PrintWriter err = problem.getCommandLine().getErr();
                    err.println("raft: " + problem.getMessage());
                    CommandLine.UnmatchedArgumentException.printSuggestions(problem, err);
                    err.println(
                            "raft: '"
                                    + problem.getCommandLine()
                                            .getCommandSpec()
                                            .qualifiedName("/ ")
                                            .replace("/", "")
                                    + " --help' lists what there is");
                    return EXIT_USAGE;
                });
        commandLine.setExecutionExceptionHandler(
                (problem, failing, result) -> {
                    failing.getErr()
                            .println(
                                    "raft: "
                                            + (problem.getMessage() == null
                                                    ? problem.toString()
                                                    : problem.getMessage()));
                    if (System.getenv("RAFT_DEBUG") != null) {
                        problem.printStackTrace(failing.getErr());
                    }
                    return EXIT_FAILURE;
                });
        return commandLine;
    }
}
