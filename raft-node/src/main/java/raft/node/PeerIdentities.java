package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.Configuration;
import raft.core.NodeId;
import raft.storage.DataDirectory;

import java.io.IOException;
import java.util.HexFormat;
import java.util.TreeMap;

/**
 * Which data directory each other node has, remembered for good. A node that comes back with
 * another one has lost its vote and the entries that it acknowledged, and with them what others
 * count on: nothing that it promises is taken until it has been removed from the cluster and added
 * again.
 *
 * <p>That this happened is decided by the log: a configuration says by which entry each member was
 * added. Where that is a later one than when the directory was remembered, the member was removed
 * meanwhile, and removed members owe nobody anything; so a node that was away, or was given a
 * snapshot, sees it too.
 *
 * <p>Thread-safe.
 */
final class PeerIdentities {
    static final String FILE = "peers";
    private static final long NO_MEMBER = -1;

    private final DataDirectory data;
    private final TreeMap<NodeId, Known> known = new TreeMap<>();
    private Configuration latest = Configuration.NONE;
    private Configuration committed = Configuration.NONE;

    /**
     * @param addedIndex by which entry it was a member then, or {@link #NO_MEMBER}
     */
    private record Known(long dataId, long addedIndex) {}

    PeerIdentities(DataDirectory data) throws IOException {
        this.data = data;
        String text = data.text(FILE);
        if (text != null) {
            for (String line : text.lines().toList()) {
                String[] words = line.split(" ", -1);
                long dataId = HexFormat.fromHexDigitsToLong(words[1]);
                // Files of earlier versions do not say it, nor did their logs: 0, as of founders.
                long addedIndex = words.length > 2 ? Long.parseLong(words[2]) : 0;
                known.put(new NodeId(words[0]), new Known(dataId, addedIndex));
            }
        }
    }

    /**
     * Why nothing that this node promises must be taken, in one sentence; null if all may. To be
     * asked again whenever something of it arrives: a directory that was never seen before is
     * remembered.
     */
    synchronized @Nullable String objection(NodeId id, long dataId) throws IOException {
        Known before = known.get(id);
        long addedIndex = addedIndex(id);
        if (before == null || before.addedIndex < addedIndex || addedIndex == NO_MEMBER) {
            remember(id, new Known(dataId, addedIndex));
            return null;
        }
        return before.dataId == dataId
                ? null
                : "node "
                        + id
                        + " comes with another data directory than before, so what it promised may"
                        + " be forgotten: remove it from the cluster, then add it again";
    }

    /** This is the one it has now, whatever it had before. */
    synchronized void accept(NodeId id, long dataId) throws IOException {
        remember(id, new Known(dataId, addedIndex(id)));
    }

    /**
     * A removal that is not committed may be taken back, so it excuses nobody. An addition does, at
     * once: it was not even proposed before the removal was committed (thesis §4.1).
     */
    private long addedIndex(NodeId id) {
        Configuration.Member member = latest.member(id);
        if (member == null) {
            member = committed.member(id);
        }
        return member == null ? NO_MEMBER : member.addedIndex();
    }

    private void remember(NodeId id, Known now) throws IOException {
        if (!now.equals(known.put(id, now))) {
            save();
        }
    }

    /** These are the members from now on, though perhaps not for good. */
    synchronized void configured(Configuration members) {
        latest = members;
    }

    /** These are the members for good. Whoever is none may come as somebody new. */
    synchronized void committed(Configuration members) throws IOException {
        committed = members;
        if (known.keySet().removeIf(id -> addedIndex(id) == NO_MEMBER)) {
            save();
        }
    }

    /** Whoever comes next is somebody new. Of a stopped node. */
    static void forgetAll(DataDirectory data) throws IOException {
        data.putText(FILE, "");
    }

    private void save() throws IOException {
        StringBuilder text = new StringBuilder();
        known.forEach(
                (id, now) ->
                        text.append(id)
                                .append(' ')
                                .append(HexFormat.of().toHexDigits(now.dataId))
                                .append(' ')
                                .append(now.addedIndex)
                                .append('\n'));
        data.putText(FILE, text.toString());
    }
}
