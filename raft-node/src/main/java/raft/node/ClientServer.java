package raft.node;

import org.jspecify.annotations.Nullable;

import raft.client.Answer;
import raft.client.Call;
import raft.client.ClientCodec;
import raft.client.FrameBuffer;
import raft.client.Limits;
import raft.client.ProtocolException;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.ServerHello;
import raft.client.Wire;
import raft.core.Bytes;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.SSLException;

/**
 * All client connections, on one thread: reads what has arrived from every client, hands the
 * requests to the event loop in one go, and writes answers in as few packets as they fit.
 *
 * <p>Bounded: connections, time for the handshake, requests in flight per connection and in all,
 * their bytes, and answers that a client does not fetch (then nothing more is read from it). What
 * exceeds a bound is refused as busy, which means: certainly not applied.
 */
final class ClientServer implements Closeable {
    static final int OUTSTANDING_PER_CONNECTION_MAX = 1024;
    static final int OUTSTANDING_MAX = 16_384;

    /** For what was given up: until then it may still fetch what was said to it. */
    private static final int FAREWELL_MILLIS_MAX = 5000;

    private static final int UNFETCHED_ANSWERS_MAX = 2 * OUTSTANDING_PER_CONNECTION_MAX;
    private static final int WRITE_BYTES = 256 << 10;
    private static final int SWEEP_MILLIS = 1000;

    private final ServerSocketChannel listener;
    private final Selector selector;
    private final SelectionKey acceptKey;
    private final ServerHello.Accepted welcome;
    private final long outstandingBytesMax;
    private final Mailbox<Input> inbox;
    private final NodeClock clock;
    private final NodeConfig.Limits limits;
    private final @Nullable Certificates certificates;
    private final Counters counters;
    private final Timings timings;
    private final Log log;

    /** From the event loop; under its own monitor. */
    private final Object outboxLock = new Object();

    private List<Answered> outbox = new ArrayList<>();
    private long outboxNanos;
    private boolean stopping;
    private volatile boolean refusing;

    // Of the thread alone.
    private final Set<Connection> connections = new LinkedHashSet<>();
    private final Set<Connection> dirty = new LinkedHashSet<>();
    private final List<ClientCall> calls = new ArrayList<>();
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(WRITE_BYTES);
    private int outstandingCount;
    private long outstandingBytes;
    private long nextSweepNanos;
    private long nextTlsLineNanos;

    /** When the present round began: what it reads counts as received then. */
    private long roundNanos;

    private int roundAnswerCount;
    private long roundAnsweredNanos;

    /** An answer of the event loop. */
    record Answered(ClientCall call, Reply reply) {}

    /** One client. Owned by the server's thread; others only pass it around. */
    static final class Connection {
        private final SocketChannel channel;
        private final Wire wire;
        private final FrameBuffer frames = new FrameBuffer();

        /** Answers not yet turned into bytes: until then a value is shared with the store. */
        private final ArrayDeque<Answer> answers = new ArrayDeque<>();

        private final ArrayDeque<ByteBuffer> unsent = new ArrayDeque<>();
        private @Nullable SelectionKey key;
        private boolean greeted;
        private boolean closeWhenSent;

        /** All is said; what still arrives is thrown away, so that what was said is heard. */
        private boolean draining;

        /** When a connection is closed that has not shaken hands, or has been given up. */
        private long closeNanos;

        private boolean closed;
        private int outstandingCount;
        private long heardNanos;

        private Connection(SocketChannel channel, Wire wire, long closeNanos) {
            this.channel = channel;
            this.wire = wire;
            this.closeNanos = closeNanos;
        }
    }

    /**
     * @param outstandingBytesMax most bytes of requests not answered yet
     */
    ClientServer(
            ServerSocketChannel listener,
            ServerHello.Accepted welcome,
            long outstandingBytesMax,
            NodeConfig.Limits limits,
            @Nullable Certificates certificates,
            Mailbox<Input> inbox,
            NodeClock clock,
            Counters counters,
            Timings timings,
            Log log)
            throws IOException {
        this.listener = listener;
        this.selector = Selector.open();
        this.welcome = welcome;
        this.outstandingBytesMax = outstandingBytesMax;
        this.limits = limits;
        this.certificates = certificates;
        this.inbox = inbox;
        this.clock = clock;
        this.counters = counters;
        this.timings = timings;
        this.log = log;
        listener.configureBlocking(false);
        acceptKey = listener.register(selector, SelectionKey.OP_ACCEPT);
    }

