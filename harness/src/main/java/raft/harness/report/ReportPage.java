package raft.harness.report;

import org.jspecify.annotations.Nullable;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryIndex;
import raft.harness.history.Value;

import tools.jackson.databind.JsonNode;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The page of one run: self-contained, offline, from whatever of the run's files can be read. What
 * cannot is said at its top.
 */
public final class ReportPage {
    /** The file's name in a run's folder. */
    public static final String FILE = "report.html";

    private final RunFiles run;
    private final HistoryIndex history;
    private final Set<String> problems = new LinkedHashSet<>();
    private final @Nullable Counterexample why;
    private final Statistics statistics;
    private final List<FaultSpan> faults;

    private ReportPage(RunFiles run, HistoryIndex history) {
        this.run = run;
        this.history = history;
        problems.addAll(run.problems());
        problems.addAll(history.warnings());
        this.why = Counterexample.of(run, history);
        this.statistics = Statistics.of(history);
        this.faults = FaultSpan.of(history);
    }

    /**
     * Writes a run's page into its folder, replacing an older one as a whole.
     *
     * @return where it is
     * @throws IOException when it cannot be written; an older page stays
     */
    public static Path write(Path runFolder) throws IOException {
        Path target = runFolder.resolve(FILE);
        write(runFolder, target, 0, Long.MAX_VALUE);
        return target;
    }

