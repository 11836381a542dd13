package raft.shell.history;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

import raft.harness.history.HistoryIndex;
import raft.harness.report.EventLine;
import raft.harness.report.HistoryDiff;
import raft.harness.report.RunFiles;
import raft.harness.report.Statistics;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;

/** {@code history diff}: two runs side by side, and where their histories part. */
@Command(
        name = "diff",
        mixinStandardHelpOptions = true,
        description =
                "Puts two runs side by side: parameters, numbers, and the first event that"
                        + " differs.")
final class DiffCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "RUN", description = "the one")
    private String left = "";

    @Parameters(index = "1", paramLabel = "RUN", description = "the other")
    private String right = "";

    @Mixin private Histories histories = new Histories();

    @Override
    public Integer call() throws IOException {
        RunFiles leftFiles = new RunFiles(histories.find(left));
        RunFiles rightFiles = new RunFiles(histories.find(right));
        try (HistoryIndex a = histories.open(left);
                HistoryIndex b = histories.open(right)) {
            HistoryDiff diff = HistoryDiff.of(a, b);
            Map<String, List<String>> parameters = parameters(leftFiles, rightFiles);
            Map<String, List<String>> numbers = numbers(Statistics.of(a), Statistics.of(b));
            if (histories.json()) {
                Map<String, Object> object = new LinkedHashMap<>();
                object.put("same", diff.same());
                object.put("sameToTheNanosecond", diff.sameToTheNanosecond());
                object.put("diff", diff);
                object.put("parameters", parameters);
                object.put("numbers", numbers);
                histories.out().println(JsonMapper.shared().writeValueAsString(object));
                return 0;
            }
            PrintWriter out = histories.out();
            table(out, "parameters that differ", parameters);
            table(out, "numbers", numbers);
            out.println();
            out.println(words(diff));
            if (!diff.same()) {
                show(out, "<", a, diff.sameEvents());
                show(out, ">", b, diff.sameEvents());
            }
        }
        return 0;
    }

    private static Map<String, List<String>> parameters(RunFiles left, RunFiles right) {
        TreeSet<String> names = new TreeSet<>(left.test().propertyNames());
        names.addAll(right.test().propertyNames());
        Map<String, List<String>> differing = new LinkedHashMap<>();
        for (String name : names) {
            JsonNode a = left.test().path(name);
            JsonNode b = right.test().path(name);
            if (!a.equals(b) && !name.equals("run") && !name.equals("repeat")) {
                differing.put(name, List.of(text(a), text(b)));
            }
        }
        differing.put(
                "verdict",
                List.of(
                        left.results().path("verdict").asString("-"),
                        right.results().path("verdict").asString("-")));
        return differing;
    }

    private static String text(JsonNode value) {
        return value.isMissingNode() ? "-" : value.isString() ? value.asString() : value.toString();
    }

    private static Map<String, List<String>> numbers(Statistics a, Statistics b) {
        Map<String, List<String>> numbers = new LinkedHashMap<>();
        numbers.put("operations", List.of("" + a.operations(), "" + b.operations()));
        numbers.put("seconds", List.of(number(a.seconds()), number(b.seconds())));
        numbers.put(
                "longest gap, s",
                List.of(
                        number(a.gaps().isEmpty() ? 0 : a.gaps().getFirst().millis() / 1e3),
                        number(b.gaps().isEmpty() ? 0 : b.gaps().getFirst().millis() / 1e3)));
        TreeSet<String> functions = new TreeSet<>(a.functions().keySet());
        functions.addAll(b.functions().keySet());
        for (String f : functions) {
            numbers.put(f + " ok/failed/unknown", List.of(counts(a, f), counts(b, f)));
            numbers.put(f + " ok p50/p99 ms", List.of(latency(a, f), latency(b, f)));
        }
        return numbers;
    }

    private static String counts(Statistics statistics, String f) {
        Statistics.Counts c = statistics.functions().get(f);
        return c == null ? "-" : c.ok() + "/" + c.failed() + "/" + (c.unknown() + c.open());
    }

    private static String latency(Statistics statistics, String f) {
        return statistics.latencies().stream()
                .filter(l -> l.f().equals(f) && l.outcome().equals("ok"))
                .map(l -> number(l.p50()) + "/" + number(l.p99()))
                .findFirst()
                .orElse("-");
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    private static void table(PrintWriter out, String title, Map<String, List<String>> rows) {
        out.println(title);
        rows.forEach(
                (name, values) ->
                        out.println(
                                String.format(
                                                "  %-24s %-26s %s",
                                                ListCommand.cut(name, 24),
                                                ListCommand.cut(values.get(0), 26),
                                                ListCommand.cut(values.get(1), 26))
                                        .stripTrailing()));
    }

    private static String words(HistoryDiff diff) {
        if (diff.sameToTheNanosecond()) {
            return "the histories are the same, to the nanosecond";
        }
        if (diff.same()) {
            return "the histories say the same; times differ from event "
                    + diff.sameTimes()
                    + " on";
        }
        return "the first "
                + diff.sameEvents()
                + " events say the same (of "
                + diff.leftEvents()
                + " and "
                + diff.rightEvents()
                + "), then:";
    }

    private void show(PrintWriter out, String mark, HistoryIndex history, int from) {
        List<String> lines = new ArrayList<>();
        for (int i = from; i < Math.min(from + 3, history.size()); i++) {
            lines.add(mark + " " + EventLine.of(history.event(i)));
        }
        if (lines.isEmpty()) {
            lines.add(mark + " (ends here)");
        }
        lines.forEach(line -> out.println(ListCommand.cut(line, histories.width())));
    }
}
