package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import raft.harness.docker.Cleaner;
import raft.harness.docker.Engine;
import raft.harness.docker.EngineException;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** {@code ./raft clean}: what is left of runs that did not end by themselves. */
@Command(
        name = "clean",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Removes the containers, networks and volumes that runs which are dead left behind, and"
                    + " nothing else: neither runs that go on, nor anything of others, nor recorded"
                    + " histories.",
            ""
        })
final class CleanCommand implements Callable<Integer> {
    @Option(names = "--all", description = "also what runs that still go on have made")
    boolean all;

    @Option(
            names = "--images",
            description = "also the images and caches; the next run makes them anew")
    boolean images;

    @Option(
            names = "--output",
            defaultValue = "text",
            paramLabel = "text|json",
            description = "(default: text)")
    OutputForm output = OutputForm.TEXT;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        List<String> said = new ArrayList<>();
        try (Engine engine = Engine.connect()) {
            said.addAll(all ? Cleaner.removeAll(engine) : Cleaner.cleanStale(engine));
            if (images) {
                said.addAll(Cleaner.removeImages(engine));
            }
        } catch (EngineException e) {
            spec.commandLine().getErr().println("raft: " + e.getMessage());
            return Main.EXIT_FAILURE;
        }
        said.addAll(Cleaner.removeCache(images));
        print(said);
        boolean left = said.stream().anyMatch(line -> !line.startsWith("removed "));
        return left ? Main.EXIT_FAILURE : 0;
    }

    private void print(List<String> said) {
        PrintWriter out = spec.commandLine().getOut();
        switch (output) {
            case JSON -> out.println(JsonMapper.shared().writeValueAsString(Map.of("done", said)));
            case TEXT -> {
                said.forEach(out::println);
                if (said.isEmpty()) {
                    out.println("nothing of dead runs is left");
                }
            }
        }
        out.flush();
    }
}
