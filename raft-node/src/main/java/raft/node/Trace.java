package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.Configuration;
import raft.core.Effect;
import raft.core.Raft;
import raft.core.Snapshot;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/**
 * Every change of what the algorithm promises, as JSON Lines: role, term, vote, commit, truncation,
 * snapshot, configuration; numbered from 1 in each life of the node. The newest are kept in memory
 * for {@code /trace}; all go to a stream where one is configured.
 *
 * <pre>
 * {"n":7,"utc":1700000000123,"event":"role","node":"n1","term":3,"from":"candidate","to":"leader",
 *  "leader":"n1","reason":"a majority voted for this node"}
 * {"n":8,…,"event":"term","term":4}        {"n":9,…,"event":"vote","term":4,"votedFor":"n2"}
 * {"n":10,…,"event":"commit","term":4,"index":17,"last":18}
 * {"n":11,…,"event":"truncate","term":4,"from":18}
 * {"n":12,…,"event":"config","term":4,"index":19,"members":"…"}
 * {"n":13,…,"event":"snapshot","term":4,"what":"take","index":1000}      or "install"
 * </pre>
 *
 * <p>Written by the event loop's thread alone, after each step; read by any.
 */
final class Trace {
    static final int LINE_COUNT_MAX = 16_384;

    private static final int LINE_CHARS = 160;

    private final String node;
    private final NodeClock clock;
    private final @Nullable OutputStream out;
    private final Log log;

    // Under this object's monitor.
    private final ArrayDeque<Line> lines = new ArrayDeque<>();
    private long lastNumber;
    private boolean broken;

    // Of the event loop's thread: what was last said.
    private long term = -1;
    private @Nullable String votedFor;
    private long commitIndex;

    /**
     * What a line says. Text is made of it only for whoever reads it: there is a line for every
     * write of a lone client, and most of them nobody reads.
     *
     * @param fields puts what belongs to the event alone
     */
    private record Line(
            long number, long utcMillis, long term, String event, Consumer<Json> fields) {
        String text(String node) {
            Json json = new Json(LINE_CHARS).beginObject().field("n", number);
            json.field("utc", utcMillis).field("event", event).field("node", node);
            fields.accept(json.field("term", term));
            return json.endObject().toString();
        }
    }

    /**
     * @param out every line is written there and flushed; null for none
     */
    Trace(String node, NodeClock clock, @Nullable OutputStream out, Log log) {
        this.node = node;
        this.clock = clock;
        this.out = out;
        this.log = log;
    }

    /** After a step: whatever differs from what was said before. */
    void observe(Raft raft) {
        if (raft.term() != term) {
            term = raft.term();
            // A vote belongs to its term.
            votedFor = null;
            add("term", json -> {});
        }
        String vote = Status.name(raft.votedFor());
        if (vote != null && !vote.equals(votedFor)) {
            votedFor = vote;
            add("vote", json -> json.field("votedFor", vote));
        }
        if (raft.commitIndex() != commitIndex) {
            long index = raft.commitIndex();
            long last = raft.lastIndex();
            commitIndex = index;
            add("commit", json -> json.field("index", index).field("last", last));
        }
    }

    /** Some effects tell what no look at the state afterwards could. */
    void observe(Raft raft, Effect effect) {
        switch (effect) {
            case Effect.Transition t -> {
                term = raft.term() == term ? term : sayTerm(raft);
                add(
                        "role",
                        json ->
                                json.field("from", Status.word(t.from()))
                                        .field("to", Status.word(t.to()))
                                        .field("leader", Status.name(t.leader()))
                                        .field("reason", t.reason()));
            }
            case Effect.Truncated(long fromIndex) ->
                    add("truncate", json -> json.field("from", fromIndex));
            case Effect.Configured(long index, Configuration members) ->
                    add(
                            "config",
                            json ->
                                    json.field("index", index)
                                            .field("members", members.toString()));
            case Effect.CaptureState capture -> addSnapshot("take", capture.index());
            case Effect.Restore(Snapshot snapshot) -> addSnapshot("install", snapshot.index());
            default -> {}
        }
    }

    private long sayTerm(Raft raft) {
        term = raft.term();
        votedFor = null;
        add("term", json -> {});
        return term;
    }

    private void addSnapshot(String what, long index) {
        add("snapshot", json -> json.field("what", what).field("index", index));
    }

    private synchronized void add(String event, Consumer<Json> fields) {
        Line line = new Line(++lastNumber, clock.utcMillis(), term, event, fields);
        if (lines.size() == LINE_COUNT_MAX) {
            lines.removeFirst();
        }
        lines.addLast(line);
        if (out != null && !broken) {
            try {
                out.write((line.text(node) + "\n").getBytes(StandardCharsets.UTF_8));
                out.flush();
            } catch (IOException e) {
                // The node's work does not depend on it.
                broken = true;
                log.warn("the trace ends here: " + e.getMessage());
            }
        }
    }

    /** Lines with numbers above {@code after}, oldest first, at most {@code countMax} of them. */
    synchronized String after(long after, int countMax) {
        StringBuilder text = new StringBuilder();
        int count = 0;
        for (Line line : lines) {
            if (line.number > after) {
                if (++count > countMax) {
                    break;
                }
                text.append(line.text(node)).append('\n');
            }
        }
        return text.toString();
    }
}
