package raft.harness.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** The page over all runs: newest first, searchable, with the matrix of verdicts and trends. */
public final class RunsPage {
    private static final int TREND_RUNS_MAX = 400;

    private RunsPage() {}

    /**
     * @param nights whether there are nightly runs to lead to
     */
    public static String html(List<RunSummary> runs, boolean nights) {
        StringBuilder body = new StringBuilder();
        body.append("<div class=\"head\"><div><h1>Runs</h1><ul class=\"facts\"><li><b>");
        body.append(runs.size()).append("</b> runs</li>");
        Map<String, Integer> counts = new TreeMap<>();
        runs.forEach(run -> counts.merge(run.verdict(), 1, Integer::sum));
        counts.forEach(
                (verdict, count) ->
                        body.append("<li>")
                                .append(Html.text(verdict.replace('-', ' ')))
                                .append(" <b>")
                                .append(count)
                                .append("</b></li>"));
        body.append("</ul></div></div>");
        if (runs.isEmpty()) {
            body.append("<section><p>No run is saved yet. <code>./raft test</code> makes the");
            body.append(" first.</p></section>");
        } else {
            table(body);
            matrix(body, runs);
            body.append("<section id=\"trends\"><h2>Trends</h2><p class=\"small muted\">Finished");
            body.append(" runs without a planted bug, by the kind of cluster.</p>");
            body.append("<div id=\"plots\"></div></section>");
        }
        return Page.of(
                "Runs",
                "<a href=\"#runs\">Runs</a><a href=\"#matrix\">Verdicts</a>"
                        + "<a href=\"#trends\">Trends</a>"
                        + (nights ? "<a href=\"/nightly/index.html\">Nights</a>" : ""),
                body.toString(),
                Map.of("runs", runs, "trends", trends(runs)));
    }

    private static void table(StringBuilder body) {
        body.append("<section id=\"runs\"><h2>Newest first</h2><div class=\"tools\">");
        body.append("<div class=\"grow\"><input type=\"search\" id=\"filter\"");
        body.append(" placeholder=\"Search: violation, docker, kill, seed, planted bug …\"");
        body.append(" aria-label=\"Search runs\" autocomplete=\"off\"></div>");
        body.append("<select id=\"verdict\" aria-label=\"Verdict\"><option value=\"\">every");
        body.append(" verdict</option></select>");
        body.append("<span id=\"shown\" class=\"small muted\" role=\"status\"></span></div>");
        body.append("<div class=\"scroll\"><table class=\"stack\" id=\"list\"><thead><tr>");
        column(body, "run", false);
        column(body, "verdict", false);
        column(body, "on", false);
        column(body, "nodes", true);
        column(body, "faults", false);
        column(body, "operations", true);
        column(body, "longest gap", true);
        body.append("<th>why</th></tr></thead><tbody></tbody>");
        body.append("</table></div><p class=\"noprint\" style=\"margin-top:12px\">");
        body.append("<button id=\"more\" type=\"button\" hidden>Show more</button></p></section>");
    }

    /** A column that a click sorts by. */
    private static void column(StringBuilder body, String name, boolean number) {
        body.append("<th data-sort=\"").append(name).append('"');
        body.append(number ? " class=\"num\"" : "").append("><button type=\"button\">");
        body.append(name).append("</button></th>");
    }

    private static void matrix(StringBuilder body, List<RunSummary> runs) {
        Map<String, Map<String, List<RunSummary>>> rows = new TreeMap<>();
        TreeSet<String> columns = new TreeSet<>();
        for (RunSummary run : runs) {
            if (run.plantedBug() == null && !run.workload().isEmpty()) {
                String column =
                        run.cluster() + (run.nodes() > 0 ? ", " + run.nodes() + " nodes" : "");
                columns.add(column);
                rows.computeIfAbsent(
                                run.workload() + " · " + run.faultWords(), r -> new TreeMap<>())
                        .computeIfAbsent(column, c -> new ArrayList<>())
                        .add(run);
            }
        }
        body.append("<section id=\"matrix\"><h2>Verdicts</h2><p class=\"small muted\">Valid of");
        body.append(" all; runs with a planted bug are left out. A cell leads to its newest run");
        body.append(" that is not valid.</p><div class=\"scroll\"><table class=\"matrix\">");
        body.append("<thead><tr><th>workload · faults</th>");
        columns.forEach(c -> body.append("<th>").append(Html.text(c)).append("</th>"));
        body.append("</tr></thead><tbody>");
        rows.forEach(
                (row, cells) -> {
                    body.append("<tr><td>").append(Html.text(row)).append("</td>");
                    for (String column : columns) {
                        body.append("<td>");
                        cell(body, cells.getOrDefault(column, List.of()));
                        body.append("</td>");
                    }
                    body.append("</tr>");
                });
        body.append("</tbody></table></div></section>");
    }

    private static void cell(StringBuilder body, List<RunSummary> runs) {
        if (runs.isEmpty()) {
            body.append("<span class=\"muted\">–</span>");
            return;
        }
        long valid = runs.stream().filter(run -> run.verdict().equals("valid")).count();
        boolean violation = runs.stream().anyMatch(run -> run.verdict().equals("violation"));
        RunSummary shown =
                runs.stream()
                        .filter(
                                run ->
                                        violation
                                                ? run.verdict().equals("violation")
                                                : !run.verdict().equals("valid"))
                        .findFirst()
                        .orElse(runs.getFirst());
        boolean all = valid == runs.size();
        body.append("<a class=\"cell ").append(violation ? "violation" : all ? "valid" : "unsure");
        body.append("\" href=\"/").append(Html.text(shown.name())).append("/\">");
        body.append(violation ? "✗ " : all ? "✓ " : "? ").append(valid).append('/');
        body.append(runs.size()).append("</a>");
    }

    private static List<Page.Chart> trends(List<RunSummary> runs) {
        List<RunSummary> oldestFirst =
                runs.stream()
                        .filter(run -> run.plantedBug() == null && run.succeeded() > 0)
                        .filter(run -> !run.cluster().equals("import"))
                        .limit(TREND_RUNS_MAX)
                        .toList()
                        .reversed();
        TreeSet<String> clusters = new TreeSet<>();
        oldestFirst.forEach(run -> clusters.add(run.cluster()));
        List<Long> times = new ArrayList<>();
        Map<String, List<Double>> throughput = new LinkedHashMap<>();
        Map<String, List<Double>> gaps = new LinkedHashMap<>();
        for (RunSummary run : oldestFirst) {
            String folder = run.name().substring(run.name().lastIndexOf('/') + 1);
            long seconds = Page.utcSeconds(folder);
            // A chart's times must rise.
            times.add(times.isEmpty() ? seconds : Math.max(seconds, times.getLast() + 1));
            for (String cluster : clusters) {
                boolean here = run.cluster().equals(cluster);
                throughput
                        .computeIfAbsent(cluster, c -> new ArrayList<>())
                        .add(here ? run.throughput() : Double.NaN);
                gaps.computeIfAbsent(cluster, c -> new ArrayList<>())
                        .add(
                                here && run.longestUnavailableMillis() >= 0
                                        ? run.longestUnavailableMillis() / 1e3
                                        : Double.NaN);
            }
        }
        return List.of(
                new Page.Chart("Successes a second", times, throughput),
                new Page.Chart("Longest time without a success, s", times, gaps));
    }
}
