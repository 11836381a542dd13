package raft.node;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Base64;

/**
 * An authority that signs certificates for tests. The JDK makes none in its public interface, so
 * the few fields of X.509 are put together here.
 */
final class TestCertificates {
    private static final byte[] ECDSA_SHA256 = {
        0x30, 0x0A, 0x06, 0x08, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 0x04, 0x03, 0x02
    };
    private static final byte[] COMMON_NAME = {0x06, 0x03, 0x55, 0x04, 0x03};
    private static final byte[] BASIC_CONSTRAINTS = {0x06, 0x03, 0x55, 0x1D, 0x13};
    private static final byte[] ALTERNATIVE_NAME = {0x06, 0x03, 0x55, 0x1D, 0x11};
    private static final byte[] TRUE = {0x01, 0x01, (byte) 0xFF};
    private static final int SEQUENCE = 0x30;

    private final Path folder;
    private final String name;
    private final KeyPair pair = newPair();
    private long lastSerial;

    TestCertificates(Path folder, String name) throws IOException, GeneralSecurityException {
        this.folder = folder;
        this.name = name;
        write(file(name, "crt"), "CERTIFICATE", certificate(name, pair, null, true, 1));
    }

    /** What others are told to believe. */
    Path authority() {
        return file(name, "crt");
    }

    /**
     * Makes NAME.crt and NAME.key.
     *
     * @param file names the files
     * @param dnsName whom the certificate is for
     * @param days until it expires; negative: it has expired
     */
    NodeConfig.Tls issue(String file, String dnsName, int days)
            throws IOException, GeneralSecurityException {
        KeyPair own = newPair();
        write(file(file, "crt"), "CERTIFICATE", certificate(dnsName, own, dnsName, false, days));
        write(file(file, "key"), "PRIVATE KEY", own.getPrivate().getEncoded());
        return new NodeConfig.Tls(
                true, true, true, file(file, "crt"), file(file, "key"), authority());
    }

    private Path file(String file, String suffix) {
        return folder.resolve(file + "." + suffix);
    }

    private static KeyPair newPair() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private byte[] certificate(
            String subject, KeyPair own, @Nullable String dnsName, boolean isAuthority, int days)
            throws GeneralSecurityException {
        Instant end = Instant.now().plus(days, ChronoUnit.DAYS);
        byte[] validity = tagged(SEQUENCE, time(end.minus(100, ChronoUnit.DAYS)), time(end));
        byte[] extension =
                dnsName == null
                        ? tagged(
                                SEQUENCE,
                                BASIC_CONSTRAINTS,
                                TRUE,
                                tagged(0x04, tagged(SEQUENCE, TRUE)))
                        : tagged(
                                SEQUENCE,
                                ALTERNATIVE_NAME,
                                tagged(0x04, tagged(SEQUENCE, text(0x82, dnsName))));
        byte[] body =
                tagged(
                        SEQUENCE,
                        tagged(0xA0, new byte[] {0x02, 0x01, 0x02}),
                        tagged(0x02, BigInteger.valueOf(++lastSerial).toByteArray()),
                        ECDSA_SHA256,
                        named(name),
                        validity,
                        named(isAuthority ? name : subject),
                        own.getPublic().getEncoded(),
                        tagged(0xA3, tagged(SEQUENCE, extension)));
        byte[] signature = sign(body, pair.getPrivate());
        return tagged(SEQUENCE, body, ECDSA_SHA256, tagged(0x03, new byte[] {0}, signature));
    }

    private static byte[] sign(byte[] body, PrivateKey key) throws GeneralSecurityException {
        Signature signer = Signature.getInstance("SHA256withECDSA");
        signer.initSign(key);
        signer.update(body);
        return signer.sign();
    }

    private static byte[] named(String name) {
        return tagged(SEQUENCE, tagged(0x31, tagged(SEQUENCE, COMMON_NAME, text(0x0C, name))));
    }

    private static byte[] time(Instant at) {
        DateTimeFormatter format =
                DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);
        return text(0x18, format.format(at));
    }

    private static byte[] text(int tag, String text) {
        return tagged(tag, text.getBytes(StandardCharsets.US_ASCII));
    }

    /** DER: tag, length, content. */
    private static byte[] tagged(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        int size = content.size();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (size >= 0x100) {
            out.write(0x82);
            out.write(size >>> 8);
        } else if (size >= 0x80) {
            out.write(0x81);
        }
        out.write(size);
        out.writeBytes(content.toByteArray());
        return out.toByteArray();
    }

    private static void write(Path file, String what, byte[] encoded) throws IOException {
        String base64 = Base64.getMimeEncoder().encodeToString(encoded);
        Files.writeString(
                file, "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n");
    }
}
