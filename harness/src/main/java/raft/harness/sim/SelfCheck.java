package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.run.PlantedBug;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether a scenario really gives the same events again: twice in this JVM, and once in another one
 * whose hash codes and compilation differ in every way that can be asked for.
 */
public final class SelfCheck {
    private SelfCheck() {}

    /** One event as it entered the digest. */
    public record Seen(long digest, String what) {}

    /** Every event of a run, in order. */
    public static List<Seen> events(Scenario scenario, NodeCode code) {
        List<Seen> seen = new ArrayList<>();
        SimRun.run(
                scenario, code, (number, nanos, digest, what) -> seen.add(new Seen(digest, what)));
        return seen;
    }

    /** The first difference in one sentence; "" where there is none. */
    public static String difference(List<Seen> first, List<Seen> second) {
        int common = Math.min(first.size(), second.size());
        for (int i = 0; i < common; i++) {
            if (first.get(i).digest != second.get(i).digest) {
                return "event "
                        + (i + 1)
                        + " differs: "
                        + first.get(i).what
                        + " against "
                        + second.get(i).what;
            }
        }
        return first.size() == second.size()
                ? ""
                : "one run has " + first.size() + " events, the other " + second.size();
    }

    /**
     * Checks a scenario.
     *
     * @return "" where all three runs are the same, else where they first differ
     */
    public static String check(Scenario scenario, NodeCode code)
            throws IOException, InterruptedException {
        List<Seen> first = events(scenario, code);
        String difference = difference(first, events(scenario, code));
        if (!difference.isEmpty()) {
            return "in one JVM: " + difference;
        }
        difference = difference(first, inOtherJvm(scenario, code.plant()));
        return difference.isEmpty() ? "" : "in another JVM: " + difference;
    }

    /** What the other JVM prints: a digest and words a line. */
    public static void printDigests(Scenario scenario, NodeCode code, PrintWriter out) {
        for (Seen seen : events(scenario, code)) {
            out.println(Long.toHexString(seen.digest) + " " + seen.what.replace('\n', ' '));
        }
        out.flush();
    }

    private static List<Seen> inOtherJvm(Scenario scenario, NodeCode.@Nullable Plant plant)
            throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("raft-self-check");
        Path file = folder.resolve("scenario.json");
        Path output = folder.resolve("digests");
        try {
            ScenarioFile.write(file, scenario);
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(
                    List.of(
                            "-XX:+UnlockExperimentalVMOptions",
                            "-XX:hashCode=2",
                            "-Xint",
                            "-XX:+UseSerialGC",
                            "-cp",
                            System.getProperty("java.class.path"),
                            SelfCheck.class.getName(),
                            file.toString()));
            if (plant != null) {
                command.add(plant.id());
                command.add(plant.sourceRoot().toString());
            }
            Process process =
                    new ProcessBuilder(command)
                            .redirectOutput(output.toFile())
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            if (process.waitFor() != 0) {
                throw new IOException("the second JVM failed; its words are above");
            }
            List<Seen> seen = new ArrayList<>();
            for (String line : Files.readAllLines(output, StandardCharsets.UTF_8)) {
                int space = line.indexOf(' ');
                seen.add(
                        new Seen(
                                Long.parseUnsignedLong(line.substring(0, space), 16),
                                line.substring(space + 1)));
            }
            return seen;
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(output);
            Files.deleteIfExists(folder);
        }
    }

    /** The second JVM's entry point: a scenario file and perhaps a planted bug and its sources. */
    public static void main(String[] args) throws IOException {
        NodeCode code =
                args.length < 3
                        ? NodeCode.right()
                        : NodeCode.planted(PlantedBug.named(args[1]), Path.of(args[2]));
        printDigests(
                ScenarioFile.read(Path.of(args[0])),
                code,
                new PrintWriter(System.out, false, StandardCharsets.UTF_8));
    }
}
