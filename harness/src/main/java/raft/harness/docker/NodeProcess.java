package raft.harness.docker;

import com.github.dockerjava.api.command.InspectContainerResponse.ContainerState;

import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.system.Placement;

import java.io.IOException;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The life of one node's process: killed, started, frozen, thawed, and each of that proven. Several
 * faults may hold the same node down or frozen; it comes back with the last of them. Called only in
 * the node's lane.
 */
final class NodeProcess {
    /** What SIGKILL leaves as exit code: 128 + 9. */
    private static final int KILLED_EXIT_CODE = 137;

    private static final long KILL_MILLIS = 10_000;
    private static final int STOP_SECONDS = 10;

    /** A node that lives answers on the same machine in far less. */
    private static final long SILENCE_MILLIS = 250;

    private static final long POLL_MILLIS = 20;

    private final Engine engine;
    private final Pod pod;
    private final StatusProbe statuses;
    private final long startupMillis;
    private final TreeSet<Long> killedBy = new TreeSet<>();
    private final TreeSet<Long> pausedBy = new TreeSet<>();

    /** Pauses that ended because the frozen process was killed and a new one started. */
    private final TreeSet<Long> overtaken = new TreeSet<>();

    NodeProcess(Engine engine, Pod pod, StatusProbe statuses, long startupMillis) {
        this.engine = engine;
        this.pod = pod;
        this.statuses = statuses;
        this.startupMillis = startupMillis;
    }

    FaultOutcome kill(long fault) {
        return guarded(() -> killNow(fault));
    }

    FaultOutcome restart(long fault) {
        return guarded(() -> restartNow(fault));
    }

    /** SIGTERM, and ten seconds to end well; taken back by {@link #restart}. */
    FaultOutcome stop(long fault) {
        return guarded(() -> stopNow(fault));
    }

    /** Stops it gently, does something while it is down, starts it, and waits for its answer. */
    FaultOutcome bounce(long fault, WhileDown work) {
        return guarded(
                () -> {
                    FaultOutcome stopped = stopNow(fault);
                    if (stopped.status() != Status.INSTALLED) {
                        return stopped;
                    }
                    work.run();
                    return Findings.all(List.of(stopped, restartNow(fault)));
                });
    }

    /** What needs a process that is down. */
    interface WhileDown {
        void run() throws IOException;
    }

    /**
     * Starts it for a fault that had killed it, and says what came of it within a time: a node that
     * refuses to run is no failure of the harness here.
     */
    String tryStart(long fault, long timeoutMillis) throws IOException {
        killedBy.remove(fault);
        if (!killedBy.isEmpty()) {
            return "stays down, fault " + killedBy.first() + " holds it";
        }
        start();
        boolean ended = false;
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        while (System.nanoTime() - deadline < 0 && !ended) {
            if (statuses.askNow(pod.node(), 500).reachable()) {
                return "started and answers";
            }
            ended = !isRunning(state());
        }
        return ended
                ? "refuses to run: it ended with exit code " + state().getExitCodeLong()
                : "does not answer within " + timeoutMillis + " ms";
    }

    boolean isRunning() {
        return isRunning(state());
    }

    FaultOutcome proveRuns(String how) {
        return guarded(() -> proveAnswering(how));
    }

    /** Starts it where it has ended by itself, unless a fault holds it down. */
    FaultOutcome startIfEnded(String how) {
        return guarded(
                () -> {
                    if (!killedBy.isEmpty()) {
                        return found(
                                Status.INSTALLED,
                                how + ", but stays down: fault " + killedBy.first() + " holds it");
                    }
                    ContainerState state = state();
                    if (isRunning(state)) {
                        FaultOutcome outcome = proveAnswering(how);
                        state = state();
                        if (isRunning(state)) {
                            return outcome;
                        }
                        // It was about to end when it was looked at.
                    }
                    start();
                    return proveAnswering(
                            how
                                    + "; it had ended with exit code "
                                    + state.getExitCodeLong()
                                    + " and was started again");
                });
    }

    FaultOutcome pause(long fault) {
        return guarded(() -> pauseNow(fault));
    }

    FaultOutcome resume(long fault) {
        return guarded(() -> resumeNow(fault));
    }

