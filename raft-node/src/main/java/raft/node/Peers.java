package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.Configuration;
import raft.core.Message;
import raft.core.NodeId;
import raft.peer.Handshake.Hello;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;

/**
 * The links to other nodes. There is one for each member, which comes and goes with the
 * configuration, and one for each node that made itself known: who leads or is about to may have
 * been added by an entry that this node does not have yet, and must be answered all the same.
 *
 * <p>Thread-safe.
 */
final class Peers {
    /** Nodes that are no members may make themselves known; so many at a time are answered. */
    private static final int GUEST_COUNT_MAX = 32;

    private final NodeId self;
    private final Map<NodeId, NodeConfig.Address> settings;
    private final Configuration initial;
    private final PeerIdentities identities;
    private final BiFunction<NodeId, NodeConfig.Address, PeerLink> connect;

    // Under this object's monitor.
    private final TreeMap<NodeId, PeerLink> links = new TreeMap<>();
    private final TreeMap<NodeId, NodeConfig.Address> addresses = new TreeMap<>();
    private Configuration members = Configuration.NONE;
    private boolean stopped;

    /**
     * @param settings addresses that this node was started with; for members that are where they
     *     were at the beginning they go before the log's, so that one can be moved by telling it to
     *     all that are restarted
     * @param initial whom the cluster began with
     * @param connect makes a link and starts it
     */
    Peers(
            NodeId self,
            Map<NodeId, NodeConfig.Address> settings,
            Configuration initial,
            PeerIdentities identities,
            BiFunction<NodeId, NodeConfig.Address, PeerLink> connect) {
        this.self = self;
        this.settings = settings;
        this.initial = initial;
        this.identities = identities;
        this.connect = connect;
    }

    /** These are the members from now on. */
    synchronized void configured(Configuration next) {
        for (Configuration.Member member : members.members()) {
            if (!next.contains(member.id()) && !settings.containsKey(member.id())) {
                remove(member.id());
            }
        }
        members = next;
        identities.configured(next);
        for (Configuration.Member member : next.members()) {
            NodeConfig.Address told = parse(member.address());
            NodeConfig.Address here = settings.get(member.id());
            Configuration.Member first = initial.member(member.id());
            boolean founder = first != null && first.address().equals(member.address());
            link(member.id(), here != null && (founder || told == null) ? here : told);
        }
        settings.forEach(
                (id, address) -> {
                    if (!next.contains(id)) {
                        link(id, address);
                    }
                });
    }

    /** Those that are committed: whoever is none of them may come back as somebody new. */
    void committed(Configuration committed) throws IOException {
        identities.committed(committed);
    }

    /** Another node says hello; its data directory is remembered where none was yet. */
    void met(Hello theirs) throws IOException {
        synchronized (this) {
            long guests = links.keySet().stream().filter(id -> !members.contains(id)).count();
            if (!links.containsKey(theirs.nodeId()) && guests < GUEST_COUNT_MAX) {
                link(theirs.nodeId(), parse(theirs.address()));
            }
        }
        objection(theirs);
    }

    /**
     * Why nothing that it promises must be taken, null if all may; remembers whom it never saw.
     *
     * <p>Who does not vote counts nobody's promises, and does not hear of it when another node is
     * replaced: it takes each as it comes, or could never be added by a leader that was replaced
     * while it waited.
     */
    @Nullable String objection(Hello theirs) throws IOException {
        boolean votes;
        synchronized (this) {
            votes = members.isVoter(self);
        }
        if (votes) {
            return identities.objection(theirs.nodeId(), theirs.dataId());
        }
        identities.accept(theirs.nodeId(), theirs.dataId());
        return null;
    }

    private void link(NodeId id, NodeConfig.@Nullable Address told) {
        if (id.equals(self) || told == null || stopped) {
            return;
        }
        if (!told.equals(addresses.put(id, told))) {
            PeerLink before = links.put(id, connect.apply(id, told));
            if (before != null) {
                before.stop();
            }
        }
    }

    private void remove(NodeId id) {
        addresses.remove(id);
        PeerLink link = links.remove(id);
        if (link != null) {
            link.stop();
        }
    }

    /** Queues or drops; never waits. */
    void send(NodeId to, Message message) {
        PeerLink link;
        synchronized (this) {
            link = links.get(to);
        }
        if (link != null) {
            link.send(message);
        }
    }

    synchronized List<PeerLink> values() {
        return new ArrayList<>(links.values());
    }

    synchronized void stop() {
        stopped = true;
        links.values().forEach(PeerLink::stop);
    }

    /** Null for what is no HOST:PORT. */
    static NodeConfig.@Nullable Address parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1 || !text.substring(colon + 1).matches("[0-9]{1,5}")) {
            return null;
        }
        String host = text.substring(0, colon);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        int port = Integer.parseInt(text.substring(colon + 1));
        return port < 1 || port > 65_535
                ? null
                : new NodeConfig.Address(
                        bracketed ? host.substring(1, host.length() - 1) : host, port);
    }
}
