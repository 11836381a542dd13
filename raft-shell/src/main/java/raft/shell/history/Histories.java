package raft.shell.history;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import raft.harness.history.HistoryIndex;
import raft.harness.report.NodeLogLines;
import raft.harness.report.RunFiles;
import raft.harness.report.RunList;
import raft.shell.Home;
import raft.shell.InSession;
import raft.shell.OutputForm;
import raft.shell.live.LiveCluster;
import raft.shell.live.Session;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** What the commands on histories share: where runs are, how one is named, how answers look. */
final class Histories implements InSession {
    private static final int WIDTH = 80;

    @Option(
            names = "--histories",
            paramLabel = "FOLDER",
            description = "where runs are saved (default: histories)")
    private @Nullable Path folder;

    @Option(
            names = "--output",
            defaultValue = "text",
            paramLabel = "text|json",
            description = "json prints one object a line (default: text)")
    private OutputForm output = OutputForm.TEXT;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private @Nullable Session session;

    @Override
    public void enter(Session entered) {
        session = entered;
    }

    Path root() {
        if (folder != null) {
            return folder;
        }
        return session == null ? Home.histories() : session.histories();
    }

    boolean json() {
        return output == OutputForm.JSON;
    }

    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    PrintWriter err() {
        return spec.commandLine().getErr();
    }

    ParameterException usage(String problem) {
        return new ParameterException(spec.commandLine(), problem);
    }

    /** Columns of the terminal. */
    int width() {
        String columns = System.getenv("COLUMNS");
        if (columns != null && columns.matches("\\d{2,4}")) {
            return Math.max(40, Integer.parseInt(columns));
        }
        int known =
                session == null
                        ? Integer.getInteger("raft.terminal.columns", WIDTH)
                        : session.columns();
        return Math.max(40, known);
    }

    RunList runs() {
        return new RunList(root());
    }

    /**
     * The run's folder or the history file that a person names. To whoever has a cluster up the
     * latest is what he records himself, whatever others on this machine do meanwhile.
     *
     * @throws ParameterException when there is none, or more than one
     */
    Path find(String word) {
        LiveCluster up = session == null ? null : session.clusterOrNull();
        if (up != null && folder == null && word.equals("latest")) {
            return up.folder();
        }
        try {
            return runs().find(word);
        } catch (IOException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    /**
     * What nodes logged in a stretch of a run; nothing where a file stands alone.
     *
     * @param word names the run
     */
    List<NodeLogLines.Line> logs(String word, long fromNanos, long toNanos) {
        Path found = find(word);
        return Files.isDirectory(found)
                ? NodeLogLines.between(
                        found, fromNanos, toNanos, problem -> err().println("raft: " + problem))
                : List.of();
    }

    /** A line of a node's log among events. */
    void print(NodeLogLines.Line line) {
        out().println(
                        ListCommand.cut(
                                String.format(
                                        Locale.ROOT,
                                        "%18.3f s %7s %s%s",
                                        line.timeNanos() / 1e9,
                                        line.node(),
                                        line.isWarning() ? "! " : "| ",
                                        line.text()),
                                width()));
    }

    /** The history in a run's folder, or the file itself. */
    static Path file(Path found) {
        return Files.isDirectory(found) ? found.resolve("history.jsonl") : found;
    }

    /**
     * Opens the history that a person names, and says what is odd about it.
     *
     * @throws ParameterException when it cannot be read at all
     */
    HistoryIndex open(String word) {
        Path file = file(find(word));
        try {
            HistoryIndex history = HistoryIndex.open(file);
            history.warnings().forEach(warning -> err().println("raft: " + file + ": " + warning));
            return history;
        } catch (NoSuchFileException e) {
            Path folder = file.toAbsolutePath().getParent();
            throw usage(
                    file
                            + " does not exist: "
                            + (folder == null ? "" : RunFiles.whyNoHistory(folder)));
        } catch (IOException e) {
            String message = String.valueOf(e.getMessage());
            throw usage(message.startsWith(file + ":") ? message : file + ": " + message);
        }
    }
}
