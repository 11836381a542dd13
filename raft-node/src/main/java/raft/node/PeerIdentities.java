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
 * count on: it is refused until it has been removed from the cluster and added again.
 *
 * <p>Thread-safe.
 */
final class PeerIdentities {
    private static final String FILE = "peers";

    private final DataDirectory data;
    private final TreeMap<NodeId, Long> known = new TreeMap<>();

    PeerIdentities(DataDirectory data) throws IOException {
        this.data = data;
        String text = data.text(FILE);
        if (text != null) {
            for (String line : text.lines().toList()) {
                String[] words = line.split(" ", -1);
                known.put(new NodeId(words[0]), HexFormat.fromHexDigitsToLong(words[1]));
            }
        }
    }

    /**
     * Why this node must not be talked to, in one sentence; null if it may. One that was never seen
     * before is remembered.
     */
    synchronized @Nullable String objection(NodeId id, long dataId) throws IOException {
        Long before = known.get(id);
        if (before == null) {
            known.put(id, dataId);
            save();
            return null;
        }
        return before == dataId
                ? null
                : "node "
                        + id
                        + " comes with another data directory than before, so what it promised may"
                        + " be forgotten: remove it from the cluster, then add it again";
    }

    /** This is the one it has now, whatever it had before. */
    synchronized void accept(NodeId id, long dataId) throws IOException {
        Long before = known.put(id, dataId);
        if (before == null || before != dataId) {
            save();
        }
    }

    /** Whoever is no member may come as somebody new. */
    synchronized void forgetAllBut(Configuration members) throws IOException {
        if (known.keySet().removeIf(id -> !members.contains(id))) {
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
                (id, dataId) ->
                        text.append(id)
                                .append(' ')
                                .append(HexFormat.of().toHexDigits(dataId))
                                .append('\n'));
        data.putText(FILE, text.toString());
    }
}
