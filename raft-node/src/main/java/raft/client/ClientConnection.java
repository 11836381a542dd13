package raft.client;

import raft.client.CallException.Fate;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
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
    private ServerHello.Accepted server = new ServerHello.Accepted(0, "", "");
    private long lastId;

    private ClientConnection(String address) throws IOException {
        this.address = address;
        selector = Selector.open();
        channel = SocketChannel.open();
        // Non-blocking under a selector, because only then does a write end at a deadline too.
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
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
        String address = host + ":" + port;
        try {
            ClientConnection connection = new ClientConnection(address);
            try {
                connection.open(new InetSocketAddress(host, port), deadlineNanos(timeoutMillis));
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

    private synchronized void open(InetSocketAddress target, long deadlineNanos)
            throws IOException {
        if (target.isUnresolved()) {
            throw new IOException("no such host");
        }
        if (!channel.connect(target)) {
            do {
                await(SelectionKey.OP_CONNECT, deadlineNanos);
            } while (!channel.finishConnect());
        }
        write(ClientCodec.encodeClientHello(), deadlineNanos);
        ByteBuffer frame = readFrame(Limits.HELLO_BYTES_MAX, deadlineNanos);
        server =
                switch (ClientCodec.decodeServerHello(frame)) {
                    case ServerHello.Accepted accepted -> accepted;
                    case ServerHello.Refused(int version, String reason) ->
                            throw new IOException(
                                    "it refused: "
                                            + reason
                                            + " (it speaks version "
                                            + version
                                            + ")");
                };
    }

    private void write(ByteBuffer frame, long deadlineNanos) throws IOException {
        channel.write(frame);
        while (frame.hasRemaining()) {
            await(SelectionKey.OP_WRITE, deadlineNanos);
            channel.write(frame);
        }
    }

    private ByteBuffer readFrame(int frameBytesMax, long deadlineNanos) throws IOException {
        ByteBuffer frame = frames.next(frameBytesMax);
        while (frame == null) {
            await(SelectionKey.OP_READ, deadlineNanos);
            if (channel.read(frames.space()) < 0) {
                throw new IOException("the server closed the connection");
            }
            frame = frames.next(frameBytesMax);
        }
        return frame;
    }

    private void await(int operation, long deadlineNanos) throws IOException {
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

    private static long deadlineNanos(long timeoutMillis) {
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    }
}
