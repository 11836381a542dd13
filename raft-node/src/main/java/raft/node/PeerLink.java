package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.Message;
import raft.core.NodeId;
import raft.peer.Frame;
import raft.peer.FrameBuffer;
import raft.peer.Handshake;
import raft.peer.Handshake.Goodbye;
import raft.peer.Handshake.Hello;
import raft.peer.PeerCodec;
import raft.peer.PeerProtocolException;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

import javax.net.ssl.SSLException;

/**
 * The connection to one peer, for sending only; the peer sends over a connection of its own.
 *
 * <p>TCP counts as lossy: the queue is bounded, what does not fit is dropped and counted, and what
 * waits while there is no connection is dropped too, since Raft would rather say something new than
 * something old. Votes, heartbeats and acknowledgements overtake entries.
 *
 * <p>A connection through a network that swallows packets looks alive, and TCP doubles its waits
 * until long after the network healed. So the peer answers pings over the same connection, and
 * without an answer for {@link #SILENCE_MILLIS_MAX} it is closed and made anew.
 */
final class PeerLink {
    static final int SILENCE_MILLIS_MAX = 1000;
    static final int PING_MILLIS = 200;

    private static final int CONTROL_COUNT_MAX = 4096;
    private static final long BULK_BYTES_MAX = 32 << 20;
    private static final int BUFFER_BYTES = 256 << 10;
    private static final int CONNECT_MILLIS_MAX = 500;
    private static final int BACKOFF_MILLIS_MIN = 20;
    private static final int BACKOFF_MILLIS_MAX = 250;

    private final NodeId peer;
    private final NodeConfig.Address address;
    private final Hello hello;
    private final PeerIdentities identities;
    private final @Nullable Certificates certificates;
    private final NodeClock clock;
    private final Counters counters;
    private final Log log;
    private final Random jitter;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Under the lock.
    private ArrayDeque<Message> control = new ArrayDeque<>();
    private final ArrayDeque<Message> bulk = new ArrayDeque<>();
    private long bulkBytes;
    private boolean waiting;
    private boolean connected;
    private boolean stopped;
    private @Nullable SocketChannel channel;

    // Written by one of the link's two threads each.
    private volatile long pingNanos;
    private volatile long rttNanos = -1;

    // Of the sending thread.
    private ByteBuffer out = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private long nextPingNanos;
    private long peerDataId;
    private String lastTrouble = "";

    PeerLink(
            NodeId peer,
            NodeConfig.Address address,
            Hello hello,
            PeerIdentities identities,
            @Nullable Certificates certificates,
            NodeClock clock,
            Counters counters,
            Log log,
            long seed) {
        this.peer = peer;
        this.address = address;
        this.hello = hello;
        this.identities = identities;
        this.certificates = certificates;
        this.clock = clock;
        this.counters = counters;
        this.log = log;
        this.jitter = new Random(seed);
    }

