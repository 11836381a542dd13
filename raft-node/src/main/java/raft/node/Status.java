package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.Effect.RoleName;
import raft.core.NodeId;

import java.util.List;
import java.util.Locale;

/**
 * What a node says of itself, taken between two steps of the event loop, so that all figures belong
 * together.
 *
 * @param uptimeMillis since the process started
 * @param durableIndex last entry of the own log that is on stable storage
 * @param snapshot the newest on the disk; null while there is none
 * @param members the configuration in force, which is the latest in the log
 * @param committedMembers the newest one that is known to be committed
 * @param contactMillis since the leader was last heard, or, on the leader, a majority; -1 while
 *     there is no leader
 * @param deadlineMillis until this node starts an election, or, on the leader, sends a heartbeat
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
        Standing standing,
        long firstIndex,
        long lastIndex,
        long lastTerm,
        long durableIndex,
        long commitIndex,
        long appliedIndex,
        int keyCount,
        String stateHash,
        @Nullable Snapshot snapshot,
        Members members,
        Members committedMembers,
        long contactMillis,
        long deadlineMillis,
        Queues queues,
        List<Peer> peers,
        List<Count> counters,
        List<ByReason> reasons,
        List<Timing> timings,
        List<Change> transitions) {

    /** What this node is to its cluster, as far as it knows what is committed. */
    public enum Standing {
        VOTER,
        LEARNER,
        /** It was a member and is none any more. */
        REMOVED,
        /** It has yet to be added. */
        WAITING
    }

    /** The state at {@code index}, on the disk. */
    public record Snapshot(long index, long term, long bytes) {}

    /**
     * A configuration.
     *
     * @param index where it stands in the log; 0 for what the cluster began with
     */
    public record Members(long index, boolean committed, List<Member> members) {
        public Members {
            members = List.copyOf(members);
        }
    }

    /** One of them; not a voter is a learner. */
    public record Member(String id, String address, boolean voter) {}

    /**
     * Things that wait.
     *
     * @param events for the event loop
     * @param requests for their answer
     * @param writes for the disk
     */
    public record Queues(int events, int requests, int writes) {}

    /** A counter for each of several reasons. */
    public record ByReason(String name, String help, List<Count> counts) {
        public ByReason {
            counts = List.copyOf(counts);
        }
    }

    /**
     * Another member.
     *
     * @param connected whether the link to it stands
     * @param queuedMessages that wait for the link
     * @param rttMicros the last ping's round trip on the link; -1 before there was one
     * @param progress what a leader knows of it; null on other nodes
     */
    public record Peer(
            String id,
            boolean connected,
            int queuedMessages,
            long rttMicros,
            @Nullable Progress progress) {}

    /**
     * How far a follower is, as its leader knows.
     *
     * @param state probe, replicate or snapshot
     * @param inflight messages that are not acknowledged
     * @param inflightBytes of their entries
     * @param sendMillis since entries or a piece of a snapshot were last sent; -1 before that
     * @param ackMillis since it last answered
     * @param lagEntries entries of the leader that it is not known to have
     * @param lagBytes of those of them that are in the leader's log
     */
    public record Progress(
            String state,
            long matchIndex,
            long nextIndex,
            int inflight,
            long inflightBytes,
            long sendMillis,
            long ackMillis,
            long lagEntries,
            long lagBytes) {}

    /**
     * A histogram since start.
     *
     * @param unit of p50, p99 and max: nanos, inputs, entries or bytes
     */
    public record Timing(String name, String unit, long count, long p50, long p99, long max) {}

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
        reasons = List.copyOf(reasons);
        timings = List.copyOf(timings);
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

    private static void write(Json json, String name, Members members) {
        json.beginObject(name).field("index", members.index);
        json.field("committed", members.committed).beginArray("members");
        for (Member member : members.members) {
            json.beginObject().field("id", member.id).field("address", member.address);
            json.field("voter", member.voter).endObject();
        }
        json.endArray().endObject();
    }

    /** One JSON object. */
    String json() {
        Json json = new Json().beginObject();
        json.field("id", id).field("clusterId", clusterId).field("bootId", bootId);
        json.field("uptimeMillis", uptimeMillis);
        // Read here, as late as can be: whoever asks wants to know what this process takes for now.
        json.beginObject("clock").field("utcMillis", System.currentTimeMillis());
        json.field("monotonicNanos", System.nanoTime()).endObject();
        json.field("role", word(role)).field("term", term);
        json.field("votedFor", votedFor).field("leader", leader);
        json.field("standing", standing.name().toLowerCase(Locale.ROOT));
        json.field("firstIndex", firstIndex).field("lastIndex", lastIndex);
        json.field("lastTerm", lastTerm).field("durableIndex", durableIndex);
        json.field("commitIndex", commitIndex).field("appliedIndex", appliedIndex);
        json.field("keyCount", keyCount).field("stateHash", stateHash);
        if (snapshot == null) {
            json.field("snapshot", null);
        } else {
            json.beginObject("snapshot").field("index", snapshot.index);
            json.field("term", snapshot.term).field("bytes", snapshot.bytes).endObject();
        }
        write(json, "configuration", members);
        write(json, "committedConfiguration", committedMembers);
        json.field("leaderContactMillis", contactMillis);
        json.field("deadlineMillis", deadlineMillis);
        json.beginObject("queues").field("events", queues.events);
        json.field("requests", queues.requests).field("writes", queues.writes).endObject();
        json.beginArray("peers");
        for (Peer peer : peers) {
            json.beginObject().field("id", peer.id).field("connected", peer.connected);
            json.field("queuedMessages", peer.queuedMessages);
            json.field("rttMicros", peer.rttMicros);
            Progress progress = peer.progress;
            if (progress != null) {
                json.field("state", progress.state).field("matchIndex", progress.matchIndex);
                json.field("nextIndex", progress.nextIndex).field("inflight", progress.inflight);
                json.field("inflightBytes", progress.inflightBytes);
                json.field("sendMillis", progress.sendMillis);
                json.field("ackMillis", progress.ackMillis);
                json.field("lagEntries", progress.lagEntries).field("lagBytes", progress.lagBytes);
            }
            json.endObject();
        }
        json.endArray().beginObject("counters");
        for (Count count : counters) {
            json.field(count.name, count.value);
        }
        json.endObject();
        for (ByReason reason : reasons) {
            json.beginObject(reason.name);
            for (Count count : reason.counts) {
                json.field(count.name, count.value);
            }
            json.endObject();
        }
        json.beginArray("timings");
        for (Timing timing : timings) {
            json.beginObject().field("name", timing.name).field("unit", timing.unit);
            json.field("count", timing.count).field("p50", timing.p50);
            json.field("p99", timing.p99).field("max", timing.max).endObject();
        }
        json.endArray().beginArray("transitions");
        for (Change change : transitions) {
            json.beginObject().field("time", Log.utc(change.utcMillis));
            json.field("from", word(change.from)).field("to", word(change.to));
            json.field("term", change.term).field("leader", change.leader);
            json.field("votedFor", change.votedFor).field("reason", change.reason).endObject();
        }
        return json.endArray().endObject().toString();
    }
}
