package raft.harness.report;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryIndex;
import raft.harness.history.Value;

import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;

/**
 * What the page of a run draws from: operations in columns, so that 100,000 of them are a small
 * page that is quickly unpacked. Times are microseconds since the run began.
 */
final class PageData {
    /** More would make the page slow to open; a longer history is shown by windows. */
    static final int OPERATIONS_MAX = 400_000;

    private final HistoryIndex history;
    private final int first;
    private final int last;

    /**
     * @param fromNanos the stretch of time to put in the page, inclusive
     * @param toNanos exclusive
     */
    PageData(HistoryIndex history, long fromNanos, long toNanos) {
        this.history = history;
        this.first = history.firstAt(fromNanos);
        this.last = toNanos == Long.MAX_VALUE ? history.size() : history.firstAt(toNanos);
    }

    /** Operations that begin in the stretch. */
    int operationCount() {
        int count = 0;
        for (int i = first; i < last; i++) {
            count += history.isOperation(i) ? 1 : 0;
        }
        return count;
    }

    /**
     * Packs it: JSON, compressed, in base 64.
     *
     * @param concurrency threads of clients, 0 where unknown
     */
    String packed(
            List<FaultSpan> faults,
            List<NodeLane> nodes,
            @Nullable Counterexample why,
            int concurrency)
            throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (JsonGenerator json =
                JsonMapper.shared().createGenerator(new GZIPOutputStream(bytes, 1 << 16))) {
            json.writeStartObject();
            long startNanos = first == 0 || first >= history.size() ? 0 : history.timeNanos(first);
            json.writeNumberProperty("start", startNanos / 1000);
            json.writeNumberProperty("end", endNanos() / 1000);
            json.writeNumberProperty("concurrency", concurrency);
            json.writePOJOProperty("functions", history.functions());
            json.writePOJOProperty("errors", history.errors());
            json.writePOJOProperty("nodeNames", history.nodes());
            json.writeArrayPropertyStart("keys");
            history.keys().forEach(key -> value(json, key));
            json.writeEndArray();
            operations(json);
            faults(json, faults);
            nodes(json, nodes);
            counterexample(json, why);
            json.writeEndObject();
        }
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    private long endNanos() {
        if (history.size() == 0) {
            return 0;
        }
        return history.timeNanos(Math.clamp(last, 1, history.size()) - 1);
    }

