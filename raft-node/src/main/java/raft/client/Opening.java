package raft.client;

import org.jspecify.annotations.Nullable;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

import javax.net.ssl.SSLException;

/**
 * The way from an address to a connection on which requests may be sent: TCP, TLS where there are
 * credentials, then the handshake of the client protocol. Everything ends at one deadline, which is
 * why the channel never blocks.
 */
final class Opening {
    private final Selector selector;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final long deadlineNanos;

    /**
     * @param key of {@code channel}, which does not block, with {@code selector}
     */
    Opening(Selector selector, SocketChannel channel, SelectionKey key, long deadlineNanos) {
        this.selector = selector;
        this.channel = channel;
        this.key = key;
        this.deadlineNanos = deadlineNanos;
    }

    /** What is there afterwards. */
    record Opened(Wire wire, ServerHello.Accepted server) {}

    /** A channel that does not block and sends at once. */
    static SocketChannel channel() throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        return channel;
    }

    /**
     * Does all of it.
     *
     * @param frames where what the server says is gathered
     * @throws IOException with one clause for people
     */
    Opened open(InetSocketAddress target, @Nullable Credentials credentials, FrameBuffer frames)
            throws IOException {
        if (target.isUnresolved()) {
            throw new IOException("no such host");
        }
        if (!channel.connect(target)) {
            do {
                await(SelectionKey.OP_CONNECT);
            } while (!channel.finishConnect());
        }
        if (credentials == null) {
            Wire wire = new Wire.Plain(channel);
            return new Opened(wire, greet(wire, frames));
        }
        try {
            Wire.Tls wire = new Wire.Tls(channel, credentials.clientEngine());
            while (!wire.shakeHands()) {
                await(wire.flush() ? SelectionKey.OP_READ : SelectionKey.OP_WRITE);
            }
            ServerHello.Accepted server = greet(wire, frames);
            if (!Credentials.isFor(wire.session(), server.nodeId())) {
                throw new IOException("its certificate does not name node " + server.nodeId());
            }
            return new Opened(wire, server);
        } catch (SSLException e) {
            throw new IOException(Credentials.explain(e), e);
        }
    }

    private ServerHello.Accepted greet(Wire wire, FrameBuffer frames) throws IOException {
        ByteBuffer hello = ClientCodec.encodeClientHello();
        wire.write(hello);
        while (hello.hasRemaining() || !wire.flush()) {
            await(SelectionKey.OP_WRITE);
            wire.write(hello);
        }
        ByteBuffer frame;
        try {
            while ((frame = frames.next(Limits.HELLO_BYTES_MAX)) == null) {
                if (wire.read(frames.space()) < 0) {
                    throw new EOFException("the server closed the connection");
                }
                if ((frame = frames.next(Limits.HELLO_BYTES_MAX)) != null) {
                    break;
                }
                if (!wire.hasInput()) {
                    await(SelectionKey.OP_READ);
                }
            }
        } catch (ProtocolException e) {
            throw frames.holdsTlsAlert()
                    ? new IOException("it speaks TLS only, and this client has no certificate", e)
                    : e;
        }
        return switch (ClientCodec.decodeServerHello(frame)) {
            case ServerHello.Accepted accepted -> accepted;
            case ServerHello.Refused(int version, String reason) ->
                    throw new IOException(
                            "it refused: " + reason + " (it speaks version " + version + ")");
        };
    }

    private void await(int operation) throws IOException {
        await(selector, key, operation, deadlineNanos);
    }

    /** Waits until a channel is ready for {@code operation}. */
    static void await(Selector selector, SelectionKey key, int operation, long deadlineNanos)
            throws IOException {
        long nanos = deadlineNanos - System.nanoTime();
        if (nanos <= 0) {
            throw new IOException("timed out");
        }
        try {
            key.interestOps(operation);
            // Rounded up: a select of 0 ms would wait for ever.
            selector.select((nanos + 999_999) / 1_000_000);
            selector.selectedKeys().clear();
        } catch (CancelledKeyException | ClosedSelectorException e) {
            throw new IOException("the connection was closed", e);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new IOException("interrupted");
        }
    }
}
