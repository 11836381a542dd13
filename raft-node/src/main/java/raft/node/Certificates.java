package raft.node;

import raft.client.Credentials;
import raft.core.NodeId;

import java.io.IOException;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * A node's {@link Credentials}: its certificate must name its id, and so must that of every other
 * node. A client's certificate only has to be signed by a known authority.
 */
final class Certificates {
    private final Credentials credentials;

    private Certificates(Credentials credentials) {
        this.credentials = credentials;
    }

    /**
     * Reads the files and checks what can be known at start.
     *
     * @throws IOException with one sentence: as {@link Credentials#load} does, or the certificate
     *     does not name {@code self}
     */
    static Certificates load(NodeConfig.Tls settings, NodeId self) throws IOException {
        Credentials credentials =
                Credentials.load(settings.certificate(), settings.key(), settings.authorities());
        if (!credentials.ownNames().contains(self.name())) {
            throw new IOException(
                    settings.certificate()
                            + " does not name "
                            + self
                            + " as a DNS name, only "
                            + credentials.ownNames());
        }
        return new Certificates(credentials);
    }

    /** Only as good as what it is given; whoever is shown it decides. */
    static Certificates unchecked(NodeConfig.Tls settings) throws IOException {
        return new Certificates(
                Credentials.unchecked(
                        settings.certificate(), settings.key(), settings.authorities()));
    }

    /** For a client's connection: the server's side of a handshake. */
    SSLEngine serverEngine() {
        return credentials.serverEngine();
    }

    /** For HTTP. */
    SSLContext context() {
        return credentials.context();
    }

    /**
     * For a connection between nodes that is open already; blocks for the handshake.
     *
     * @throws SSLException when the other side is not believed, or does not believe this one
     */
    SSLSocket wrap(java.net.Socket socket, boolean asClient) throws IOException {
        String host = socket.getInetAddress().getHostAddress();
        SSLSocket wrapped =
                (SSLSocket)
                        context()
                                .getSocketFactory()
                                .createSocket(socket, host, socket.getPort(), true);
        wrapped.setUseClientMode(asClient);
        wrapped.setNeedClientAuth(true);
        wrapped.setEnabledProtocols(Credentials.protocols());
        wrapped.startHandshake();
        return wrapped;
    }

    /** Whether the other side's certificate names {@code node}. */
    static boolean isFor(SSLSession session, NodeId node) {
        return Credentials.isFor(session, node.name());
    }

    /** What is wrong, in words that say what to do. */
    static String explain(SSLException e) {
        return Credentials.explain(e);
    }
}
