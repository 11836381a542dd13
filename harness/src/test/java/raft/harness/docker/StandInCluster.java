package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import raft.harness.cluster.Completion;
import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.Link;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * A cluster of {@link StandInNode}s, or of our real nodes, with what tests ask of it. Closed by the
 * test.
 */
final class StandInCluster implements AutoCloseable {
    /** How long a datagram may take under load; only a failing test waits so long. */
    private static final long DELIVERY_MILLIS = 10_000;

    /** How long is waited for a datagram that must not come; others take well under 1 ms. */
    private static final long SILENCE_MILLIS = 150;

    private static final long OUTCOME_MILLIS = 60_000;
    private static final AtomicLong COUNT = new AtomicLong();

    private final DockerCluster cluster;
    private final String runId;
    private final HttpClient http = HttpClient.newHttpClient();
    private final AtomicLong faults = new AtomicLong();

    private StandInCluster(DockerCluster cluster, String runId) {
        this.cluster = cluster;
        this.runId = runId;
    }

    /** Starts one; its run's folder is {@code folder}. */
    static StandInCluster start(Path folder, int nodeCount) throws IOException {
        String runId = newRunId();
        Path jar = ContainerEngine.standInJar(Files.createDirectories(folder));
        DockerCluster cluster =
                DockerCluster.start(
                        DockerOptions.ofJar(runId, nodeCount, jar), folder, System.err::println);
        return new StandInCluster(cluster, runId);
    }

    /** Starts one whose nodes have their data on volumes of {@code dataBytes}. */
    static StandInCluster startSmall(Path folder, int nodeCount, long dataBytes)
            throws IOException {
        String runId = newRunId();
        Path jar = ContainerEngine.standInJar(Files.createDirectories(folder));
        DockerOptions options =
                DockerOptions.ofJar(runId, nodeCount, jar).withSmallVolumes(dataBytes);
        return new StandInCluster(DockerCluster.start(options, folder, System.err::println), runId);
    }

    /** Starts one of our own nodes, which the build has packed before these tests. */
    static StandInCluster startReal(Path folder, int nodeCount, int spareCount) throws IOException {
        String runId = newRunId();
        Path jar = ProjectFolder.find().resolve("raft-node/target/raft-node.jar");
        assertThat(jar).as("mvn package makes it").exists();
        DockerOptions options = DockerOptions.ofJar(runId, nodeCount, jar).withSpares(spareCount);
        return new StandInCluster(DockerCluster.start(options, folder, System.err::println), runId);
    }

    /** An id that no other run on this engine has. */
    static String newRunId() {
        return "t"
                + Long.toString(ProcessHandle.current().pid(), 36)
                + "-"
                + Long.toString(System.currentTimeMillis(), 36)
                + "-"
                + COUNT.incrementAndGet();
    }

    DockerCluster cluster() {
        return cluster;
    }

    String runId() {
        return runId;
    }

    /** Installs a fault, numbered anew, and waits for what came of it. */
    Injected inject(FaultAction action) throws InterruptedException {
        ActiveFault fault = new ActiveFault(faults.incrementAndGet(), "test", action);
        cluster.inject(fault);
        return new Injected(fault, outcome(fault.id(), true));
    }

    /** A fault and what came of its start. */
    record Injected(ActiveFault fault, FaultOutcome outcome) {}

    FaultOutcome heal(Injected injected) throws InterruptedException {
        cluster.heal(injected.fault());
        return outcome(injected.fault().id(), false);
    }

    /** Asks for a fault, takes another back, and waits for both. */
    Injected injectWhileHealing(FaultAction action, Injected other) throws InterruptedException {
        ActiveFault fault = new ActiveFault(faults.incrementAndGet(), "test", action);
        cluster.inject(fault);
        cluster.heal(other.fault());
        Map<Long, FaultOutcome> outcomes = new TreeMap<>();
        while (outcomes.size() < 2) {
            Completion completion =
                    cluster.poll(
                            cluster.nowNanos() + TimeUnit.MILLISECONDS.toNanos(OUTCOME_MILLIS));
            assertThat(completion).isInstanceOf(Completion.FaultChange.class);
            Completion.FaultChange change = (Completion.FaultChange) completion;
            outcomes.put(change.faultId(), change.outcome());
        }
        return new Injected(fault, Objects.requireNonNull(outcomes.get(fault.id())));
    }

