package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * {@code kill -9} of the harness at many moments of a run, then {@code ./raft clean}: nothing of
 * ours is left in the engine, the kernel or among the processes, and what others have is as before.
 */
final class KilledMomentsContainersTest {
    /** Foreign names; nothing of the lab begins so. */
    private static final String FOREIGN = "raftlab-theirs-" + ProcessHandle.current().pid();

    @TempDir private Path folder;

    private List<String> rulesOfTheMachine = List.of();
    private List<String> foreignBefore = List.of();

    /** When the harness dies. */
    enum Moment {
        IMAGES("none"),
        NETWORK("none"),
        PODS_STARTING("none"),
        WORKLOAD("none"),
        PARTITION("partition-one"),
        FROZEN("pause-majority"),
        CLOCK_AND_DISK("clock-jump,disk-slow"),
        RATE_AND_LOSS("packets-rate,packets-loss"),
        QUEUED_PACKETS("packets-delay"),
        FULL_VOLUME("disk-full"),
        HEAL("partition-halves"),
        FINAL_PHASE("kill-all");

        private final String faults;

        Moment(String faults) {
            this.faults = faults;
        }

        private void await(CommandRun run) throws IOException, InterruptedException {
            String id = run.runId();
            switch (this) {
                case IMAGES -> run.await("run", () -> !id.isEmpty());
                case NETWORK -> run.await("network", () -> !objects("network", "ls", id).isEmpty());
                case PODS_STARTING ->
                        run.await("container", () -> !objects("ps", "-a", id).isEmpty());
                case WORKLOAD -> run.await("operation", () -> run.history().length() > 5_000);
                case PARTITION, FROZEN, QUEUED_PACKETS, FULL_VOLUME -> awaitInjected(run, 1);
                case CLOCK_AND_DISK, RATE_AND_LOSS -> awaitInjected(run, 2);
                case HEAL -> run.await("heal", () -> run.history().contains("\"f\":\"heal\""));
                // The workload lasts 8 s; what comes later is the end.
                case FINAL_PHASE ->
                        run.await(
                                "final phase",
                                () -> run.history().matches("(?s).*\"time\":8\\d{9},.*"));
            }
        }

        private static void awaitInjected(CommandRun run, int count)
                throws IOException, InterruptedException {
            run.await(
                    "proven fault",
                    () ->
                            run.history()
                                            .lines()
                                            .filter(
                                                    line ->
                                                            line.contains(
                                                                    "\"process\":\"nemesis\""))
                                            .filter(line -> line.contains("\"type\":\"ok\""))
                                            .filter(line -> line.contains("\"f\":\"inject\""))
                                            .count()
                                    >= count);
        }
    }

    @BeforeAll
    static void anEngineAnswers() {
        TestCommandContainersTest.anEngineAnswers();
    }

    @BeforeEach
    void othersAreHereToo() throws Exception {
        String image =
                CommandRun.lines(
                                "docker",
                                "image",
                                "ls",
                                "--format",
                                "{{.Repository}}:{{.Tag}}",
                                "raftlab/net")
                        .getFirst();
        CommandRun.lines("docker", "network", "create", FOREIGN);
        CommandRun.lines("docker", "volume", "create", FOREIGN);
        CommandRun.lines(
                "docker",
                "run",
                "-d",
                "--name",
                FOREIGN,
                "--network",
                FOREIGN,
                "--cap-add",
                "NET_ADMIN",
                "-v",
                FOREIGN + ":/foreign",
                image,
                "sleep",
                "600");
        CommandRun.lines(
                "docker",
                "exec",
                FOREIGN,
                "sh",
                "-c",
                "iptables -w -N RAFTLAB && iptables -w -A RAFTLAB -s 10.99.0.1 -j DROP && iptables"
                        + " -w -A INPUT -j RAFTLAB && tc qdisc add dev eth0 root tbf rate 8mbit"
                        + " burst 32kbit latency 400ms && echo theirs > /foreign/file");
        if (isRoot()) {
            CommandRun.lines("iptables", "-w", "-N", chain());
            CommandRun.lines("iptables", "-w", "-A", chain(), "-s", "10.99.0.1", "-j", "RETURN");
            rulesOfTheMachine = rulesWith(chain());
        }
        foreignBefore = foreign();
    }

