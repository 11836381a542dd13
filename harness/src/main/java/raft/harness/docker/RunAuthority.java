package raft.harness.docker;

import raft.client.Credentials;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * An authority for one run, and what it signs: one certificate for each node, one for the harness's
 * clients. Made by the JDK's keytool in a folder that only this user can read and that goes with
 * this object; after the run nobody believes any of it.
 */
public final class RunAuthority implements AutoCloseable {
    private static final String AUTHORITY = "authority";
    private static final String HARNESS = "harness";

    /** Of a file that lives for a run, beside what it protects. */
    private static final String PASSWORD = "raftlab";

    private static final int VALID_DAYS = 30;
    private static final long KEYTOOL_SECONDS_MAX = 60;

    private final Path folder;
    private final Credentials credentials;

    /**
     * What a node needs, in PEM.
     *
     * @param key PKCS #8
     * @param authority whom it believes
     */
    record Identity(String certificate, String key, String authority) {}

    private RunAuthority(Path folder) throws IOException {
        this.folder = folder;
        keytool(AUTHORITY, "-ext", "bc:critical=ca:true");
        Identity harness = issue(HARNESS, List.of());
        this.credentials =
                Credentials.load(
                        Files.writeString(folder.resolve("harness.crt"), harness.certificate),
                        Files.writeString(folder.resolve("harness.key"), harness.key),
                        Files.writeString(folder.resolve("authority.crt"), harness.authority));
    }

    /**
     * Makes one.
     *
     * @throws IOException with one sentence, where keytool is missing or fails
     */
    public static RunAuthority make() throws IOException {
        Path folder = Files.createTempDirectory("raftlab-tls-");
        try {
            return new RunAuthority(folder);
        } catch (IOException e) {
            delete(folder);
            throw e;
        }
    }

    /** Who the harness's clients and probes are, and that they believe this authority. */
    Credentials credentials() {
        return credentials;
    }

    /**
     * A new key, and a certificate that names a node by its id, and by where the harness finds its
     * status: what looks there checks the address too.
     *
     * @param addresses as numbers
     */
    synchronized Identity issue(String node, List<String> addresses) throws IOException {
        List<String> names = new ArrayList<>(List.of("dns:" + node));
        addresses.forEach(address -> names.add("ip:" + address));
        keytool(node, "-signer", AUTHORITY, "-ext", "san=" + String.join(",", names));
        try (InputStream in = Files.newInputStream(store())) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(in, PASSWORD.toCharArray());
            return new Identity(
                    pem("CERTIFICATE", store.getCertificate(node).getEncoded()),
                    pem("PRIVATE KEY", store.getKey(node, PASSWORD.toCharArray()).getEncoded()),
                    pem("CERTIFICATE", store.getCertificate(AUTHORITY).getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IOException("the certificate of " + node + " cannot be read: " + e, e);
        }
    }

    private Path store() {
        return folder.resolve("keys.p12");
    }

    /** A key and its certificate; without a signer it signs itself. */
    private void keytool(String name, String... more) throws IOException {
        Path tool = Path.of(System.getProperty("java.home"), "bin", "keytool");
        List<String> command = new ArrayList<>(List.of(tool.toString(), "-genkeypair"));
        command.addAll(List.of("-alias", name, "-dname", "CN=" + name));
        command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
        command.addAll(List.of("-validity", Integer.toString(VALID_DAYS)));
        command.addAll(List.of("-storetype", "PKCS12", "-keystore", store().toString()));
        command.addAll(List.of("-storepass", PASSWORD));
        command.addAll(List.of(more));
        Path said = folder.resolve("keytool.log");
        Process process;
        try {
            process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(said.toFile())
                            .start();
        } catch (IOException e) {
            throw new IOException(
                    "certificates are made by the JDK's " + tool + ", which cannot be started", e);
        }
        try {
            boolean ended = process.waitFor(KEYTOOL_SECONDS_MAX, TimeUnit.SECONDS);
            if (!ended || process.exitValue() != 0) {
                process.destroy();
                throw new IOException(
                        "keytool made no certificate for "
                                + name
                                + ": "
                                + Files.readString(said, StandardCharsets.UTF_8).strip());
            }
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while certificates were made", e);
        }
    }

    private static String pem(String what, byte[] encoded) {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded);
        return "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n";
    }

    /** Removes the files; what was issued goes on being good. */
    @Override
    public void close() throws IOException {
        delete(folder);
    }

    private static void delete(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