    private FaultOutcome outcome(long id, boolean injected) throws InterruptedException {
        Completion completion =
                cluster.poll(cluster.nowNanos() + TimeUnit.MILLISECONDS.toNanos(OUTCOME_MILLIS));
        assertThat(completion).isInstanceOf(Completion.FaultChange.class);
        Completion.FaultChange change = (Completion.FaultChange) completion;
        assertThat(change.faultId()).isEqualTo(id);
        assertThat(change.injected()).isEqualTo(injected);
        return change.outcome();
    }

    List<NodeStatus> observe() throws InterruptedException {
        cluster.observe();
        Completion completion =
                cluster.poll(cluster.nowNanos() + TimeUnit.MILLISECONDS.toNanos(OUTCOME_MILLIS));
        assertThat(completion).isInstanceOf(Completion.Observation.class);
        return ((Completion.Observation) completion).nodes();
    }

    /** Every directed pair. */
    Set<Link> allLinks() {
        Set<Link> links = new TreeSet<>();
        for (String from : cluster.nodes()) {
            for (String to : cluster.nodes()) {
                if (!from.equals(to)) {
                    links.add(new Link(from, to));
                }
            }
        }
        return links;
    }

    Set<Link> allLinksBut(Link... cut) {
        Set<Link> links = allLinks();
        links.removeAll(List.of(cut));
        return links;
    }

    /**
     * Lets every node send a datagram to every other, in IPv4, and says over which links one
     * arrived.
     */
    Set<Link> delivered(Set<Link> expected) throws IOException, InterruptedException {
        return delivered(expected, Pod::address);
    }

    /** Whether the nodes have addresses of IPv6 too, which is up to the engine and the kernel. */
    boolean hasIpv6() {
        return !cluster.pod("n1").address6().isEmpty();
    }

    /** As {@link #delivered(Set)}, in IPv6. */
    Set<Link> deliveredInIpv6(Set<Link> expected) throws IOException, InterruptedException {
        return delivered(expected, Pod::address6);
    }

    private Set<Link> delivered(Set<Link> expected, Function<Pod, String> address)
            throws IOException, InterruptedException {
        Map<Link, Long> before = received(address);
        List<String> asked = new ArrayList<>();
        for (Link link : allLinks()) {
            asked.add(get(link.from(), "/send?" + address.apply(cluster.pod(link.to()))));
        }
        assertThat(asked).containsOnly("sent");
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DELIVERY_MILLIS);
        Set<Link> arrived = arrivedSince(before, address);
        while (!arrived.containsAll(expected) && System.nanoTime() < deadline) {
            Thread.sleep(10);
            arrived = arrivedSince(before, address);
        }
        Thread.sleep(SILENCE_MILLIS);
        return arrivedSince(before, address);
    }

    private Set<Link> arrivedSince(Map<Link, Long> before, Function<Pod, String> address)
            throws IOException, InterruptedException {
        Set<Link> arrived = new TreeSet<>();
        received(address)
                .forEach(
                        (link, count) -> {
                            if (count > before.getOrDefault(link, 0L)) {
                                arrived.add(link);
                            }
                        });
        return arrived;
    }

    /** What came from the nodes' addresses of one family. */
    private Map<Link, Long> received(Function<Pod, String> address)
            throws IOException, InterruptedException {
        Map<String, String> names = new TreeMap<>();
        for (String node : cluster.nodes()) {
            String text = address.apply(cluster.pod(node));
            names.put(InetAddress.getByName(text).getHostAddress(), node);
        }
        Map<Link, Long> counts = new TreeMap<>();
        for (String node : cluster.nodes()) {
            JsonNode received =
                    JsonMapper.shared().readTree(get(node, "/status")).required("received");
            for (Map.Entry<String, JsonNode> entry : received.properties()) {
                String from = names.get(entry.getKey());
                if (from != null) {
                    counts.put(new Link(from, node), entry.getValue().asLong());
                }
            }
        }
        return counts;
    }

    /** "connected" or "failed", as seen by {@code from}. */
    String connect(String from, String to) throws IOException, InterruptedException {
        return get(from, "/connect?" + cluster.pod(to).address());
    }

    private String get(String node, String path) throws IOException, InterruptedException {
        InetSocketAddress address = cluster.pod(node).http();
        URI uri =
                URI.create(
                        "http://"
                                + address.getAddress().getHostAddress()
                                + ":"
                                + address.getPort()
                                + path);
        HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20)).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    @Override
    public void close() {
        http.close();
        cluster.close();
    }
}
