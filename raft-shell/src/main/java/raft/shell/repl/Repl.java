package raft.shell.repl;

import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.LineReaderImpl;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;
import org.jline.utils.Status;
import org.jline.widget.AutosuggestionWidgets;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine;

import raft.harness.cluster.NodeStatus;
import raft.shell.live.FaultInForce;
import raft.shell.live.LiveCluster;
import raft.shell.live.Session;
import raft.shell.live.Tally;
import raft.shell.view.Paint;
import raft.shell.view.TextLines;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The prompt: reads a line, has it carried out, again. Events appear above the line being typed,
 * the state of the cluster below it. Ctrl-C ends the command that runs, or clears the line; Ctrl-D
 * leaves; nothing else does but {@code exit}.
 */
public final class Repl {
    private static final long STATUS_EVERY_MILLIS = 250;

    private final Terminal terminal;
    private final Session session;
    private final Supplier<CommandLine> tree;
    private final Map<String, Supplier<List<String>>> names;
    private final @Nullable Path historyFile;
    private final boolean dumb;
    private Supplier<List<String>> news = List::of;
    private volatile @Nullable Thread running;
    private volatile boolean ended;

    /** Whether Ctrl-C came while a command ran: the terminal has echoed it. */
    private volatile boolean broken;

    /** Where what is not typed goes while a command runs. */
    private volatile PrintWriter answers;

    /**
     * @param names for completion, by the label of an argument
     * @param historyFile lines of earlier sessions; null for none
     */
    public Repl(
            Terminal terminal,
            Session session,
            Supplier<CommandLine> tree,
            Map<String, Supplier<List<String>>> names,
            @Nullable Path historyFile) {
        this.terminal = terminal;
        this.session = session;
        this.tree = tree;
        this.names = names;
        this.historyFile = historyFile;
        this.answers = terminal.writer();
        this.dumb = terminal.getType().startsWith(Terminal.TYPE_DUMB);
    }

    /**
     * Has what a person should know from the beginning told above the first prompt.
     *
     * @param lines may take its time to find out: nobody waits for it
     */
    public Repl telling(Supplier<List<String>> lines) {
        news = lines;
        return this;
    }

    /** Until the person leaves. The status is that of the last command. */
    public int run() {
        PrintWriter out = terminal.writer();
        Working working = dumb ? null : new Working(out);
        if (working != null) {
            answers = new PrintWriter(working);
        }
        Engine engine = new Engine(tree, session, answers, answers);
        LineReader reader = reader(out);
        session.setInteractive(true);
        session.setAnnounce(line -> printAbove(reader, line));
        SignalHandler before = terminal.handle(Signal.INT, signal -> interrupted());
        Thread ticker =
                Thread.ofPlatform().daemon().name("status-line").unstarted(() -> tick(reader));
        ticker.start();
        int status = 0;
        fit();
        out.println(welcome());
        Thread.ofPlatform()
                .daemon()
                .name("news")
                .start(() -> news.get().forEach(session::announce));
        try {
            while (!engine.isLeaving()) {
                fit();
                String line;
                try {
                    line = reader.readLine(prompt());
                } catch (UserInterruptException e) {
                    continue;
                } catch (EndOfFileException e) {
                    break;
                }
                status = carryOut(engine, line, working);
            }
        } finally {
            ended = true;
            terminal.handle(Signal.INT, before);
            Status.getExistingStatus(terminal).ifPresent(Status::hide);
            session.setAnnounce(
                    line -> {
                        out.println(line);
                        out.flush();
                    });
        }
        return status;
    }

    private int carryOut(Engine engine, String line, @Nullable Working working) {
        running = Thread.currentThread();
        try {
            if (working != null && !line.isBlank()) {
                working.begin(line.strip().split("\\s+", 2)[0]);
            }
            return engine.line(line);
        } finally {
            running = null;
            if (working != null) {
                try {
                    working.end();
                } catch (IOException e) {
                    // A screen that takes nothing any more is noticed when the next line is read.
                    assert !ended;
                }
            }
            if (broken) {
                broken = false;
                terminal.writer().println();
            }
            // An interrupt that came too late for the command must not end the prompt.
            boolean late = Thread.interrupted();
            assert late || !Thread.currentThread().isInterrupted();
        }
    }

    private void interrupted() {
        Thread command = running;
        if (command == null) {
            return;
        }
        broken = true;
        if (!session.interrupt()) {
            command.interrupt();
        }
    }

    private LineReader reader(PrintWriter out) {
        CommandLine readOnly = tree.get();
        LineReaderBuilder builder =
                LineReaderBuilder.builder()
                        .terminal(terminal)
                        .appName("raft")
                        .parser(new WordParser())
                        .completer(new Completions(readOnly, names))
                        .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                        .option(LineReader.Option.INSERT_TAB, false)
                        .option(LineReader.Option.HISTORY_IGNORE_SPACE, true)
                        .variable(LineReader.SECONDARY_PROMPT_PATTERN, "%P … ")
                        .variable(LineReader.LIST_MAX, 100);
        if (session.isColour()) {
            builder.highlighter(new LinePaint(readOnly, names.getOrDefault("NODE", List::of)));
        }
        Path file = usableHistory(out);
        if (file != null) {
            builder.variable(LineReader.HISTORY_FILE, file);
        }
        LineReader reader = builder.build();
        if (session.isColour()) {
            // Only where it can be told apart from what was typed.
            new AutosuggestionWidgets(reader).enable();
        }
        return reader;
    }

