package raft.shell.history;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.util.List;

/** {@code ./raft history}: recorded runs, looked at. */
@Command(
        name = "history",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        description = {"Looks at recorded runs and histories.", ""},
        footer = {
            "",
            "RUN is a run's name or a part of it, 'latest', a folder, or a file of any known kind.",
            "",
            "Examples:",
            "  ./raft history list --verdict violation        what was found wrong",
            "  ./raft history show latest --key 3 --from 9s   events of one key",
            "  ./raft history explain latest                  why it is impossible",
            "  ./raft history timeline latest --from 9s --to 9.2s",
            "  ./raft history open latest                     its page, in a browser",
            "  ./raft history export latest --format perfetto --file trace.json"
        },
        subcommands = {
            ListCommand.class,
            ShowCommand.class,
            StatsCommand.class,
            ExplainCommand.class,
            TimelineCommand.class,
            DiffCommand.class,
            ExportCommand.class,
            ImportCommand.class,
            OpenCommand.class
        })
public final class HistoryCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** What a run can have come to, by name. */
    public static List<String> verdicts() {
        return ListCommand.VERDICTS;
    }

    /** What a history can be exported as, by name. */
    public static List<String> formats() {
        return ExportCommand.formats();
    }

    /** A new one of the commands below, null where none is called so. */
    public static @Nullable Object named(String name) {
        return switch (name) {
            case "list" -> new ListCommand();
            case "show" -> new ShowCommand();
            case "stats" -> new StatsCommand();
            case "explain" -> new ExplainCommand();
            case "timeline" -> new TimelineCommand();
            case "diff" -> new DiffCommand();
            case "export" -> new ExportCommand();
            case "import" -> new ImportCommand();
            case "open" -> new OpenCommand();
            default -> null;
        };
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "say what to do: list, show, stats, explain, timeline, diff, export, import or"
                        + " open");
    }
}
