package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Faults that were asked for and silently never came about: tools that do nothing and say that they
 * did, a clock that stays right, a killed node that somebody starts again. Such a run is not green.
 */
@Tag("containers")
final class NothingHappenedContainersTest {
    private static final String IMAGE = "raftlab-test/net-that-does-nothing";

    @TempDir private Path folder;

    @BeforeAll
    static void anEngineAnswers() {
        TestCommandContainersTest.anEngineAnswers();
    }

    @AfterEach
    void uselessImageGoes() throws Exception {
        CommandRun.lines("docker", "image", "rm", "-f", IMAGE);
    }

    /** The pods' own image, but iptables succeeds without a rule and no clock is prepared. */
    private void buildUselessNetImage() throws Exception {
        String net =
                CommandRun.lines(
                                "docker",
                                "image",
                                "ls",
                                "--format",
                                "{{.Repository}}:{{.Tag}}",
                                "raftlab/net")
                        .getFirst();
        Path context = Files.createDirectories(folder.resolve("context"));
        Files.writeString(context.resolve("true"), "#!/bin/sh\nexit 0\n");
        Files.writeString(context.resolve("run"), "#!/bin/sh\nexec \"$@\"\n");
        Files.writeString(
                context.resolve("Dockerfile"),
                "FROM "
                        + net
                        + "\nCOPY true run /tmp/\n"
                        + "RUN chmod 755 /tmp/true /tmp/run && cp /tmp/run /opt/faults/run"
                        + " && for tool in iptables iptables-restore ip6tables ip6tables-restore;"
                        + " do rm -f /usr/sbin/$tool; cp /tmp/true /usr/sbin/$tool; done\n");
        CommandRun.lines("docker", "build", "-t", IMAGE, context.toString());
    }

    @Test
    void runWhoseFaultsDidNothingIsNotGreenAndSaysWhich() throws Exception {
        // The first run on a machine makes the images that the useless one stands on.
        buildUselessNetImage();
        CommandRun run =
                CommandRun.test(
                        folder,
                        List.of("RAFT_NET_IMAGE=" + IMAGE),
                        "--cluster",
                        "docker",
                        "--nodes",
                        "3",
                        "--faults",
                        "partition-one,clock-jump,kill-one",
                        "--time",
                        "12s",
                        "--seed",
                        "6",
                        "--output",
                        "json");
        superviseUntilItEnds(run);
        assertThat(run.awaitEnd()).as(run.err()).isEqualTo(2);
        JsonNode results = run.json();
        assertThat(results.get("verdict").asString()).isEqualTo("insufficient-evidence");
        assertThat(results.get("linearizability").asString()).isEqualTo("valid");
        Map<String, String> failed = new TreeMap<>();
        for (JsonNode gate : results.get("gates")) {
            if (!gate.get("passed").asBoolean()) {
                failed.put(gate.get("name").asString(), gate.get("words").asString());
            }
        }
        assertThat(failed)
                .containsOnlyKeys("partition-one-proven", "clock-jump-proven", "kill-one-proven");
        assertThat(failed.get("partition-one-proven")).startsWith("0 of ");
        assertThat(failed.get("clock-jump-proven")).startsWith("0 of ");
        // The watchdog may be faster than the look at the dead node.
        assertThat(failed.get("kill-one-proven"))
                .containsAnyOf("not proven to be gone again", "0 of ");
        for (JsonNode fault : results.get("faults")) {
            if (!fault.get("kind").asString().equals("kill-one")) {
                assertThat(fault.get("injected").asString()).isEqualTo("indeterminate");
                assertThat(fault.get("injectEvidence").size()).isPositive();
            }
        }
    }

    /** Starts again whatever of the run has ended, as some watchdog on a machine may do. */
    private static void superviseUntilItEnds(CommandRun run)
            throws IOException, InterruptedException {
        String label = "label=raftlab.run=" + run.runId();
        while (run.isAlive()) {
            for (String id :
                    CommandRun.lines(
                            "docker",
                            "ps",
                            "-aq",
                            "--filter",
                            label,
                            "--filter",
                            "status=exited")) {
                Process start = new ProcessBuilder("docker", "start", id).start();
                assertThat(start.waitFor()).isBetween(0, 1); // It may be gone by now.
            }
            Thread.sleep(100);
        }
    }
}
