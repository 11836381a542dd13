package raft.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import raft.core.NodeId;
import raft.node.NodeConfig.Address;
import raft.node.NodeConfig.BadSettingException;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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

    private static void assertBad(String name, String value, String sentence) {
        Map<String, String> settings = new HashMap<>(GOOD);
        settings.put(name, value);
        assertThatThrownBy(() -> NodeConfig.parse(settings, List.of()))
                .isInstanceOf(BadSettingException.class)
                .hasMessageStartingWith(sentence);
    }
}