    /** How it ended, where it does not run although no fault holds it down; "" where it does. */
    String endedByItself() {
        try {
            ContainerState state = state();
            if (isRunning(state) || isPaused(state) || !killedBy.isEmpty()) {
                return "";
            }
            return pod.node()
                    + " ended by itself with exit code "
                    + state.getExitCodeLong()
                    + (Boolean.TRUE.equals(state.getOOMKilled())
                            ? ", because it had used up its memory"
                            : "");
        } catch (RuntimeException e) {
            return "";
        }
    }

    /** Thaws and starts the node whatever held it; also one that ended by itself. */
    FaultOutcome recover() {
        return guarded(
                () -> {
                    killedBy.clear();
                    pausedBy.clear();
                    overtaken.clear();
                    ContainerState state = state();
                    if (isPaused(state)) {
                        engine.commands().unpauseContainerCmd(pod.nodeContainer()).exec();
                    } else if (!isRunning(state)) {
                        start();
                    }
                    return proveAnswering("runs");
                });
    }

    private interface Work {
        FaultOutcome run() throws IOException;
    }

    private FaultOutcome guarded(Work work) {
        try {
            return work.run();
        } catch (IOException | RuntimeException e) {
            return found(Status.INDETERMINATE, "the engine failed: " + Engine.rootMessage(e));
        }
    }

    private FaultOutcome killNow(long fault) throws IOException {
        ContainerState before = state();
        if (!isRunning(before)) {
            if (killedBy.isEmpty()) {
                return found(
                        Status.SKIPPED,
                        "was not running any more (exit code " + before.getExitCodeLong() + ")");
            }
            killedBy.add(fault);
            return proveDead("was already dead, held by fault " + killedBy.first(), false);
        }
        killedBy.add(fault);
        engine.commands().killContainerCmd(pod.nodeContainer()).withSignal("KILL").exec();
        waitFor(() -> !isRunning(state()), KILL_MILLIS);
        return proveDead("process " + before.getPidLong() + " got SIGKILL", true);
    }

    private FaultOutcome stopNow(long fault) throws IOException {
        ContainerState before = state();
        if (!isRunning(before)) {
            return killNow(fault);
        }
        if (isPaused(before)) {
            return found(Status.SKIPPED, "is frozen and cannot end gently");
        }
        killedBy.add(fault);
        engine.commands().stopContainerCmd(pod.nodeContainer()).withTimeout(STOP_SECONDS).exec();
        ContainerState after = state();
        Long exitCode = after.getExitCodeLong();
        boolean gentle = !isRunning(after) && exitCode != null && exitCode != KILLED_EXIT_CODE;
        boolean silent = portRefuses();
        return found(
                gentle && silent ? Status.INSTALLED : Status.INDETERMINATE,
                "process "
                        + before.getPidLong()
                        + " got SIGTERM; container is "
                        + after.getStatus()
                        + " with exit code "
                        + exitCode
                        + ", its client port "
                        + (silent ? "refuses" : "still accepts"));
    }

    private FaultOutcome proveDead(String how, boolean bySigkill) throws IOException {
        ContainerState state = state();
        Long exitCode = state.getExitCodeLong();
        boolean exited =
                !isRunning(state)
                        && exitCode != null
                        && (exitCode == KILLED_EXIT_CODE || !bySigkill);
        boolean silent = portRefuses();
        return found(
                exited && silent ? Status.INSTALLED : Status.INDETERMINATE,
                how
                        + "; container is "
                        + state.getStatus()
                        + " with exit code "
                        + exitCode
                        + ", its client port "
                        + (silent ? "refuses" : "still accepts"));
    }

    /** Looked at from inside the pod: outside, a port forwarder may accept for a dead node. */
    private boolean portRefuses() throws IOException {
        String connect = "(exec 3<>/dev/tcp/127.0.0.1/" + Placement.CLIENT_PORT + ") 2>/dev/null";
        return !pod.shell().run(connect, KILL_MILLIS).ok();
    }

