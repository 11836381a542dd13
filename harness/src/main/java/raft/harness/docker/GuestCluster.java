package raft.harness.docker;

import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultOutcome.Status;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Somebody else's cluster of containers, to read, write and look at. Faults are its holder's: who
 * put one in force is the only one who knows what to take back. Closing it leaves it as it is.
 */
public final class GuestCluster extends ContainerCluster {
    private final RunningCluster host;
    private final StatusProbe statuses;
    private final ProtocolClients clients;

    public GuestCluster(RunningCluster host) {
        this(host, new StatusProbe(ProtocolSystem.ofImage("attached"), host.http(), null));
    }

    private GuestCluster(RunningCluster host, StatusProbe statuses) {
        super(statuses);
        this.host = host;
        this.statuses = statuses;
        this.clients = new ProtocolClients(host.clients(), this::nowNanos, this::complete);
    }

    private String reason() {
        return "process "
                + host.pid()
                + " started this cluster and holds its faults; make them there";
    }

    @Override
    public List<String> nodes() {
        return host.nodes();
    }

    @Override
    public void invoke(Invocation invocation) {
        clients.invoke(invocation);
    }

    @Override
    public void inject(ActiveFault fault) {
        complete(
                new Completion.FaultChange(
                        fault.id(), true, Findings.of(Status.SKIPPED, reason())));
    }

    @Override
    public void heal(ActiveFault fault) {
        complete(
                new Completion.FaultChange(
                        fault.id(), false, Findings.of(Status.SKIPPED, reason())));
    }

    @Override
    public Map<FaultKind, String> impossible() {
        Map<FaultKind, String> all = new EnumMap<>(FaultKind.class);
        for (FaultKind kind : FaultKind.values()) {
            all.put(kind, reason());
        }
        return all;
    }

    @Override
    public void healAll() {
        // Nothing of it is ours.
    }

    @Override
    public void close() {
        clients.close();
        statuses.close();
    }
}
