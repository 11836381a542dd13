package raft.shell.live;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryHeader;
import raft.harness.run.Parameters;
import raft.harness.run.RunFolder;
import raft.harness.sim.travel.Decision;
import raft.harness.sim.travel.Journey;
import raft.harness.sim.travel.JourneyFile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * What lasts from one command to the next: the cluster that is up, where things are saved, who is
 * told what happens. One for each process; commands run one at a time, events come from other
 * threads.
 */
public final class Session implements AutoCloseable {
    /** What was loaded or brought up, so that it can be named again. */
    public record Origin(String command, @Nullable String plant) {}

    /** A present that was kept: all decisions, and how far time had gone. */
    public record Kept(List<Decision> decisions, long event) {
        public Kept {
            decisions = List.copyOf(decisions);
        }
    }

    /** In a simulated session's folder: how to repeat it. */
    public static final String JOURNEY = "journey.json";

    private final Path histories;
    private final Map<String, Kept> branches = new TreeMap<>();
    private volatile Consumer<String> announce;
    private volatile @Nullable LiveCluster cluster;
    private volatile boolean interactive;
    private @Nullable Origin origin;
    private final AtomicReference<@Nullable Runnable> onInterrupt = new AtomicReference<>();
    private volatile int columns = 80;
    private volatile boolean colour;

    /**
     * @param histories the folder of all runs
     * @param announce told in one line what happens by itself
     */
    public Session(Path histories, Consumer<String> announce) {
        this.histories = histories;
        this.announce = announce;
    }

    public Path histories() {
        return histories;
    }

    /** Whether a person types; else time stands still between commands of a simulated cluster. */
    public boolean isInteractive() {
        return interactive;
    }

    public void setInteractive(boolean now) {
        interactive = now;
    }

    /** Width of what is printed on. */
    public int columns() {
        return columns;
    }

    public void setColumns(int count) {
        // A dumb terminal says 0.
        columns = count <= 0 ? 80 : Math.max(20, count);
    }

    public boolean isColour() {
        return colour;
    }

    public void setColour(boolean on) {
        colour = on;
    }

    public void setAnnounce(Consumer<String> told) {
        announce = told;
    }

    public void announce(String line) {
        announce.accept(line);
    }

    // ---- The cluster ----

    /** The cluster that is up. */
    public LiveCluster cluster() {
        LiveCluster up = cluster;
        if (up == null) {
            throw new UsageException(
                    "no cluster is up; 'cluster up' starts five nodes, 'cluster up sim' simulated"
                            + " ones");
        }
        return up;
    }

    /** Null where none is up. */
    public @Nullable LiveCluster clusterOrNull() {
        return cluster;
    }

    /** Presents that were kept of this cluster, by name. */
    public Map<String, Kept> branches() {
        return branches;
    }

    public @Nullable Origin origin() {
        return origin;
    }

    /** Checks a node's name. */
    public String node(String name) {
        List<String> nodes = cluster().nodes();
        if (!nodes.contains(name)) {
            throw new UsageException(
                    "no node is called '" + name + "'; there are " + String.join(", ", nodes));
        }
        return name;
    }

    /**
     * Starts recording and takes a cluster over, in place of the one before.
     *
     * @param kind "docker" or "sim"
     * @param began the command that began it
     * @throws IOException when there is no place to record it
     */
    public LiveCluster take(
            String kind,
            List<String> nodes,
            long seed,
            Origin began,
            double speed,
            boolean loaded,
            FolderMaker maker)
            throws IOException {
        down();
        RunFolder folder = RunFolder.create(histories, "shell", seed, Instant.now());
        String run = "s" + Long.toString(System.currentTimeMillis(), 36);
        folder.save(
                "test.json",
                new Parameters(
                        run,
                        kind,
                        "raft",
                        null,
                        began.plant(),
                        nodes.size(),
                        "shell",
                        List.of(),
                        null,
                        0,
                        0,
                        1,
                        0,
                        seed,
                        "./raft shell -f " + folder.path().resolve("session.raft"),
                        List.of("raft lab 0.1.0", "java " + Runtime.version())));
        LiveCluster taken =
                maker.make(
                        folder.path(),
                        new HistoryHeader(
                                HistoryHeader.SCHEMA, run, "shell", "store", nodes, seed));
        origin = began;
        cluster = taken;
        note(began.command());
        return taken;
    }

    /** Makes the cluster once the run's folder is there. */
    @FunctionalInterface
    public interface FolderMaker {
        LiveCluster make(Path folder, HistoryHeader header) throws IOException;
    }

    /** Keeps a line that was typed, beside the history. */
    public void note(String line) {
        LiveCluster up = cluster;
        if (up == null) {
            return;
        }
        try {
            Files.writeString(
                    up.folder().resolve("session.raft"),
                    line + "\n",
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            announce("what is typed is not recorded: " + e);
        }
    }

    /** Ends the cluster; with it go its faults. Null where none was up. */
    public @Nullable LiveCluster down() {
        LiveCluster up = cluster;
        String plant = origin == null ? null : origin.plant();
        cluster = null;
        origin = null;
        branches.clear();
        if (up != null) {
            keep(up, plant);
            up.close();
        }
        return up;
    }

    /** A simulated session can be repeated: {@code load} its folder, or {@code sim replay}. */
    private void keep(LiveCluster up, @Nullable String plant) {
        if (!up.isSimulated()) {
            return;
        }
        try {
            Journey journey = up.travel(travel -> Journey.of(plant, travel));
            JourneyFile.write(up.folder().resolve(JOURNEY), journey);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException | UsageException e) {
            announce("the session cannot be repeated from its record: " + e.getMessage());
        }
    }

    // ---- Interrupts ----

    /** What Ctrl-C does while a command runs, beside interrupting its thread; null for nothing. */
    public void onInterrupt(@Nullable Runnable action) {
        onInterrupt.set(action);
    }

    /** Asks the running command to end. Returns whether it takes care of that itself. */
    public boolean interrupt() {
        Runnable action = onInterrupt.get();
        if (action != null) {
            action.run();
            return true;
        }
        return false;
    }

    @Override
    public void close() {
        LiveCluster gone = down();
        assert gone == null || cluster == null;
    }
}
