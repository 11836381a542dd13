package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

import raft.harness.history.HistoryIndex;
import raft.harness.history.Value;
import raft.harness.report.RunList;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;

/** The report of a simulated run that found a planted bug, in the hands of a person. */
@Tag("browser")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ReportInBrowserTest {
    private Browser browser;
    private Path run;
    private String url;

    @BeforeAll
    void aRunThatFoundALockHeldTwice(@TempDir Path root) throws IOException {
        browser = Browser.require();
        Commands.Ended ended =
                new Commands(root)
                        .run(
                                "test",
                                "--cluster",
                                "sim",
                                "--plant",
                                "X2",
                                "--workload",
                                "lock",
                                "--faults",
                                "partition,kill,pause,packets",
                                "--time",
                                "30s",
                                "--rate",
                                "100",
                                "--seed",
                                "6");
        assertThat(ended.status()).as(ended.err()).isEqualTo(1);
        run = new RunList(root).find("latest").toRealPath();
        url = run.resolve("report.html").toUri().toString();
    }

    @AfterAll
    void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void open() {
        browser.media("", false);
        browser.size(1280, 900);
        browser.open(url);
    }

    private double span() {
        return browser.number("raft.view.to - raft.view.from");
    }

    @Test
    void itShowsVerdictContradictionTimelineAndCharts() throws IOException {
        assertThat(browser.text(".verdict")).isEqualTo("Violation");
        assertThat(browser.text("#why")).contains("acquire").contains("What the cluster was doing");
        assertThat(browser.count("#figure svg rect")).isGreaterThanOrEqualTo(2);
        assertThat(browser.number("raft.count")).isGreaterThan(500);
        assertThat(browser.count("#plots .uplot")).isGreaterThanOrEqualTo(4);
        // Colours of outcomes, roles and faults are really on the canvas.
        assertThat(
                        browser.number(
                                "(c => new Set(new Uint32Array(c.getContext('2d').getImageData(0,"
                                        + " 0, c.width, c.height).data.buffer)).size)"
                                        + "(document.getElementById('canvas'))"))
                .isGreaterThan(20);
        browser.picture("report");
        assertThat(browser.complaints()).isEmpty();
    }

    /** What is written on the timeline from the begin to a time, each with the height it has. */
    private String writtenUntil(long micros) {
        return String.valueOf(
                browser.value(
                        "(() => { const said = [], p = CanvasRenderingContext2D.prototype, old ="
                                + " p.fillText; p.fillText = function (t, ...r) {"
                                + " said.push(t + '@' + Math.round(r[1]));"
                                + " return old.call(this, t, ...r); }; raft.setView(0, "
                                + micros
                                + "); raft.draw(); p.fillText = old; return said.join('|'); })()"));
    }

    @Test
    void beforeTheFirstTermNoTermIsShown() {
        assertThat(writtenUntil(3_000_000)).containsPattern("\\bT1@").doesNotContain("T0@");
        // Nodes are asked once a second: until then the first answer holds, from before any term.
        var label = Pattern.compile("(?:^|\\|)n1@(\\d+)").matcher(writtenUntil(500_000));
        assertThat(label.find()).isTrue();
        browser.value(
                "document.getElementById('canvas').scrollIntoView({block: 'start', behavior:"
                        + " 'instant'})");
        browser.value("window.scrollBy({top: -100, behavior: 'instant'})");
        double height =
                browser.number("document.getElementById('canvas').getBoundingClientRect().height");
        browser.hands()
                .moveToElement(
                        browser.find("#canvas"),
                        0,
                        (int) (Integer.parseInt(label.group(1)) - height / 2))
                .perform();
        assertThat(browser.text(".tip"))
                .startsWith("n1: ")
                .contains("before the first term")
                .doesNotContain("term 0");
    }

    @Test
    void theFailingOperationIsFoundAndClicked() throws IOException {
        browser.find("#failing").click();
        browser.until("raft.view.to - raft.view.from < 25e6");
        browser.clickOperation("raft.accused.at(-1)");
        assertThat(browser.text("#selected"))
                .contains("part of the contradiction")
                .contains("acquire")
                .contains("process");
        assertThat(browser.value("document.getElementById('live').textContent"))
                .asString()
                .as("what a screen reader says")
                .contains("acquire");
        browser.picture("report-failing");
        browser.hands().sendKeys(Keys.ESCAPE).perform();
        assertThat(browser.text("#selected")).isEmpty();
    }

    @Test
    void zoomingMovesTimelineAndChartsTogether() throws IOException {
        double whole = span();
        browser.find("#in").click();
        assertThat(span()).isLessThan(whole * 0.6);
        int[] middle = browser.middleOf("Math.floor(raft.count / 2)");
        browser.hands().moveToElement(browser.find("#canvas"), middle[0], middle[1]).perform();
        double x = browser.number("document.getElementById('canvas').getBoundingClientRect().x");
        double y = browser.number("document.getElementById('canvas').getBoundingClientRect().y");
        double before = span();
        browser.ctrlWheel(x + 600, y + 150, -60);
        browser.until("raft.view.to - raft.view.from < " + before * 0.9);
        before = span();
        browser.hands()
                .keyDown(Keys.SHIFT)
                .moveToElement(browser.find("#canvas"), -100, 60)
                .clickAndHold()
                .moveByOffset(120, 0)
                .release()
                .keyUp(Keys.SHIFT)
                .perform();
        assertThat(span()).isLessThan(before * 0.3);
        browser.value("document.getElementById('charts').scrollIntoView()");
        browser.until(
                "raft.plots.slice(0, 2).every(p => Math.abs(p.scales.x.min * 1e6 - raft.view.from)"
                        + " < 2 && Math.abs(p.scales.x.max * 1e6 - raft.view.to) < 2)");
        double from = browser.number("raft.view.from");
        browser.hands()
                .moveToElement(browser.find("#canvas"), 0, 60)
                .clickAndHold()
                .moveByOffset(-150, 0)
                .release()
                .perform();
        assertThat(browser.number("raft.view.from")).isGreaterThan(from);
        browser.find("#fit").click();
        assertThat(span()).isEqualTo(whole);
    }

    @Test
    void theKeyboardDoesWhatTheMouseDoes() {
        double whole = span();
        browser.find("#canvas").sendKeys("+");
        assertThat(span()).isLessThan(whole);
        double from = browser.number("raft.view.from");
        browser.find("#canvas").sendKeys(Keys.ARROW_RIGHT);
        assertThat(browser.number("raft.view.from")).isGreaterThan(from);
        browser.find("#canvas").sendKeys(Keys.HOME);
        assertThat(browser.number("raft.view.from")).isZero();
        browser.find("#canvas").sendKeys("0");
        assertThat(span()).isEqualTo(whole);
        browser.find("#canvas").sendKeys("/");
        assertThat(browser.value("document.activeElement.id")).isEqualTo("search");
        browser.find("#search").sendKeys("fail", Keys.ENTER);
        browser.until("/^\\d[\\d,]* of /.test(document.getElementById('matches').textContent)");
        browser.find("#search").sendKeys(Keys.ESCAPE);
        assertThat(browser.value("document.activeElement.id")).isEqualTo("canvas");
        // Every control is reached by Tab and has a name.
        assertThat(
                        browser.value(
                                "[...document.querySelectorAll('button, input, select, #canvas,"
                                        + " a')].filter(e => e.offsetParent && (e.tabIndex < 0 ||"
                                        + " !(e.getAttribute('aria-label') ||"
                                        + " e.textContent.trim()))).map(e => e.outerHTML)"))
                .isEqualTo(List.of());
    }

    @Test
    void searchFindsWhatTheHistoryHolds() throws IOException {
        int wanted = 0;
        long key;
        try (HistoryIndex history = HistoryIndex.open(run.resolve("history.jsonl"))) {
            key = ((Value.Int) history.event(history.size() / 2).key()).number();
            for (int i = 0; i < history.size(); i++) {
                boolean operation = history.isOperation(i);
                if (operation && history.event(i).key().equals(Value.of(key))) {
                    wanted++;
                }
            }
        }
        browser.find("#search").sendKeys("key:" + key);
        browser.until("document.getElementById('matches').textContent !== ''");
        assertThat(browser.text("#matches")).isEqualTo(wanted + " matches");
        browser.find("#next").click();
        assertThat(browser.text("#matches")).isEqualTo("1 of " + wanted);
        browser.find("#next").click();
        assertThat(browser.text("#matches")).isEqualTo("2 of " + wanted);
        assertThat(browser.text("#selected")).contains(" " + key);
        browser.picture("report-search");
    }

    @Test
    void darkIsAsReadableAsLight() throws IOException {
        assertThat(browser.inaccessible()).isEmpty();
        browser.media("", true);
        browser.open(url);
        assertThat(browser.value("document.documentElement.dataset.theme")).isEqualTo("dark");
        assertThat(browser.text("#theme")).isEqualTo("Light");
        assertThat(browser.inaccessible()).isEmpty();
        browser.picture("report-dark");
        browser.find("#theme").click();
        assertThat(browser.value("document.documentElement.dataset.theme")).isEqualTo("light");
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void nothingIsWiderThanAPhone() throws IOException {
        browser.size(390, 844);
        browser.open(url);
        assertThat(browser.number("document.documentElement.scrollWidth")).isEqualTo(390);
        assertThat(
                        browser.value(
                                "[...document.querySelectorAll('main *')].filter(e =>"
                                        + " e.getBoundingClientRect().right > 391 &&"
                                        + " !e.closest('.scroll, .figure, .list, .sr'))"
                                        + ".map(e => e.tagName + '#' + e.id + '.' +"
                                        + " e.className)"))
                .isEqualTo(List.of());
        browser.picture("report-phone");
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void itPrintsInBlackOnWhiteWithoutButtons() throws IOException {
        browser.media("", true);
        browser.open(url);
        byte[] pdf = browser.printed();
        assertThat(new String(pdf, 0, 5, StandardCharsets.ISO_8859_1)).isEqualTo("%PDF-");
        assertThat(pdf.length).isGreaterThan(20_000);
        if (System.getProperty("raft.pictures") != null) {
            Files.write(Path.of(System.getProperty("raft.pictures"), "report.pdf"), pdf);
        }
        browser.media("print", true);
        assertThat(browser.find("nav").isDisplayed()).isFalse();
        assertThat(browser.find("#fit").isDisplayed()).isFalse();
        assertThat(browser.find(".verdict").isDisplayed()).isTrue();
        assertThat(browser.value("getComputedStyle(document.body).backgroundColor"))
                .isEqualTo("rgb(255, 255, 255)");
    }

    @Test
    void noRequestLeavesThePage() throws IOException {
        assertThat(browser.requests())
                .filteredOn(asked -> !asked.startsWith("data:") && !asked.startsWith("blob:"))
                .isNotEmpty()
                .allMatch(asked -> asked.equals(url));
        AtomicInteger reached = new AtomicInteger();
        HttpServer other =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        other.createContext(
                "/",
                exchange -> {
                    reached.incrementAndGet();
                    exchange.sendResponseHeaders(204, -1);
                    exchange.close();
                });
        other.start();
        try {
            String elsewhere = "http://127.0.0.1:" + other.getAddress().getPort() + "/";
            assertThat(browser.promised("fetch('" + elsewhere + "', {mode: 'no-cors'})"))
                    .asString()
                    .startsWith("failed");
            browser.promised(
                    "new Promise(done => { const i = new Image(); i.onload = i.onerror = () =>"
                            + " done('over'); i.src = '"
                            + elsewhere
                            + "'; })");
            assertThat(browser.complaints())
                    .as("the page's own policy is what refuses")
                    .anyMatch(line -> line.contains("Content Security Policy"));
        } finally {
            other.stop(0);
        }
        assertThat(reached).hasValue(0);
    }
}
