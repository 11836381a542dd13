package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.core.Message;
import raft.harness.sim.Keyed;
import raft.peer.Frame;
import raft.peer.FrameBuffer;
import raft.peer.PeerCodec;
import raft.peer.PeerProtocolException;

import java.nio.ByteBuffer;

/** A bit of a message flipped on its way, as the real codec between nodes sees it. */
final class Corruption {
    private Corruption() {}

    /**
     * Flips one bit of the message's frame and reads it.
     *
     * @param key of the bit
     * @return "" where the codec noticed, else what it took the frame for
     */
    static String accepted(Message message, long key) {
        ByteBuffer frame = ByteBuffer.allocate(PeerCodec.frameBytesBound(message));
        PeerCodec.encode(message, frame);
        frame.flip();
        int bit = Keyed.below(key, frame.limit() * 8);
        frame.put(bit / 8, (byte) (frame.get(bit / 8) ^ 1 << bit % 8));
        FrameBuffer buffer = new FrameBuffer();
        try {
            Frame read = next(buffer, frame);
            return read == null
                    ? "" // It takes the frame for a longer one; the connection's end will tell.
                    : "bit "
                            + bit
                            + " of "
                            + message
                            + " was flipped, and it was taken for "
                            + PeerCodec.decode(read);
        } catch (PeerProtocolException e) {
            return "";
        }
    }

    private static @Nullable Frame next(FrameBuffer buffer, ByteBuffer bytes)
            throws PeerProtocolException {
        Frame read = null;
        while (read == null && bytes.hasRemaining()) {
            ByteBuffer space = buffer.space();
            int count = Math.min(space.remaining(), bytes.remaining());
            space.put(bytes.slice(bytes.position(), count));
            bytes.position(bytes.position() + count);
            read = buffer.next(Frame.BODY_BYTES_MAX);
        }
        return read;
    }
}
