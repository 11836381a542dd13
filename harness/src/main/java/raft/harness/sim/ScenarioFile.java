package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;
import raft.harness.nemesis.FaultPlan;
import raft.harness.nemesis.PlannedFault;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A scenario as people read, edit and share it. */
public final class ScenarioFile {
    private static final int SCHEMA = 1;
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
            List<PlannedFault.Line> faults,
            @Nullable List<Step> script) {}

    /**
     * @param expected of a cas, null for "no value" and elsewhere
     * @param value written, null for reads
     */
    record Step(
            long nanos,
            long process,
            String f,
            long key,
            @Nullable Long expected,
            @Nullable Long value) {}

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
            Document document = JSON.readValue(Files.readAllBytes(file), Document.class);
            if (document == null || document.schema != SCHEMA) {
                throw new IOException(file + " is not a scenario of schema " + SCHEMA);
            }
            List<Step> script = document.script;
            return new Scenario(
                    document.options,
                    new FaultPlan(document.faults.stream().map(PlannedFault.Line::fault).toList()),
                    document.runNanos,
                    document.rate,
                    document.concurrency,
                    script == null ? null : script.stream().map(ScenarioFile::step).toList());
        } catch (JacksonException e) {
            throw new IOException(file + " is not a scenario: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new IOException(file + " is not a scenario: " + e.getMessage(), e);
        }
    }

    private static Step line(Scenario.Step step) {
        long key = number(step.key(), "key");
        return switch (step.value()) {
            case Value.Seq(List<Value> values) ->
                    new Step(
                            step.nanos(),
                            step.process(),
                            step.f(),
                            key,
                            values.getFirst() instanceof Value.Int(long expected) ? expected : null,
                            number(values.getLast(), "value"));
            case Value.Int(long value) ->
                    new Step(step.nanos(), step.process(), step.f(), key, null, value);
            default -> new Step(step.nanos(), step.process(), step.f(), key, null, null);
        };
    }

    private static long number(Value value, String what) {
        if (value instanceof Value.Int(long number)) {
            return number;
        }
        throw new IllegalArgumentException("a scenario's " + what + " must be a number: " + value);
    }

    private static Scenario.Step step(Step line) {
        Long expected = line.expected;
        Long written = line.value;
        Value next = written == null ? Value.NIL : Value.of(written);
        Value value =
                line.f.equals("cas")
                        ? Value.of(expected == null ? Value.NIL : Value.of(expected), next)
                        : next;
        return new Scenario.Step(line.nanos, line.process, line.f, Value.of(line.key), value);
    }
}
