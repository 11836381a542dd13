package raft.client;

import java.nio.charset.StandardCharsets;

/**
 * A member of the cluster.
 *
 * @param id 1 to 64 letters, digits, {@code .}, {@code _}, {@code -}
 * @param peerAddress host:port at which other members reach it, at most {@link Limits#ID_BYTES_MAX}
 *     bytes
 * @param voter false for a learner, which gets the log but counts in no quorum
 */
public record Member(String id, String peerAddress, boolean voter) {
    public Member {
        checkId(id);
        checkAddress(peerAddress);
    }

    static void checkId(String id) {
        boolean allowed =
                !id.isEmpty()
                        && id.length() <= Limits.NODE_ID_CHARACTERS_MAX
                        && id.chars().allMatch(Member::mayStandInAnId);
        if (!allowed) {
            throw new IllegalArgumentException(
                    "a node's id has 1 to "
                            + Limits.NODE_ID_CHARACTERS_MAX
                            + " letters, digits, dots, underscores and hyphens");
        }
    }

    private static boolean mayStandInAnId(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || ".-_".indexOf(c) >= 0;
    }

    static void checkAddress(String address) {
        int sizeBytes = address.getBytes(StandardCharsets.UTF_8).length;
        if (sizeBytes < 1 || sizeBytes > Limits.ID_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "an address has 1 to "
                            + Limits.ID_BYTES_MAX
                            + " bytes, this one has "
                            + sizeBytes);
        }
    }
}
