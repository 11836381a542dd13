package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.workload.Workload;
import raft.harness.workload.Workloads;
import raft.shell.live.LiveCluster;
import raft.shell.live.Tally;
import raft.shell.live.UsageException;
import raft.shell.view.TextLines;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code workload}: clients that go on in the background while a person breaks things. */
@Command(
        name = "workload",
        description = "Clients that work in the background while you break things.",
        footer = {
            "",
            "Everything they do is recorded; 'check' judges what has been recorded so far.",
            "",
            "Examples:",
            "  workload start register --rate 100",
            "  workload start queue",
            "  workload start list-append:keys=2",
            "  workload",
            "  workload stop"
        },
        subcommands = {WorkloadCommand.Start.class, WorkloadCommand.Stop.class})
final class WorkloadCommand extends Verb {
    @Override
    public Integer call() throws InterruptedException {
        Tally tally = cluster().tally();
        if (tally == null) {
            say("no workload has run; 'workload start register --rate 100' starts one");
            return 0;
        }
        show(this, tally, cluster().isWorkloadRunning() ? "runs" : "has ended");
        return 0;
    }

    private static void show(Verb verb, Tally tally, String how) {
        if (verb.isJson()) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("workload", tally.workload());
            object.put("state", how);
            object.put("started", tally.started());
            object.put("ok", tally.ok());
            object.put("unequal", tally.unequal());
            object.put("failed", tally.failed());
            object.put("unknown", tally.unknown());
            verb.json(object);
            return;
        }
        verb.say(
                tally.workload()
                        + " "
                        + how
                        + ": "
                        + tally.started()
                        + " operations, "
                        + tally.words());
    }

    @Command(
            name = "start",
            description = "Starts clients in the background.",
            footer = {"", "Example:  workload start register --rate 100 --concurrency 10"})
    static final class Start extends Verb {
        @Parameters(
                index = "0",
                arity = "0..1",
                defaultValue = "register",
                paramLabel = "WORKLOAD",
                description = "what they do (default: register)")
        String name = "register";

        @Option(
                names = "--rate",
                paramLabel = "HZ",
                defaultValue = "100",
                description = "operations a second (default: 100)")
        double rate;

        @Option(
                names = "--concurrency",
                paramLabel = "N",
                defaultValue = "10",
                description = "clients (default: 10)")
        int concurrency;

        @Option(
                names = "--operation-timeout",
                paramLabel = "DURATION",
                defaultValue = "500ms",
                converter = DurationOption.class,
                description = "how long a client waits (default: 500ms)")
        Duration timeout = Duration.ofMillis(500);

        @Override
        public Integer call() throws InterruptedException {
            Workloads.Spec spec;
            try {
                spec = Workloads.parse(name);
            } catch (IllegalArgumentException e) {
                throw new UsageException(String.valueOf(e.getMessage()));
            }
            if (!(rate > 0 && rate <= 10_000) || concurrency < 1 || concurrency > 100) {
                throw new UsageException(
                        "--rate must be above 0 and at most 10000, --concurrency 1 to 100");
            }
            LiveCluster up = cluster();
            if (up.isLoaded()) {
                throw new UsageException("a loaded run has clients of its own");
            }
            Workload workload = spec.make(up.seed(), concurrency, rate);
            up.startWorkload(workload, concurrency, timeout);
            Tally tally = up.tally();
            if (isJson() && tally != null) {
                show(this, tally, "runs");
                return 0;
            }
            say(
                    TextLines.wrap(
                            "",
                            workload.name()
                                    + " works in the background: "
                                    + concurrency
                                    + " clients, "
                                    + rate
                                    + " operations a second, "
                                    + Workloads.words(spec.name()),
                            width()));
            return 0;
        }
    }

    @Command(
            name = "stop",
            description = "Ends the clients in the background.",
            footer = {"", "Example:  workload stop"})
    static final class Stop extends Verb {
        @Override
        public Integer call() throws InterruptedException {
            LiveCluster up = cluster();
            Tally tally = up.stopWorkload();
            if (tally == null) {
                say("no workload runs");
                return 0;
            }
            // What is under way ends by itself within its timeout.
            up.pass(Duration.ofMillis(600));
            Tally last = up.tally();
            show(this, last == null ? tally : last, "has ended");
            return 0;
        }
    }

    static List<String> names() {
        return Workloads.names();
    }
}
