package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.CallException;
import raft.client.ClientConnection;
import raft.client.Credentials;
import raft.client.Member;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import tools.jackson.databind.json.JsonMapper;

import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * What an operator asks of the system itself: other voters, another leader, a snapshot, an
 * election. By the administrative requests of the client protocol; a server without them refuses
 * them as unsupported, and then the fault is skipped in its words. Called in one lane.
 */
final class Administration {
    private static final long CALL_MILLIS = 5_000;
    private static final long EFFECT_MILLIS = 15_000;
    private static final long PAUSE_MILLIS = 50;

    private final Map<String, InetSocketAddress> clients;
    private final @Nullable Credentials credentials;
    private final Map<String, String> peerAddresses = new TreeMap<>();
    private final List<String> members;
    private final StatusProbe statuses;

    /** Which fault took out which voter. */
    private final Map<Long, String> removed = new TreeMap<>();

    /** Whether the voters may be others than those at the start. */
    private boolean changed;

    /**
     * @param credentials for TLS; null: in plain text
     * @param peerAddresses host:port of each node
     * @param members the voters that the cluster begins with
     */
    Administration(
            Map<String, InetSocketAddress> clients,
            @Nullable Credentials credentials,
            Map<String, String> peerAddresses,
            List<String> members,
            StatusProbe statuses) {
        this.clients = new TreeMap<>(clients);
        this.credentials = credentials;
        this.peerAddresses.putAll(peerAddresses);
        this.members = List.copyOf(members);
        this.statuses = statuses;
    }

    /** Who votes by what is committed; where nobody tells, why not. */
    private record Electorate(List<String> voters, Said told) {
        boolean isKnown() {
            return !voters.isEmpty();
        }
    }

    /** What a server answered, or why it did not. */
    private record Said(@Nullable Result result, @Nullable Refusal refusal, String words) {
        boolean ok() {
            return result != null;
        }

        FaultOutcome outcome() {
            return Findings.of(
                    refusal == Refusal.UNSUPPORTED ? Status.SKIPPED : Status.INDETERMINATE, words);
        }
    }

    FaultOutcome command(FaultAction.RaftCommand command) {
        return switch (command) {
            case FaultAction.TransferLeadership(String to) -> transfer(to);
            case FaultAction.TakeSnapshot(List<String> nodes) -> snapshots(nodes);
            case FaultAction.StartElection(String node) -> election(node);
        };
    }

    private FaultOutcome transfer(String to) {
        NodeStatus before = leader();
        Said said = askLeader(new Request.Admin.TransferLeadership(to));
        if (!said.ok()) {
            return said.outcome();
        }
        long termBefore = before == null ? 0 : before.term();
        boolean leads = waitFor(() -> status(to).isLeader());
        NodeStatus now = status(to);
        return Findings.of(
                leads && now.term() > termBefore ? Status.INSTALLED : Status.INDETERMINATE,
                before == null
                        ? "nobody was seen to lead before"
                        : before.node()
                                + " led term "
                                + termBefore
                                + " and said that it hands over",
                to + " is " + now.role() + " of term " + now.term());
    }

    /** Who is down or frozen by another fault is asked again while there is time. */
    private FaultOutcome snapshots(List<String> nodes) {
        Map<String, FaultOutcome> found = new LinkedHashMap<>();
        waitFor(
                () -> {
                    for (String node : nodes) {
                        if (!isTold(found.get(node))) {
                            found.put(node, snapshot(node));
                        }
                    }
                    return found.values().stream().allMatch(Administration::isTold);
                });
        return Findings.all(List.copyOf(found.values()));
    }

    private static boolean isTold(@Nullable FaultOutcome outcome) {
        return outcome != null && outcome.status() != Status.INDETERMINATE;
    }

    private FaultOutcome snapshot(String node) {
        NodeStatus before = status(node);
        Said said = ask(node, new Request.Admin.TakeSnapshot());
        if (!said.ok()) {
            return said.outcome();
        }
        // What it had applied when it was asked must be in the snapshot that it has afterwards.
        boolean newer = waitFor(() -> snapshotIndex(status(node)) >= before.appliedIndex());
        return Findings.of(
                newer ? Status.INSTALLED : Status.INDETERMINATE,
                node
                        + "'s snapshot ends at index "
                        + snapshotIndex(status(node))
                        + ", before at "
                        + snapshotIndex(before)
                        + "; it had applied "
                        + before.appliedIndex());
    }

    /** 0 where there is none. */
    private static long snapshotIndex(NodeStatus status) {
        return status.json().isEmpty()
                ? 0
                : JsonMapper.shared()
                        .readTree(status.json())
                        .path("snapshot")
                        .path("index")
                        .asLong(0);
    }

