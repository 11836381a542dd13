package raft.harness.nightly;

import raft.harness.report.Html;
import raft.harness.report.Page;

import tools.jackson.core.JacksonException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The index page of a night: matrix, failures with the command that repeats each, trends. */
public final class NightPage {
    private static final int NIGHTS_COMPARED = 60;

    private NightPage() {}

    /** Writes index.html of a night, and the list of all nights above it. */
    static void write(Path root, NightFolder folder, NightSummary summary, List<NightRun> runs)
            throws IOException {
        List<NightSummary> nights = summaries(root);
        folder.write("index.html", html(folder.path(), summary, runs, nights));
        NightFolder.at(root.resolve("nightly")).write("index.html", list(nights));
    }

    /** What earlier nights came to, oldest first; unreadable ones are left out. */
    public static List<NightSummary> summaries(Path root) throws IOException {
        List<NightSummary> found = new ArrayList<>();
        for (Path night : NightFolder.nights(root)) {
            try {
                found.add(
                        NightFolder.JSON.readValue(
                                Files.readString(night.resolve("summary.json")),
                                NightSummary.class));
            } catch (IOException | JacksonException e) {
                // Cut short, or of another version.
            }
        }
        return found.subList(Math.max(0, found.size() - NIGHTS_COMPARED), found.size());
    }

    private static String html(
            Path night, NightSummary summary, List<NightRun> runs, List<NightSummary> nights) {
        StringBuilder body = new StringBuilder();
        body.append("<div class=\"head\"><div><h1>Night ").append(Html.text(summary.night()));
        body.append("</h1></div><div style=\"flex:0 0 auto\">");
        body.append(Html.verdict(summary.verdict(), false)).append("</div></div>");
        if (!summary.problems().isEmpty()) {
            body.append("<div class=\"notice\"><b>The night itself had problems</b><ul>");
            summary.problems()
                    .forEach(p -> body.append("<li>").append(Html.text(p)).append("</li>"));
            body.append("</ul></div>");
        }
        cards(body, summary);
        matrix(body, night, runs);
        failures(body, night, runs);
        body.append("<section id=\"trends\"><h2>Against earlier nights</h2>");
        body.append("<div id=\"plots\"></div></section>");
        everything(body, night, runs);
        return Page.of(
                "Night " + summary.night(),
                "<a href=\"../index.html\">← All nights</a><a href=\"#matrix\">Matrix</a>"
                        + "<a href=\"#failures\">Not valid</a><a href=\"#trends\">Trends</a>"
                        + "<a href=\"#all\">All tests</a>",
                body.toString(),
                Map.of("trends", trends(nights)));
    }

    private static String list(List<NightSummary> nights) {
        StringBuilder body =
                new StringBuilder("<div class=\"head\"><div><h1>Nights</h1></div></div>");
        body.append("<section><h2>Newest first</h2><div class=\"scroll\"><table class=\"stack\">");
        body.append("<thead><tr><th>night</th><th>verdict</th><th class=\"num\">tests</th>");
        body.append("<th class=\"num\">operations</th><th>canary</th><th class=\"num\">");
        body.append("detection</th><th class=\"num\">flaky</th></tr></thead><tbody>");
        for (NightSummary night : nights.reversed()) {
            body.append("<tr><td><a href=\"").append(Html.text(night.night()));
            body.append("/index.html\">").append(Html.text(night.night())).append("</a></td><td>");
            body.append(Html.verdict(night.verdict(), true)).append("</td>");
            body.append("<td class=\"num\" data-l=\"tests\">").append(night.runs());
            body.append(
                    String.format(
                            Locale.ROOT,
                            "</td><td class=\"num\" data-l=\"operations\">%,d</td>"
                                    + "<td data-l=\"canary\">%s</td>"
                                    + "<td class=\"num\" data-l=\"detection\">%s</td>"
                                    + "<td class=\"num\" data-l=\"flaky\">%.0f %%</td></tr>",
                            night.operations(),
                            Html.text(night.canary()),
                            score(night),
                            100 * night.flakeRate()));
        }
        body.append("</tbody></table></div></section><section id=\"trends\"><h2>Trends</h2>");
        body.append("<div id=\"plots\"></div></section>");
        return Page.of("Nights", "", body.toString(), Map.of("trends", trends(nights)));
    }

    private static String score(NightSummary summary) {
        return summary.scoreOf() == 0 ? "–" : summary.score() + " of " + summary.scoreOf();
    }