    /** For a server whose thread never started. */
    @Override
    public void close() {
        closeAll();
    }

    /** Takes the answers of one turn of the event loop. */
    void answer(List<Answered> answers) {
        synchronized (outboxLock) {
            if (outbox.isEmpty()) {
                outboxNanos = clock.nanoTime();
            }
            outbox.addAll(answers);
        }
        selector.wakeup();
    }

    /** From now on every new request is refused. */
    void refuseNew() {
        refusing = true;
    }

    /** Sends what has been answered so far, as far as the sockets take it, and ends the thread. */
    void stop() {
        synchronized (outboxLock) {
            stopping = true;
        }
        selector.wakeup();
    }

    /**
     * The thread.
     *
     * @throws UncheckedIOException if waiting for sockets failed, which nothing explains
     */
    void run() {
        nextSweepNanos = clock.nanoTime();
        nextTlsLineNanos = nextSweepNanos;
        try {
            while (true) {
                selector.select(SWEEP_MILLIS);
                roundNanos = clock.nanoTime();
                for (SelectionKey key : selector.selectedKeys()) {
                    ready(key);
                }
                selector.selectedKeys().clear();
                if (!calls.isEmpty()) {
                    inbox.putAll(calls);
                    calls.clear();
                }
                boolean last = takeOutbox();
                for (Connection connection : dirty) {
                    write(connection);
                }
                dirty.clear();
                if (roundAnswerCount > 0) {
                    // One figure for all that left together.
                    timings.reply.record(clock.nanoTime() - roundAnsweredNanos);
                }
                if (last) {
                    break;
                }
                sweep();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            closeAll();
        }
    }

    private void ready(SelectionKey key) {
        try {
            if (key.isAcceptable()) {
                accept();
                return;
            }
            Connection connection = (Connection) key.attachment();
            if (key.isReadable()) {
                read(connection);
            }
            if (key.isValid() && key.isWritable()) {
                dirty.add(connection);
            }
        } catch (CancelledKeyException e) {
            // Closed by an earlier key of the same round.
        }
    }

    private long inMillis(int millis) {
        return clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private void accept() {
        try {
            SocketChannel channel;
            while ((channel = listener.accept()) != null) {
                channel.configureBlocking(false);
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                Wire wire =
                        certificates == null
                                ? new Wire.Plain(channel)
                                : new Wire.Tls(channel, certificates.serverEngine());
                Connection connection =
                        new Connection(channel, wire, inMillis(limits.handshakeMillis()));
                connection.key = channel.register(selector, SelectionKey.OP_READ, connection);
                connections.add(connection);
                counters.clientConnections.incrementAndGet();
                if (connections.size() > limits.clientConnectionCountMax()) {
                    refuse(connection, "This node has too many connections.");
                }
            }
        } catch (IOException e) {
            log.warn("cannot accept a client: " + e);
            // Out of file descriptors, say; it would be tried again at once and without end.
            acceptKey.interestOps(0);
        }
    }

    private void read(Connection connection) {
        try {
            if (connection.draining) {
                if (connection.wire.read(scratch.clear()) < 0) {
                    close(connection);
                }
                return;
            }
            // One read per round and client, so that none of them can starve the others.
            do {
                int got = connection.wire.read(connection.frames.space());
                connection.heardNanos = roundNanos;
                if (got < 0) {
                    close(connection);
                    return;
                }
                takeFrames(connection);
            } while (!connection.closeWhenSent && connection.wire.hasInput());
            if (!connection.wire.flush()) {
                // Part of a TLS handshake.
                dirty.add(connection);
            }
        } catch (ProtocolException e) {
            counters.clientProtocolErrors.incrementAndGet();
            if (connection.greeted) {
                send(connection, e.answer());
                giveUp(connection);
            } else {
                refuse(connection, String.valueOf(e.getMessage()));
            }
        } catch (SSLException e) {
            refuseTls(connection, e);
        } catch (IOException e) {
            close(connection);
        }
    }

    private void takeFrames(Connection connection) throws ProtocolException {
        ByteBuffer frame;
        while (!connection.closeWhenSent
                && (frame = connection.frames.next(frameBytesMax(connection))) != null) {
            if (connection.greeted) {
                call(connection, frame);
            } else {
                greet(connection, frame);
            }
        }
    }

    /**
     * The client has got an alert; the operator gets a line, though not one for each of a flood.
     */
    private void refuseTls(Connection connection, SSLException why) {
        counters.clientRefusals.incrementAndGet();
        if (roundNanos - nextTlsLineNanos >= 0) {
            nextTlsLineNanos = roundNanos + TimeUnit.MILLISECONDS.toNanos(SWEEP_MILLIS);
            log.warn("refused a client: " + Certificates.explain(why));
        }
        close(connection);
    }

    private static int frameBytesMax(Connection connection) {
        return connection.greeted ? Limits.FRAME_BYTES_MAX : Limits.HELLO_BYTES_MAX;
    }

    private void greet(Connection connection, ByteBuffer frame) throws ProtocolException {
        int version = ClientCodec.decodeClientHello(frame);
        if (version != ClientCodec.VERSION) {
            refuse(
                    connection,
                    "This node speaks version "
                            + ClientCodec.VERSION
                            + " of the client protocol, not "
                            + version
                            + ".");
            return;
        }
        connection.greeted = true;
        send(connection, ClientCodec.encodeServerHello(welcome));
    }

    private void refuse(Connection connection, String reason) {
        counters.clientRefusals.incrementAndGet();
        ServerHello refusal = new ServerHello.Refused(ClientCodec.VERSION, reason);
        send(connection, ClientCodec.encodeServerHello(refusal));
        giveUp(connection);
    }

    private void giveUp(Connection connection) {
        connection.closeWhenSent = true;
        connection.closeNanos = inMillis(FAREWELL_MILLIS_MAX);
    }

    private void call(Connection connection, ByteBuffer frame) throws ProtocolException {
        counters.requests.incrementAndGet();
        Call call;
        try {
            call = ClientCodec.decodeCall(frame);
        } catch (ProtocolException e) {
            if (e.requestId() == 0) {
                throw e;
            }
            counters.repliesRefused.incrementAndGet();
            send(connection, e.answer());
            return;
        }
        if (refusing) {
            counters.repliesRefused.incrementAndGet();
            Reply refusal = new Reply.Refused(Refusal.STOPPING, null, "This node is stopping.");
            send(connection, new Answer(call.id(), refusal));
            return;
        }
        if (connection.outstandingCount >= OUTSTANDING_PER_CONNECTION_MAX
                || outstandingCount >= OUTSTANDING_MAX
                || outstandingBytes >= outstandingBytesMax) {
            counters.repliesRefused.incrementAndGet();
            Reply busy = new Reply.Refused(Refusal.BUSY, null, "Too many requests are waiting.");
            send(connection, new Answer(call.id(), busy));
            return;
        }
        Bytes command = Bytes.wrap(call.command().unsafeArray());
        connection.outstandingCount++;
        outstandingCount++;
        outstandingBytes += command.sizeBytes();
        calls.add(new ClientCall(connection, call.id(), call.request(), command, roundNanos));
    }

    /** Returns whether the server is to stop after this round. */
    private boolean takeOutbox() {
        List<Answered> answers;
        boolean last;
        synchronized (outboxLock) {
            last = stopping;
            // Also an empty list changes hands only here: the event loop may add to the one that
            // stays
            // while this thread walks along the one it took.
            answers = outbox.isEmpty() ? List.of() : outbox;
            if (!answers.isEmpty()) {
                outbox = new ArrayList<>();
            }
            roundAnswerCount = answers.size();
            roundAnsweredNanos = outboxNanos;
        }
        for (Answered answered : answers) {
            ClientCall call = answered.call();
            Connection connection = call.connection();
            connection.outstandingCount--;
            outstandingCount--;
            outstandingBytes -= call.command().sizeBytes();
            if (!connection.closed) {
                send(connection, new Answer(call.id(), answered.reply()));
            }
        }
        return last;
    }

    private void send(Connection connection, Answer answer) {
        connection.answers.add(answer);
        dirty.add(connection);
    }

    private void send(Connection connection, ByteBuffer hello) {
        connection.unsent.add(hello);
        dirty.add(connection);
    }

    private void write(Connection connection) {
        if (connection.closed) {
            return;
        }
        try {
            boolean taken = connection.wire.flush();
            while (taken && !(connection.unsent.isEmpty() && connection.answers.isEmpty())) {
                encodeSome(connection);
                taken = writeSome(connection);
            }
            boolean allSent =
                    connection.unsent.isEmpty()
                            && connection.answers.isEmpty()
                            && connection.wire.flush();
            if (allSent && connection.closeWhenSent && !connection.draining) {
                // Closing with unread bytes in the socket would reset the connection, and the
                // reset could overtake the reason that was just sent.
                connection.wire.shutdownOutput();
                connection.draining = true;
            }
            int interest = allSent ? 0 : SelectionKey.OP_WRITE;
            boolean mayRead =
                    connection.closeWhenSent
                            ? connection.draining
                            : connection.answers.size() < UNFETCHED_ANSWERS_MAX;
            SelectionKey key = connection.key;
            if (key != null) {
                key.interestOps(interest | (mayRead ? SelectionKey.OP_READ : 0));
            }
        } catch (IOException | CancelledKeyException e) {
            close(connection);
        }
    }

    /** As much as one write may take. */
    private static void encodeSome(Connection connection) {
        int bytes = 0;
        for (ByteBuffer frame : connection.unsent) {
            bytes += frame.remaining();
        }
        Answer answer;
        while (bytes < WRITE_BYTES && (answer = connection.answers.poll()) != null) {
            ByteBuffer frame = ClientCodec.encodeAnswer(answer.id(), answer.reply());
            bytes += frame.remaining();
            connection.unsent.add(frame);
        }
    }

    /** One system call for many small answers. Returns whether the socket took everything. */
    private boolean writeSome(Connection connection) throws IOException {
        ArrayDeque<ByteBuffer> unsent = connection.unsent;
        ByteBuffer head = unsent.getFirst();
        if (unsent.size() == 1 || head.remaining() > scratch.capacity()) {
            connection.wire.write(head);
            if (head.hasRemaining()) {
                return false;
            }
            unsent.removeFirst();
            return true;
        }
        scratch.clear();
        for (ByteBuffer frame : unsent) {
            if (frame.remaining() > scratch.remaining()) {
                break;
            }
            scratch.put(frame.duplicate());
        }
        scratch.flip();
        int offered = scratch.remaining();
        int written = connection.wire.write(scratch);
        for (int left = written; left > 0; ) {
            ByteBuffer frame = unsent.getFirst();
            int step = Math.min(left, frame.remaining());
            frame.position(frame.position() + step);
            left -= step;
            if (!frame.hasRemaining()) {
                unsent.removeFirst();
            }
        }
        return written == offered;
    }

    private void sweep() {
        long now = clock.nanoTime();
        if (now - nextSweepNanos < 0) {
            return;
        }
        nextSweepNanos = now + TimeUnit.MILLISECONDS.toNanos(SWEEP_MILLIS);
        acceptKey.interestOps(SelectionKey.OP_ACCEPT);
        for (Connection connection : List.copyOf(connections)) {
            boolean late = now - connection.closeNanos > 0;
            if (connection.closeWhenSent ? late : isIdle(connection, now)) {
                close(connection);
            } else if (late && !connection.greeted) {
                refuse(connection, "No handshake within " + limits.handshakeMillis() + " ms.");
                write(connection);
            }
        }
        dirty.clear();
    }

    /** Says nothing, waits for nothing, and has nothing left to fetch. */
    private boolean isIdle(Connection connection, long now) {
        return limits.clientIdleMillis() > 0
                && connection.greeted
                && connection.outstandingCount == 0
                && connection.answers.isEmpty()
                && now - connection.heardNanos
                        > TimeUnit.MILLISECONDS.toNanos(limits.clientIdleMillis());
    }

    private void close(Connection connection) {
        connection.closed = true;
        connection.unsent.clear();
        connection.answers.clear();
        connections.remove(connection);
        closeQuietly(connection.channel);
    }

    private void closeAll() {
        List.copyOf(connections).forEach(this::close);
        closeQuietly(listener);
        closeQuietly(selector);
    }

    private static void closeQuietly(Closeable closeable) {
        try {
            closeable.close();
        } catch (IOException e) {
            // It is gone either way.
        }
    }
}
