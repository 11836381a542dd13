package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

import raft.harness.serve.RunServer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** {@code ./raft serve} over simulated runs and a night, in the hands of a person. */
@Tag("browser")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class RunsInBrowserTest {
    private Browser browser;
    private RunServer server;
    private RunServer nights;
    private String home;

    @BeforeAll
    void someRunsAndANight(@TempDir Path root, @TempDir Path withNight) throws IOException {
        browser = Browser.require();
        Commands commands = new Commands(root);
        String[] small = {"test", "--cluster", "sim", "--time", "10s", "--rate", "50"};
        for (List<String> more :
                List.of(
                        List.of("--faults", "none", "--seed", "1"),
                        List.of("--faults", "none", "--seed", "2", "--nodes", "3"),
                        List.of("--faults", "partition,kill", "--seed", "3"),
                        List.of("--workload", "lock", "--plant", "X2", "--seed", "6"))) {
            String[] words = new String[small.length + more.size()];
            System.arraycopy(small, 0, words, 0, small.length);
            System.arraycopy(more.toArray(String[]::new), 0, words, small.length, more.size());
            commands.run(words);
        }
        commands.run(
                "history", "import", "../histories/corpus/bad/stale-read.jsonl", "--name", "stale");
        Commands.Ended night =
                new Commands(withNight)
                        .run(
                                "nightly",
                                "--clusters",
                                "sim",
                                "--workloads",
                                "register,retries:sessions=off,reads=20",
                                "--faults",
                                "partition+kill",
                                "--nodes",
                                "3",
                                "--time",
                                "6s",
                                "--rounds",
                                "1",
                                "--seed",
                                "4");
        assertThat(night.status()).as(night.out() + night.err()).isIn(0, 1, 2);
        server = RunServer.start(root, 0);
        home = "http://localhost:" + server.port() + "/";
        nights = RunServer.start(withNight, 0);
    }

    @AfterAll
    void close() {
        if (server != null) {
            server.close();
        }
        if (nights != null) {
            nights.close();
        }
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void open() {
        browser.media("", false);
        browser.size(1280, 900);
        browser.open(home);
    }

    private List<?> names() {
        return (List<?>)
                browser.value(
                        "[...document.querySelectorAll('#list tbody a')].map(a => a.textContent)");
    }

    @Test
    void theListIsSearchedAndSorted() throws IOException {
        assertThat(names()).hasSize(5);
        browser.picture("runs");
        browser.find("#filter").sendKeys("lock X2");
        assertThat(names()).hasSize(1).first().asString().startsWith("lock/");
        assertThat(browser.text("#shown")).isEqualTo("1 of 5");
        browser.find("#filter").sendKeys(Keys.chord(Keys.CONTROL, "a"), "nothing like this");
        assertThat(browser.text("#list tbody")).isEqualTo("No run fits.");
        browser.find("#filter").sendKeys(Keys.chord(Keys.CONTROL, "a"), Keys.DELETE);
        browser.find("#verdict").sendKeys("Viol");
        assertThat(names()).hasSize(2);
        browser.find("#verdict").sendKeys("every");
        List<?> newestFirst = names();
        browser.find("#list th[data-sort=operations] button").click();
        assertThat(browser.value("[...document.querySelectorAll('#list th')].map(t => t.ariaSort)"))
                .asString()
                .contains("descending");
        assertThat(names()).isNotEqualTo(newestFirst).last().asString().startsWith("stale/");
        browser.find("#list th[data-sort=operations] button").click();
        assertThat(names()).first().asString().startsWith("stale/");
        browser.find("#list th[data-sort=run] button").click();
        assertThat(names()).isEqualTo(newestFirst);
    }

    @Test
    void aRunIsOpenedFromTheListAndFromTheMatrixAndOneComesBack() {
        browser.find("#list tbody a").click();
        browser.until("document.documentElement.dataset.ready === 'true' && window.raft");
        assertThat(browser.url()).contains("/stale/").endsWith("/");
        browser.find("nav a[href='/']").click();
        browser.until("document.documentElement.dataset.ready === 'true' && !window.raft");
        assertThat(browser.url()).isEqualTo(home);
        assertThat(browser.text("#matrix")).contains("register").contains("partition");
        browser.find("#matrix a.cell[href*='/register/']").click();
        browser.until("document.documentElement.dataset.ready === 'true' && window.raft");
        assertThat(browser.url()).contains("/register/");
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void aNightLeadsToItsTests() throws IOException {
        browser.open("http://localhost:" + nights.port() + "/");
        browser.find("nav a[href='/nightly/index.html']").click();
        browser.until("document.title === 'Nights' && document.documentElement.dataset.ready");
        browser.find("table a").click();
        browser.until(
                "document.title.startsWith('Night 2') && document.documentElement.dataset.ready");
        assertThat(browser.text(".cards")).contains("2\ntests").contains("found\ncanaries");
        assertThat(browser.text("#matrix")).contains("retries:sessions=off,reads=20");
        assertThat(browser.inaccessible()).isEmpty();
        browser.picture("night");
        browser.find("#all tbody a").click();
        browser.until("document.documentElement.dataset.ready === 'true' && window.raft");
        assertThat(browser.text("h1")).startsWith("register/");
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void trendsAreDrawn() {
        assertThat(browser.count("#plots .uplot")).isEqualTo(2);
        assertThat(browser.text("#trends")).contains("Successes a second");
        assertThat(
                        browser.number(
                                "(c => new Set(new Uint32Array(c.getContext('2d').getImageData(0,"
                                        + " 0, c.width, c.height).data.buffer)).size)"
                                        + "(document.querySelector('#plots canvas'))"))
                .isGreaterThan(5);
    }

    @Test
    void itIsReadableInTheDarkOnAPhoneAndByAScreenReader() throws IOException {
        assertThat(browser.inaccessible()).isEmpty();
        browser.media("", true);
        browser.size(390, 844);
        browser.open(home);
        assertThat(browser.number("document.documentElement.scrollWidth")).isEqualTo(390);
        assertThat(browser.inaccessible()).isEmpty();
        browser.picture("runs-phone");
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void theKeyboardReachesTheSearch() {
        browser.hands().sendKeys("/").perform();
        assertThat(browser.value("document.activeElement.id")).isEqualTo("filter");
    }

    @Test
    void noRequestLeavesThisMachine() {
        assertThat(browser.requests())
                .filteredOn(asked -> !asked.startsWith("data:"))
                .isNotEmpty()
                .allMatch(
                        asked ->
                                asked.startsWith(home)
                                        || asked.startsWith("http://localhost:" + nights.port()));
    }
}
