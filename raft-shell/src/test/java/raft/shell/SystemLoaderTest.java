package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.cluster.Completion;
import raft.harness.cluster.NodeStatus;
import raft.harness.system.ImageSource;
import raft.harness.system.Placement;
import raft.harness.system.Start;
import raft.harness.system.SystemClients;
import raft.harness.system.SystemUnderTest;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

final class SystemLoaderTest {
    @TempDir private Path folder;

    /** What a third party would put into a jar. */
    public static final class Mine implements SystemUnderTest {
        @Override
        public String name() {
            return "mine";
        }

        @Override
        public ImageSource image() {
            return new ImageSource.Named("mine:latest");
        }

        @Override
        public Start start(Placement placement) {
            return new Start(List.of("/mine", placement.address()), Map.of());
        }

        @Override
        public SystemClients clients(
                Map<String, InetSocketAddress> nodes,
                LongSupplier nowNanos,
                Consumer<Completion> sink) {
            throw new UnsupportedOperationException("not needed here");
        }

        @Override
        public CompletableFuture<NodeStatus> status(
                HttpClient http, String node, InetSocketAddress address, long timeoutMillis) {
            return CompletableFuture.completedFuture(NodeStatus.unreachable(node));
        }

        @Override
        public boolean serves(String function) {
            return function.equals("read");
        }
    }

    private String pathWith(String className) throws IOException {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve(SystemUnderTest.class.getName()), className);
        return folder.toString();
    }

    @Test
    void etcdIsKnownWithoutAPath() {
        assertThat(SystemLoader.load("etcd", "", Map.of("reads", "serializable")).name())
                .isEqualTo("etcd");
    }

    @Test
    void systemOfAThirdPartyIsFoundOnItsPath() throws IOException {
        SystemUnderTest system =
                SystemLoader.load("mine", pathWith(Mine.class.getName()), Map.of());
        assertThat(system).isInstanceOf(Mine.class);
        assertThat(system.cannot()).isEmpty();
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                SystemLoader.load(
                                        "mine",
                                        pathWith(Mine.class.getName()),
                                        Map.of("fast", "yes")))
                .withMessage("the system mine has no options, but was given fast");
    }

    @Test
    void whatIsWrongIsSaidInOneSentence() throws IOException {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SystemLoader.load("zookeeper", "", Map.of()))
                .withMessageStartingWith(
                        "no system is called 'zookeeper'; there are raft, etcd (--system-path");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SystemLoader.load("mine", "/there/is/nothing", Map.of()))
                .withMessage("there is nothing at --system-path /there/is/nothing");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SystemLoader.load("mine", pathWith("no.such.Class"), Map.of()))
                .withMessageContaining("cannot be made")
                .withMessageContaining("no.such.Class");
    }
}
