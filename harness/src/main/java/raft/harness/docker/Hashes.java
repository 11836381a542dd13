package raft.harness.docker;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Content hashes as tags: the same content has the same tag, and nothing is built twice. */
final class Hashes {
    private static final int SHORT_BYTES = 8;

    private Hashes() {}

    static String shortHash(String content) {
        return shortHash(content.getBytes(StandardCharsets.UTF_8));
    }

    static String shortHash(byte[] content) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(content);
            return HexFormat.of().formatHex(hash, 0, SHORT_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