    /**
     * Writes the page of a stretch of a run.
     *
     * @param fromNanos since the run began, inclusive
     * @param toNanos exclusive
     */
    public static void write(Path runFolder, Path target, long fromNanos, long toNanos)
            throws IOException {
        String html = html(runFolder, fromNanos, toNanos, "");
        Path fresh = target.resolveSibling(target.getFileName() + ".new");
        try {
            Files.writeString(fresh, html, StandardCharsets.UTF_8);
            Files.move(
                    fresh,
                    target,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            Files.deleteIfExists(fresh);
            throw e;
        }
    }

    /**
     * The page as text.
     *
     * @param home where the list of all runs is, "" where there is none to lead to
     */
    public static String html(Path runFolder, long fromNanos, long toNanos, String home)
            throws IOException {
        RunFiles run = new RunFiles(runFolder);
        List<String> lost = new ArrayList<>();
        try (HistoryIndex history = openOrEmpty(run.history(), lost)) {
            ReportPage page = new ReportPage(run, history);
            page.problems.addAll(lost);
            return page.render(fromNanos, toNanos, home);
        }
    }

    /** Without a readable history the page still has the verdict, the logs and the parameters. */
    private static HistoryIndex openOrEmpty(Path file, List<String> lost) {
        try {
            return HistoryIndex.open(file);
        } catch (NoSuchFileException e) {
            // Said by RunFiles already.
        } catch (IOException e) {
            lost.add("the history cannot be read: " + e.getMessage());
        }
        return HistoryIndex.of(
                new History(
                        new HistoryHeader(HistoryHeader.SCHEMA, "", "", "", List.of(), 0),
                        List.of()),
                List.of());
    }

    private String render(long fromNanos, long toNanos, String home) throws IOException {
        long from = fromNanos;
        long to = toNanos;
        PageData data = new PageData(history, from, to);
        int count = data.operationCount();
        if (count > PageData.OPERATIONS_MAX) {
            long[] window = smallerWindow(from);
            from = window[0];
            to = window[1];
            data = new PageData(history, from, to);
            problems.add(
                    String.format(
                            Locale.ROOT,
                            "the timeline and charts hold %,d of %,d operations, from %.1f s to"
                                    + " %.1f s; './raft history open RUN --from … --to …' makes a"
                                    + " page of another stretch",
                            data.operationCount(),
                            count,
                            from / 1e9,
                            to / 1e9));
        }
        List<NodeLane> nodes = NodeLane.read(run.folder(), problems::add);
        String packed = data.packed(faults, nodes, why, run.test().path("concurrency").asInt(0));
        return Html.fill(
                Html.resource("report.html"),
                Map.ofEntries(
                        Map.entry("TITLE", Html.text(plainVerdict() + " · " + name())),
                        Map.entry("UPLOT_CSS", Html.resource("uplot/uPlot.min.css")),
                        Map.entry("CSS", Html.resource("report.css")),
                        Map.entry(
                                "HOME",
                                home.isEmpty()
                                        ? ""
                                        : "<a href=\"" + Html.text(home) + "\">← All runs</a>"),
                        Map.entry("HEAD", head()),
                        Map.entry("PROBLEMS", problems()),
                        Map.entry("WHY", why()),
                        Map.entry("EVIDENCE", evidence()),
                        Map.entry("REPEAT", repeat()),
                        Map.entry(
                                "FOOTER",
                                "Raft lab. Charts: uPlot "
                                        + "1.6.32, © Leon Sorokin, MIT licence. This page is one"
                                        + " file and asks nothing of any network."),
                        Map.entry("DATA", packed),
                        Map.entry("UPLOT_JS", Html.resource("uplot/uPlot.iife.min.js")),
                        Map.entry("JS", Html.resource("report.js"))));
    }

    /** The surroundings of the contradiction, else the begin, with as many operations as fit. */
    private long[] smallerWindow(long fromNanos) {
        long middle = why == null ? -1 : why.fromNanos();
        int begin =
                middle < 0
                        ? history.firstAt(fromNanos)
                        : Math.max(0, history.firstAt(middle) - PageData.OPERATIONS_MAX);
        int end = begin;
        for (int count = 0; end < history.size() && count < PageData.OPERATIONS_MAX; end++) {
            count += history.isOperation(end) ? 1 : 0;
        }
        return new long[] {
            history.timeNanos(begin),
            end >= history.size() ? Long.MAX_VALUE : history.timeNanos(end),
        };
    }

    private String name() {
        Path folder = run.folder().toAbsolutePath().normalize();
        Path parent = folder.getParent();
        return (parent == null ? "" : parent.getFileName() + "/") + folder.getFileName();
    }

    private String verdictLabel() {
        return run.isFinished()
                ? run.results().path("verdict").asString("")
                : RunSummary.UNFINISHED;
    }

    private String plainVerdict() {
        return verdictLabel().replace('-', ' ').toUpperCase(Locale.ROOT);
    }

    // ---- The page's parts ----

    private String head() {
        JsonNode test = run.test();
        StringBuilder out = new StringBuilder();
        out.append("<h1>").append(Html.text(name())).append("</h1><ul class=\"facts\">");
        fact(out, "", RunFiles.started(run.folder()) + " UTC");
        fact(out, "workload", text(test, "workload"));
        fact(
                out,
                "cluster",
                switch (text(test, "cluster")) {
                    case "docker" -> "containers";
                    case "sim" -> "simulated";
                    default -> text(test, "cluster");
                });
        fact(out, "nodes", text(test, "nodes"));
        fact(out, "operations", String.format(Locale.ROOT, "%,d", statistics.operations()));
        fact(out, "time", String.format(Locale.ROOT, "%.1f s", statistics.seconds()));
        fact(out, "seed", text(test, "seed"));
        fact(out, "planted bug", text(test, "plantedBug"));
        fact(out, "image", text(test, "image"));
        return out.append("</ul></div><div style=\"flex:0 0 auto\">")
                .append(Html.verdict(verdictLabel(), false))
                .toString();
    }

    private static void fact(StringBuilder out, String name, String value) {
        if (!value.isBlank()) {
            out.append("<li>")
                    .append(name.isEmpty() ? "" : Html.text(name) + " ")
                    .append("<b>")
                    .append(Html.text(value))
                    .append("</b></li>");
        }
    }

    private static String text(JsonNode object, String name) {
        JsonNode value = object.path(name);
        return value.isMissingNode() || value.isNull()
                ? ""
                : value.isString() ? value.asString() : value.toString();
    }

    private String problems() {
        if (problems.isEmpty()) {
            return "";
        }
        StringBuilder out =
                new StringBuilder(
                        "<div class=\"notice\" role=\"note\"><b>Not everything could be shown"
                                + "</b><ul>");
        problems.forEach(line -> out.append("<li>").append(Html.text(line)).append("</li>"));
        return out.append("</ul></div>").toString();
    }

    private String why() {
        StringBuilder out = new StringBuilder();
        out.append("<h2>").append(headline()).append("</h2>");
        if (why != null) {
            out.append("<div class=\"why\">");
            why.summary()
                    .lines()
                    .forEach(line -> out.append("<p>").append(Html.text(line)).append("</p>"));
            out.append("</div>");
            counterexample(out, why);
        }
        List<String> reasons = new ArrayList<>();
        run.results().path("reasons").forEach(reason -> reasons.add(reason.asString("")));
        if (!reasons.isEmpty()) {
            out.append("<ul>");
            reasons.forEach(line -> out.append("<li>").append(Html.text(line)).append("</li>"));
            out.append("</ul>");
        }
        return out.toString();
    }

    private String headline() {
        JsonNode results = run.results();
        return switch (verdictLabel()) {
            case "valid" ->
                    String.format(
                            Locale.ROOT,
                            "All %,d operations are linearizable",
                            results.path("operations").asLong(0));
            case "violation" ->
                    results.path("linearizability").asString("").equals("violation")
                            ? "The history is not linearizable: the system under test is wrong"
                            : "Nodes broke their own invariants: the system under test is wrong";
            case "unknown" -> "The check ended before it could tell";
            case "insufficient-evidence" ->
                    "Nothing wrong was found, but too little was tried to say more";
            case "error" -> "The harness or its environment failed; no verdict on the system";
            default -> "This run has no results: it is still going on, or was cut short";
        };
    }

    private void counterexample(StringBuilder out, Counterexample example) {
        if (!example.events().isEmpty()) {
            out.append(
                    "<h3 style=\"margin-top:16px\">The smallest part found that is still"
                            + " impossible</h3><div class=\"figure\" id=\"figure\" tabindex=\"0\""
                            + " role=\"group\" aria-label=\"The contradiction\"></div>");
            out.append("<p class=\"noprint\"><button type=\"button\" data-failing>");
            out.append("Show it in the timeline</button></p>");
            out.append("<details><summary>Its events</summary><div class=\"scroll\"><table>");
            out.append("<thead><tr><th class=\"num\">event</th><th class=\"num\">time</th>");
            out.append("<th class=\"num\">process</th><th>type</th><th>operation</th>");
            out.append("<th>value</th><th>node</th></tr></thead><tbody>");
            for (HistoryEvent event : example.events()) {
                out.append("<tr><td class=\"num\"><button class=\"link\" type=\"button\"");
                out.append(" data-goto=\"").append(event.index()).append("\">");
                out.append(event.index()).append("</button></td><td class=\"num\">");
                out.append(String.format(Locale.ROOT, "%.3f s", event.timeNanos() / 1e9));
                out.append("</td><td class=\"num\">").append(event.process());
                cell(out, event.type().name().toLowerCase(Locale.ROOT));
                cell(
                        out,
                        event.f()
                                + (event.key() instanceof Value.Nil
                                        ? ""
                                        : " " + HistoryIndex.plain(event.key())));
                cell(
                        out,
                        event.value() instanceof Value.Nil
                                ? event.type() == HistoryEvent.Type.INVOKE ? "" : "nil"
                                : event.value().toString());
                cell(out, event.node() == null ? "" : event.node());
                out.append("</td></tr>");
            }
            out.append("</tbody></table></div></details>");
        }
        out.append("<h3 style=\"margin-top:16px\">What the cluster was doing</h3><ul>");
        example.surroundings(run, history)
                .forEach(line -> out.append("<li>").append(Html.text(line)).append("</li>"));
        out.append("</ul>");
    }

    private static void cell(StringBuilder out, String text) {
        out.append("</td><td>").append(Html.text(text));
    }

    private String evidence() {
        StringBuilder out = new StringBuilder("<h2>Evidence</h2>");
        gates(out);
        out.append("<div class=\"two\"><div>");
        counts(out);
        out.append("</div><div>");
        latencies(out);
        out.append("</div></div>");
        faultTable(out);
        out.append("<div class=\"two\"><div>");
        gaps(out);
        out.append("</div><div>");
        errors(out);
        out.append("</div></div>");
        return out.toString();
    }

    private void gates(StringBuilder out) {
        JsonNode gates = run.results().path("gates");
        if (!gates.isArray() || gates.isEmpty()) {
            return;
        }
        long failed = 0;
        StringBuilder rows = new StringBuilder();
        for (JsonNode gate : gates) {
            boolean passed = gate.path("passed").asBoolean(false);
            failed += passed ? 0 : 1;
            rows.append("<tr><td>")
                    .append(
                            passed
                                    ? "<span class=\"yes\">✓ yes</span>"
                                    : "<span class=\"no\">✗ no</span>");
            cell(rows, text(gate, "name").replace('-', ' '));
            cell(rows, text(gate, "words"));
            rows.append("</td></tr>");
        }
        out.append("<details").append(failed > 0 ? " open" : "").append("><summary>");
        out.append(gates.size() - failed).append(" of ").append(gates.size());
        out.append(" conditions for enough evidence are met</summary>");
        out.append("<div class=\"scroll\"><table><tbody>").append(rows);
        out.append("</tbody></table></div></details><br>");
    }

    private void counts(StringBuilder out) {
        out.append("<h3>Operations</h3><div class=\"scroll\"><table><thead><tr><th>operation</th>");
        for (String name : List.of("begun", "ok", "failed", "unknown")) {
            out.append("<th class=\"num\">").append(name).append("</th>");
        }
        out.append("</tr></thead><tbody>");
        statistics
                .functions()
                .forEach(
                        (f, c) -> {
                            out.append("<tr><td>").append(Html.text(f)).append("</td>");
                            number(out, c.invoked());
                            number(out, c.ok());
                            number(out, c.failed());
                            number(out, c.unknown() + c.open());
                            out.append("</tr>");
                        });
        out.append("</tbody></table></div><p class=\"small muted\">");
        out.append(
                String.format(
                        Locale.ROOT,
                        "%d processes on %d keys; %.0f %% of operations overlapped another.</p>",
                        statistics.processCount(),
                        statistics.keyCount(),
                        100 * statistics.overlappedShare()));
    }

    private static void number(StringBuilder out, long value) {
        out.append("<td class=\"num\">")
                .append(String.format(Locale.ROOT, "%,d", value))
                .append("</td>");
    }

    private void latencies(StringBuilder out) {
        out.append(
                "<h3>Latency, ms</h3><div class=\"scroll\"><table><thead><tr><th>operation</th>");
        for (String name : List.of("p50", "p90", "p99", "max")) {
            out.append("<th class=\"num\">").append(name).append("</th>");
        }
        out.append("</tr></thead><tbody>");
        for (Statistics.Latency l : statistics.latencies()) {
            out.append("<tr><td>").append(Html.text(l.f() + " " + l.outcome())).append("</td>");
            for (double value : new double[] {l.p50(), l.p90(), l.p99(), l.max()}) {
                out.append("<td class=\"num\">")
                        .append(String.format(Locale.ROOT, value >= 100 ? "%.0f" : "%.2f", value))
                        .append("</td>");
            }
            out.append("</tr>");
        }
        out.append("</tbody></table></div>");
    }

    private void faultTable(StringBuilder out) {
        if (faults.isEmpty()) {
            out.append("<h3>Faults</h3><p class=\"muted\">No fault was asked for.</p>");
            return;
        }
        out.append("<h3 style=\"margin-top:18px\">Faults</h3><div class=\"scroll\">");
        out.append("<table class=\"stack\"><thead><tr><th>fault</th><th class=\"num\">from</th>");
        out.append("<th class=\"num\">to</th><th>in force</th><th>gone again</th></tr></thead>");
        out.append("<tbody>");
        for (FaultSpan fault : faults) {
            out.append("<tr><td><b>").append(Html.text(fault.name())).append("</b><br>");
            out.append("<span class=\"ev\">").append(Html.text(fault.action())).append("</span>");
            out.append("</td><td class=\"num\" data-l=\"from\">");
            out.append(
                    seconds(
                            fault.installedNanos() < 0
                                    ? fault.askedNanos()
                                    : fault.installedNanos()));
            out.append("</td><td class=\"num\" data-l=\"to\">")
                    .append(seconds(fault.healedNanos()));
            out.append("</td><td data-l=\"in force\">");
            proof(out, fault.isProven(), fault.status(), fault.evidence());
            out.append("</td><td data-l=\"gone again\">");
            proof(out, fault.healed(), "not proven", fault.healEvidence());
            out.append("</td></tr>");
        }
        out.append("</tbody></table></div>");
    }

    private static void proof(
            StringBuilder out, boolean proven, String otherwise, List<String> evidence) {
        out.append(
                proven
                        ? "<span class=\"yes\">✓ proven</span>"
                        : "<span class=\"no\">" + Html.text(otherwise) + "</span>");
        if (!evidence.isEmpty()) {
            out.append("<details><summary>evidence</summary><span class=\"ev\">");
            out.append(Html.text(String.join("; ", evidence))).append("</span></details>");
        }
    }

    private static String seconds(long nanos) {
        return nanos < 0 ? "–" : String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }

    private void gaps(StringBuilder out) {
        out.append("<h3 style=\"margin-top:18px\">Longest times without a success</h3>");
        if (statistics.gaps().isEmpty()) {
            out.append("<p class=\"muted\">None of 100 ms or more.</p>");
            return;
        }
        out.append("<div class=\"scroll\"><table><tbody>");
        for (Statistics.Gap gap :
                statistics.gaps().subList(0, Math.min(5, statistics.gaps().size()))) {
            out.append("<tr><td class=\"num\"><b>");
            out.append(String.format(Locale.ROOT, "%.2f s", gap.millis() / 1e3));
            out.append("</b></td><td>from ");
            out.append(String.format(Locale.ROOT, "%.2f s", gap.fromMillis() / 1e3));
            out.append(" to ").append(String.format(Locale.ROOT, "%.2f s", gap.toMillis() / 1e3));
            out.append("</td></tr>");
        }
        out.append("</tbody></table></div>");
        long recovery = run.results().path("availability").path("recoveryMillis").asLong(-1);
        if (recovery >= 0) {
            out.append("<p class=\"small muted\">First success ");
            out.append(String.format(Locale.ROOT, "%.2f s", recovery / 1e3));
            out.append(" after the last heal.</p>");
        }
    }

    private void errors(StringBuilder out) {
        out.append("<h3 style=\"margin-top:18px\">Errors</h3>");
        if (statistics.errors().isEmpty()) {
            out.append("<p class=\"muted\">None.</p>");
            return;
        }
        out.append("<div class=\"scroll\"><table><tbody>");
        statistics.errors().entrySet().stream()
                .limit(10)
                .forEach(
                        error -> {
                            out.append("<tr>");
                            number(out, error.getValue());
                            out.append("<td>")
                                    .append(Html.text(error.getKey()))
                                    .append("</td></tr>");
                        });
        out.append("</tbody></table></div>");
        if (statistics.errors().size() > 10) {
            out.append("<p class=\"small muted\">and ").append(statistics.errors().size() - 10);
            out.append(" more kinds; <code>./raft history stats</code> counts them.</p>");
        }
    }

    private String repeat() {
        StringBuilder out = new StringBuilder("<h2>Repeat it</h2>");
        String command =
                run.results().path("repeat").asString(run.test().path("repeat").asString(""));
        if (command.isEmpty()) {
            out.append("<p class=\"muted\">The command is not known.</p>");
        } else {
            command(out, command);
            if (Files.exists(run.folder().resolve("plan.json"))) {
                out.append("<p>With exactly the faults of this run:</p>");
                command(out, command + " --plan " + run.folder().resolve("plan.json"));
            }
        }
        out.append("<p>In a terminal:</p>");
        command(
                out,
                "./raft history "
                        + (why == null ? "stats " : "explain ")
                        + run.folder().getFileName());
        out.append("<details><summary>All parameters</summary><dl class=\"kv\">");
        for (Map.Entry<String, JsonNode> entry : run.test().properties()) {
            out.append("<dt>").append(Html.text(entry.getKey())).append("</dt><dd>");
            out.append(Html.text(text(run.test(), entry.getKey()))).append("</dd>");
        }
        return out.append("</dl></details>").toString();
    }

    private static void command(StringBuilder out, String command) {
        out.append("<div class=\"command\"><pre>").append(Html.text(command)).append("</pre>");
        out.append("<button type=\"button\" class=\"noprint\" data-copy=\"");
        out.append(Html.text(command)).append("\">Copy</button></div>");
    }
}
