package raft.client;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;

/**
 * A client's non-blocking connection, seen from either end, in plain text or through TLS. Of one
 * thread.
 */
public sealed interface Wire {
    /**
     * Goes on with the handshake of TLS, as far as it goes without waiting; whether it is over. A
     * server need not call it, {@link #read} does the same.
     *
     * @throws IOException when the other side is not believed, or has gone
     */
    boolean shakeHands() throws IOException;

    /** As a channel does: bytes read, 0 where none are there, -1 at the end. */
    int read(ByteBuffer into) throws IOException;

    /** As a channel does: bytes taken. */
    int write(ByteBuffer bytes) throws IOException;

    /** Whether a read would give something though the socket has nothing new. */
    boolean hasInput() throws IOException;

    /** Sends what was taken and is still here; whether all of it left. */
    boolean flush() throws IOException;

    /** Says that nothing more will come. */
    void shutdownOutput() throws IOException;

    /** As it is. */
    record Plain(SocketChannel channel) implements Wire {
        @Override
        public boolean shakeHands() {
            return true;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return channel.read(into);
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            return channel.write(bytes);
        }

        @Override
        public boolean hasInput() {
            return false;
        }

        @Override
        public boolean flush() {
            return true;
        }

        @Override
        public void shutdownOutput() throws IOException {
            channel.shutdownOutput();
        }
    }

    /**
     * Through an {@link SSLEngine}. The handshake happens inside {@link #read}; until it is over,
     * nothing is taken for writing. Holds at most one record of each direction.
     */
    final class Tls implements Wire {
        private final SocketChannel channel;
        private final SSLEngine engine;

        /** Arrived and not decrypted, ready to be filled. */
        private final ByteBuffer netIn;

        /** Decrypted and not fetched, ready to be read. */
        private final ByteBuffer plain;

        /** Encrypted and not sent, ready to be read. */
        private final ByteBuffer netOut;

        private boolean ended;

        /** Begins the handshake in the role that {@code engine} has. */
        public Tls(SocketChannel channel, SSLEngine engine) throws SSLException {
            this.channel = channel;
            this.engine = engine;
            int packetBytes = engine.getSession().getPacketBufferSize();
            netIn = ByteBuffer.allocate(packetBytes);
            netOut = ByteBuffer.allocate(packetBytes).limit(0);
            plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()).limit(0);
            engine.beginHandshake();
        }

        /** Whom the other side has shown itself to be. */
        public SSLSession session() {
            return engine.getSession();
        }

        @Override
        public boolean shakeHands() throws IOException {
            if (!flush() || isOver()) {
                return isOver() && !netOut.hasRemaining();
            }
            if (netIn.hasRemaining() && channel.read(netIn) < 0) {
                throw new EOFException("the connection was closed during the handshake of TLS");
            }
            decrypt();
            return isOver() && !netOut.hasRemaining();
        }

        private boolean isOver() {
            return switch (engine.getHandshakeStatus()) {
                case FINISHED, NOT_HANDSHAKING -> true;
                case NEED_TASK, NEED_WRAP, NEED_UNWRAP, NEED_UNWRAP_AGAIN -> false;
            };
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            if (!plain.hasRemaining() && !ended) {
                boolean atEnd = netIn.hasRemaining() && channel.read(netIn) < 0;
                decrypt();
                ended |= atEnd;
            }
            if (!plain.hasRemaining()) {
                return ended ? -1 : 0;
            }
            int count = Math.min(plain.remaining(), into.remaining());
            into.put(plain.slice(plain.position(), count));
            plain.position(plain.position() + count);
            return count;
        }

        /** Until something is plain, more must arrive, or the own side has to send first. */
        private void decrypt() throws IOException {
            boolean goOn = true;
            try {
                while (goOn && !plain.hasRemaining() && !ended) {
                    switch (engine.getHandshakeStatus()) {
                        case NEED_TASK -> runTasks();
                        case NEED_WRAP -> goOn = wrapHandshake();
                        default -> goOn = unwrap();
                    }
                }
            } catch (SSLException e) {
                // Whichever call it was that found out, the other side has not heard of it yet.
                sayWhy();
                throw e;
            }
        }

        private boolean unwrap() throws IOException {
            netIn.flip();
            plain.clear();
            SSLEngineResult result;
            try {
                result = engine.unwrap(netIn, plain);
            } finally {
                netIn.compact();
                plain.flip();
            }
            ended |= result.getStatus() == SSLEngineResult.Status.CLOSED;
            return result.bytesConsumed() > 0
                    || result.getHandshakeStatus() == HandshakeStatus.NEED_TASK
                    || result.getHandshakeStatus() == HandshakeStatus.NEED_WRAP;
        }

        private void runTasks() {
            Runnable task;
            while ((task = engine.getDelegatedTask()) != null) {
                task.run();
            }
        }

        private boolean wrapHandshake() throws IOException {
            if (!flush()) {
                return false;
            }
            netOut.clear();
            try {
                engine.wrap(ByteBuffer.allocate(0), netOut);
            } finally {
                netOut.flip();
            }
            return flush();
        }

        /** The alert that tells the other side what was wrong, as far as the socket takes it. */
        private void sayWhy() {
            try {
                wrapHandshake();
            } catch (IOException e) {
                // It need not hear it.
            }
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            int before = bytes.remaining();
            boolean goOn = true;
            while (goOn && flush() && bytes.hasRemaining()) {
                switch (engine.getHandshakeStatus()) {
                    case NEED_TASK -> runTasks();
                    case NEED_WRAP -> goOn = wrapHandshake();
                    case FINISHED, NOT_HANDSHAKING -> {
                        netOut.clear();
                        try {
                            engine.wrap(bytes, netOut);
                        } finally {
                            netOut.flip();
                        }
                    }
                    default -> goOn = false;
                }
            }
            return before - bytes.remaining();
        }

        /** Also where whole records may lie in what arrived. */
        @Override
        public boolean hasInput() throws IOException {
            decrypt();
            return plain.hasRemaining();
        }

        @Override
        public boolean flush() throws IOException {
            while (netOut.hasRemaining()) {
                if (channel.write(netOut) == 0) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public void shutdownOutput() throws IOException {
            engine.closeOutbound();
            wrapHandshake();
            channel.shutdownOutput();
        }
    }
}
