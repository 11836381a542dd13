package raft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

class FrameBufferTest {
    @Test
    void framesComeOutWholeHoweverTheBytesArrive() throws ProtocolException {
        Random random = new Random(7);
        for (int round = 0; round < 200; round++) {
            List<byte[]> sent = new ArrayList<>();
            ByteBuffer stream = ByteBuffer.allocate(1 << 20);
            for (int i = 0; i < 20; i++) {
                byte[] body = new byte[random.nextInt(4) == 0 ? random.nextInt(40_000) : i];
                random.nextBytes(body);
                sent.add(body);
                stream.putInt(body.length).put(body);
            }
            assertThat(received(stream.flip(), random)).isEqualTo(hex(sent));
        }
    }

    private static List<String> received(ByteBuffer stream, Random random)
            throws ProtocolException {
        FrameBuffer buffer = new FrameBuffer();
        List<byte[]> frames = new ArrayList<>();
        while (stream.hasRemaining()) {
            ByteBuffer space = buffer.space();
            assertThat(space.hasRemaining()).isTrue();
            int count =
                    Math.min(
                            Math.min(space.remaining(), stream.remaining()),
                            1 + random.nextInt(9000));
            space.put(stream.slice(stream.position(), count));
            stream.position(stream.position() + count);
            for (ByteBuffer frame = buffer.next(Limits.FRAME_BYTES_MAX);
                    frame != null;
                    frame = buffer.next(Limits.FRAME_BYTES_MAX)) {
                byte[] copy = new byte[frame.remaining()];
                frame.get(copy);
                frames.add(copy);
            }
        }
        return hex(frames);
    }

    private static List<String> hex(List<byte[]> frames) {
        return frames.stream().map(HexFormat.of()::formatHex).toList();
    }

    @Test
    void lengthAboveTheLimitIsRefusedAsSoonAsItIsSeen() {
        FrameBuffer buffer = new FrameBuffer();
        buffer.space().putInt(1025);
        assertThatThrownBy(() -> buffer.next(1024))
                .isInstanceOf(ProtocolException.class)
                .hasMessage("A frame of 1025 bytes was announced, at most 1024 are allowed.");
        FrameBuffer http = new FrameBuffer();
        http.space().putInt(0xFFFFFFFF);
        assertThatThrownBy(() -> http.next(Limits.FRAME_BYTES_MAX))
                .hasMessage(
                        "A frame of 4294967295 bytes was announced, at most 2101248 are allowed.");
    }

    @Test
    void memoryFollowsWhatArrivedNotWhatWasAnnounced() throws ProtocolException {
        FrameBuffer buffer = new FrameBuffer();
        buffer.space().putInt(Limits.FRAME_BYTES_MAX);
        assertThat(buffer.next(Limits.FRAME_BYTES_MAX)).isNull();
        assertThat(buffer.space().capacity()).isEqualTo(8192);
        int arrived = 4;
        while (arrived < 4 + Limits.FRAME_BYTES_MAX) {
            ByteBuffer space = buffer.space();
            assertThat(space.capacity()).isLessThanOrEqualTo(Math.max(8192, 2 * arrived));
            arrived += space.remaining();
            space.position(space.limit());
            ByteBuffer frame = buffer.next(Limits.FRAME_BYTES_MAX);
            assertThat(frame == null).isEqualTo(arrived < 4 + Limits.FRAME_BYTES_MAX);
        }
        assertThat(buffer.space().capacity()).as("given back").isEqualTo(8192);
    }
}
