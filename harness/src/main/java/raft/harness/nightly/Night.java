package raft.harness.nightly;

import org.jspecify.annotations.Nullable;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One night: the canaries first, then the matrix, round after round, each time with seeds of its
 * own, until the budget is spent. A test that crashes, hangs or cannot start is an error of its own
 * and the next one begins; what is done is on disk, so a night that was killed goes on where it
 * was.
 */
public final class Night {
    /** Beyond what a test should take: bringing up and down, checking, saving. */
    private static final long GRACE_MILLIS = 10 * 60_000;

    /** A night that was cut short longer ago than its budget and this is another night's. */
    private static final Duration RESUMABLE = Duration.ofDays(1);

    /** A wrong node may hide for a seed or two; a harness that misses it three times is blind. */
    private static final int CANARY_TRIES = 3;

    /** What shows a stale leader soonest; long enough for clients to notice. */
    private static final String CANARY_FAULTS = "partition-leader-minority+partition-leader-alone";

    private static final long CANARY_MILLIS_MIN = 30_000;

    private static final Pattern SCORE = Pattern.compile("score: (\\d+) of (\\d+) bugs caught");

    /** Starts a command of this software in a process of its own. */
    @FunctionalInterface
    public interface Launcher {
        /**
         * Waits for it, or ends it by force.
         *
         * @param arguments such as "test", "--seed", "5"
         * @param log takes what it says on standard error
         * @return what it printed, and its exit status
         * @throws IOException when it cannot be started
         */
        Finished launch(List<String> arguments, Path log, Duration limit)
                throws IOException, InterruptedException;
    }

    /**
     * @param exitStatus -1 where it had to be ended
     */
    public record Finished(String output, int exitStatus) {}

    private final NightOptions options;
    private final NightFolder folder;
    private final Launcher launcher;
    private final Consumer<NightRun> finished;
    private final IntConsumer standing;
    private final Consumer<String> progress;
    private final BooleanSupplier stopRequested;
    private final List<String> problems = new ArrayList<>();
    private final List<NightRun> runs;
    private final Set<String> done = new HashSet<>();

    private Night(
            NightOptions options,
            NightFolder folder,
            Launcher launcher,
            Consumer<NightRun> finished,
            IntConsumer standing,
            Consumer<String> progress,
            BooleanSupplier stopRequested)
            throws IOException {
        this.options = options;
        this.folder = folder;
        this.launcher = launcher;
        this.finished = finished;
        this.standing = standing;
        this.progress = progress;
        this.stopRequested = stopRequested;
        this.runs = folder.done();
        runs.forEach(run -> done.add(key(run.cell(), run.round())));
    }

    /**
     * Runs or goes on with a night.
     *
     * @param root the folder of all runs
     * @param fresh begins anew even where a night of the same options was cut short; one that began
     *     longer ago than its budget and a day is never gone on with
     * @param finished is told each test as it ends
     * @param standing is told, at the begin and after each test, the exit status that a night ends
     *     with where it is stopped now: 1, 255 or 2
     * @param stopRequested true ends the night after the test that is running; it can be resumed
     * @return the summary, null where it was stopped
     * @throws IOException when its own folder cannot be written
     */
    public static @Nullable NightSummary run(
            Path root,
            NightOptions options,
            boolean fresh,
            Launcher launcher,
            Consumer<NightRun> finished,
            IntConsumer standing,
            Consumer<String> progress,
            BooleanSupplier stopRequested)
            throws IOException, InterruptedException {
        Instant now = Instant.now();
        NightFolder folder = fresh ? null : NightFolder.unfinished(root, options);
        if (folder != null) {
            Duration limit = Duration.ofMillis(options.budgetMillis()).plus(RESUMABLE);
            if (folder.begun().plus(limit).isBefore(now)) {
                progress.accept(
                        "the night "
                                + folder.path()
                                + " was cut short and began longer ago than its budget and a day;"
                                + " beginning a new one");
                folder = null;
            }
        }
        if (folder == null) {
            folder = NightFolder.create(root, options, now);
            progress.accept("night " + folder.path());
        } else {
            progress.accept("going on with the night " + folder.path());
        }
        Night night =
                new Night(options, folder, launcher, finished, standing, progress, stopRequested);
        night.tellStanding();
        night.tests();
        int[] score = night.score();
        if (stopRequested.getAsBoolean()) {
            progress.accept("stopped; the same command goes on with it");
            return null;
        }
        return night.finish(root, score);
    }

    private static String key(String cell, int round) {
        return cell + "#" + round;
    }

    // ---- Tests ----

    private void tests() throws IOException, InterruptedException {
        canaries();
        long usedMillis = usedMillis();
        for (int round = 0; round < options.roundsMax(); round++) {
            for (Cell cell : options.cells()) {
                if (stopRequested.getAsBoolean()) {
                    return;
                }
                if (done.contains(key(cell.id(), round))) {
                    continue;
                }
                usedMillis = usedMillis();
                if (usedMillis >= options.budgetMillis()) {
                    return;
                }
                keep(
                        test(
                                new PlannedTest(
                                        cell,
                                        cell.id(),
                                        round,
                                        cell.seed(nightSeed(), round),
                                        null,
                                        options.timeMillis())));
            }
        }
    }

    /** The folder's name is the time it began, which is as good as any other draw. */
    private long nightSeed() {
        return options.seed() != 0
                ? options.seed()
                : folder.path().getFileName().toString().replaceFirst("-shard.*", "").hashCode();
    }

    private long usedMillis() {
        return (long) (1000 * runs.stream().mapToDouble(NightRun::wallSeconds).sum());
    }

