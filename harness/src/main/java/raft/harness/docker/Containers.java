package raft.harness.docker;

import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.command.CreateVolumeCmd;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.ContainerConfig;
import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.LogConfig;
import com.github.dockerjava.api.model.Network;
import com.github.dockerjava.api.model.PortBinding;
import com.github.dockerjava.api.model.Ports;
import com.github.dockerjava.api.model.RestartPolicy;
import com.github.dockerjava.api.model.Volume;

import org.jspecify.annotations.Nullable;

import raft.harness.system.ImageSource;
import raft.harness.system.Placement;
import raft.harness.system.Start;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * Makes and removes what one run has in the engine: its network, its pods, their volumes. Every
 * object carries the run's labels from its creation on, so that nothing is lost whenever this
 * process dies.
 */
final class Containers implements AutoCloseable {
    private static final String PREFIX = "raftlab-";
    static final String NET_LOOP = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done";

    /** What both containers of a pod share: the libraries of docker/faults and their controls. */
    private static final String CONTROL_FOLDER = "/raftlab";

    private static final String CONTROL_SETUP =
            "mkdir -p /raftlab/clock && cp -r /opt/faults/lib /opt/faults/run /raftlab/ && echo +0"
                + " > /raftlab/clock/offset && head -c 8320 /dev/zero > /raftlab/disk && chmod 666"
                + " /raftlab/disk && chmod -R a+rX /raftlab";

    private static final String TLS_FOLDER = CONTROL_FOLDER + "/tls";

    /** What tells our node to speak TLS alone, with what lies in its pod. */
    static final Map<String, String> TLS_ENVIRONMENT =
            Map.of(
                    "RAFT_TLS",
                    "all",
                    "RAFT_TLS_CERT",
                    TLS_FOLDER + "/node.crt",
                    "RAFT_TLS_KEY",
                    TLS_FOLDER + "/node.key",
                    "RAFT_TLS_CA",
                    TLS_FOLDER + "/ca.crt");

    private static final long NET_MEMORY_BYTES = 64L << 20;
    private static final int NETWORK_TRIES = 30;
    private static final int CONNECT_MILLIS = 1000;

    private final Engine engine;
    private final DockerOptions options;
    private final Images.Ready images;
    private final Path runFolder;
    private final Map<String, String> labels;
    private boolean hasV6;
    private final ExecutorService workers =
            Executors.newCachedThreadPool(
                    Thread.ofPlatform().name("containers-", 0).daemon(true).factory());
    private final SortedMap<String, String> addresses = new TreeMap<>();
    private final SortedMap<String, String> addresses6 = new TreeMap<>();
    private final SortedMap<String, Pod> pods = new TreeMap<>();

    Containers(Engine engine, DockerOptions options, Images.Ready images, Path runFolder) {
        this.engine = engine;
        this.options = options;
        this.images = images;
        this.runFolder = runFolder;
        this.labels = new LinkedHashMap<>(Owner.here(options.runId()).labels());
        labels.put(RunningCluster.RECORD, runFolder.toAbsolutePath().toString());
    }

