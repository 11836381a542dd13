package raft.harness.sim;

import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a campaign leaves behind: {@code campaign.json} (what was run, and what came of it), {@code
 * coverage.json}, {@code failures.jsonl} (each as soon as it is found) and a minimised scenario for
 * each rule that broke.
 */
public final class CampaignFolder {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss").withZone(ZoneOffset.UTC);
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final Path path;

    private CampaignFolder(Path path) {
        this.path = path;
    }

    /**
     * Makes it.
     *
     * @param root the folder of all runs, usually histories/
     * @throws IOException when it cannot be made
     */
    public static CampaignFolder create(Path root, long fromSeed, Instant now) throws IOException {
        Path path = root.resolve("sim-seeds").resolve(TIME.format(now) + "-" + fromSeed);
        for (int again = 2; Files.exists(path); again++) {
            path = path.resolveSibling(TIME.format(now) + "-" + fromSeed + "." + again);
        }
        Files.createDirectories(path);
        return new CampaignFolder(path);
    }

    public Path path() {
        return path;
    }

    /** Where the minimised scenario of a seed goes. */
    public Path scenario(long seed) {
        return path.resolve("seed-" + seed + ".json");
    }

    /** Keeps a failure. */
    public void failed(long seed, SimRun.Result result, String repeat) throws IOException {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("seed", seed);
        line.put("finder", result.finder().label());
        line.put("rule", result.rule());
        line.put("what", result.what());
        line.put("digest", Long.toHexString(result.digest()));
        line.put("repeat", repeat);
        Files.writeString(
                path.resolve("failures.jsonl"),
                JsonMapper.shared().writeValueAsString(line) + "\n",
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /** Keeps the sum of it. */
    public void ended(Map<String, Object> parameters, Campaign.Totals totals) throws IOException {
        Map<String, Object> document = new LinkedHashMap<>(parameters);
        document.put("seeds", totals.seedCount());
        document.put("failures", totals.failureCount());
        document.put("unknown", totals.unknownSeeds().size());
        document.put("unknownSeeds", totals.unknownSeeds());
        document.put("simulatedSeconds", totals.simulatedSeconds());
        document.put("seconds", totals.seconds());
        document.put("heapBytes", totals.heapBytes());
        Files.writeString(path.resolve("campaign.json"), JSON.writeValueAsString(document) + "\n");
        Coverage coverage = totals.coverage();
        if (coverage != null) {
            keep(coverage, path);
        }
    }

    /** What a campaign or one run has reached, in its folder. */
    public static void keep(Coverage coverage, Path folder) throws IOException {
        Files.writeString(
                folder.resolve("coverage.json"),
                JSON.writeValueAsString(coverage.document()) + "\n");
    }
}