    private FaultOutcome election(String node) {
        NodeStatus before = leader();
        long termBefore = newestTerm();
        Said[] asked = {new Said(null, null, "")};
        waitFor(
                () -> {
                    asked[0] = ask(node, new Request.Admin.StartElection());
                    return asked[0].ok() || asked[0].refusal != null;
                });
        Said said = asked[0];
        if (!said.ok()) {
            return said.outcome();
        }
        boolean newer =
                waitFor(
                        () -> {
                            NodeStatus now = leader();
                            return now != null && now.term() > termBefore;
                        });
        NodeStatus now = leader();
        return Findings.of(
                newer ? Status.INSTALLED : Status.INDETERMINATE,
                before == null
                        ? "nobody was seen to lead before"
                        : before.node() + " led term " + before.term(),
                node + " said that it started an election",
                now == null ? "nobody leads" : now.node() + " leads term " + now.term());
    }

    FaultOutcome removeVoter(long fault, String node) {
        Electorate electorate = settled();
        if (!electorate.isKnown()) {
            return electorate.told.outcome();
        }
        List<String> before = electorate.voters;
        if (!before.contains(node)) {
            return Findings.of(Status.SKIPPED, node + " is no voter; the voters are " + before);
        }
        if (before.size() < 3) {
            return Findings.of(
                    Status.SKIPPED, "of " + before + " none can go without losing the quorum");
        }
        FaultOutcome outcome = takeOut(node, before);
        if (outcome.status() != Status.SKIPPED) {
            removed.put(fault, node); // Also what was not seen to happen may happen yet.
        }
        return outcome;
    }

    private FaultOutcome takeOut(String node, List<String> before) {
        changed = true;
        Said said = askLeader(new Request.Admin.Remove(node));
        // An answer that was lost says nothing; whether it is out is looked at.
        if (said.refusal != null) {
            return said.outcome();
        }
        boolean gone = waitFor(() -> isWithout(voters(), node));
        return Findings.of(
                gone ? Status.INSTALLED : Status.INDETERMINATE,
                "the committed voters are " + voters() + ", before were " + before,
                said.ok() ? node + " was removed" : said.words);
    }

    private static boolean isWithout(List<String> voters, String node) {
        return !voters.isEmpty() && !voters.contains(node);
    }

    /** One voter more: a spare node, or a member that another fault has taken out. */
    FaultOutcome grow(String node) {
        Electorate electorate = settled();
        if (!electorate.isKnown()) {
            return electorate.told.outcome();
        }
        List<String> before = electorate.voters;
        if (before.contains(node)) {
            return Findings.of(Status.SKIPPED, node + " votes already; the voters are " + before);
        }
        return addVoter(node, before);
    }

    /** Takes back what {@link #grow} did. */
    FaultOutcome ungrow(String node) {
        Electorate electorate = settled();
        if (!electorate.isKnown()) {
            return electorate.told.outcome();
        }
        List<String> before = electorate.voters;
        if (!before.contains(node)) {
            return Findings.of(Status.INSTALLED, node + " is no voter; the voters are " + before);
        }
        return takeOut(node, before);
    }

    /** Takes back a removal; can be asked again where that was not proven. */
    FaultOutcome restoreVoter(long fault, String node) {
        Electorate electorate = settled();
        if (!electorate.isKnown()) {
            return electorate.told.outcome();
        }
        List<String> before = electorate.voters;
        FaultOutcome outcome =
                before.contains(node)
                        ? Findings.of(Status.INSTALLED, node + " votes; the voters are " + before)
                        : addVoter(node, before);
        if (outcome.status() == Status.INSTALLED) {
            removed.remove(fault);
        }
        return outcome;
    }

    /** Learner first, a voter once it has caught up. */
    private FaultOutcome addVoter(String node, List<String> before) {
        String address = peerAddresses.get(node);
        if (address == null) {
            return Findings.of(Status.SKIPPED, "there is no pod for " + node);
        }
        changed = true;
        Said added = askLeader(new Request.Admin.AddLearner(node, address));
        if (added.refusal != null && !added.words.contains("already")) {
            return added.outcome();
        }
        Said[] promoted = {askLeader(new Request.Admin.Promote(node))};
        boolean votes =
                waitFor(
                        () -> {
                            if (voters().contains(node)) {
                                return true;
                            }
                            if (!promoted[0].ok()) {
                                promoted[0] = askLeader(new Request.Admin.Promote(node));
                            }
                            return false;
                        });
        boolean knows = votes && waitFor(() -> status(node).voters().contains(node));
        NodeStatus itself = status(node);
        return Findings.of(
                knows ? Status.INSTALLED : Status.INDETERMINATE,
                "the committed voters are " + voters() + ", before were " + before,
                promoted[0].ok() ? node + " was promoted" : promoted[0].words,
                node
                        + " says that it is "
                        + itself.role()
                        + " of term "
                        + itself.term()
                        + " and has applied index "
                        + itself.appliedIndex());
    }

    boolean hasRemoved(long fault) {
        return removed.containsKey(fault);
    }