    /** Brings up network and pods; the nodes' processes run afterwards, but may not answer yet. */
    void start() throws EngineException {
        String subnet = createNetwork();
        for (int i = 1; i <= options.nodeCount() + options.spareCount(); i++) {
            addresses.put("n" + i, Subnets.address(subnet, 10 + i));
            if (hasV6) {
                addresses6.put("n" + i, Subnets.address6(subnet, 10 + i));
            }
        }
        Map<String, CompletableFuture<Pod>> starting = new LinkedHashMap<>();
        for (String node : addresses.keySet()) {
            starting.put(node, CompletableFuture.supplyAsync(() -> startPod(node), workers));
        }
        RuntimeException failure = null;
        for (Map.Entry<String, CompletableFuture<Pod>> entry : starting.entrySet()) {
            try {
                pods.put(entry.getKey(), entry.getValue().join());
            } catch (CompletionException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw new EngineException(
                    "a node's containers could not be started: " + Engine.rootMessage(failure),
                    failure);
        }
    }

    private String name(String what) {
        return PREFIX + options.runId() + "-" + what;
    }

    private String createNetwork() throws EngineException {
        List<String> taken = takenSubnets();
        String lastReason =
                "none of 10.77.0.0/16 to 10.92.0.0/16 is free; run ./raft clean, or docker network"
                        + " prune";
        for (String subnet : Subnets.candidates(options.runId(), taken, NETWORK_TRIES)) {
            try {
                createNetwork(subnet);
                return subnet;
            } catch (DockerException e) {
                // Another run took it since we looked, or something here uses it.
                lastReason = Engine.rootMessage(e);
                if (!Subnets.isTaken(lastReason)) {
                    break;
                }
            }
        }
        throw new EngineException("the run's network could not be made: " + lastReason);
    }

    /** With IPv6 beside IPv4 where the engine and the kernel have it. */
    private void createNetwork(String subnet) {
        try {
            createNetwork(
                    new Network.Ipam.Config().withSubnet(subnet),
                    new Network.Ipam.Config().withSubnet(Subnets.subnet6(subnet)));
            hasV6 = true;
        } catch (DockerException e) {
            if (Subnets.isTaken(Engine.rootMessage(e))) {
                throw e;
            }
            createNetwork(new Network.Ipam.Config().withSubnet(subnet));
        }
    }

    private void createNetwork(Network.Ipam.Config... subnets) {
        engine.commands()
                .createNetworkCmd()
                .withName(name("net"))
                .withDriver("bridge")
                .withCheckDuplicate(true)
                .withEnableIpv6(subnets.length > 1)
                .withLabels(labels)
                .withIpam(new Network.Ipam().withConfig(subnets))
                .exec();
    }

    private List<String> takenSubnets() {
        List<String> taken = new ArrayList<>(Subnets.routed());
        for (Network network : engine.commands().listNetworksCmd().exec()) {
            Network.Ipam ipam = network.getIpam();
            if (ipam != null && ipam.getConfig() != null) {
                ipam.getConfig().forEach(config -> taken.add(String.valueOf(config.getSubnet())));
            }
        }
        return taken;
    }

    private Pod startPod(String node) {
        String net = name(node + "-net");
        String process = name(node);
        String volume = name(node + "-data");
        createData(volume);
        String control = name(node + "-control");
        engine.commands().createVolumeCmd().withName(control).withLabels(labels).exec();
        createNet(node, net, volume, control);
        engine.commands().startContainerCmd(net).exec();
        PodShell shell = new PodShell(engine, net);
        try {
            shell.check(CONTROL_SETUP, CONNECT_MILLIS * 20L);
            RunAuthority authority = options.authority();
            if (authority != null) {
                putIdentity(node, authority, shell);
            }
            createNode(node, net, process, volume, control);
            NodeLog log =
                    new NodeLog(
                            engine,
                            process,
                            runFolder.resolve("nodes").resolve(node).resolve("node.log"));
            engine.commands().startContainerCmd(process).exec();
            log.follow();
            return new Pod(
                    node,
                    net,
                    process,
                    volume,
                    address(node),
                    addresses6.getOrDefault(node, ""),
                    isControlled(),
                    reachable(node, net, Placement.CLIENT_PORT),
                    reachable(node, net, Placement.STATUS_PORT),
                    shell,
                    log);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Into what both containers of the pod share; it stays there for every start of the node. */
    private void putIdentity(String node, RunAuthority authority, PodShell shell)
            throws IOException {
        String published = InetAddress.getByName(publishedHost()).getHostAddress();
        RunAuthority.Identity own = authority.issue(node, List.of(address(node), published));
        shell.check(
                "mkdir -p "
                        + TLS_FOLDER
                        + put("node.crt", own.certificate())
                        + put("node.key", own.key())
                        + put("ca.crt", own.authority())
                        + "\nchmod -R a+rX "
                        + TLS_FOLDER,
                CONNECT_MILLIS * 20L);
    }

    private static String put(String file, String pem) {
        return "\ncat > " + TLS_FOLDER + "/" + file + " <<'PEM'\n" + pem + "PEM";
    }

    private void createData(String volume) {
        CreateVolumeCmd create =
                engine.commands().createVolumeCmd().withName(volume).withLabels(labels);
        if (options.dataBytes() > 0) {
            // The pod's other container keeps it mounted, so it outlives the node's process.
            create.withDriverOpts(
                    Map.of(
                            "type",
                            "tmpfs",
                            "device",
                            "tmpfs",
                            "o",
                            "size=" + options.dataBytes() + ",mode=1777"));
        }
        create.exec();
    }

    /** Whether a node is none of the members that the cluster begins with. */
    boolean isSpare(String node) {
        return Integer.parseInt(node.substring(1)) > options.nodeCount();
    }

    /** Only our own node: other images are used unchanged. */
    private boolean isControlled() {
        return options.system().image() instanceof ImageSource.NodeJar;
    }

    private void createNet(String node, String net, String volume, String control) {
        HostConfig host =
                HostConfig.newHostConfig()
                        .withNetworkMode(name("net"))
                        .withCapDrop(Capability.ALL)
                        // The node's files belong to the node's user; copies of packets are sent
                        // raw.
                        .withCapAdd(
                                Capability.NET_ADMIN, Capability.NET_RAW, Capability.DAC_OVERRIDE)
                        .withBinds(
                                new Bind(volume, new Volume(Disks.FILES), AccessMode.rw),
                                new Bind(control, new Volume(CONTROL_FOLDER), AccessMode.rw))
                        .withSecurityOpts(List.of("no-new-privileges"))
                        .withReadonlyRootfs(true)
                        .withTmpFs(Map.of("/run", "rw,size=4m", "/tmp", "rw,size=4m"))
                        // What is in a volume in memory counts for whoever wrote it.
                        .withMemory(NET_MEMORY_BYTES + options.dataBytes())
                        .withRestartPolicy(RestartPolicy.noRestart())
                        .withPortBindings(
                                published(Placement.CLIENT_PORT), published(Placement.STATUS_PORT));
        CreateContainerCmd create =
                engine.commands()
                        .createContainerCmd(images.net())
                        .withName(net)
                        .withHostName(node)
                        .withLabels(labels)
                        .withEntrypoint("sh", "-c", NET_LOOP)
                        .withCmd(List.of())
                        .withExposedPorts(
                                ExposedPort.tcp(Placement.CLIENT_PORT),
                                ExposedPort.tcp(Placement.STATUS_PORT))
                        .withHostConfig(host)
                        .withIpv4Address(address(node));
        if (hasV6) {
            create.withIpv6Address(addresses6.get(node));
        }
        create.exec();
    }

    /** A port on this machine's loopback that the engine chooses. */
    private static PortBinding published(int port) {
        return new PortBinding(Ports.Binding.bindIp("127.0.0.1"), ExposedPort.tcp(port));
    }

    private void createNode(
            String node, String net, String process, String volume, String control) {
        HostConfig host =
                HostConfig.newHostConfig()
                        .withNetworkMode("container:" + net)
                        .withCapDrop(Capability.ALL)
                        .withSecurityOpts(List.of("no-new-privileges"))
                        .withReadonlyRootfs(true)
                        .withTmpFs(Map.of("/tmp", "rw,mode=1777,size=64m"))
                        .withBinds(
                                new Bind(volume, new Volume(Placement.DATA_FOLDER), AccessMode.rw),
                                new Bind(control, new Volume(CONTROL_FOLDER), AccessMode.rw))
                        .withMemory(options.nodeMemoryBytes() + options.dataBytes())
                        .withMemorySwap(options.nodeMemoryBytes() + options.dataBytes())
                        .withRestartPolicy(RestartPolicy.noRestart())
                        .withLogConfig(
                                // Said outright: the engine's default may be a kind that cannot
                                // be read back.
                                new LogConfig(LogConfig.LoggingType.JSON_FILE, Map.of()));
        SortedMap<String, String> known = new TreeMap<>(addresses);
        known.keySet().removeIf(other -> isSpare(other) && !other.equals(node));
        Start start =
                options.system().start(new Placement(node, options.runId(), known, isSpare(node)));
        Map<String, String> environment = new TreeMap<>(options.environment());
        environment.putAll(start.environment());
        CreateContainerCmd create =
                engine.commands()
                        .createContainerCmd(images.node())
                        .withName(process)
                        .withLabels(labels)
                        .withEnv(
                                environment.entrySet().stream()
                                        .map(e -> e.getKey() + "=" + e.getValue())
                                        .toList())
                        .withHostConfig(host);
        if (!start.command().isEmpty()) {
            create.withEntrypoint(start.command()).withCmd(List.of());
        } else if (isControlled()) {
            List<String> command = new ArrayList<>(List.of("/bin/sh", CONTROL_FOLDER + "/run"));
            command.addAll(ownCommand());
            create.withEntrypoint(command).withCmd(List.of());
        }
        create.exec();
    }

    /** What the image itself would start. */
    private List<String> ownCommand() {
        ContainerConfig config =
                engine.commands().inspectImageCmd(images.node()).exec().getConfig();
        List<String> words = new ArrayList<>();
        if (config != null && config.getEntrypoint() != null) {
            words.addAll(List.of(config.getEntrypoint()));
        }
        if (config != null && config.getCmd() != null) {
            words.addAll(List.of(config.getCmd()));
        }
        return words;
    }

    private String address(String node) {
        String address = addresses.get(node);
        if (address == null) {
            throw new IllegalStateException("no address for " + node);
        }
        return address;
    }

    /**
     * The pod's own address where this machine routes to it, else the published port. The forwarder
     * behind a published port accepts connections also for a dead node, and then a refused
     * connection, which tells for certain that nothing was done, could not be told from a lost one.
     */
    private InetSocketAddress reachable(String node, String net, int port)
            throws UnknownHostException {
        InetSocketAddress direct =
                new InetSocketAddress(InetAddress.getByName(address(node)), port);
        if (answersDirectly(direct)) {
            return direct;
        }
        InspectContainerResponse seen = engine.commands().inspectContainerCmd(net).exec();
        Ports.Binding[] bindings =
                seen.getNetworkSettings().getPorts().getBindings().get(ExposedPort.tcp(port));
        if (bindings == null || bindings.length == 0) {
            throw new IllegalStateException("the engine published no port for " + net);
        }
        return new InetSocketAddress(
                InetAddress.getByName(publishedHost()),
                Integer.parseInt(bindings[0].getHostPortSpec()));
    }

    /** Where the engine publishes ports. */
    private String publishedHost() {
        String host = engine.host().getHost();
        return host == null || host.isEmpty() ? "127.0.0.1" : host;
    }

    /** A refusal is an answer too. */
    private static boolean answersDirectly(InetSocketAddress address) {
        try (Socket socket = new Socket()) {
            socket.connect(address, CONNECT_MILLIS);
            return true;
        } catch (ConnectException e) {
            return String.valueOf(e.getMessage()).contains("refused");
        } catch (IOException e) {
            return false;
        }
    }

    Engine engine() {
        return engine;
    }

    ExecutorService workers() {
        return workers;
    }

    Collection<Pod> pods() {
        return List.copyOf(pods.values());
    }

    Map<String, InetSocketAddress> addresses(Function<Pod, InetSocketAddress> which) {
        Map<String, InetSocketAddress> result = new TreeMap<>();
        pods.forEach((node, pod) -> result.put(node, which.apply(pod)));
        return result;
    }

    /** The first of these nodes whose container has ended; null when all run. */
    @Nullable String firstEnded(List<String> nodes) {
        for (String node : nodes) {
            var state = engine.commands().inspectContainerCmd(name(node)).exec().getState();
            if (!Boolean.TRUE.equals(state.getRunning())) {
                return node;
            }
        }
        return null;
    }

    /** The end of a node's log and where the rest is, to be put behind an error message. */
    String whatItSaid(String node) {
        Pod pod = pods.get(node);
        if (pod == null) {
            return "";
        }
        try {
            pod.log().complete();
        } catch (IOException e) {
            return " (" + e.getMessage() + ")";
        }
        String tail = pod.log().tail(1).strip();
        return (tail.isEmpty() ? "; it said nothing" : "; its last words: " + tail)
                + " (log: "
                + runFolder.resolve("nodes").resolve(node).resolve("node.log")
                + ")";
    }

    /** Keeps the logs and removes everything of this run. */
    @Override
    public void close() {
        List<CompletableFuture<Void>> ending = new ArrayList<>();
        for (Pod pod : pods.values()) {
            ending.add(CompletableFuture.runAsync(() -> end(pod), workers));
        }
        CompletableFuture.allOf(ending.toArray(CompletableFuture[]::new)).join();
        List<String> removed = Cleaner.removeRun(engine, options.runId());
        assert removed != null;
        workers.shutdownNow();
        engine.close();
    }

    private void end(Pod pod) {
        pod.shell().close();
        try {
            engine.commands().killContainerCmd(pod.nodeContainer()).exec();
        } catch (DockerException e) {
            // It was down already, or somebody removed it; the log is fetched all the same.
        }
        try {
            pod.log().complete();
        } catch (IOException | NotFoundException e) {
            // What was followed while it ran stays in the file.
        }
    }
}
