package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;
import raft.harness.nemesis.FaultPlan;
import raft.harness.nemesis.PlannedFault;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A scenario as people read, edit and share it. */
public final class ScenarioFile {
    private static final int SCHEMA = 2;
    private static final JsonMapper JSON =
            JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .build();

    private ScenarioFile() {}

    record Document(
            int schema,
            SimOptions options,
            long runNanos,
            double rate,
            int concurrency,
            String workload,
            List<PlannedFault.Line> faults,
            @Nullable List<Step> script) {}

    /** Key and value as JSON has them: null, numbers, texts, truths and lists of these. */
    record Step(long nanos, long process, String f, @Nullable Object key, @Nullable Object value) {}

    /**
     * Writes a scenario, replacing what was there.
     *
     * @throws IOException when it cannot be written
     */
    public static void write(Path file, Scenario scenario) throws IOException {
        List<Scenario.Step> script = scenario.script();
        Document document =
                new Document(
                        SCHEMA,
                        scenario.options(),
                        scenario.runNanos(),
                        scenario.rate(),
                        scenario.concurrency(),
                        scenario.workload(),
                        scenario.plan().faults().stream().map(PlannedFault.Line::of).toList(),
                        script == null ? null : script.stream().map(ScenarioFile::line).toList());
        Files.writeString(file, JSON.writeValueAsString(document) + "\n");
    }

    /**
     * Reads a scenario.
     *
     * @throws IOException with one sentence that names the file and what is wrong with it
     */
    public static Scenario read(Path file) throws IOException {
        try {
            Document document =
                    JSON.treeToValue(
                            completed(JSON.readTree(Files.readAllBytes(file))), Document.class);
            if (document == null || document.schema != SCHEMA) {
                throw new IOException(
                        file
                                + " is not a scenario of schema "
                                + SCHEMA
                                + "; one of another schema is replayed with the version that wrote"
                                + " it");
            }
            List<Step> script = document.script;
            return new Scenario(
                    document.options,
                    new FaultPlan(document.faults.stream().map(PlannedFault.Line::fault).toList()),
                    document.runNanos,
                    document.rate,
                    document.concurrency,
                    document.workload,
                    script == null ? null : script.stream().map(ScenarioFile::step).toList());
        } catch (JacksonException e) {
            throw new IOException(file + " is not a scenario: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new IOException(file + " is not a scenario: " + e.getMessage(), e);
        }
    }

    /** What files did not say before it was there is off. */
    public static JsonNode completed(JsonNode document) {
        if (document.path("options").path("upkeep") instanceof ObjectNode upkeep
                && !upkeep.has("bulkNanos")) {
            upkeep.put("bulkNanos", 0);
        }
        return document;
    }

    private static Step line(Scenario.Step step) {
        return new Step(
                step.nanos(), step.process(), step.f(), plain(step.key()), plain(step.value()));
    }

    private static Scenario.Step step(Step line) {
        return new Scenario.Step(
                line.nanos, line.process, line.f, value(line.key), value(line.value));
    }

    private static @Nullable Object plain(Value value) {
        return switch (value) {
            case Value.Nil() -> null;
            case Value.Int(long number) -> number;
            case Value.Text(String text) -> text;
            case Value.Bool(boolean truth) -> truth;
            case Value.Seq(List<Value> values) -> {
                List<@Nullable Object> all = new ArrayList<>();
                values.forEach(each -> all.add(plain(each)));
                yield all;
            }
        };
    }

    private static Value value(@Nullable Object plain) {
        return switch (plain) {
            case null -> Value.NIL;
            case Integer number -> Value.of(number);
            case Long number -> Value.of(number);
            case String text -> Value.of(text);
            case Boolean truth -> new Value.Bool(truth);
            case List<?> values -> {
                List<Value> all = new ArrayList<>();
                values.forEach(each -> all.add(value(each)));
                yield new Value.Seq(all);
            }
            default -> throw new IllegalArgumentException("neither a key nor a value: " + plain);
        };
    }
}
