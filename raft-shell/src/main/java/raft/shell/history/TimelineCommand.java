package raft.shell.history;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.history.HistoryIndex;
import raft.harness.report.Exports;
import raft.harness.report.NodeLogLines;
import raft.harness.report.TextTimeline;

import java.io.IOException;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** {@code history timeline}: a stretch of a history, drawn in the terminal. */
@Command(
        name = "timeline",
        mixinStandardHelpOptions = true,
        description = "Draws a history in the terminal: faults, and each process's operations.")
final class TimelineCommand implements Callable<Integer> {
    private static final int LOG_LINES_MAX = 20;

    @Parameters(paramLabel = "RUN", defaultValue = "latest", description = "(default: latest)")
    private String run = "latest";

    @Mixin private Histories histories = new Histories();

    @Mixin private FilterOptions filter = new FilterOptions();

    @Option(
            names = "--around",
            paramLabel = "EVENT",
            description = "the surroundings of an event, by its number")
    private @Nullable Integer around;

    @Override
    public Integer call() throws IOException {
        try (HistoryIndex history = histories.open(run)) {
            if (history.size() == 0) {
                histories.out().println("this history has no events");
                return 0;
            }
            HistoryIndex.Filter wanted = filter.filter(histories);
            long from = wanted.fromNanos();
            long to = Math.min(wanted.toNanos(), history.timeNanos(history.size() - 1) + 1);
            if (around != null) {
                if (around < 0 || around >= history.size()) {
                    throw histories.usage("events are numbered 0 to " + (history.size() - 1));
                }
                from = Math.max(0, history.timeNanos(around) - 50_000_000);
                to = history.timeNanos(around) + 50_000_000;
            }
            long begin = from;
            long end = to;
            BitSet matching =
                    Exports.matching(
                            history,
                            new HistoryIndex.Filter(
                                    wanted.key(),
                                    wanted.process(),
                                    wanted.value(),
                                    begin,
                                    end,
                                    wanted.type(),
                                    wanted.function(),
                                    wanted.error(),
                                    wanted.node()));
            if (histories.json()) {
                Map<String, Object> object = new LinkedHashMap<>();
                object.put("fromNanos", begin);
                object.put("toNanos", end);
                object.put("faults", raft.harness.report.FaultSpan.of(history));
                object.put("events", matching.cardinality());
                histories
                        .out()
                        .println(
                                tools.jackson.databind.json.JsonMapper.shared()
                                        .writeValueAsString(object));
                return 0;
            }
            TextTimeline.draw(
                            history,
                            Exports.wholeOperations(history, matching),
                            begin,
                            end,
                            histories.width())
                    .forEach(histories.out()::println);
            logs(begin, end);
        }
        return 0;
    }

    /** As many as are looked at in one glance; those of a longer stretch are only counted. */
    private void logs(long begin, long end) {
        List<NodeLogLines.Line> lines = histories.logs(run, begin, end);
        if (lines.isEmpty()) {
            return;
        }
        histories.out().println();
        if (lines.size() <= LOG_LINES_MAX) {
            lines.forEach(histories::print);
        } else {
            histories
                    .out()
                    .println(
                            "  nodes logged "
                                    + lines.size()
                                    + " lines; a shorter stretch, or 'history show --logs', shows"
                                    + " them");
        }
    }
}
