package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.Event;
import raft.core.Message;
import raft.core.NodeId;
import raft.peer.Frame;
import raft.peer.FrameBuffer;
import raft.peer.Handshake;
import raft.peer.Handshake.Goodbye;
import raft.peer.Handshake.Hello;
import raft.peer.PeerCodec;
import raft.peer.PeerProtocolException;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

import javax.net.ssl.SSLException;

/**
 * Takes in the connections over which peers send. Who has not shown within a second that it is a
 * member of this cluster is told why and closed; nobody gets more than a small buffer before.
 */
final class PeerServer {
    private static final int HANDSHAKE_MILLIS_MAX = 1000;
    private static final int STRANGER_COUNT_MAX = 32;
    private static final int GOODBYE_MILLIS_MAX = 100;
    private static final int GOODBYE_BYTES_MAX = 64 << 10;
    private static final long ACCEPT_PAUSE_NANOS = 200_000_000;
    private static final int SILENCE_MILLIS_MAX = 4 * PeerLink.SILENCE_MILLIS_MAX;

    private final ServerSocketChannel listener;
    private final Hello hello;
    private final Peers peers;
    private final Mailbox<Input> inbox;
    private final NodeClock clock;
    private final @Nullable Certificates certificates;
    private final Counters counters;
    private final Log log;

    // Under this object's monitor.
    private final Set<SocketChannel> open = new HashSet<>();
    private final Map<NodeId, SocketChannel> byPeer = new HashMap<>();
    private boolean stopped;

    PeerServer(
            ServerSocketChannel listener,
            Hello hello,
            Peers peers,
            @Nullable Certificates certificates,
            Mailbox<Input> inbox,
            NodeClock clock,
            Counters counters,
            Log log) {
        this.listener = listener;
        this.hello = hello;
        this.peers = peers;
        this.certificates = certificates;
        this.inbox = inbox;
        this.clock = clock;
        this.counters = counters;
        this.log = log;
    }

    /** The accepting thread. */
    void run() {
        while (true) {
            try {
                SocketChannel connection = listener.accept();
                if (admit(connection)) {
                    Threads.start("peer-in", () -> serve(connection));
                } else {
                    connection.close();
                }
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) {
                // Out of file descriptors, say: existing peers must go on being served.
                log.warn("cannot accept a peer: " + e);
                LockSupport.parkNanos(ACCEPT_PAUSE_NANOS);
            }
        }
    }

    synchronized void stop() {
        stopped = true;
        closeQuietly(listener);
        open.forEach(PeerServer::closeQuietly);
    }

    private synchronized boolean admit(SocketChannel connection) {
        if (stopped || open.size() >= byPeer.size() + STRANGER_COUNT_MAX) {
            return false;
        }
        return open.add(connection);
    }

    private void serve(SocketChannel connection) {
        NodeId peer = null;
        PeerWire wire = null;
        String address = "a peer";
        try {
            address = String.valueOf(connection.getRemoteAddress());
            connection.socket().setTcpNoDelay(true);
            // Counts for the TLS handshake too; a byte now and then can stretch that, which costs
            // one of the few places for strangers and nothing else.
            connection.socket().setSoTimeout(HANDSHAKE_MILLIS_MAX);
            wire = PeerWire.over(connection, certificates, false);
            FrameBuffer in = new FrameBuffer();
            Hello theirs = greet(wire, in);
            peer = theirs.nodeId();
            replaceOlder(peer, connection);
            receive(wire, in, theirs);
        } catch (PeerProtocolException e) {
            counters.peerProtocolErrors.incrementAndGet();
            if (e.isChecksum()) {
                counters.checksumErrors.incrementAndGet();
            }
            String who = peer == null ? address : peer.name();
            log.warn("closed the connection from " + who + ": " + e.getMessage());
            if (wire != null) {
                sayGoodbye(wire, String.valueOf(e.getMessage()));
            }
        } catch (SSLException e) {
            counters.peerRefusals.incrementAndGet();
            log.warn("closed the connection from " + address + ": " + Certificates.explain(e));
        } catch (IOException e) {
            // Lost connections are ordinary; the sender's side of the link reports them.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            // Whatever it sent, it must not take the node with it.
            log.error("a bug in reading from " + (peer == null ? address : peer.name()), e);
        } finally {
            forget(connection, peer);
        }
    }

