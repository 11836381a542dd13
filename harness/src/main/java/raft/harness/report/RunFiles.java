package raft.harness.report;

import org.jspecify.annotations.Nullable;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A run's folder as it is found, also half written, damaged or of another version: every file that
 * can be read is used, what cannot is said in {@link #problems()}.
 */
public final class RunFiles {
    private static final List<String> STAMPED =
            List.of("test.json", "results.json", "history.jsonl");

    private static final Pattern DATED = Pattern.compile("\\d{8}T\\d{6}-.*");

    /** Stands in a run's folder from which history and logs were removed on purpose. */
    public static final String THINNED = "thinned.txt";

    private final Path folder;
    private final List<String> problems = new ArrayList<>();
    private final JsonNode test;
    private final JsonNode results;

    /**
     * @param folder of a run, with any of test.json, history.jsonl, results.json
     */
    public RunFiles(Path folder) {
        this.folder = folder;
        this.test = document("test.json", "the run's parameters are unknown");
        this.results =
                document("results.json", "the run has not ended, or the harness was killed in it");
        if (!Files.exists(history())) {
            problems.add("there is no history.jsonl: " + whyNoHistory(folder));
        }
    }

    /** Why a run's folder holds no history, as the end of a sentence. */
    public static String whyNoHistory(Path folder) {
        return Files.exists(folder.resolve(THINNED))
                ? "this run was valid and its history was removed to save space; the command in"
                        + " test.json repeats it"
                : "nothing was recorded in this run";
    }

    private JsonNode document(String name, String meaning) {
        Path file = folder.resolve(name);
        try {
            JsonNode read =
                    JsonMapper.shared().readTree(Files.readString(file, StandardCharsets.UTF_8));
            if (read.isObject()) {
                return read;
            }
            problems.add(name + " is not an object: " + meaning);
        } catch (NoSuchFileException e) {
            problems.add("there is no " + name + ": " + meaning);
        } catch (IOException | JacksonException e) {
            problems.add(name + " cannot be read (" + firstLine(e) + "): " + meaning);
        }
        return JsonNodeFactory.instance.objectNode();
    }

    private static String firstLine(Exception e) {
        String message = e instanceof JacksonException j ? j.getOriginalMessage() : e.getMessage();
        return String.valueOf(message).lines().findFirst().orElse(e.getClass().getSimpleName());
    }

    public Path folder() {
        return folder;
    }

    public Path history() {
        return folder.resolve("history.jsonl");
    }

    /** test.json, an empty object where it cannot be read. */
    public JsonNode test() {
        return test;
    }

    /** results.json, an empty object where it cannot be read. */
    public JsonNode results() {
        return results;
    }

    /** Whether the run came to its end. */
    public boolean isFinished() {
        return results.has("verdict");
    }

    /** What is missing or damaged, one sentence each. */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /** The explanation of a violation, null where there is none. */
    public @Nullable String explanation() {
        return results.path("explanation").isString()
                ? results.path("explanation").asString()
                : null;
    }

    /** By size and time of the files that a summary is made of. */
    static String stamp(Path folder) {
        // By java.io.File, which answers without exceptions for what is not there: this is asked of
        // every run whenever runs are listed.
        StringBuilder stamp = new StringBuilder();
        for (String name : STAMPED) {
            File file = new File(folder.toFile(), name);
            long changed = file.lastModified();
            if (changed == 0) {
                stamp.append("- ");
            } else {
                stamp.append(file.length()).append('@').append(changed).append(' ');
            }
        }
        return stamp.toString().strip();
    }

    /** The run in a line. */
    RunSummary summary(String name, String stamp) {
        boolean nothing = test.isEmpty() && results.isEmpty() && !Files.exists(history());
        long succeeded = 0;
        for (JsonNode byOutcome : results.path("counts")) {
            succeeded += byOutcome.path("ok").asLong(0);
        }
        JsonNode reasons = results.path("reasons");
        String why = explanation();
        if (why == null) {
            why = reasons.isArray() && !reasons.isEmpty() ? reasons.get(0).asString("") : "";
        }
        if (why.isEmpty() && results.path("gates").isArray()) {
            for (JsonNode gate : results.path("gates")) {
                if (why.isEmpty() && !gate.path("passed").asBoolean(true)) {
                    why = gate.path("words").asString("");
                }
            }
        }
        List<String> faults = new ArrayList<>();
        test.path("faults").forEach(fault -> faults.add(fault.asString("")));
        return new RunSummary(
                name,
                stamp,
                isFinished()
                        ? results.path("verdict").asString("")
                        : nothing ? RunSummary.UNREADABLE : RunSummary.UNFINISHED,
                started(folder),
                test.path("cluster").asString(""),
                test.path("nodes").asInt(0),
                test.path("workload").asString(""),
                faults,
                test.path("plantedBug").isString() ? test.path("plantedBug").asString() : null,
                test.path("image").isString() ? test.path("image").asString() : null,
                test.path("seed").asLong(0),
                results.path("operations").asLong(-1),
                results.path("seconds").asDouble(test.path("timeMillis").asLong(0) / 1e3),
                size(history()),
                results.path("availability").path("longestUnavailableMillis").asLong(-1),
                results.has("counts") ? succeeded : -1,
                why,
                results.path("repeat").asString(test.path("repeat").asString("")));
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return -1;
        }
    }

    /** Whether a folder is called as runs are: after its begin and its seed. */
    static boolean isDated(String name) {
        return DATED.matcher(name).matches();
    }

    /** A run's folder is named after its begin. */
    static String started(Path folder) {
        String name = folder.getFileName().toString();
        if (isDated(name)) {
            return name.substring(0, 4)
                    + "-"
                    + name.substring(4, 6)
                    + "-"
                    + name.substring(6, 8)
                    + " "
                    + name.substring(9, 11)
                    + ":"
                    + name.substring(11, 13)
                    + ":"
                    + name.substring(13, 15);
        }
        try {
            return Files.getLastModifiedTime(folder)
                    .toInstant()
                    .toString()
                    .replace('T', ' ')
                    .replaceFirst("[.Z].*", "");
        } catch (IOException e) {
            return "";
        }
    }
}
