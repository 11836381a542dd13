package raft.harness.run;

import org.jspecify.annotations.Nullable;

import raft.harness.nemesis.FaultPlan;
import raft.harness.nemesis.PlannedFault;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** plan.json: a fault plan as people read, edit and share it. */
public final class PlanFile {
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES).build();

    private PlanFile() {}

    /** 1 had neither triggers nor parameters, and is still read. */
    private static final int SCHEMA = 2;

    /** The file's content. */
    record Document(int schema, List<Line> faults) {}

    /**
     * @param trigger "time" where absent; see {@link raft.harness.nemesis.Trigger#parse}
     * @param parameters of the kind; absent ones have their usual values
     * @param resolved what the fault came to when its time came, absent before; ignored when read
     */
    @com.fasterxml.jackson.annotation.JsonInclude(
            com.fasterxml.jackson.annotation.JsonInclude.Include.NON_NULL)
    record Line(
            long id,
            String kind,
            @Nullable String trigger,
            long startMillis,
            long endMillis,
            List<String> order,
            @Nullable Map<String, Long> parameters,
            @Nullable String resolved) {}

    /** What to save before a run, or, with what {@code record} knows, after it. */
    static Document document(FaultPlan plan, @Nullable RunRecord record) {
        List<Line> lines = new ArrayList<>();
        for (PlannedFault fault : plan.faults()) {
            String resolved =
                    record == null
                            ? null
                            : record.faults().stream()
                                    .filter(seen -> seen.planned.id() == fault.id())
                                    .map(seen -> seen.resolved.action().toString())
                                    .findFirst()
                                    .orElse(null);
            PlannedFault.Line line = PlannedFault.Line.of(fault);
            lines.add(
                    new Line(
                            line.id(),
                            line.kind(),
                            line.trigger(),
                            line.startMillis(),
                            line.endMillis(),
                            line.order(),
                            line.parameters(),
                            resolved));
        }
        return new Document(SCHEMA, lines);
    }

    /**
     * Reads a plan for a cluster of {@code nodes}. Its orders may name the spare node too that such
     * a cluster has where members are added ({@link FaultPlan#spareBeside}).
     *
     * @throws IOException with one sentence that names the file and what is wrong in it
     */
    public static FaultPlan read(Path file, List<String> nodes) throws IOException {
        Document document;
        try {
            document = JSON.readValue(Files.readAllBytes(file), Document.class);
        } catch (JacksonException e) {
            throw new IOException(file + " is not a fault plan: " + e.getOriginalMessage(), e);
        }
        if (document == null
                || document.schema < 1
                || document.schema > SCHEMA
                || document.faults == null) {
            throw new IOException(
                    file
                            + " is not a fault plan of schema 1 or "
                            + SCHEMA
                            + "; make one by a run and look at its plan.json");
        }
        List<PlannedFault> faults = new ArrayList<>();
        for (Line line : document.faults) {
            try {
                List<String> members = new ArrayList<>(line.order);
                members.remove(FaultPlan.spareBeside(nodes));
                if (!nodes.containsAll(members) || members.size() != nodes.size()) {
                    throw new IllegalArgumentException(
                            "its order is "
                                    + line.order
                                    + ", but the cluster's nodes are "
                                    + nodes);
                }
                faults.add(
                        new PlannedFault.Line(
                                        line.id,
                                        line.kind,
                                        line.trigger,
                                        line.startMillis,
                                        line.endMillis,
                                        line.order,
                                        line.parameters)
                                .fault());
            } catch (IllegalArgumentException | NullPointerException e) {
                throw new IOException(file + ", fault " + line.id + ": " + e.getMessage(), e);
            }
        }
        try {
            return new FaultPlan(faults);
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }
}
