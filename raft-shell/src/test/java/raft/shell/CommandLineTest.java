package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import picocli.CommandLine;

import raft.harness.workload.Workloads;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;

/** What a person who mistypes sees: one clear sentence on standard error and status 254. */
final class CommandLineTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... words) {
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "test --moon | --moon",
                "test --nodes 0 | --nodes must be between 1 and 9",
                "test --nodes ten | ten",
                "test --faults partition,moon | no fault is called 'moon'",
                "test --time 5x | '5x' is not a duration",
                "test --time 0s | --time must be more than 0",
                "test --rate -1 | --rate must be positive",
                "test --rate NaN | --rate must be positive",
                "test --concurrency 0 | --concurrency must be between 1 and 1000",
                "test --workload bank | no workload is called 'bank'",
                "test --workload set:keys | a workload's option is NAME=VALUE, not 'keys'",
                "test --workload set:hot=101 | option hot is a number from 0 to 100, not '101'",
                "test --workload set:cold=1 | a workload has no option 'cold'",
                "test --cluster mars | --cluster must be auto, docker or sim",
                "test --plant Q9 | no planted bug is called 'Q9'",
                "test --plant L1 --image x | cannot go with --image",
                "test --tls --image x | --tls is about our own node in containers",
                "test --tls --cluster sim | cannot go with --system, --image or --cluster sim",
                "test --plan /nowhere/plan.json | /nowhere/plan.json does not exist",
                "test --output xml | expected one of [TEXT, JSON] (case-insensitive) but was 'xml'",
                "check --time-budget 5x f | '5x' is not a duration",
                "check --time-budget 0s f | --time-budget must be more than 0",
                "check --memory-budget 3 f | is no size",
                "check --output xml f | expected one of [TEXT, JSON]",
                "check /nowhere.jsonl | there is no such file",
                "tset | tset",
                "'' | a command is missing"
            })
    void mistakesAreNamedInOneSentence(String words, String expected) {
        assertThat(execute(words.isBlank() ? new String[0] : words.strip().split(" ")))
                .isEqualTo(254);
        assertThat(err.toString()).contains(expected.strip()).doesNotContain("\tat ");
        assertThat(err.toString().lines().count()).isLessThanOrEqualTo(4);
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void helpGoesToStandardOutput() {
        assertThat(execute("test", "--help")).isZero();
        assertThat(out.toString()).contains("--faults").contains("Examples:");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void helpNamesEveryWorkloadAndFitsATerminal() {
        execute("test", "--help");
        for (String name : Workloads.names()) {
            assertThat(out.toString())
                    .contains(String.format("  %-20s%s\n", name, Workloads.words(name)));
        }
        assertThat(out.toString().lines()).allMatch(line -> line.length() <= 80);
    }

    @ParameterizedTest
    @CsvSource({
        "500ms, 500",
        "60, 60000",
        "0.5s, 500",
        "1.5m, 90000",
        "2min, 120000",
        "8h, 28800000"
    })
    void durationsHaveUnitsAndFractions(String text, long millis) {
        assertThat(new DurationOption().convert(text)).isEqualTo(Duration.ofMillis(millis));
    }
}
