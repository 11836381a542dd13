package raft.shell.history;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.report.ReportPage;
import raft.shell.DurationOption;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;

/** {@code history open}: a run's page, made anew, and shown where there is a browser. */
@Command(
        name = "open",
        mixinStandardHelpOptions = true,
        description = "Makes a run's page anew and opens it in a browser, where there is one.")
final class OpenCommand implements Callable<Integer> {
    @Parameters(paramLabel = "RUN", defaultValue = "latest", description = "(default: latest)")
    private String run = "latest";

    @Mixin private Histories histories = new Histories();

    @Option(
            names = "--from",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "only from this time on (for histories of very many operations)")
    private Duration from = Duration.ZERO;

    @Option(
            names = "--to",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "only up to this time")
    private @Nullable Duration to;

    @Option(
            names = "--file",
            paramLabel = "FILE",
            description = "where to (default: report.html in the run's folder)")
    private @Nullable Path file;

    @Option(names = "--no-browser", description = "only make the page")
    private boolean noBrowser;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path folder = histories.find(run);
        if (!Files.isDirectory(folder)) {
            throw histories.usage(
                    folder
                            + " is a file, not a run; './raft history import "
                            + folder
                            + "' makes a run of it");
        }
        if (to != null && from.compareTo(to) >= 0) {
            throw histories.usage("--from must be before --to");
        }
        Path target = file == null ? folder.resolve(ReportPage.FILE) : file;
        try {
            ReportPage.write(
                    folder, target, from.toNanos(), to == null ? Long.MAX_VALUE : to.toNanos());
        } catch (IOException e) {
            throw new IOException(
                    "cannot write "
                            + target
                            + " ("
                            + e.getMessage()
                            + "); make room, or choose another place with --file",
                    e);
        }
        Path shown = target.toAbsolutePath().normalize();
        if (histories.json()) {
            histories
                    .out()
                    .println(
                            JsonMapper.shared()
                                    .writeValueAsString(Map.of("page", shown.toString())));
        } else {
            histories.out().println(shown);
            if (!noBrowser && !browse(shown)) {
                histories.err().println("open it in a browser, or run './raft serve'");
            }
        }
        return 0;
    }

    /** Asks the desktop, where there is one; false where there is none. */
    private static boolean browse(Path page) throws InterruptedException {
        boolean desktop =
                System.getenv("DISPLAY") != null || System.getenv("WAYLAND_DISPLAY") != null;
        String opener = System.getProperty("os.name").startsWith("Mac") ? "open" : "xdg-open";
        if (!desktop && opener.equals("xdg-open")) {
            return false;
        }
        try {
            return new ProcessBuilder(opener, page.toString())
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