    private void operations(JsonGenerator json) {
        int count = operationCount();
        int[] numbers = new int[count];
        for (int i = first, at = 0; i < last; i++) {
            if (history.isOperation(i)) {
                numbers[at++] = i;
            }
        }
        long longest = 0;
        boolean terms = false;
        HistoryEvent[] ends = new HistoryEvent[count];
        Value[] values = new Value[count];
        long[] indices = new long[count];
        for (int i = 0; i < count; i++) {
            HistoryEvent asked = history.event(numbers[i]);
            int partner = history.partner(numbers[i]);
            HistoryEvent ended = partner < 0 ? null : history.event(partner);
            ends[i] = ended;
            indices[i] = asked.index();
            values[i] =
                    ended != null && ended.type() == HistoryEvent.Type.OK
                            ? ended.value()
                            : asked.value();
            longest =
                    Math.max(
                            longest,
                            ended == null ? endNanos() : ended.timeNanos() - asked.timeNanos());
            terms |= ended != null && ended.term() != 0;
        }
        json.writeNumberProperty("longest", longest / 1000 + 1);
        json.writeObjectPropertyStart("ops");
        column(json, "t", count, i -> micros(numbers, i) - (i == 0 ? 0 : micros(numbers, i - 1)));
        column(
                json,
                "d",
                count,
                i ->
                        history.partner(numbers[i]) < 0
                                ? -1
                                : history.timeNanos(history.partner(numbers[i])) / 1000
                                        - micros(numbers, i));
        column(json, "i", count, i -> indices[i] - (i == 0 ? 0 : indices[i - 1]));
        column(
                json,
                "c",
                count,
                i -> {
                    HistoryEvent ended = ends[i];
                    return ended == null ? -1 : ended.index() - indices[i];
                });
        column(json, "p", count, i -> history.process(numbers[i]));
        column(json, "f", count, i -> history.function(numbers[i]));
        column(
                json,
                "o",
                count,
                i -> {
                    HistoryEvent ended = ends[i];
                    return ended == null ? 0 : ended.type().ordinal();
                });
        column(json, "k", count, i -> history.key(numbers[i]));
        column(json, "n", count, i -> history.node(ended(numbers[i])));
        column(json, "e", count, i -> history.error(ended(numbers[i])));
        if (terms) {
            column(
                    json,
                    "term",
                    count,
                    i -> {
                        HistoryEvent ended = ends[i];
                        return ended == null ? 0 : ended.term();
                    });
            column(
                    json,
                    "log",
                    count,
                    i -> {
                        HistoryEvent ended = ends[i];
                        return ended == null ? 0 : ended.logIndex();
                    });
        }
        json.writeArrayPropertyStart("v");
        for (Value value : values) {
            value(json, value);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private long micros(int[] numbers, int i) {
        return history.timeNanos(numbers[i]) / 1000;
    }

    /** The event that knows most: the completion where there is one. */
    private int ended(int invocation) {
        int partner = history.partner(invocation);
        return partner < 0 ? invocation : partner;
    }

    private static void column(
            JsonGenerator json, String name, int count, java.util.function.IntToLongFunction at) {
        json.writeArrayPropertyStart(name);
        for (int i = 0; i < count; i++) {
            json.writeNumber(at.applyAsLong(i));
        }
        json.writeEndArray();
    }

    private static void value(JsonGenerator json, Value value) {
        switch (value) {
            case Value.Nil ignored -> json.writeNull();
            // Beyond this JavaScript would round.
            case Value.Int(long number) when Math.abs(number) > 1L << 53 ->
                    json.writeString(Long.toString(number));
            case Value.Int(long number) -> json.writeNumber(number);
            case Value.Bool(boolean truth) -> json.writeBoolean(truth);
            case Value.Text(String text) -> json.writeString(text);
            case Value.Seq(List<Value> values) -> {
                json.writeStartArray();
                values.forEach(part -> value(json, part));
                json.writeEndArray();
            }
        }
    }

    private static void faults(JsonGenerator json, List<FaultSpan> faults) {
        json.writeArrayPropertyStart("faults");
        for (FaultSpan fault : faults) {
            json.writeStartObject();
            json.writeStringProperty("name", fault.name());
            json.writeStringProperty("kind", fault.kind());
            json.writeStringProperty("action", fault.action());
            json.writeStringProperty("status", fault.status());
            json.writeBooleanProperty("proven", fault.isProven());
            json.writeBooleanProperty("healed", fault.healed());
            json.writeNumberProperty(
                    "from",
                    (fault.installedNanos() >= 0 ? fault.installedNanos() : fault.askedNanos())
                            / 1000);
            json.writeNumberProperty(
                    "to", fault.healedNanos() < 0 ? -1 : fault.healedNanos() / 1000);
            json.writePOJOProperty("evidence", fault.evidence());
            json.writePOJOProperty("healEvidence", fault.healEvidence());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void nodes(JsonGenerator json, List<NodeLane> nodes) {
        json.writeArrayPropertyStart("nodes");
        for (NodeLane node : nodes) {
            json.writeStartObject();
            json.writeStringProperty("id", node.id());
            json.writeArrayPropertyStart("roles");
            each(
                    json,
                    node.roles(),
                    role -> {
                        json.writeNumber(role.micros());
                        json.writeString(role.role());
                        json.writeNumber(role.term());
                    });
            json.writeArrayPropertyStart("logs");
            each(
                    json,
                    node.logs(),
                    line -> {
                        json.writeNumber(line.micros());
                        json.writeNumber(line.level());
                        json.writeString(line.text());
                    });
            json.writeArrayPropertyStart("clock");
            each(
                    json,
                    node.clock(),
                    offset -> {
                        json.writeNumber(offset.micros());
                        json.writeNumber(offset.millis());
                    });
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static <T> void each(JsonGenerator json, List<T> items, Consumer<T> fields) {
        for (T item : items) {
            json.writeStartArray();
            fields.accept(item);
            json.writeEndArray();
        }
        json.writeEndArray();
    }

    private static void counterexample(JsonGenerator json, @Nullable Counterexample why) {
        json.writeArrayPropertyStart("accused");
        Map<Long, Boolean> seen = new HashMap<>();
        if (why != null) {
            for (HistoryEvent event : why.events()) {
                if (event.type() == HistoryEvent.Type.INVOKE
                        && seen.put(event.index(), true) == null) {
                    json.writeNumber(event.index());
                }
            }
        }
        json.writeEndArray();
        if (why == null || why.events().isEmpty()) {
            json.writeNullProperty("counterexample");
            return;
        }
        json.writeObjectPropertyStart("counterexample");
        json.writeNumberProperty("from", why.fromNanos() / 1000);
        json.writeNumberProperty("to", why.toNanos() / 1000);
        json.writeArrayPropertyStart("events");
        for (HistoryEvent event : why.standingAlone()) {
            json.writeStartObject();
            json.writeNumberProperty("index", event.index());
            json.writeNumberProperty("time", event.timeNanos() / 1000);
            json.writeNumberProperty("process", event.process());
            json.writeStringProperty(
                    "type", event.type().name().toLowerCase(java.util.Locale.ROOT));
            json.writeStringProperty("f", event.f());
            json.writeName("key");
            value(json, event.key());
            json.writeName("value");
            value(json, event.value());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
