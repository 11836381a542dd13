package raft.shell.history;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryIndex;
import raft.harness.history.HistoryWriter;
import raft.harness.history.Value;
import raft.harness.report.NodeLogLines;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/** {@code history show}: events, page by page. */
@Command(name = "show", mixinStandardHelpOptions = true, description = "Shows a history's events.")
final class ShowCommand implements Callable<Integer> {
    @Parameters(paramLabel = "RUN", defaultValue = "latest", description = "(default: latest)")
    private String run = "latest";

    @Mixin private Histories histories = new Histories();

    @Mixin private FilterOptions filter = new FilterOptions();

    @Option(
            names = "--limit",
            defaultValue = "40",
            paramLabel = "N",
            description = "events on a page, 0 for all (default: 40)")
    private int limit;

    @Option(
            names = "--page",
            defaultValue = "1",
            paramLabel = "N",
            description = "which page, from 1 on; -1 is the last (default: 1)")
    private int page;

    @Option(
            names = "--operations",
            description = "one line an operation, with its outcome and how long it took")
    private boolean operations;

    @Option(names = "--logs", description = "with the lines that nodes logged between them")
    private boolean logs;

    @Override
    public Integer call() throws IOException {
        if (page == 0 || limit < 0) {
            throw histories.usage("--page counts from 1 (or -1 from the end), --limit from 0");
        }
        try (HistoryIndex history = histories.open(run)) {
            HistoryIndex.Filter asked = filter.filter(histories);
            int[] found = found(history, asked);
            long from = 0;
            long to = found.length;
            if (limit > 0) {
                long pages = (found.length + (long) limit - 1) / limit;
                long number = page < 0 ? Math.max(1, pages + 1 + page) : page;
                if (number > Math.max(1, pages)) {
                    throw histories.usage("the last page is " + Math.max(1, pages));
                }
                from = (number - 1) * limit;
                to = Math.min(from + limit, found.length);
            }
            PrintWriter out = histories.out();
            // A page's logs go from its first event to the next page's; those of all pages together
            // are those of the time that was asked for.
            ArrayDeque<NodeLogLines.Line> lines =
                    new ArrayDeque<>(
                            logs && !histories.json() && to > from
                                    ? histories.logs(
                                            run,
                                            from == 0
                                                    ? asked.fromNanos()
                                                    : history.timeNanos(found[(int) from]),
                                            to == found.length
                                                    ? asked.toNanos()
                                                    : history.timeNanos(found[(int) to]))
                                    : List.of());
            for (long i = from; i < to; i++) {
                long timeNanos = history.timeNanos(found[(int) i]);
                while (!lines.isEmpty() && lines.getFirst().timeNanos() <= timeNanos) {
                    histories.print(lines.removeFirst());
                }
                print(out, history, found[(int) i]);
            }
            lines.forEach(histories::print);
            if (!histories.json() && to - from < found.length) {
                out.printf(
                        Locale.ROOT,
                        "%d to %d of %d; %s--limit 0 shows all%n",
                        from + 1,
                        to,
                        found.length,
                        to < found.length ? "--page " + (from / limit + 2) + " goes on, " : "");
            } else if (!histories.json() && found.length == 0) {
                out.println("no event fits");
            }
        }
        return 0;
    }

    private int[] found(HistoryIndex history, HistoryIndex.Filter asked) {
        var numbers = java.util.stream.IntStream.builder();
        history.find(
                asked,
                number -> {
                    if (!operations) {
                        numbers.add(number);
                    } else if (history.isOperation(number)) {
                        numbers.add(number);
                    } else if (history.process(number) >= 0 && history.partner(number) >= 0) {
                        // An operation whose completion fits and whose invocation does not.
                        numbers.add(history.partner(number));
                    }
                    return true;
                });
        return operations
                ? numbers.build().sorted().distinct().toArray()
                : numbers.build().toArray();
    }

    private void print(PrintWriter out, HistoryIndex history, int number) {
        HistoryEvent event = history.event(number);
        if (operations) {
            int partner = history.partner(number);
            HistoryEvent ended = partner < 0 ? null : history.event(partner);
            if (!histories.json()) {
                out.println(ListCommand.cut(operation(event, ended), histories.width()));
                return;
            }
            out.println(
                    "{\"invoke\":"
                            + HistoryWriter.line(event)
                            + (ended == null
                                    ? ",\"completion\":null}"
                                    : ",\"completion\":" + HistoryWriter.line(ended) + "}"));
        } else if (histories.json()) {
            out.println(HistoryWriter.line(event));
        } else {
            out.println(ListCommand.cut(event(event), histories.width()));
        }
    }

    /** Narrower than an explanation's line, because here errors matter too. */
    private static String event(HistoryEvent event) {
        boolean faults = event.process() == HistoryEvent.NEMESIS;
        return String.format(
                        Locale.ROOT,
                        "%7d %10.3f s %7s %-6s %-7s%s%s%s%s",
                        event.index(),
                        event.timeNanos() / 1e9,
                        faults ? "nemesis" : Long.toString(event.process()),
                        event.type().name().toLowerCase(Locale.ROOT),
                        event.f(),
                        event.key() instanceof Value.Nil
                                ? ""
                                : " " + HistoryIndex.plain(event.key()) + ":",
                        event.type() == HistoryEvent.Type.INVOKE
                                        && event.value() instanceof Value.Nil
                                ? ""
                                : " " + event.value(),
                        event.node() == null ? "" : " at " + event.node(),
                        event.error() == null ? "" : " (" + event.error() + ")")
                .stripTrailing();
    }

    private static String operation(
            HistoryEvent asked, @org.jspecify.annotations.Nullable HistoryEvent ended) {
        String outcome = ended == null ? "open" : ended.type().name().toLowerCase(Locale.ROOT);
        HistoryEvent learnt = ended != null && ended.type() == HistoryEvent.Type.OK ? ended : null;
        Value value = (learnt == null ? asked : learnt).value();
        return String.format(
                        Locale.ROOT,
                        "%7d %10.3f s %9s %7d %-6s %-7s%s%s%s%s",
                        asked.index(),
                        asked.timeNanos() / 1e9,
                        ended == null
                                ? "-"
                                : String.format(
                                        Locale.ROOT,
                                        "%.1f ms",
                                        (ended.timeNanos() - asked.timeNanos()) / 1e6),
                        asked.process(),
                        outcome,
                        asked.f(),
                        asked.key() instanceof Value.Nil
                                ? ""
                                : " " + HistoryIndex.plain(asked.key()) + ":",
                        value instanceof Value.Nil && learnt == null ? "" : " " + value,
                        ended == null || ended.node() == null ? "" : " at " + ended.node(),
                        ended == null || ended.error() == null ? "" : " (" + ended.error() + ")")
                .stripTrailing();
    }
}
