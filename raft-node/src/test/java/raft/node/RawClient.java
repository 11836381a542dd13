package raft.node;

import raft.client.Answer;
import raft.client.ClientCodec;
import raft.client.FrameBuffer;
import raft.client.Limits;
import raft.client.Request;
import raft.client.ServerHello;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** A client that says what it likes, as many times as it likes, without waiting for answers. */
record RawClient(SocketChannel channel, FrameBuffer frames) implements AutoCloseable {
    static RawClient connect(InetSocketAddress address) throws IOException {
        return new RawClient(SocketChannel.open(address), new FrameBuffer());
    }

    /** From a buffer as it was filled. */
    void write(ByteBuffer bytes) throws IOException {
        bytes.flip();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    void greet() throws IOException {
        ByteBuffer hello = ClientCodec.encodeClientHello();
        write(hello.position(hello.limit()));
        serverHello();
    }

    void send(long id, Request request) throws IOException {
        ByteBuffer call = ClientCodec.encodeCall(id, request);
        write(call.position(call.limit()));
    }

    ServerHello serverHello() throws IOException {
        return ClientCodec.decodeServerHello(frame());
    }

    Answer answer() throws IOException {
        return ClientCodec.decodeAnswer(frame());
    }

    boolean isClosedByServer() throws IOException {
        return channel.read(frames.space()) < 0;
    }

    private ByteBuffer frame() throws IOException {
        ByteBuffer frame;
        while ((frame = frames.next(Limits.FRAME_BYTES_MAX)) == null) {
            if (channel.read(frames.space()) < 0) {
                throw new EOFException("the node closed the connection");
            }
        }
        return frame;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
