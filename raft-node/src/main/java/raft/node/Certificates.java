package raft.node;

import raft.core.NodeId;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Mutual TLS: who this node is, whom it believes. TLS 1.3 or 1.2, both sides show certificates.
 *
 * <p>Between nodes a certificate must name the node's id as a DNS name (subject alternative name):
 * ids stay when addresses change, and no member can pass for another. A client's certificate only
 * has to be signed by a known authority.
 */
final class Certificates {
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    private static final int SAN_DNS = 2;
    private static final char[] NO_PASSWORD = {};

    private final SSLContext context;

    private Certificates(SSLContext context) {
        this.context = context;
    }

    /**
     * Reads the files and checks what can be known at start.
     *
     * @throws IOException with one sentence: a file is missing or unreadable, key and certificate
     *     do not belong together, the certificate does not name {@code self} or is out of date
     */
    static Certificates load(NodeConfig.Tls settings, NodeId self) throws IOException {
        List<X509Certificate> chain = certificates(settings.certificate());
        PrivateKey key = key(settings.key());
        X509Certificate own = chain.getFirst();
        if (!belongTogether(own, key)) {
            throw new IOException(
                    "the key " + settings.key() + " is not that of " + settings.certificate());
        }
        try {
            own.checkValidity();
        } catch (CertificateExpiredException e) {
            throw new IOException(
                    settings.certificate() + " expired at " + own.getNotAfter().toInstant(), e);
        } catch (CertificateNotYetValidException e) {
            throw new IOException(
                    settings.certificate()
                            + " is not valid before "
                            + own.getNotBefore().toInstant(),
                    e);
        }
        if (settings.peers() && !names(own).contains(self.name())) {
            throw new IOException(
                    settings.certificate()
                            + " does not name "
                            + self
                            + " as a DNS name, only "
                            + names(own));
        }
        return unchecked(settings, chain, key);
    }

    /** Only as good as what it is given; whoever is shown it decides. */
    static Certificates unchecked(NodeConfig.Tls settings) throws IOException {
        return unchecked(settings, certificates(settings.certificate()), key(settings.key()));
    }

    private static Certificates unchecked(
            NodeConfig.Tls settings, List<X509Certificate> chain, PrivateKey key)
            throws IOException {
        try {
            KeyStore mine = KeyStore.getInstance("PKCS12");
            mine.load(null, null);
            mine.setKeyEntry("own", key, NO_PASSWORD, chain.toArray(Certificate[]::new));
            KeyManagerFactory keys =
                    KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(mine, NO_PASSWORD);
            KeyStore believed = KeyStore.getInstance("PKCS12");
            believed.load(null, null);
            for (X509Certificate authority : certificates(settings.authorities())) {
                believed.setCertificateEntry("ca" + believed.size(), authority);
            }
            TrustManagerFactory trust =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(believed);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
            return new Certificates(context);
        } catch (GeneralSecurityException e) {
            throw new IOException("cannot use the certificates: " + e.getMessage(), e);
        }
    }

    /** For a client's connection: the server's side of a handshake. */
    SSLEngine serverEngine() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setNeedClientAuth(true);
        engine.setEnabledProtocols(PROTOCOLS);
        return engine;
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
                        context.getSocketFactory()
                                .createSocket(socket, host, socket.getPort(), true);
        wrapped.setUseClientMode(asClient);
        wrapped.setNeedClientAuth(true);
        wrapped.setEnabledProtocols(PROTOCOLS);
        wrapped.startHandshake();
        return wrapped;
    }

    /** Whether the other side's certificate names {@code node}. */
    static boolean isFor(SSLSession session, NodeId node) {
        try {
            return session.getPeerCertificates()[0] instanceof X509Certificate theirs
                    && names(theirs).contains(node.name());
        } catch (SSLPeerUnverifiedException e) {
            return false;
        }
    }

    /** What is wrong, in words that say what to do. */
    static String explain(SSLException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateExpiredException) {
                return "its certificate has expired";
            }
            if (cause instanceof java.security.cert.CertPathBuilderException) {
                return "its certificate is not signed by an authority of tls-ca";
            }
        }
        String text = String.valueOf(e.getMessage());
        if (text.contains("nrecognized SSL message") || text.contains("Not an SSL/TLS record")) {
            return "it does not speak TLS, which is required here";
        }
        if (text.contains("Empty client certificate chain")) {
            return "it shows no certificate that an authority of tls-ca has signed";
        }
        return "TLS failed: " + text;
    }

    private static List<String> names(X509Certificate certificate) {
        List<String> names = new ArrayList<>();
        try {
            Collection<List<?>> all = certificate.getSubjectAlternativeNames();
            if (all != null) {
                for (List<?> name : all) {
                    if (Integer.valueOf(SAN_DNS).equals(name.get(0))) {
                        names.add(String.valueOf(name.get(1)));
                    }
                }
            }
        } catch (CertificateException e) {
            // What cannot be read names nobody.
        }
        return names;
    }

    private static List<X509Certificate> certificates(Path file) throws IOException {
        List<X509Certificate> found = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Certificate one :
                    factory.generateCertificates(new ByteArrayInputStream(read(file)))) {
                found.add((X509Certificate) one);
            }
        } catch (CertificateException e) {
            throw new IOException(file + " holds no certificates in PEM: " + e.getMessage(), e);
        }
        if (found.isEmpty()) {
            throw new IOException(file + " holds no certificate");
        }
        return found;
    }

    private static PrivateKey key(Path file) throws IOException {
        String text = new String(read(file), StandardCharsets.US_ASCII);
        String begin = "-----BEGIN PRIVATE KEY-----";
        int from = text.indexOf(begin);
        int to = text.indexOf("-----END PRIVATE KEY-----");
        if (from < 0 || to < from) {
            throw new IOException(
                    file
                            + " holds no key as PKCS #8 in PEM; openssl pkcs8 -topk8 -nocrypt"
                            + " converts others");
        }
        byte[] encoded;
        try {
            encoded = Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " is damaged: " + e.getMessage(), e);
        }
        for (String algorithm : List.of("EC", "RSA", "EdDSA")) {
            try {
                return KeyFactory.getInstance(algorithm)
                        .generatePrivate(new PKCS8EncodedKeySpec(encoded));
            } catch (InvalidKeySpecException e) {
                // Of another kind.
            } catch (GeneralSecurityException e) {
                throw new IOException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }
        throw new IOException(file + " holds no EC, RSA or EdDSA key");
    }

    private static boolean belongTogether(X509Certificate certificate, PrivateKey key) {
        String algorithm =
                switch (key.getAlgorithm()) {
                    case "EC" -> "SHA256withECDSA";
                    case "RSA" -> "SHA256withRSA";
                    default -> key.getAlgorithm();
                };
        try {
            byte[] sample = {1, 2, 3};
            Signature signer = Signature.getInstance(algorithm);
            signer.initSign(key);
            signer.update(sample);
            byte[] signature = signer.sign();
            signer.initVerify(certificate.getPublicKey());
            signer.update(sample);
            return signer.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static byte[] read(Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new IOException("there is no file " + file, e);
        }
    }
}