    private static void cards(StringBuilder body, NightSummary summary) {
        body.append("<div class=\"cards\">");
        card(body, Integer.toString(summary.runs()), "tests");
        card(body, String.format(Locale.ROOT, "%,d", summary.operations()), "operations");
        card(body, Integer.toString(summary.counts().getOrDefault("violation", 0)), "violations");
        card(
                body,
                String.format(Locale.ROOT, "%.1f %%", 100 * summary.flakeRate()),
                "flaky: not their cell's usual verdict");
        card(body, score(summary), "planted bugs caught in the simulation");
        card(body, summary.canary(), "canaries: planted bugs that must be found");
        double minutes = summary.wallSeconds() / 60;
        card(
                body,
                minutes < 90
                        ? String.format(Locale.ROOT, "%.0f min", Math.ceil(minutes))
                        : String.format(Locale.ROOT, "%.1f h", minutes / 60),
                "spent on tests");
        body.append("</div>");
    }

    private static void card(StringBuilder body, String number, String words) {
        body.append("<div class=\"card\"><b>").append(Html.text(number)).append("</b><span>");
        body.append(Html.text(words)).append("</span></div>");
    }

    private static void matrix(StringBuilder body, Path night, List<NightRun> runs) {
        Map<String, Map<String, List<NightRun>>> rows = new LinkedHashMap<>();
        Set<String> columns = new LinkedHashSet<>();
        for (NightRun run : runs) {
            if (!run.isCanary()) {
                String column = run.cluster() + ", " + run.nodes() + " nodes";
                columns.add(column);
                rows.computeIfAbsent(
                                run.workload() + " · " + run.faults(), r -> new LinkedHashMap<>())
                        .computeIfAbsent(column, c -> new ArrayList<>())
                        .add(run);
            }
        }
        body.append("<section id=\"matrix\"><h2>Valid of all, by test</h2>");
        body.append(
                "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>workload ·"
                        + " faults</th>");
        columns.forEach(c -> body.append("<th>").append(Html.text(c)).append("</th>"));
        body.append("</tr></thead><tbody>");
        rows.forEach(
                (row, cells) -> {
                    body.append("<tr><td>").append(Html.text(row)).append("</td>");
                    for (String column : columns) {
                        body.append("<td>");
                        cell(body, night, cells.getOrDefault(column, List.of()));
                        body.append("</td>");
                    }
                    body.append("</tr>");
                });
        body.append("</tbody></table></div></section>");
    }

    private static void cell(StringBuilder body, Path night, List<NightRun> runs) {
        if (runs.isEmpty()) {
            body.append("<span class=\"muted\">–</span>");
            return;
        }
        long valid = runs.stream().filter(NightRun::isValid).count();
        boolean violation = runs.stream().anyMatch(NightRun::isViolation);
        String kind = violation ? "violation" : valid == runs.size() ? "valid" : "unsure";
        NightRun shown =
                runs.stream()
                        .filter(run -> violation ? run.isViolation() : !run.isValid())
                        .findFirst()
                        .orElse(runs.getFirst());
        String href = page(night, shown);
        body.append(href.isEmpty() ? "<span" : "<a href=\"" + href + "\"");
        body.append(" class=\"cell ").append(kind).append("\">");
        body.append(violation ? "✗ " : valid == runs.size() ? "✓ " : "? ");
        body.append(valid).append('/').append(runs.size());
        body.append(href.isEmpty() ? "</span>" : "</a>");
    }

    /** The test's page from the night's folder, "" where there is none. */
    private static String page(Path night, NightRun run) {
        if (run.run().isEmpty()) {
            return "";
        }
        Path folder = Path.of(run.run()).toAbsolutePath().normalize();
        Path base = night.toAbsolutePath().normalize();
        return folder.startsWith(base) && Files.exists(folder.resolve("report.html"))
                ? Html.text(base.relativize(folder) + "/report.html")
                : "";
    }

