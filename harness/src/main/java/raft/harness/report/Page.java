package raft.harness.report;

import tools.jackson.databind.json.JsonMapper;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A page of ours around a body: the list of runs, a night. Self-contained like a run's page. */
public final class Page {
    private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss");

    private Page() {}

    /**
     * Lines over time.
     *
     * @param utcSeconds when, rising
     * @param lines a value for each time, NaN for none, by name
     */
    public record Chart(String title, List<Long> utcSeconds, Map<String, List<Double>> lines) {}

    /**
     * @param navigation links at the top, as HTML
     * @param body as HTML
     * @param data for the page's script, by name: "trends" is a list of {@link Chart}
     */
    public static String of(
            String title, String navigation, String body, Map<String, Object> data) {
        return Html.fill(
                Html.resource("page.html"),
                Map.of(
                        "TITLE", Html.text(title),
                        "UPLOT_CSS", Html.resource("uplot/uPlot.min.css"),
                        "CSS", Html.resource("report.css"),
                        "NAVIGATION", navigation,
                        "BODY", body,
                        "DATA", script(data),
                        "UPLOT_JS", Html.resource("uplot/uPlot.iife.min.js"),
                        "JS", Html.resource("page.js")));
    }

    /** JSON that cannot end the script it stands in. */
    private static String script(Map<String, Object> data) {
        Map<String, Object> plain = new java.util.LinkedHashMap<>(data);
        if (data.get("trends") instanceof List<?> charts) {
            List<Object> shown = new ArrayList<>();
            for (Object item : charts) {
                if (item instanceof Chart chart) {
                    shown.add(withoutNan(chart));
                }
            }
            plain.put("trends", shown);
        }
        return JsonMapper.shared().writeValueAsString(plain).replace("<", "\\u003c");
    }

    private static Map<String, Object> withoutNan(Chart chart) {
        Map<String, Object> lines = new java.util.LinkedHashMap<>();
        chart.lines.forEach(
                (name, values) ->
                        lines.put(
                                name,
                                values.stream().<Object>map(v -> v.isNaN() ? "" : v).toList()));
        return Map.of("title", chart.title, "times", chart.utcSeconds, "lines", lines);
    }

    /** When a run or night of this name began; 0 where the name does not tell. */
    public static long utcSeconds(String name) {
        try {
            return LocalDateTime.parse(name.substring(0, Math.min(15, name.length())), NAME)
                    .toEpochSecond(ZoneOffset.UTC);
        } catch (DateTimeParseException e) {
            return 0;
        }
    }
}
