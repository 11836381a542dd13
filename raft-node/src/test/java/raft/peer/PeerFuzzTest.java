package raft.peer;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.api.Test;

import raft.core.Message;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Random;

/** Whatever arrives: a message, or a PeerProtocolException, and memory in proportion. */
final class PeerFuzzTest {
    private static final int ROUNDS = 20_000;

    @Test
    void randomAndMutatedBytesDoNoHarm() {
        long seed = Long.getLong("raft.seed", 20_261_123);
        System.out.println("PeerFuzzTest: repeat with -Draft.seed=" + seed);
        Random random = new Random(seed);
        int messages = 0;
        int refusals = 0;
        for (int round = 0; round < ROUNDS; round++) {
            ByteBuffer body = random.nextBoolean() ? noise(random) : mutated(random);
            // Types around the ones that exist; the checksum was right, say: a peer with a bug.
            Frame frame = new Frame(random.nextInt(30), body);
            try {
                PeerCodec.decode(new Frame(frame.type(), body.duplicate()));
                messages++;
            } catch (PeerProtocolException e) {
                refusals++;
            }
            try {
                PeerCodec.decodeHandshake(frame);
                messages++;
            } catch (PeerProtocolException e) {
                refusals++;
            }
        }
        assertThat(messages).isPositive();
        assertThat(refusals).isPositive();
        assertThat(messages + refusals).isEqualTo(2 * ROUNDS);
    }

    @Test
    void aCountThatLiesAllocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        ByteBuffer lie = ByteBuffer.allocate(40).putInt(24, Integer.MAX_VALUE);
        ByteBuffer longEntry = ByteBuffer.allocate(60).putInt(24, 1).putLong(28, 1);
        longEntry.putLong(36, 1).put(44, (byte) 1).putInt(45, Integer.MAX_VALUE);
        for (ByteBuffer body : new ByteBuffer[] {lie, longEntry}) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 100; i++) {
                try {
                    PeerCodec.decode(new Frame(20, body.duplicate()));
                    assertThat(false).as("a lie was believed").isTrue();
                } catch (PeerProtocolException e) {
                    assertThat(e).hasMessageContaining("e");
                }
            }
            assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(5_000_000);
        }
    }

    @Test
    void aStreamOfNoiseEndsAtTheFirstFrame() {
        Random random = new Random(7);
        int refused = 0;
        for (int round = 0; round < 1000; round++) {
            FrameBuffer buffer = new FrameBuffer();
            ByteBuffer noise = noise(random);
            buffer.space().put(noise);
            try {
                assertThat(buffer.next(Frame.HANDSHAKE_BYTES_MAX)).isNull();
            } catch (PeerProtocolException e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(900);
    }

    private static ByteBuffer noise(Random random) {
        byte[] bytes = new byte[random.nextInt(200)];
        random.nextBytes(bytes);
        return ByteBuffer.wrap(bytes);
    }

    private static ByteBuffer mutated(Random random) {
        Message message = PeerCodecTest.MESSAGES.get(random.nextInt(PeerCodecTest.MESSAGES.size()));
        ByteBuffer whole = PeerCodecTest.encode(message);
        byte[] body = new byte[whole.limit() - Frame.HEADER_BYTES];
        whole.get(Frame.HEADER_BYTES, body);
        for (int i = random.nextInt(4); i > 0; i--) {
            body[random.nextInt(body.length)] = (byte) random.nextInt();
        }
        int keep = random.nextInt(3) == 0 ? random.nextInt(body.length + 1) : body.length;
        return ByteBuffer.wrap(body, 0, keep).slice();
    }
}
