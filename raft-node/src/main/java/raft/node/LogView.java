package raft.node;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.ProtocolException;
import raft.client.Wording;
import raft.core.Entry;

import java.util.List;
import java.util.Locale;

/**
 * A piece of the log for people and for comparing nodes: {@code GET /log}.
 *
 * @param firstIndex of the first entry that this node still has
 */
record LogView(long firstIndex, long lastIndex, long commitIndex, List<Entry> entries) {
    static final int COUNT_DEFAULT = 100;
    static final int COUNT_MAX = 10_000;

    private static final int SUMMARY_CHARS_MAX = 120;

    String json() {
        Json json = new Json().beginObject();
        json.field("firstIndex", firstIndex).field("lastIndex", lastIndex);
        json.field("commitIndex", commitIndex).beginArray("entries");
        for (Entry entry : entries) {
            json.beginObject().field("index", entry.index()).field("term", entry.term());
            json.field("kind", entry.kind().name().toLowerCase(Locale.ROOT));
            json.field("bytes", entry.payload().sizeBytes());
            json.field("summary", summary(entry)).endObject();
        }
        return json.endArray().endObject().toString();
    }

    private static String summary(Entry entry) {
        if (entry.kind() != Entry.Kind.COMMAND) {
            return "";
        }
        try {
            Blob command = Blob.wrap(entry.payload().unsafeArray());
            String text = Wording.of(ClientCodec.decodeCommand(command));
            return text.length() <= SUMMARY_CHARS_MAX
                    ? text
                    : text.substring(0, SUMMARY_CHARS_MAX - 1) + "…";
        } catch (ProtocolException e) {
            return "no command of this version: " + e.getMessage();
        }
    }
}
