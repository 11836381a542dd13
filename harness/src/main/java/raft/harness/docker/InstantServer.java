package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.Answer;
import raft.client.Blob;
import raft.client.Call;
import raft.client.ClientCodec;
import raft.client.FrameBuffer;
import raft.client.Limits;
import raft.client.ProtocolException;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.client.ServerHello;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * A measuring device, not a store: speaks the client protocol on a loopback port and answers every
 * request at once from a map in memory. What a harness achieves against it is the harness's own
 * limit, because no system under test can be faster.
 *
 * <p>One thread serves all connections, so that it takes as little as possible of the processors
 * that it shares with the harness. It is linearizable (each map operation is atomic), so histories
 * recorded against it are valid.
 */
public final class InstantServer implements AutoCloseable {
    /** Replies that a client does not take are kept up to here; then its requests wait. */
    private static final int UNTAKEN_ANSWERS_MAX = 1024;

    private final ConcurrentMap<Blob, Blob> values = new ConcurrentHashMap<>();
    private final ServerHello hello;
    private final Selector selector;
    private final ServerSocketChannel listener;
    private final Thread thread;
    private long logIndex;

    private InstantServer(String nodeId) throws IOException {
        hello = new ServerHello.Accepted(ClientCodec.VERSION, nodeId, "instant");
        selector = Selector.open();
        listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        thread = Thread.ofPlatform().daemon().name("instant-server").unstarted(this::run);
    }

    /**
     * Starts on a free port of the loopback interface.
     *
     * @param nodeId what the handshake says
     */
    public static InstantServer start(String nodeId) throws IOException {
        InstantServer server = new InstantServer(nodeId);
        server.thread.start();
        return server;
    }

    /** Where clients connect. */
    public InetSocketAddress address() {
        return new InetSocketAddress(
                InetAddress.getLoopbackAddress(), listener.socket().getLocalPort());
    }

    /** Stops, closes all connections and waits until that is done. */
    @Override
    public void close() {
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try (selector;
                listener) {
            while (!Thread.currentThread().isInterrupted()) {
                selector.select(this::selected);
            }
            for (SelectionKey key : selector.keys()) {
                key.channel().close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the instant server cannot go on", e);
        }
    }

    private void selected(SelectionKey key) {
        try {
            if (key.attachment() instanceof Connection connection) {
                connection.selected(key);
            } else {
                accept();
            }
        } catch (IOException e) {
            // A client that went away, or is no client of ours: only its connection ends.
            try {
                key.channel().close();
            } catch (IOException ignored) {
                key.cancel();
            }
        }
    }

    private void accept() throws IOException {
        SocketChannel channel = listener.accept();
        if (channel != null) {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.register(selector, SelectionKey.OP_READ, new Connection(channel));
        }
    }

    private Reply answer(Request request) {
        @Nullable Result result =
                switch (request) {
                    case Request.Get get -> {
                        Blob value = values.get(get.key());
                        yield value == null ? new Result.Absent() : new Result.Found(value);
                    }
                    case Request.Put(Blob key, Blob value) -> {
                        values.put(key, value);
                        yield new Result.Done();
                    }
                    case Request.Cas cas ->
                            swap(cas.key(), cas.expected(), cas.value())
                                    ? new Result.Done()
                                    : new Result.CompareFailed();
                    case Request.Delete(Blob key) ->
                            values.remove(key) == null ? new Result.Absent() : new Result.Done();
                    default -> null;
                };
        if (result == null) {
            return new Reply.Refused(
                    Refusal.UNSUPPORTED, null, "This server has registers and nothing else.");
        }
        return new Reply.Ok(result, 1, ++logIndex);
    }

    private boolean swap(Blob key, @Nullable Blob expected, Blob value) {
        return expected == null
                ? values.putIfAbsent(key, value) == null
                : values.replace(key, expected, value);
    }

    private final class Connection {
        private final SocketChannel channel;
        private final FrameBuffer in = new FrameBuffer();
        private final Queue<ByteBuffer> out = new ArrayDeque<>();
        private boolean greeted;

        Connection(SocketChannel channel) {
            this.channel = channel;
        }

        void selected(SelectionKey key) throws IOException {
            if (key.isReadable() && channel.read(in.space()) < 0) {
                channel.close();
                return;
            }
            do {
                flush();
            } while (out.isEmpty() && answerSome());
            key.interestOps(out.isEmpty() ? SelectionKey.OP_READ : SelectionKey.OP_WRITE);
        }

        private boolean answerSome() throws IOException {
            while (out.size() < UNTAKEN_ANSWERS_MAX && answerNext()) {
                // All that has arrived is answered before the first byte is written.
            }
            return !out.isEmpty();
        }

        private boolean answerNext() throws IOException {
            ByteBuffer frame = in.next(greeted ? Limits.FRAME_BYTES_MAX : Limits.HELLO_BYTES_MAX);
            if (frame == null) {
                return false;
            }
            if (greeted) {
                out.add(answer(frame));
            } else {
                ClientCodec.decodeClientHello(frame);
                out.add(ClientCodec.encodeServerHello(hello));
                greeted = true;
            }
            return true;
        }

        private ByteBuffer answer(ByteBuffer frame) throws ProtocolException {
            try {
                Call call = ClientCodec.decodeCall(frame);
                return ClientCodec.encodeAnswer(
                        call.id(), InstantServer.this.answer(call.request()));
            } catch (ProtocolException e) {
                if (e.requestId() == 0) {
                    throw e;
                }
                Answer refusal = e.answer();
                return ClientCodec.encodeAnswer(refusal.id(), refusal.reply());
            }
        }

        private void flush() throws IOException {
            while (!out.isEmpty()) {
                channel.write(out.element());
                if (out.element().hasRemaining()) {
                    return;
                }
                out.remove();
            }
        }
    }
}
