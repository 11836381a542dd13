package raft.harness.report;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/** The lines that nodes logged in a run, placed on the run's time. */
public final class NodeLogLines {
    private NodeLogLines() {}

    /**
     * @param timeNanos since the run began
     */
    public record Line(long timeNanos, String node, boolean isWarning, String text) {}

    /**
     * The lines of a stretch of time, in order; none where the folder holds no logs.
     *
     * @param problems takes a sentence about what cannot be read
     */
    public static List<Line> between(
            Path runFolder, long fromNanos, long toNanos, Consumer<String> problems) {
        return NodeLane.read(runFolder, problems).stream()
                .flatMap(
                        lane ->
                                lane.logs().stream()
                                        .map(
                                                log ->
                                                        new Line(
                                                                log.micros() * 1000,
                                                                lane.id(),
                                                                log.level() > 0,
                                                                log.text())))
                .filter(line -> line.timeNanos() >= fromNanos && line.timeNanos() < toNanos)
                .sorted(Comparator.comparingLong(Line::timeNanos))
                .toList();
    }
}