    private static void failures(StringBuilder body, Path night, List<NightRun> runs) {
        body.append("<section id=\"failures\"><h2>Not valid</h2>");
        List<NightRun> bad =
                runs.stream()
                        .filter(run -> run.isCanary() ? !run.isViolation() : !run.isValid())
                        .toList();
        if (bad.isEmpty()) {
            body.append("<p>Every test was valid.</p></section>");
            return;
        }
        for (NightRun run : bad) {
            body.append("<div style=\"margin-bottom:18px\"><h3>");
            body.append(Html.verdict(run.verdict(), true)).append(" &nbsp;");
            body.append(Html.text(run.cell() + ", seed " + run.seed())).append("</h3>");
            String why = run.why();
            if (!why.isEmpty()) {
                body.append("<p>").append(Html.text(why)).append("</p>");
            }
            body.append("<div class=\"command\"><pre>").append(Html.text(run.repeat()));
            body.append("</pre><button type=\"button\" data-copy=\"")
                    .append(Html.text(run.repeat()));
            body.append("\">Copy</button></div>");
            String href = page(night, run);
            if (!href.isEmpty()) {
                body.append("<p><a href=\"").append(href).append("\">Its report</a></p>");
            }
            body.append("</div>");
        }
        body.append("</section>");
    }

    private static void everything(StringBuilder body, Path night, List<NightRun> runs) {
        body.append("<section id=\"all\"><h2>All tests</h2><div class=\"scroll\">");
        body.append("<table class=\"stack\"><thead><tr><th>test</th><th>verdict</th>");
        body.append("<th class=\"num\">seed</th><th class=\"num\">operations</th>");
        body.append("<th class=\"num\">ok a second</th><th class=\"num\">longest gap</th></tr>");
        body.append("</thead><tbody>");
        for (NightRun run : runs) {
            String href = page(night, run);
            String name =
                    Html.text(run.isCanary() ? run.cell() + ", " + run.plantedBug() : run.cell());
            body.append("<tr><td>");
            body.append(href.isEmpty() ? name : "<a href=\"" + href + "\">" + name + "</a>");
            body.append("</td><td>").append(verdict(run));
            body.append(
                    String.format(
                            Locale.ROOT,
                            "</td><td class=\"num\" data-l=\"seed\">%d</td>"
                                    + "<td class=\"num\" data-l=\"operations\">%,d</td>"
                                    + "<td class=\"num\" data-l=\"ok a second\">%.0f</td>"
                                    + "<td class=\"num\" data-l=\"longest gap\">%s</td></tr>",
                            run.seed(),
                            run.operations(),
                            run.throughput(),
                            run.longestUnavailableMillis() < 0
                                    ? "–"
                                    : String.format(
                                            Locale.ROOT,
                                            "%.1f s",
                                            run.longestUnavailableMillis() / 1e3)));
        }
        body.append("</tbody></table></div></section>");
    }

    /** A canary is as it should be when its bug was found. */
    private static String verdict(NightRun run) {
        if (!run.isCanary()) {
            return Html.verdict(run.verdict(), true);
        }
        return run.isViolation()
                ? "<span class=\"verdict valid s\">Found</span>"
                : "<span class=\"verdict error s\">Not found</span>";
    }

    /** One chart each: name, points of time, a line for each cluster. */
    private static List<Page.Chart> trends(List<NightSummary> nights) {
        List<Long> times = new ArrayList<>();
        Map<String, List<Double>> throughput = new LinkedHashMap<>();
        Map<String, List<Double>> unavailable = new LinkedHashMap<>();
        Map<String, List<Double>> detection = new LinkedHashMap<>();
        Set<String> clusters = new LinkedHashSet<>();
        nights.forEach(night -> clusters.addAll(night.throughput().keySet()));
        for (NightSummary night : nights) {
            times.add(Page.utcSeconds(night.night()));
            for (String cluster : clusters) {
                throughput
                        .computeIfAbsent(cluster, c -> new ArrayList<>())
                        .add(night.throughput().getOrDefault(cluster, Double.NaN));
                double millis = night.unavailableMillis().getOrDefault(cluster, Double.NaN);
                unavailable.computeIfAbsent(cluster, c -> new ArrayList<>()).add(millis / 1e3);
            }
            detection
                    .computeIfAbsent("caught", c -> new ArrayList<>())
                    .add(
                            night.scoreOf() == 0
                                    ? Double.NaN
                                    : 100.0 * night.score() / night.scoreOf());
            detection.computeIfAbsent("flaky", c -> new ArrayList<>()).add(100 * night.flakeRate());
        }
        return List.of(
                new Page.Chart("Successes a second, median", times, throughput),
                new Page.Chart("Longest time without a success, s, median", times, unavailable),
                new Page.Chart("Planted bugs caught, and flaky tests, %", times, detection));
    }
}
