package raft.harness.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the nodes' own logs say about the run: a node that stopped itself, or that its run-time
 * stopped, knows best why.
 */
final class NodeLogs {
    /**
     * How last words begin: our node's when one of its invariants broke, then those of the
     * run-times of Java, Go, Rust, Python and C. Of a disk that failed or memory that ran out none
     * of them is said.
     */
    private static final Pattern LAST_WORDS =
            Pattern.compile(
                    "stopped by a bug: .*"
                            + "|^Exception in thread \".*"
                            + "|^panic: .*|\"level\":\"panic\".*"
                            + "|^thread '.*' panicked at .*"
                            + "|^Traceback \\(most recent call last\\).*"
                            + "|^(Segmentation fault|# A fatal error has been detected).*"
                            + "|AddressSanitizer: .*");

    private static final int LINES_MAX = 20;
    private static final int LINE_LENGTH_MAX = 500;

    private NodeLogs() {}

    /**
     * The lines in which nodes say that an invariant broke or that they crashed, each with the
     * first line of the cause below it, at most {@value #LINES_MAX}.
     *
     * @param runFolder with nodes/ID/node.log
     */
    static List<String> findings(Path runFolder) throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> nodes = Files.list(runFolder.resolve("nodes"))) {
            for (Path node : nodes.sorted().toList()) {
                Path log = node.resolve("node.log");
                if (Files.exists(log)) {
                    scan(node.getFileName().toString(), log, found);
                }
            }
        }
        return found;
    }

    private static void scan(String node, Path log, List<String> found) throws IOException {
        // ISO 8859-1 reads every byte; a log may hold anything.
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
            boolean[] causeFollows = {false};
            lines.forEach(
                    line -> {
                        if (found.size() >= LINES_MAX) {
                            return;
                        }
                        Matcher words = LAST_WORDS.matcher(line);
                        if (words.find()) {
                            found.add(node + " " + cut(words.group()));
                            // Our node names the broken rule in its last words; others below them.
                            causeFollows[0] = !words.group().startsWith("stopped by a bug");
                        } else if (causeFollows[0]) {
                            found.set(found.size() - 1, found.getLast() + " | " + cut(line));
                            causeFollows[0] = false;
                        }
                    });
        }
    }

    private static String cut(String line) {
        return line.length() <= LINE_LENGTH_MAX ? line : line.substring(0, LINE_LENGTH_MAX) + "…";
    }
}
