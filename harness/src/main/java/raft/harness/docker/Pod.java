package raft.harness.docker;

import java.net.InetSocketAddress;

/**
 * A node's two containers and where they are to be reached.
 *
 * @param node "n1"
 * @param netContainer owns the network, lives as long as the cluster
 * @param nodeContainer holds only the node; what is killed, started and paused
 * @param volume the node's data
 * @param address in the run's own network, the same for the whole run
 * @param address6 the same in IPv6, "" where the network has none
 * @param controlled whether its process was started with the libraries that make its clock and disk
 *     fail
 * @param client where the harness reaches the client port
 * @param http where the harness reaches the status port
 * @param shell in the network container
 * @param log of the node's container
 */
record Pod(
        String node,
        String netContainer,
        String nodeContainer,
        String volume,
        String address,
        String address6,
        boolean controlled,
        InetSocketAddress client,
        InetSocketAddress http,
        PodShell shell,
        NodeLog log) {}
