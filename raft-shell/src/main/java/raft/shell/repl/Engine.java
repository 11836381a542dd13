package raft.shell.repl;

import picocli.CommandLine;

import raft.shell.live.Session;
import raft.shell.live.UsageException;

import java.io.PrintWriter;
import java.util.List;
import java.util.function.Supplier;

/**
 * Carries lines out, one command after the other, whoever reads them: a person's prompt, {@code
 * -c}, a file, standard input. Whatever a command does, it ends with an exit status.
 *
 * <p>Beside the command tree it knows {@code exit}, and {@code try COMMAND…}, whose failure does
 * not end a script.
 */
public final class Engine {
    /** Bad usage. */
    public static final int EXIT_USAGE = 254;

    private static final int EXIT_FAILURE = 255;
    private static final List<Integer> WORST_FIRST = List.of(1, EXIT_FAILURE, EXIT_USAGE, 2, 0);

    private final Supplier<CommandLine> tree;
    private final Session session;
    private final PrintWriter out;
    private final PrintWriter err;
    private boolean leaving;

    /**
     * @param tree makes the commands anew for each line: they are objects that keep what was parsed
     */
    public Engine(Supplier<CommandLine> tree, Session session, PrintWriter out, PrintWriter err) {
        this.tree = tree;
        this.session = session;
        this.out = out;
        this.err = err;
    }

    /** Whether {@code exit} was among the commands. */
    public boolean isLeaving() {
        return leaving;
    }

    /** A whole line; stops at its first failing command. */
    public int line(String line) {
        return line(line, false);
    }

    private int line(String line, boolean keepGoing) {
        List<List<String>> commands;
        try {
            commands = LineWords.commands(line);
        } catch (UsageException e) {
            err.println("raft: " + e.getMessage());
            err.flush();
            return EXIT_USAGE;
        }
        if (!commands.isEmpty()) {
            session.note(line.strip());
        }
        int worst = 0;
        for (List<String> words : commands) {
            worst = worse(worst, command(words));
            if (leaving || (worst != 0 && !keepGoing)) {
                break;
            }
        }
        return worst;
    }

    private int command(List<String> words) {
        return switch (words.getFirst()) {
            case "exit", "quit" -> {
                leaving = true;
                yield 0;
            }
            case "try" -> {
                int status = words.size() > 1 ? execute(words.subList(1, words.size())) : 0;
                // A violation is no failure that one may have expected.
                yield status == 1 ? 1 : 0;
            }
            default -> execute(words);
        };
    }

    private int execute(List<String> words) {
        try {
            CommandLine commandLine = tree.get();
            commandLine.setOut(out);
            commandLine.setErr(err);
            return commandLine.execute(words.toArray(String[]::new));
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            // Nothing that a command does may end the shell.
            err.println("raft: the command failed: " + e);
            return EXIT_FAILURE;
        } finally {
            out.flush();
            err.flush();
            boolean cleared = Thread.interrupted();
            assert cleared || !Thread.currentThread().isInterrupted();
        }
    }

    /**
     * Lines of a script.
     *
     * @param keepGoing goes on after an error; the worst status counts then
     * @param echo prints each line before it is carried out
     */
    public int script(Iterable<String> lines, boolean keepGoing, boolean echo) {
        int worst = 0;
        StringBuilder pending = new StringBuilder();
        for (String part : lines) {
            pending.append(part);
            String line = pending.toString();
            if (LineWords.isOpen(line)) {
                pending.append('\n');
                continue;
            }
            pending.setLength(0);
            if (echo && !line.isBlank()) {
                out.println(line.strip().startsWith("#") ? line.strip() : "raft> " + line.strip());
                out.flush();
            }
            int status = line(line, keepGoing);
            worst = worse(worst, status);
            if (leaving || (status != 0 && !keepGoing)) {
                return worst;
            }
        }
        return pending.isEmpty() ? worst : worse(worst, line(pending.toString(), keepGoing));
    }

    /** 1 wins, then 255, then 254, then 2. */
    public static int worse(int one, int other) {
        int first = WORST_FIRST.indexOf(one);
        int second = WORST_FIRST.indexOf(other);
        return (first >= 0 && first <= second) || second < 0 ? one : other;
    }
}