    private FaultOutcome restartNow(long fault) throws IOException {
        if (!killedBy.remove(fault)) {
            return found(Status.SKIPPED, "was not killed by this fault");
        }
        if (!killedBy.isEmpty()) {
            return found(Status.INSTALLED, "stays down, fault " + killedBy.first() + " holds it");
        }
        ContainerState before = state();
        if (isRunning(before)) {
            return found(Status.INDETERMINATE, "was running before it was started again");
        }
        start();
        ContainerState after = state();
        if (!isRunning(after)
                || String.valueOf(after.getStartedAt()).equals(before.getStartedAt())) {
            return found(
                    Status.INDETERMINATE,
                    "did not start: container is "
                            + after.getStatus()
                            + " with exit code "
                            + after.getExitCodeLong());
        }
        return proveAnswering("started again as process " + after.getPidLong());
    }

    private void start() {
        engine.commands().startContainerCmd(pod.nodeContainer()).exec();
        // A frozen process that is killed and started again is a new process, and not frozen.
        overtaken.addAll(pausedBy);
        pausedBy.clear();
        pod.log().follow();
    }

    private FaultOutcome proveAnswering(String how) throws IOException {
        boolean answers =
                waitFor(
                        () -> statuses.askNow(pod.node(), 1000).reachable() || !isRunning(state()),
                        startupMillis);
        NodeStatus status = statuses.askNow(pod.node(), 1000);
        if (answers && status.reachable()) {
            return found(
                    Status.INSTALLED,
                    how + " and answers: " + status.role() + " of term " + status.term());
        }
        return found(
                Status.INDETERMINATE,
                how + " but does not answer (container is " + state().getStatus() + ")");
    }

    private FaultOutcome pauseNow(long fault) throws IOException {
        ContainerState state = state();
        if (!isRunning(state)) {
            return found(Status.SKIPPED, "cannot be frozen, it is " + state.getStatus());
        }
        pausedBy.add(fault); // Also a request whose answer was lost may have frozen it.
        if (!isPaused(state)) {
            engine.commands().pauseContainerCmd(pod.nodeContainer()).exec();
        }
        boolean paused = isPaused(state());
        boolean silent = !statuses.askNow(pod.node(), SILENCE_MILLIS).reachable();
        return found(
                paused && silent ? Status.INSTALLED : Status.INDETERMINATE,
                "container is "
                        + (paused ? "paused" : "not paused")
                        + freezer(state)
                        + ", /status "
                        + (silent
                                ? "did not answer within " + SILENCE_MILLIS + " ms"
                                : "still answers"));
    }

    private FaultOutcome resumeNow(long fault) throws IOException {
        ContainerState state = state();
        if (overtaken.remove(fault)) {
            return found(Status.INSTALLED, "is not frozen any more: it was killed and started");
        }
        if (!pausedBy.remove(fault)) {
            return found(Status.SKIPPED, "was not frozen by this fault");
        }
        if (!isRunning(state)) {
            return found(Status.INSTALLED, "is not frozen any more: it was killed meanwhile");
        }
        if (!pausedBy.isEmpty()) {
            return found(Status.INSTALLED, "stays frozen, fault " + pausedBy.first() + " holds it");
        }
        if (!isPaused(state)) {
            return found(Status.INDETERMINATE, "was thawed by somebody else before its time");
        }
        engine.commands().unpauseContainerCmd(pod.nodeContainer()).exec();
        if (isPaused(state())) {
            return found(Status.INDETERMINATE, "is still paused");
        }
        return proveAnswering("runs again" + freezer(state));
    }

    /** What the kernel says, where its control groups are readable from here; else nothing. */
    private static String freezer(ContainerState state) {
        String said = new ControlGroup().text(state.getPidLong(), ControlGroup.Fact.FREEZER);
        return said.isEmpty() ? "" : ", the kernel's freezer says " + said;
    }

    private ContainerState state() {
        return engine.commands().inspectContainerCmd(pod.nodeContainer()).exec().getState();
    }

    private static boolean isRunning(ContainerState state) {
        return Boolean.TRUE.equals(state.getRunning());
    }

    private static boolean isPaused(ContainerState state) {
        return Boolean.TRUE.equals(state.getPaused());
    }

    private static boolean waitFor(BooleanSupplier condition, long timeoutMillis)
            throws IOException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
        return true;
    }

    private FaultOutcome found(Status status, String what) {
        return Findings.of(status, pod.node() + " " + what);
    }
}
