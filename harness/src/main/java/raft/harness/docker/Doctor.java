package raft.harness.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Info;
import com.github.dockerjava.api.model.Network;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Looks at what a cluster of containers needs, piece by piece, by trying it: a kernel module that
 * is listed may still be refused in a container's namespace, and one that is not may be built in.
 */
public final class Doctor {
    /** Images, a run-time and some runs; what a first run writes is about half of it. */
    private static final long DISK_BYTES_MIN = 1L << 30;

    /** Five nodes with their pods, each at its usual size; the limit of each is higher. */
    private static final long MEMORY_BYTES_MIN = 1_500L << 20;

    private static final long COMMAND_MILLIS = 10_000;

    private static final List<String> IN_A_CONTAINER =
            List.of(
                    "iptables",
                    "ip6tables",
                    "ipv6",
                    "xt_statistic",
                    "nfqueue",
                    "sch_tbf",
                    "sch_htb",
                    "cls_u32",
                    "faketime",
                    "libdisk",
                    "freezer");

    private final List<Finding> findings = new ArrayList<>();
    private final Path nodeJar;

    private Doctor(Path nodeJar) {
        this.nodeJar = nodeJar;
    }

    /** How one piece stands. */
    public enum State {
        OK,
        MISSING,
        /** Cannot be told before something else is mended. */
        UNKNOWN
    }

    /**
     * One piece that was looked at.
     *
     * @param name one word
     * @param needed whether {@code ./raft test} cannot run without it
     * @param found what was seen
     * @param remedy the command that mends it, "" where nothing is to be mended
     */
    public record Finding(String name, State state, boolean needed, String found, String remedy) {}

    /** Looks at everything; takes a second or two and leaves nothing behind. */
    public static List<Finding> examine(Path nodeJar) {
        Doctor doctor = new Doctor(nodeJar);
        doctor.socket();
        try (Engine engine = Engine.connect()) {
            doctor.add(
                    "engine",
                    State.OK,
                    true,
                    "Docker " + engine.version() + " speaks API " + engine.apiVersion(),
                    "");
            doctor.withEngine(engine);
        } catch (EngineException e) {
            // The message is "what: what to do".
            String message = String.valueOf(e.getMessage());
            int colon = message.lastIndexOf(": ");
            doctor.add(
                    "engine",
                    State.MISSING,
                    true,
                    colon < 0 ? message : message.substring(0, colon),
                    colon < 0
                            ? "docker/engine up"
                            : message.substring(colon + 2).replaceFirst("^run (?=docker/)", ""));
            doctor.add("images", State.UNKNOWN, false, "no engine to ask", "");
            doctor.unknown("no engine to ask");
        }
        return List.copyOf(doctor.findings);
    }

    /** What can only be tried in a container. */
    private void unknown(String why) {
        IN_A_CONTAINER.forEach(name -> add(name, State.UNKNOWN, false, why, ""));
    }

    private void add(String name, State state, boolean needed, String found, String remedy) {
        findings.add(new Finding(name, state, needed, found, remedy));
    }

    private void socket() {
        String told = System.getenv("DOCKER_HOST");
        String host = told == null || told.isBlank() ? "unix:///var/run/docker.sock" : told;
        if (!host.startsWith("unix://")) {
            return; // A remote engine says itself whether we may.
        }
        Path socket = Path.of(URI.create(host).getPath());
        if (!Files.exists(socket)) {
            add("socket", State.MISSING, true, socket + " does not exist", "docker/engine up");
        } else if (!Files.isWritable(socket)) {
            add(
                    "socket",
                    State.MISSING,
                    true,
                    "no permission on " + socket,
                    "sudo usermod -aG docker "
                            + System.getProperty("user.name")
                            + ", then log in again");
        } else {
            add("socket", State.OK, true, socket + " is writable", "");
        }
    }

    private void withEngine(Engine engine) {
        try {
            Info info = engine.commands().infoCmd().exec();
            add(
                    "cgroup",
                    State.OK,
                    false,
                    "version "
                            + or(info.getCGroupVersion(), "1")
                            + ", driver "
                            + or(info.getCGroupDriver(), "unknown")
                            + ", kernel "
                            + or(info.getKernelVersion(), "unknown"),
                    "");
            limits(info);
            String root = info.getDockerRootDir();
            if (root != null) {
                findings.add(disk("disk-engine", Path.of(root)));
            }
            images(engine);
            etcd(engine);
        } catch (IOException | RuntimeException e) {
            add(
                    "engine-use",
                    State.MISSING,
                    true,
                    "the engine answers but fails: " + Engine.rootMessage(e),
                    "docker/engine down; docker/engine up");
        }
    }

