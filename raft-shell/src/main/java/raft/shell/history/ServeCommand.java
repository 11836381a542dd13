package raft.shell.history;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import raft.harness.serve.RunServer;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/** {@code ./raft serve}: all runs in a browser on this machine. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        description = {
            "Shows all runs in a browser: newest first, searchable, with verdicts and trends.",
            "Listens on this machine's loopback address only; Ctrl-C ends it."
        })
public final class ServeCommand implements Callable<Integer> {
    @Mixin private Histories histories = new Histories();

    @Option(
            names = "--port",
            defaultValue = "8080",
            paramLabel = "N",
            description = "0 takes any free one (default: 8080)")
    private int port;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (port < 0 || port > 65535) {
            throw histories.usage("--port must be between 0 and 65535, got " + port);
        }
        RunServer server;
        try {
            server = RunServer.start(histories.root(), port);
        } catch (IOException e) {
            throw new IOException(
                    "port "
                            + port
                            + " cannot be had ("
                            + e.getMessage()
                            + "); choose another with"
                            + " --port, 0 takes any free one",
                    e);
        }
        try (server) {
            String address = "http://localhost:" + server.port() + "/";
            histories
                    .out()
                    .println(
                            histories.json()
                                    ? JsonMapper.shared()
                                            .writeValueAsString(Map.of("address", address))
                                    : "All runs at " + address + "  (Ctrl-C ends it)");
            histories.out().flush();
            // Ends with the process, or in the shell with the command's interruption.
            new CountDownLatch(1).await();
        }
        return 0;
    }
}
