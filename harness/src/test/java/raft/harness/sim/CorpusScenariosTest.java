package raft.harness.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import raft.harness.run.PlantedBug;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The committed scenarios: with its planted bug each still breaks the rule that its explanation
 * names, and the right node breaks none.
 */
final class CorpusScenariosTest {
    private static final Path FOLDER = Path.of("../histories/corpus/bad");
    private static final Path SOURCES = Path.of("../raft-node/src/main/java");
    private static final String SCENARIO = ".scenario.json";

    @TestFactory
    Stream<DynamicTest> theRuleStillBreaksAndTheRightNodeBreaksNone() throws IOException {
        List<Path> found;
        try (Stream<Path> files = Files.list(FOLDER)) {
            found = files.filter(file -> file.toString().endsWith(SCENARIO)).sorted().toList();
        }
        assertThat(found).hasSizeGreaterThanOrEqualTo(8);
        return found.stream()
                .map(file -> DynamicTest.dynamicTest(name(file), () -> fitsItsExplanation(file)));
    }

    private static String name(Path file) {
        return file.getFileName().toString().replace(SCENARIO, "");
    }

    private static void fitsItsExplanation(Path file) throws IOException {
        String words = Files.readString(file.resolveSibling(name(file) + ".md"));
        String bug = field(words, "planted bug: (\\S+),");
        String rule = field(words, "rule: (.+)");
        Scenario scenario = ScenarioFile.read(file);
        NodeCode wrong = NodeCode.planted(PlantedBug.named(bug), SOURCES);
        SimRun.Result broken = SimRun.run(scenario, wrong, null);
        assertThat(broken.rule())
                .as(
                        "what %s did; where the code has moved on, ./raft sim seeds --plant %s"
                                + " finds another",
                        bug, bug)
                .isEqualTo(rule);
        assertThat(words).contains(rule.replaceFirst("^\\w+ ", ""));
        assertThat(SimRun.run(scenario, NodeCode.right(), null).what()).isEmpty();
    }

    private static String field(String words, String pattern) {
        Matcher matcher = Pattern.compile("(?m)^\\* " + pattern + "$?").matcher(words);
        assertThat(matcher.find()).as(pattern).isTrue();
        return matcher.group(1);
    }
}
