package raft.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import raft.core.Bytes;
import raft.core.Entry;
import raft.core.Message;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

final class FrameBufferTest {
    @Test
    void framesComeOutHoweverTheStreamIsCut() throws Exception {
        List<Message> messages = new ArrayList<>(PeerCodecTest.MESSAGES);
        messages.add(large(3_000_000));
        messages.addAll(PeerCodecTest.MESSAGES);
        ByteBuffer stream = ByteBuffer.allocate(4_000_000);
        messages.forEach(message -> PeerCodec.encode(message, stream));
        stream.flip();
        for (long seed = 0; seed < 5; seed++) {
            Random random = new Random(seed);
            List<Message> received = new ArrayList<>();
            FrameBuffer buffer = new FrameBuffer();
            ByteBuffer left = stream.duplicate();
            while (left.hasRemaining()) {
                ByteBuffer space = buffer.space();
                int step = 1 + random.nextInt(random.nextBoolean() ? 40 : 100_000);
                step = Math.min(step, Math.min(space.remaining(), left.remaining()));
                space.put(left.slice(left.position(), step));
                left.position(left.position() + step);
                Frame frame;
                while ((frame = buffer.next(Frame.BODY_BYTES_MAX)) != null) {
                    received.add(PeerCodec.decode(frame));
                }
            }
            assertThat(received).as("seed %d", seed).isEqualTo(messages);
        }
    }

    @Test
    void anAnnouncedLengthAboveTheLimitIsRefusedAtOnce() {
        for (int announced : new int[] {-1, Integer.MIN_VALUE, 1025, Integer.MAX_VALUE}) {
            FrameBuffer buffer = new FrameBuffer();
            buffer.space().putInt(announced).putLong(0);
            assertThatThrownBy(() -> buffer.next(1024))
                    .isInstanceOf(PeerProtocolException.class)
                    .hasMessageContaining("at most 1024 are allowed");
        }
    }

    @Test
    void anAnnouncedLengthAllocatesNothing() throws Exception {
        FrameBuffer buffer = new FrameBuffer();
        buffer.space().putInt(Frame.BODY_BYTES_MAX).putLong(0);
        assertThat(buffer.next(Frame.BODY_BYTES_MAX)).isNull();
        assertThat(buffer.space().capacity()).isEqualTo(64 << 10);
    }

    @Test
    void anyFlippedBitIsNoticed() throws Exception {
        for (Message message : PeerCodecTest.MESSAGES) {
            ByteBuffer good = PeerCodecTest.encode(message);
            for (int bit = 32; bit < 8 * good.limit(); bit++) {
                ByteBuffer bad = ByteBuffer.allocate(good.limit()).put(good.duplicate()).flip();
                bad.put(bit / 8, (byte) (bad.get(bit / 8) ^ 1 << bit % 8));
                assertThatThrownBy(() -> PeerCodecTest.frame(bad))
                        .isInstanceOf(PeerProtocolException.class);
            }
        }
    }

    private static Message large(int sizeBytes) {
        Entry entry = new Entry(1, 1, Entry.Kind.COMMAND, Bytes.wrap(new byte[sizeBytes]));
        return new Message.AppendEntries(1, 0, 0, List.of(entry), 0);
    }
}