    private Hello greet(PeerWire wire, FrameBuffer in) throws IOException {
        wire.setReadMillisMax(HANDSHAKE_MILLIS_MAX);
        InputStream stream = wire.in();
        long deadline = clock.nanoTime() + HANDSHAKE_MILLIS_MAX * 1_000_000L;
        Frame frame;
        while ((frame = in.next(Frame.HANDSHAKE_BYTES_MAX)) == null) {
            if (!fillBefore(deadline, in, stream)) {
                throw new EOFException("no handshake");
            }
        }
        if (!(PeerCodec.decodeHandshake(frame) instanceof Hello theirs)) {
            throw new PeerProtocolException("a goodbye where a hello was expected");
        }
        String mismatch = Handshake.mismatch(hello, theirs, null);
        // Before anything is learnt from what it says.
        if (mismatch == null && !wire.isFrom(theirs.nodeId())) {
            mismatch = "its certificate does not name node " + theirs.nodeId();
        }
        if (mismatch != null) {
            counters.peerRefusals.incrementAndGet();
            throw new PeerProtocolException(mismatch);
        }
        peers.met(theirs);
        wire.write(PeerCodec.encode(hello));
        wire.setReadMillisMax(SILENCE_MILLIS_MAX);
        return theirs;
    }

    /** The peer made a new connection, so the old one is dead, whatever TCP still thinks. */
    private synchronized void replaceOlder(NodeId peer, SocketChannel connection) {
        SocketChannel older = byPeer.put(peer, connection);
        if (older != null) {
            closeQuietly(older);
        }
    }

    private void receive(PeerWire wire, FrameBuffer in, Hello theirs)
            throws IOException, InterruptedException {
        InputStream stream = wire.in();
        ByteBuffer pong = ByteBuffer.allocate(Frame.HEADER_BYTES);
        PeerCodec.encodeEmpty(PeerCodec.PONG, pong);
        List<Input> batch = new ArrayList<>();
        long batchBytes = 0;
        do {
            boolean promises = false;
            Frame frame;
            while ((frame = in.next(Frame.BODY_BYTES_MAX)) != null) {
                if (frame.type() == PeerCodec.PING) {
                    wire.write(pong.flip());
                } else {
                    batchBytes += frame.body().remaining();
                    Message message = PeerCodec.decode(frame);
                    promises |= !isOfLeader(message);
                    batch.add(new Input.Core(new Event.Receive(theirs.nodeId(), message)));
                }
            }
            if (!batch.isEmpty()) {
                // Asked each time, and always: what is remembered of it changes with the members.
                String objection = peers.objection(theirs);
                if (objection != null && promises) {
                    counters.peerRefusals.incrementAndGet();
                    throw new PeerProtocolException(objection);
                }
                counters.framesReceived.addAndGet(batch.size());
                inbox.putPatiently(batch, batchBytes);
                batch.clear();
                batchBytes = 0;
            }
        } while (fill(in, stream));
    }

    /**
     * Whoever leads was elected by a majority that knows its data directory, so it is followed also
     * by a node that has yet to hear, from this very leader's log, that it was removed and added
     * again. Only what others promise rests on what they remember.
     */
    private static boolean isOfLeader(Message message) {
        return message instanceof Message.AppendEntries
                || message instanceof Message.Heartbeat
                || message instanceof Message.InstallSnapshot;
    }

    /** Neither silence nor one byte now and then buys more time. */
    private boolean fillBefore(long deadlineNanos, FrameBuffer in, InputStream stream)
            throws IOException {
        try {
            if (clock.nanoTime() - deadlineNanos <= 0) {
                return fill(in, stream);
            }
        } catch (SocketTimeoutException e) {
            // Said below.
        }
        throw new PeerProtocolException("no handshake within " + HANDSHAKE_MILLIS_MAX + " ms");
    }

    private static boolean fill(FrameBuffer in, InputStream stream) throws IOException {
        ByteBuffer space = in.space();
        int got =
                stream.read(
                        space.array(), space.arrayOffset() + space.position(), space.remaining());
        space.position(space.position() + Math.max(0, got));
        return got >= 0;
    }

    private static void sayGoodbye(PeerWire wire, String reason) {
        try {
            wire.write(PeerCodec.encode(new Goodbye(reason)));
            wire.shutdownOutput();
            // Closing with unread bytes in the socket would reset the connection, and the reset
            // could overtake the reason. A moment is enough; nobody may hold this thread longer.
            wire.setReadMillisMax(GOODBYE_MILLIS_MAX);
            wire.in().skipNBytes(GOODBYE_BYTES_MAX);
        } catch (IOException e) {
            // It need not hear it.
        }
    }

    private synchronized void forget(SocketChannel connection, @Nullable NodeId peer) {
        closeQuietly(connection);
        open.remove(connection);
        if (peer != null) {
            byPeer.remove(peer, connection);
        }
    }

    private static void closeQuietly(java.io.Closeable connection) {
        try {
            connection.close();
        } catch (IOException e) {
            // It is gone either way.
        }
    }
}
