package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.api.model.Network;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.cluster.NodeStatus;
import raft.harness.docker.StandInCluster.Injected;
import raft.harness.nemesis.FaultAction.Kill;
import raft.harness.system.ImageSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What a run leaves in the engine, however it ends: nothing; and in its folder: everything. */
@Tag("containers")
final class LeavingsContainersTest {
    @TempDir private Path folder;

    private final Engine engine = ContainerEngine.require();
    private final DockerClient docker = engine.commands();
    private final List<String> foreignContainers = new ArrayList<>();
    private final List<String> foreignVolumes = new ArrayList<>();

    @AfterEach
    void removeWhatTheTestMade() {
        foreignContainers.forEach(id -> docker.removeContainerCmd(id).withForce(true).exec());
        foreignVolumes.forEach(name -> docker.removeVolumeCmd(name).exec());
        engine.close();
    }

    /** Names of all containers, networks and volumes with the run's id in them. */
    private List<String> objectsOf(String runId) {
        List<String> names = new ArrayList<>();
        for (Container container : docker.listContainersCmd().withShowAll(true).exec()) {
            names.addAll(Arrays.asList(container.getNames()));
        }
        docker.listNetworksCmd().exec().forEach(network -> names.add(network.getName()));
        docker.listVolumesCmd().exec().getVolumes().forEach(volume -> names.add(volume.getName()));
        return names.stream()
                .filter(name -> name.contains(runId))
                .map(name -> name.replaceFirst("^/", ""))
                .sorted()
                .toList();
    }

    /** A container that only exists; not started. */
    private String foreignContainer(String name, Map<String, String> labels) {
        String image =
                docker.listImagesCmd().exec().stream()
                        .filter(one -> one.getRepoTags() != null)
                        .flatMap(one -> Arrays.stream(one.getRepoTags()))
                        .filter(tag -> tag.startsWith("raftlab/net:"))
                        .findFirst()
                        .orElseThrow();
        String id =
                docker.createContainerCmd(image)
                        .withName(name)
                        .withLabels(labels)
                        .withCmd("true")
                        .exec()
                        .getId();
        foreignContainers.add(id);
        return name;
    }

