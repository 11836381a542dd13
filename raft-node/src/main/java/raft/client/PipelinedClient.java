package raft.client;

import org.jspecify.annotations.Nullable;

import raft.client.CallException.Fate;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Many requests in flight over one or more connections, all served by one thread: what a program
 * uses that has more than one thing to ask.
 *
 * <p>Requests that are made while the thread is busy leave in one packet, and so do their replies
 * from a node; that is where its throughput comes from. Like {@link ClientConnection} it never
 * repeats a request and follows no hint. It has no timeouts of its own: a request is over when its
 * reply came or its connection ended.
 */
public final class PipelinedClient implements AutoCloseable {
    private static final int SEND_BYTES = 256 << 10;

    private final Selector selector;
    private final Thread thread;
    private final AtomicBoolean woken = new AtomicBoolean();

    // Under its own monitor: what other threads hand over.
    private final Object lock = new Object();
    private List<Runnable> handedOver = new ArrayList<>();
    private boolean closed;

    // Of the thread.
    private final ByteBuffer sendBuffer = ByteBuffer.allocateDirect(SEND_BYTES);
    private final List<Connection> open = new ArrayList<>();
    private final List<Connection> dirty = new ArrayList<>();

    /** Told how a request ended, on the client's thread; must not block. */
    public interface Callback {
        /** The node has answered. */
        void replied(Reply reply);

        /** There will be no answer; {@link CallException#fate} says what is known. */
        void failed(CallException cause);
    }

