package raft.harness.docker;

import raft.client.Answer;
import raft.client.ClientCodec;
import raft.client.FrameBuffer;
import raft.client.Limits;
import raft.client.ServerHello;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/**
 * One non-blocking connection of one process to one node, from connecting to its end. Owned by the
 * thread of {@link ProtocolClients}; one request at a time.
 */
final class NodeLink {
    private enum State {
        CONNECTING,
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
    private final FrameBuffer in = new FrameBuffer();
    private ByteBuffer out = ClientCodec.encodeClientHello();
    private State state = State.CONNECTING;

    private NodeLink(String node, Owner owner, SocketChannel channel, Selector selector)
            throws IOException {
        this.node = node;
        this.owner = owner;
        this.channel = channel;
        key = channel.register(selector, SelectionKey.OP_CONNECT, this);
    }

    /** Starts connecting; throws where that is refused at once. */
    static NodeLink open(String node, InetSocketAddress address, Owner owner, Selector selector)
            throws IOException {
        SocketChannel channel = SocketChannel.open();
        try {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            NodeLink link = new NodeLink(node, owner, channel, selector);
            if (channel.connect(address)) {
                link.greet();
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
            return state != State.READY || channel.read(in.space()) == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Sends a request; what the socket does not take now goes out when it can.
     *
     * @throws IOException when not a byte of it was taken, nor ever will be
     */
    void send(ByteBuffer frame) throws IOException {
        out = frame;
        flush();
    }

    /** The selector found something to do. */
    void selected() {
        if (state == State.CLOSED) {
            // Closed while the selector was handing out what it had found.
            return;
        }
        try {
            if (state == State.CONNECTING && channel.finishConnect()) {
                greet();
            } else if (state != State.CONNECTING) {
                flush();
                read();
            }
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

    private void greet() throws IOException {
        state = State.GREETING;
        flush();
    }

    private void flush() throws IOException {
        if (out.hasRemaining()) {
            channel.write(out);
        }
        int writing = out.hasRemaining() ? SelectionKey.OP_WRITE : 0;
        key.interestOps(SelectionKey.OP_READ | writing);
    }

    private void read() throws IOException {
        if (channel.read(in.space()) < 0) {
            throw new IOException("the node closed the connection");
        }
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
