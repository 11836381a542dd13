package raft.shell;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Commands as a person gives them, with runs in a folder of the test's own. */
record Commands(Path root) {
    /** What was printed, and the exit status. */
    record Ended(int status, String out, String err) {}

    Ended run(String... words) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--histories", root.toString()));
        String before = System.getProperty("raft.home");
        // Planted bugs are edits of the sources there.
        System.setProperty("raft.home", "..");
        try {
            int status = commandLine.execute(all.toArray(String[]::new));
            return new Ended(status, out.toString(), err.toString());
        } finally {
            if (before == null) {
                System.clearProperty("raft.home");
            } else {
                System.setProperty("raft.home", before);
            }
        }
    }
}
