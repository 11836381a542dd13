package raft.harness.system;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Where one node stands among the others.
 *
 * @param node its name, "n1" say
 * @param clusterId unique to the run
 * @param addresses every member's address in the run's network, this node's included
 * @param spare whether this node is no member at the start, but waits to be added; only systems
 *     whose members can change ever see one
 */
public record Placement(
        String node, String clusterId, SortedMap<String, String> addresses, boolean spare) {
    /** Where nodes talk to each other. */
    public static final int PEER_PORT = 7000;

    /** Where clients are served. */
    public static final int CLIENT_PORT = 7001;

    /** Where the harness asks for the status. */
    public static final int STATUS_PORT = 7002;

    /** What outlives the process. */
    public static final String DATA_FOLDER = "/data";

    public Placement {
        addresses = Collections.unmodifiableSortedMap(new TreeMap<>(addresses));
        if (!addresses.containsKey(node)) {
            throw new IllegalArgumentException(
                    node + " is not among the members " + addresses.keySet());
        }
    }

    /** One of the members that the cluster begins with. */
    public Placement(String node, String clusterId, SortedMap<String, String> addresses) {
        this(node, clusterId, addresses, false);
    }

    /** The members that the cluster begins with, sorted by name, with their addresses. */
    public SortedMap<String, String> members() {
        SortedMap<String, String> members = new TreeMap<>(addresses);
        if (spare) {
            members.remove(node);
        }
        return members;
    }

    /** This node's own address. */
    public String address() {
        return address(node);
    }

    /** Any member's address. */
    public String address(String member) {
        String address = addresses.get(member);
        if (address == null) {
            throw new IllegalArgumentException("there is no member " + member);
        }
        return address;
    }
}
