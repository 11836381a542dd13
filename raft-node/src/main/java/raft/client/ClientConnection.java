package raft.client;

import org.jspecify.annotations.Nullable;

import raft.client.CallException.Fate;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/**
 * One blocking connection to one node; one call at a time, calls of several threads take turns.
 *
 * <p>It never repeats a request and never follows a hint: what a refusal or a lost connection means
 * is the caller's to decide. Any failure, a timeout included, ends the connection, because a late
 * reply could no longer be told from the next one.
 */
public final class ClientConnection implements AutoCloseable {
    private final String address;
    private final Selector selector;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final FrameBuffer frames = new FrameBuffer();
    private Wire wire;
    private ServerHello.Accepted server = new ServerHello.Accepted(0, "", "");
    private long lastId;

    private ClientConnection(String address) throws IOException {
        this.address = address;
        selector = Selector.open();
        // Non-blocking under a selector, because only then does a write end at a deadline too.
        channel = Opening.channel();
        wire = new Wire.Plain(channel);
        key = channel.register(selector, 0);
    }

    /**
     * Connects and shakes hands.
     *
     * @param timeoutMillis for both together, > 0
     * @throws CallException with {@link Fate#NOT_SENT} when nobody answers in time, the connection
     *     is refused, or the server says that it will not talk
     */
    public static ClientConnection connect(String host, int port, long timeoutMillis)
            throws CallException {
        return connect(host, port, null, timeoutMillis);
    }

    /**
     * As {@link #connect(String, int, long)}, through TLS where there are credentials: then the
     * server's certificate must name the node that it says it is.
     *
     * @param credentials null: in plain text
     */
    public static ClientConnection connect(
            String host, int port, @Nullable Credentials credentials, long timeoutMillis)
            throws CallException {
        String address = host + ":" + port;
        try {
            ClientConnection connection = new ClientConnection(address);
            try {
                connection.open(
                        new InetSocketAddress(host, port),
                        credentials,
                        deadlineNanos(timeoutMillis));
            } catch (IOException e) {
                connection.close();
                throw e;
            }
            return connection;
        } catch (IOException e) {
            throw new CallException(
                    Fate.NOT_SENT, "cannot talk to " + address + ": " + e.getMessage(), e);
        }
    }

    /**
     * Sends a request and waits for its reply.
     *
     * @param timeoutMillis after which to stop waiting, > 0
     * @throws CallException when there is none; the connection is then closed
     */
    public synchronized Reply call(Request request, long timeoutMillis) throws CallException {
        if (!channel.isOpen()) {
            throw new CallException(Fate.NOT_SENT, "the connection to " + address + " is closed");
        }
        long deadlineNanos = deadlineNanos(timeoutMillis);
        long id = ++lastId;
        try {
            write(ClientCodec.encodeCall(id, request), deadlineNanos);
            Answer answer =
                    ClientCodec.decodeAnswer(readFrame(Limits.FRAME_BYTES_MAX, deadlineNanos));
            if (answer.id() == id) {
                return answer.reply();
            }
            throw new IOException(
                    "a reply to request "
                            + answer.id()
                            + " came where one to "
                            + id
                            + " was due: "
                            + answer.reply());
        } catch (IOException e) {
            close();
            throw new CallException(
                    Fate.MAYBE_RECEIVED, "no reply from " + address + ": " + e.getMessage(), e);
        }
    }

    /** What the server said of itself. */
    public synchronized ServerHello.Accepted server() {
        return server;
    }

    /** Ends the connection; a call that is waiting fails. Idempotent. */
    @Override
    public void close() {
        try (selector;
                channel) {
            selector.wakeup();
        } catch (IOException ignored) {
            // The descriptors are gone either way, and nobody could do anything about it.
        }
    }

    private synchronized void open(
            InetSocketAddress target, @Nullable Credentials credentials, long deadlineNanos)
            throws IOException {
        Opening.Opened opened =
                new Opening(selector, channel, key, deadlineNanos)
                        .open(target, credentials, frames);
        wire = opened.wire();
        server = opened.server();
    }

    private void write(ByteBuffer frame, long deadlineNanos) throws IOException {
        wire.write(frame);
        while (frame.hasRemaining() || !wire.flush()) {
            Opening.await(selector, key, SelectionKey.OP_WRITE, deadlineNanos);
            wire.write(frame);
        }
    }

    private ByteBuffer readFrame(int frameBytesMax, long deadlineNanos) throws IOException {
        ByteBuffer frame = frames.next(frameBytesMax);
        while (frame == null) {
            if (!wire.hasInput()) {
                Opening.await(selector, key, SelectionKey.OP_READ, deadlineNanos);
            }
            if (wire.read(frames.space()) < 0) {
                throw new IOException("the server closed the connection");
            }
            frame = frames.next(frameBytesMax);
        }
        return frame;
    }

    private static long deadlineNanos(long timeoutMillis) {
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    }
}
