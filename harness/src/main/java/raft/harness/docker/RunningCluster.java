package raft.harness.docker;

import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.api.model.ContainerPort;

import raft.harness.system.Placement;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A cluster of containers that some process on this engine has up, as its labels tell.
 *
 * @param run the run's id
 * @param pid the process that started it, which alone can put faults into it and take them back
 * @param holder whether that process lives: "lives", "dead", or "unknown" from here
 * @param record the folder in which that process records, "" where it did not say
 * @param clients where each node's client port is to be reached from this machine
 * @param http the same of its status port
 */
public record RunningCluster(
        String run,
        long pid,
        String holder,
        String record,
        Map<String, InetSocketAddress> clients,
        Map<String, InetSocketAddress> http) {
    /** On every object beside its owner; its value is the run's folder. */
    static final String RECORD = "raftlab.record";

    private static final String NET = "-net";

    public RunningCluster {
        clients = new TreeMap<>(clients);
        http = new TreeMap<>(http);
    }

    /** Names of the nodes that are to be reached, sorted. */
    public List<String> nodes() {
        return List.copyOf(clients.keySet());
    }

    /** Whether nobody can mend it any more, so that {@code ./raft clean} removes it. */
    public boolean isLeftBehind() {
        return holder.equals("dead");
    }

    /** All that the engine has, sorted by run; none of those of this process. */
    public static List<RunningCluster> ofOthers(Engine engine) {
        Map<String, List<Container>> runs = new TreeMap<>();
        for (Container container :
                engine.commands()
                        .listContainersCmd()
                        .withShowAll(true)
                        .withLabelFilter(List.of(Owner.RUN))
                        .exec()) {
            String run = container.getLabels().get(Owner.RUN);
            runs.computeIfAbsent(run, ignored -> new ArrayList<>()).add(container);
        }
        Owner me = Owner.here("");
        List<RunningCluster> found = new ArrayList<>();
        for (List<Container> containers : runs.values()) {
            Owner owner = Owner.of(containers.getFirst().getLabels());
            if (owner != null && !(owner.pid() == me.pid() && owner.life(me) == Owner.Life.LIVES)) {
                found.add(of(owner, owner.life(me), containers));
            }
        }
        return found;
    }

    private static RunningCluster of(Owner owner, Owner.Life life, List<Container> containers) {
        Map<String, InetSocketAddress> clients = new TreeMap<>();
        Map<String, InetSocketAddress> http = new TreeMap<>();
        for (Container container : containers) {
            String name = container.getNames()[0];
            ContainerPort[] ports = container.getPorts();
            if (!name.endsWith(NET) || ports == null) {
                continue;
            }
            String pod = name.substring(0, name.length() - NET.length());
            String node = pod.substring(pod.lastIndexOf('-') + 1);
            for (ContainerPort port : ports) {
                Integer there = port.getPublicPort();
                if (there == null) {
                    continue;
                }
                InetSocketAddress address =
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), there);
                int inside = Objects.requireNonNull(port.getPrivatePort());
                if (inside == Placement.CLIENT_PORT) {
                    clients.put(node, address);
                } else if (inside == Placement.STATUS_PORT) {
                    http.put(node, address);
                }
            }
        }
        String holder =
                switch (life) {
                    case LIVES -> "lives";
                    case DEAD -> "dead";
                    case UNKNOWN -> "unknown";
                };
        String record = containers.getFirst().getLabels().getOrDefault(RECORD, "");
        return new RunningCluster(owner.run(), owner.pid(), holder, record, clients, http);
    }
}
