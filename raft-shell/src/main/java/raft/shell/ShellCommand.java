package raft.shell;

import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import raft.shell.live.FaultInForce;
import raft.shell.live.LiveCluster;
import raft.shell.live.Session;
import raft.shell.live.UsageException;
import raft.shell.repl.Engine;
import raft.shell.repl.Repl;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;

/** {@code ./raft shell}: the prompt on a terminal, a script elsewhere. */
@Command(
        name = "shell",
        description = "Drives a cluster by hand: a prompt on a terminal, or a script.",
        footer = {
            "",
            "Every command of './raft COMMAND' is a line here, and every line there a command.",
            "A script stops at the first error, with its exit status. 'try COMMAND' lets one fail.",
            "",
            "Examples:",
            "  ./raft shell",
            "  ./raft shell -c 'cluster up sim; put x 1; kill leader; wait leader; get x'",
            "  ./raft shell -f tour.raft --echo",
            "  ./raft shell < tour.raft"
        })
final class ShellCommand extends Verb {
    @Option(names = "-c", paramLabel = "COMMANDS", description = "carries these out, parted by ;")
    @Nullable String commands;

    @Option(names = "-f", paramLabel = "FILE", description = "carries a file's lines out")
    @Nullable Path file;

    @Option(names = "--keep-going", description = "goes on after an error; the worst status counts")
    boolean keepGoing;

    @Option(names = "--echo", description = "prints each line of a script before its answer")
    boolean echo;

    @Override
    public Integer call() throws IOException {
        if (commands != null && file != null) {
            throw new UsageException("-c and -f exclude each other");
        }
        Session session = session();
        if (session.isInteractive()) {
            throw new UsageException("this is the shell already");
        }
        session.setAnnounce(
                line -> {
                    if (!line.isEmpty() && isComplaint(line)) {
                        err().println(line);
                        err().flush();
                    }
                });
        if (commands != null) {
            return leave(engine().script(List.of(commands.split("\n", -1)), keepGoing, echo));
        }
        if (file != null) {
            try {
                return leave(engine().script(Files.readAllLines(file), keepGoing, echo));
            } catch (NoSuchFileException e) {
                throw new UsageException("there is no file " + file);
            }
        }
        if (!Main.isTerminal("in")) {
            return leave(engine().script(new Lines(), keepGoing, echo));
        }
        return prompt();
    }

    /** Standard input line by line, each as it comes; can be gone through once. */
    private static final class Lines implements Iterable<String> {
        private final BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

        @Override
        public Iterator<String> iterator() {
            return in.lines().iterator();
        }
    }

    /** What a script must know although it follows no events. */
    private static boolean isComplaint(String line) {
        return line.contains("record")
                || line.contains("INVARIANT")
                || line.contains("cannot be driven");
    }

    private Engine engine() {
        return new Engine(() -> Main.commandLine(session()), session(), out(), err());
    }

    private int prompt() throws IOException {
        Session session = session();
        try (Terminal terminal =
                TerminalBuilder.builder().system(true).dumb(true).jni(false).build()) {
            session.setColour(
                    System.getenv("NO_COLOR") == null
                            && !terminal.getType().startsWith(Terminal.TYPE_DUMB)
                            && Main.isTerminal("out"));
            int status =
                    new Repl(
                                    terminal,
                                    session,
                                    () -> Main.commandLine(session),
                                    Names.byLabel(session),
                                    historyFile())
                            .telling(ClusterCommand::leftBehind)
                            .run();
            terminal.writer().flush();
            return leave(status);
        }
    }

    private static Path historyFile() {
        String given = System.getenv("RAFT_SHELL_HISTORY");
        return given != null
                ? Path.of(given)
                : Path.of(System.getProperty("user.home", "."), ".raft_history");
    }

    /** Heals what was broken here and says what becomes of the cluster. */
    private int leave(int status) {
        Session session = session();
        LiveCluster up = session.clusterOrNull();
        if (up != null) {
            List<FaultInForce> faults = up.faults();
            boolean person = session.isInteractive();
            session.close();
            if (person) {
                say(
                        (faults.isEmpty() ? "" : faults.size() + " faults went with the cluster; ")
                                + "the cluster is down; recorded in "
                                + up.folder());
            }
        }
        return status;
    }
}
