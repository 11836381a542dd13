package raft.shell.history;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryFormat;
import raft.harness.history.HistoryIndex;
import raft.harness.report.Exports;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** {@code history export}: a history for other tools. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description = "Writes a history, or what fits of it, for other tools.",
        footer = {
            "",
            "  jsonl       our own",
            "  edn         Jepsen's history.edn (Knossos, Elle)",
            "  jepsen-log  Jepsen's log lines",
            "  porcupine   a JSON list of operations",
            "  shiviz      ShiViz; parse with  (?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)",
            "  perfetto    Chrome's trace events, for ui.perfetto.dev and chrome://tracing",
            "  mermaid     a sequence diagram of at most 100 operations"
        })
final class ExportCommand implements Callable<Integer> {
    /** What it can be written as. */
    enum Format {
        JSONL,
        EDN,
        JEPSEN_LOG,
        PORCUPINE,
        SHIVIZ,
        PERFETTO,
        MERMAID
    }

    @Parameters(paramLabel = "RUN", defaultValue = "latest", description = "(default: latest)")
    private String run = "latest";

    @Mixin private Histories histories = new Histories();

    @Mixin private FilterOptions filter = new FilterOptions();

    @Option(
            names = "--format",
            required = true,
            paramLabel = "FORMAT",
            description = "jsonl, edn, jepsen-log, porcupine, shiviz, perfetto or mermaid")
    private String format = "";

    @Option(
            names = "--file",
            paramLabel = "FILE",
            description = "where to (default: standard output)")
    private @Nullable Path file;

    @Override
    public Integer call() throws IOException {
        Format chosen = chosen();
        try (HistoryIndex history = histories.open(run)) {
            int[] events =
                    Exports.wholeOperations(
                            history, Exports.matching(history, filter.filter(histories)));
            if (file == null) {
                var out = new BufferedWriter(histories.out());
                write(chosen, history, events, out);
                out.flush();
            } else {
                toFile(chosen, history, events, file);
            }
        } catch (raft.harness.history.HistoryFormatException e) {
            throw e;
        } catch (IOException e) {
            if (chosen == Format.MERMAID) {
                throw histories.usage(String.valueOf(e.getMessage()));
            }
            throw e;
        }
        return 0;
    }

    /** A file that could not be finished is not left behind as if it were whole. */
    private void toFile(Format chosen, HistoryIndex history, int[] events, Path target)
            throws IOException {
        Path fresh = target.resolveSibling(target.getFileName() + ".new");
        try {
            try (Writer out = Files.newBufferedWriter(fresh, StandardCharsets.UTF_8)) {
                write(chosen, history, events, out);
            }
            Files.move(fresh, target, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            Files.deleteIfExists(fresh);
            throw new IOException(
                    "cannot write "
                            + target
                            + " ("
                            + e.getMessage()
                            + "); make room, or choose"
                            + " another with --file",
                    e);
        }
        PrintWriter err = histories.err();
        err.println(events.length + " events written to " + target);
    }

    /** All formats by name. */
    static List<String> formats() {
        return Stream.of(Format.values()).map(ExportCommand::word).toList();
    }

    private static String word(Format format) {
        return format.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private Format chosen() {
        String word = format.toLowerCase(Locale.ROOT);
        if (word.equals("chrome")) {
            return Format.PERFETTO;
        }
        for (Format known : Format.values()) {
            if (word(known).equals(word)) {
                return known;
            }
        }
        throw histories.usage(
                "no format is called '" + format + "'; there are " + String.join(", ", formats()));
    }

    private static void write(Format format, HistoryIndex history, int[] events, Writer out)
            throws IOException {
        switch (format) {
            case JSONL -> throughFile(HistoryFormat.JSON_LINES, history, events, out);
            case EDN -> throughFile(HistoryFormat.EDN, history, events, out);
            case JEPSEN_LOG -> throughFile(HistoryFormat.JEPSEN_LOG, history, events, out);
            case PORCUPINE -> throughFile(HistoryFormat.OPERATIONS_JSON, history, events, out);
            case SHIVIZ -> Exports.shiviz(history, events, out);
            case PERFETTO -> Exports.chromeTrace(history, events, out);
            case MERMAID -> Exports.mermaid(history, events, out);
        }
    }

    private static void throughFile(
            HistoryFormat format, HistoryIndex history, int[] events, Writer out)
            throws IOException {
        List<HistoryEvent> chosen = new ArrayList<>(events.length);
        for (int number : events) {
            chosen.add(history.event(number));
        }
        Path temporary = Files.createTempFile("raft-export", "");
        try {
            HistoryFormat.write(temporary, format, new History(history.header(), chosen));
            try (var in = Files.newBufferedReader(temporary)) {
                in.transferTo(out);
            }
        } finally {
            Files.delete(temporary);
        }
    }
}
