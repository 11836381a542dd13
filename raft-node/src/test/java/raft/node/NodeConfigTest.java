package raft.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.core.NodeId;
import raft.node.NodeConfig.Address;
import raft.node.NodeConfig.BadSettingException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

final class NodeConfigTest {
    private static final Map<String, String> GOOD =
            Map.of(
                    "RAFT_NODE_ID", "n1",
                    "RAFT_CLUSTER_ID", "lab",
                    "RAFT_MEMBERS", "n1=10.0.0.1:7000, n2=[fd00::2]:7000,n3=host:7000",
                    "RAFT_CLIENT_LISTEN", "0.0.0.0:7001",
                    "RAFT_DATA_DIR", "/data");

    @Test
    void theEnvironmentIsEnough() throws Exception {
        NodeConfig config = NodeConfig.parse(GOOD, List.of());
        assertThat(config.nodeId()).isEqualTo(new NodeId("n1"));
        assertThat(config.members()).hasSize(3);
        assertThat(config.members().get(new NodeId("n2"))).isEqualTo(new Address("fd00::2", 7000));
        assertThat(config.peerListen()).isEqualTo(new Address("10.0.0.1", 7000));
        assertThat(config.httpListen()).isNull();
        assertThat(config.dataDir()).isEqualTo(Path.of("/data"));
        assertThat(config.electionTimeoutMillis()).isEqualTo(500);
        assertThat(config.heartbeatMillis()).isEqualTo(100);
        assertThat(config.leaseDriftPercent()).as("no leases").isEqualTo(-1);
    }

    @Test
    void optionsWinOverTheEnvironment() throws Exception {
        NodeConfig config =
                NodeConfig.parse(
                        GOOD,
                        List.of(
                                "--node-id",
                                "n3",
                                "--election-timeout-ms=900",
                                "--http-listen=h:0"));
        assertThat(config.nodeId()).isEqualTo(new NodeId("n3"));
        assertThat(config.electionTimeoutMillis()).isEqualTo(900);
        assertThat(config.httpListen()).isEqualTo(new Address("h", 0));
    }

    @Test
    void everyBadSettingIsNamedInOneSentence() {
        assertBad("RAFT_NODE_ID", "", "RAFT_NODE_ID is not set, see --help");
        assertBad("RAFT_NODE_ID", "a b", "RAFT_NODE_ID must be 1 to 64 letters");
        assertBad("RAFT_NODE_ID", "n9", "RAFT_MEMBERS does not name this node, n9: [n1, n2, n3]");
        assertBad(
                "RAFT_LEASE_DRIFT_PERCENT",
                "fast",
                "RAFT_LEASE_DRIFT_PERCENT must be 0 to 100, not 'fast'");
        assertBad("RAFT_SNAPSHOT_LOG_MIB", "0", "RAFT_SNAPSHOT_LOG_MIB must be 1 to 1024, not '0'");
        assertBad("RAFT_MEMBERS", "n1", "RAFT_MEMBERS must read ID=HOST:PORT");
        assertBad("RAFT_MEMBERS", "n1=h:1,n1=h:2", "RAFT_MEMBERS names n1 twice");
        assertBad("RAFT_MEMBERS", "n1=h:1,n2=h:1", "RAFT_MEMBERS gives h:1 to two nodes");
        assertBad("RAFT_MEMBERS", "n1=h:0", "RAFT_MEMBERS gives n1 port 0");
        assertBad("RAFT_MEMBERS", "n1=h:65536", "RAFT_MEMBERS must be HOST:PORT, not 'h:65536'");
        assertBad("RAFT_CLIENT_LISTEN", "7001", "RAFT_CLIENT_LISTEN must be HOST:PORT, not '7001'");
        assertBad("RAFT_DATA_DIR", "a\0b", "RAFT_DATA_DIR is no folder's name");
        assertBad("RAFT_HEARTBEAT_MS", "fast", "RAFT_HEARTBEAT_MS must be 1 to 3600000");
        assertBad("RAFT_HEARTBEAT_MS", "0", "RAFT_HEARTBEAT_MS must be 1 to 3600000");
        assertBad(
                "RAFT_HEARTBEAT_MS",
                "200",
                "RAFT_ELECTION_TIMEOUT_MS (500) must be at least three times RAFT_HEARTBEAT_MS");
    }

    @Test
    void unknownOptionsAreNamed() {
        assertThatThrownBy(() -> NodeConfig.parse(GOOD, List.of("--nodeid", "n1")))
                .isInstanceOf(BadSettingException.class)
                .hasMessage("unknown option --nodeid, see --help");
        assertThatThrownBy(() -> NodeConfig.parse(GOOD, List.of("--node-id")))
                .isInstanceOf(BadSettingException.class)
                .hasMessage("option --node-id needs a value");
    }

