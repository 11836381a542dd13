package raft.harness.report;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryIndex;
import raft.harness.history.Value;

import tools.jackson.core.JsonGenerator;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.Writer;
import java.util.BitSet;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Histories as other tools draw them. What is written is always whole operations: an invocation
 * with its completion, and the faults beside them.
 */
public final class Exports {
    /** A diagram of more messages is not readable, and Mermaid refuses much larger ones. */
    public static final int MERMAID_OPERATIONS_MAX = 100;

    private static final JsonMapper OPEN_ENDED =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
                                    .build())
                    .build();

    private Exports() {}

    /**
     * As Chrome's trace events, which Perfetto and chrome://tracing open: clients and nodes as
     * processes, operations and faults as slices. Times are microseconds.
     *
     * @param events numbers of the events to write, whole operations, in order
     */
    public static void chromeTrace(HistoryIndex history, int[] events, Writer out)
            throws IOException {
        // The writer is the caller's: standard output must not be closed with the last brace.
        try (JsonGenerator json = OPEN_ENDED.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringProperty("displayTimeUnit", "ms");
            json.writeArrayPropertyStart("traceEvents");
            name(json, "process_name", 1, 0, "clients");
            name(json, "process_name", 2, 0, "faults");
            TreeSet<Long> processes = new TreeSet<>();
            for (int number : events) {
                if (history.isOperation(number)) {
                    processes.add(history.process(number));
                    operation(json, history, number);
                }
            }
            for (long process : processes) {
                name(json, "thread_name", 1, process, "process " + process);
            }
            faults(json, history);
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private static void name(JsonGenerator json, String what, long pid, long tid, String name) {
        json.writeStartObject();
        json.writeStringProperty("ph", "M");
        json.writeStringProperty("name", what);
        json.writeNumberProperty("pid", pid);
        json.writeNumberProperty("tid", tid);
        json.writeObjectPropertyStart("args");
        json.writeStringProperty("name", name);
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void operation(JsonGenerator json, HistoryIndex history, int number) {
        HistoryEvent asked = history.event(number);
        int partner = history.partner(number);
        HistoryEvent ended = partner < 0 ? null : history.event(partner);
        long endNanos = ended == null ? history.timeNanos(history.size() - 1) : ended.timeNanos();
        String outcome = ended == null ? "no answer" : lower(ended.type());
        slice(
                json,
                words(asked, ended),
                asked.f() + "," + outcome,
                1,
                asked.process(),
                asked.timeNanos(),
                endNanos);
        json.writeObjectPropertyStart("args");
        json.writeNumberProperty("index", asked.index());
        json.writeStringProperty("outcome", outcome);
        json.writeStringProperty("key", HistoryIndex.plain(asked.key()));
        json.writeStringProperty("value", (ended == null ? asked : ended).value().toString());
        if (asked.node() != null) {
            json.writeStringProperty("node", asked.node());
        }
        if (ended != null && ended.error() != null) {
            json.writeStringProperty("error", ended.error());
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void slice(
            JsonGenerator json,
            String name,
            String categories,
            long pid,
            long tid,
            long fromNanos,
            long toNanos) {
        json.writeStartObject();
        json.writeStringProperty("ph", "X");
        json.writeStringProperty("name", name);
        json.writeStringProperty("cat", categories);
        json.writeNumberProperty("pid", pid);
        json.writeNumberProperty("tid", tid);
        json.writeNumberProperty("ts", fromNanos / 1e3);
        json.writeNumberProperty("dur", Math.max(0, toNanos - fromNanos) / 1e3);
    }

    private static void faults(JsonGenerator json, HistoryIndex history) {
        long end = history.size() == 0 ? 0 : history.timeNanos(history.size() - 1);
        int row = 0;
        for (FaultSpan fault : FaultSpan.of(history)) {
            row++;
            name(json, "thread_name", 2, row, fault.name());
            slice(
                    json,
                    fault.action(),
                    fault.status(),
                    2,
                    row,
                    fault.installedNanos() >= 0 ? fault.installedNanos() : fault.askedNanos(),
                    fault.endNanos(end));
            json.writeObjectPropertyStart("args");
            json.writeStringProperty("status", fault.status());
            json.writeStringProperty("evidence", String.join("; ", fault.evidence()));
            json.writeEndObject();
            json.writeEndObject();
        }
    }

    /** "write x 3", with what came of it where that says more. */
    static String words(HistoryEvent asked, @org.jspecify.annotations.Nullable HistoryEvent ended) {
        StringBuilder words = new StringBuilder(asked.f());
        if (!(asked.key() instanceof Value.Nil)) {
            words.append(' ').append(HistoryIndex.plain(asked.key()));
        }
        if (!(asked.value() instanceof Value.Nil)) {
            words.append(' ').append(asked.value());
        }
        if (ended != null && ended.type() == Type.OK && !ended.value().equals(asked.value())) {
            words.append(" → ").append(ended.value());
        }
        return words.toString();
    }

    /**
     * As ShiViz reads it, with the parser expression {@code (?<host>\S*)
     * (?<clock>{.*})\n(?<event>.*)}. Hosts are client processes and nodes; an operation is a
     * message to its node and one back, so the vector clocks know of the order through nodes, not
     * of real time.
     *
     * @param events numbers of the events to write, whole operations, in order
     */
    public static void shiviz(HistoryIndex history, int[] events, Writer out) throws IOException {
        Map<String, Map<String, Long>> clocks = new TreeMap<>();
        for (int number : events) {
            HistoryEvent event = history.event(number);
            if (event.process() == HistoryEvent.NEMESIS) {
                String what = event.f() + " " + lower(event.type()) + " ";
                tick(out, clocks, "nemesis", what + HistoryIndex.plain(event.key()));
                continue;
            }
            String client = "p" + event.process();
            String node = event.node() == null ? "cluster" : event.node();
            if (event.type() == Type.INVOKE) {
                tick(out, clocks, client, "#" + event.index() + " " + words(event, null));
                merge(clocks, node, client);
                tick(out, clocks, node, "asked by " + client + ": " + words(event, null));
            } else {
                boolean answered = event.type() == Type.OK;
                String result = lower(event.type()) + " " + event.value();
                if (answered) {
                    tick(out, clocks, node, "answers " + client + ": " + result);
                    merge(clocks, client, node);
                }
                String error = event.error() == null ? "" : " (" + event.error() + ")";
                tick(out, clocks, client, "#" + event.index() + " " + result + error);
            }
        }
    }

    private static void tick(
            Writer out, Map<String, Map<String, Long>> clocks, String host, String words)
            throws IOException {
        Map<String, Long> clock = clocks.computeIfAbsent(host, ignored -> new TreeMap<>());
        clock.merge(host, 1L, Long::sum);
        out.write(host + " " + JsonMapper.shared().writeValueAsString(clock) + "\n");
        out.write(words.replace('\n', ' ') + "\n");
    }

    private static void merge(Map<String, Map<String, Long>> clocks, String into, String from) {
        Map<String, Long> clock = clocks.computeIfAbsent(into, ignored -> new TreeMap<>());
        clocks.getOrDefault(from, Map.of())
                .forEach((host, count) -> clock.merge(host, count, Math::max));
    }

    /**
     * As a sequence diagram in Mermaid's words.
     *
     * @param events numbers of the events to write, whole operations, in order
     * @throws IOException also when there are more than {@value #MERMAID_OPERATIONS_MAX} operations
     */
    public static void mermaid(HistoryIndex history, int[] events, Writer out) throws IOException {
        long operations = 0;
        TreeSet<Long> processes = new TreeSet<>();
        TreeSet<String> nodes = new TreeSet<>();
        for (int number : events) {
            if (history.isOperation(number)) {
                operations++;
                processes.add(history.process(number));
            }
            if (history.process(number) >= 0) {
                String node = history.event(number).node();
                nodes.add(node == null ? "cluster" : node);
            }
        }
        if (operations > MERMAID_OPERATIONS_MAX) {
            throw new IOException(
                    "these are "
                            + operations
                            + " operations, and a Mermaid diagram of more than "
                            + MERMAID_OPERATIONS_MAX
                            + " cannot be read; choose fewer with --key, --from and --to");
        }
        out.write("sequenceDiagram\n");
        for (long process : processes) {
            out.write("    participant p" + process + " as process " + process + "\n");
        }
        for (String node : nodes) {
            out.write("    participant " + id(node) + " as " + safe(node) + "\n");
        }
        for (int number : events) {
            HistoryEvent event = history.event(number);
            out.write("    " + message(history, number, event, nodes) + "\n");
        }
    }

    private static String message(
            HistoryIndex history, int number, HistoryEvent event, SortedSet<String> nodes) {
        if (event.process() == HistoryEvent.NEMESIS) {
            String over = nodes.isEmpty() ? "p0" : id(nodes.first()) + "," + id(nodes.last());
            return "Note over "
                    + over
                    + ": "
                    + safe(event.f() + " " + HistoryIndex.plain(event.key()))
                    + " "
                    + lower(event.type());
        }
        String client = "p" + event.process();
        String node = id(event.node() == null ? "cluster" : event.node());
        if (event.type() == Type.INVOKE) {
            return client + "->>" + node + ": " + safe(words(event, null));
        }
        int partner = history.partner(number);
        String words =
                event.type() == Type.OK
                        ? "ok " + event.value()
                        : lower(event.type()) + (event.error() == null ? "" : " " + event.error());
        String arrow = event.type() == Type.INFO ? "--x" : "-->>";
        return node + arrow + client + ": " + safe(words) + (partner < 0 ? " (not asked)" : "");
    }

    /** Mermaid takes ; # and line ends for its own. */
    private static String safe(String text) {
        return text.replace(";", ",").replace("#", "no. ").replace('\n', ' ').replace("\"", "'");
    }

    private static String id(String node) {
        return "node_" + node.replaceAll("[^A-Za-z0-9]", "_");
    }

    private static String lower(Type type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    /**
     * Makes whole operations of matching events: adds the other half of each.
     *
     * @return the numbers in order, without doubles
     */
    public static int[] wholeOperations(HistoryIndex history, BitSet matching) {
        BitSet whole = (BitSet) matching.clone();
        for (int i = matching.nextSetBit(0); i >= 0; i = matching.nextSetBit(i + 1)) {
            if (history.partner(i) >= 0) {
                whole.set(history.partner(i));
            }
        }
        return whole.stream().toArray();
    }

    /** The numbers of all events that match. */
    public static BitSet matching(HistoryIndex history, HistoryIndex.Filter filter) {
        BitSet matching = new BitSet(history.size());
        history.find(
                filter,
                number -> {
                    matching.set(number);
                    return true;
                });
        return matching;
    }
}
