package raft.shell;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * The Chromium that the distribution installs, without a window, driven through the driver that
 * comes with it. Nothing is downloaded, and whatever a page asks for or complains of is kept.
 */
final class Browser implements AutoCloseable {
    private static final Logger DRIVER_LOG = Logger.getLogger("org.openqa.selenium");
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final ChromeDriver driver;

    private Browser(ChromeDriver driver) {
        this.driver = driver;
    }

    /**
     * A browser; skips the test with a clear line where none is installed, and fails it where the
     * environment says that browsers are required.
     */
    static Browser require() {
        Path chromium = program("chromium", "chromium-browser", "google-chrome");
        Path driver = program("chromedriver");
        if (chromium == null || driver == null) {
            String words = "no Chromium with its driver: apt-get install chromium chromium-driver";
            if ("required".equals(System.getenv("RAFT_BROWSER"))) {
                return Assertions.fail("RAFT_BROWSER=required, but there is " + words);
            }
            System.err.println("skipped, there is " + words);
            return Assumptions.abort("there is " + words);
        }
        ChromeOptions options = new ChromeOptions();
        options.setBinary(chromium.toFile());
        options.addArguments(
                "--headless=new",
                // As root, in a container, there is nothing to make the sandbox from.
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--force-device-scale-factor=1",
                "--window-size=1280,900");
        // It warns of Chromiums younger than itself, whose own protocol is not used here.
        DRIVER_LOG.setLevel(Level.SEVERE);
        LoggingPreferences kept = new LoggingPreferences();
        kept.enable(LogType.PERFORMANCE, Level.ALL);
        kept.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", kept);
        ChromeDriverService service =
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(driver.toFile())
                        .usingAnyFreePort()
                        .build();
        ChromeDriver started = new ChromeDriver(service, options);
        started.manage().timeouts().scriptTimeout(PATIENCE);
        return new Browser(started);
    }

    private static Path program(String... names) {
        List<String> folders =
                List.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator));
        return Stream.of(names)
                .flatMap(name -> folders.stream().map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    @Override
    public void close() {
        driver.quit();
    }

    /** Opens a page of ours and waits until it says that all of it is drawn. */
    void open(String url) {
        driver.get(url);
        until("document.documentElement.dataset.ready === 'true'");
    }

    String url() {
        return driver.getCurrentUrl();
    }

    /** The value of an expression in the page. */
    Object value(String expression) {
        return driver.executeScript("return " + expression);
    }

    double number(String expression) {
        return ((Number) Objects.requireNonNull(value(expression))).doubleValue();
    }

    /** Of a report: where the middle of an operation's bar is, from the middle of the timeline. */
    int[] middleOf(String operation) {
        value(
                "document.getElementById('canvas').scrollIntoView({block: 'center', behavior:"
                        + " 'instant'})");
        return new int[] {
            (int) number("(p => Math.round(p.x - p.width / 2))(raft.place(" + operation + "))"),
            (int) number("(p => Math.round(p.y - p.height / 2))(raft.place(" + operation + "))")
        };
    }

    /** Of a report: clicks an operation's bar. */
    void clickOperation(String operation) {
        int[] place = middleOf(operation);
        hands().moveToElement(find("#canvas"), place[0], place[1]).click().perform();
    }

    String text(String selector) {
        return find(selector).getText();
    }

    WebElement find(String selector) {
        return driver.findElement(By.cssSelector(selector));
    }

    int count(String selector) {
        return driver.findElements(By.cssSelector(selector)).size();
    }

    Actions hands() {
        return new Actions(driver);
    }

    /** Looks at each frame that is drawn whether an expression has become true. */
    void until(String expression) {
        driver.executeAsyncScript(
                "const done = arguments[arguments.length - 1]; (function look() { if ("
                        + expression
                        + ") done(true); else requestAnimationFrame(look); })();");
    }

    /** What a promise in the page comes to. */
    Object promised(String expression) {
        return driver.executeAsyncScript(
                "const done = arguments[arguments.length - 1]; ("
                        + expression
                        + ").then(done, e => done('failed: ' + e));");
    }

    /** Turns and clicks with Ctrl held, which the driver's own wheel cannot. */
    void ctrlWheel(double x, double y, int deltaY) {
        command(
                "Input.dispatchMouseEvent",
                Map.of(
                        "type",
                        "mouseWheel",
                        "x",
                        x,
                        "y",
                        y,
                        "deltaX",
                        0,
                        "deltaY",
                        deltaY,
                        "modifiers",
                        2));
    }

    void size(int width, int height) {
        command(
                "Emulation.setDeviceMetricsOverride",
                Map.of(
                        "width",
                        width,
                        "height",
                        height,
                        "deviceScaleFactor",
                        1,
                        "mobile",
                        width < 600));
    }

    /** "print", or "" for the screen; with what the person prefers. */
    void media(String type, boolean dark) {
        // Without motion, else what is clicked still moves while it is scrolled to.
        List<Map<String, String>> wishes =
                List.of(
                        Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"),
                        Map.of("name", "prefers-reduced-motion", "value", "reduce"));
        command("Emulation.setEmulatedMedia", Map.of("media", type, "features", wishes));
    }

    /** The page as it would be printed, a PDF. */
    byte[] printed() {
        return Base64.getDecoder()
                .decode((String) command("Page.printToPDF", Map.of()).get("data"));
    }

    private Map<String, Object> command(String name, Map<String, Object> parameters) {
        return driver.executeCdpCommand(name, parameters);
    }

    /** The addresses that were asked for since the last call, by the page and all its parts. */
    List<String> requests() {
        List<String> urls = new ArrayList<>();
        for (LogEntry entry : driver.manage().logs().get(LogType.PERFORMANCE)) {
            JsonNode message = JsonMapper.shared().readTree(entry.getMessage()).path("message");
            if (message.path("method").asString("").equals("Network.requestWillBeSent")) {
                urls.add(message.path("params").path("request").path("url").asString(""));
            }
        }
        return urls;
    }

    /** What the console has said since the last call: errors, warnings, refusals. */
    List<String> complaints() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::getMessage)
                .toList();
    }

    /** What axe-core finds wrong: rule, why, and where; empty for nothing. */
    List<String> inaccessible() throws IOException {
        try (InputStream script = Browser.class.getResourceAsStream("/axe.min.js")) {
            driver.executeScript(
                    new String(
                            Objects.requireNonNull(script).readAllBytes(), StandardCharsets.UTF_8));
        }
        Object found =
                promised(
                        "axe.run().then(r => r.violations.map(v => v.id + ' (' + v.help + '): ' +"
                                + " v.nodes.map(n => n.target.join(' ') + ' ' + n.any.map(a =>"
                                + " a.message).join(' ')).slice(0, 4).join(' | ')))");
        List<String> words = new ArrayList<>();
        if (found instanceof List<?> list) {
            list.forEach(each -> words.add(String.valueOf(each)));
        } else {
            words.add(String.valueOf(found));
        }
        return words;
    }

    /**
     * Keeps a picture of what is on the screen, for the documentation: only where {@code
     * -Draft.pictures=FOLDER} says so.
     */
    void picture(String name) throws IOException {
        String folder = System.getProperty("raft.pictures");
        if (folder != null) {
            Files.createDirectories(Path.of(folder));
            Files.write(Path.of(folder, name + ".png"), driver.getScreenshotAs(OutputType.BYTES));
        }
    }
}
