package raft.shell.history;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

import raft.harness.history.HistoryIndex;
import raft.harness.report.FaultSpan;
import raft.harness.report.Statistics;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;

/** {@code history stats}: a history in numbers. */
@Command(
        name = "stats",
        mixinStandardHelpOptions = true,
        description = "A history in numbers: outcomes, latencies, errors, faults, gaps.")
final class StatsCommand implements Callable<Integer> {
    @Parameters(paramLabel = "RUN", defaultValue = "latest", description = "(default: latest)")
    private String run = "latest";

    @Mixin private Histories histories = new Histories();

    @Override
    public Integer call() throws IOException {
        try (HistoryIndex history = histories.open(run)) {
            Statistics statistics = Statistics.of(history);
            List<FaultSpan> faults = FaultSpan.of(history);
            if (histories.json()) {
                Map<String, Object> object = new LinkedHashMap<>();
                object.put("header", history.header());
                object.put("events", history.size());
                object.put("statistics", statistics);
                object.put("faults", faults);
                histories.out().println(JsonMapper.shared().writeValueAsString(object));
            } else {
                print(history, statistics, faults);
            }
        }
        return 0;
    }

    private void print(HistoryIndex history, Statistics statistics, List<FaultSpan> faults) {
        PrintWriter out = histories.out();
        int width = histories.width();
        out.printf(
                Locale.ROOT,
                "%d operations of %d processes on %d keys in %.1f s, %.0f a second, %.0f %%"
                        + " concurrent%n",
                statistics.operations(),
                statistics.processCount(),
                statistics.keyCount(),
                statistics.seconds(),
                statistics.seconds() > 0 ? statistics.operations() / statistics.seconds() : 0,
                100 * statistics.overlappedShare());
        if (!history.header().model().isEmpty()) {
            out.println("model " + history.header().model() + ", seed " + history.header().seed());
        }
        out.println();
        out.println("operation    invoked        ok    failed   unknown      open");
        statistics
                .functions()
                .forEach(
                        (f, c) ->
                                out.printf(
                                        Locale.ROOT,
                                        "%-10s %9d %9d %9d %9d %9d%n",
                                        ListCommand.cut(f, 10),
                                        c.invoked(),
                                        c.ok(),
                                        c.failed(),
                                        c.unknown(),
                                        c.open()));
        out.println();
        out.println("latency, ms              number       p50       p90       p99       max");
        for (Statistics.Latency l : statistics.latencies()) {
            out.printf(
                    Locale.ROOT,
                    "%-10s %-8s %11d %9.2f %9.2f %9.2f %9.2f%n",
                    ListCommand.cut(l.f(), 10),
                    l.outcome(),
                    l.count(),
                    l.p50(),
                    l.p90(),
                    l.p99(),
                    l.max());
        }
        if (!statistics.errors().isEmpty()) {
            out.println();
            out.println("errors");
            statistics.errors().entrySet().stream()
                    .limit(10)
                    .forEach(
                            e ->
                                    out.println(
                                            ListCommand.cut(
                                                    String.format(
                                                            Locale.ROOT,
                                                            "%9d  %s",
                                                            e.getValue(),
                                                            e.getKey()),
                                                    width)));
        }
        printGapsAndFaults(out, statistics, faults);
    }

    private static void printGapsAndFaults(
            PrintWriter out, Statistics statistics, List<FaultSpan> faults) {
        if (!statistics.gaps().isEmpty()) {
            out.println();
            out.println("longest times without a success");
            statistics.gaps().stream()
                    .limit(5)
                    .forEach(
                            gap ->
                                    out.printf(
                                            Locale.ROOT,
                                            "%9.1f s  from %.1f s to %.1f s%n",
                                            gap.millis() / 1e3,
                                            gap.fromMillis() / 1e3,
                                            gap.toMillis() / 1e3));
        }
        if (!faults.isEmpty()) {
            out.println();
            out.println("fault                              from        to  proven");
            for (FaultSpan fault : faults) {
                out.printf(
                        Locale.ROOT,
                        "%-30s %8s  %8s  %s%n",
                        ListCommand.cut(fault.name(), 30),
                        seconds(
                                fault.installedNanos() >= 0
                                        ? fault.installedNanos()
                                        : fault.askedNanos()),
                        seconds(fault.healedNanos()),
                        fault.isProven() ? "yes" : fault.status());
            }
        }
    }

    private static String seconds(long nanos) {
        return nanos < 0 ? "-" : String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }
}
