package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The examples for CI, systemd and cron say only what this software understands. */
final class NightlyExamplesTest {
    private static final Path PROJECT = Path.of("..");
    private static final Pattern COMMAND = Pattern.compile("\\./raft ((?:[^|;\\\\`&>#]|2>&1)+)");

    /** As the command line reads it; a wrong option or value is an exception. */
    private static void understands(String words) {
        String plain = words.strip().replace("\"", "");
        Main.commandLine().parseArgs(plain.split("\\s+"));
    }

    private static List<String> commands(String text) {
        return COMMAND.matcher(text).results().map(found -> found.group(1)).toList();
    }

    @Test
    void theWorkflowIsYamlWhoseCommandsExist() throws IOException {
        JsonNode workflow =
                JsonMapper.shared()
                        .valueToTree(
                                new Load(LoadSettings.builder().build())
                                        .loadFromString(
                                                Files.readString(
                                                        PROJECT.resolve(
                                                                ".github/workflows/nightly.yml"))));
        assertThat(workflow.path("on").path("schedule").path(0).path("cron").asString())
                .matches("(\\S+ ){4}\\S+");
        JsonNode job = workflow.path("jobs").path("night");
        int shards = job.path("strategy").path("matrix").path("shard").size();
        assertThat(shards).isPositive();
        int found = 0;
        for (JsonNode step : job.path("steps")) {
            assertThat(step.has("uses") || step.has("run")).isTrue();
            String run = step.path("run").asString("");
            String filled =
                    run.replaceAll("\\$\\{\\{ matrix\\.shard }}", "1")
                            .replaceAll("\\$\\{\\{ inputs[^}]*}}", "4h");
            for (String command : commands(filled)) {
                understands(command);
                assertThat(command).contains("--shard 1/" + shards);
                found++;
            }
        }
        assertThat(found).isEqualTo(1);
    }

    @Test
    void theSystemdUnitsAreWholeAndTheirCommandExists() throws IOException {
        String service = Files.readString(PROJECT.resolve("docs/nightly/raft-nightly.service"));
        String timer = Files.readString(PROJECT.resolve("docs/nightly/raft-nightly.timer"));
        for (String unit : List.of(service, timer)) {
            assertThat(unit.lines())
                    .as("sections, settings, remarks")
                    .allMatch(
                            line ->
                                    line.isEmpty()
                                            || line.startsWith("#")
                                            || line.matches("\\[[A-Z][a-z]+]")
                                            || line.matches("[A-Z][A-Za-z]+=.+"));
        }
        Matcher start = Pattern.compile("(?m)^ExecStart=(\\S+)/raft (.*)$").matcher(service);
        assertThat(start.find()).isTrue();
        understands(start.group(2));
        assertThat(service).contains("WorkingDirectory=" + start.group(1));
        assertThat(timer)
                .containsPattern("(?m)^OnCalendar=\\S+ \\d\\d:\\d\\d")
                .contains("[Install]");
    }

    @Test
    void everyCommandInTheNightsDocumentExists() throws IOException {
        List<String> found = commands(Files.readString(PROJECT.resolve("docs/nightly/README.md")));
        assertThat(found).hasSizeGreaterThanOrEqualTo(2);
        found.forEach(command -> understands(command.replaceFirst(">>.*", "")));
    }

    @Test
    void everyNightlyOptionInTheHelpsExamplesExists() {
        String help = Main.commandLine().getSubcommands().get("nightly").getUsageMessage();
        List<String> found =
                Stream.of(help.split("\n"))
                        .filter(line -> line.startsWith("  ./raft nightly"))
                        .map(line -> line.strip().split("\\s{3,}")[0].replace("./raft ", ""))
                        .toList();
        assertThat(found).hasSizeGreaterThanOrEqualTo(3);
        found.forEach(NightlyExamplesTest::understands);
    }
}
