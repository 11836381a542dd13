package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.Answer;
import raft.client.ClientCodec;
import raft.client.Credentials;
import raft.client.FrameBuffer;
import raft.client.Limits;
import raft.client.ServerHello;
import raft.client.Wire;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

import javax.net.ssl.SSLException;

/**
 * One non-blocking connection of one process to one node, from connecting to its end. Owned by the
 * thread of {@link ProtocolClients}; one request at a time.
 */
final class NodeLink {
    private enum State {
        CONNECTING,
        SHAKING_HANDS,
        GREETING,
        READY,
        CLOSED
    }

    /** What becomes of the connection; each call comes from {@link #selected}. */
    interface Owner {
        /** The handshake is done, requests may be sent. */
        void ready(NodeLink link) throws IOException;

        void answered(NodeLink link, Answer answer) throws IOException;

        /** The connection is closed and will never be heard of again. */
        void lost(NodeLink link, String reason);
    }

    private final String node;
    private final Owner owner;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final Wire wire;
    private final FrameBuffer in = new FrameBuffer();
    private ByteBuffer out = ClientCodec.encodeClientHello();
    private State state = State.CONNECTING;

    private NodeLink(
            String node,
            Owner owner,
            SocketChannel channel,
            @Nullable Credentials credentials,
            Selector selector)
            throws IOException {
        this.node = node;
        this.owner = owner;
        this.channel = channel;
        wire =
                credentials == null
                        ? new Wire.Plain(channel)
                        : new Wire.Tls(channel, credentials.clientEngine());
        key = channel.register(selector, SelectionKey.OP_CONNECT, this);
    }

    /**
     * Starts connecting; throws where that is refused at once.
     *
     * @param credentials null: in plain text
     */
    static NodeLink open(
            String node,
            InetSocketAddress address,
            @Nullable Credentials credentials,
            Owner owner,
            Selector selector)
            throws IOException {
        SocketChannel channel = SocketChannel.open();
        try {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            NodeLink link = new NodeLink(node, owner, channel, credentials, selector);
            if (channel.connect(address)) {
                link.shakeHands();
            }
            return link;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    String node() {
        return node;
    }

    boolean isReady() {
        return state == State.READY;
    }

    /**
     * Whether a request may be sent on a link that was used before. Looks at the socket itself: the
     * selector may not have come round to telling that the node has closed it, and a request sent
     * then would be lost for nothing and of unknown outcome. Bytes that nobody asked for are as bad
     * as an end.
     */
    boolean isUsable() {
        try {
            return state != State.READY || wire.read(in.space()) == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Sends a request; what the socket does not take now goes out when it can.
     *
     * @throws IOException when not all of it was taken, nor ever will be: the node cannot read it
     */
    void send(ByteBuffer frame) throws IOException {
        out = frame;
        flush();
    }

    /** The selector found something to do. */
    void selected() {
        try {
            switch (state) {
                case CONNECTING -> {
                    if (channel.finishConnect()) {
                        shakeHands();
                    }
                }
                case SHAKING_HANDS -> shakeHands();
                case GREETING, READY -> {
                    flush();
                    read();
                }
                case CLOSED -> {
                    // While the selector was handing out what it had found.
                }
            }
        } catch (SSLException e) {
            close();
            owner.lost(this, Credentials.explain(e));
        } catch (IOException e) {
            close();
            owner.lost(this, String.valueOf(e.getMessage()));
        }
    }

    /** Ends the connection without a word to the owner. Idempotent. */
    void close() {
        state = State.CLOSED;
        try {
            channel.close();
        } catch (IOException ignored) {
            // The descriptor is gone either way.
        }
    }

    /** Of TLS; in plain text it is over at once. */
    private void shakeHands() throws IOException {
        state = State.SHAKING_HANDS;
        if (!wire.shakeHands()) {
            key.interestOps(wire.flush() ? SelectionKey.OP_READ : SelectionKey.OP_WRITE);
            return;
        }
        if (wire instanceof Wire.Tls secured && !Credentials.isFor(secured.session(), node)) {
            throw new IOException("its certificate does not name node " + node);
        }
        state = State.GREETING;
        flush();
    }

    private void flush() throws IOException {
        if (out.hasRemaining()) {
            wire.write(out);
        }
        boolean sent = wire.flush() && !out.hasRemaining();
        key.interestOps(SelectionKey.OP_READ | (sent ? 0 : SelectionKey.OP_WRITE));
    }

    private void read() throws IOException {
        do {
            if (wire.read(in.space()) < 0) {
                throw new IOException("the node closed the connection");
            }
            takeFrames();
        } while (state != State.CLOSED && wire.hasInput());
    }

    private void takeFrames() throws IOException {
        while (state != State.CLOSED) {
            ByteBuffer frame = in.next(isReady() ? Limits.FRAME_BYTES_MAX : Limits.HELLO_BYTES_MAX);
            if (frame == null) {
                return;
            }
            if (isReady()) {
                owner.answered(this, ClientCodec.decodeAnswer(frame));
            } else {
                switch (ClientCodec.decodeServerHello(frame)) {
                    case ServerHello.Accepted(_, _, _) -> {
                        state = State.READY;
                        owner.ready(this);
                    }
                    case ServerHello.Refused(_, String reason) ->
                            throw new IOException("handshake refused: " + reason);
                }
            }
        }
    }
}
