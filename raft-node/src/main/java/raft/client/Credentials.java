package raft.client;

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
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.PKIXReason;
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
import javax.net.ssl.TrustManagerFactory;

/**
 * Who a program is in mutual TLS, and whom it believes: an own certificate with its key, and the
 * authorities whose signatures count. TLS 1.3 or 1.2; both sides always show a certificate.
 *
 * <p>A node's certificate names the node's id as a DNS name (subject alternative name), not its
 * host: a node may move, and no member can pass for another.
 */
public final class Credentials {
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    private static final int SAN_DNS = 2;
    private static final char[] NO_PASSWORD = {};

    private final SSLContext context;
    private final List<String> ownNames;

    private Credentials(SSLContext context, List<String> ownNames) {
        this.context = context;
        this.ownNames = ownNames;
    }

    /**
     * Reads the files and checks what can be known without another side.
     *
     * @param certificate own chain, PEM
     * @param key own key, PEM, PKCS #8
     * @param authorities whose signatures count, PEM
     * @throws IOException with one sentence: a file is missing or unreadable, key and certificate
     *     do not belong together, the certificate is out of date
     */
    public static Credentials load(Path certificate, Path key, Path authorities)
            throws IOException {
        X509Certificate own = certificates(certificate).getFirst();
        if (!belongTogether(own, key(key))) {
            throw new IOException("the key " + key + " is not that of " + certificate);
        }
        try {
            own.checkValidity();
        } catch (CertificateExpiredException e) {
            throw new IOException(certificate + " expired at " + own.getNotAfter().toInstant(), e);
        } catch (CertificateNotYetValidException e) {
            throw new IOException(
                    certificate + " is not valid before " + own.getNotBefore().toInstant(), e);
        }
        return unchecked(certificate, key, authorities);
    }

    /** As {@link #load}, only as good as what it is given; whoever is shown it decides. */
    public static Credentials unchecked(Path certificate, Path key, Path authorities)
            throws IOException {
        List<X509Certificate> chain = certificates(certificate);
        try {
            KeyStore mine = KeyStore.getInstance("PKCS12");
            mine.load(null, null);
            mine.setKeyEntry("own", key(key), NO_PASSWORD, chain.toArray(Certificate[]::new));
            KeyManagerFactory keys =
                    KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(mine, NO_PASSWORD);
            KeyStore believed = KeyStore.getInstance("PKCS12");
            believed.load(null, null);
            for (X509Certificate authority : certificates(authorities)) {
                believed.setCertificateEntry("ca" + believed.size(), authority);
            }
            TrustManagerFactory trust =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(believed);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
            return new Credentials(context, List.copyOf(names(chain.getFirst())));
        } catch (GeneralSecurityException e) {
            throw new IOException("cannot use the certificates: " + e.getMessage(), e);
        }
    }

    /** For whoever makes connections in another way; must show a certificate there too. */
    public SSLContext context() {
        return context;
    }

    /** Newest first. */
    public static String[] protocols() {
        return PROTOCOLS.clone();
    }

    /** The DNS names in the own certificate. */
    public List<String> ownNames() {
        return ownNames;
    }

    /** The side that was connected to. */
    public SSLEngine serverEngine() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setNeedClientAuth(true);
        engine.setEnabledProtocols(PROTOCOLS);
        return engine;
    }

    /** The side that connects. */
    public SSLEngine clientEngine() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(true);
        engine.setEnabledProtocols(PROTOCOLS);
        return engine;
    }

    /** Whether the other side's certificate names {@code nodeId}. */
    public static boolean isFor(SSLSession session, String nodeId) {
        try {
            return session.getPeerCertificates()[0] instanceof X509Certificate theirs
                    && names(theirs).contains(nodeId);
        } catch (SSLPeerUnverifiedException e) {
            return false;
        }
    }

    /** What is wrong with the other side, in words that say what to do. */
    public static String explain(SSLException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateExpiredException) {
                return "its certificate has expired";
            }
            if (cause instanceof CertPathBuilderException
                    || (cause instanceof CertPathValidatorException invalid
                            && isOfANamesake(invalid))) {
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
        if (text.contains("Received fatal alert")) {
            return "it refuses the own certificate" + text.substring(text.lastIndexOf(':'));
        }
        return "TLS failed: " + text;
    }

    /** Signed by an authority that has the name of one that is believed, and another key. */
    private static boolean isOfANamesake(CertPathValidatorException invalid) {
        return invalid.getReason() == PKIXReason.NO_TRUST_ANCHOR
                || invalid.getReason() == BasicReason.INVALID_SIGNATURE;
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
