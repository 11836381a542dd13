package raft.harness.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.HostConfig;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Finds out what works on this machine by trying it, and what mends the rest. What a kernel can do
 * to packets is tried in a container of its own, which is removed again.
 */
public final class Doctor {
    /** The smallest Java that this software is built for. */
    private static final int JAVA_MIN = 25;

    private static final long COMMAND_SECONDS = 20;

    /** Each line of the script says "name ok" or "name no". */
    private static final List<Trial> TRIALS =
            List.of(
                    new Trial(
                            "packet filter (partitions)",
                            "iptables -w -A INPUT -s 10.9.9.9 -j DROP",
                            true,
                            "load nf_tables or ip_tables into the kernel (modprobe nf_tables)"),
                    new Trial(
                            "iptables statistic (loss)",
                            "iptables -w -A INPUT -m statistic --mode random --probability 0.1 -j"
                                    + " DROP",
                            false,
                            "modprobe xt_statistic"),
                    new Trial(
                            "sch_netem (delay, reordering)",
                            "tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo root",
                            false,
                            "a kernel with sch_netem (modprobe sch_netem); without it these faults"
                                    + " are skipped"),
                    new Trial(
                            "sch_tbf (bandwidth)",
                            "tc qdisc add dev lo root tbf rate 1mbit burst 32k latency 50ms && tc"
                                    + " qdisc del dev lo root",
                            false,
                            "modprobe sch_tbf"));

    private Doctor() {}

    private record Trial(String name, String command, boolean required, String mend) {}

    /**
     * One thing that was looked at.
     *
     * @param works false when it is missing or broken
     * @param required false when only some faults need it
     * @param detail what was seen
     * @param mend the command or action that mends it, "" where it works
     */
    public record Finding(
            String what, boolean works, boolean required, String detail, String mend) {}