    @Test
    void theFileIsWeakestAndOptionsStrongest(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("node.conf");
        Files.writeString(
                file,
                """
                # a node
                node-id = n1
                cluster-id = from-file
                heartbeat-ms = 40
                election-timeout-ms = 700
                client-idle-ms = 60000
                """);
        Map<String, String> environment = new HashMap<>(GOOD);
        environment.put("RAFT_CONFIG", file.toString());
        environment.put("RAFT_HEARTBEAT_MS", "50");
        List<String> options = List.of("--heartbeat-ms", "60");
        NodeConfig config = NodeConfig.parse(environment, options);
        assertThat(config.clusterId()).isEqualTo("lab");
        assertThat(config.heartbeatMillis()).isEqualTo(60);
        assertThat(config.electionTimeoutMillis()).isEqualTo(700);
        assertThat(config.limits().clientIdleMillis()).isEqualTo(60_000);
        assertThat(NodeConfig.describe(environment, options))
                .contains("# option\nheartbeat-ms = 60\n")
                .contains("# environment\ncluster-id = lab\n")
                .contains("# file\nelection-timeout-ms = 700\n")
                .contains("# default\n# tls = off\n");
    }

    /** What is printed can be given back as a file and means the same. */
    @Test
    void thePrintedConfigurationIsAConfiguration(@TempDir Path folder) throws Exception {
        List<String> options = List.of("--http-listen", "127.0.0.1:0", "--heartbeat-ms", "20");
        Path file = folder.resolve("printed.conf");
        Files.writeString(file, NodeConfig.describe(GOOD, options));
        assertThat(NodeConfig.parse(Map.of(), List.of("--config", file.toString())))
                .isEqualTo(NodeConfig.parse(GOOD, options));
    }

    @Test
    void aBadFileIsNamedWithItsLine(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("node.conf");
        List<String> options = List.of("--config", file.toString());
        assertFile(options, "cannot read the configuration " + file + ": there is no such file");
        Files.writeString(file, "node-id = n1\n\nnodeid = n2\n");
        assertFile(options, file + ", line 3: unknown setting nodeid");
        Files.writeString(file, "node-id\n");
        assertFile(options, file + ", line 1 must read NAME = VALUE, not 'node-id'");
        Files.writeString(file, "node-id = n1\nnode-id = n2\n");
        assertFile(options, file + ", line 2: node-id is set twice");
    }

    private static void assertFile(List<String> options, String sentence) {
        assertThatThrownBy(() -> NodeConfig.parse(GOOD, options))
                .isInstanceOf(BadSettingException.class)
                .hasMessage(sentence);
    }

    @Test
    void tlsNeedsAllItsFilesAndFilesNeedTls() {
        assertBad(
                "RAFT_TLS",
                "yes",
                "RAFT_TLS must be off, all, or some of peers,clients,http, not 'yes'");
        assertBad("RAFT_TLS", "peers,off", "RAFT_TLS must be off, all, or some of");
        assertBad("RAFT_TLS", "all", "RAFT_TLS_CERT is not set, see --help");
        assertBad("RAFT_TLS_KEY", "k.pem", "RAFT_TLS_KEY is set but RAFT_TLS is off");
        assertBad("RAFT_CLIENT_CONNECTIONS_MAX", "0", "RAFT_CLIENT_CONNECTIONS_MAX must be 1 to");
    }

    @Test
    void tlsIsForTheNamedPartsOrForAll() throws Exception {
        assertThat(tls("peers, http")).isEqualTo(List.of(true, false, true));
        assertThat(tls("clients")).isEqualTo(List.of(false, true, false));
        assertThat(tls("all")).isEqualTo(List.of(true, true, true));
    }

    private static List<Boolean> tls(String parts) throws BadSettingException {
        List<String> options =
                List.of("--tls=" + parts, "--tls-cert=c", "--tls-key=k", "--tls-ca=a");
        NodeConfig.Tls tls = Objects.requireNonNull(NodeConfig.parse(GOOD, options).tls());
        return List.of(tls.peers(), tls.clients(), tls.http());
    }

    private static void assertBad(String name, String value, String sentence) {
        Map<String, String> settings = new HashMap<>(GOOD);
        settings.put(name, value);
        assertThatThrownBy(() -> NodeConfig.parse(settings, List.of()))
                .isInstanceOf(BadSettingException.class)
                .hasMessageStartingWith(sentence);
    }
}