    /** What control groups can hold back, as the engine sees it. */
    private void limits(Info info) {
        boolean second = "2".equals(info.getCGroupVersion());
        boolean quota = Boolean.TRUE.equals(info.getCpuCfsQuota());
        add(
                "cpu-quota",
                quota ? State.OK : State.MISSING,
                false,
                "limits of processors: " + (quota ? "work" : "the kernel has no CFS bandwidth"),
                quota
                        ? ""
                        : "boot a kernel with CONFIG_CFS_BANDWIDTH; without it resources-cpu is"
                                + " skipped");
        boolean memory = Boolean.TRUE.equals(info.getMemoryLimit());
        add(
                "memory-limit",
                memory ? State.OK : State.MISSING,
                false,
                "limits of memory: "
                        + (memory
                                ? "work"
                                        + (Boolean.TRUE.equals(info.getSwapLimit())
                                                ? ", with swap"
                                                : ", without swap")
                                : "the kernel does not account for memory"),
                memory
                        ? ""
                        : "boot with cgroup_enable=memory; without it resources-memory is skipped");
        Path controller =
                Path.of(second ? "/sys/fs/cgroup/cgroup.controllers" : "/sys/fs/cgroup/blkio");
        boolean blkio = Files.exists(controller);
        add(
                "blkio",
                blkio ? State.OK : State.MISSING,
                false,
                "the control group of disks: "
                        + (blkio ? "is there" : "is not there")
                        + "; slow disks do not need it, they are made inside the process",
                blkio ? "" : "mount -t cgroup -o blkio blkio /sys/fs/cgroup/blkio");
        Long total = info.getMemTotal();
        long available = availableBytes(total == null ? 0 : total);
        boolean enough = available >= MEMORY_BYTES_MIN;
        add(
                "memory",
                enough ? State.OK : State.MISSING,
                false,
                (available >> 20) + " MB available; five nodes take " + (MEMORY_BYTES_MIN >> 20),
                enough ? "" : "./raft test --nodes 3, or end other programs");
        Integer cores = info.getNCPU();
        add(
                "cores",
                cores != null && cores >= 2 ? State.OK : State.MISSING,
                false,
                cores + " processors",
                cores != null && cores >= 2 ? "" : "./raft test --nodes 3 --rate 50");
    }