    /** Looks at everything; takes some seconds where an engine answers. */
    public static List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        findings.add(java());
        findings.add(maven());
        try (Engine engine = Engine.connect()) {
            findings.add(
                    working(
                            "Docker engine",
                            "engine " + engine.version() + " answers at " + engine.host()));
            findings.add(
                    working(
                            "engine API",
                            engine.apiVersion() + " is spoken (at least 1.41 is needed)"));
            findings.addAll(images(engine));
        } catch (EngineException e) {
            String message = String.valueOf(e.getMessage());
            int advice = message.lastIndexOf(": ");
            findings.add(
                    new Finding(
                            "Docker engine",
                            false,
                            true,
                            advice < 0 ? message : message.substring(0, advice),
                            advice < 0 ? "docker/engine up" : message.substring(advice + 2)));
        }
        return findings;
    }

    private static Finding working(String what, String detail) {
        return new Finding(what, true, true, detail, "");
    }

    private static Finding java() {
        String home = System.getProperty("java.home");
        boolean jlink = Files.isExecutable(Path.of(home, "bin", "jlink"));
        boolean works = Runtime.version().feature() >= JAVA_MIN && jlink;
        return new Finding(
                "JDK",
                works,
                true,
                "Java " + Runtime.version() + " in " + home + (jlink ? "" : ", without jlink"),
                works ? "" : "install a whole JDK 25 (Temurin, say) or set JAVA_HOME to it");
    }

    private static Finding maven() {
        String version = firstLine("mvn", "-version");
        return new Finding(
                "Maven",
                version != null,
                true,
                version == null ? "no mvn on the PATH" : version,
                version == null ? "apt-get install maven" : "");
    }

    /** What a program prints first, null when it is not there or fails. */
    private static @Nullable String firstLine(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectInput(Path.of("/dev/null").toFile())
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            try (var out = process.inputReader()) {
                String line = out.readLine();
                out.transferTo(java.io.Writer.nullWriter());
                boolean ended = process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS);
                return ended && process.exitValue() == 0 && line != null
                        ? line.replaceAll("\u001b\\[[0-9;]*m", "")
                        : null;
            }
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    private static List<Finding> images(Engine engine) {
        List<Finding> findings = new ArrayList<>();
        String net = imageOf(engine, "raftlab/net:");
        if (net != null) {
            findings.add(working("images", net + " is there"));
            findings.addAll(trials(engine, net));
            return findings;
        }
        boolean tool = onPath("mmdebstrap") || onPath("debootstrap");
        boolean debian = imageOf(engine, "debian:bookworm-slim") != null;
        findings.add(
                new Finding(
                        "images",
                        debian || tool,
                        true,
                        "not made yet; "
                                + (debian
                                        ? "debian:bookworm-slim is there as their base"
                                        : tool
                                                ? "they can be made from Debian packages"
                                                : "they need a registry or Debian packages"),
                        debian || tool ? "" : "apt-get install mmdebstrap"));
        findings.add(
                new Finding(
                        "network faults",
                        false,
                        false,
                        "not tried yet, this needs the images",
                        "run ./raft test once, then this again"));
        return findings;
    }

    private static @Nullable String imageOf(Engine engine, String prefix) {
        for (var image : engine.commands().listImagesCmd().exec()) {
            String[] tags = image.getRepoTags();
            for (String tag : tags == null ? new String[0] : tags) {
                if (tag.startsWith(prefix)) {
                    return tag;
                }
            }
        }
        return null;
    }

    private static boolean onPath(String program) {
        String path = System.getenv("PATH");
        return path != null
                && Stream.of(path.split(":", -1))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    private static List<Finding> trials(Engine engine, String image) {
        StringBuilder script = new StringBuilder();
        for (int i = 0; i < TRIALS.size(); i++) {
            script.append("if { ")
                    .append(TRIALS.get(i).command())
                    .append("; } >/dev/null 2>&1; then echo ")
                    .append(i)
                    .append(" ok; else echo ")
                    .append(i)
                    .append(" no; fi\n");
        }
        String output;
        try {
            output = runInContainer(engine, image, script.toString());
        } catch (IOException | DockerException e) {
            return List.of(
                    new Finding(
                            "containers",
                            false,
                            true,
                            "a container could not be run: " + Engine.rootMessage(e),
                            "docker/engine down && docker/engine up"));
        }
        List<Finding> findings = new ArrayList<>();
        for (int i = 0; i < TRIALS.size(); i++) {
            Trial trial = TRIALS.get(i);
            boolean works = output.contains(i + " ok");
            findings.add(
                    new Finding(
                            trial.name(),
                            works,
                            trial.required(),
                            works ? "works in a container" : "not supported by this kernel",
                            works ? "" : trial.mend()));
        }
        return findings;
    }

    private static String runInContainer(Engine engine, String image, String script)
            throws IOException {
        DockerClient docker = engine.commands();
        Map<String, String> labels = Owner.here("doctor").labels();
        String id =
                docker.createContainerCmd(image)
                        .withLabels(labels)
                        .withEntrypoint("sh", "-c", script)
                        .withHostConfig(
                                HostConfig.newHostConfig()
                                        .withNetworkMode("none")
                                        .withCapDrop(Capability.ALL)
                                        .withCapAdd(Capability.NET_ADMIN)
                                        .withTmpFs(Map.of("/run", "rw,size=4m")))
                        .exec()
                        .getId();
        StringBuilder output = new StringBuilder();
        try {
            docker.startContainerCmd(id).exec();
            ResultCallback.Adapter<Frame> log =
                    engine.streams()
                            .logContainerCmd(id)
                            .withStdOut(true)
                            .withFollowStream(true)
                            .exec(
                                    new ResultCallback.Adapter<Frame>() {
                                        @Override
                                        public void onNext(Frame frame) {
                                            output.append(
                                                    new String(
                                                            frame.getPayload(),
                                                            StandardCharsets.UTF_8));
                                        }
                                    });
            if (!log.awaitCompletion(COMMAND_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("it did not end within " + COMMAND_SECONDS + " s");
            }
            return output.toString();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            docker.removeContainerCmd(id).withForce(true).exec();
        }
    }
}