    /** A history that cannot be kept is said once; the shell goes on without. */
    private @Nullable Path usableHistory(PrintWriter out) {
        Path file = historyFile;
        if (file == null) {
            return null;
        }
        try {
            Path folder = file.toAbsolutePath().getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            if (Files.exists(file) ? !Files.isWritable(file) : !Files.isWritable(folder)) {
                throw new IOException("not writable");
            }
            return file;
        } catch (IOException e) {
            out.println(
                    "raft: lines are not kept for the next session: "
                            + file
                            + ": "
                            + e.getMessage()
                            + "; RAFT_SHELL_HISTORY names another file");
            return null;
        }
    }

    private void fit() {
        session.setColumns(terminal.getSize().getColumns());
    }

    private String welcome() {
        return String.join(
                "\n",
                TextLines.wrap(
                        "",
                        "The Raft lab's shell: 'help' lists the commands, 'scenario list' the"
                                + " guided tours, Tab completes, Ctrl-D leaves.",
                        session.columns()));
    }

    /** Cluster and leader. */
    String prompt() {
        LiveCluster up = session.clusterOrNull();
        if (up == null) {
            return "raft> ";
        }
        NodeStatus leader = up.leader();
        AttributedStringBuilder prompt = new AttributedStringBuilder();
        prompt.append(up.kind()).append(' ');
        if (leader == null) {
            prompt.styled(AttributedStyle.DEFAULT.foreground(AttributedStyle.RED), "no leader");
        } else {
            prompt.styled(AttributedStyle.DEFAULT.foreground(AttributedStyle.GREEN), leader.node());
            prompt.append(" t" + leader.term());
        }
        prompt.append("> ");
        return session.isColour() ? prompt.toAnsi(terminal) : prompt.toString();
    }

    // ---- Events and the line below ----

    private void printAbove(LineReader reader, String line) {
        String painted = Paint.of(session.isColour()).event(line);
        if (ended) {
            return;
        }
        if (reader.isReading()) {
            reader.printAbove(AttributedString.fromAnsi(painted));
        } else {
            PrintWriter between = answers;
            between.println(painted);
            between.flush();
        }
    }

    private void tick(LineReader reader) {
        if (dumb) {
            return;
        }
        Status status = Status.getStatus(terminal);
        if (status == null) {
            return;
        }
        // Drawn only between two keys, by the reader itself, so that nothing is torn.
        reader.getWidgets()
                .put(
                        "raft-status",
                        () -> {
                            status.update(List.of(statusLine()));
                            if (reader instanceof LineReaderImpl line) {
                                line.setPrompt(prompt());
                                reader.callWidget(LineReader.REDISPLAY);
                            }
                            return true;
                        });
        String shown = "";
        while (!ended) {
            try {
                Thread.sleep(STATUS_EVERY_MILLIS);
                String now = prompt() + statusLine() + terminal.getSize().getColumns();
                if (!now.equals(shown) && reader.isReading()) {
                    reader.callWidget("raft-status");
                    shown = now;
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                // The line was accepted in this very moment; next time.
                shown = "";
            }
        }
    }

    /** One line, never wider than the terminal. */
    AttributedString statusLine() {
        LiveCluster up = session.clusterOrNull();
        String text = up == null ? " no cluster is up" : words(up);
        int width = Math.max(20, terminal.getSize().getColumns());
        String fitted = text.length() <= width - 1 ? text : text.substring(0, width - 2) + "…";
        return new AttributedString(
                fitted + " ".repeat(Math.max(0, width - 1 - fitted.length())),
                session.isColour() ? AttributedStyle.DEFAULT.inverse() : AttributedStyle.DEFAULT);
    }

    private static String words(LiveCluster up) {
        NodeStatus leader = up.leader();
        StringBuilder text = new StringBuilder(" ");
        text.append(up.kind());
        if (up.isSimulated()) {
            text.append(String.format(Locale.ROOT, " %.3f s", up.seenNanos() / 1e9));
            text.append(
                    up.speed() == 0
                            ? " (stands still)"
                            : up.speed() == 1
                                    ? ""
                                    : String.format(Locale.ROOT, " (× %s)", up.speed()));
        }
        text.append(
                leader == null
                        ? " | no leader"
                        : " | " + leader.node() + " leads term " + leader.term());
        long silent = up.latest().stream().filter(node -> !node.reachable()).count();
        if (silent > 0) {
            text.append(" | ").append(silent).append(" silent");
        }
        List<FaultInForce> faults = up.faults();
        text.append(
                faults.isEmpty()
                        ? " | no fault"
                        : " | "
                                + faults.stream()
                                        .map(FaultInForce::words)
                                        .collect(Collectors.joining(", ")));
        Tally tally = up.tally();
        if (tally != null) {
            text.append(" | ").append(tally.workload()).append(": ").append(tally.words());
        }
        return text.toString();
    }
}
