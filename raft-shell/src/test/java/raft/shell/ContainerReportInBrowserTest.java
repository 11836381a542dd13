package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

import java.nio.file.Path;
import java.util.List;

/**
 * The report of a run on containers in the hands of a person: what {@link ReportInBrowserTest}
 * looks at in every detail, once more with what only real nodes bring, their logs and clocks.
 */
@Tag("containers")
@Tag("browser")
final class ContainerReportInBrowserTest {
    @TempDir private Path folder;

    @Test
    void aPersonZoomsSearchesAndClicksTheFailingOperation() throws Exception {
        TestCommandContainersTest.anEngineAnswers();
        try (Browser browser = Browser.require()) {
            // A lock that whoever asks is given is held twice within the first second, however
            // slow the machine.
            CommandRun test =
                    CommandRun.test(
                            folder,
                            List.of(),
                            "--cluster",
                            "docker",
                            "--nodes",
                            "3",
                            "--plant",
                            "X2",
                            "--workload",
                            "lock",
                            "--faults",
                            "partition,pause",
                            "--time",
                            "10s",
                            "--seed",
                            "6");
            assertThat(test.awaitEnd()).as(test.err()).isEqualTo(1);
            String url = test.runFolder().toRealPath().resolve("report.html").toUri().toString();
            browser.size(1280, 900);
            browser.open(url);
            assertThat(browser.text(".verdict")).isEqualTo("Violation");
            assertThat(browser.text(".facts")).contains("cluster containers").contains("X2");
            assertThat(browser.text("#why")).contains("acquire");

            // Zoom.
            double whole = browser.number("raft.view.to - raft.view.from");
            browser.find("#in").click();
            assertThat(browser.number("raft.view.to - raft.view.from")).isLessThan(whole * 0.6);
            browser.find("#fit").click();

            // Search.
            browser.find("#search").sendKeys("f:acquire", Keys.ENTER);
            browser.until("/^1 of /.test(document.getElementById('matches').textContent)");
            assertThat(browser.text("#selected")).contains("acquire");

            // The failing operation, and what the nodes logged around it.
            browser.find("#failing").click();
            browser.until("raft.view.to - raft.view.from < " + whole);
            browser.clickOperation("raft.accused.at(-1)");
            assertThat(browser.text("#selected"))
                    .contains("part of the contradiction")
                    .contains("acquire");
            browser.find("#fit").click();
            browser.until("document.getElementById('loglist').children.length > 0");
            assertThat(browser.find("#logs").isDisplayed()).isTrue();
            assertThat(browser.text("#loglist")).containsPattern("\\bn[123]\\b");
            browser.picture("report-containers");

            // Nothing but the file itself was asked for, and nothing was complained of.
            assertThat(browser.requests())
                    .filteredOn(asked -> !asked.startsWith("data:") && !asked.startsWith("blob:"))
                    .isNotEmpty()
                    .allMatch(asked -> asked.equals(url));
            assertThat(browser.complaints()).isEmpty();
        }
    }
}