    private void canaries() throws IOException, InterruptedException {
        for (NightOptions.Canary canary : options.canaries()) {
            String name = name(canary);
            for (int round = 0; round < CANARY_TRIES && !stopRequested.getAsBoolean(); round++) {
                if (found(canary) || done.contains(key(name, round))) {
                    continue;
                }
                Cell cell = new Cell("register", CANARY_FAULTS, canary.cluster(), 5);
                keep(
                        test(
                                new PlannedTest(
                                        cell,
                                        name,
                                        round,
                                        cell.seed(nightSeed(), round),
                                        canary.bug(),
                                        Math.max(CANARY_MILLIS_MIN, options.timeMillis()))));
            }
        }
    }

    private static String name(NightOptions.Canary canary) {
        return "canary, " + canary.cluster();
    }

    private boolean found(NightOptions.Canary canary) {
        return runs.stream().anyMatch(run -> run.cell().equals(name(canary)) && run.isViolation());
    }

    /** Those that were looked for, at least once, and not found. */
    private List<NightOptions.Canary> missed() {
        return options.canaries().stream()
                .filter(canary -> done.contains(key(name(canary), 0)) && !found(canary))
                .toList();
    }

    private void keep(NightRun run) throws IOException {
        if (stopRequested.getAsBoolean() && !run.isViolation() && !run.isValid()) {
            // It was cut short, which is not its fault, and runs again when the night goes on.
            return;
        }
        folder.append(run);
        runs.add(run);
        done.add(key(run.cell(), run.round()));
        tellStanding();
        finished.accept(run);
        Retention.afterTest(run, runs);
    }

    private void tellStanding() {
        boolean blind =
                missed().stream()
                        .anyMatch(canary -> done.contains(key(name(canary), CANARY_TRIES - 1)));
        standing.accept(NightSummary.exitStatusWhenStopped(runs, blind));
    }

    private NightRun test(PlannedTest planned) throws InterruptedException {
        List<String> arguments = planned.arguments(options.rate());
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of("--histories", folder.runs().toString(), "--output", "json"));
        String repeat = "./raft " + String.join(" ", arguments);
        Path log = folder.path().resolve("logs").resolve(planned.logName());
        long begun = System.nanoTime();
        JsonNode results = null;
        String problem;
        try {
            Duration limit = Duration.ofMillis(3 * planned.timeMillis() + GRACE_MILLIS);
            Finished ended = launcher.launch(all, log, limit);
            results = lastObject(ended.output());
            problem =
                    ended.exitStatus() < 0
                            ? "the test did not end in time and was ended by force"
                            : "the test printed no results and ended with status "
                                    + ended.exitStatus();
        } catch (IOException e) {
            problem = "the test could not be started: " + e.getMessage();
        }
        double wallSeconds = (System.nanoTime() - begun) / 1e9;
        return results == null
                ? planned.failed(
                        List.of(problem + "; its log is " + log, lastLine(log)),
                        wallSeconds,
                        repeat)
                : planned.judged(results, wallSeconds, repeat);
    }

    private static @Nullable JsonNode lastObject(String output) {
        JsonNode found = null;
        for (String line : output.lines().toList()) {
            try {
                JsonNode node = NightFolder.JSON.readTree(line);
                found = node.isObject() && node.has("verdict") ? node : found;
            } catch (JacksonException e) {
                // Something else was printed; results are one object a line.
            }
        }
        return found;
    }

    private static String lastLine(Path log) {
        try {
            // Where to find help is no reason.
            List<String> lines =
                    Files.readAllLines(log, java.nio.charset.StandardCharsets.ISO_8859_1).stream()
                            .filter(line -> !line.endsWith(" --help' lists what there is"))
                            .toList();
            return lines.isEmpty() ? "it said nothing" : lines.getLast();
        } catch (IOException e) {
            return "it left no log";
        }
    }

    // ---- The end ----

    private NightSummary finish(Path root, int[] score) throws IOException {
        if (runs.stream().allMatch(NightRun::isCanary)) {
            problems.add("the budget was too small for a single test");
        }
        for (NightOptions.Canary canary : missed()) {
            problems.add(
                    "the planted bug "
                            + canary.bug()
                            + " was not found ("
                            + canary.cluster()
                            + "): do not trust what this night calls valid there");
        }
        NightSummary summary =
                NightSummary.of(folder.path().getFileName().toString(), runs, score, problems);
        folder.write("junit.xml", JUnitXml.of(summary, runs));
        folder.save("summary.json", summary);
        NightPage.write(root, folder, summary, runs);
        return summary;
    }

    private int[] score() throws InterruptedException {
        if (options.scoreMillis() <= 0 || stopRequested.getAsBoolean()) {
            return new int[] {0, 0};
        }
        progress.accept("detection score in the simulation");
        // Most bugs are caught within a second; those that are not may not take all the time.
        long secondsEach = Math.max(2, options.scoreMillis() / 1000 / 20);
        try {
            Finished ended =
                    launcher.launch(
                            List.of(
                                    "sim",
                                    "score",
                                    "--seconds",
                                    Long.toString(secondsEach),
                                    "--minimise",
                                    "0",
                                    "--budget",
                                    options.scoreMillis() + "ms"),
                            folder.path().resolve("logs/score.log"),
                            Duration.ofMillis(4 * options.scoreMillis() + GRACE_MILLIS));
            Matcher matcher = SCORE.matcher(ended.output());
            if (matcher.find()) {
                folder.write("score.txt", ended.output());
                return new int[] {
                    Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)),
                };
            }
            problems.add("the detection score could not be told: status " + ended.exitStatus());
        } catch (IOException e) {
            problems.add("the detection score could not be told: " + e.getMessage());
        }
        return new int[] {0, 0};
    }
}
