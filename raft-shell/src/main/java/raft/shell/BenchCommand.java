package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import raft.harness.run.HarnessBench;
import raft.shell.bench.NodeBench;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * {@code ./raft bench}: figures that anyone can repeat. The last line of each is one JSON object.
 */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures one part of this software.",
        subcommands = {
            BenchCommand.Harness.class,
            CheckerBench.class,
            HistoryBench.class,
            NodeBench.class,
            ShellBench.class,
            SimBench.class
        })
final class BenchCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "say what to measure: checker, harness, history, node, shell or sim");
    }

    /** {@code ./raft bench harness}. */
    @Command(
            name = "harness",
            mixinStandardHelpOptions = true,
            description =
                    "Operations a second that the harness can drive against a node that answers at"
                            + " once.")
    static final class Harness implements Callable<Integer> {
        @Option(names = "--quick", description = "within a minute")
        boolean quick;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        public Integer call() throws IOException, InterruptedException {
            PrintWriter out = spec.commandLine().getOut();
            Map<String, Object> figures =
                    HarnessBench.measure(
                            List.of(1, 10, 50),
                            quick ? 3 : 7,
                            quick ? 2_000 : 5_000,
                            line -> {
                                out.println(line);
                                out.flush();
                            });
            out.println(JsonMapper.shared().writeValueAsString(figures));
            return 0;
        }
    }
}