    @AfterEach
    void othersGo() throws Exception {
        if (isRoot()) {
            CommandRun.lines("iptables", "-w", "-F", chain());
            CommandRun.lines("iptables", "-w", "-X", chain());
        }
        CommandRun.lines("docker", "rm", "-f", FOREIGN);
        CommandRun.lines("docker", "network", "rm", FOREIGN);
        CommandRun.lines("docker", "volume", "rm", FOREIGN);
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    private static String chain() {
        return "THEIRS-" + ProcessHandle.current().pid();
    }

    private static List<String> rulesWith(String word) throws Exception {
        return CommandRun.lines("iptables-save").stream()
                .filter(line -> line.contains(word))
                .map(line -> line.replaceAll("\\[\\d+:\\d+\\]", ""))
                .toList();
    }

    /** All that tells whether somebody touched what is foreign. */
    private static List<String> foreign() throws Exception {
        List<String> seen = new ArrayList<>();
        seen.addAll(
                CommandRun.lines(
                        "docker",
                        "inspect",
                        "--format",
                        "{{.Id}} {{.State.Status}} {{.State.StartedAt}} {{.State.Pid}}",
                        FOREIGN));
        seen.addAll(CommandRun.lines("docker", "network", "inspect", FOREIGN));
        seen.addAll(CommandRun.lines("docker", "volume", "inspect", FOREIGN));
        CommandRun.lines(
                        "docker",
                        "exec",
                        FOREIGN,
                        "sh",
                        "-c",
                        "iptables-save; tc qdisc show dev eth0; cat /foreign/file")
                .stream()
                .filter(line -> !line.startsWith("#")) // the time of day
                .map(line -> line.replaceAll("\\[\\d+:\\d+\\]", ""))
                .forEach(seen::add);
        return seen;
    }

    /** Ids of what bears a run's label. */
    private static List<String> objects(String what, String how, String run) {
        try {
            return CommandRun.lines(
                    "docker", what, how, "-q", "--filter", "label=raftlab.run=" + run);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Tag("containers")
    @ParameterizedTest
    @EnumSource(names = {"PODS_STARTING", "FROZEN", "CLOCK_AND_DISK"})
    void cleanRemovesAllOfAKilledRunAndNothingElse(Moment moment) throws Exception {
        CommandRun run =
                CommandRun.test(
                        folder,
                        List.of(),
                        "--cluster",
                        "docker",
                        "--nodes",
                        "3",
                        "--faults",
                        moment.faults,
                        "--time",
                        moment == Moment.FINAL_PHASE ? "8s" : "20s",
                        "--data-megabytes",
                        moment == Moment.FULL_VOLUME ? "32" : "0",
                        "--seed",
                        "12");
        moment.await(run);
        String id = run.runId();
        run.kill();
        List<String> containers = objects("ps", "-a", id);
        List<String> networks = objects("network", "ls", id);
        if (moment.compareTo(Moment.PODS_STARTING) >= 0) {
            assertThat(containers).as("killed while it had them").isNotEmpty();
        }
        long removed = System.nanoTime();

        CommandRun clean = CommandRun.start(folder.resolve("clean"), List.of(), List.of("clean"));
        assertThat(clean.awaitEnd()).as(clean.err()).isZero();
        System.out.printf(
                "killed at %s with %d containers, clean in %.1f s%n",
                moment, containers.size(), (System.nanoTime() - removed) / 1e9);

        assertThat(objects("ps", "-a", id)).isEmpty();
        assertThat(objects("network", "ls", id)).isEmpty();
        assertThat(objects("volume", "ls", id)).isEmpty();
        assertThat(processesIn(containers)).isEmpty();
        assertThat(linesWith(Path.of("/proc/self/mounts"), containers)).isEmpty();
        for (String network : networks) {
            assertThat(Path.of("/sys/class/net/br-" + network)).doesNotExist();
            if (isRoot()) {
                assertThat(rulesWith("br-" + network)).isEmpty();
            }
        }
        assertThat(foreign()).isEqualTo(foreignBefore);
        if (isRoot()) {
            assertThat(rulesWith(chain())).isEqualTo(rulesOfTheMachine).hasSize(2);
        }
    }

    /** All of them, one after the other. */
    @Tag("nightly")
    @ParameterizedTest
    @EnumSource
    void cleanRemovesAllOfARunKilledAtAnyMoment(Moment moment) throws Exception {
        cleanRemovesAllOfAKilledRunAndNothingElse(moment);
    }

    /** Processes whose control group is that of one of these containers. */
    private static TreeSet<String> processesIn(List<String> containers) throws IOException {
        TreeSet<String> found = new TreeSet<>();
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path process :
                    processes.filter(p -> p.getFileName().toString().matches("\\d+")).toList()) {
                if (!linesWith(process.resolve("cgroup"), containers).isEmpty()) {
                    found.add(process.getFileName().toString());
                }
            }
        }
        return found;
    }

    private static List<String> linesWith(Path file, List<String> words) {
        try {
            return Files.readAllLines(file).stream()
                    .filter(line -> words.stream().anyMatch(line::contains))
                    .toList();
        } catch (IOException e) {
            return List.of(); // The process is gone.
        }
    }
}
