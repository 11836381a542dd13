package raft.shell.history;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import raft.harness.report.Outcome;
import raft.harness.report.RunList;
import raft.harness.report.RunSummary;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** {@code history list}: the runs, newest first. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description = "Lists the runs, newest first.")
final class ListCommand implements Callable<Integer> {
    static final List<String> VERDICTS =
            Stream.concat(
                            Stream.of(Outcome.values()).map(Outcome::label),
                            Stream.of(RunSummary.UNFINISHED, RunSummary.UNREADABLE))
                    .toList();

    @Mixin private Histories histories = new Histories();

    @Option(names = "--verdict", paramLabel = "VERDICT", description = "only with this verdict")
    private @Nullable String verdict;

    @Option(names = "--workload", paramLabel = "NAME", description = "only of this workload")
    private @Nullable String workload;

    @Option(names = "--cluster", paramLabel = "docker|sim", description = "only on these")
    private @Nullable String cluster;

    @Option(names = "--plant", paramLabel = "ID", description = "only with this planted bug")
    private @Nullable String plant;

    @Option(names = "--search", paramLabel = "TEXT", description = "only where a field holds this")
    private @Nullable String search;

    @Option(
            names = "--limit",
            defaultValue = "20",
            paramLabel = "N",
            description = "at most so many, 0 for all (default: 20)")
    private int limit;

    @Override
    public Integer call() throws IOException {
        if (verdict != null && !VERDICTS.contains(verdict)) {
            throw histories.usage(
                    "no verdict is called '"
                            + verdict
                            + "'; there are "
                            + String.join(", ", VERDICTS));
        }
        boolean everyone =
                verdict == null
                        && workload == null
                        && cluster == null
                        && plant == null
                        && search == null;
        RunList.Newest newest =
                histories.runs().newest(everyone && limit > 0 ? limit : Integer.MAX_VALUE);
        List<RunSummary> fitting = newest.runs().stream().filter(this::fits).toList();
        int fittingCount = everyone ? newest.allCount() : fitting.size();
        List<RunSummary> shown =
                limit > 0 ? fitting.subList(0, Math.min(limit, fitting.size())) : fitting;
        PrintWriter out = histories.out();
        if (histories.json()) {
            shown.forEach(run -> out.println(JsonMapper.shared().writeValueAsString(run)));
            return 0;
        }
        if (newest.allCount() == 0) {
            out.println(
                    "no run is saved in " + histories.root() + "; './raft test' makes the first");
            return 0;
        }
        int width = histories.width();
        int nameWidth = shown.stream().mapToInt(run -> run.name().length()).max().orElse(10);
        nameWidth = Math.clamp(nameWidth, 10, Math.max(20, width - 48));
        String form = "%-" + nameWidth + "s %-10s %-6s %1s %8s %6s %s";
        out.println(
                String.format(form, "run", "verdict", "on", "n", "ops", "time", "faults")
                        .stripTrailing());
        for (RunSummary run : shown) {
            String line =
                    String.format(
                            Locale.ROOT,
                            form,
                            lastPart(run.name(), nameWidth),
                            shortVerdict(run.verdict()),
                            run.cluster(),
                            run.nodes() > 0 ? Integer.toString(run.nodes()) : "",
                            run.operations() < 0 ? "-" : Long.toString(run.operations()),
                            time(run.seconds()),
                            (run.plantedBug() == null ? "" : run.plantedBug() + " ")
                                    + run.faultWords());
            out.println(cut(line.stripTrailing(), width));
        }
        if (shown.size() < fittingCount) {
            out.println(
                    "… and " + (fittingCount - shown.size()) + " more; --limit 0 lists them all");
        } else if (fittingCount < newest.allCount()) {
            out.println(fittingCount + " of " + newest.allCount() + " runs");
        }
        return 0;
    }

    private boolean fits(RunSummary run) {
        return (verdict == null || run.verdict().equals(verdict))
                && (workload == null || run.workload().equals(workload))
                && (cluster == null || run.cluster().equals(cluster))
                && (plant == null || plant.equals(run.plantedBug()))
                && (search == null || holds(run, search.toLowerCase(Locale.ROOT)));
    }

    private static boolean holds(RunSummary run, String text) {
        return String.join(
                        " ",
                        run.name(),
                        run.verdict(),
                        run.cluster(),
                        run.workload(),
                        run.faultWords(),
                        run.why(),
                        String.valueOf(run.plantedBug()))
                .toLowerCase(Locale.ROOT)
                .contains(text);
    }

    private static String shortVerdict(String verdict) {
        return verdict.equals("insufficient-evidence") ? "too-little" : verdict;
    }

    private static String time(double seconds) {
        return seconds <= 0 ? "-" : String.format(Locale.ROOT, "%.0f s", seconds);
    }

    /** The end of a name tells runs apart, so it is the beginning that goes. */
    private static String lastPart(String name, int width) {
        return name.length() <= width ? name : "…" + name.substring(name.length() - width + 1);
    }

    static String cut(String line, int width) {
        return line.length() <= width ? line : line.substring(0, width - 1) + "…";
    }
}
