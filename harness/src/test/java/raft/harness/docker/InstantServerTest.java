package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.US_ASCII;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import raft.client.Answer;
import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.FrameBuffer;
import raft.client.Limits;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.client.ServerHello;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

@Timeout(60)
class InstantServerTest {
    private static final Blob X = Blob.ofText("x");

    private final FrameBuffer in = new FrameBuffer();

    @Test
    void pipelinedRequestsAreAnsweredInOrderThoughNobodyTakesTheRepliesMeanwhile()
            throws Exception {
        int count = 200;
        Blob large = Blob.wrap(new byte[100_000]);
        try (InstantServer server = InstantServer.start("n7");
                SocketChannel channel = SocketChannel.open(server.address())) {
            greet(channel);
            channel.write(ClientCodec.encodeCall(1, new Request.Put(X, large)));
            // Twenty megabytes of replies are more than the sockets hold: the server must wait.
            for (int id = 2; id <= count; id++) {
                channel.write(ClientCodec.encodeCall(id, new Request.Get(X)));
            }
            assertThat(next(channel)).isEqualTo(ok(1, new Result.Done()));
            for (int id = 2; id <= count; id++) {
                assertThat(next(channel)).isEqualTo(ok(id, new Result.Found(large)));
            }
        }
    }

    @Test
    void mistakeInAFrameIsRefusedAndTheConnectionGoesOn() throws Exception {
        try (InstantServer server = InstantServer.start("n7");
                SocketChannel channel = SocketChannel.open(server.address())) {
            greet(channel);
            ByteBuffer wrong = ClientCodec.encodeCall(5, new Request.Get(X));
            channel.write(wrong.put(12, (byte) 99));
            assertThat(next(channel))
                    .isEqualTo(
                            new Answer(
                                    5,
                                    new Reply.Refused(
                                            Refusal.UNSUPPORTED,
                                            null,
                                            "This server has no operation 99.")));
            channel.write(ClientCodec.encodeCall(6, new Request.Get(X)));
            assertThat(next(channel)).isEqualTo(ok(1, 6, new Result.Absent()));
        }
    }

    @Test
    void clientOfAnotherProtocolIsCutOffAndOthersAreServed() throws Exception {
        try (InstantServer server = InstantServer.start("n7");
                SocketChannel stranger = SocketChannel.open(server.address());
                SocketChannel channel = SocketChannel.open(server.address())) {
            stranger.write(ByteBuffer.wrap("GET / HTTP/1.1\r\n\r\n".getBytes(US_ASCII)));
            assertThat(ends(stranger)).isTrue();
            greet(channel);
        }
    }

    private void greet(SocketChannel channel) throws IOException {
        channel.write(ClientCodec.encodeClientHello());
        assertThat(ClientCodec.decodeServerHello(frame(channel)))
                .isEqualTo(new ServerHello.Accepted(1, "n7", "instant"));
    }

    private static Answer ok(long id, Result result) {
        return ok(id, id, result);
    }

    private static Answer ok(long logIndex, long id, Result result) {
        return new Answer(id, new Reply.Ok(result, 1, logIndex));
    }

    private Answer next(SocketChannel channel) throws IOException {
        return ClientCodec.decodeAnswer(frame(channel));
    }

    private ByteBuffer frame(SocketChannel channel) throws IOException {
        ByteBuffer frame = in.next(Limits.FRAME_BYTES_MAX);
        while (frame == null) {
            assertThat(channel.read(in.space())).isPositive();
            frame = in.next(Limits.FRAME_BYTES_MAX);
        }
        return frame;
    }

    /** Closed in order, or reset because there were bytes that nobody had read. */
    private static boolean ends(SocketChannel channel) {
        try {
            return channel.read(ByteBuffer.allocate(1)) < 0;
        } catch (IOException reset) {
            return true;
        }
    }
}