    private Process killedHarness() throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledHarness.class.getName(),
                        folder.resolve("killed").toString())
                .redirectError(folder.resolve("killed.err").toFile())
                .start();
    }

    @Test
    void whatAKilledHarnessLeftIsRemovedAndNothingElse() throws Exception {
        Process harness = killedHarness();
        String dead;
        try (BufferedReader out = harness.inputReader()) {
            dead = out.readLine();
            assertThat(dead)
                    .as("%s", Files.readString(folder.resolve("killed.err")))
                    .startsWith("t");
        } finally {
            harness.destroyForcibly().waitFor();
        }
        assertThat(objectsOf(dead)).hasSize(2 * 4 + 1); // two containers, two volumes; the network

        String similar = foreignContainer("raftlab-" + dead + "-n9", Map.of("app", "raftlab"));
        Map<String, String> otherMachine = new LinkedHashMap<>(Owner.here(dead).labels());
        otherMachine.put(Owner.HOST, "another machine");
        String remote = foreignContainer("raftlab-" + dead + "-n8", otherMachine);
        Map<String, String> living = Owner.here("living").labels();
        String live = foreignContainer("raftlab-" + dead + "-n7", living);
        String volume = "raftlab-" + dead + "-n9-data";
        docker.createVolumeCmd().withName(volume).exec();
        foreignVolumes.add(volume);

        Cleaner.cleanStale(engine).forEach(System.err::println);
        assertThat(objectsOf(dead)).containsExactly(live, remote, similar, volume);
        assertThat(Cleaner.cleanStale(engine)).noneMatch(line -> line.contains(dead));
    }

    @Test
    void liveRunSurvivesCleaningAndLeavesNothingWhenItEnds() throws Exception {
        String run;
        try (StandInCluster cluster = StandInCluster.start(folder, 2)) {
            run = cluster.runId();
            Cleaner.cleanStale(engine);
            assertThat(cluster.observe()).allMatch(NodeStatus::reachable);
            assertThat(objectsOf(run)).hasSize(2 * 4 + 1);

            // In the same run's folder: the log of every node, whole and in order.
            Injected kill = cluster.inject(new Kill(List.of("n2")));
            cluster.heal(kill);
        }
        assertThat(objectsOf(run)).isEmpty();
        assertThat(Files.readAllLines(folder.resolve("nodes/n1/node.log")))
                .containsExactly("stand-in n1 started, start number 1");
        assertThat(Files.readAllLines(folder.resolve("nodes/n2/node.log")))
                .containsExactly(
                        "stand-in n2 started, start number 1",
                        "stand-in n2 started, start number 2");
        assertThat(folder.resolve("nodes/n2")).isDirectoryContaining("glob:**/node.log");
    }

    @Test
    void nodeThatEndsAtItsStartIsNamedWithItsLastWordsAndNothingStays() throws Exception {
        String run = StandInCluster.newRunId();
        Path jar = ContainerEngine.standInJar(folder);
        DockerOptions options =
                new DockerOptions(
                        run,
                        2,
                        0,
                        ProtocolSystem.ofJar(jar),
                        20_000,
                        DockerOptions.NODE_MEMORY_BYTES,
                        0,
                        Map.of("STAND_IN_FAILS", "yes"),
                        null);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> DockerCluster.start(options, folder, System.err::println))
                .withMessageMatching("the node n[12] ended while it started; its last words: .*")
                .withMessageContaining("the stand-in was told to fail")
                .withMessageContaining("node.log");
        assertThat(objectsOf(run)).isEmpty();
        assertThat(folder.resolve("nodes/n1/node.log")).hasContent("the stand-in was told to fail");
    }

    /** Somebody else has the addresses that this run would take first. */
    @Test
    void takenSubnetIsAvoidedAndStaysWithItsOwner() throws Exception {
        String run = StandInCluster.newRunId();
        String taken = Subnets.candidates(run, Subnets.routed(), 1).getFirst();
        String other =
                docker.createNetworkCmd()
                        .withName("foreign-" + run)
                        .withIpam(
                                new Network.Ipam()
                                        .withConfig(new Network.Ipam.Config().withSubnet(taken)))
                        .exec()
                        .getId();
        try {
            Path jar = ContainerEngine.standInJar(folder);
            try (DockerCluster cluster =
                    DockerCluster.start(
                            DockerOptions.ofJar(run, 1, jar), folder, System.err::println)) {
                assertThat(Subnets.overlap(taken, cluster.pod("n1").address() + "/24")).isFalse();
            }
            assertThat(objectsOf(run)).containsExactly("foreign-" + run);
        } finally {
            docker.removeNetworkCmd(other).exec();
        }
    }

    @Test
    void imageThatIsNowhereIsNamedInOneSentence() {
        DockerOptions options =
                DockerOptions.ofImage(
                        StandInCluster.newRunId(), 1, "raftlab-nowhere/nothing:never");
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> DockerCluster.start(options, folder, System.err::println))
                .withMessageContaining("there is no image raftlab-nowhere/nothing:never")
                .withMessageContaining("build it, or docker load it");
        assertThat(objectsOf(options.runId())).isEmpty();
    }

    /** The definitions of the images, with a mistake in the node's. */
    @Test
    void imageThatCannotBeBuiltIsNamedWithTheReason() throws Exception {
        Path project = ProjectFolder.find();
        Path copy = Files.createDirectories(folder.resolve("project/docker")).getParent();
        for (String file : List.of("engine", "bootstrap", "net.Dockerfile", "runtime.Dockerfile")) {
            Files.copy(
                    project.resolve("docker").resolve(file), copy.resolve("docker").resolve(file));
        }
        Path faults = Files.createDirectories(copy.resolve("docker/faults"));
        try (Stream<Path> files = Files.list(project.resolve("docker/faults"))) {
            for (Path file : files.toList()) {
                Files.copy(file, faults.resolve(file.getFileName()));
            }
        }
        Files.writeString(
                copy.resolve("docker/node.Dockerfile"),
                "ARG RUNTIME\nFROM ${RUNTIME}\nCOPY there-is-no-such-file /\n");
        Path jar = ContainerEngine.standInJar(folder);
        String before = System.getProperty("raft.home");
        System.setProperty("raft.home", copy.toString());
        try {
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(
                            () ->
                                    Images.ensure(
                                            engine,
                                            new ImageSource.NodeJar(jar),
                                            System.err::println))
                    .withMessageContaining("building the image raftlab/node:")
                    .withMessageContaining("there-is-no-such-file")
                    .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
        } finally {
            if (before == null) {
                System.clearProperty("raft.home");
            } else {
                System.setProperty("raft.home", before);
            }
        }
    }
}
