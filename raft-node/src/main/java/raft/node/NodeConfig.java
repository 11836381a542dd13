package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.NodeId;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Everything a node is told at start. Each setting comes from an option ({@code --node-id n1}),
 * else from the environment ({@code RAFT_NODE_ID=n1}), else from its default.
 *
 * @param members every voting member with the address where others reach it, this node included
 * @param peerListen where this node listens for other nodes
 * @param httpListen where status and health are served; null: nowhere
 */
public record NodeConfig(
        NodeId nodeId,
        String clusterId,
        SortedMap<NodeId, Address> members,
        Address peerListen,
        Address clientListen,
        @Nullable Address httpListen,
        Path dataDir,
        int electionTimeoutMillis,
        int heartbeatMillis) {

    static final int ELECTION_TIMEOUT_MILLIS_DEFAULT = 500;
    static final int HEARTBEAT_MILLIS_DEFAULT = 100;

    private static final int MILLIS_MAX = 3_600_000;
    private static final String PREFIX = "RAFT_";
    private static final List<String> SETTINGS =
            List.of(
                    "RAFT_NODE_ID",
                    "RAFT_CLUSTER_ID",
                    "RAFT_MEMBERS",
                    "RAFT_PEER_LISTEN",
                    "RAFT_CLIENT_LISTEN",
                    "RAFT_HTTP_LISTEN",
                    "RAFT_DATA_DIR",
                    "RAFT_ELECTION_TIMEOUT_MS",
                    "RAFT_HEARTBEAT_MS");

    /** For {@code --help}. */
    static final String USAGE =
            """
            Runs one Raft node. Every setting is an option or an environment variable; the option wins.

              --node-id ID               RAFT_NODE_ID              this node's name
              --cluster-id ID            RAFT_CLUSTER_ID           must be equal on all nodes
              --members ID=HOST:PORT,... RAFT_MEMBERS              all nodes and their peer addresses
              --peer-listen HOST:PORT    RAFT_PEER_LISTEN          default: the own address in members
              --client-listen HOST:PORT  RAFT_CLIENT_LISTEN        where clients connect
              --http-listen HOST:PORT    RAFT_HTTP_LISTEN          /status and /health; default: none
              --data-dir FOLDER          RAFT_DATA_DIR             the log; one process at a time
              --election-timeout-ms N    RAFT_ELECTION_TIMEOUT_MS  default 500
              --heartbeat-ms N           RAFT_HEARTBEAT_MS         default 100

            Ends with status 0 after SIGTERM, 254 on bad settings, 255 when it cannot start,
            70 when an invariant broke, 74 when the disk failed.
            """;

    /** A host and a port; port 0 to listen on any free one. */
    public record Address(String host, int port) {
        @Override
        public String toString() {
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /** Settings that cannot be used; the message is one sentence that says which and why. */
    public static final class BadSettingException extends Exception {
        private static final long serialVersionUID = 1;

        BadSettingException(String message) {
            super(message);
        }
    }

    public NodeConfig {
        members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
    }

    /**
     * Reads and checks all settings.
     *
     * @throws BadSettingException if the node cannot start with them
     */
    public static NodeConfig parse(Map<String, String> environment, List<String> options)
            throws BadSettingException {
        Map<String, String> settings = new HashMap<>();
        for (String name : SETTINGS) {
            String value = environment.get(name);
            if (value != null && !value.isBlank()) {
                settings.put(name, value.strip());
            }
        }
        readOptions(options, settings);
        NodeId self = nodeId(required(settings, "RAFT_NODE_ID"), "RAFT_NODE_ID");
        String cluster = nodeId(required(settings, "RAFT_CLUSTER_ID"), "RAFT_CLUSTER_ID").name();
        SortedMap<NodeId, Address> members = members(required(settings, "RAFT_MEMBERS"));
        Address own = members.get(self);
        if (own == null) {
            throw new BadSettingException(
                    "RAFT_MEMBERS does not name this node, " + self + ": " + members.keySet());
        }
        int election =
                millis(settings, "RAFT_ELECTION_TIMEOUT_MS", ELECTION_TIMEOUT_MILLIS_DEFAULT);
        int heartbeat = millis(settings, "RAFT_HEARTBEAT_MS", HEARTBEAT_MILLIS_DEFAULT);
        if (election < 3 * heartbeat) {
            throw new BadSettingException(
                    "RAFT_ELECTION_TIMEOUT_MS ("
                            + election
                            + ") must be at least three times RAFT_HEARTBEAT_MS ("
                            + heartbeat
                            + ")");
        }
        String http = settings.get("RAFT_HTTP_LISTEN");
        String peer = settings.get("RAFT_PEER_LISTEN");
        return new NodeConfig(
                self,
                cluster,
                members,
                peer == null ? own : address(peer, "RAFT_PEER_LISTEN"),
                address(required(settings, "RAFT_CLIENT_LISTEN"), "RAFT_CLIENT_LISTEN"),
                http == null ? null : address(http, "RAFT_HTTP_LISTEN"),
                folder(required(settings, "RAFT_DATA_DIR")),
                election,
                heartbeat);
    }

    private static void readOptions(List<String> options, Map<String, String> settings)
            throws BadSettingException {
        for (int i = 0; i < options.size(); i++) {
            String option = options.get(i);
            int equals = option.indexOf('=');
            String word = equals < 0 ? option : option.substring(0, equals);
            String name = PREFIX + upperCase(word);
            if (!word.startsWith("--") || !SETTINGS.contains(name)) {
                throw new BadSettingException("unknown option " + word + ", see --help");
            }
            if (equals < 0 && i + 1 == options.size()) {
                throw new BadSettingException("option " + word + " needs a value");
            }
            String value = equals < 0 ? options.get(++i) : option.substring(equals + 1);
            settings.put(name, value.strip());
        }
    }

    /** "--node-id" becomes "NODE_ID". */
    private static String upperCase(String word) {
        StringBuilder name = new StringBuilder();
        for (int i = 2; i < word.length(); i++) {
            char c = word.charAt(i);
            name.append(c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : '?');
        }
        return name.toString();
    }

    private static String required(Map<String, String> settings, String name)
            throws BadSettingException {
        String value = settings.get(name);
        if (value == null || value.isEmpty()) {
            throw new BadSettingException(name + " is not set, see --help");
        }
        return value;
    }

    private static NodeId nodeId(String text, String name) throws BadSettingException {
        try {
            return new NodeId(text);
        } catch (IllegalArgumentException e) {
            throw new BadSettingException(
                    name + " must be 1 to 64 letters, digits, '.', '_' or '-', not '" + text + "'");
        }
    }

    private static SortedMap<NodeId, Address> members(String text) throws BadSettingException {
        SortedMap<NodeId, Address> members = new TreeMap<>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals < 0) {
                throw new BadSettingException(
                        "RAFT_MEMBERS must read ID=HOST:PORT,ID=HOST:PORT,..., found '"
                                + part
                                + "'");
            }
            NodeId id = nodeId(part.substring(0, equals).strip(), "a name in RAFT_MEMBERS");
            Address address = address(part.substring(equals + 1).strip(), "RAFT_MEMBERS");
            if (address.port == 0) {
                throw new BadSettingException("RAFT_MEMBERS gives " + id + " port 0");
            }
            if (members.containsValue(address)) {
                throw new BadSettingException("RAFT_MEMBERS gives " + address + " to two nodes");
            }
            if (members.put(id, address) != null) {
                throw new BadSettingException("RAFT_MEMBERS names " + id + " twice");
            }
        }
        return members;
    }

    private static Path folder(String text) throws BadSettingException {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new BadSettingException("RAFT_DATA_DIR is no folder's name: " + e.getMessage());
        }
    }

    private static Address address(String text, String name) throws BadSettingException {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = colon < 0 ? -1 : number(text.substring(colon + 1));
        if (host.isEmpty() || port < 0 || port > 65_535) {
            throw new BadSettingException(name + " must be HOST:PORT, not '" + text + "'");
        }
        return new Address(host, port);
    }

    private static int millis(Map<String, String> settings, String name, int fallback)
            throws BadSettingException {
        String text = settings.get(name);
        int millis = text == null ? fallback : number(text);
        if (millis < 1 || millis > MILLIS_MAX) {
            throw new BadSettingException(
                    name + " must be 1 to " + MILLIS_MAX + " milliseconds, not '" + text + "'");
        }
        return millis;
    }

    /** -1 for anything but a non-negative int in decimal digits. */
    private static int number(String text) {
        if (text.isEmpty() || text.length() > 9) {
            return -1;
        }
        int number = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            number = number * 10 + (c - '0');
        }
        return number;
    }
}
