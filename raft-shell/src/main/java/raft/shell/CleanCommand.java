package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import raft.harness.docker.Cleaner;
import raft.harness.docker.Engine;
import raft.harness.docker.EngineException;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;

/** {@code ./raft clean}: removes what this software made, and nothing else. */
@Command(
        name = "clean",
        mixinStandardHelpOptions = true,
        description = {
            "Removes the containers, networks and volumes that runs left behind, found by their"
                    + " labels,",
            "and nothing else. Ends runs that still go on. Recorded histories stay.",
            ""
        })
final class CleanCommand implements Callable<Integer> {
    @Option(
            names = "--all",
            description = "also the images and caches; the next run makes them anew")
    boolean all;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        boolean failed = false;
        int count = 0;
        try (Engine engine = Engine.connect()) {
            for (String line : Cleaner.removeAll(engine)) {
                failed |= said(line);
                count++;
            }
            for (String line : all ? Cleaner.removeImages(engine) : List.<String>of()) {
                failed |= said(line);
                count++;
            }
        } catch (EngineException e) {
            spec.commandLine().getErr().println("raft: " + e.getMessage());
            failed = true;
        }
        for (String line : Cleaner.removeCache(all)) {
            failed |= said(line);
            count++;
        }
        if (count == 0 && !failed) {
            spec.commandLine().getOut().println("nothing to remove");
        }
        return failed ? Main.EXIT_FAILURE : 0;
    }

    /** Prints a line; true when it tells of something that stays. */
    private boolean said(String line) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        return !line.startsWith("removed ");
    }
}
