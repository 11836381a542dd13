package raft.harness.sim.travel;

import com.fasterxml.jackson.annotation.JsonTypeInfo;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Invocation;
import raft.harness.history.Value;
import raft.harness.nemesis.FaultAction;
import raft.harness.sim.ScenarioFile;
import raft.harness.sim.SimOptions;
import raft.harness.sim.travel.Decision.Act;

import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A {@link Journey} as a file that people share: {@code ./raft sim replay FILE} repeats it. */
public final class JourneyFile {
    private static final int SCHEMA = 1;
    private static final String KIND = "journey";
    private static final JsonMapper JSON = mapper();

    private JourneyFile() {}

    /**
     * The whole file.
     *
     * @param kind tells it from a scenario
     * @param digest in hexadecimal: numbers of 64 bits do not survive every reader of JSON
     */
    record Document(
            int schema,
            String kind,
            @Nullable String plant,
            SimOptions options,
            long eventCount,
            String digest,
            List<Decision> decisions) {}

    /** The type of a fault or an act stands beside its fields. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.SIMPLE_NAME, property = "type")
    private interface Named {}

    private static JsonMapper mapper() {
        SimpleModule values = new SimpleModule("values");
        values.addSerializer(Value.class, new ValueWriter());
        values.addDeserializer(Value.class, new ValueReader());
        JsonMapper.Builder builder =
                JsonMapper.builder()
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                        .addModule(values)
                        .addMixIn(Act.class, Named.class)
                        .addMixIn(FaultAction.class, Named.class)
                        .addMixIn(Invocation.class, WithoutDerived.class);
        return builder.build();
    }

    /** What a record computes from its fields is not written. */
    @SuppressWarnings("UnusedMethod") // Jackson reads its annotation
    private interface WithoutDerived {
        @com.fasterxml.jackson.annotation.JsonIgnore
        long attemptNanos();
    }

    /**
     * Writes a journey, replacing what was there.
     *
     * @throws IOException when it cannot be written
     */
    public static void write(Path file, Journey journey) throws IOException {
        Document document =
                new Document(
                        SCHEMA,
                        KIND,
                        journey.plant(),
                        journey.options(),
                        journey.eventCount(),
                        Long.toHexString(journey.digest()),
                        journey.decisions());
        Files.writeString(file, JSON.writeValueAsString(document) + "\n");
    }

    /** Whether a file is one of these and not a scenario, say. */
    public static boolean isOne(Path file) {
        try {
            return Files.isRegularFile(file)
                    && JSON.readTree(Files.readAllBytes(file))
                            .path("kind")
                            .asString("")
                            .equals(KIND);
        } catch (IOException | JacksonException e) {
            return false;
        }
    }

    /**
     * Reads a journey.
     *
     * @throws IOException with one sentence that names the file and what is wrong with it
     */
    public static Journey read(Path file) throws IOException {
        try {
            Document document =
                    JSON.treeToValue(
                            ScenarioFile.completed(JSON.readTree(Files.readAllBytes(file))),
                            Document.class);
            if (document == null || document.schema != SCHEMA || !KIND.equals(document.kind)) {
                throw new IOException(file + " is not a journey of schema " + SCHEMA);
            }
            return new Journey(
                    document.plant,
                    document.options,
                    document.decisions,
                    document.eventCount,
                    Long.parseUnsignedLong(document.digest, 16));
        } catch (JacksonException e) {
            throw new IOException(file + " is not a journey: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new IOException(file + " is not a journey: " + e.getMessage(), e);
        }
    }

    private static final class ValueWriter extends ValueSerializer<Value> {
        @Override
        public void serialize(Value value, JsonGenerator out, SerializationContext context) {
            switch (value) {
                case Value.Nil() -> out.writeNull();
                case Value.Int(long number) -> out.writeNumber(number);
                case Value.Text(String text) -> out.writeString(text);
                case Value.Bool(boolean truth) -> out.writeBoolean(truth);
                case Value.Seq(List<Value> values) -> {
                    out.writeStartArray();
                    values.forEach(one -> serialize(one, out, context));
                    out.writeEndArray();
                }
            }
        }
    }

    private static final class ValueReader extends ValueDeserializer<Value> {
        @Override
        public Value deserialize(JsonParser in, DeserializationContext context) {
            return value(context.readTree(in));
        }

        @Override
        public Value getNullValue(DeserializationContext context) {
            return Value.NIL;
        }

        @Override
        public Object getAbsentValue(DeserializationContext context) {
            return Value.NIL;
        }

        private static Value value(JsonNode node) {
            if (node.isNumber()) {
                return Value.of(node.asLong());
            }
            if (node.isString()) {
                return Value.of(node.asString());
            }
            if (node.isBoolean()) {
                return new Value.Bool(node.asBoolean());
            }
            if (node.isArray()) {
                List<Value> values = new ArrayList<>();
                node.forEach(one -> values.add(value(one)));
                return new Value.Seq(values);
            }
            return Value.NIL;
        }
    }
}
