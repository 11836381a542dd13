package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.NodeId;
import raft.core.RaftConfig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Everything a node is told at start. Each setting comes from an option ({@code --node-id n1}),
 * else from the environment ({@code RAFT_NODE_ID=n1}), else from the file that {@code --config}
 * names ({@code node-id = n1}), else from its default.
 *
 * @param members the members that the cluster began with, and the addresses where others reach
 *     them. Where this node is none of them, it waits to be added. After the first start only the
 *     addresses count
 * @param peerListen where this node listens for other nodes
 * @param httpListen where status and health are served; null: nowhere
 * @param tls null: everything is plain text
 * @param trace where every transition is written as a line; null: nowhere
 * @param leaseDriftPercent by how much clocks may differ in speed while leaders answer reads by
 *     lease; -1: they do not
 * @param snapshotLogMebibytes of applied commands after which a snapshot is taken
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
        int heartbeatMillis,
        Limits limits,
        @Nullable Tls tls,
        @Nullable Path trace,
        int leaseDriftPercent,
        int snapshotLogMebibytes) {

    static final int SNAPSHOT_LOG_MIB_DEFAULT = 64;
    static final int ELECTION_TIMEOUT_MILLIS_DEFAULT = 500;
    static final int HEARTBEAT_MILLIS_DEFAULT = 100;

    /** In place of a file: the trace goes to standard output, between the lines of the log. */
    static final Path STDOUT = Path.of("-");

    private static final int MILLIS_MAX = 3_600_000;
    private static final int CONNECTION_COUNT_MAX = 100_000;
    private static final String PREFIX = "RAFT_";
    private static final String CONFIG = "RAFT_CONFIG";
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
                    "RAFT_HEARTBEAT_MS",
                    "RAFT_CLIENT_CONNECTIONS_MAX",
                    "RAFT_CLIENT_IDLE_MS",
                    "RAFT_HANDSHAKE_MS",
                    "RAFT_TLS",
                    "RAFT_TLS_CERT",
                    "RAFT_TLS_KEY",
                    "RAFT_TLS_CA",
                    "RAFT_TRACE",
                    "RAFT_LEASE_DRIFT_PERCENT",
                    "RAFT_SNAPSHOT_LOG_MIB");

    /** What {@code --print-config} shows where nothing is set. */
    private static final Map<String, String> DEFAULTS =
            Map.of(
                    "RAFT_PEER_LISTEN",
                    "the own address in members",
                    "RAFT_HTTP_LISTEN",
                    "none",
                    "RAFT_ELECTION_TIMEOUT_MS",
                    "" + ELECTION_TIMEOUT_MILLIS_DEFAULT,
                    "RAFT_HEARTBEAT_MS",
                    "" + HEARTBEAT_MILLIS_DEFAULT,
                    "RAFT_CLIENT_CONNECTIONS_MAX",
                    "" + Limits.DEFAULT.clientConnectionCountMax,
                    "RAFT_CLIENT_IDLE_MS",
                    "" + Limits.DEFAULT.clientIdleMillis,
                    "RAFT_HANDSHAKE_MS",
                    "" + Limits.DEFAULT.handshakeMillis,
                    "RAFT_TLS",
                    "off",
                    "RAFT_SNAPSHOT_LOG_MIB",
                    "" + SNAPSHOT_LOG_MIB_DEFAULT);

    /** For {@code --help}. */
    static final String USAGE =
            """
            Runs one Raft node. Every setting is an option, an environment variable or a line of
            the file that --config names ("node-id = n1"); an option wins over the environment,
            the environment over the file.

              --config FILE              RAFT_CONFIG               settings, one a line
              --node-id ID               RAFT_NODE_ID              this node's name
              --cluster-id ID            RAFT_CLUSTER_ID           must be equal on all nodes
              --members ID=HOST:PORT,... RAFT_MEMBERS              the nodes that the cluster begins
                                                                   with and their peer addresses;
                                                                   a node that is none of them
                                                                   waits to be added
              --peer-listen HOST:PORT    RAFT_PEER_LISTEN          default: the own address in members
              --client-listen HOST:PORT  RAFT_CLIENT_LISTEN        where clients connect
              --http-listen HOST:PORT    RAFT_HTTP_LISTEN          /status, /metrics, /health, /log,
                                                                   /trace; default: none
              --data-dir FOLDER          RAFT_DATA_DIR             the log; one process at a time
              --election-timeout-ms N    RAFT_ELECTION_TIMEOUT_MS  default 500
              --heartbeat-ms N           RAFT_HEARTBEAT_MS         default 100
              --client-connections-max N RAFT_CLIENT_CONNECTIONS_MAX  default 4096
              --client-idle-ms N         RAFT_CLIENT_IDLE_MS       0: never closed; default 0
              --handshake-ms N           RAFT_HANDSHAKE_MS         default 5000, of clients
              --tls off|all|PARTS        RAFT_TLS                  default off; PARTS are some of
                                                                   peers,clients,http; both sides
                                                                   show certificates
              --tls-cert FILE            RAFT_TLS_CERT             PEM: own certificate, then chain;
                                                                   names the node id as a DNS name
              --tls-key FILE             RAFT_TLS_KEY              PEM: its key, PKCS #8
              --tls-ca FILE              RAFT_TLS_CA               PEM: who may sign for others
              --lease-drift-percent N    RAFT_LEASE_DRIFT_PERCENT  leaders answer reads by lease;
                                                                   clocks may differ in speed by
                                                                   so much; default: no leases
              --snapshot-log-mib N       RAFT_SNAPSHOT_LOG_MIB     a snapshot after so much of the
                                                                   log; default 64
              --trace FILE               RAFT_TRACE                every transition as a JSON line;
                                                                   "-": standard output
              recover --help             how to go on after a majority was lost for good
              --print-config             prints what is in force and where it came from, and ends

            Ends with status 0 after SIGTERM, 254 on bad settings, 255 when it cannot start,
            70 when an invariant broke, 74 when the disk failed.
            """;

    /**
     * Bounds on what clients may take.
     *
     * @param clientConnectionCountMax at which a further one is refused
     * @param clientIdleMillis after which a client that says nothing and waits for nothing is
     *     closed; 0: never
     * @param handshakeMillis within which a client must have said hello
     */
    public record Limits(int clientConnectionCountMax, int clientIdleMillis, int handshakeMillis) {
        static final Limits DEFAULT = new Limits(4096, 0, 5000);
    }

    /**
     * Certificates, for both directions.
     *
     * @param peers whether other nodes must use it
     * @param clients whether clients must use it
     * @param http whether whoever asks over HTTP must use it
     * @param certificate own chain, PEM
     * @param key own key, PEM, PKCS #8
     * @param authorities whose signatures count, PEM
     */
    public record Tls(
            boolean peers,
            boolean clients,
            boolean http,
            Path certificate,
            Path key,
            Path authorities) {}

    /** Where a setting comes from, in order of precedence. */
    enum Origin {
        OPTION,
        ENVIRONMENT,
        FILE
    }

    private record Setting(String value, Origin origin) {}

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

    /** The members as a setting says them. */
    String membersText() {
        return members.entrySet().stream()
                .map(member -> member.getKey() + "=" + member.getValue())
                .collect(Collectors.joining(","));
    }

    public NodeConfig {
        members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
    }

    /** With default limits, in plain text, without a trace. */
    public NodeConfig(
            NodeId nodeId,
            String clusterId,
            SortedMap<NodeId, Address> members,
            Address peerListen,
            Address clientListen,
            @Nullable Address httpListen,
            Path dataDir,
            int electionTimeoutMillis,
            int heartbeatMillis) {
        this(
                nodeId,
                clusterId,
                members,
                peerListen,
                clientListen,
                httpListen,
                dataDir,
                electionTimeoutMillis,
                heartbeatMillis,
                Limits.DEFAULT,
                null,
                null,
                RaftConfig.NO_LEASE,
                SNAPSHOT_LOG_MIB_DEFAULT);
    }

    /**
     * Reads and checks all settings.
     *
     * @throws BadSettingException if the node cannot start with them
     */
    public static NodeConfig parse(Map<String, String> environment, List<String> options)
            throws BadSettingException {
        Map<String, String> settings = new HashMap<>();
        gather(environment, options).forEach((name, setting) -> settings.put(name, setting.value));
        NodeId self = nodeId(required(settings, "RAFT_NODE_ID"), "RAFT_NODE_ID");
        String cluster = nodeId(required(settings, "RAFT_CLUSTER_ID"), "RAFT_CLUSTER_ID").name();
        SortedMap<NodeId, Address> members = members(required(settings, "RAFT_MEMBERS"));
        Address own = members.get(self);
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
        String trace = settings.get("RAFT_TRACE");
        if (own == null && peer == null) {
            throw new BadSettingException(
                    "RAFT_MEMBERS does not name this node, "
                            + self
                            + ": "
                            + members.keySet()
                            + "; to start a node that is to be added to them, say in"
                            + " RAFT_PEER_LISTEN where it listens");
        }
        return new NodeConfig(
                self,
                cluster,
                members,
                peer != null || own == null
                        ? address(required(settings, "RAFT_PEER_LISTEN"), "RAFT_PEER_LISTEN")
                        : own,
                address(required(settings, "RAFT_CLIENT_LISTEN"), "RAFT_CLIENT_LISTEN"),
                http == null ? null : address(http, "RAFT_HTTP_LISTEN"),
                folder(required(settings, "RAFT_DATA_DIR")),
                election,
                heartbeat,
                limits(settings),
                tls(settings),
                trace == null ? null : file(trace, "RAFT_TRACE"),
                between(settings, "RAFT_LEASE_DRIFT_PERCENT", 0, 100, RaftConfig.NO_LEASE),
                between(settings, "RAFT_SNAPSHOT_LOG_MIB", 1, 1024, SNAPSHOT_LOG_MIB_DEFAULT));
    }

    /**
     * Every setting that is in force as a line of a file for {@code --config}, with where it came
     * from. Checks nothing but what is needed to gather them.
     */
    static String describe(Map<String, String> environment, List<String> options)
            throws BadSettingException {
        SortedMap<String, Setting> settings = gather(environment, options);
        StringBuilder text = new StringBuilder();
        for (String name : SETTINGS) {
            Setting setting = settings.get(name);
            String line =
                    word(name)
                            + " = "
                            + (setting == null ? DEFAULTS.getOrDefault(name, "") : setting.value);
            String origin =
                    setting == null
                            ? "default"
                            : switch (setting.origin) {
                                case OPTION -> "option";
                                case ENVIRONMENT -> "environment";
                                case FILE -> "file";
                            };
            text.append("# ").append(origin).append('\n');
            text.append(setting == null ? "# " : "").append(line.strip()).append('\n');
        }
        return text.toString();
    }

    private static SortedMap<String, Setting> gather(
            Map<String, String> environment, List<String> options) throws BadSettingException {
        Map<String, String> ofOptions = new HashMap<>();
        readOptions(options, ofOptions);
        SortedMap<String, Setting> settings = new TreeMap<>();
        String file = ofOptions.getOrDefault(CONFIG, environment.getOrDefault(CONFIG, "")).strip();
        if (!file.isEmpty()) {
            readFile(file(file, CONFIG))
                    .forEach((name, value) -> put(settings, name, value, Origin.FILE));
        }
        for (String name : SETTINGS) {
            String value = environment.get(name);
            if (value != null && !value.isBlank()) {
                put(settings, name, value.strip(), Origin.ENVIRONMENT);
            }
        }
        ofOptions.forEach((name, value) -> put(settings, name, value, Origin.OPTION));
        settings.remove(CONFIG);
        return settings;
    }

    private static void put(
            SortedMap<String, Setting> settings, String name, String value, Origin origin) {
        settings.put(name, new Setting(value, origin));
    }

    private static Map<String, String> readFile(Path file) throws BadSettingException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new BadSettingException(
                    "cannot read the configuration "
                            + file
                            + ": "
                            + (e instanceof NoSuchFileException ? "there is no such file" : e));
        }
        Map<String, String> settings = new HashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            int equals = line.indexOf('=');
            String word = equals < 0 ? line : line.substring(0, equals).strip();
            String name = PREFIX + upperCase("--" + word);
            String place = file + ", line " + (i + 1);
            if (equals < 0) {
                throw new BadSettingException(
                        place + " must read NAME = VALUE, not '" + line + "'");
            }
            if (!SETTINGS.contains(name)) {
                throw new BadSettingException(place + ": unknown setting " + word);
            }
            if (settings.put(name, line.substring(equals + 1).strip()) != null) {
                throw new BadSettingException(place + ": " + word + " is set twice");
            }
        }
        return settings;
    }

    private static int between(
            Map<String, String> settings, String name, int least, int most, int fallback)
            throws BadSettingException {
        String text = settings.get(name);
        int value = text == null ? fallback : number(text);
        if (text != null && (value < least || value > most)) {
            throw new BadSettingException(
                    name + " must be " + least + " to " + most + ", not '" + text + "'");
        }
        return value;
    }

    private static Limits limits(Map<String, String> settings) throws BadSettingException {
        Limits fallback = Limits.DEFAULT;
        String connections = settings.get("RAFT_CLIENT_CONNECTIONS_MAX");
        int count = connections == null ? fallback.clientConnectionCountMax : number(connections);
        if (count < 1 || count > CONNECTION_COUNT_MAX) {
            throw new BadSettingException(
                    "RAFT_CLIENT_CONNECTIONS_MAX must be 1 to "
                            + CONNECTION_COUNT_MAX
                            + ", not '"
                            + connections
                            + "'");
        }
        boolean never = "0".equals(settings.get("RAFT_CLIENT_IDLE_MS"));
        int idle =
                never || !settings.containsKey("RAFT_CLIENT_IDLE_MS")
                        ? 0
                        : millis(settings, "RAFT_CLIENT_IDLE_MS", 0);
        return new Limits(
                count, idle, millis(settings, "RAFT_HANDSHAKE_MS", fallback.handshakeMillis));
    }

    private static @Nullable Tls tls(Map<String, String> settings) throws BadSettingException {
        String wanted = settings.getOrDefault("RAFT_TLS", "off");
        List<String> parts = Arrays.stream(wanted.split(",", -1)).map(String::strip).toList();
        boolean single = wanted.equals("off") || wanted.equals("all");
        if (!single && !List.of("peers", "clients", "http").containsAll(parts)) {
            throw new BadSettingException(
                    "RAFT_TLS must be off, all, or some of peers,clients,http, not '"
                            + wanted
                            + "'");
        }
        if (wanted.equals("off")) {
            for (String name : List.of("RAFT_TLS_CERT", "RAFT_TLS_KEY", "RAFT_TLS_CA")) {
                if (settings.containsKey(name)) {
                    // Whoever names a certificate believes that it protects something.
                    throw new BadSettingException(
                            name + " is set but RAFT_TLS is off: set RAFT_TLS, or neither");
                }
            }
            return null;
        }
        return new Tls(
                wanted.equals("all") || parts.contains("peers"),
                wanted.equals("all") || parts.contains("clients"),
                wanted.equals("all") || parts.contains("http"),
                file(required(settings, "RAFT_TLS_CERT"), "RAFT_TLS_CERT"),
                file(required(settings, "RAFT_TLS_KEY"), "RAFT_TLS_KEY"),
                file(required(settings, "RAFT_TLS_CA"), "RAFT_TLS_CA"));
    }

    private static Path file(String text, String name) throws BadSettingException {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new BadSettingException(name + " is no file's name: " + e.getMessage());
        }
    }

    private static void readOptions(List<String> options, Map<String, String> settings)
            throws BadSettingException {
        for (int i = 0; i < options.size(); i++) {
            String option = options.get(i);
            if (option.equals("--print-config")) {
                continue;
            }
            int equals = option.indexOf('=');
            String word = equals < 0 ? option : option.substring(0, equals);
            String name = PREFIX + upperCase(word);
            if (!word.startsWith("--") || !(SETTINGS.contains(name) || name.equals(CONFIG))) {
                throw new BadSettingException("unknown option " + word + ", see --help");
            }
            if (equals < 0 && i + 1 == options.size()) {
                throw new BadSettingException("option " + word + " needs a value");
            }
            String value = equals < 0 ? options.get(++i) : option.substring(equals + 1);
            settings.put(name, value.strip());
        }
    }

    /** "RAFT_NODE_ID" becomes "node-id". */
    private static String word(String name) {
        StringBuilder word = new StringBuilder();
        for (int i = PREFIX.length(); i < name.length(); i++) {
            char c = name.charAt(i);
            word.append(c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c);
        }
        return word.toString();
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

    static NodeId nodeId(String text, String name) throws BadSettingException {
        try {
            return new NodeId(text);
        } catch (IllegalArgumentException e) {
            throw new BadSettingException(
                    name + " must be 1 to 64 letters, digits, '.', '_' or '-', not '" + text + "'");
        }
    }

    static SortedMap<NodeId, Address> members(String text) throws BadSettingException {
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
