package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.RoleName;
import raft.core.NodeId;

import java.util.List;

/**
 * What a node says of itself, taken between two steps of the event loop, so that all figures belong
 * together.
 *
 * @param uptimeMillis since the process started
 * @param durableIndex last entry of the own log that is on stable storage
 * @param stateHash fingerprint of the state machine at {@code appliedIndex}
 */
public record Status(
        String id,
        String clusterId,
        String bootId,
        long uptimeMillis,
        RoleName role,
        long term,
        @Nullable String votedFor,
        @Nullable String leader,
        long firstIndex,
        long lastIndex,
        long lastTerm,
        long durableIndex,
        long commitIndex,
        long appliedIndex,
        int keyCount,
        String stateHash,
        Queues queues,
        List<Peer> peers,
        List<Count> counters,
        List<Change> transitions) {

    /** Things that wait. */
    public record Queues(int events, int requests, int writes) {}

    /** The link to another member. */
    public record Peer(String id, boolean connected, int queuedMessages) {}

    /** A counter since start. */
    public record Count(String name, long value) {}

    /** The role, the term or the leader changed. */
    public record Change(
            long utcMillis,
            RoleName from,
            RoleName to,
            long term,
            @Nullable String leader,
            @Nullable String votedFor,
            String reason) {}

    public Status {
        peers = List.copyOf(peers);
        counters = List.copyOf(counters);
        transitions = List.copyOf(transitions);
    }

    /** The role as it is written for programs: leader, follower, candidate, pre-candidate. */
    static String word(RoleName role) {
        return switch (role) {
            case FOLLOWER -> "follower";
            case PRE_CANDIDATE -> "pre-candidate";
            case CANDIDATE -> "candidate";
            case LEADER -> "leader";
        };
    }

    static @Nullable String name(@Nullable NodeId node) {
        return node == null ? null : node.name();
    }

    /** One JSON object. */
    String json() {
        Json json = new Json().beginObject();
        json.field("id", id).field("clusterId", clusterId).field("bootId", bootId);
        json.field("uptimeMillis", uptimeMillis);
        json.field("role", word(role)).field("term", term);
        json.field("votedFor", votedFor).field("leader", leader);
        json.field("firstIndex", firstIndex).field("lastIndex", lastIndex);
        json.field("lastTerm", lastTerm).field("durableIndex", durableIndex);
        json.field("commitIndex", commitIndex).field("appliedIndex", appliedIndex);
        json.field("keyCount", keyCount).field("stateHash", stateHash);
        json.beginObject("queues").field("events", queues.events);
        json.field("requests", queues.requests).field("writes", queues.writes).endObject();
        json.beginArray("peers");
        for (Peer peer : peers) {
            json.beginObject().field("id", peer.id).field("connected", peer.connected);
            json.field("queuedMessages", peer.queuedMessages).endObject();
        }
        json.endArray().beginObject("counters");
        for (Count count : counters) {
            json.field(count.name, count.value);
        }
        json.endObject().beginArray("transitions");
        for (Change change : transitions) {
            json.beginObject().field("time", Log.utc(change.utcMillis));
            json.field("from", word(change.from)).field("to", word(change.to));
            json.field("term", change.term).field("leader", change.leader);
            json.field("votedFor", change.votedFor).field("reason", change.reason).endObject();
        }
        return json.endArray().endObject().toString();
    }
}
