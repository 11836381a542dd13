package raft.harness.serve;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * From a request's path to a file below the folder of all runs, and never to one elsewhere.
 *
 * <p>A path is split at its slashes first and each part is decoded once, so an encoded slash,
 * backslash or dot-dot is a part that is refused, and what was encoded twice stays an odd name.
 * What is found must then really lie below the folder with every symbolic link followed.
 */
final class RunPath {
    private RunPath() {}

    /**
     * The file or folder meant.
     *
     * @param root the folder of all runs
     * @param rawPath as in the request line, still encoded
     * @return where it really is; null where there is none, or none that may be shown
     */
    static @Nullable Path resolve(Path root, String rawPath) {
        List<String> parts = parts(rawPath);
        if (parts == null) {
            return null;
        }
        try {
            Path realRoot = root.toRealPath();
            Path path = realRoot;
            for (String part : parts) {
                path = path.resolve(part);
            }
            Path real = path.toRealPath();
            return real.startsWith(realRoot) ? real : null;
        } catch (IOException | InvalidPathException e) {
            return null;
        }
    }

    /** The decoded parts, or null where one could lead elsewhere or is hidden. */
    private static @Nullable List<String> parts(String rawPath) {
        if (!rawPath.startsWith("/")) {
            return null;
        }
        List<String> parts = new ArrayList<>();
        String[] raw = rawPath.substring(1).split("/", -1);
        for (int i = 0; i < raw.length; i++) {
            if (raw[i].isEmpty() && i == raw.length - 1) {
                break;
            }
            String part = decoded(raw[i]);
            // Hidden files are indices and half-written ones; "." and ".." begin with a dot, too.
            if (part == null || part.isEmpty() || part.startsWith(".")) {
                return null;
            }
            for (int c = 0; c < part.length(); c++) {
                char at = part.charAt(c);
                if (at == '/' || at == '\\' || at < ' ' || at == 0x7f) {
                    return null;
                }
            }
            parts.add(part);
        }
        return parts;
    }

    private static @Nullable String decoded(String raw) {
        byte[] bytes = new byte[raw.length()];
        int count = 0;
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '%') {
                int high = i + 1 < raw.length() ? Character.digit(raw.charAt(i + 1), 16) : -1;
                int low = i + 2 < raw.length() ? Character.digit(raw.charAt(i + 2), 16) : -1;
                if (high < 0 || low < 0) {
                    return null;
                }
                bytes[count++] = (byte) (high * 16 + low);
                i += 2;
            } else if (c < 0x80) {
                bytes[count++] = (byte) c;
            } else {
                return null;
            }
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(java.nio.ByteBuffer.wrap(bytes, 0, count))
                    .toString();
        } catch (CharacterCodingException e) {
            // Overlong forms of a slash or a dot, say.
            return null;
        }
    }
}