    /** Starts the thread; without connections. */
    public PipelinedClient() {
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a selector", e);
        }
        thread = new Thread(this::run, "raft-client");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Connects and shakes hands; blocks.
     *
     * @param timeoutMillis for both together, > 0
     * @throws CallException as {@link ClientConnection#connect} does
     */
    public Connection connect(String host, int port, long timeoutMillis) throws CallException {
        return connect(host, port, null, timeoutMillis);
    }

    /** As {@link ClientConnection#connect(String, int, Credentials, long)}. */
    public Connection connect(
            String host, int port, @Nullable Credentials credentials, long timeoutMillis)
            throws CallException {
        String address = host + ":" + port;
        long deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        SocketChannel channel = null;
        try {
            channel = Opening.channel();
            FrameBuffer frames = new FrameBuffer();
            InetSocketAddress target = new InetSocketAddress(host, port);
            Wire wire = open(channel, target, credentials, frames, deadlineNanos);
            Connection connection = new Connection(address, channel, wire, frames);
            hand(() -> register(connection));
            return connection;
        } catch (IOException e) {
            closeQuietly(channel);
            throw new CallException(
                    Fate.NOT_SENT, "cannot talk to " + address + ": " + e.getMessage(), e);
        }
    }

    /** With a selector of its own, which does not outlive the handshake. */
    private static Wire open(
            SocketChannel channel,
            InetSocketAddress target,
            @Nullable Credentials credentials,
            FrameBuffer frames,
            long deadlineNanos)
            throws IOException {
        try (Selector selector = Selector.open()) {
            SelectionKey key = channel.register(selector, 0);
            return new Opening(selector, channel, key, deadlineNanos)
                    .open(target, credentials, frames)
                    .wire();
        }
    }

    /** Runs {@code work} on the client's thread, where callbacks run too; lost once closed. */
    public void execute(Runnable work) {
        hand(work);
    }

    /** Ends all connections; what waits fails. Idempotent. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
        }
        selector.wakeup();
    }

    /** One connection to one node. */
    public final class Connection {
        private final String address;
        private final SocketChannel channel;
        private final Wire wire;
        private final FrameBuffer frames;

        // Of the thread.
        private final Map<Long, Callback> waiting = new HashMap<>();
        private final ArrayDeque<ByteBuffer> unsent = new ArrayDeque<>();
        private @Nullable SelectionKey key;
        private long lastId;
        private boolean isDirty;
        private boolean ended;

        private Connection(String address, SocketChannel channel, Wire wire, FrameBuffer frames) {
            this.address = address;
            this.channel = channel;
            this.wire = wire;
            this.frames = frames;
        }

        /** Sends a request; from any thread, callbacks included. Never blocks. */
        public void call(Request request, Callback callback) {
            if (Thread.currentThread().equals(thread)) {
                start(request, callback);
            } else if (!hand(() -> start(request, callback))) {
                callback.failed(notSent());
            }
        }

        private void start(Request request, Callback callback) {
            if (ended) {
                callback.failed(notSent());
                return;
            }
            long id = ++lastId;
            unsent.add(ClientCodec.encodeCall(id, request));
            waiting.put(id, callback);
            markDirty();
        }

        private CallException notSent() {
            return new CallException(Fate.NOT_SENT, "the connection to " + address + " is closed");
        }

        private void markDirty() {
            if (!isDirty) {
                isDirty = true;
                dirty.add(this);
            }
        }

        private void read() throws IOException {
            do {
                if (wire.read(frames.space()) < 0) {
                    throw new IOException("the server closed the connection");
                }
                takeFrames();
            } while (wire.hasInput());
            if (!wire.flush()) {
                // Part of a change of TLS's keys.
                markDirty();
            }
        }

        private void takeFrames() throws IOException {
            ByteBuffer frame;
            while ((frame = frames.next(Limits.FRAME_BYTES_MAX)) != null) {
                Answer answer = ClientCodec.decodeAnswer(frame);
                Callback callback = waiting.remove(answer.id());
                if (callback == null) {
                    throw new IOException(
                            "a reply to request "
                                    + answer.id()
                                    + " which does not wait: "
                                    + answer.reply());
                }
                callback.replied(answer.reply());
            }
        }

        private void write() throws IOException {
            isDirty = false;
            boolean taken = wire.flush();
            while (taken && !unsent.isEmpty()) {
                taken = writeSome();
            }
            SelectionKey own = key;
            if (own != null) {
                int wish = SelectionKey.OP_READ | (taken ? 0 : SelectionKey.OP_WRITE);
                if (own.interestOps() != wish) {
                    own.interestOps(wish);
                }
            }
        }

        /** One system call for many small frames. Returns whether the socket took everything. */
        private boolean writeSome() throws IOException {
            sendBuffer.clear();
            for (ByteBuffer frame : unsent) {
                int bytes = Math.min(frame.remaining(), sendBuffer.remaining());
                sendBuffer.put(frame.slice(frame.position(), bytes));
                if (!sendBuffer.hasRemaining()) {
                    break;
                }
            }
            int offered = sendBuffer.flip().remaining();
            int written = wire.write(sendBuffer);
            for (int left = written; left > 0; ) {
                ByteBuffer head = unsent.getFirst();
                int step = Math.min(left, head.remaining());
                head.position(head.position() + step);
                left -= step;
                if (!head.hasRemaining()) {
                    unsent.removeFirst();
                }
            }
            return written == offered && wire.flush();
        }

        private void end(Exception cause) {
            if (ended) {
                return;
            }
            ended = true;
            closeQuietly(channel);
            open.remove(this);
            unsent.clear();
            List<Callback> lost = new ArrayList<>(waiting.values());
            waiting.clear();
            CallException failure =
                    new CallException(
                            Fate.MAYBE_RECEIVED,
                            "no reply from " + address + ": " + cause.getMessage(),
                            cause);
            lost.forEach(callback -> callback.failed(failure));
        }
    }

    /** False once closed. */
    private boolean hand(Runnable work) {
        synchronized (lock) {
            if (closed) {
                return false;
            }
            handedOver.add(work);
        }
        // Its own thread looks again before it waits.
        if (woken.compareAndSet(false, true)) {
            selector.wakeup();
        }
        return true;
    }

    private void register(Connection connection) {
        try {
            connection.key =
                    connection.channel.register(selector, SelectionKey.OP_READ, connection);
            open.add(connection);
        } catch (IOException e) {
            connection.end(e);
        }
    }

    private void run() {
        IOException reason = new IOException("the client was closed");
        try {
            while (turn()) {
                selector.select();
                woken.set(false);
                for (SelectionKey key : selector.selectedKeys()) {
                    ready(key);
                }
                selector.selectedKeys().clear();
            }
        } catch (IOException e) {
            reason = e;
        } finally {
            synchronized (lock) {
                closed = true;
            }
            turn();
            for (Connection connection : List.copyOf(open)) {
                connection.end(reason);
            }
            closeQuietly(selector);
        }
    }

    /** Takes what was handed over and sends what came of it; false once closed. */
    private boolean turn() {
        List<Runnable> works;
        boolean goOn;
        synchronized (lock) {
            works = handedOver;
            handedOver = new ArrayList<>();
            goOn = !closed;
        }
        works.forEach(Runnable::run);
        for (int i = 0; i < dirty.size(); i++) {
            Connection connection = dirty.get(i);
            if (!connection.ended) {
                try {
                    connection.write();
                } catch (IOException | CancelledKeyException e) {
                    connection.end(e);
                }
            }
        }
        dirty.clear();
        return goOn;
    }

    private static void ready(SelectionKey key) {
        Connection connection = (Connection) key.attachment();
        try {
            if (key.isReadable()) {
                connection.read();
            }
            if (key.isWritable()) {
                connection.markDirty();
            }
        } catch (IOException | CancelledKeyException e) {
            connection.end(e);
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable closeable) {
        if (closeable != null) {
            try {
                closeable.close();
            } catch (Exception e) {
                // The descriptor is gone either way.
            }
        }
    }
}
