package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import raft.shell.live.Session;
import raft.shell.live.UsageException;
import raft.shell.repl.Engine;
import raft.shell.view.Table;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * {@code ./raft bench shell}: how long a person waits for the first word of each command's answer,
 * and for a status of five nodes of which two hang.
 */
@Command(
        name = "shell",
        description = "How soon the shell's commands begin to answer.",
        footer = {"", "Examples:", "  bench shell", "  bench shell --cluster docker"})
final class ShellBench extends Verb {
    private static final List<String> COMMANDS =
            List.of(
                    "help",
                    "help partition",
                    "status",
                    "config",
                    "log",
                    "log n1",
                    "trace",
                    "faults",
                    "put x 1",
                    "get x",
                    "cas x 1 1",
                    "keys",
                    "workload",
                    "check",
                    "history stats",
                    "scenario list",
                    "nonsense");

    @Option(
            names = "--cluster",
            paramLabel = "docker|sim",
            defaultValue = "sim",
            description = "where the nodes run (default: sim)")
    String where = "sim";

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "20",
            description = "how often each command is typed (default: 20)")
    int repeat;

    /** Takes the moment of the first word. */
    private static final class FirstWord extends Writer {
        private long atNanos;

        @Override
        public void write(char[] text, int from, int count) {
            if (atNanos == 0) {
                atNanos = System.nanoTime();
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (repeat < 1 || repeat > 10_000) {
            throw new UsageException("--repeat is between 1 and 10000");
        }
        Path folder = Files.createTempDirectory("raft-bench-shell");
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("cluster", where);
        figures.put("repeat", repeat);
        Table table =
                new Table()
                        .column("command", false, 100)
                        .column("median ms", true, 90)
                        .column("most ms", true, 80);
        try (Session session = new Session(folder, line -> {})) {
            int up = typed(session, "cluster up " + where + " --nodes 5", new FirstWord());
            if (up != 0) {
                throw new UsageException("no cluster of this kind comes up here");
            }
            for (String command : COMMANDS) {
                measure(session, command, table, figures);
            }
            int paused = typed(session, "pause n4; pause n5", new FirstWord());
            assert paused >= 0;
            measure(session, "status", table, figures, "status, two hang");
        }
        if (!isJson()) {
            say(table.lines(width(), paint()));
        }
        json(figures);
        return 0;
    }

    private void measure(
            Session session, String command, Table table, Map<String, Object> figures) {
        measure(session, command, table, figures, command);
    }

    private void measure(
            Session session,
            String command,
            Table table,
            Map<String, Object> figures,
            String name) {
        double[] millis = new double[repeat];
        for (int i = -2; i < repeat; i++) {
            FirstWord first = new FirstWord();
            long began = System.nanoTime();
            int status = typed(session, command, first);
            assert status >= 0;
            // The first two warm the code up; a person's session is never as cold.
            if (i >= 0) {
                long seen = first.atNanos == 0 ? System.nanoTime() : first.atNanos;
                millis[i] = (seen - began) / 1e6;
            }
        }
        Arrays.sort(millis);
        double median = millis[repeat / 2];
        double most = millis[repeat - 1];
        table.cell(name).cell(words(median)).cell(words(most));
        figures.put(name, Map.of("medianMillis", median, "mostMillis", most));
    }

    private static String words(double millis) {
        return String.format(Locale.ROOT, "%.1f", millis);
    }

    private static int typed(Session session, String line, Writer to) {
        PrintWriter out = new PrintWriter(to);
        return new Engine(() -> Main.commandLine(session), session, out, out).line(line);
    }
}
