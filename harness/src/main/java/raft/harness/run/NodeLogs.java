package raft.harness.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What the nodes' own logs say about the run: a node that stopped itself knows best why. */
final class NodeLogs {
    /** How our node begins its last words when one of its invariants broke. */
    private static final String STOPPED_BY_A_BUG = "stopped by a bug: ";

    private static final int LINES_MAX = 20;
    private static final int LINE_LENGTH_MAX = 500;

    private NodeLogs() {}

    /**
     * The lines in which our nodes say that an invariant broke, each with the first line of the
     * cause below it, at most {@value #LINES_MAX}.
     *
     * @param runFolder with nodes/ID/node.log
     */
    static List<String> brokenInvariants(Path runFolder) throws IOException {
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
                        int at = line.indexOf(STOPPED_BY_A_BUG);
                        if (at >= 0) {
                            found.add(node + " " + cut(line.substring(at)));
                            causeFollows[0] = true;
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
