package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.NodeId;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

import javax.net.ssl.SSLSocket;

/**
 * A blocking connection between two nodes, in plain text or through TLS. One thread may read while
 * another writes.
 */
final class PeerWire implements Closeable {
    private static final int CHUNK_BYTES = 16 << 10;

    private final SocketChannel channel;
    private final @Nullable SSLSocket secured;
    private final InputStream in;
    private final byte[] chunk;

    private PeerWire(SocketChannel channel, @Nullable SSLSocket secured) throws IOException {
        this.channel = channel;
        this.secured = secured;
        this.in = secured == null ? channel.socket().getInputStream() : secured.getInputStream();
        this.chunk = new byte[secured == null ? 0 : CHUNK_BYTES];
    }

    /**
     * Over a channel that is connected; with certificates, after a handshake for which the socket's
     * timeout counts.
     */
    static PeerWire over(
            SocketChannel channel, @Nullable Certificates certificates, boolean asClient)
            throws IOException {
        return new PeerWire(
                channel,
                certificates == null ? null : certificates.wrap(channel.socket(), asClient));
    }

    InputStream in() {
        return in;
    }

    /** Writes all of it. */
    void write(ByteBuffer bytes) throws IOException {
        if (secured == null) {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            return;
        }
        synchronized (chunk) {
            OutputStream out = secured.getOutputStream();
            while (bytes.hasRemaining()) {
                int step = Math.min(chunk.length, bytes.remaining());
                bytes.get(chunk, 0, step);
                out.write(chunk, 0, step);
            }
        }
    }

    /** Longest that a read waits. */
    void setReadMillisMax(int millis) throws IOException {
        channel.socket().setSoTimeout(millis);
        if (secured != null) {
            secured.setSoTimeout(millis);
        }
    }

    /** Whether the other side has shown a certificate for {@code node}; always in plain text. */
    boolean isFrom(NodeId node) {
        return secured == null || Certificates.isFor(secured.getSession(), node);
    }

    void shutdownOutput() throws IOException {
        if (secured == null) {
            channel.shutdownOutput();
        } else {
            secured.shutdownOutput();
        }
    }

    boolean isOpen() {
        return channel.isOpen();
    }

    /** The channel itself: a TLS farewell could wait for a peer that does not read. */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
