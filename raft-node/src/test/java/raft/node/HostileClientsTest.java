package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.ClientConnection;
import raft.client.Reply;
import raft.client.Request;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Whatever is sent to a node's ports, it goes on and serves those who behave. */
@Timeout(120)
final class HostileClientsTest {
    private static final long CALL_MILLIS = 30_000;
    private static final int ATTACK_COUNT = 300;

    @TempDir private Path folder;
    private TestCluster cluster = TestCluster.NONE;

    @AfterEach
    void closeCluster() {
        cluster.close();
    }

    @Test
    void nonsenseOnEitherPortHarmsNobodyElse() throws Exception {
        long seed = System.nanoTime();
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        List<Integer> ports = cluster.ports("n1");
        try (ClientConnection good = cluster.client("n1")) {
            SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < ATTACK_COUNT; i++) {
                attack(ports.get(i % 2), bytes(random));
                if (i % 10 == 0) {
                    Reply reply = good.call(put(i), CALL_MILLIS);
                    assertThat(reply)
                            .as("seed %d, attack %d", seed, i)
                            .isInstanceOf(Reply.Ok.class);
                }
            }
            assertThat(good.call(put(ATTACK_COUNT), CALL_MILLIS)).isInstanceOf(Reply.Ok.class);
        }
        assertThat(cluster.log()).as("seed %d", seed).doesNotContain("a bug in");
        assertThat(cluster.status("n1").role().name()).isEqualTo("LEADER");
    }

    /** They cost a few kilobytes each and no thread. */
    @Test
    void clientsThatAnnounceMuchAndSendNothingCostNothing() throws Exception {
        cluster = TestCluster.start(folder, 1);
        cluster.awaitLeader();
        List<Socket> idle = new ArrayList<>();
        try (ClientConnection good = cluster.client("n1")) {
            long before = usedBytes();
            for (int i = 0; i < 200; i++) {
                Socket socket =
                        new Socket(InetAddress.getLoopbackAddress(), cluster.ports("n1").get(1));
                idle.add(socket);
                socket.getOutputStream().write(ClientCodec.encodeClientHello().array());
                // A frame of 2 MiB begins, and never comes.
                socket.getOutputStream().write(new byte[] {0, 0x20, 0, 0, 1});
            }
            assertThat(good.call(put(1), CALL_MILLIS)).isInstanceOf(Reply.Ok.class);
            // 200 × 2 MiB would be 400 MiB.
            assertThat(usedBytes() - before).isLessThan(60L << 20);
        } finally {
            for (Socket socket : idle) {
                socket.close();
            }
        }
    }

    private static long usedBytes() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    private static Request put(int i) {
        return new Request.Put(Blob.ofText("k" + i), Blob.ofText("v"));
    }

    /** Noise, or something that begins well and was then damaged, cut or repeated. */
    private static byte[] bytes(SplittableRandom random) {
        if (random.nextInt(3) == 0) {
            byte[] noise = new byte[random.nextInt(1, 2000)];
            random.nextBytes(noise);
            return noise;
        }
        ByteBuffer all = ByteBuffer.allocate(4096);
        all.put(ClientCodec.encodeClientHello());
        int count = random.nextInt(1, 20);
        for (int i = 0; i < count; i++) {
            all.put(ClientCodec.encodeCall(i + 1, put(i)));
        }
        byte[] bytes = new byte[random.nextInt(1, all.position() + 1)];
        all.flip().get(bytes);
        int flips = random.nextInt(5);
        for (int i = 0; i < flips; i++) {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
    }

    private static void attack(int port, byte[] bytes) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(bytes);
        } catch (IOException e) {
            // The node may close first, which is its right.
        }
    }
}