    /** Of this machine's memory; what there is in all where it does not say. */
    private static long availableBytes(long totalBytes) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            return lines.filter(line -> line.startsWith("MemAvailable:"))
                    .map(line -> line.replaceAll("\\D", ""))
                    .mapToLong(kilobytes -> Long.parseLong(kilobytes) << 10)
                    .findFirst()
                    .orElse(totalBytes);
        } catch (IOException | RuntimeException e) {
            return totalBytes;
        }
    }

    private static String or(@Nullable String text, String otherwise) {
        return text == null || text.isBlank() ? otherwise : text;
    }

    private void images(Engine engine) throws IOException {
        Images.Outlook outlook = Images.outlook(engine, nodeJar);
        boolean possible = outlook.present() || outlook.canBeMade();
        add(
                "images",
                possible ? State.OK : State.MISSING,
                true,
                outlook.words(),
                possible
                        ? ""
                        : "docker pull debian:bookworm-slim, or ./raft test once as root on Debian"
                                + " or Ubuntu");
        if (outlook.net() == null) {
            unknown("can be tried once the images are made");
            return;
        }
        inAContainer(engine, outlook.net());
    }

    /** The second system: made already, or to be had as a package of this machine. */
    private void etcd(Engine engine) {
        boolean made =
                engine.commands().listImagesCmd().exec().stream()
                        .map(image -> image.getRepoTags())
                        .anyMatch(
                                tags ->
                                        tags != null
                                                && Stream.of(tags)
                                                        .anyMatch(
                                                                t ->
                                                                        t.startsWith(
                                                                                "raftlab/etcd:")));
        boolean known =
                Files.exists(Path.of("/usr/bin/apt-cache"))
                        && outputOf("apt-cache", "show", "etcd-server").contains("Filename:");
        add(
                "etcd",
                made || known ? State.OK : State.MISSING,
                false,
                "--system etcd: "
                        + (made
                                ? "its image is present"
                                : known
                                        ? "made from the package etcd-server when asked for"
                                        : "no package etcd-server is known here"),
                made || known ? "" : "apt-get update");
    }

    private static String outputOf(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            return new String(
                    process.getInputStream().readAllBytes(),
                    java.nio.charset.StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    /** Tries the fault tools where they are used: in a container's own network namespace. */
    private void inAContainer(Engine engine, String image) throws IOException {
        DockerClient docker = engine.commands();
        String run = "doctor-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
        String name = "raftlab-" + run;
        try {
            docker.createContainerCmd(image)
                    .withName(name)
                    .withLabels(Owner.here(run).labels())
                    .withEntrypoint("sh", "-c", Containers.NET_LOOP)
                    .withCmd(List.of())
                    .withHostConfig(
                            HostConfig.newHostConfig()
                                    .withNetworkMode("none")
                                    .withCapDrop(Capability.ALL)
                                    .withCapAdd(Capability.NET_ADMIN, Capability.NET_RAW)
                                    .withReadonlyRootfs(true)
                                    .withTmpFs(Map.of("/run", "rw,size=4m")))
                    .exec();
            docker.startContainerCmd(name).exec();
            try (PodShell shell = new PodShell(engine, name)) {
                tools(shell);
            }
            ipv6(docker, run);
            freezer(docker, name);
        } finally {
            Cleaner.removeRun(engine, run);
        }
    }

    private void tools(PodShell shell) throws IOException {
        String rule = " -w -A INPUT -p udp --dport 7099 -m comment --comment try -j DROP";
        trial(
                shell,
                "iptables",
                true,
                "iptables" + rule + " && iptables-save -c | grep -q try",
                "partitions of IPv4",
                "docker/engine down; modprobe ip_tables iptable_filter xt_comment; docker/engine"
                        + " up");
        trial(
                shell,
                "ip6tables",
                false,
                "ip6tables" + rule + " && ip6tables-save -c | grep -q try",
                "partitions of IPv6 (only where the pods have it)",
                "modprobe ip6_tables ip6table_filter");
        trial(
                shell,
                "xt_statistic",
                false,
                "iptables -w -A INPUT -m statistic --mode random --probability 0.5 -j DROP",
                "loss of packets",
                "modprobe xt_statistic");
        trial(
                shell,
                "nfqueue",
                false,
                PacketRules.trial(),
                "delay, duplication, reordering and corruption of packets",
                "modprobe nfnetlink_queue xt_NFQUEUE; without it these are recorded as skipped");
        trial(
                shell,
                "sch_tbf",
                false,
                "tc qdisc add dev lo root tbf rate 1mbit burst 32kbit latency 400ms"
                        + " && tc qdisc del dev lo root",
                "limits of bandwidth",
                "modprobe sch_tbf");
        trial(
                shell,
                "sch_htb",
                false,
                "tc qdisc add dev lo root handle 1: htb default 1 && tc class add dev lo parent 1:"
                        + " classid 1:10 htb rate 1mbit; s=$?; tc qdisc del dev lo root; (exit $s)",
                "limits of bandwidth of each link",
                "modprobe sch_htb; without it packets-rate is skipped");
        trial(
                shell,
                "cls_u32",
                false,
                "tc qdisc add dev lo root handle 1: htb default 1 && tc filter add dev lo parent"
                        + " 1: protocol ip prio 1 u32 match ip dst 127.0.0.9/32 flowid 1:10; s=$?;"
                        + " tc qdisc del dev lo root; (exit $s)",
                "telling links apart by address",
                "modprobe cls_u32; without it packets-rate is skipped");
        trial(
                shell,
                "faketime",
                false,
                "now=$(date +%s); then=$(LD_PRELOAD=/opt/faults/lib/libfaketime.so.1"
                        + " FAKETIME=+1000s date +%s); test $((then - now)) -ge 990",
                "clocks of single processes",
                "./raft clean --images; the next run makes the image with libfaketime anew");
        trial(
                shell,
                "libdisk",
                false,
                "LD_PRELOAD=/opt/faults/lib/libdisk.so date",
                "disks of single processes",
                "./raft clean --images; the next run makes the image with its library anew");
    }

    /** A network with both families, made and removed. */
    private void ipv6(DockerClient docker, String run) {
        String reason = "";
        try {
            docker.createNetworkCmd()
                    .withName("raftlab-" + run)
                    .withLabels(Owner.here(run).labels())
                    .withEnableIpv6(true)
                    .withIpam(
                            new Network.Ipam()
                                    .withConfig(
                                            new Network.Ipam.Config()
                                                    .withSubnet("fd5a:7e57:d0c7::/64")))
                    .exec();
        } catch (RuntimeException e) {
            reason = Engine.rootMessage(e);
        }
        add(
                "ipv6",
                reason.isEmpty() ? State.OK : State.MISSING,
                false,
                "pods with addresses of IPv6 beside IPv4: "
                        + (reason.isEmpty() ? "work" : "not to be had (" + reason + ")"),
                reason.isEmpty()
                        ? ""
                        : "sysctl -w net.ipv6.conf.all.disable_ipv6=0; without it only IPv4 is"
                                + " used");
    }

    private void trial(
            PodShell shell, String name, boolean needed, String command, String use, String remedy)
            throws IOException {
        PodShell.Answer answer = shell.run(command, COMMAND_MILLIS);
        String said = answer.output().strip().replaceAll("\\s*\\R\\s*", "; ");
        add(
                name,
                answer.ok() ? State.OK : State.MISSING,
                needed,
                answer.ok()
                        ? use + ": works in a container"
                        : use
                                + ": not supported by this kernel"
                                + (said.isEmpty() ? "" : " (" + said + ")"),
                answer.ok() ? "" : remedy);
    }

    private void freezer(DockerClient docker, String name) {
        try {
            docker.pauseContainerCmd(name).exec();
            boolean paused =
                    Boolean.TRUE.equals(
                            docker.inspectContainerCmd(name).exec().getState().getPaused());
            docker.unpauseContainerCmd(name).exec();
            add(
                    "freezer",
                    paused ? State.OK : State.MISSING,
                    true,
                    "pauses of processes: " + (paused ? "work" : "do not take effect"),
                    paused ? "" : "mount -t cgroup2 cgroup2 /sys/fs/cgroup, then restart");
        } catch (RuntimeException e) {
            add(
                    "freezer",
                    State.MISSING,
                    true,
                    "pauses of processes: " + Engine.rootMessage(e),
                    "mount -t cgroup2 cgroup2 /sys/fs/cgroup, then docker/engine down and up");
        }
    }

    /** Whether this user may write at a path, and whether there is room for a run. */
    public static Finding writableDisk(String name, Path wanted) {
        Path folder = nearest(wanted);
        if (!Files.isWritable(folder)) {
            return new Finding(
                    name,
                    State.MISSING,
                    true,
                    "no permission to write in " + folder,
                    "sudo chown -R " + System.getProperty("user.name") + " " + folder);
        }
        return disk(name, wanted);
    }

    private static Path nearest(Path wanted) {
        Path folder = wanted.toAbsolutePath();
        while (folder.getParent() != null && !Files.exists(folder)) {
            folder = folder.getParent();
        }
        return folder;
    }

    /** Free space at a path, or at the nearest folder above it that exists and may be seen. */
    private static Finding disk(String name, Path wanted) {
        Path folder = nearest(wanted);
        try {
            long freeBytes = Files.getFileStore(folder).getUsableSpace();
            boolean enough = freeBytes >= DISK_BYTES_MIN;
            return new Finding(
                    name,
                    enough ? State.OK : State.MISSING,
                    true,
                    freeBytes / (1 << 20) + " MB free at " + wanted,
                    enough
                            ? ""
                            : "free at least "
                                    + DISK_BYTES_MIN / (1 << 20)
                                    + " MB: docker image prune, or delete old runs in histories/");
        } catch (IOException e) {
            return new Finding(name, State.UNKNOWN, false, "cannot be seen: " + wanted, "");
        }
    }
}