    /** The voters are again those that the cluster began with, where somebody leads. */
    void restoreAll() {
        removed.clear();
        if (!changed) {
            return;
        }
        for (String node : members) {
            List<String> now = settled().voters;
            if (isWithout(now, node)) {
                FaultOutcome restored = addVoter(node, now);
                assert restored != null;
            }
        }
        for (String node : settled().voters) {
            if (!members.contains(node)) {
                FaultOutcome restored = takeOut(node, settled().voters);
                assert restored != null;
            }
        }
        changed = false;
    }

    /** As {@link #electorate}, once somebody tells: a new leader needs a moment. */
    private Electorate settled() {
        Electorate[] seen = {electorate()};
        waitFor(
                () -> {
                    if (seen[0].isKnown() || seen[0].told.refusal == Refusal.UNSUPPORTED) {
                        return true;
                    }
                    seen[0] = electorate();
                    return false;
                });
        return seen[0];
    }

    private List<String> voters() {
        return electorate().voters;
    }

    /** By the nodes' status; by the protocol's own request where that does not say. */
    private Electorate electorate() {
        List<NodeStatus> nodes = statuses.askAll(1_000).join();
        NodeStatus leader = newestLeader(nodes);
        if (leader == null) {
            return new Electorate(List.of(), new Said(null, null, "no node leads"));
        }
        if (leader.json().contains("\"configuration\"")) {
            return new Electorate(
                    committedVoters(nodes),
                    new Said(
                            null,
                            null,
                            leader.node()
                                    + " leads term "
                                    + leader.term()
                                    + ", but no majority of committed voters was seen in it"));
        }
        Said said = ask(leader.node(), new Request.Admin.ReadConfiguration());
        List<String> voters =
                said.result instanceof Result.Configuration configuration
                        ? configuration.members().stream()
                                .filter(Member::voter)
                                .map(Member::id)
                                .toList()
                        : List.of();
        return new Electorate(voters, said);
    }

    /**
     * What the leader of the newest term says, if a majority of the voters that it names is in its
     * term: one that was deposed behind a partition goes on naming those of its time, and while its
     * successor is down it is the only leader that answers. Empty while a change is under way.
     */
    static List<String> committedVoters(List<NodeStatus> nodes) {
        NodeStatus leader = newestLeader(nodes);
        if (leader == null) {
            return List.of();
        }
        List<String> voters = leader.voters();
        long inItsTerm =
                nodes.stream()
                        .filter(node -> voters.contains(node.node()))
                        .filter(node -> node.term() == leader.term())
                        .count();
        return inItsTerm > voters.size() / 2 ? voters : List.of();
    }

    private static @Nullable NodeStatus newestLeader(List<NodeStatus> nodes) {
        return nodes.stream()
                .filter(NodeStatus::isLeader)
                .max(Comparator.comparingLong(NodeStatus::term))
                .orElse(null);
    }

    private @Nullable NodeStatus leader() {
        return newestLeader(statuses.askAll(1_000).join());
    }

    private NodeStatus status(String node) {
        return statuses.askNow(node, 1_000);
    }

    private long newestTerm() {
        return statuses.askAll(1_000).join().stream().mapToLong(NodeStatus::term).max().orElse(0);
    }

    private Said askLeader(Request.Admin request) {
        Said[] last = {new Said(null, null, "no node leads")};
        waitFor(
                () -> {
                    NodeStatus leader = leader();
                    if (leader == null) {
                        return false;
                    }
                    last[0] = ask(leader.node(), request);
                    // Only what is certain to be different soon is asked again.
                    return last[0].ok()
                            || (last[0].refusal != Refusal.NOT_LEADER
                                    && last[0].refusal != Refusal.CHANGE_IN_PROGRESS
                                    && last[0].refusal != Refusal.NOT_POSSIBLE_NOW);
                });
        return last[0];
    }

    private Said ask(String node, Request.Admin request) {
        InetSocketAddress address = clients.get(node);
        if (address == null) {
            return new Said(null, null, "there is no node " + node);
        }
        try (ClientConnection connection =
                ClientConnection.connect(
                        address.getAddress().getHostAddress(),
                        address.getPort(),
                        credentials,
                        CALL_MILLIS)) {
            return switch (connection.call(request, CALL_MILLIS)) {
                case Reply.Ok(Result result, long term, long index) ->
                        new Said(result, null, String.valueOf(result));
                case Reply.Refused(Refusal reason, String leader, String message) ->
                        new Said(
                                null,
                                reason,
                                node
                                        + " refused ("
                                        + reason.name().toLowerCase(java.util.Locale.ROOT)
                                        + "): "
                                        + message);
                case Reply.Unknown(String message) ->
                        new Said(null, null, node + " does not know whether it did: " + message);
            };
        } catch (CallException e) {
            return new Said(null, null, node + " did not answer: " + e.getMessage());
        }
    }

    private static boolean waitFor(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(EFFECT_MILLIS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }
}