    /** Queues or drops; never waits. */
    void send(Message message) {
        boolean isBulk =
                message instanceof Message.InstallSnapshot
                        || (message instanceof Message.AppendEntries append
                                && !append.entries().isEmpty());
        long sizeBytes = isBulk ? PeerCodec.frameBytesBound(message) : 0;
        lock.lock();
        try {
            if (!connected
                    || (isBulk
                            ? bulkBytes + sizeBytes > BULK_BYTES_MAX
                            : control.size() >= CONTROL_COUNT_MAX)) {
                counters.framesDropped.incrementAndGet();
                return;
            }
            if (isBulk) {
                bulk.add(message);
                bulkBytes += sizeBytes;
            } else {
                control.add(message);
            }
            if (waiting) {
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    boolean isConnected() {
        lock.lock();
        try {
            return connected;
        } finally {
            lock.unlock();
        }
    }

    int queuedCount() {
        lock.lock();
        try {
            return control.size() + bulk.size();
        } finally {
            lock.unlock();
        }
    }

    /** Of the last ping that was answered; -1 before there was one. */
    long rttMicros() {
        long nanos = rttNanos;
        return nanos < 0 ? -1 : TimeUnit.NANOSECONDS.toMicros(nanos);
    }

    NodeId peer() {
        return peer;
    }

    void stop() {
        lock.lock();
        try {
            stopped = true;
            changed.signal();
            closeQuietly(channel);
        } finally {
            lock.unlock();
        }
    }

    /** The sending thread. */
    void run() {
        int backoffMillis = BACKOFF_MILLIS_MIN;
        while (!isStopped()) {
            try (SocketChannel connection = SocketChannel.open()) {
                FrameBuffer in = new FrameBuffer();
                PeerWire wire = connect(connection, in);
                backoffMillis = BACKOFF_MILLIS_MIN;
                serve(wire, in);
            } catch (IOException e) {
                trouble(e);
            } catch (InterruptedException e) {
                return;
            } finally {
                disconnected();
            }
            sleep(backoffMillis / 2 + jitter.nextInt(backoffMillis));
            backoffMillis = Math.min(2 * backoffMillis, BACKOFF_MILLIS_MAX);
        }
    }

    private PeerWire connect(SocketChannel connection, FrameBuffer in) throws IOException {
        lock.lock();
        try {
            if (stopped) {
                throw new EOFException("stopped");
            }
            channel = connection;
        } finally {
            lock.unlock();
        }
        connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
        // Looked up anew each time: a restarted container may have another address.
        InetSocketAddress target = new InetSocketAddress(address.host(), address.port());
        if (target.isUnresolved()) {
            throw new UnknownHostException("cannot resolve " + address.host());
        }
        connection.socket().connect(target, CONNECT_MILLIS_MAX);
        connection.socket().setSoTimeout(SILENCE_MILLIS_MAX);
        PeerWire wire = PeerWire.over(connection, certificates, true);
        if (!wire.isFrom(peer)) {
            throw new PeerProtocolException("its certificate does not name node " + peer);
        }
        wire.write(PeerCodec.encode(hello));
        wire.setReadMillisMax(SILENCE_MILLIS_MAX);
        InputStream stream = wire.in();
        Frame frame;
        while ((frame = in.next(Frame.HANDSHAKE_BYTES_MAX)) == null) {
            fill(in, stream);
        }
        switch (PeerCodec.decodeHandshake(frame)) {
            case Hello theirs -> {
                String mismatch = Handshake.mismatch(hello, theirs, peer);
                if (mismatch != null) {
                    throw new PeerProtocolException(mismatch);
                }
                peerDataId = theirs.dataId();
                String objection = identities.objection(peer, peerDataId);
                if (objection != null) {
                    log.warn("only followed where it leads: " + objection);
                }
            }
            case Goodbye goodbye ->
                    throw new PeerProtocolException("it refuses: " + goodbye.reason());
        }
        return wire;
    }

    private void serve(PeerWire connection, FrameBuffer in)
            throws IOException, InterruptedException {
        counters.peerConnects.incrementAndGet();
        lastTrouble = "";
        log.info("connected to " + peer + " at " + address);
        Thread listener = Threads.start("pongs-" + peer, () -> listenForPongs(connection, in));
        nextPingNanos = clock.nanoTime();
        lock.lock();
        try {
            connected = !stopped;
        } finally {
            lock.unlock();
        }
        try {
            List<Message> messages = new ArrayList<>();
            while (takeBatch(messages, connection)) {
                boolean trusted = identities.objection(peer, peerDataId) == null;
                int sentCount = 0;
                for (Message message : messages) {
                    if (trusted || isAnswerToLeader(message)) {
                        put(message, connection);
                        sentCount++;
                    }
                }
                counters.framesSent.addAndGet(sentCount);
                counters.framesDropped.addAndGet(messages.size() - sentCount);
                messages.clear();
                ping();
                flush(connection);
            }
        } finally {
            closeQuietly(connection);
            listener.join();
        }
    }

    /**
     * All that a node is told which has lost what it promised. As a leader's heartbeat speaks of
     * what it once acknowledged, it would have to stop.
     */
    private static boolean isAnswerToLeader(Message message) {
        return message instanceof Message.AppendAccepted
                || message instanceof Message.AppendRejected
                || message instanceof Message.HeartbeatReply
                || message instanceof Message.SnapshotReply;
    }

    /**
     * Everything urgent and some of the bulk, so that what becomes urgent meanwhile waits little.
     */
    private boolean takeBatch(List<Message> messages, PeerWire connection)
            throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left;
            waiting = true;
            while (control.isEmpty()
                    && bulk.isEmpty()
                    && !stopped
                    && connection.isOpen()
                    && (left = nextPingNanos - clock.nanoTime()) > 0) {
                changed.awaitNanos(left);
            }
            waiting = false;
            if (stopped || !connection.isOpen()) {
                return false;
            }
            messages.addAll(control);
            control.clear();
            if (control.size() == 0 && messages.size() > 1024) {
                control = new ArrayDeque<>();
            }
            long takenBytes = 0;
            while (!bulk.isEmpty() && takenBytes < BUFFER_BYTES) {
                Message message = bulk.remove();
                takenBytes += PeerCodec.frameBytesBound(message);
                messages.add(message);
            }
            bulkBytes -= takenBytes;
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void put(Message message, PeerWire connection) throws IOException {
        int boundBytes = PeerCodec.frameBytesBound(message);
        if (out.remaining() < boundBytes) {
            flush(connection);
        }
        if (boundBytes > out.capacity()) {
            ByteBuffer large = ByteBuffer.allocate(boundBytes);
            PeerCodec.encode(message, large);
            connection.write(large.flip());
        } else {
            PeerCodec.encode(message, out);
        }
    }

    private void ping() {
        long now = clock.nanoTime();
        if (now - nextPingNanos >= 0) {
            if (out.remaining() >= Frame.HEADER_BYTES) {
                PeerCodec.encodeEmpty(PeerCodec.PING, out);
                pingNanos = now;
            }
            nextPingNanos = now + TimeUnit.MILLISECONDS.toNanos(PING_MILLIS);
        }
    }

    private void flush(PeerWire connection) throws IOException {
        connection.write(out.flip());
        out.clear();
    }

    private static void fill(FrameBuffer in, InputStream stream) throws IOException {
        ByteBuffer space = in.space();
        int got =
                stream.read(
                        space.array(), space.arrayOffset() + space.position(), space.remaining());
        if (got < 0) {
            throw new EOFException("the other side closed the connection");
        }
        space.position(space.position() + got);
    }

    /**
     * Closes the connection when the answers stay away; that also frees the sending thread from a
     * write that would wait for ever.
     */
    private void listenForPongs(PeerWire connection, FrameBuffer in) {
        try {
            InputStream stream = connection.in();
            while (true) {
                Frame frame = in.next(Frame.HANDSHAKE_BYTES_MAX);
                if (frame == null) {
                    fill(in, stream);
                } else if (frame.type() != PeerCodec.PONG) {
                    throw new PeerProtocolException("type " + frame.type() + " instead of a pong");
                } else {
                    rttNanos = clock.nanoTime() - pingNanos;
                }
            }
        } catch (SocketTimeoutException e) {
            trouble(new IOException("no answer for " + SILENCE_MILLIS_MAX + " ms", e));
        } catch (IOException e) {
            trouble(e);
        } finally {
            closeQuietly(connection);
            lock.lock();
            try {
                changed.signal();
            } finally {
                lock.unlock();
            }
        }
    }

    private void disconnected() {
        lock.lock();
        try {
            counters.framesDropped.addAndGet(control.size() + bulk.size());
            connected = false;
            channel = null;
            control.clear();
            bulk.clear();
            bulkBytes = 0;
        } finally {
            lock.unlock();
        }
        out.clear();
    }

    /** One line per kind of trouble, not one per attempt. */
    private synchronized void trouble(IOException e) {
        if (isStopped() || e instanceof ClosedChannelException) {
            // The one of the link's two threads that closed it has said why.
            return;
        }
        if (e instanceof PeerProtocolException wrong) {
            counters.peerProtocolErrors.incrementAndGet();
            if (wrong.isChecksum()) {
                counters.checksumErrors.incrementAndGet();
            }
        }
        String trouble =
                e instanceof SSLException ssl
                        ? Certificates.explain(ssl)
                        : e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        if (lastTrouble.isEmpty()) {
            log.warn("no connection to " + peer + " at " + address + ": " + trouble);
        }
        lastTrouble = trouble;
    }

    private boolean isStopped() {
        lock.lock();
        try {
            return stopped;
        } finally {
            lock.unlock();
        }
    }

    private void sleep(int millis) {
        lock.lock();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(millis);
            while (!stopped && left > 0) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            stopped = true;
        } finally {
            lock.unlock();
        }
    }

    private static void closeQuietly(@Nullable Closeable connection) {
        if (connection != null) {
            try {
                connection.close();
            } catch (IOException e) {
                // It is gone either way.
            }
        }
    }
}
