package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.report.RunList;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * How fast the page of 100,000 operations is in a real browser. {@code -Draft.report=FILE} measures
 * a page that is there instead of one of a new run.
 */
@Tag("browser")
@Tag("nightly")
final class ReportSpeedInBrowserTest {
    /** Zooms in by a hundredth a frame up to a thousandth of the run, then out again. */
    private static final String ZOOMING =
            """
            new Promise(done => {
              const times = [], whole = raft.view.to - raft.view.from, m = raft.view.from + whole * .41;
              let n = 0, last = 0;
              (function frame(now) {
                if (last) times.push(now - last);
                last = now;
                if (n++ === 300) done(times);
                else { raft.zoom(n < 150 ? .955 : 1 / .955, m); requestAnimationFrame(frame); }
              })(0);
            })\
            """;

    private static final String MOVING =
            """
            new Promise(done => {
              const times = [], whole = raft.view.to - raft.view.from;
              raft.setView(raft.view.from, raft.view.from + whole / 10);
              let n = 0, last = 0;
              (function frame(now) {
                if (last) times.push(now - last);
                last = now;
                const at = raft.view.from + whole / 250;
                if (n++ === 200) done(times);
                else { raft.setView(at, at + whole / 10); requestAnimationFrame(frame); }
              })(0);
            })\
            """;

    @Test
    void aHundredThousandOperationsAreShownAtOnceAndZoomedSmoothly(@TempDir Path root)
            throws IOException {
        try (Browser browser = Browser.require()) {
            String given = System.getProperty("raft.report");
            Path page = given == null ? newRun(root) : Path.of(given);
            browser.size(1280, 900);
            browser.open(page.toAbsolutePath().toUri().toString());
            double operations = browser.number("raft.count");
            double picture = browser.number("raftFirstPictureSinceNavigation");
            double ready = browser.number("raftReady");
            double[] zooming = sorted(browser.promised(ZOOMING));
            browser.find("#fit").click();
            double[] moving = sorted(browser.promised(MOVING));
            browser.value("document.getElementById('charts').scrollIntoView()");
            browser.value("raft.setView(0, 1e15)");
            double[] charts = sorted(browser.promised(ZOOMING));
            System.out.printf(
                    Locale.ROOT,
                    "report of %.0f operations, %.1f MB: first picture after %.0f ms, all charts"
                            + " after %.0f ms; frames while zooming: median %.1f ms, p95 %.1f ms,"
                            + " longest %.1f ms; while moving: median %.1f ms, p95 %.1f ms, longest"
                            + " %.1f ms; while zooming with the charts in sight: median %.1f ms,"
                            + " p95 %.1f ms, longest %.1f ms%n",
                    operations,
                    Files.size(page) / 1e6,
                    picture,
                    ready,
                    zooming[zooming.length / 2],
                    zooming[zooming.length * 95 / 100],
                    zooming[zooming.length - 1],
                    moving[moving.length / 2],
                    moving[moving.length * 95 / 100],
                    moving[moving.length - 1],
                    charts[charts.length / 2],
                    charts[charts.length * 95 / 100],
                    charts[charts.length - 1]);
            assertThat(operations).isGreaterThan(100_000);
            assertThat(picture).isLessThan(2_000);
            for (double[] frames : List.of(zooming, moving, charts)) {
                assertThat(frames[frames.length / 2]).isLessThan(20);
                assertThat(frames[frames.length * 95 / 100]).isLessThan(50);
            }
        }
    }

    private static double[] sorted(Object numbers) {
        double[] values =
                ((List<?>) numbers)
                        .stream().mapToDouble(each -> ((Number) each).doubleValue()).toArray();
        Arrays.sort(values);
        return values;
    }

    private static Path newRun(Path root) throws IOException {
        Commands.Ended ended =
                new Commands(root)
                        .run(
                                "test",
                                "--cluster",
                                "sim",
                                "--time",
                                "60s",
                                "--rate",
                                "2000",
                                "--concurrency",
                                "20",
                                "--faults",
                                "partition,kill,pause,packets",
                                "--seed",
                                "5");
        assertThat(ended.status()).as(ended.err()).isIn(0, 2);
        return new RunList(root).find("latest").resolve("report.html");
    }
}
