package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import raft.harness.sim.Mutants;
import raft.harness.sim.Score;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** {@code ./raft sim mutants}: mistakes made by rule in the node's sources, and what survives. */
@Command(
        name = "mutants",
        mixinStandardHelpOptions = true,
        description =
                "Makes one small mistake after the other in the node's sources (comparisons,"
                        + " conditions, numbers, dropped statements), and lists which survive all"
                        + " seeds: no mistakes, or gaps.")
final class SimMutantsCommand implements Callable<Integer> {
    @Option(
            names = "--files",
            split = ",",
            paramLabel = "LIST",
            defaultValue =
                    "Raft.java,RaftLog.java,Durability.java,Progress.java,Quorum.java,Role.java",
            description = "names of source files (default: ${DEFAULT-VALUE})")
    List<String> files = List.of();

    @Option(names = "--seeds", defaultValue = "40", description = "most seeds for each")
    int seeds;

    @Option(names = "--jobs", defaultValue = "2", description = "threads (default: 2)")
    int jobs;

    @Option(
            names = "--every",
            defaultValue = "1",
            description = "only each n-th mutant, for a sample")
    int every;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private int caughtCount;
    private int invalidCount;
    private final List<String> survivors = new ArrayList<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        List<Mutants.Mutant> mutants = mutants();
        long start = System.nanoTime();
        Score.mutants(mutants, seeds, jobs, this::note);
        survivors.stream().sorted().forEach(line -> SimCommand.print(out, line));
        SimCommand.print(
                out,
                String.format(
                        Locale.ROOT,
                        "%d mutants in %.0f s: %d caught, %d survived %d seeds, %d do not compile",
                        mutants.size(),
                        (System.nanoTime() - start) / 1e9,
                        caughtCount,
                        survivors.size(),
                        seeds,
                        invalidCount));
        return 0;
    }

    private List<Mutants.Mutant> mutants() throws IOException {
        Path root = Home.nodeSources();
        List<Mutants.Mutant> all = new ArrayList<>();
        for (String file : files) {
            try (Stream<Path> paths = Files.walk(root)) {
                Path found =
                        paths.filter(path -> path.endsWith(file))
                                .findFirst()
                                .orElseThrow(() -> new IOException("no source is called " + file));
                all.addAll(Mutants.of(root, root.relativize(found).toString()));
            }
        }
        List<Mutants.Mutant> chosen = new ArrayList<>();
        for (int i = 0; i < all.size(); i += every) {
            chosen.add(all.get(i));
        }
        return chosen;
    }

    private synchronized void note(Score.MutantLine line) {
        String words = line.mutant().words();
        PrintWriter err = spec.commandLine().getErr();
        if (!line.compiled()) {
            invalidCount++;
        } else if (line.rule().isEmpty()) {
            survivors.add("survived: " + words);
            SimCommand.print(err, "survived: " + words);
        } else {
            caughtCount++;
            SimCommand.print(err, words + " | " + line.rule() + " | seed " + line.seedCount());
        }
    }
}
